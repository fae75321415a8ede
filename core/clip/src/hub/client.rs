//! Requests to the hub: bounded in time, redirects and size. Nothing that it answers is trusted before it is checked.

use super::place::Place;
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use ureq::Agent;
use ureq::http::header::{AUTHORIZATION, CONTENT_RANGE, ETAG, LOCATION, RANGE};
use ureq::http::{HeaderMap, Response, Uri};

/// Redirects per request. The hub uses one, to the store of large files.
const REDIRECTS: usize = 5;

/// Largest answer about a model.
const LARGEST_ANSWER: u64 = 16 << 20;

/// Transfers of one file that may break before it is given up, each after it has brought something.
const BREAKS: usize = 4;

/// A transfer must bring this many bytes per [`WINDOW`], so that a trickle does not take for ever.
const LEAST: u64 = 16 << 10;
const WINDOW: Duration = Duration::from_secs(60);

/// Why a request failed.
#[derive(Debug)]
pub(super) enum RequestError {
    /// The hub answered with another status than success; with its own code for the reason, if it sent one.
    Status(u16, String),
    /// It could not be reached, was too slow, or sent something invalid: a sentence without a period.
    Failed(String),
    /// A file in the cache could not be written.
    Write(PathBuf, std::io::Error),
}

type Result<T> = std::result::Result<T, RequestError>;

fn failed<T>(reason: impl Into<String>) -> Result<T> {
    Err(RequestError::Failed(reason.into()))
}

/// What is known about a file before it is downloaded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'a> {
    /// Its SHA-256 in lower-case hexadecimal.
    pub(super) sha256: Option<&'a str>,
    /// Bytes.
    pub(super) size: Option<u64>,
    /// At most so many bytes, whatever the hub says.
    pub(super) limit: u64,
}

/// A client for one hub.
pub(super) struct Client<'a> {
    agent: Agent,
    place: &'a Place,
}

impl<'a> Client<'a> {
    pub(super) fn new(place: &'a Place) -> Client<'a> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // Followed here, so that each step can be checked.
            .max_redirects(0)
            .timeout_resolve(Some(place.answer_limit))
            .timeout_connect(Some(place.answer_limit))
            .timeout_send_request(Some(place.answer_limit))
            .timeout_recv_response(Some(place.answer_limit))
            .timeout_per_read(Some(place.pause_limit))
            .user_agent(concat!("chaffinch/", env!("CARGO_PKG_VERSION")))
            .build();
        Client { agent: config.new_agent(), place }
    }

    /// An answer of the hub's interface as JSON; `path` begins with a slash.
    pub(super) fn json(&self, path: &str) -> Result<serde_json::Value> {
        let limit = self.place.answer_limit.saturating_mul(3);
        let (response, _) = self.get(&format!("{}{path}", self.place.endpoint), None, Some(limit))?;
        let (_, body) = response.into_parts();
        let read = body.into_with_config().limit(LARGEST_ANSWER).read_to_vec();
        let bytes = read.or_else(|error| failed(words(&error, limit)))?;
        serde_json::from_slice(&bytes).or_else(|error| failed(format!("it answered no valid JSON: {error}")))
    }

    /// The answer to a GET after redirects, and the headers of the hub itself, which redirects to a store that knows
    /// less. The token goes to the hub alone.
    fn get(
        &self,
        url: &str,
        from: Option<u64>,
        limit: Option<Duration>,
    ) -> Result<(Response<ureq::Body>, HeaderMap)> {
        let mut at: Uri = url.parse().or_else(|_| failed(format!("{url} is not an address")))?;
        let home = at.clone();
        let mut first: Option<HeaderMap> = None;
        for _ in 0..=REDIRECTS {
            let own = same_origin(&home, &at);
            let mut request = self.agent.get(at.clone());
            if let Some(token) = self.place.token.as_ref().filter(|_| own) {
                request = request.header(AUTHORIZATION, format!("Bearer {token}"));
            }
            if let Some(from) = from {
                request = request.header(RANGE, format!("bytes={from}-"));
            }
            let request = request.config().timeout_global(limit).build();
            let response = request.call().or_else(|error| failed(words(&error, self.place.answer_limit)))?;
            let status = response.status();
            if status.is_success() {
                let headers = first.unwrap_or_else(|| response.headers().clone());
                return Ok((response, headers));
            }
            if !status.is_redirection() {
                let code = response.headers().get("x-error-code").and_then(|code| code.to_str().ok());
                return Err(RequestError::Status(status.as_u16(), code.unwrap_or_default().to_owned()));
            }
            let next = response.headers().get(LOCATION).and_then(|place| place.to_str().ok());
            let Some(next) = next.and_then(|next| resolved(&at, next)) else {
                return failed("it redirected to an invalid address");
            };
            if at.scheme_str() == Some("https") && next.scheme_str() != Some("https") {
                return failed("it redirected to an address without encryption");
            }
            // What the hub itself says about a file, not the address it has moved to, nor the store.
            let moved = same_origin(&home, &next);
            first = first.or_else(|| (!moved).then(|| response.headers().clone()));
            at = next;
        }
        failed(format!("it redirected more than {REDIRECTS} times"))
    }

