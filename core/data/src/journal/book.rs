//! One reviewer's file in memory.

use super::entry::Entry;
use super::line::{Line, Said, percent, unpercent};
use crate::{Error, Result};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// One reviewer's entries, and which of them apply.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) reviewer: String,
    pub(super) entries: Vec<Entry>,
    /// Applied entries, oldest first.
    pub(super) applied: Vec<u32>,
    /// Undone entries, the next one to redo last.
    pub(super) undone: Vec<u32>,
    last_seq: u64,
    /// The length of the complete lines in the file.
    pub(super) sound_len: u64,
    /// The file's length when it was read.
    pub(super) file_len: u64,
    /// Whether the last complete line lacks its newline.
    pub(super) open_end: bool,
    /// What was ignored.
    pub(super) note: Option<String>,
}

impl Book {
    /// Reads a file; a missing one counts as empty.
    pub(super) fn read(path: &Path, reviewer: &str) -> Result<Book> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(Error::io("read", path)(error)),
        };
        let mut book =
            Book { reviewer: reviewer.to_owned(), file_len: bytes.len() as u64, ..Book::default() };
        let mut rest = bytes.as_slice();
        let mut number = 0;
        while !rest.is_empty() {
            number += 1;
            let end = rest.iter().position(|&byte| byte == b'\n');
            let (line, tail) = end.map_or((rest, &[][..]), |end| (&rest[..end], &rest[end + 1..]));
            let blank = line.iter().all(u8::is_ascii_whitespace);
            // A line without its newline was never reported as saved; with it, it may be from a later version.
            let torn = match end {
                None => serde_json::from_slice::<Line>(line).is_err(),
                Some(_) => tail.is_empty() && serde_json::from_slice::<serde_json::Value>(line).is_err(),
            };
            if torn && !blank {
                let (path, len) = (path.display(), rest.len());
                book.note = Some(format!("{path}: line {number} is incomplete; its {len} bytes are ignored"));
                break;
            }
            if !blank {
                book.line(line).map_err(|what| {
                    let message =
                        format!("line {number}: {what}; repair the line by hand, or move the file away");
                    Error::format(path, message)
                })?;
            }
            rest = tail;
            book.open_end = end.is_none();
            book.sound_len = book.file_len - rest.len() as u64;
        }
        Ok(book)
    }

    fn line(&mut self, bytes: &[u8]) -> std::result::Result<(), String> {
        let line: Line = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if line.seq <= self.last_seq {
            return Err(format!("its sequence number {} does not follow {}", line.seq, self.last_seq));
        }
        self.last_seq = line.seq;
        let top = |stack: &[u32]| stack.last().map(|&index| self.entries[index as usize].seq);
        match line.said()? {
            Said::Entry(entry) => {
                self.push(entry);
            }
            Said::Undo(seq) if top(&self.applied) == Some(seq) => self.undo(),
            Said::Redo(seq) if top(&self.undone) == Some(seq) => self.redo(),
            Said::Undo(seq) => return Err(format!("entry {seq} is not the next one to undo")),
            Said::Redo(seq) => return Err(format!("entry {seq} is not the next one to redo")),
        }
        Ok(())
    }

    /// The sequence number of the next line.
    pub(super) fn next_seq(&self) -> u64 {
        self.last_seq + 1
    }

    /// Adds a new entry and returns its index.
    pub(super) fn push(&mut self, entry: Entry) -> u32 {
        let index = self.entries.len() as u32;
        self.last_seq = entry.seq;
        self.entries.push(entry);
        self.applied.push(index);
        self.undone.clear();
        index
    }

    pub(super) fn undo(&mut self) {
        self.undone.extend(self.applied.pop());
    }

    pub(super) fn redo(&mut self) {
        self.applied.extend(self.undone.pop());
    }

    /// Counts a line that is not an entry.
    pub(super) fn count_line(&mut self) {
        self.last_seq += 1;
    }
}

/// The file name of a reviewer.
pub(super) fn file_name(reviewer: &str) -> Result<String> {
    Ok(format!("{}.jsonl", stem(reviewer)?))
}

/// The file name without its extension.
pub(super) fn stem(reviewer: &str) -> Result<String> {
    if reviewer.trim().is_empty() {
        return Err(Error::Invalid("the reviewer's name is empty: set one with --reviewer".into()));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'@');
    let name = percent(reviewer.as_bytes(), |byte| plain(byte) || byte == b'.');
    // A leading dot would hide the file.
    let name = name.strip_prefix('.').map_or_else(|| name.clone(), |rest| format!("%2E{rest}"));
    if name.len() > 200 {
        return Err(Error::Invalid("the reviewer's name is too long".into()));
    }
    Ok(name)
}

/// The reviewer of a file.
pub(super) fn reviewer_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default();
    let name = stem.to_str().and_then(unpercent).and_then(|bytes| String::from_utf8(bytes).ok());
    name.unwrap_or_else(|| String::from_utf8_lossy(stem.as_bytes()).into_owned())
}
