//! One reviewer's file in memory.

use super::binding::ORPHAN;
use super::line::{Key, Line, Said, percent, unpercent};
use crate::{Error, Result};
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::display::safe_text;
use jiff::Timestamp;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What an entry changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct What {
    /// The choice, `Some(None)` where earlier ones are taken back, `None` where nothing is decided.
    pub(super) choice: Option<Option<Choice>>,
    /// Places of samples among the entry's that are kept, whatever the choice says.
    pub(super) kept: Vec<u32>,
    pub(super) tags: Vec<String>,
    /// Tags that are taken away.
    pub(super) untags: Vec<String>,
    pub(super) note: String,
}

/// One entry: some samples and what was said of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    pub(super) what: What,
    pub(super) keys: Vec<Key>,
    /// For each key its row in the manifest, or [`ORPHAN`]; empty before it is bound.
    pub(super) rows: Vec<u32>,
}

impl Entry {
    /// Its rows in the manifest, each once.
    pub(super) fn rows(&self) -> Vec<u32> {
        let mut seen = HashSet::new();
        self.rows.iter().copied().filter(|&row| row != ORPHAN && seen.insert(row)).collect()
    }

    /// What it decides about a row.
    pub(super) fn choice(&self, row: u32) -> Option<Option<Choice>> {
        let kept = self.what.kept.iter().any(|&place| self.rows.get(place as usize) == Some(&row));
        if kept { Some(Some(Choice::Keep)) } else { self.what.choice.clone() }
    }

    /// Its number within the reviewer's file.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// When it was made, ISO 8601 in UTC.
    pub fn at(&self) -> String {
        self.at.to_string()
    }

    /// Samples it concerns.
    pub fn samples(&self) -> usize {
        self.keys.len()
    }

    /// What it does in words: `remove`, `relabel to dog`, `clear`, `keep 1 and remove 3`,
    /// `tag duplicate_exact`, `untag duplicate_exact`, `note`.
    pub fn words(&self) -> String {
        let words = match &self.what.choice {
            Some(Some(choice)) if !self.what.kept.is_empty() => {
                format!(
                    "keep {} and {choice} {}",
                    self.what.kept.len(),
                    self.keys.len() - self.what.kept.len()
                )
            }
            Some(Some(choice)) => choice.to_string(),
            Some(None) => "clear".to_owned(),
            None if !self.what.untags.is_empty() => format!("untag {}", self.what.untags.join(", ")),
            None if self.what.tags.is_empty() => "note".to_owned(),
            None => format!("tag {}", self.what.tags.join(", ")),
        };
        safe_text(&words).into_owned()
    }
}

/// One reviewer's entries, and which of them hold.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) reviewer: String,
    pub(super) entries: Vec<Entry>,
    /// Entries that hold, oldest first.
    pub(super) applied: Vec<u32>,
    /// Entries taken back, the next one to redo last.
    pub(super) undone: Vec<u32>,
    last_seq: u64,
    /// Up to here the file has whole lines.
    pub(super) sound_len: u64,
    /// The file's length when it was read.
    pub(super) file_len: u64,
    /// Whether the last whole line lacks its newline.
    pub(super) open_end: bool,
    /// What was dropped.
    pub(super) note: Option<String>,
}

impl Book {
    /// Reads a file; one that is not there is empty.
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
            // Without its newline nobody was told that it is saved; with it, it may be of a later version.
            let torn = match end {
                None => serde_json::from_slice::<Line>(line).is_err(),
                Some(_) => tail.is_empty() && serde_json::from_slice::<serde_json::Value>(line).is_err(),
            };
            if torn && !blank {
                let (path, len) = (path.display(), rest.len());
                book.note =
                    Some(format!("{path}: line {number} was never finished; its {len} bytes are left out"));
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
            return Err(format!("its number {} does not follow {}", line.seq, self.last_seq));
        }
        self.last_seq = line.seq;
        let top = |stack: &[u32]| stack.last().map(|&index| self.entries[index as usize].seq);
        match line.said()? {
            Said::Entry(entry) => {
                self.push(entry);
            }
            Said::Undo(seq) if top(&self.applied) == Some(seq) => self.undo(),
            Said::Redo(seq) if top(&self.undone) == Some(seq) => self.redo(),
            Said::Undo(seq) => return Err(format!("entry {seq} is not the one to undo")),
            Said::Redo(seq) => return Err(format!("entry {seq} is not the one to redo")),
        }
        Ok(())
    }

    /// The number of the next line.
    pub(super) fn next_seq(&self) -> u64 {
        self.last_seq + 1
    }

    /// Takes a new entry in and says where it is.
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

    /// A line was written that is no entry.
    pub(super) fn count_line(&mut self) {
        self.last_seq += 1;
    }
}

/// The file of a reviewer.
pub(super) fn file_name(reviewer: &str) -> Result<String> {
    if reviewer.trim().is_empty() {
        return Err(Error::Invalid("the reviewer has no name: give one with --reviewer".into()));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'@');
    let name = percent(reviewer.as_bytes(), |byte| plain(byte) || byte == b'.');
    // A leading dot would hide the file.
    let name = name.strip_prefix('.').map_or_else(|| name.clone(), |rest| format!("%2E{rest}"));
    if name.len() > 200 {
        return Err(Error::Invalid("the reviewer's name is too long".into()));
    }
    Ok(format!("{name}.jsonl"))
}

/// The reviewer of a file.
pub(super) fn reviewer_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default();
    let name = stem.to_str().and_then(unpercent).and_then(|bytes| String::from_utf8(bytes).ok());
    name.unwrap_or_else(|| String::from_utf8_lossy(stem.as_bytes()).into_owned())
}
