//! A file that is written from its beginning to its end: bytes, and ranges of other files.

use chaffinch_compute::content::ContentHasher;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

/// What is shorter waits until it is worth a call of the kernel.
const SHORT: usize = 1 << 16;
/// How much of a range is in memory at the same time if it is hashed.
const PIECE: u64 = 1 << 20;

/// The new file.
pub(super) struct Output<'o> {
    file: &'o mut File,
    /// What was written last and is not in the file yet.
    waiting: Vec<u8>,
    at: u64,
    hasher: Option<&'o mut ContentHasher>,
}

impl<'o> Output<'o> {
    pub(super) fn new(file: &'o mut File) -> Output<'o> {
        Output { file, waiting: Vec::new(), at: 0, hasher: None }
    }

    /// One that is hashed while it is written, so that it need not be read again.
    pub(super) fn hashed(file: &'o mut File, hasher: &'o mut ContentHasher) -> Output<'o> {
        Output { hasher: Some(hasher), ..Output::new(file) }
    }

    /// Bytes so far.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Copies a range of another file, within the kernel if no one has to see it.
    pub(super) fn range(&mut self, mut from: &File, start: u64, len: u64) -> io::Result<()> {
        if self.hasher.is_none() && len > SHORT as u64 {
            self.flush()?;
            from.seek(SeekFrom::Start(start))?;
            let copied = io::copy(&mut from.take(len), self.file)?;
            self.at += copied;
            return if copied < len { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) };
        }
        let mut piece = vec![0; len.min(PIECE) as usize];
        let (mut at, end) = (start, start.saturating_add(len));
        while at < end {
            let part = &mut piece[..(end - at).min(PIECE) as usize];
            from.read_exact_at(part, at)?;
            self.write_all(part)?;
            at += part.len() as u64;
        }
        Ok(())
    }
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() < SHORT {
            self.waiting.extend_from_slice(bytes);
            if self.waiting.len() >= SHORT {
                self.flush()?;
            }
        } else {
            self.flush()?;
            self.file.write_all(bytes)?;
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }

    /// Hands everything to the file. What is not flushed is lost.
    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }
}
