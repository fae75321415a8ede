//! One journal entry: some samples and what was said about them.

use chaffinch_compute::content::ContentHash;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::display::safe_text;
use jiff::Timestamp;
use std::collections::HashSet;

/// The row for "no sample".
pub(super) const ORPHAN: u32 = u32::MAX;

/// A sample as recorded in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// Its content, if it was known.
    pub(super) hash: Option<ContentHash>,
    /// Its path, arbitrary bytes.
    pub(super) path: Box<[u8]>,
    /// An earlier path of the same sample.
    pub(super) was: Option<Box<[u8]>>,
}

/// What an entry changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct What {
    /// The choice, `Some(None)` to clear earlier ones, `None` if nothing is decided.
    pub(super) choice: Option<Option<Choice>>,
    /// Indices of the entry's samples that are kept regardless of the choice.
    pub(super) kept: Vec<u32>,
    pub(super) tags: Vec<String>,
    /// Tags to remove.
    pub(super) untags: Vec<String>,
    pub(super) note: String,
}

/// One entry: some samples and what was said about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    pub(super) what: What,
    pub(super) keys: Vec<Key>,
    /// For each key its row in the manifest, or [`ORPHAN`]; empty until bound.
    pub(super) rows: Vec<u32>,
}

impl Entry {
    /// Its rows in the manifest, each once.
    pub(super) fn rows(&self) -> Vec<u32> {
        let mut seen = HashSet::new();
        self.rows.iter().copied().filter(|&row| row != ORPHAN && seen.insert(row)).collect()
    }

    /// Its decision on a row.
    pub(super) fn choice(&self, row: u32) -> Option<Option<Choice>> {
        let kept = self.what.kept.iter().any(|&position| self.rows.get(position as usize) == Some(&row));
        if kept { Some(Some(Choice::Keep)) } else { self.what.choice.clone() }
    }

    /// Its sequence number within the reviewer's file.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// When it was made, ISO 8601 in UTC.
    pub fn at(&self) -> String {
        self.at.to_string()
    }

    /// Number of samples it affects.
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
