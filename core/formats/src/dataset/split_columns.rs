//! Columns that say splits under a name that does not say it for sure: they are taken where every value is one.

use super::names_of_parts::split_named;
use crate::text::truth;
use chaffinch_protocol::sample::Split;
use std::collections::BTreeSet;

/// Columns that may hold the splits, in this order.
pub(crate) const SPLIT_NAMES: [&str; 2] = ["split", "subset"];

/// Names of columns that hold splits in some tables, and something else in others.
const MAYBE: [&str; 9] = [
    "set",
    "partition",
    "fold",
    "phase",
    "data_split",
    "dataset_split",
    "image_split",
    "dataset_type",
    "data_type",
];
/// Names of columns of 0 and 1, and what 1 says there.
const FLAGS: [(&str, Split); 13] = [
    ("is_valid", Split::Validation),
    ("is_val", Split::Validation),
    ("is_validation", Split::Validation),
    ("is_test", Split::Test),
    ("is_train", Split::Train),
    ("is_training", Split::Train),
    ("in_train", Split::Train),
    ("in_val", Split::Validation),
    ("in_test", Split::Test),
    ("train", Split::Train),
    ("val", Split::Validation),
    ("validation", Split::Validation),
    ("test", Split::Test),
];
/// Those that may be the names of classes as well, as which one of them stands beside others.
const PLAIN: [&str; 4] = ["train", "val", "validation", "test"];

/// Whether a column under this heading may hold splits, or say them by 0 and 1.
pub(crate) fn may_say_splits(heading: &str) -> bool {
    let is = |name: &&str| heading.trim().eq_ignore_ascii_case(name);
    SPLIT_NAMES.iter().any(is) || MAYBE.iter().any(is) || flagged(heading).is_some()
}

/// Which splits the values of a column name, as long as each names one or is empty.
#[derive(Clone)]
pub(super) struct Held {
    may_hold: bool,
    fits: bool,
    splits: BTreeSet<Split>,
}

impl Held {
    /// Of a column under a heading, before any value.
    pub(super) fn new(heading: &str) -> Held {
        let may_hold = MAYBE.iter().any(|name| heading.trim().eq_ignore_ascii_case(name));
        Held { may_hold, fits: true, splits: BTreeSet::new() }
    }

    /// Looks at a value. Returns whether the column may still hold splits.
    pub(super) fn see(&mut self, value: &str) -> bool {
        if self.fits && !value.trim().is_empty() {
            match split_named(value.trim()) {
                Some(split) => _ = self.splits.insert(split),
                None => self.fits = false,
            }
        }
        self.fits
    }

    /// Whether it holds splits: under a name that may say so any, under another at least two different ones.
    pub(super) fn is_of_splits(&self) -> bool {
        let least = if self.may_hold { 1 } else { 2 };
        self.fits && self.splits.len() >= least
    }
}

/// Whether a column under this heading holds splits and nothing else.
pub(super) fn are_splits<'v>(heading: &str, mut values: impl Iterator<Item = &'v str>) -> bool {
    let mut held = Held::new(heading);
    values.all(|value| held.see(value)) && held.is_of_splits()
}

/// What a cell of a column of splits such as `is_train` says: whether it is set; `None` if it is something else. Nothing is
/// not set.
pub(super) fn flag(value: &str) -> Option<bool> {
    if value.trim().is_empty() { Some(false) } else { truth(value) }
}

/// What a column of 0 and 1 says of splits where it has 1, by its name.
pub(super) fn flagged(heading: &str) -> Option<Split> {
    let is = |(name, _): &&(&str, Split)| heading.trim().eq_ignore_ascii_case(name);
    FLAGS.iter().find(is).map(|(_, split)| *split)
}

/// What a column of such cells says of splits where it is set, and whether it is anywhere: by its heading, as long as every
/// cell is one.
fn flagged_in<V: AsRef<str>>(heading: &str, mut cells: impl Iterator<Item = V>) -> Option<(Split, bool)> {
    let split = flagged(heading)?;
    let mut is_set = false;
    let are_flags = cells.all(|cell| {
        let said = flag(cell.as_ref());
        is_set |= said == Some(true);
        said.is_some()
    });
    are_flags.then_some((split, is_set))
}

