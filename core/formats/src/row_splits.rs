//! The splits that rows of another program's file say of themselves: a row of one split means no sample of another.

use crate::dataset::{SaidSplits, SplitCell, may_say_splits, split_named};
use crate::ends::{may_mean, other_word};
use crate::headings::is_id;
use crate::side_column::SideColumn;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::sample::{SampleId, Split};
use std::borrow::Cow;

/// The split of each row, and the word for one that is none of the usual ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RowSplits(Vec<(Split, String)>);

/// Whether a column under this heading may say splits, so that it is worth reading.
pub(crate) fn is_worth_reading(heading: &str) -> bool {
    may_say_splits(heading) && !is_of_validity(heading)
}

/// Whether a column beside names is compared with anything, as far as it was read.
pub(crate) fn is_of_use(column: &SideColumn) -> bool {
    let are_splits = || {
        let mut cells = column.cells.iter().map(String::as_str);
        cells.all(|cell| cell.trim().is_empty() || split_named(cell.trim()).is_some())
    };
    is_id(&column.heading) || is_worth_reading(&column.heading) || are_splits()
}

/// Some programs say with it that a picture can be read.
fn is_of_validity(heading: &str) -> bool {
    heading.trim().eq_ignore_ascii_case("is_valid")
}

impl RowSplits {
    /// One for each row; `None` if none says any.
    pub(crate) fn new(splits: impl IntoIterator<Item = Split>) -> Option<RowSplits> {
        RowSplits::of_words(splits.into_iter().map(|split| (split, String::new())))
    }

    /// The same with how each is written, which counts where it is no usual word.
    fn of_words(splits: impl Iterator<Item = (Split, String)>) -> Option<RowSplits> {
        let word = |(split, word): (Split, String)| match split {
            Split::None => (split, other_word(&word).to_owned()),
            _ => (split, String::new()),
        };
        let splits: Vec<(Split, String)> = splits.map(word).collect();
        let says = splits.iter().any(|(split, word)| *split != Split::None || !word.is_empty());
        says.then_some(RowSplits(splits))
    }

    /// What the columns of a table say, by the same rules as in a table of labels.
    pub(crate) fn in_table(
        headings: &[String],
        rows: usize,
        cell: &SplitCell<'_>,
        named_by: Option<usize>,
    ) -> Option<RowSplits> {
        let of_validity = headings.iter().position(|heading| is_of_validity(heading));
        let said = SaidSplits::of(headings, rows, cell, &[named_by, of_validity]);
        let words = (0..rows).map(|row| said.said(row, cell));
        if said.says_any() { RowSplits::of_words(words) } else { None }
    }

    /// What columns beside so many rows say.
    pub(crate) fn beside(side: &[SideColumn], rows: usize) -> Option<RowSplits> {
        let columns: Vec<&SideColumn> = side.iter().filter(|column| column.cells.len() == rows).collect();
        let headings: Vec<String> = columns.iter().map(|column| column.heading.clone()).collect();
        let cell = |row: usize, column: usize| Cow::Borrowed(columns[column].cells[row].as_str());
        RowSplits::in_table(&headings, rows, &cell, None)
    }

    /// What a row says.
    pub(crate) fn of(&self, row: usize) -> Split {
        self.0.get(row).map(|(split, _)| *split).unwrap_or_default()
    }

    /// The same in a word; empty if it says none.
    pub(crate) fn word(&self, row: usize) -> &str {
        match self.0.get(row) {
            Some((Split::None, word)) => word,
            Some((split, _)) => split.name(),
            None => "",
        }
    }

    /// Whether the name in a row may mean a sample: unless it is in another split, and the name is not its whole path. A dataset
    /// without splits in a folder that is called after one is this split.
    pub(crate) fn may_mean(&self, row: usize, name: &[u8], id: SampleId, manifest: &Manifest) -> bool {
        let Some((split, word)) = self.0.get(row) else { return true };
        may_mean((name, *split, word), id, manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_data::manifest::NewSample;

    fn column(heading: &str, cells: &[&str]) -> SideColumn {
        let cells = cells.iter().map(|cell| (*cell).to_owned()).collect();
        SideColumn { heading: heading.to_owned(), cells }
    }

    #[test]
    fn splits_are_said_as_in_a_table_of_labels() {
        let (train, test) = (Split::Train, Split::Test);
        for heading in ["split", "Subset", "partition", "set", "fold", "phase", "data_split", "usage"] {
            let said = RowSplits::beside(&[column(heading, &["train", "test", ""])], 3).unwrap();
            assert_eq!([0, 1, 2].map(|row| said.of(row)), [train, test, Split::None], "{heading}");
        }
        for (heading, one, none) in [("is_train", train, test), ("is_test", test, train)] {
            let said = RowSplits::beside(&[column(heading, &["1", "False"])], 2).unwrap();
            assert_eq!([0, 1].map(|row| said.of(row)), [one, none], "{heading}");
        }
        for other in [
            ("is_valid", ["1", "0"]),
            ("class", ["train", "cat"]),
            ("split", ["", "None"]),
            ("split", ["0", "1"]),
        ] {
            assert_eq!(RowSplits::beside(&[column(other.0, &other.1)], 2), None, "{other:?}");
        }
        assert_eq!(RowSplits::beside(&[column("split", &["train"])], 2), None, "of other rows");
    }

    #[test]
    fn another_word_is_another_split() {
        let sample = |path: &str, split| NewSample { path: path.into(), label: None, split };
        let said = RowSplits::beside(&[column("split", &["extra", "train", "none"])], 3).unwrap();
        assert_eq!([0, 1, 2].map(|row| said.word(row)), ["extra", "train", ""]);
        let may = |manifest: &Manifest| {
            [0, 1, 2].map(|row| said.may_mean(row, b"cat/0.jpg", SampleId(0), manifest))
        };
        let of = |root: &str, split| Manifest::new(root, [sample("x/cat/0.jpg", split)]);
        assert_eq!(may(&of("/srv/pets", Split::Train)), [false, true, true]);
        assert_eq!(may(&of("/srv/pets-train", Split::None)), [false, true, true]);
        assert_eq!(may(&of("/srv/pets", Split::None)), [true; 3], "a dataset without splits");
    }

    #[test]
    fn a_row_of_one_split_means_no_sample_of_another() {
        let sample = |path: &str, split| NewSample { path: path.into(), label: None, split };
        let train = RowSplits::new([Split::Train]).unwrap();
        let manifest = Manifest::new("/pets", [sample("test/cat/0.jpg", Split::Test)]);
        let may = |name: &str| train.may_mean(0, name.as_bytes(), SampleId(0), &manifest);
        assert!(!may("cat/0.jpg") && !may("0") && may("/old/test/cat/0.jpg") && may(r"test\cat\0.jpg"));
        for (folder, is) in [("test", false), ("pets-test", false), ("train2017", true), ("pets", true)] {
            let root = format!("/srv/{folder}");
            let manifest = Manifest::new(&root, [sample("cat/0.jpg", Split::None)]);
            let may = |name: &str| train.may_mean(0, name.as_bytes(), SampleId(0), &manifest);
            assert_eq!(may("cat/0.jpg"), is, "{folder}");
            assert!(may(&format!("{root}/cat/0.jpg")), "{folder}");
        }
    }
}
