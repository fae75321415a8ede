//! Columns that say splits under a name that does not say it for sure: they are taken where every value is one.

use super::names_of_parts::split_named;
use chaffinch_protocol::sample::Split;

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
const FLAGS: [(&str, Split); 6] = [
    ("is_valid", Split::Validation),
    ("is_val", Split::Validation),
    ("is_validation", Split::Validation),
    ("is_test", Split::Test),
    ("is_train", Split::Train),
    ("is_training", Split::Train),
];

/// Whether a column may hold splits if all its values are some.
pub(super) fn may_hold(heading: &str) -> bool {
    MAYBE.iter().any(|name| heading.trim().eq_ignore_ascii_case(name))
}

/// Whether all values are splits or empty, and there are some.
pub(super) fn are_splits<'v>(values: impl Iterator<Item = &'v str>) -> bool {
    let mut some = false;
    let mut values = values.map(str::trim).filter(|value| !value.is_empty());
    let all = values.all(|value| {
        some = true;
        split_named(value).is_some()
    });
    all && some
}

/// What a column of 0 and 1 says of splits where it has 1, by its name.
pub(super) fn flagged(heading: &str) -> Option<Split> {
    let is = |(name, _): &&(&str, Split)| heading.trim().eq_ignore_ascii_case(name);
    FLAGS.iter().find(is).map(|(_, split)| *split)
}

/// The split of a row by its flags: each with what it says where it is set. `None` if they contradict each other.
pub(super) fn of_flags(flags: &[(Split, bool)]) -> Option<Split> {
    let mut set = flags.iter().filter(|(_, is)| *is).map(|(split, _)| *split);
    match (set.next(), set.next()) {
        (Some(one), None) => Some(one),
        (Some(_), Some(_)) => None,
        // What is not held out is for training; what is not for training is not known to be anything else.
        (None, _) if flags.iter().all(|(split, _)| *split != Split::Train) => Some(Split::Train),
        (None, _) => Some(Split::None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_hold_splits_where_every_value_is_one() {
        assert!(may_hold("Partition") && !may_hold("label"));
        assert!(are_splits(["train", " val ", "", "TEST"].into_iter()));
        for values in [&["0", "1"][..], &["train", "cat"], &["", ""], &[]] {
            assert!(!are_splits(values.iter().copied()), "{values:?}");
        }
    }

    #[test]
    fn flags_say_one_split_or_nothing() {
        assert_eq!((flagged("Is_Valid"), flagged("is_cat")), (Some(Split::Validation), None));
        let of = |flags: &[(Split, bool)]| of_flags(flags);
        assert_eq!(of(&[(Split::Validation, true)]), Some(Split::Validation));
        assert_eq!(of(&[(Split::Validation, false), (Split::Test, false)]), Some(Split::Train));
        assert_eq!(of(&[(Split::Validation, true), (Split::Test, true)]), None);
        assert_eq!(of(&[(Split::Train, false)]), Some(Split::None));
    }
}