/// The columns of such cells, with what each says where it is set; none if nothing is set in any. One in which nothing is set
/// says what the rows of the others are not.
pub(super) fn flag_columns<V: AsRef<str>, C: Iterator<Item = V>>(
    columns: impl Iterator<Item = usize>,
    heading: impl Fn(usize) -> String,
    cells: impl Fn(usize) -> C,
) -> Vec<(Split, usize)> {
    let columns: Vec<usize> = columns.collect();
    let of = |&column: &usize| Some((flagged_in(&heading(column), cells(column))?, column));
    let mut found: Vec<((Split, bool), usize)> = columns.iter().filter_map(of).collect();
    let is_plain = |column: usize| PLAIN.iter().any(|name| heading(column).trim().eq_ignore_ascii_case(name));
    // Beside other columns of 0 and 1.
    let is_other = |column: &usize| {
        let are_flags = || cells(*column).all(|cell| flag(cell.as_ref()).is_some());
        found.iter().all(|(_, known)| known != column) && are_flags()
    };
    let plain = found.iter().filter(|(_, column)| is_plain(*column)).count();
    if plain == 1 && columns.iter().any(is_other) {
        found.retain(|(_, column)| !is_plain(*column));
    }
    match found.iter().any(|((_, is_set), _)| *is_set) {
        true => found.into_iter().map(|((split, _), column)| (split, column)).collect(),
        false => Vec::new(),
    }
}

/// The split of a row by its flags: each with what it says where it is set. `None` if they contradict each other.
pub(super) fn of_flags(flags: &[(Split, bool)]) -> Option<Split> {
    let mut set = flags.iter().filter(|(_, is)| *is).map(|(split, _)| *split);
    match (set.next(), set.next()) {
        (Some(one), None) => Some(one),
        (Some(_), Some(_)) => None,
        // What is not held out is for training, and what is not for training is held out, unless other flags say for what.
        (None, _) if flags.iter().all(|(split, _)| *split != Split::Train) => Some(Split::Train),
        (None, _) if flags.len() == 1 => Some(Split::Test),
        (None, _) => Some(Split::None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_hold_splits_where_every_value_is_one() {
        for heading in ["Partition", "usage", "dataset"] {
            assert!(are_splits(heading, ["train", " val ", "", "TEST"].into_iter()), "{heading}");
            for values in [&["0", "1"][..], &["train", "cat"], &["", ""], &[]] {
                assert!(!are_splits(heading, values.iter().copied()), "{values:?}");
            }
        }
        // One word may mean anything under a heading that does not say it.
        assert!(
            are_splits("Partition", ["train"].into_iter()) && !are_splits("vehicle", ["train"].into_iter())
        );
    }

    #[test]
    fn a_column_in_which_nothing_is_set_says_what_the_others_are_not() {
        let table = [
            ("is_train", ["1", "0"]),
            ("is_test", ["0", "0"]),
            ("is_cat", ["1", "0"]),
            ("train", ["1", "0"]),
            ("Test", ["0", "1"]),
        ];
        let of = |columns: &[usize]| {
            let heading = |column: usize| table[column].0.to_owned();
            flag_columns(columns.iter().copied(), heading, |column| table[column].1.into_iter())
        };
        assert_eq!(of(&[3, 4]), [(Split::Train, 3), (Split::Test, 4)]);
        assert_eq!(of(&[2, 3]), Vec::new(), "a class may be called so");
        assert_eq!(of(&[3]), [(Split::Train, 3)]);
        assert_eq!(of(&[0, 1, 2]), [(Split::Train, 0), (Split::Test, 1)]);
        assert_eq!((of(&[0]), of(&[1, 2])), (vec![(Split::Train, 0)], Vec::new()));
    }

    #[test]
    fn flags_say_one_split_or_nothing() {
        assert_eq!((flagged("Is_Valid"), flagged("is_cat")), (Some(Split::Validation), None));
        let of = |flags: &[(Split, bool)]| of_flags(flags);
        assert_eq!(of(&[(Split::Validation, true)]), Some(Split::Validation));
        assert_eq!(of(&[(Split::Validation, false), (Split::Test, false)]), Some(Split::Train));
        assert_eq!(of(&[(Split::Validation, true), (Split::Test, true)]), None);
        assert_eq!(of(&[(Split::Train, false)]), Some(Split::Test));
        assert_eq!(of(&[(Split::Train, false), (Split::Test, false)]), Some(Split::None));
        let said = ["Yes", "1", "true", "T", "no", "0.0", "", "F", "maybe"].map(flag);
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(said, [yes, yes, yes, yes, no, no, no, no, None]);
    }
}
