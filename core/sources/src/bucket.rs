//! Objects in a bucket with the S3 interface: listing, and reading one as a whole or in part.
//!
//! Requests are bounded in time and tried again where that may help. Keys and signatures never stand in a message.

mod access;
mod objects;
mod requests;

pub use access::AccessError;
pub(crate) use objects::{Facts, Remote, facts};

use access::Access;
use requests::Patience;
use rusty_s3::actions::{ListObjectsV2, S3Action};
use rusty_s3::{Bucket as Address, Credentials, UrlStyle};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;
use ureq::Agent;

/// For how long a signature holds.
const SIGNED: Duration = Duration::from_secs(600);
/// The largest page of a listing.
const PAGE_BYTES: u64 = 16 << 20;

/// What is said of an object that is not there.
const GONE: &str = "there is no such object";

/// The schemes of addresses of buckets.
const SCHEMES: [&str; 2] = ["s3://", "gs://"];

/// Whether a path is the address of a bucket: `s3://BUCKET/PREFIX` or `gs://BUCKET/PREFIX`.
pub fn is_address(path: &Path) -> bool {
    let bytes = path.as_os_str().as_encoded_bytes();
    SCHEMES.iter().any(|scheme| bytes.starts_with(scheme.as_bytes()))
}

/// An object, as a listing says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its key behind the prefix.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// In nanoseconds since 1970; 0 if the server does not say.
    pub modified: i64,
}

/// A bucket, and the prefix of a dataset in it.
pub struct Bucket {
    address: Address,
    credentials: Option<Credentials>,
    prefix: String,
    /// As it was named, for messages.
    shown: String,
    agent: Agent,
    patience: Patience,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Bucket({})", self.shown)
    }
}

/// The objects on a page of a listing, and what asks for the next page, from the XML that a server answers.
///
/// # Errors
/// When it is not a listing.
pub fn listed(page: &[u8]) -> io::Result<(Vec<Object>, Option<String>)> {
    let text = std::str::from_utf8(page).map_err(|_| invalid("the server answered no listing"))?;
    let page = ListObjectsV2::parse_response(text)
        .map_err(|error| invalid(format!("the server answered no listing: {error}")))?;
    // Folders are objects without bytes in some programs.
    let files = page.contents.into_iter().filter(|object| !object.key.ends_with('/'));
    let objects = files.map(|object| Object {
        name: object.key,
        size: object.size.unwrap_or(0),
        modified: object.last_modified.as_deref().map_or(0, moment),
    });
    Ok((objects.collect(), page.next_continuation_token))
}

