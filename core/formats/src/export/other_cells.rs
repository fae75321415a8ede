//! The dataset's other columns after cleaning: those that say the labels, in columns of 0 and 1 or in other words, say the
//! new ones.

use super::Export;
use crate::dataset::{Companions, flags};
use crate::text::json_numbers;
use chaffinch_data::class_names;
use chaffinch_data::manifest::ExtraColumn;
use chaffinch_protocol::sample::SampleId;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// A cell of another column as JSON; one of a column that is not text in the dataset is JSON already.
pub(super) fn json_cell(typed: bool, cell: &str) -> Value {
    match typed {
        true if cell.is_empty() => Value::Null,
        // What JSON has no number for, such as NaN, stays a text.
        true => json_numbers::read(cell.as_bytes()).unwrap_or_else(|_| Value::from(cell)),
        false => Value::from(cell),
    }
}

/// Cells of other columns.
pub(super) struct OtherCells<'a> {
    export: Export<'a>,
    /// For each other column how it writes that a picture has its class and that it does not, if that is what it says.
    words: Vec<Option<[&'a str; 2]>>,
    /// New labels that have no column.
    added: Vec<String>,
    /// Columns that go with the labels.
    companions: Companions<'a>,
}

impl<'a> OtherCells<'a> {
    /// Of what is exported.
    pub(super) fn of(export: &Export<'a>) -> OtherCells<'a> {
        let manifest = export.source.manifest;
        let mut words = vec![None; manifest.extra().len()];
        let mut added = BTreeSet::new();
        if let Some(form) = manifest.table().filter(|form| !form.flags.is_empty()) {
            for (place, column) in form.kept().enumerate() {
                if let Some(ExtraColumn { values, .. }) =
                    manifest.extra().get(place).filter(|_| form.flags.contains(&column))
                {
                    words[place] = Some(flags::words(values.iter().map(String::as_str)));
                }
            }
            added.extend(
                manifest.ids().filter(|&id| !export.removed(id)).filter_map(|id| export.new_label(id)),
            );
        }
        let relabels = manifest.ids().any(|id| export.new_label(id).is_some());
        let companions = if relabels { Companions::of(manifest) } else { Companions::default() };
        let mut cells = OtherCells { export: *export, words, added: Vec::new(), companions };
        cells.added =
            added.into_iter().filter(|label| cells.column(label).is_none()).map(Cow::into_owned).collect();
        cells
    }

    /// Whether there are columns of 0 and 1 that say the labels.
    pub(super) fn any(&self) -> bool {
        self.words.iter().any(Option::is_some)
    }

    /// The column of a class.
    fn column(&self, label: &str) -> Option<usize> {
        let extra = self.export.source.manifest.extra();
        (0..self.words.len())
            .find(|&at| self.words[at].is_some() && class_names::same(&extra[at].name, label))
    }

    /// The cell of another column, as it is after cleaning.
    pub(super) fn cell(&self, column: usize, id: SampleId) -> Cow<'a, str> {
        let old = self.export.source.manifest.extra()[column].values[id.index()].as_str();
        let Some(label) = self.export.new_label(id) else { return old.into() };
        match (self.words[column], self.companions.at(column)) {
            (Some(words), _) => {
                flags::cell(old, self.column(&label) == Some(column), words).unwrap_or(old).into()
            }
            (None, Some(companion)) => companion.cell(&label).into(),
            (None, None) => old.into(),
        }
    }

    /// The same as JSON: what was a number, a truth value, a list or an object in the dataset is that again.
    pub(super) fn value(&self, column: usize, id: SampleId) -> Value {
        let manifest = self.export.source.manifest;
        json_cell(manifest.is_typed(&manifest.extra()[column].name), &self.cell(column, id))
    }

    /// The same where some columns are not written.
    #[must_use]
    pub(super) fn without(mut self, headings: &[String]) -> OtherCells<'a> {
        self.companions = self.companions.without(headings);
        self
    }

    /// Which of these columns contradict new labels, in a sentence.
    pub(super) fn contradictions(&self) -> Option<String> {
        let export = &self.export;
        let left = export.source.manifest.ids().filter(|&id| !export.removed(id));
        let new: Vec<(SampleId, Cow<'_, str>)> =
            left.filter_map(|id| Some((id, export.new_label(id)?))).collect();
        let new: Vec<(SampleId, &str)> = new.iter().map(|(id, label)| (*id, &**label)).collect();
        self.companions.left(&new, &|one, label| one.kept(label))
    }

    /// New labels that have no column, each of which gets one.
    pub(super) fn added(&self) -> &[String] {
        &self.added
    }

    /// The cell of a column that a new label gets.
    pub(super) fn added_cell(&self, label: &str, id: SampleId) -> &'a str {
        let [set, clear] = self.words.iter().flatten().next().copied().unwrap_or(["1", "0"]);
        let is = self.export.new_label(id).is_some_and(|new| new == label);
        if is { set } else { clear }
    }
}
