//! Columns of 0 and 1, one for each class: what is set in a row is its label.

use super::choice::quoted_names;
use super::several::{ALL_LABELS, Label};
use super::split_columns::flagged;
pub(crate) use super::truth_values::{is_clear, is_set};
use chaffinch_data::class_names;
use chaffinch_data::manifest::{ExtraColumn, Manifest};
use chaffinch_protocol::display::counted;
use chaffinch_protocol::{Ledger, RemarkKind};

/// Columns of 0 and 1 that say the labels of a table.
pub(super) struct Flags {
    /// Their places among the columns that were looked at.
    pub(super) columns: Vec<usize>,
    names: Vec<String>,
    rows: u64,
    none: u64,
    pub(super) several: u64,
}

impl Flags {
    /// Those of a table, and the label of each of its rows; `None` if there are fewer than two.
    pub(super) fn of(table: &[ExtraColumn], rows: usize) -> Option<(Flags, Vec<Label>)> {
        // What is held out is not a class.
        let is = |column: &usize| {
            flagged(&table[*column].name).is_none()
                && are_flags(table[*column].values.iter().map(String::as_str))
        };
        let columns: Vec<usize> = (0..table.len()).filter(is).collect();
        if columns.len() < 2 {
            return None;
        }
        let names: Vec<String> = columns.iter().map(|&column| table[column].name.clone()).collect();
        let label = |row: usize| {
            let set = columns.iter().filter(|&&column| is_set(&table[column].values[row]));
            let mut set: Vec<String> = set.map(|&column| table[column].name.clone()).collect();
            match set.len() {
                0 => Label::None,
                1 => Label::One(set.swap_remove(0)),
                _ => Label::Several(set),
            }
        };
        let labels: Vec<Label> = (0..rows).map(label).collect();
        let count = |wanted: fn(&Label) -> bool| labels.iter().filter(|label| wanted(label)).count() as u64;
        let none = count(|label| *label == Label::None);
        let several = count(|label| matches!(label, Label::Several(_)));
        Some((Flags { columns, names, rows: rows as u64, none, several }, labels))
    }

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

/// The columns of 0 and 1 that say the labels of a dataset without a column of labels, by their places among those that are
/// kept; none if labels are from elsewhere.
pub(crate) fn that_say_labels(manifest: &Manifest) -> Vec<usize> {
    let Some((flags, labels)) = Flags::of(manifest.extra(), manifest.len()) else { return Vec::new() };
    let same = |(id, label): (_, &Label)| {
        class_names::same(manifest.label_name(id), label.name().unwrap_or_default())
    };
    if manifest.ids().zip(&labels).all(same) { flags.columns } else { Vec::new() }
}

/// Whether all values of a column are 0 and 1, and both occur.
pub(crate) fn are_flags<'v>(mut values: impl Iterator<Item = &'v str>) -> bool {
    let (mut some, mut all) = (false, true);
    let fits = values.all(|value| {
        some |= is_set(value);
        all &= is_set(value);
        is_set(value) || is_clear(value)
    });
    fits && some && !all
}

/// How a column writes that a picture has its class, and that it does not: as its first cells do.
pub(crate) fn words<'v>(values: impl Iterator<Item = &'v str> + Clone) -> [&'v str; 2] {
    let first = |wanted: fn(&str) -> bool| values.clone().find(|value| wanted(value));
    // What is empty is filled where the others are.
    let clear = first(|value| is_clear(value) && !value.trim().is_empty()).or_else(|| first(is_clear));
    [first(is_set).unwrap_or("1"), clear.unwrap_or("0")]
}

/// What a cell becomes where its class is the label, or is not; `None` if it says that already.
pub(crate) fn cell<'w>(old: &str, is: bool, words: [&'w str; 2]) -> Option<&'w str> {
    (is_set(old) != is).then_some(words[usize::from(!is)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_change_in_the_words_of_their_column() {
        for (column, expected) in [
            (&["0", "1", ""][..], ["1", "0"]),
            (&["1.0", "", "0.0"], ["1.0", "0.0"]),
            (&["False", "True"], ["True", "False"]),
            (&["", "1"], ["1", ""]),
        ] {
            assert!(are_flags(column.iter().copied()), "{column:?}");
            assert_eq!(words(column.iter().copied()), expected, "{column:?}");
        }
        for column in [&["0", "0"][..], &["1", "1"], &["0", "2"], &[]] {
            assert!(!are_flags(column.iter().copied()), "{column:?}");
        }
        assert_eq!((cell("1", false, ["1", "0"]), cell("true", true, ["1", "0"])), (Some("0"), None));
    }
}
