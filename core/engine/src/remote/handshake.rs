//! What a terminal and an engine tell each other before anything else: which version of the protocol they speak.

use super::{read_message, write_message};
use crate::Error;
use chaffinch_protocol::PROTOCOL_VERSION;
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long the other side may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest greeting; anything longer is none.
const LONGEST: u64 = 1024;

/// Either side's first message.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hello {
    chaffinch: u32,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Refused {
    /// The other side speaks this version, or one that has no greeting.
    Version(Option<u32>),
    /// It does not answer.
    Silent(io::Error),
}

impl Refused {
    /// For people.
    pub(super) fn into_error(self, path: &Path) -> Error {
        match self {
            Refused::Silent(error) => Error::io("connect to", path)(error),
            Refused::Version(theirs) => {
                let theirs = theirs.map_or_else(|| "an older one".to_owned(), |theirs| theirs.to_string());
                Error::Invalid(format!(
                    "this session is open in another version of Chaffinch (its protocol is {theirs}, this program's is \
                     {PROTOCOL_VERSION}); quit it there first"
                ))
            }
        }
    }
}

/// A terminal's side.
pub(super) fn offer(stream: &UnixStream) -> Result<(), Refused> {
    offer_version(&mut &*stream, PROTOCOL_VERSION).map_err(Refused::Silent)?;
    answer(stream)
}

/// Says which version a terminal speaks.
pub(super) fn offer_version(out: &mut impl Write, version: u32) -> io::Result<()> {
    write_message(out, &Hello { chaffinch: version }, &[])
}

/// Reads which version an engine speaks.
pub(super) fn answer(stream: &UnixStream) -> Result<(), Refused> {
    match read_hello(stream) {
        Ok(Some(PROTOCOL_VERSION)) => Ok(()),
        Ok(theirs) => Err(Refused::Version(theirs)),
        Err(error) => Err(Refused::Silent(error)),
    }
}

/// An engine's side. A terminal that speaks another version is told so.
pub(super) fn accept(stream: &UnixStream) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let theirs = read_hello(stream)?;
    if theirs.is_some() {
        write_message(&mut &*stream, &Hello { chaffinch: PROTOCOL_VERSION }, &[])?;
    }
    stream.set_write_timeout(None)?;
    match theirs {
        Some(PROTOCOL_VERSION) => Ok(()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// The version in a greeting; `None` if the message is none.
fn read_hello(stream: &UnixStream) -> io::Result<Option<u32>> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let hello = read_message::<Hello>(&mut stream.take(LONGEST));
    stream.set_read_timeout(None)?;
    match hello {
        Ok((hello, _)) => Ok(Some(hello.chaffinch)),
        // Closed, or too slow.
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            Err(error)
        }
        Err(_) => Ok(None),
    }
}
