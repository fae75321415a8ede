//! Rows that give each picture its label, its split and other columns, in whatever format they are written.

use super::choice::{LABEL_NAMES, quoted_names};
use super::contradictions::Contradictions;
use super::flags::Flags;
use super::names_of_parts::split_named;
use super::said_splits::{tell_contradictory, tell_in_none};
use super::several::ALL_LABELS;
use super::split_columns::{are_splits, flag, flag_columns, flagged, of_flags};
use crate::{Error, Result};
use chaffinch_data::as_written::TextsBuilder;
use chaffinch_data::manifest::{ExtraColumn, Manifest, NewSample};
use chaffinch_protocol::display::{counted, excerpt, excerpt_path};
use chaffinch_protocol::sample::Split;
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

/// What stands in the place of a label in a table of texts.
pub(super) const EMPTY: &str = "a cell is empty where it would be";
/// The same where labels are numbers of classes with names.
pub(super) const EMPTY_OR_NONE: &str = "a cell is empty where it would be, or -1 beside numbers of classes";

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
    /// What a row without a label has in its place, if a column says the labels.
    pub(super) no_label: Option<&'static str>,
    /// How many rows have something in its place of which more is said.
    pub(super) told: u64,
    /// The columns of 0 and 1 from which splits were taken.
    split_flags: Vec<String>,
    /// The column from which splits were taken, if its name does not say for sure that it has them.
    split_names: Option<String>,
    /// Rows whose columns of 0 and 1 say two splits.
    contradictory: u64,
    /// Rows of which no column of 0 and 1 says a split.
    in_none: u64,
    /// What 1 says in the column of splits, if that is one of 0 and 1.
    flag: Option<Split>,
    /// The column of splits, if it was asked for.
    asked: Option<String>,
}

impl Rows {
    /// No rows yet, with these columns beside path, label and split.
    pub(super) fn new(columns: impl IntoIterator<Item = String>) -> Rows {
        let extra = columns.into_iter().map(|name| ExtraColumn { name, values: Vec::new() }).collect();
        Rows { extra, ..Rows::default() }
    }

    /// The column of splits has this name; `asked` if it was chosen by the user.
    pub(super) fn split_column(&mut self, name: &str, asked: bool) {
        self.flag = flagged(name);
        self.asked = asked.then(|| name.trim().to_owned());
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
            name if let (Some(split), Some(is)) = (self.flag, flag(name)) => {
                of_flags(&[(split, is)]).unwrap_or(Split::None)
            }
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
        let (flags, labels) = Flags::of(&self.extra, self.samples.len())?;
        let mut all = ExtraColumn { name: ALL_LABELS.to_owned(), values: Vec::new() };
        for (sample, label) in self.samples.iter_mut().zip(labels) {
            sample.label = label.name().map(str::to_owned);
            all.values.push(label.all());
        }
        if flags.several > 0 {
            self.extra.push(all);
        }
        Some(flags)
    }

    /// Takes splits from columns of 0 and 1 such as `is_valid`, if there are any; a row where they contradict each other has
    /// none. Otherwise from the first column such as `partition` that has splits only.
    pub(super) fn splits_from_flags(&mut self) {
        let found = flag_columns(
            0..self.extra.len(),
            |column| self.extra[column].name.clone(),
            |column| self.extra[column].values.iter(),
        );
        let columns: Vec<(Split, &ExtraColumn)> =
            found.into_iter().map(|(split, column)| (split, &self.extra[column])).collect();
        let of = |row: usize| {
            let flags: Vec<(Split, bool)> = columns
                .iter()
                .map(|(split, column)| (*split, flag(&column.values[row]) == Some(true)))
                .collect();
            of_flags(&flags)
        };
        if !columns.is_empty() {
            let splits: Vec<Option<Split>> = (0..self.samples.len()).map(of).collect();
            self.contradictory = splits.iter().filter(|split| split.is_none()).count() as u64;
            self.in_none = splits.iter().filter(|split| **split == Some(Split::None)).count() as u64;
            self.split_flags = columns.iter().map(|(_, column)| column.name.clone()).collect();
            self.samples
                .iter_mut()
                .zip(splits)
                .for_each(|(sample, split)| sample.split = split.unwrap_or_default());
            return;
        }
        let named =
            |column: &&ExtraColumn| are_splits(&column.name, column.values.iter().map(String::as_str));
        if let Some(column) = self.extra.iter().find(named) {
            for (sample, value) in self.samples.iter_mut().zip(&column.values) {
                sample.split = split_named(value.trim()).unwrap_or_default();
            }
            self.split_names = Some(column.name.clone());
        }
    }

