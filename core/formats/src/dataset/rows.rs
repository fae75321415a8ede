//! Rows that give each picture its label, its split and other columns, in whatever format they are written.

use super::choice::LABEL_NAMES;
use super::names_of_parts::split_named;
use super::several::{ALL_LABELS, BETWEEN};
use crate::{Error, Result};
use chaffinch_data::as_written::TextsBuilder;
use chaffinch_data::manifest::{ExtraColumn, Manifest, NewSample};
use chaffinch_protocol::display::{counted, safe_path, safe_text};
use chaffinch_protocol::sample::Split;
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

/// Names to show in a remark.
const SHOWN: usize = 3;

/// Rows as they are read, one after the other.
#[derive(Default)]
pub(super) struct Rows {
    samples: Vec<NewSample>,
    splits: TextsBuilder,
    strange: BTreeMap<String, u64>,
    unusual: BTreeMap<String, Split>,
    extra: Vec<ExtraColumn>,
}

impl Rows {
    /// No rows yet, with these columns beside path, label and split.
    pub(super) fn new(columns: impl IntoIterator<Item = String>) -> Rows {
        let extra = columns.into_iter().map(|name| ExtraColumn { name, values: Vec::new() }).collect();
        Rows { extra, ..Rows::default() }
    }

    /// Adds a row. `split` is as it is written, and may be empty; `other` has a value for each of the other columns.
    pub(super) fn push(
        &mut self,
        path: PathBuf,
        label: Option<String>,
        split: &str,
        other: impl IntoIterator<Item = String>,
    ) {
        let read = match split.trim() {
            "" => Split::None,
            name => match (Split::from_name(name), split_named(name)) {
                (Some(split), _) => split,
                (None, Some(split)) => {
                    self.unusual.insert(name.to_owned(), split);
                    split
                }
                (None, None) => {
                    *self.strange.entry(name.to_owned()).or_default() += 1;
                    Split::None
                }
            },
        };
        self.splits.push(split);
        let label = label.filter(|label| !label.is_empty());
        self.samples.push(NewSample { path, label, split: read });
        let mut other = other.into_iter();
        for column in &mut self.extra {
            column.values.push(other.next().unwrap_or_default());
        }
    }

    /// Takes labels from columns of 0 and 1, one for each class, if there are at least two of them: the one that is set is
    /// the label. Several are kept in a column of their own.
    pub(super) fn labels_from_flags(&mut self) -> Option<Flags> {
        let columns: Vec<usize> =
            (0..self.extra.len()).filter(|&column| are_flags(&self.extra[column])).collect();
        if columns.len() < 2 {
            return None;
        }
        let names: Vec<String> = columns.iter().map(|&column| self.extra[column].name.clone()).collect();
        let mut flags = Flags { names, rows: self.samples.len() as u64, none: 0, several: 0 };
        let mut all = ExtraColumn { name: ALL_LABELS.to_owned(), values: Vec::new() };
        for (row, sample) in self.samples.iter_mut().enumerate() {
            let set = columns.iter().filter(|&&column| is_set(&self.extra[column].values[row]));
            let set: Vec<&str> = set.map(|&column| self.extra[column].name.as_str()).collect();
            match set.as_slice() {
                [] => flags.none += 1,
                [one] => sample.label = Some((*one).to_owned()),
                _ => flags.several += 1,
            }
            all.values.push(if set.len() > 1 { set.join(BETWEEN) } else { String::new() });
        }
        if flags.several > 0 {
            self.extra.push(all);
        }
        Some(flags)
    }

    /// The rows as samples below `root`, in the order in which they were added, and what is to be said of them: splits
    /// with other names, and paths that are repeated.
    ///
    /// # Errors
    /// When there are no rows: `file` has none.
    pub(super) fn finish(self, root: PathBuf, file: &Path) -> Result<(Manifest, Ledger)> {
        if self.samples.is_empty() {
            let message = "the table has a header but no rows".into();
            return Err(Error::Dataset { path: file.to_path_buf(), message });
        }
        let mut ledger = Ledger { found: self.samples.len() as u64, ..Ledger::default() };
        self.split_remarks(&mut ledger);
        let mut different: HashSet<&Path> = HashSet::new();
        let paths = self.samples.iter().map(|sample| sample.path.as_path());
        let mut repeats = paths.filter(|path| !different.insert(path));
        if let Some(first) = repeats.next() {
            let repeated = 1 + repeats.count() as u64;
            let rows = counted(repeated, "row repeats", "rows repeat");
            let text = format!("{rows} the path of an earlier row: {}", safe_path(first));
            ledger.add(RemarkKind::RowsRepeated, repeated, text);
        }
        let manifest = Manifest::new(root, self.samples)
            .with_extra(self.extra)
            .with_written_splits(self.splits.finish());
        Ok((manifest, ledger))
    }

