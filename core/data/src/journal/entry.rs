//! One journal entry: some samples and what was said about them.

use super::Change;
use crate::manifest::Manifest;
use crate::same_path::RowMark;
use bytes::Bytes;
use chaffinch_compute::content::ContentHash;
use chaffinch_protocol::decision::{ADJUDICATED, Choice};
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::sample::SampleId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, LazyLock};

/// The row for "no sample".
pub(super) const ORPHAN: u32 = u32::MAX;

/// A sample as recorded in the journal.
///
/// A journal is held as long as its session is open. So each key is there once, however often its sample is decided about, and
/// most take no block of memory of their own: their paths stand one behind the other ([`super::book::Book::push`]).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// Its path, arbitrary bytes.
    pub(super) path: Bytes,
    /// Its content, if it was known.
    pub(super) hash: Option<ContentHash>,
    apart: Option<Box<Apart>>,
}

/// What tells a sample from others that are like it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Apart {
    /// An earlier path of the same sample.
    pub(super) was: Option<Box<[u8]>>,
    /// How many other samples that the entry is not about had the same content then.
    pub(super) copies: u32,
    /// The paths of these, or of as many as are kept.
    pub(super) twins: Box<[Box<[u8]>]>,
    /// What tells it from other samples of the same path, if there were any.
    pub(super) row: Option<Box<RowMark>>,
    /// Where it was, if others had the same content.
    pub(super) place: Option<Box<Place>>,
}

impl Key {
    pub(super) fn new(hash: Option<ContentHash>, path: Bytes, apart: Apart) -> Key {
        Key { path, hash, apart: (apart != Apart::default()).then(|| Box::new(apart)) }
    }

    pub(super) fn apart(&self) -> &Apart {
        static NOTHING: LazyLock<Apart> = LazyLock::new(Apart::default);
        self.apart.as_deref().unwrap_or(&NOTHING)
    }

    /// What tells it from other samples of the same path, if there were any.
    pub(super) fn row(&self) -> Option<&RowMark> {
        self.apart.as_ref()?.row.as_deref()
    }
}

/// The class and the split of a sample, which it keeps when it is packed otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    label: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    split: String,
}

impl Place {
    pub(super) fn of(manifest: &Manifest, id: SampleId) -> Place {
        let split = manifest.split_as_written(id).to_owned();
        Place { label: manifest.label_name(id).to_owned(), split }
    }

    /// How much of it is the same, if nothing differs. Not all packings say the split.
    pub(super) fn likeness(&self, other: &Place) -> Option<usize> {
        let agree = |a: &str, b: &str| a.is_empty() || b.is_empty() || a == b;
        let same = |a: &str, b: &str| usize::from(!a.is_empty() && a == b);
        let agrees = agree(&self.label, &other.label) && agree(&self.split, &other.split);
        let same = same(&self.label, &other.label) + same(&self.split, &other.split);
        (agrees && same > 0).then_some(same)
    }
}

/// What an entry changes.
///
/// Much the same is said again and again, so a book holds it once ([`super::book::Book::push`]).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct What {
    /// The choice, `Some(None)` to clear earlier ones, `None` if nothing is decided.
    pub(super) choice: Option<Option<Choice>>,
    /// Indices of the entry's samples that are kept regardless of the choice.
    pub(super) kept: Vec<u32>,
    /// The choice for each of the entry's samples, in their order, instead of one for all; else empty.
    pub(super) each: Vec<Choice>,
    pub(super) tags: Vec<String>,
    /// Tags to remove.
    pub(super) untags: Vec<String>,
    pub(super) note: String,
    /// Whether the note is removed.
    pub(super) unnote: bool,
}

/// One entry: some samples and what was said about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    pub(super) what: Arc<What>,
    /// Its samples, as indices into the keys of its book; empty while it is in none.
    pub(super) keys: SmallVec<[u32; 4]>,
    /// For each key its row in the manifest, or [`ORPHAN`]; empty until bound.
    pub(super) rows: SmallVec<[u32; 4]>,
}

impl Entry {
    /// Its rows in the manifest, each once.
    pub(super) fn rows(&self) -> Vec<u32> {
        let mut seen = HashSet::new();
        self.rows.iter().copied().filter(|&row| row != ORPHAN && seen.insert(row)).collect()
    }

    /// Its decision on a row.
    pub(super) fn choice(&self, row: u32) -> Option<Option<Choice>> {
        if !self.what.each.is_empty() {
            let position = self.rows.iter().position(|&other| other == row)?;
            return self.what.each.get(position).map(|choice| Some(choice.clone()));
        }
        let kept = self.what.kept.iter().any(|&position| self.rows.get(position as usize) == Some(&row));
        if kept { Some(Some(Choice::Keep)) } else { self.what.choice.clone() }
    }