/// Buckets that were opened, by their addresses.
type Opened = Vec<(String, &'static Bucket)>;

static OPENED: LazyLock<Mutex<Opened>> = LazyLock::new(Mutex::default);

impl Bucket {
    /// The bucket of an address, with the credentials of the environment or of the user's file. It is not asked anything
    /// yet. An address that was opened before gives the same bucket.
    ///
    /// # Errors
    /// When the address is none, or credentials are incomplete or cannot be read.
    pub fn of(address: &Path) -> io::Result<&'static Bucket> {
        let text = address.to_str().ok_or_else(|| invalid("the address is not valid UTF-8"))?;
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bucket)) = opened.iter().find(|(known, _)| known == text) {
            return Ok(bucket);
        }
        // A process uses one or two, until its end.
        let bucket: &'static Bucket = Box::leak(Box::new(Bucket::new(text, Patience::usual())?));
        opened.push((text.to_owned(), bucket));
        Ok(bucket)
    }

    fn new(text: &str, patience: Patience) -> io::Result<Bucket> {
        let scheme = SCHEMES.iter().find(|scheme| text.starts_with(**scheme));
        let rest =
            scheme.map(|scheme| &text[scheme.len()..]).ok_or_else(|| invalid("it is not an address"))?;
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if name.is_empty() {
            return Err(invalid("it names no bucket: s3://BUCKET/PREFIX"));
        }
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let access = Access::find(scheme == Some(&"gs://")).map_err(|error| invalid(error.to_string()))?;
        let style = if access.own_endpoint { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let endpoint = access.endpoint.parse().map_err(|_| {
            invalid(format!("{} is not an address of a server: check AWS_ENDPOINT_URL", access.endpoint))
        })?;
        let address = Address::new(endpoint, style, name.to_owned(), access.region)
            .map_err(|error| invalid(error.to_string()))?;
        let agent = patience.agent();
        let credentials = access.credentials;
        Ok(Bucket { address, credentials, prefix, shown: text.to_owned(), agent, patience })
    }

    /// All objects of the dataset, in the order of their keys. `progress` gets how many there are so far, and says whether
    /// to go on.
    ///
    /// # Errors
    /// When the server refuses, cannot be reached, or answers something else; or when it was stopped.
    pub fn list(&self, progress: &mut dyn FnMut(u64) -> bool) -> io::Result<Vec<Object>> {
        let objects = self.list_keys(&self.prefix, progress)?;
        let own = objects.into_iter().filter_map(|object| {
            let name = object.name.strip_prefix(&self.prefix).filter(|name| !name.is_empty())?.to_owned();
            Some(Object { name, ..object })
        });
        Ok(own.collect())
    }

    /// What the address names if it is an object and not a prefix; its name is empty.
    ///
    /// # Errors
    /// As for [`Bucket::list`].
    pub fn itself(&self) -> io::Result<Option<Object>> {
        let key = self.prefix.trim_end_matches('/');
        if key.is_empty() {
            return Ok(None);
        }
        let found = self.find(key)?;
        Ok(found.map(|object| Object { name: String::new(), ..object }))
    }

    /// The object with a whole key. Keys that begin with it come after it, so that it is on the first page.
    fn find(&self, key: &str) -> io::Result<Option<Object>> {
        let (objects, _) = self.page(key, None)?;
        Ok(objects.into_iter().find(|object| object.name == key))
    }

    /// All objects whose keys begin with a prefix, by their whole keys.
    fn list_keys(&self, prefix: &str, progress: &mut dyn FnMut(u64) -> bool) -> io::Result<Vec<Object>> {
        let mut objects = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let (page, next) = self.page(prefix, token.take())?;
            objects.extend(page);
            if next.is_none() {
                objects.sort_unstable_by(|a, b| a.name.cmp(&b.name));
                return Ok(objects);
            }
            if !progress(objects.len() as u64) {
                return Err(io::Error::new(io::ErrorKind::Interrupted, "stopped"));
            }
            token = next;
        }
    }

    /// A page of a listing, and what asks for the next one.
    fn page(&self, prefix: &str, token: Option<String>) -> io::Result<(Vec<Object>, Option<String>)> {
        let mut action = self.address.list_objects_v2(self.credentials.as_ref());
        action.with_prefix(prefix);
        if let Some(token) = token {
            action.with_continuation_token(token);
        }
        let page = self.ask(|| action.sign(SIGNED).to_string(), PAGE_BYTES)?;
        let (objects, next) = listed(&page)?;
        for object in &objects {
            objects::learn(&self.place(&object.name), Facts { size: object.size, modified: object.modified });
        }
        Ok((objects, next))
    }

    /// The bytes of an object; at most `limit`.
    ///
    /// # Errors
    /// When there is none, the server refuses or cannot be reached, or it sends more.
    pub fn read(&self, name: &str, limit: u64) -> io::Result<Vec<u8>> {
        let key = format!("{}{name}", self.prefix);
        let action = self.address.get_object(self.credentials.as_ref(), &key);
        self.ask(|| action.sign(SIGNED).to_string(), limit)
    }

    /// Some bytes of the object with a whole key, whose size is known.
    ///
    /// # Errors
    /// When there is none, it has another size by now, or the server refuses or cannot be reached.
    pub(crate) fn read_range(&self, key: &str, range: Range<u64>, size: u64) -> io::Result<Vec<u8>> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let action = self.address.get_object(self.credentials.as_ref(), key);
        let url = || action.sign(SIGNED).to_string();
        self.again(|| objects::range(self, &url(), &range, size))
    }

    /// How large the object with a whole key is, and when it was changed.
    ///
    /// # Errors
    /// When there is none, or the server refuses or cannot be reached.
    pub(crate) fn look_at(&self, key: &str) -> io::Result<Facts> {
        let found = self.find(key)?.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, GONE))?;
        Ok(Facts { size: found.size, modified: found.modified })
    }

    /// The address of an object of the dataset.
    pub(crate) fn object(&self, name: &str) -> PathBuf {
        self.place(&format!("{}{name}", self.prefix))
    }

    /// The address of the object with a whole key.
    fn place(&self, key: &str) -> PathBuf {
        let scheme = SCHEMES.iter().find(|scheme| self.shown.starts_with(**scheme));
        PathBuf::from(format!("{}{}/{key}", scheme.unwrap_or(&SCHEMES[0]), self.address.name()))
    }
}

fn moment(text: &str) -> i64 {
    let parsed: Result<jiff::Timestamp, _> = text.parse();
    parsed.map_or(0, |moment| i64::try_from(moment.as_nanosecond()).unwrap_or(0))
}

fn invalid(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_paths() {
        assert!(is_address(Path::new("s3://bucket/a")) && is_address(Path::new("gs://bucket")));
        assert!(!is_address(Path::new("/s3:/bucket")) && !is_address(Path::new("s3:/bucket")));
    }

    #[test]
    fn times_are_read() {
        assert_eq!(moment("1970-01-01T00:00:01.500Z"), 1_500_000_000);
        assert_eq!(moment("yesterday"), 0);
    }
}