    fn split_remarks(&self, ledger: &mut Ledger) {
        if !self.unusual.is_empty() {
            let shown = |(name, split): (&String, &Split)| format!("{} as {split}", safe_text(name));
            let names: Vec<String> = self.unusual.iter().take(SHOWN).map(shown).collect();
            let more = if self.unusual.len() > SHOWN { ", …" } else { "" };
            let text = format!("splits were recognized by their names: {}{more}", names.join(", "));
            ledger.add(RemarkKind::LayoutGuessed, self.unusual.len() as u64, text);
        }
        let rows: u64 = self.strange.values().sum();
        if rows > 0 {
            let names = self.strange.keys().take(SHOWN).map(|name| format!("'{}'", safe_text(name)));
            let names: Vec<String> = names.collect();
            let more = if self.strange.len() > SHOWN { ", …" } else { "" };
            let (rows_have, names) = (counted(rows, "row has", "rows have"), names.join(", "));
            let text = format!(
                "{rows_have} a split other than train, validation or test, and count as having none: {names}{more}"
            );
            ledger.add(RemarkKind::LayoutGuessed, rows, text);
        }
    }
}

/// Columns of 0 and 1, one for each class.
pub(super) struct Flags {
    names: Vec<String>,
    rows: u64,
    none: u64,
    several: u64,
}

impl Flags {
    /// Says what was read.
    pub(super) fn enter(&self, ledger: &mut Ledger) {
        let text = format!(
            "the columns {} of 0 and 1 were read as one class each; --label-column chooses another column",
            quoted_names(&self.names)
        );
        ledger.add(RemarkKind::LayoutDoubtful, self.rows, text);
        let images = counted(
            self.several,
            "image has several labels and counts as unlabeled",
            "images have several labels and count as unlabeled",
        );
        let text =
            format!("{images}, because one label per image is compared; the column {ALL_LABELS} has them");
        ledger.add(RemarkKind::LabelsSeveral, self.several, text);
        let images = counted(self.none, "image has", "images have");
        ledger.add(
            RemarkKind::LabelsMissing,
            self.none,
            format!("{images} none of the columns of 0 and 1 set"),
        );
    }
}

/// Whether all values of a column are 0 and 1, and both occur.
fn are_flags(column: &ExtraColumn) -> bool {
    let values = || column.values.iter().map(|value| value.trim());
    values().all(|value| {
        is_set(value) || matches!(value, "" | "0" | "0.0") || value.eq_ignore_ascii_case("false")
    }) && values().any(is_set)
        && !values().all(is_set)
}

fn is_set(value: &str) -> bool {
    matches!(value.trim(), "1" | "1.0") || value.trim().eq_ignore_ascii_case("true")
}

/// Says where the labels of a table without a column of them come from, or that there are none.
pub(super) fn tell_labels(flags: Option<Flags>, manifest: &Manifest, ledger: &mut Ledger) {
    match flags {
        Some(flags) => flags.enter(ledger),
        None => {
            let text = without_labels(manifest.extra());
            ledger.add(RemarkKind::LabelsMissing, manifest.len() as u64, text);
        }
    }
}

/// Says that there is no column of labels, and which columns might be.
fn without_labels(extra: &[ExtraColumn]) -> String {
    // What has no name is an index.
    let named: Vec<String> =
        extra.iter().map(|column| column.name.clone()).filter(|name| !name.trim().is_empty()).collect();
    match named.is_empty() {
        true => "the table has no label column".to_owned(),
        false => format!(
            "the table has no column called {} or the like; choose one with --label-column: {}",
            LABEL_NAMES[..2].join(", "),
            quoted_names(&named)
        ),
    }
}

/// `'a', 'b', 'c', …`.
fn quoted_names(names: &[String]) -> String {
    let all: Vec<String> = names.iter().take(SHOWN).map(|name| format!("'{}'", safe_text(name))).collect();
    format!("{}{}", all.join(", "), if names.len() > SHOWN { ", …" } else { "" })
}
