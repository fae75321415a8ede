//! Samples as pictures, read and decoded within the memory budget.

use crate::Error;
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::image::decode::{DecodeError, Decoded, Rendering, decode_on};
use chaffinch_compute::memory::{self, Permit};
use chaffinch_sources::Source;
use std::path::Path;
use std::{fmt, io};

/// Files up to this size are read without asking for room: as many as there are threads are in memory at a time.
const SMALL: u64 = 1 << 20;

/// Why a sample is not a picture now.
#[derive(Debug)]
pub enum Unread {
    /// Its bytes could not be read.
    Io(io::Error),
    /// They could not be decoded.
    Decode(DecodeError),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unread::Io(error) => error.fmt(f),
            Unread::Decode(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Unread {}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Unread {
        Unread::Io(error)
    }
}

/// Reads and decodes a sample. Waits until the memory budget has room for it.
///
/// # Errors
/// When it cannot be read or decoded, or is too large for the budget.
pub fn decode(source: &Source<'_>, rendering: Rendering) -> Result<Decoded, Unread> {
    let _room = room(source.stamp()?.bytes)?;
    decode_on(&source.read()?, rendering).map_err(Unread::Decode)
}

/// The same of a sample that was indexed. Its bytes must be those: what is known of it is not about others.
///
/// # Errors
/// Also when its contents have changed since.
pub fn decode_known(source: &Source<'_>, rendering: Rendering, hash: ContentHash) -> Result<Decoded, Unread> {
    let _room = room(source.stamp()?.bytes)?;
    let bytes = source.read()?;
    if ContentHash::of(&bytes) != hash {
        return Err(io::Error::other(
            "its contents have changed since the dataset was scanned; scan again to see what is there now",
        )
        .into());
    }
    decode_on(&bytes, rendering).map_err(Unread::Decode)
}

/// Reads and decodes a file from outside the dataset.
///
/// # Errors
/// As [`decode`], with the file's path.
pub fn decode_file(path: &Path, rendering: Rendering) -> Result<Decoded, Error> {
    match decode(&Source::File(path.to_path_buf()), rendering) {
        Ok(decoded) => Ok(decoded),
        Err(Unread::Io(reason)) => Err(Error::io("read", path)(reason)),
        Err(Unread::Decode(reason)) => Err(Error::format(path, reason.to_string())),
    }
}

/// Waits for room for the bytes of a file.
///
/// # Errors
/// When the memory budget is too small for it.
pub(crate) fn room(bytes: Option<u64>) -> io::Result<Option<Permit>> {
    match bytes {
        Some(bytes) if bytes > SMALL => {
            memory::shares().files().admit(bytes).map(Some).map_err(io::Error::other)
        }
        _ => Ok(None),
    }
}
