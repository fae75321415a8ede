//! The progress of an unfinished reading, so that an interrupted one does not start over.

use super::row::Row;
use crate::frames::{self, Earlier, Frames, key};
use crate::remarks;
use crate::{Error, Result};
use bytemuck::{Pod, Zeroable};
use chaffinch_compute::content::ContentHash;
use chaffinch_plugin::Dimensions;
use chaffinch_sources::Stamp;
use memmap2::Mmap;
use std::path::{Path, PathBuf};

/// The format of the entries.
const KIND: [u8; 8] = *b"chfread2";

/// One file's row, followed by the reason why it is not a picture, the remarks as JSON, and its records.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Entry {
    path: [u8; 16],
    hash: [u8; 32],
    bytes: u64,
    modified: i64,
    phash: u64,
    dhash: u64,
    width: u32,
    height: u32,
    /// Length of the reason, 0 if the file is a picture.
    trouble: u32,
    readable: u32,
    /// Length of the remarks, 0 if there are none.
    remarks: u32,
    reserved: u32,
}

/// The file of a reading in progress.
pub(super) struct Unfinished(Frames);

impl Unfinished {
    /// Opens the progress of an earlier reading. `identity` identifies the dataset and the measurers, `record` is the
    /// total length of the records.
    pub(super) fn open(path: &Path, identity: &[u8; 32], record: usize) -> Result<(Unfinished, Recovered)> {
        let (frames, earlier) = Frames::open(path, KIND, identity)?;
        Ok((Unfinished(frames), Recovered::new(earlier, record)))
    }

    /// Appends a row; it reaches the disk with its frame.
    pub(super) fn push(&mut self, path: &Path, row: &Row, measures: &[u8]) -> Result<()> {
        let trouble = row.trouble.as_deref().unwrap_or_default();
        let remarks = remarks::write(&row.remarks);
        let entry = Entry {
            path: key(path),
            hash: row.hash.0,
            bytes: row.dimensions.bytes,
            modified: row.modified,
            phash: row.phash,
            dhash: row.dhash,
            width: row.dimensions.width,
            height: row.dimensions.height,
            trouble: trouble.len() as u32,
            readable: u32::from(row.trouble.is_none()),
            remarks: remarks.len() as u32,
            reserved: 0,
        };
        self.0.push(&[bytemuck::bytes_of(&entry), trouble.as_bytes(), remarks.as_bytes(), measures])
    }

    /// Syncs all rows to disk.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.0.flush()
    }
}

/// Deletes an unfinished reading, if there is one.
pub fn remove(path: &Path) -> Result<()> {
    frames::remove(path)
}

/// The rows of an earlier reading, and of shards that were read elsewhere.
#[derive(Default)]
pub(super) struct Recovered {
    files: Vec<Mmap>,
    /// Keys and where their rows are, by file and offset, sorted.
    places: Vec<([u8; 16], u32, u64)>,
    record: usize,
}

impl Recovered {
    fn new(earlier: Earlier, record: usize) -> Recovered {
        let mut recovered = Recovered { record, ..Recovered::default() };
        recovered.add(earlier);
        recovered.places.sort_unstable();
        recovered
    }

    /// Adds the rows that shards left in these files, each of the same `identity`.
    ///
    /// # Errors
    /// When a file cannot be read, or is of something else.
    pub(super) fn add_shards(&mut self, files: &[PathBuf], identity: &[u8; 32]) -> Result<()> {
        for path in files {
            let earlier = Frames::look(path, KIND, identity)?.ok_or_else(|| {
                let message = "this shard was not read to its end, or with other detectors or another version; scan it again";
                Error::format(path, message)
            })?;
            self.add(Some(earlier));
        }
        self.places.sort_unstable();
        Ok(())
    }

    fn add(&mut self, earlier: Earlier) {
        let Some((map, frames)) = earlier else { return };
        let file = self.files.len() as u32;
        for frame in frames {
            let mut at = frame.start;
            while let Some(found) = entry(&map[..frame.end], at, self.record) {
                self.places.push((found.entry.path, file, at as u64));
                at += size_of::<Entry>() + found.trouble.len() + found.remarks.len() + self.record;
            }
        }
        self.files.push(map);
    }

    /// The row of a file that has not changed since, and its records.
    pub(super) fn row(&self, path: &Path, stamp: Stamp) -> Option<(Row, &[u8])> {
        let key = key(path);
        let index = self.places.partition_point(|(known, ..)| *known <= key).checked_sub(1)?;
        let (known, file, at) = self.places[index];
        let map = self.files.get(file as usize)?;
        let Found { entry, trouble, remarks, measures } =
            entry(map, at as usize, self.record).filter(|_| known == key)?;
        if !stamp.is_same(entry.bytes, entry.modified) {
            return None;
        }
        let row = Row {
            hash: ContentHash(entry.hash),
            dimensions: Dimensions { width: entry.width, height: entry.height, bytes: entry.bytes },
            modified: stamp.modified,
            phash: entry.phash,
            dhash: entry.dhash,
            trouble: (entry.readable == 0).then(|| trouble.to_owned()),
            remarks: remarks::read(remarks),
            unchanged: true,
        };
        (row.hash != ContentHash::default()).then_some((row, measures))
    }
}

/// A row in the file, and what follows it.
struct Found<'a> {
    entry: Entry,
    trouble: &'a str,
    remarks: &'a str,
    measures: &'a [u8],
}

/// The row at an offset.
fn entry(bytes: &[u8], at: usize, record: usize) -> Option<Found<'_>> {
    let entry: Entry = bytemuck::try_pod_read_unaligned(bytes.get(at..at + size_of::<Entry>())?).ok()?;
    let trouble = at + size_of::<Entry>();
    let remarks = trouble + entry.trouble as usize;
    let measures = remarks + entry.remarks as usize;
    let text = |range| std::str::from_utf8(bytes.get(range)?).ok();
    Some(Found {
        entry,
        trouble: text(trouble..remarks)?,
        remarks: text(remarks..measures)?,
        measures: bytes.get(measures..measures.checked_add(record)?)?,
    })
}