    /// Downloads a file to `part`, going on where an earlier attempt stopped, and returns its checked identifier: the
    /// hub's entity tag, or else its SHA-256. `progress` gets the bytes so far and the total, 0 if unknown.
    pub(super) fn download(
        &self,
        url: &str,
        part: &Path,
        expected: Expected<'_>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<String> {
        let unwritten = |source| RequestError::Write(part.into(), source);
        let file = OpenOptions::new().read(true).append(true).create(true).open(part);
        let mut file = file.map_err(unwritten)?;
        lock(&file, part, self.place.pause_limit)?;
        let (mut hasher, mut done) = hashed(&mut file).map_err(unwritten)?;
        if expected.size.is_some_and(|size| done > size) {
            (hasher, done) = restart(&file).map_err(unwritten)?;
        }
        let mut breaks = 0;
        let tag = loop {
            let before = done;
            let mut transfer =
                Transfer { file: &mut file, hasher: &mut hasher, done: &mut done, expected, progress };
            match self.transfer(url, part, &mut transfer) {
                Ok(tag) => break tag,
                Err(RequestError::Failed(_)) if done > before && breaks < BREAKS => breaks += 1,
                // What is there is more than the hub has.
                Err(RequestError::Status(416, _)) if before > 0 && breaks < BREAKS => {
                    (hasher, done) = restart(&file).map_err(unwritten)?;
                    breaks = BREAKS;
                }
                Err(error) => return Err(error),
            }
        };
        file.sync_all().map_err(unwritten)?;
        let sha256 = hexadecimal(&hasher.finalize());
        let claimed = expected.sha256.map(str::to_owned).or_else(|| tag.clone().filter(|tag| is_sha256(tag)));
        if let Some(claimed) = claimed.filter(|claimed| *claimed != sha256) {
            let _ = std::fs::remove_file(part);
            return failed(format!(
                "its contents are damaged: their SHA-256 is {}…, the hub says {}…; nothing was kept",
                &sha256[..12],
                &claimed[..12]
            ));
        }
        Ok(tag.unwrap_or(sha256))
    }

    /// One attempt; returns the entity tag.
    fn transfer(&self, url: &str, part: &Path, transfer: &mut Transfer) -> Result<Option<String>> {
        let from = *transfer.done;
        let (response, headers) = self.get(url, (from > 0).then_some(from), None)?;
        let tag = tag(&headers)?;
        let whole = size(&response, &headers).or(transfer.expected.size);
        if let (Some(size), Some(expected)) = (whole, transfer.expected.size)
            && size != expected
        {
            return failed(format!("it sends {size} bytes for a file of {expected}"));
        }
        if response.status().as_u16() == 206 && range(response.headers()).is_none() {
            return failed("it sent a part of the file without saying which");
        }
        // Without a range in the answer, it begins at the beginning.
        let start = range(response.headers()).map_or(0, |(start, _)| start);
        if start != from {
            if start != 0 {
                return failed("it sent another part of the file than was asked for");
            }
            (*transfer.hasher, *transfer.done) =
                restart(transfer.file).map_err(|source| RequestError::Write(part.into(), source))?;
        }
        let (_, body) = response.into_parts();
        let mut reader = body.into_reader();
        let mut buffer = vec![0; 1 << 18];
        let (mut window, mut in_window) = (Instant::now(), 0);
        (transfer.progress)(*transfer.done, whole.unwrap_or(0));
        loop {
            let read = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return failed(broken(error, self.place.pause_limit)),
            };
            *transfer.done += read as u64;
            in_window += read as u64;
            if *transfer.done > transfer.expected.limit {
                return failed(format!(
                    "it is larger than {} bytes, which such a file never is",
                    transfer.expected.limit
                ));
            }
            if whole.is_some_and(|whole| *transfer.done > whole) {
                return failed("it sent more than the size of the file");
            }
            let written = transfer.file.write_all(&buffer[..read]);
            written.map_err(|source| RequestError::Write(part.into(), source))?;
            transfer.hasher.update(&buffer[..read]);
            (transfer.progress)(*transfer.done, whole.unwrap_or(0));
            if window.elapsed() > WINDOW {
                if in_window < LEAST {
                    return failed("the download is too slow to ever finish");
                }
                (window, in_window) = (Instant::now(), 0);
            }
        }
        match whole {
            Some(whole) if *transfer.done != whole => {
                failed(format!("the connection was lost after {} of {whole} bytes", *transfer.done))
            }
            _ => Ok(tag),
        }
    }
}

