//! Reads one file.

use crate::faults::{self, because};
use crate::groups::MAX_FILE_BYTES;
use crate::pictures;
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::image::decode::{DecodeError, Decoded, Depths, Remark, Rendering, decode_on};
use chaffinch_compute::image::phash;
use chaffinch_plugin::Dimensions;
use chaffinch_sources::{Kind, Source, Stamp};
use std::io;

/// One sample's row of the file metadata.
pub(super) struct Row {
    pub(super) hash: ContentHash,
    pub(super) dimensions: Dimensions,
    pub(super) modified: i64,
    pub(super) phash: u64,
    pub(super) dhash: u64,
    pub(super) trouble: Option<String>,
    pub(super) remarks: Vec<Remark>,
    /// Whether the row is unchanged.
    pub(super) unchanged: bool,
}

impl Row {
    /// Reads and decodes a sample. Known data is kept if the content is unchanged.
    pub(super) fn read(
        source: &Source<'_>,
        rendering: Rendering,
        stamp: Stamp,
        known: Option<Row>,
    ) -> (Row, Option<Decoded>) {
        let (size, modified) = (stamp.bytes.unwrap_or_default(), stamp.modified);
        // A pipe or a device may never end.
        let refused = match stamp.kind {
            Kind::Bytes => None,
            Kind::Folder => Some(faults::FOLDER),
            Kind::Special => Some(faults::SPECIAL),
        };
        if let Some(what) = refused {
            return (Row::failed(0, modified, what.into()), None);
        }
        // Of what is too large, no more than a part is in memory.
        let room = if stamp.is_too_large() { Ok(None) } else { pictures::room(stamp.bytes) };
        match room.and_then(|room| Ok((room, bytes_of(source, stamp)?))) {
            Ok((_room, (bytes, hash))) => {
                let size = if stamp.is_too_large() { size } else { bytes.len() as u64 };
                Row::of(&bytes, rendering, Row { hash, ..Row::failed(size, modified, String::new()) }, known)
            }
            Err(error) => (Row::failed(size, modified, because(&error)), None),
        }
    }

    fn of(bytes: &[u8], rendering: Rendering, mut row: Row, known: Option<Row>) -> (Row, Option<Decoded>) {
        if let Some(known) = known.filter(|known| known.hash == row.hash) {
            return match decode_on(bytes, rendering) {
                Err(error) if error.is_too_large() => (Row::without_room(&row, &error), None),
                decoded => (known, decoded.ok()),
            };
        }
        if row.dimensions.bytes > MAX_FILE_BYTES {
            row.trouble = Some("the file is larger than a picture may be (1 GiB)".into());
            return (row, None);
        }
        match decode_on(bytes, rendering) {
            Ok(mut decoded) => {
                row.remarks = std::mem::take(&mut decoded.remarks);
                (row.dimensions.width, row.dimensions.height) = decoded.image.dimensions();
                (row.phash, row.dhash) = phash::hashes(&decoded.image);
                row.trouble = None;
                (row, Some(decoded))
            }
            Err(error) if error.is_too_large() => (Row::without_room(&row, &error), None),
            Err(error) => {
                row.remarks = error.remark().into_iter().collect();
                row.trouble = Some(error.to_string());
                (row, None)
            }
        }
    }

    /// The row of a file that the memory budget has no room for: as of one that could not be read, so that it is read again.
    fn without_room(row: &Row, error: &DecodeError) -> Row {
        Row::failed(row.dimensions.bytes, row.modified, faults::without_room(error))
    }

    /// Whether the picture is shown as it should be among these depths.
    pub(super) fn fits(&self, depths: Depths) -> bool {
        self.remarks.iter().all(|remark| match remark {
            Remark::Deep { bits, range } => depths.range(*bits) == *range,
            _ => true,
        })
    }

    /// The row of an unreadable file.
    pub(super) fn failed(bytes: u64, modified: i64, reason: String) -> Row {
        Row {
            hash: ContentHash::default(),
            dimensions: Dimensions { width: 0, height: 0, bytes },
            modified,
            phash: 0,
            dhash: 0,
            trouble: Some(reason),
            remarks: Vec::new(),
            unchanged: false,
        }
    }
}

/// The bytes and their hash; no bytes for a file that is too large to decode.
fn bytes_of(source: &Source<'_>, stamp: Stamp) -> io::Result<(Vec<u8>, ContentHash)> {
    if stamp.is_too_large() {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(source.open()?)?;
        return Ok((Vec::new(), ContentHash(*hasher.finalize().as_bytes())));
    }
    let bytes = source.read()?;
    let hash = ContentHash::of(&bytes);
    Ok((bytes, hash))
}
