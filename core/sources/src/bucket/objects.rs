//! Objects that are read in part: what is known of them, and one range.

use super::{Bucket, SCHEMES, invalid, is_address};
use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

/// What is known of an object without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Bytes.
    pub(crate) size: u64,
    /// In nanoseconds since 1970; 0 if the server does not say.
    pub(crate) modified: i64,
}

/// What the last listing said. Asking again for each sample would take a request.
static LISTED: LazyLock<Mutex<HashMap<PathBuf, Facts>>> = LazyLock::new(Mutex::default);

/// Remembers what a listing said, for files that hold samples; pictures are known by their manifest.
pub(super) fn learn(place: &Path, facts: Facts) {
    let holds = place.extension().and_then(|own| own.to_str()).map(str::to_ascii_lowercase);
    if holds.is_some_and(|own| ["tar", "parquet", "pq", "arrow"].contains(&own.as_str())) {
        LISTED.lock().unwrap_or_else(PoisonError::into_inner).insert(place.to_path_buf(), facts);
    }
}

/// What is known of the object at an address; the server is asked if it was not listed.
///
/// # Errors
/// When there is none, or the server refuses or cannot be reached.
pub(crate) fn facts(address: &Path) -> io::Result<Facts> {
    let known = LISTED.lock().unwrap_or_else(PoisonError::into_inner).get(address).copied();
    if let Some(facts) = known {
        return Ok(facts);
    }
    let (bucket, key) = parts(address)?;
    let facts = bucket.look_at(key)?;
    learn(address, facts);
    Ok(facts)
}

/// The bucket of an address, and the whole key in it.
fn parts(address: &Path) -> io::Result<(&'static Bucket, &str)> {
    let text = address.to_str().ok_or_else(|| invalid("the address is not valid UTF-8"))?;
    let scheme = SCHEMES.iter().find(|scheme| text.starts_with(**scheme)).map_or(0, |scheme| scheme.len());
    let slash = text[scheme..].find('/').map(|slash| scheme + slash);
    let (bucket, key) = slash.map_or((text, ""), |slash| (&text[..slash], &text[slash + 1..]));
    Ok((Bucket::of(Path::new(bucket))?, key))
}

/// An object of a known size.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    address: PathBuf,
    pub(crate) facts: Facts,
}

impl Remote {
    /// The object at an address.
    ///
    /// # Errors
    /// When there is none, or the server refuses or cannot be reached.
    pub(crate) fn open(address: &Path) -> io::Result<Remote> {
        debug_assert!(is_address(address));
        Ok(Remote { address: address.to_path_buf(), facts: facts(address)? })
    }

    pub(crate) fn address(&self) -> &Path {
        &self.address
    }

    /// Some of its bytes, in one request.
    ///
    /// # Errors
    /// When it is gone, has another size by now, or the server refuses or cannot be reached.
    pub(crate) fn fetch(&self, range: Range<u64>) -> io::Result<Vec<u8>> {
        let (bucket, key) = parts(&self.address)?;
        bucket.read_range(key, range, self.facts.size)
    }
}

/// One try to read a range; with an error, whether another one may help.
pub(super) fn range(
    bucket: &Bucket,
    url: &str,
    range: &Range<u64>,
    size: u64,
) -> Result<Vec<u8>, (bool, io::Error)> {
    let header = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
    let response = bucket.agent.get(url).header("Range", header).call();
    let response = response.map_err(|error| (true, bucket.unreachable(&error)))?;
    let other = || (false, io::Error::other("it has another size than when it was listed; scan again"));
    // A range beyond the end: the object has become shorter.
    if response.status() == 416 {
        return Err(other());
    }
    if !response.status().is_success() {
        return Err(bucket.refusal(response));
    }
    let said = response.headers().get("Content-Range").and_then(|value| value.to_str().ok());
    let total = said.and_then(|value| value.rsplit('/').next()).and_then(|total| total.parse::<u64>().ok());
    if total.is_some_and(|total| total != size) {
        return Err(other());
    }
    // A server that does not know ranges sends everything.
    let skip = if response.status() == 206 { 0 } else { range.start };
    let wanted = range.end - range.start;
    let body = response.into_body().into_with_config().limit(skip.saturating_add(wanted).saturating_add(1));
    let mut reader = body.reader();
    let read =
        |error: io::Error| (true, io::Error::new(error.kind(), format!("the connection broke off: {error}")));
    io::copy(&mut io::Read::take(&mut reader, skip), &mut io::sink()).map_err(read)?;
    let mut bytes = Vec::with_capacity(wanted.min(1 << 24) as usize);
    io::Read::read_to_end(&mut io::Read::take(&mut reader, wanted), &mut bytes).map_err(read)?;
    match bytes.len() as u64 == wanted {
        true => Ok(bytes),
        false => Err((
            true,
            io::Error::new(io::ErrorKind::UnexpectedEof, "the server sent less than it was asked for"),
        )),
    }
}
