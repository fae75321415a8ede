//! One reviewer's file in memory.

use super::disk::{self, Look};
use super::entry::{Entry, Key, What};
use super::line::{self, Line, Said, percent, unpercent};
use crate::{Error, Result};
use bytes::BytesMut;
use chaffinch_compute::job::Job;
use chaffinch_protocol::display::safe_path;
use indexmap::IndexSet;
use jiff::Timestamp;
use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

/// A line of the file, so that the file can be written again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// The entry with this index.
    Entry(u32),
    /// The undo with this index in the turns.
    Undo(u32),
    /// The redo with this index in the turns.
    Redo(u32),
}

/// An undo or a redo, with the sequence number `seq`, of the entry with the sequence number `of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Turn {
    seq: u64,
    at: Timestamp,
    of: u64,
}

/// How much memory is taken for paths at once.
const PATHS: usize = 1 << 14;

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
    /// All lines, in order.
    written: Vec<Written>,
    turns: Vec<Turn>,
    /// What the entries are about, each once.
    keys: IndexSet<Key>,
    /// What they say, each once.
    said: HashSet<Arc<What>>,
    /// Where the next paths go.
    paths: BytesMut,
    /// The length of the complete lines in the file.
    pub(super) sound_len: u64,
    /// The file when it was read.
    pub(super) look: Look,
    /// Whether the last complete line lacks its newline.
    pub(super) open_end: bool,
    /// What was ignored.
    pub(super) note: Option<String>,
}

impl Book {
    /// Reads a file; a missing one counts as empty.
    pub(super) fn read(path: &Path, reviewer: &str, job: &Job<'_>) -> Result<Book> {
        let (bytes, look) = disk::read(path).map_err(Error::io("read", path))?;
        Ok(Book { look, ..Book::parse(&bytes, path, reviewer, job)? })
    }

    /// Reads the bytes of a file.
    pub(super) fn parse(bytes: &[u8], path: &Path, reviewer: &str, job: &Job<'_>) -> Result<Book> {
        let mut book = Book { reviewer: reviewer.to_owned(), ..Book::default() };
        let file_len = bytes.len() as u64;
        let mut rest = bytes;
        let mut number = 0;
        while !rest.is_empty() {
            job.checkpoint()?;
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
                let (path, len) = (safe_path(path), rest.len());
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
            book.sound_len = file_len - rest.len() as u64;
        }
        Ok(book)
    }

    fn line(&mut self, bytes: &[u8]) -> std::result::Result<(), String> {
        let line: Line = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if line.seq <= self.last_seq {
            return Err(format!("its sequence number {} does not follow {}", line.seq, self.last_seq));
        }
        let seq = line.seq;
        let top = |stack: &[u32]| stack.last().map(|&index| self.entries[index as usize].seq);
        match line.said()? {
            Said::Entry(entry, keys) => {
                self.push(entry, keys);
            }
            Said::Undo(of, at) if top(&self.applied) == Some(of) => self.undo(seq, at, of),
            Said::Redo(of, at) if top(&self.undone) == Some(of) => self.redo(seq, at, of),
            Said::Undo(of, _) => return Err(format!("entry {of} is not the next one to undo")),
            Said::Redo(of, _) => return Err(format!("entry {of} is not the next one to redo")),
        }
        Ok(())
    }

    /// The sequence number of the next line.
    pub(super) fn next_seq(&self) -> u64 {
        self.last_seq + 1
    }

    /// Adds a new entry about these samples and returns its index.
    pub(super) fn push(&mut self, mut entry: Entry, keys: Vec<Key>) -> u32 {
        let index = self.entries.len() as u32;
        entry.keys = keys.into_iter().map(|key| self.keep(key)).collect();
        match self.said.get(&entry.what) {
            Some(same) => entry.what = Arc::clone(same),
            None => drop(self.said.insert(Arc::clone(&entry.what))),
        }
        self.last_seq = entry.seq;
        self.entries.push(entry);
        self.written.push(Written::Entry(index));
        self.applied.push(index);
        self.undone.clear();
        index
    }

    /// The index of a key, which is added if it is new.
    fn keep(&mut self, mut key: Key) -> u32 {
        if let Some(index) = self.keys.get_index_of(&key) {
            return index as u32;
        }
        if self.paths.capacity() < key.path.len() {
            self.paths = BytesMut::with_capacity(PATHS.max(key.path.len()));
        }
        self.paths.extend_from_slice(&key.path);
        key.path = self.paths.split().freeze();
        self.keys.insert_full(key).0 as u32
    }

    /// The samples of an entry, in their order.
    pub(super) fn keys(&self, entry: &Entry) -> impl ExactSizeIterator<Item = &Key> {
        entry.keys.iter().map(|&index| &self.keys[index as usize])
    }

    /// Undoes the last applied entry, `of`, with the line `seq`.
    pub(super) fn undo(&mut self, seq: u64, at: Timestamp, of: u64) {
        self.undone.extend(self.applied.pop());
        self.last_seq = seq;
        self.written.push(Written::Undo(self.turns.len() as u32));
        self.turns.push(Turn { seq, at, of });
    }