    /// The rows as samples below `root`, in the order in which they were added, and what is to be said of them: splits
    /// with other names, and paths that are repeated.
    ///
    /// # Errors
    /// When there are no rows: `file` has none.
    pub(super) fn finish(mut self, root: PathBuf, file: &Path) -> Result<(Manifest, Ledger)> {
        if self.samples.is_empty() {
            let message = "the table has a header but no rows".into();
            return Err(Error::Dataset { path: file.to_path_buf(), message });
        }
        let mut ledger = Ledger { found: self.samples.len() as u64, ..Ledger::default() };
        self.whole_numbers(&mut ledger);
        self.split_remarks(&mut ledger);
        self.label_remarks(&mut ledger);
        self.unite(&root);
        self.tell_repeated(&mut ledger);
        let manifest = Manifest::new(root, self.samples).with_extra(self.extra);
        // Flags say splits, and are not written like those; a column that was found stays among the others.
        let manifest = match self.split_flags.is_empty() && self.split_names.is_none() {
            true => manifest.with_written_splits(self.splits.finish()),
            false => manifest,
        };
        Ok((manifest, ledger))
    }

    /// Takes the decimal places off labels that are whole numbers, all of them: programs write these where a label is missing.
    fn whole_numbers(&mut self, ledger: &mut Ledger) {
        // What a schema names is a name.
        if self.no_label != Some(EMPTY) {
            return;
        }
        let labels = || self.samples.iter().filter_map(|sample| sample.label.as_deref());
        let none = |label: &str| label.trim().is_empty() || label.trim().eq_ignore_ascii_case("nan");
        let decimal = |label: &&str| label.contains('.');
        let Some(first) = labels().find(decimal).map(str::to_owned) else { return };
        if !labels().all(|label| none(label) || whole(label).is_some()) {
            return;
        }
        let count = labels().filter(decimal).count() as u64;
        let (labels, were) = (
            counted(count, "label is a whole number", "labels are whole numbers"),
            if count == 1 { "was" } else { "were" },
        );
        let text = format!(
            "{labels} with decimal places and {were} read without these: '{}' as '{}'",
            excerpt(&first),
            excerpt(whole(&first).unwrap_or_default())
        );
        ledger.add(RemarkKind::ClassesMerged, count, text);
        for sample in &mut self.samples {
            let short = sample.label.as_deref().and_then(whole).map(str::to_owned);
            if short.is_some() {
                sample.label = short;
            }
        }
    }

    /// Gives rows of one file one path, the first that is written: `./1.jpg` and an absolute path may be those of `1.jpg`.
    fn unite(&mut self, root: &Path) {
        let mut first: HashMap<PathBuf, usize> = HashMap::with_capacity(self.samples.len());
        for row in 0..self.samples.len() {
            let known = *first.entry(root.join(&self.samples[row].path)).or_insert(row);
            if self.samples[known].path.as_os_str() != self.samples[row].path.as_os_str() {
                self.samples[row].path = self.samples[known].path.clone();
            }
        }
    }

