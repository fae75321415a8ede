//! The columns of 0 and 1 of a table or of Parquet files that are the dataset: what changes in them with the labels.

use super::refusal::refused;
use crate::Result;
use crate::dataset::{NewValue, flags};
use chaffinch_data::as_written::TableForm;
use chaffinch_data::class_names;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::sample::SampleId;
use chaffinch_review::repair::Change;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The columns that say the labels, in the order of the table.
pub(super) struct FlagColumns<'a>(Vec<FlagColumn<'a>>);

struct FlagColumn<'a> {
    heading: &'a str,
    values: &'a [String],
    /// How it writes that a picture has its class, and that it does not.
    words: [&'a str; 2],
}

impl<'a> FlagColumns<'a> {
    /// Those of a table; none if other columns say the labels.
    pub(super) fn of(manifest: &'a Manifest, form: &'a TableForm) -> FlagColumns<'a> {
        let column = |&column: &usize| {
            let place = form.kept().position(|kept| kept == column)?;
            let values = manifest.extra().get(place)?.values.as_slice();
            let words = flags::words(values.iter().map(String::as_str));
            Some(FlagColumn { heading: &form.columns[column], values, words })
        };
        FlagColumns(form.flags.iter().filter_map(column).collect())
    }

    /// Those of files without columns of labels, which have them among the columns that are kept at these places.
    pub(super) fn at(manifest: &'a Manifest, places: &[usize]) -> FlagColumns<'a> {
        let column = |&place: &usize| {
            let column = manifest.extra().get(place)?;
            let words = flags::words(column.values.iter().map(String::as_str));
            Some(FlagColumn { heading: &column.name, values: &column.values, words })
        };
        FlagColumns(places.iter().filter_map(column).collect())
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn own(&self, label: &str) -> Option<usize> {
        self.0.iter().position(|column| class_names::same(column.heading, label))
    }

    /// The values that change in the row of a sample that gets another label.
    pub(super) fn changed(&self, row: usize, label: &str) -> Vec<NewValue> {
        let own = self.own(label);
        let value = |heading: &str, text: &str| NewValue {
            heading: heading.to_owned(),
            text: text.to_owned(),
            bare: true,
        };
        let mut changed = Vec::new();
        for (at, column) in self.0.iter().enumerate() {
            let cell = flags::cell(&column.values[row], own == Some(at), column.words);
            changed.extend(cell.map(|cell| value(column.heading, cell)));
        }
        if let (None, Some(first)) = (own, self.0.first()) {
            changed.push(value(label, first.words[0]));
        }
        changed
    }

    /// Refuses what would leave columns that cannot be told from others: labels are read from columns of 0 and 1 in
    /// which both occur, if there are at least two.
    ///
    /// # Errors
    /// When the table would be read in another way than it is meant.
    pub(super) fn stay(
        &self,
        file: &Path,
        manifest: &Manifest,
        changes: &BTreeMap<SampleId, &Change>,
    ) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut set = vec![0_u64; self.0.len()];
        let (mut rows, mut added) = (0_u64, BTreeSet::new());
        for id in manifest.ids() {
            let change = changes.get(&id);
            if change.is_some_and(|change| change.remove) {
                continue;
            }
            rows += 1;
            let label = change.and_then(|change| change.to_label.as_deref());
            let own = label.map(|label| self.own(label));
            added.extend(label.filter(|_| own == Some(None)));
            for (at, column) in self.0.iter().enumerate() {
                let is = match own {
                    Some(own) => own == Some(at),
                    None => flags::is_set(&column.values[id.index()]),
                };
                set[at] += u64::from(is);
            }
        }
        let full = set.contains(&rows);
        let left = set.iter().filter(|&&count| count > 0 && count < rows).count() + added.len();
        if rows > 0 && (full || left < 2) {
            let message = "after these changes, its columns of 0 and 1 would say one class of all pictures, and could not be \
                           told from other columns; give the table a column of labels first";
            return Err(refused(file, message));
        }
        Ok(())
    }
}