    /// Whether its decisions settle what reviewers decided differently.
    pub(super) fn adjudicates(&self) -> bool {
        self.what.tags.iter().any(|tag| tag == ADJUDICATED)
    }

    /// What it says about a row, in words: `remove`, `clear`, `tag +crop`, `note`.
    pub(super) fn words_about(&self, row: u32) -> String {
        match self.choice(row) {
            Some(Some(choice)) => safe_text(&choice.to_string()).into_owned(),
            _ => self.words(),
        }
    }

    /// Its decision on the sample of a key.
    pub(super) fn choice_at(&self, position: usize) -> Option<Option<Choice>> {
        match self.what.each.get(position) {
            Some(choice) => Some(Some(choice.clone())),
            None if self.what.kept.contains(&(position as u32)) => Some(Some(Choice::Keep)),
            None => self.what.choice.clone(),
        }
    }

    /// Whether it only takes back what was said.
    pub(super) fn removes(&self) -> bool {
        let What { choice, kept, each, tags, untags, note, unnote } = &*self.what;
        let says =
            matches!(choice, Some(Some(_))) || !kept.is_empty() || !each.is_empty() || !tags.is_empty();
        !says && note.is_empty() && (choice.is_some() || !untags.is_empty() || *unnote)
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

    /// What kind of entry it is.
    pub fn change(&self) -> Change {
        let What { choice, kept, each, tags, untags, .. } = &*self.what;
        match choice {
            _ if !each.is_empty() || !kept.is_empty() => Change::DecidedEach,
            Some(Some(_)) => Change::Decided,
            Some(None) => Change::Cleared,
            None if tags.is_empty() && untags.is_empty() => Change::Noted,
            None => Change::Tagged,
        }
    }

    /// What it does in words: `remove`, `relabel to dog`, `clear`, `keep 1 and remove 3`, `relabel 2 to cat and 1 to
    /// dog`, `tag +duplicate_exact`, `tag -duplicate_exact`, `note`, `remove
    /// note`.
    pub fn words(&self) -> String {
        let words = match &self.what.choice {
            _ if !self.what.each.is_empty() => each_in_words(&self.what.each),
            Some(Some(choice)) if !self.what.kept.is_empty() => {
                format!(
                    "keep {} and {choice} {}",
                    self.what.kept.len(),
                    self.rows.len().max(self.keys.len()).saturating_sub(self.what.kept.len())
                )
            }
            Some(Some(choice)) => choice.to_string(),
            Some(None) => "clear".to_owned(),
            None => {
                let tags = self.what.tags.iter().map(|tag| format!(" +{tag}"));
                let untags = self.what.untags.iter().map(|tag| format!(" -{tag}"));
                let tags: String = tags.chain(untags).collect();
                match (tags.is_empty(), self.what.note.is_empty()) {
                    (true, _) if self.what.unnote => "remove note".to_owned(),
                    (true, _) => "note".to_owned(),
                    (false, true) => format!("tag{tags}"),
                    (false, false) => format!("note and tag{tags}"),
                }
            }
        };
        safe_text(&words).into_owned()
    }
}

/// How many samples get which choice, in the order keep, relabel, remove, unsure.
fn each_in_words(each: &[Choice]) -> String {
    /// Classes that are named; more of them are only counted.
    const NAMED: usize = 4;
    let count = |wanted: &Choice| each.iter().filter(|choice| *choice == wanted).count();
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    for choice in each {
        if let Choice::Relabel(label) = choice {
            *classes.entry(label.as_str()).or_default() += 1;
        }
    }
    let relabeled: usize = classes.values().sum();
    let counted = |verb: &str, count: usize| (count > 0).then(|| format!("{verb} {count}"));
    let mut parts: Vec<String> = counted("keep", count(&Choice::Keep)).into_iter().collect();
    if classes.len() > NAMED {
        parts.push(format!("relabel {relabeled} to {} classes", classes.len()));
    } else {
        let verbs = std::iter::once("relabel ").chain(std::iter::repeat(""));
        let class = |((label, count), verb): ((&&str, &usize), &str)| format!("{verb}{count} to {label}");
        parts.extend(classes.iter().zip(verbs).map(class));
    }
    parts.extend(counted("remove", count(&Choice::Remove)));
    parts.extend(counted("be unsure about", count(&Choice::Unsure)));
    match parts.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}
