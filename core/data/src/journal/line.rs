//! Serialization of entries.

use super::entry::{Apart, Entry, Key, Place, What};
use crate::same_path::RowMark;
use chaffinch_compute::content::ContentHash;
use chaffinch_protocol::decision::Choice;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use smallvec::SmallVec;
use std::fmt::Write;
use std::sync::Arc;

/// One line of a journal.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) seq: u64,
    pub(super) at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reviewer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    samples: Option<Vec<SampleLine>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    decision: Option<Option<Choice>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    kept: Vec<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    decisions: Vec<Choice>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    untags: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    note: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unnote: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undo: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    redo: Option<u64>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SampleLine {
    hash: Option<ContentHash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path_percent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    was: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    was_percent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    copies: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    twins: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    twins_percent: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    row: Option<Box<RowMark>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<Box<Place>>,
}

/// The meaning of a line.
#[allow(clippy::large_enum_variant, reason = "one at a time, taken apart at once")]
pub(super) enum Said {
    Entry(Entry, Vec<Key>),
    /// Of this entry, at this time.
    Undo(u64, Timestamp),
    Redo(u64, Timestamp),
}

/// Distinguishes `null` from a missing field.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Choice>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl Line {
    /// Interprets a line, or says what is wrong with it.
    pub(super) fn said(self) -> Result<Said, String> {
        let at: Timestamp = self.at.parse().map_err(|_| format!("'{}' is not a valid time", self.at))?;
        match (self.samples, self.undo, self.redo) {
            (Some(samples), None, None) => {
                let keys = samples.into_iter().map(SampleLine::key).collect::<Result<Vec<Key>, String>>()?;
                if keys.is_empty() {
                    return Err("it has no samples".into());
                }
                if let Some(index) = self.kept.iter().find(|index| **index as usize >= keys.len()) {
                    return Err(format!("it keeps sample {index}, but has only {}", keys.len()));
                }
                let (each, count) = (self.decisions, keys.len());
                if !each.is_empty() && (each.len() != count || self.decision.is_some()) {
                    return Err(format!("it has {} decisions for {count} samples", each.len()));
                }
                let what = Arc::new(What {
                    choice: self.decision,
                    kept: self.kept,
                    each,
                    tags: self.tags,
                    untags: self.untags,
                    note: self.note,
                    unnote: self.unnote,
                });
                let entry = Entry { seq: self.seq, at, what, keys: SmallVec::new(), rows: SmallVec::new() };
                Ok(Said::Entry(entry, keys))
            }
            (None, Some(seq), None) => Ok(Said::Undo(seq, at)),
            (None, None, Some(seq)) => Ok(Said::Redo(seq, at)),
            _ => Err("it must have exactly one of 'samples', 'undo' and 'redo'".into()),
        }
    }
}

impl SampleLine {
    fn new(key: &Key) -> SampleLine {
        let (path, path_percent) = write_path(&key.path);
        let Apart { was, copies, twins: known, row, place } = key.apart();
        let (was, was_percent) = was.as_deref().map_or((None, None), write_path);
        let (mut twins, mut twins_percent) = (Vec::new(), Vec::new());
        for (plain, percent) in known.iter().map(|twin| write_path(twin)) {
            twins.extend(plain);
            twins_percent.extend(percent);
        }
        let copies = (*copies > 0).then_some(*copies);
        let (hash, row, place) = (key.hash, row.clone(), place.clone());
        SampleLine { hash, path, path_percent, was, was_percent, copies, twins, twins_percent, row, place }
    }

    fn key(self) -> Result<Key, String> {
        let path = read_path(self.path, self.path_percent)?.ok_or("a sample has no path")?;
        let plain = self.twins.into_iter().map(|text| read_path(Some(text), None));
        let percent = self.twins_percent.into_iter().map(|text| read_path(None, Some(text)));
        let twins = plain.chain(percent).collect::<Result<Vec<Option<Box<[u8]>>>, String>>()?;
        let twins = twins.into_iter().flatten().collect();
        let was = read_path(self.was, self.was_percent)?;
        let (copies, row, place) = (self.copies.unwrap_or(0), self.row, self.place);
        Ok(Key::new(self.hash, path.into(), Apart { was, copies, twins, row, place }))
    }
}

fn write_path(path: &[u8]) -> (Option<String>, Option<String>) {
    match std::str::from_utf8(path) {
        Ok(text) => (Some(text.to_owned()), None),
        Err(_) => (None, Some(percent(path, |byte| byte.is_ascii_graphic() || byte == b' '))),
    }
}

fn read_path(plain: Option<String>, percent: Option<String>) -> Result<Option<Box<[u8]>>, String> {
    match (plain, percent) {
        (Some(text), None) => Ok(Some(text.into_bytes().into())),
        (None, Some(text)) => match unpercent(&text) {
            Some(bytes) => Ok(Some(bytes.into())),
            None => Err(format!("'{text}' is not a valid percent-encoded path")),
        },
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err("a sample has two paths".into()),
    }
}

/// Writes bytes as text, with `%XX` for `%` and everything that is not `plain`.
pub(super) fn percent(bytes: &[u8], plain: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii() && byte != b'%' && plain(byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Reverses [`percent`].
pub(super) fn unpercent(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'%' {
            let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
            out.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &rest[2..];
        } else {
            out.push(byte);
        }
    }
    Some(out)
}

/// An entry about these samples as a line.
pub(super) fn of_entry<'k>(entry: &Entry, keys: impl IntoIterator<Item = &'k Key>, reviewer: &str) -> String {
    let What { choice, kept, each, tags, untags, note, unnote } = (*entry.what).clone();
    text(&Line {
        seq: entry.seq,
        at: entry.at.to_string(),
        reviewer: Some(reviewer.to_owned()),
        samples: Some(keys.into_iter().map(SampleLine::new).collect()),
        decision: choice,
        kept,
        decisions: each,
        tags,
        untags,
        note,
        unnote,
        ..Line::default()
    })
}

/// An undo as a line.
pub(super) fn of_undo(seq: u64, at: Timestamp, undo: u64) -> String {
    text(&Line { seq, at: at.to_string(), undo: Some(undo), ..Line::default() })
}

/// A redo as a line.
pub(super) fn of_redo(seq: u64, at: Timestamp, redo: u64) -> String {
    text(&Line { seq, at: at.to_string(), redo: Some(redo), ..Line::default() })
}

fn text(line: &Line) -> String {
    // Plain data with text keys cannot fail to serialize.
    serde_json::to_string(line).unwrap_or_default()
}
