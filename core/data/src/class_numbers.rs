//! The numbers that a dataset gives to its classes, by which programs that were trained on it call them.

use crate::class_names;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name of each number: of a schema, a list of names, or categories with ids. Samples need not have all of these classes, and
/// numbers need not count up from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClassNumbers(BTreeMap<u64, String>);

impl ClassNumbers {
    /// Of a list whose places are the numbers. Entries without a name have none.
    pub fn of_list<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> ClassNumbers {
        ClassNumbers::of_ids((0..).zip(names))
    }

    /// Of names with ids.
    pub fn of_ids<S: AsRef<str>>(names: impl IntoIterator<Item = (u64, S)>) -> ClassNumbers {
        let cleaned =
            names.into_iter().map(|(id, name)| (id, class_names::clean(name.as_ref()).into_owned()));
        ClassNumbers(cleaned.filter(|(_, name)| !name.is_empty()).collect())
    }

    /// Whether the dataset has no numbers of its own.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many classes have one.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The class of a number.
    pub fn name(&self, number: u64) -> Option<&str> {
        self.0.get(&number).map(String::as_str)
    }

    /// The names in the order of their numbers.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }

    /// The numbers with their names, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &str)> {
        self.0.iter().map(|(number, name)| (*number, name.as_str()))
    }

    /// The number of a class; the first of several.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.iter().find(|(_, own)| *own == name).map(|(number, _)| number)
    }

    /// Whether they count up from 0.
    pub fn are_places(&self) -> bool {
        self.0.keys().copied().eq(0..self.0.len() as u64)
    }

    /// Whether each name has one number, and numbers are not names themselves.
    pub fn are_clear(&self) -> bool {
        let mut names: Vec<&str> = self.names().collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        names.len() == all && names.iter().all(|name| name.parse::<i64>().is_err())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_places_only_if_they_count_up_from_0() {
        let list = ClassNumbers::of_list(["cow", " ant "]);
        assert!(list.are_places() && list.are_clear());
        assert_eq!((list.name(1), list.name(2)), (Some("ant"), None));
        assert_eq!(list.names().collect::<Vec<_>>(), ["cow", "ant"]);
        assert!(!ClassNumbers::of_ids([(1, "cow"), (2, "ant")]).are_places());
        assert!(!ClassNumbers::of_list(["cow", "", "ant"]).are_places());
        assert!(!ClassNumbers::of_list(["cow", "cow"]).are_clear());
        assert!(!ClassNumbers::of_list(["1", "0"]).are_clear());
    }
}
