//! A file that is read in parts, on a disk or in a bucket.

use crate::bucket::{Remote, is_address};
use crate::{blocks, handles};
use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// The smallest part that is read of a file on a disk, and the largest.
const DISK: (usize, usize) = (1 << 10, 1 << 18);
/// The same of an object. A reader that goes on where it is asks for more and more, one that skips for little.
const NETWORK: (usize, usize) = (1 << 17, 1 << 23);
/// The heads of pages are usually shorter.
const PAGE_HEAD: usize = 512;
/// What is larger is read by itself and not kept in blocks.
const LARGE: u64 = blocks::BLOCK;

/// A file that is read in parts, on a disk or in a bucket.
#[derive(Debug, Clone)]
pub struct Blob(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Disk(Arc<File>, u64),
    Bucket(Arc<Remote>),
}

impl Blob {
    /// Opens the file at a path, or the object at an address.
    ///
    /// # Errors
    /// When there is none, it cannot be opened, or the server refuses or cannot be reached.
    pub fn open(path: &Path) -> io::Result<Blob> {
        if is_address(path) {
            return Ok(Blob(Kind::Bucket(Arc::new(Remote::open(path)?))));
        }
        // Opening a pipe would wait forever.
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is not an ordinary file"));
        }
        let file = handles::open(path)?;
        let size = file.metadata()?.len();
        Ok(Blob(Kind::Disk(file, size)))
    }

    /// An object that was listed.
    pub(crate) fn of_object(object: Remote) -> Blob {
        Blob(Kind::Bucket(Arc::new(object)))
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        match &self.0 {
            Kind::Disk(_, size) => *size,
            Kind::Bucket(object) => object.facts.size,
        }
    }

    /// When an object was changed, in nanoseconds since 1970; `None` of a file on a disk.
    pub fn listed(&self) -> Option<i64> {
        match &self.0 {
            Kind::Disk(..) => None,
            Kind::Bucket(object) => Some(object.facts.modified),
        }
    }

    /// `length` bytes from `start` on.
    ///
    /// # Errors
    /// When there are fewer, or they cannot be read.
    pub fn bytes(&self, start: u64, length: u64) -> io::Result<Vec<u8>> {
        let end = start.checked_add(length).filter(|end| *end <= self.size());
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        match &self.0 {
            Kind::Bucket(object) if length >= LARGE => object.fetch(start..end),
            Kind::Bucket(object) => {
                let mut bytes = vec![0; length as usize];
                blocks::read(object, start, &mut bytes)?;
                Ok(bytes)
            }
            Kind::Disk(file, _) => {
                let mut bytes = vec![0; length as usize];
                file.read_exact_at(&mut bytes, start)?;
                Ok(bytes)
            }
        }
    }

    /// Reads it from `start` on.
    pub fn reader(&self, start: u64) -> BlobReader {
        BlobReader { blob: self.clone(), at: start, buffer: Vec::new(), from: 0, next: 0 }
    }

    fn parts(&self) -> (usize, usize) {
        match &self.0 {
            Kind::Disk(..) => DISK,
            Kind::Bucket(_) => NETWORK,
        }
    }
}

/// Reads a [`Blob`] in parts that grow while it is read on, and are small after a jump.
#[derive(Debug)]
pub struct BlobReader {
    blob: Blob,
    at: u64,
    buffer: Vec<u8>,
    /// Where the buffer starts.
    from: u64,
    /// How large the next part is; 0 at first.
    next: usize,
}

impl Read for BlobReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let end = self.from + self.buffer.len() as u64;
        if !(self.from..end).contains(&self.at) {
            let (least, most) = self.blob.parts();
            let left = self.blob.size().saturating_sub(self.at);
            if left == 0 || into.is_empty() {
                return Ok(0);
            }
            // A short jump ahead is cheaper to read than to ask for.
            let goes_on = self.at >= end && self.at - end <= least as u64;
            self.next = if goes_on && self.next > 0 { (self.next * 2).min(most) } else { least };
            let length = (self.next.max(into.len().min(most)) as u64).min(left);
            self.buffer = match &self.blob.0 {
                // Blocks are for those who jump about.
                Kind::Bucket(object) => object.fetch(self.at..self.at + length)?,
                Kind::Disk(..) => self.blob.bytes(self.at, length)?,
            };
            self.from = self.at;
        }
        let inside = &self.buffer[(self.at - self.from) as usize..];
        let count = inside.len().min(into.len());
        into[..count].copy_from_slice(&inside[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for BlobReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => self.blob.size().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at =
            place.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a place before the start"))?;
        Ok(self.at)
    }
}

impl Length for Blob {
    fn len(&self) -> u64 {
        self.size()
    }
}

impl ChunkReader for Blob {
    type T = BufReader<Pages>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<BufReader<Pages>> {
        Ok(BufReader::with_capacity(PAGE_HEAD, Pages { blob: self.clone(), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let bytes = self.bytes(start, length as u64).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => ParquetError::EOF("it ends too early".into()),
            _ => ParquetError::External(Box::new(error)),
        })?;
        Ok(Bytes::from(bytes))
    }
}

/// Reads the heads of pages, which are short and lie between what is read as a whole.
#[derive(Debug)]
pub struct Pages {
    blob: Blob,
    at: u64,
}

impl Read for Pages {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // The end of a head is known only when it is read.
        let length = (into.len() as u64).min(self.blob.size().saturating_sub(self.at)).min(LARGE - 1);
        let bytes = self.blob.bytes(self.at, length)?;
        into[..bytes.len()].copy_from_slice(&bytes);
        self.at += length;
        Ok(bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_reads_what_is_there_from_anywhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let content: Vec<u8> = (0..300_000_u32).map(|at| (at * 7 % 251) as u8).collect();
        std::fs::write(&path, &content).unwrap();
        let blob = Blob::open(&path).unwrap();
        assert_eq!(blob.size(), 300_000);
        let mut all = Vec::new();
        blob.reader(0).read_to_end(&mut all).unwrap();
        assert!(all == content);
        let mut reader = blob.reader(0);
        for at in [299_999, 5, 1_500, 1_501, 290_000, 300_000, 400_000] {
            reader.seek(SeekFrom::Start(at as u64)).unwrap();
            let mut part = vec![0; 2_000];
            let mut read = 0;
            while let Ok(count @ 1..) = reader.read(&mut part[read..]) {
                read += count;
            }
            assert!(part[..read] == content[at.min(300_000)..(at + 2_000).min(300_000)], "{at}");
        }
        assert!(reader.seek(SeekFrom::Current(-500_000)).is_err());
        assert_eq!(blob.bytes(299_990, 11).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert!(blob.bytes(u64::MAX, 2).is_err());
        assert!(Blob::open(folder.path()).is_err());
    }
}