    /// Redoes the last undone entry, `of`, with the line `seq`.
    pub(super) fn redo(&mut self, seq: u64, at: Timestamp, of: u64) {
        self.applied.extend(self.undone.pop());
        self.last_seq = seq;
        self.written.push(Written::Redo(self.turns.len() as u32));
        self.turns.push(Turn { seq, at, of });
    }

    /// The same entries, for a program that only reads them.
    pub(super) fn read_only(&self) -> Book {
        let mut copy = Book { reviewer: self.reviewer.clone(), ..Book::default() };
        copy.follow(self);
        copy
    }

    /// Takes over what a book with the same first lines has more than this one.
    pub(super) fn follow(&mut self, longer: &Book) {
        self.keys.extend(longer.keys.iter().skip(self.keys.len()).cloned());
        let new = longer.entries.get(self.entries.len()..).unwrap_or_default();
        self.entries.extend_from_slice(new);
        let new = longer.written.get(self.written.len()..).unwrap_or_default();
        self.written.extend_from_slice(new);
        let new = longer.turns.get(self.turns.len()..).unwrap_or_default();
        self.turns.extend_from_slice(new);
        self.applied.clone_from(&longer.applied);
        self.undone.clone_from(&longer.undone);
        self.last_seq = longer.last_seq;
    }

    /// How many lines there are.
    pub(super) fn lines(&self) -> usize {
        self.written.len()
    }

    /// The lines from the one with this index on, each with its newline.
    pub(super) fn text(&self, from: usize) -> String {
        let line = |written: &Written| match *written {
            Written::Entry(index) => {
                let entry = &self.entries[index as usize];
                line::of_entry(entry, self.keys(entry), &self.reviewer)
            }
            Written::Undo(index) => {
                let Turn { seq, at, of } = self.turns[index as usize];
                line::of_undo(seq, at, of)
            }
            Written::Redo(index) => {
                let Turn { seq, at, of } = self.turns[index as usize];
                line::of_redo(seq, at, of)
            }
        };
        self.written[from.min(self.written.len())..].iter().map(|written| line(written) + "\n").collect()
    }

    /// Whether another file has the first lines of this one: none, some or all.
    pub(super) fn begins_with(&self, other: &Book) -> bool {
        let same = |pair: (&Written, &Written)| match pair {
            (Written::Entry(here), Written::Entry(there)) => {
                // Wherever their samples are now.
                let (one, two) = (&self.entries[*here as usize], &other.entries[*there as usize]);
                (one.seq, one.at) == (two.seq, two.at)
                    && one.what == two.what
                    && self.keys(one).eq(other.keys(two))
            }
            (Written::Undo(here), Written::Undo(there)) | (Written::Redo(here), Written::Redo(there)) => {
                self.turns[*here as usize] == other.turns[*there as usize]
            }
            _ => false,
        };
        other.written.len() <= self.written.len() && self.written.iter().zip(&other.written).all(same)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// So many entries, each about these paths.
    fn kept(count: u64, paths: impl Fn(u64) -> Vec<String>) -> Book {
        let sample = |path: String| format!("{{\"hash\":null,\"path\":\"{path}\"}}");
        let line = |seq: u64| {
            let samples: Vec<String> = paths(seq).into_iter().map(sample).collect();
            let samples = samples.join(",");
            format!(
                "{{\"seq\":{seq},\"at\":\"2026-11-21T10:00:00Z\",\"samples\":[{samples}],\"decision\":\"keep\"}}\n"
            )
        };
        let text: String = (1..=count).map(line).collect();
        Book::parse(text.as_bytes(), Path::new("a.jsonl"), "a", &Job::unwatched()).unwrap()
    }

    #[test]
    fn what_is_decided_about_again_is_there_once() {
        let book = kept(100, |_| vec!["a.jpg".to_owned(), "b.jpg".to_owned()]);
        assert_eq!((book.entries.len(), book.keys.len()), (100, 2));
        assert!(book.entries.iter().all(|entry| !entry.keys.spilled()));
        assert!(book.read_only().begins_with(&book) && book.begins_with(&book.read_only()));
    }

    #[test]
    fn what_is_said_again_is_there_once() {
        let book = kept(100, |number| vec![format!("{number}.jpg")]);
        assert_eq!(book.said.len(), 1);
        assert!(book.entries.iter().all(|entry| Arc::ptr_eq(&entry.what, &book.entries[0].what)));
        let copy = book.read_only();
        assert!(Arc::ptr_eq(&copy.entries[99].what, &book.entries[0].what));
    }

    #[test]
    fn entries_take_little_memory_and_their_paths_stand_together() {
        let book = kept(1_000, |number| vec![format!("cat/{number:04}.jpg")]);
        assert!(size_of::<Entry>() <= 80, "{} bytes", size_of::<Entry>());
        assert!(book.entries.iter().all(|entry| !entry.keys.spilled() && !entry.rows.spilled()));
        let paths: Vec<&[u8]> =
            book.entries.iter().flat_map(|entry| book.keys(entry)).map(|key| &*key.path).collect();
        let apart = paths.windows(2).filter(|pair| pair[0].as_ptr_range().end != pair[1].as_ptr());
        assert!(apart.count() <= 1_000 * paths[0].len() / PATHS, "each path has its own block");
        assert_eq!(book.keys.len(), 1_000);
        assert_eq!(book.text(0).len(), book.text(1).len() + book.text(0).lines().next().unwrap().len() + 1);
    }
}