/// A file being downloaded.
struct Transfer<'a> {
    file: &'a mut File,
    /// Of what is in the file.
    hasher: &'a mut Sha256,
    /// Bytes in the file.
    done: &'a mut u64,
    expected: Expected<'a>,
    progress: &'a mut dyn FnMut(u64, u64),
}

/// Waits for another program that downloads the same, as long as that gets on.
fn lock(file: &File, part: &Path, limit: Duration) -> Result<()> {
    let mut size = 0;
    let mut moved = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(std::fs::TryLockError::WouldBlock) => {}
            // Some network file systems have no locks.
            Err(std::fs::TryLockError::Error(_)) => return Ok(()),
        }
        let now = file.metadata().map_or(size, |metadata| metadata.len());
        if now != size {
            (size, moved) = (now, Instant::now());
        }
        if moved.elapsed() > limit {
            return failed(format!(
                "another program is downloading it to {} and has stopped",
                part.display()
            ));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Digest and length of what is there.
fn hashed(file: &mut File) -> std::io::Result<(Sha256, u64)> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    let mut done = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((hasher, done)),
            read => {
                hasher.update(&buffer[..read]);
                done += read as u64;
            }
        }
    }
}

/// Empties the file.
fn restart(file: &File) -> std::io::Result<(Sha256, u64)> {
    file.set_len(0)?;
    Ok((Sha256::new(), 0))
}

/// The identifier that the hub gives a file: of its contents in the store of large files, if it is there.
fn tag(headers: &HeaderMap) -> Result<Option<String>> {
    let Some(tag) = headers.get("x-linked-etag").or_else(|| headers.get(ETAG)) else { return Ok(None) };
    let text = tag.to_str().unwrap_or_default().trim_start_matches("W/").trim_matches('"');
    if !is_plain(text) {
        return failed(format!("it sent an invalid entity tag: {tag:?}"));
    }
    Ok(Some(text.to_owned()))
}

/// Whether it is safe as a file's name.
pub(super) fn is_plain(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=128).contains(&text.len()) && text.bytes().all(allowed)
}

/// Whether it is a digest in hexadecimal.
pub(super) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Bytes of the whole file.
fn size(response: &Response<ureq::Body>, headers: &HeaderMap) -> Option<u64> {
    let linked = headers.get("x-linked-size").and_then(|size| size.to_str().ok()?.parse().ok());
    let ranged = || range(response.headers()).map(|(_, whole)| whole);
    let length =
        || response.headers().get("content-length").and_then(|size| size.to_str().ok()?.parse().ok());
    linked.or_else(ranged).or_else(length)
}

/// Start of the part that was sent, and bytes of the whole.
fn range(headers: &HeaderMap) -> Option<(u64, u64)> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    let (part, whole) = text.split_once('/')?;
    Some((part.split_once('-')?.0.parse().ok()?, whole.parse().ok()?))
}

fn same_origin(a: &Uri, b: &Uri) -> bool {
    a.scheme_str() == b.scheme_str() && a.authority() == b.authority()
}

/// The address that a redirect leads to; `None` if it is not a web address.
fn resolved(at: &Uri, next: &str) -> Option<Uri> {
    let (scheme, authority) = (at.scheme_str()?, at.authority()?);
    let whole = match next {
        _ if next.starts_with("//") => format!("{scheme}:{next}"),
        _ if next.starts_with('/') => format!("{scheme}://{authority}{next}"),
        _ => next.to_owned(),
    };
    let uri: Uri = whole.parse().ok()?;
    (matches!(uri.scheme_str(), Some("http" | "https")) && uri.authority().is_some()).then_some(uri)
}

/// A client's error in words.
fn words(error: &ureq::Error, limit: Duration) -> String {
    match error {
        ureq::Error::Timeout(which) => format!("no answer within {} s ({which})", limit.as_secs()),
        ureq::Error::HostNotFound => "its host is unknown".into(),
        ureq::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}

/// A reader's error in words.
fn broken(error: std::io::Error, limit: Duration) -> String {
    // The client's own errors travel inside those of readers.
    match ureq::Error::from(error) {
        ureq::Error::Timeout(_) => format!("the transfer stopped for {} s", limit.as_secs()),
        ureq::Error::Io(error) => format!("the connection was lost ({error})"),
        other => format!("the connection was lost ({other})"),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
