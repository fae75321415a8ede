//! What is known of a sample without reading it.

use crate::MAX_BYTES;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// What is known of a sample without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// How many bytes it has, if that is known.
    pub bytes: Option<u64>,
    /// When it, or what holds it, was changed, in nanoseconds since 1970.
    pub modified: i64,
    /// Whether it is something that can be read to its end: a folder, a pipe or a device is not.
    pub kind: Kind,
}

/// What is at a sample's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Bytes that can be read.
    Bytes,
    /// A folder.
    Folder,
    /// A pipe, a socket or a device, which may never end.
    Special,
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Stamp {
        let kind = match (metadata.is_file(), metadata.is_dir()) {
            (true, _) => Kind::Bytes,
            (_, true) => Kind::Folder,
            _ => Kind::Special,
        };
        Stamp { bytes: Some(metadata.len()), modified: modified(metadata), kind }
    }

    /// Whether a sample of this size and time is unchanged, as far as that can be told without reading it.
    pub fn is_same(&self, bytes: u64, modified: i64) -> bool {
        self.modified == modified && self.bytes.is_none_or(|own| own == bytes)
    }

    /// Whether it is too large to be read as a whole.
    pub fn is_too_large(&self) -> bool {
        self.bytes.is_some_and(|bytes| bytes > MAX_BYTES)
    }
}

/// When a file was changed, in nanoseconds since 1970.
pub(crate) fn modified(metadata: &Metadata) -> i64 {
    metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec())
}