    /// Says which paths are repeated, and which of them with different labels.
    fn tell_repeated(&self, ledger: &mut Ledger) {
        let mut different: HashSet<&Path> = HashSet::new();
        let paths = self.samples.iter().map(|sample| sample.path.as_path());
        let repeats: Vec<&Path> = paths.filter(|path| !different.insert(path)).collect();
        let Some(first) = repeats.first() else { return };
        let repeated = repeats.len() as u64;
        let rows = counted(repeated, "row repeats", "rows repeat");
        let text = format!("{rows} the path of an earlier row: {}", excerpt_path(first));
        ledger.add(RemarkKind::RowsRepeated, repeated, text);
        let repeats: HashSet<&Path> = repeats.into_iter().collect();
        let mut labels = Contradictions::default();
        for sample in self.samples.iter().filter(|sample| repeats.contains(sample.path.as_path())) {
            labels.add(&sample.path, sample.label.as_deref().unwrap_or_default());
        }
        labels.tell(", and each of these rows counts as a sample", ledger);
    }

    /// Says how many rows have no label.
    fn label_remarks(&self, ledger: &mut Ledger) {
        let bare = self.samples.iter().filter(|sample| sample.label.is_none()).count() as u64;
        let bare = bare.saturating_sub(self.told);
        if let Some(words) = self.no_label {
            let rows = counted(bare, "row has no label", "rows have no label");
            ledger.add(RemarkKind::ClassesMerged, bare, format!("{rows}, as {words}"));
        }
    }

    fn split_remarks(&self, ledger: &mut Ledger) {
        if !self.split_flags.is_empty() {
            let (columns, were) =
                if self.split_flags.len() == 1 { ("column", "was") } else { ("columns", "were") };
            let text = format!(
                "the {columns} {} of 0 and 1 {were} taken for the splits; --split-column chooses another column",
                quoted_names(&self.split_flags)
            );
            ledger.add(RemarkKind::LayoutGuessed, self.samples.len() as u64, text);
        }
        if let Some(column) = &self.split_names {
            let text = format!(
                "the splits were taken from the column '{}'; --split-column chooses another",
                excerpt(column)
            );
            ledger.add(RemarkKind::LayoutGuessed, 1, text);
        }
        tell_contradictory(self.contradictory, None, &self.split_flags, ledger);
        tell_in_none(self.in_none, None, &self.split_flags, ledger);
        if let Some(column) = &self.asked
            && self.samples.iter().all(|sample| sample.split == Split::None)
        {
            let text = format!(
                "the column '{}' of --split-column gives no row a split: write train, validation or test in it",
                excerpt(column)
            );
            ledger.add(RemarkKind::LayoutDoubtful, self.samples.len() as u64, text);
        }
        if !self.unusual.is_empty() {
            let shown = |(name, split): (&String, &Split)| format!("{} as {split}", excerpt(name));
            let names: Vec<String> = self.unusual.iter().take(SHOWN).map(shown).collect();
            let more = if self.unusual.len() > SHOWN { ", …" } else { "" };
            let text = format!("splits were recognized by their names: {}{more}", names.join(", "));
            ledger.add(RemarkKind::LayoutGuessed, self.unusual.len() as u64, text);
        }
        let rows: u64 = self.strange.values().sum();
        if rows > 0 {
            let names = self.strange.keys().take(SHOWN).map(|name| format!("'{}'", excerpt(name)));
            let names: Vec<String> = names.collect();
            let more = if self.strange.len() > SHOWN { ", …" } else { "" };
            let (rows_have, names) = (counted(rows, "row has", "rows have"), names.join(", "));
            let text = format!(
                "{rows_have} a split other than train, validation or test, which counts as none: {names}{more}"
            );
            ledger.add(RemarkKind::LayoutGuessed, rows, text);
        }
    }
}

/// A whole number without decimal places, if a text is one: `1` of `1.00`.
fn whole(text: &str) -> Option<&str> {
    let text = text.trim();
    let (digits, places) = text.split_once('.').unwrap_or((text, "0"));
    let are = |text: &str, fits: fn(u8) -> bool| !text.is_empty() && text.bytes().all(fits);
    let is_whole = are(digits.strip_prefix('-').unwrap_or(digits), |byte| byte.is_ascii_digit());
    (is_whole && are(places, |byte| byte == b'0')).then_some(digits)
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
