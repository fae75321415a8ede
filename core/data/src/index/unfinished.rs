//! The progress of an unfinished reading, so that an interrupted one does not start over.
//!
//! An append-only file of frames, each with its length and checksum and synced before reading on; anything after the
//! last complete frame is truncated. It is deleted once the file metadata is saved.

use super::row::Row;
use crate::remarks;
use crate::{Error, Result};
use bytemuck::{Pod, Zeroable};
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::mapped;
use chaffinch_plugin::Dimensions;
use chaffinch_sources::Stamp;
use memmap2::Mmap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Rows between two frames.
const FRAME_ROWS: usize = 4096;
/// What is read slowly, such as objects of a bucket, is kept after this time.
const FRAME_TIME: Duration = Duration::from_secs(1);
const HEAD: usize = 40;
/// A frame's length and checksum.
const FRAME_HEAD: usize = 40;

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
pub(super) struct Unfinished {
    path: PathBuf,
    head: [u8; HEAD],
    file: Option<File>,
    frame: Vec<u8>,
    rows: usize,
    flushed: Instant,
}

impl Unfinished {
    /// Opens the progress of an earlier reading. `identity` identifies the dataset and the measurers, `record` is the
    /// total length of the records.
    pub(super) fn open(path: &Path, identity: &[u8; 32], record: usize) -> Result<(Unfinished, Recovered)> {
        let mut head = [0; HEAD];
        head[..8].copy_from_slice(b"chfread2");
        head[8..].copy_from_slice(identity);
        let mut unfinished = Unfinished {
            path: path.to_owned(),
            head,
            file: None,
            frame: Vec::new(),
            rows: 0,
            flushed: Instant::now(),
        };
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok((unfinished, Recovered::default()));
            }
            Err(error) => return Err(Error::io("read", path)(error)),
            Ok(file) if file.len() < HEAD as u64 => return Ok((unfinished, Recovered::default())),
            Ok(_) => {}
        }
        let map = mapped::read(path)?;
        if map[..HEAD] != head {
            return Ok((unfinished, Recovered::default()));
        }
        let (places, end) = places(&map, record);
        let file = OpenOptions::new().append(true).open(path).map_err(Error::io("open", path))?;
        file.set_len(end as u64).map_err(Error::io("write", path))?;
        unfinished.file = Some(file);
        Ok((unfinished, Recovered { map: Some(map), places, record }))
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
        self.frame.extend_from_slice(bytemuck::bytes_of(&entry));
        self.frame.extend_from_slice(trouble.as_bytes());
        self.frame.extend_from_slice(remarks.as_bytes());
        self.frame.extend_from_slice(measures);
        self.rows += 1;
        let due = self.rows >= FRAME_ROWS || self.flushed.elapsed() >= FRAME_TIME;
        if due { self.flush() } else { Ok(()) }
    }

    /// Syncs all rows to disk.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.flushed = Instant::now();
        if self.frame.is_empty() {
            return Ok(());
        }
        let write =
            |file: &mut File, bytes: &[u8]| file.write_all(bytes).map_err(Error::io("write", &self.path));
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                let mut file = File::create(&self.path).map_err(Error::io("create", &self.path))?;
                write(&mut file, &self.head)?;
                file
            }
        };
        let mut frame = Vec::with_capacity(FRAME_HEAD + self.frame.len());
        frame.extend_from_slice(&(self.frame.len() as u64).to_le_bytes());
        frame.extend_from_slice(blake3::hash(&self.frame).as_bytes());
        frame.append(&mut self.frame);
        write(&mut file, &frame)?;
        file.sync_data().map_err(Error::io("sync", &self.path))?;
        self.rows = 0;
        self.file = Some(file);
        Ok(())
    }
}

/// Deletes an unfinished reading, if there is one.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// The rows of an earlier reading.
#[derive(Default)]
pub(super) struct Recovered {
    map: Option<Mmap>,
    /// Keys and where their rows are, sorted.
    places: Vec<([u8; 16], u64)>,
    record: usize,
}

impl Recovered {
    /// The row of a file that has not changed since, and its records.
    pub(super) fn row(&self, path: &Path, stamp: Stamp) -> Option<(Row, &[u8])> {
        let map = self.map.as_deref()?;
        let key = key(path);
        let index = self.places.partition_point(|(known, _)| *known <= key).checked_sub(1)?;
        let (known, at) = self.places[index];
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

fn key(path: &Path) -> [u8; 16] {
    let hash = blake3::hash(path.as_os_str().as_encoded_bytes());
    std::array::from_fn(|byte| hash.as_bytes()[byte])
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

/// The offsets of all rows, sorted by key and then by offset, and the end of the last complete frame.
fn places(bytes: &[u8], record: usize) -> (Vec<([u8; 16], u64)>, usize) {
    let (mut places, mut end) = (Vec::new(), HEAD);
    while let Some(head) = bytes.get(end..end + FRAME_HEAD) {
        let length = head[..8].try_into().map(u64::from_le_bytes).unwrap_or(u64::MAX);
        let start = end + FRAME_HEAD;
        let stop = usize::try_from(length).ok().and_then(|length| start.checked_add(length));
        let Some((stop, frame)) = stop.and_then(|stop| Some((stop, bytes.get(start..stop)?))) else { break };
        if blake3::hash(frame).as_bytes() != &head[8..] {
            break;
        }
        let mut at = start;
        while let Some(found) = entry(&bytes[..stop], at, record) {
            places.push((found.entry.path, at as u64));
            at += size_of::<Entry>() + found.trouble.len() + found.remarks.len() + record;
        }
        end = stop;
    }
    places.sort_unstable();
    (places, end)
}
