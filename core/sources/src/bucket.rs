//! Objects in a bucket with the S3 interface: listing, and reading one as a whole or in part.
//!
//! Requests are bounded in time and tried again where that may help. Keys and signatures never stand in a message.

mod access;
mod objects;

pub use access::AccessError;
pub(crate) use objects::{Facts, Remote, facts};

use access::Access;
use rusty_s3::actions::{ListObjectsV2, S3Action};
use rusty_s3::{Bucket as Address, Credentials, UrlStyle};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use ureq::Agent;

/// For how long a signature holds.
const SIGNED: Duration = Duration::from_secs(600);
/// A server must accept a connection and begin to answer within this time.
const ANSWER: Duration = Duration::from_secs(20);
/// The longest pause while it sends.
const PAUSE: Duration = Duration::from_secs(30);
/// How often a request is tried.
const TRIES: u32 = 4;
/// The pause before the second try; it doubles with each.
const BACKOFF: Duration = Duration::from_millis(200);
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
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Bucket({})", self.shown)
    }
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
        let bucket: &'static Bucket = Box::leak(Box::new(Bucket::new(text)?));
        opened.push((text.to_owned(), bucket));
        Ok(bucket)
    }

    fn new(text: &str) -> io::Result<Bucket> {
        let scheme = SCHEMES.iter().find(|scheme| text.starts_with(**scheme));
        let rest = scheme.map(|scheme| &text[scheme.len()..]).ok_or_else(|| invalid("it is no address"))?;
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if name.is_empty() {
            return Err(invalid("it names no bucket: s3://BUCKET/PREFIX"));
        }
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let access = Access::find(scheme == Some(&"gs://")).map_err(|error| invalid(error.to_string()))?;
        let style = if access.own_endpoint { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let endpoint = access.endpoint.parse().map_err(|_| {
            invalid(format!("{} is no address of a server: check AWS_ENDPOINT_URL", access.endpoint))
        })?;
        let address = Address::new(endpoint, style, name.to_owned(), access.region)
            .map_err(|error| invalid(error.to_string()))?;
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            // A bucket in another region answers so, and a signature is for one server.
            .max_redirects(0)
            .timeout_resolve(Some(ANSWER))
            .timeout_connect(Some(ANSWER))
            .timeout_send_request(Some(ANSWER))
            .timeout_recv_response(Some(ANSWER))
            .timeout_per_read(Some(PAUSE))
            .user_agent(concat!("chaffinch/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Ok(Bucket { address, credentials: access.credentials, prefix, shown: text.to_owned(), agent })
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
        let text = std::str::from_utf8(&page).map_err(|_| invalid("the server answered no listing"))?;
        let page = ListObjectsV2::parse_response(text)
            .map_err(|error| invalid(format!("the server answered no listing: {error}")))?;
        let mut objects = Vec::new();
        for object in page.contents {
            // Folders are objects without bytes in some programs.
            if object.key.ends_with('/') {
                continue;
            }
            let modified = object.last_modified.as_deref().map_or(0, moment);
            let facts = Facts { size: object.size.unwrap_or(0), modified };
            objects::learn(&self.place(&object.key), facts);
            objects.push(Object { name: object.key, size: facts.size, modified });
        }
        Ok((objects, page.next_continuation_token))
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

    /// The address of the object with a whole key.
    fn place(&self, key: &str) -> PathBuf {
        let scheme = SCHEMES.iter().find(|scheme| self.shown.starts_with(**scheme));
        PathBuf::from(format!("{}{}/{key}", scheme.unwrap_or(&SCHEMES[0]), self.address.name()))
    }

    /// Sends a request for a whole answer, and again where another try may help.
    fn ask(&self, url: impl Fn() -> String, limit: u64) -> io::Result<Vec<u8>> {
        self.again(|| self.try_once(&url(), limit))
    }

    /// Tries something, and again where another try may help, which an error says.
    fn again<T>(&self, attempt: impl Fn() -> Result<T, (bool, io::Error)>) -> io::Result<T> {
        let mut pause = BACKOFF;
        let mut last = io::Error::other("not tried");
        for number in 0..TRIES {
            if number > 0 {
                thread::sleep(pause);
                pause *= 2;
            }
            match attempt() {
                Err((true, error)) => last = error,
                Err((false, error)) => return Err(error),
                Ok(got) => return Ok(got),
            }
        }
        Err(last)
    }

    /// One try; with an error, whether another one may help.
    fn try_once(&self, url: &str, limit: u64) -> Result<Vec<u8>, (bool, io::Error)> {
        let response = self.agent.get(url).call();
        let response = response.map_err(|error| (true, self.unreachable(&error)))?;
        if !response.status().is_success() {
            return Err(self.refusal(response));
        }
        let body = response.into_body().into_with_config().limit(limit.saturating_add(1)).read_to_vec();
        let bytes = body.map_err(|error| (true, self.unreachable(&error)))?;
        if bytes.len() as u64 > limit {
            let message = format!("it has more than {limit} bytes");
            return Err((false, io::Error::new(io::ErrorKind::FileTooLarge, message)));
        }
        Ok(bytes)
    }

    /// Why an answer is none, and whether another try may help.
    fn refusal(&self, response: ureq::http::Response<ureq::Body>) -> (bool, io::Error) {
        let status = response.status().as_u16();
        let body = response.into_body().into_with_config().limit(1 << 16).read_to_vec();
        let body = String::from_utf8_lossy(&body.unwrap_or_default()).into_owned();
        let retry = status >= 500 || status == 429 || status == 408;
        (retry, self.refused(status, &body))
    }

    /// What the address of a request says is kept out of the message, since it holds a signature.
    fn unreachable(&self, error: &ureq::Error) -> io::Error {
        let server = self.address.base_url();
        let port = server.port().map(|port| format!(":{port}")).unwrap_or_default();
        let host = format!("{}{port}", server.host_str().unwrap_or_default());
        let reason = match error {
            ureq::Error::Timeout(_) => "it does not answer in time".to_owned(),
            ureq::Error::HostNotFound => "there is no such host".to_owned(),
            ureq::Error::Io(error) => error.to_string(),
            ureq::Error::ConnectionFailed => "the connection failed".to_owned(),
            _ => "the request failed".to_owned(),
        };
        io::Error::new(
            io::ErrorKind::HostUnreachable,
            format!("{host}: {reason}; check the network and AWS_ENDPOINT_URL"),
        )
    }

    fn refused(&self, status: u16, body: &str) -> io::Error {
        let inside = |tag: &str| {
            let (_, rest) = body.split_once(&format!("<{tag}>"))?;
            rest.split_once('<').map(|(text, _)| text.to_owned())
        };
        let code = inside("Code").unwrap_or_else(|| format!("status {status}"));
        let (kind, message) = match (status, code.as_str()) {
            (404, "NoSuchBucket") => (
                io::ErrorKind::NotFound,
                format!("there is no bucket {} on this server", self.address.name()),
            ),
            (404, _) => (io::ErrorKind::NotFound, GONE.to_owned()),
            (401 | 403, "SignatureDoesNotMatch" | "InvalidAccessKeyId") => (
                io::ErrorKind::PermissionDenied,
                format!("the server does not accept the credentials ({code}): check AWS_ACCESS_KEY_ID"),
            ),
            (401 | 403, _) if self.credentials.is_none() => (
                io::ErrorKind::PermissionDenied,
                format!(
                    "the server wants credentials ({code}): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                ),
            ),
            (401 | 403, _) => {
                (io::ErrorKind::PermissionDenied, format!("the server refuses access ({code})"))
            }
            (301 | 307 | 400, "PermanentRedirect" | "AuthorizationHeaderMalformed") => {
                (io::ErrorKind::Other, format!("the bucket is in another region ({code}): set AWS_REGION"))
            }
            _ => (io::ErrorKind::Other, format!("the server answered {code}")),
        };
        io::Error::new(kind, message)
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
