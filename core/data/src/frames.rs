//! Progress that survives the end of the program at any moment.
//!
//! An append-only file of frames, each with its length and checksum and synced before going on; anything after the last
//! complete frame is truncated. It is deleted once what it is about is saved elsewhere.

use crate::{Error, Result};
use chaffinch_compute::mapped;
use memmap2::Mmap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Entries between two frames.
const FRAME_ENTRIES: usize = 4096;
/// What is read slowly, such as objects of a bucket, is kept after this time.
const FRAME_TIME: Duration = Duration::from_secs(1);
const HEAD: usize = 40;
/// A frame's length and checksum.
const FRAME_HEAD: usize = 40;

/// The file of something in progress.
pub(crate) struct Frames {
    path: PathBuf,
    head: [u8; HEAD],
    file: Option<File>,
    frame: Vec<u8>,
    entries: usize,
    flushed: Instant,
}

/// What an earlier run wrote: the file's bytes, and the complete frames in them.
pub(crate) type Earlier = Option<(Mmap, Vec<Range<usize>>)>;

impl Frames {
    /// Opens the progress of an earlier run. `kind` is the format of the entries; a file of another kind or identity is
    /// replaced with the first frame.
    pub(crate) fn open(path: &Path, kind: [u8; 8], identity: &[u8; 32]) -> Result<(Frames, Earlier)> {
        let mut frames = Frames {
            path: path.to_owned(),
            head: head(kind, identity),
            file: None,
            frame: Vec::new(),
            entries: 0,
            flushed: Instant::now(),
        };
        let Some((map, complete)) = Frames::look(path, kind, identity)? else { return Ok((frames, None)) };
        let end = complete.last().map_or(HEAD, |frame| frame.end);
        let file = OpenOptions::new().append(true).open(path).map_err(Error::io("open", path))?;
        file.set_len(end as u64).map_err(Error::io("write", path))?;
        frames.file = Some(file);
        Ok((frames, Some((map, complete))))
    }

    /// What an earlier run wrote, without a change to it; `None` if there is nothing of this kind and identity.
    pub(crate) fn look(path: &Path, kind: [u8; 8], identity: &[u8; 32]) -> Result<Earlier> {
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", path)(error)),
            Ok(file) if file.len() < HEAD as u64 => return Ok(None),
            Ok(_) => {}
        }
        let map = mapped::read(path)?;
        if map[..HEAD] != head(kind, identity) {
            return Ok(None);
        }
        let complete = complete(&map);
        Ok(Some((map, complete)))
    }

    /// Appends an entry; it reaches the disk with its frame.
    pub(crate) fn push(&mut self, parts: &[&[u8]]) -> Result<()> {
        self.add(parts);
        if self.is_due() { self.flush() } else { Ok(()) }
    }

    /// Appends an entry; it reaches the disk with the next [`Frames::flush`].
    pub(crate) fn add(&mut self, parts: &[&[u8]]) {
        parts.iter().for_each(|part| self.frame.extend_from_slice(part));
        self.entries += 1;
    }

    /// Whether it is time for a frame.
    pub(crate) fn is_due(&self) -> bool {
        self.entries >= FRAME_ENTRIES || self.entries > 0 && self.flushed.elapsed() >= FRAME_TIME
    }

    /// Forgets everything, and deletes the file.
    pub(crate) fn clear(&mut self) -> Result<()> {
        self.frame.clear();
        self.entries = 0;
        self.file = None;
        remove(&self.path)
    }

    /// Syncs all entries to disk.
    pub(crate) fn flush(&mut self) -> Result<()> {
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
        self.entries = 0;
        self.file = Some(file);
        Ok(())
    }
}

/// The first bytes of a file.
fn head(kind: [u8; 8], identity: &[u8; 32]) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(&kind);
    head[8..].copy_from_slice(identity);
    head
}

/// Where the complete frames are, without their heads.
fn complete(bytes: &[u8]) -> Vec<Range<usize>> {
    let (mut frames, mut end) = (Vec::new(), HEAD);
    while let Some(head) = bytes.get(end..end + FRAME_HEAD) {
        let length = head[..8].try_into().map(u64::from_le_bytes).unwrap_or(u64::MAX);
        let start = end + FRAME_HEAD;
        let stop = usize::try_from(length).ok().and_then(|length| start.checked_add(length));
        let Some((stop, frame)) = stop.and_then(|stop| Some((stop, bytes.get(start..stop)?))) else { break };
        if blake3::hash(frame).as_bytes() != &head[8..] {
            break;
        }
        frames.push(start..stop);
        end = stop;
    }
    frames
}

/// Deletes progress, if there is any.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// What stands for a path in an entry.
pub(crate) fn key(path: &Path) -> [u8; 16] {
    let hash = blake3::hash(path.as_os_str().as_encoded_bytes());
    std::array::from_fn(|byte| hash.as_bytes()[byte])
}
