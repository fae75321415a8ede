//! Several labels in a cell: lists, JSON, and texts with a sign between labels.

use crate::text::json_numbers;
use chaffinch_data::class_names::{self, Meaning};
use serde_json::Value;
use std::collections::BTreeSet;

/// Signs between labels, the likeliest first.
const SIGNS: [char; 3] = ['|', ';', ','];

/// The labels in a cell. What is a class as it stands is one label, whatever signs it has in it.
pub(super) fn labels_in(cell: &str, is_class: &dyn Fn(&str) -> bool) -> Vec<String> {
    let cell = cell.trim();
    if cell.is_empty() {
        return Vec::new();
    }
    if is_class(cell) {
        return vec![cell.to_owned()];
    }
    if let Some(all) = listed(cell) {
        return all;
    }
    if let Some(sign) = SIGNS.into_iter().find(|sign| cell.contains(*sign)) {
        let parts = cell.split(sign).map(str::trim).filter(|part| !part.is_empty());
        return parts.map(str::to_owned).collect();
    }
    let words: Vec<&str> = cell.split_whitespace().collect();
    if words.len() > 1 && words.iter().all(|word| is_class(word)) {
        return words.into_iter().map(str::to_owned).collect();
    }
    vec![cell.to_owned()]
}

/// The labels in a cell that is a list; `None` if it is none.
pub(super) fn listed(cell: &str) -> Option<Vec<String>> {
    if cell.starts_with('[')
        && let Ok(Value::Array(all)) = json_numbers::read(cell.as_bytes())
    {
        let nested = |value: &&Value| value.is_array() || value.is_object();
        if all.iter().any(|value| nested(&value)) {
            return None;
        }
        let labels = all.iter().filter(|value| !value.is_null()).map(|value| json_numbers::cell(Some(value)));
        return Some(labels.collect());
    }
    class_names::listed(cell).or_else(|| numbers_of_numpy(cell))
}

/// Numbers with blanks between them in brackets: `[0 2 5]`.
fn numbers_of_numpy(cell: &str) -> Option<Vec<String>> {
    let inside = cell.trim().strip_prefix('[')?.strip_suffix(']')?;
    let words: Vec<&str> = inside.split_whitespace().collect();
    let numbers =
        words.len() > 1 && words.iter().all(|word| word.trim_end_matches('.').parse::<u32>().is_ok());
    numbers.then(|| words.into_iter().map(|word| word.trim_end_matches('.').to_owned()).collect())
}

/// Takes out words for "no label", unless they are classes.
pub(super) fn without_none(rows: &mut [Vec<String>], is_class: &dyn Fn(&str) -> bool) {
    let distinct: BTreeSet<String> = rows.iter().flatten().cloned().collect();
    let names: Vec<String> = distinct.into_iter().collect();
    let meanings = class_names::meanings(&names);
    let none: BTreeSet<&String> = (names.iter().zip(meanings))
        .filter(|(name, meaning)| *meaning == Meaning::NoLabel && !is_class(name))
        .map(|(name, _)| name)
        .collect();
    rows.iter_mut().for_each(|labels| labels.retain(|label| !none.contains(label)));
}

/// Rows that have a 0 or a 1 for each class, instead of labels: all of them, and one has a number twice, which is not a set.
pub(super) fn flags(rows: &[Vec<String>], classes: usize) -> Option<Vec<bool>> {
    let flag = |label: &String| match label.as_str() {
        "1" | "1.0" | "true" | "True" => Some(true),
        "0" | "0.0" | "false" | "False" => Some(false),
        _ => None,
    };
    if rows.iter().any(|labels| labels.len() != classes) {
        return None;
    }
    let repeats = |labels: &Vec<String>| labels.iter().collect::<BTreeSet<_>>().len() < labels.len();
    let all: Option<Vec<bool>> = rows.iter().flatten().map(flag).collect();
    all.filter(|_| rows.iter().any(repeats))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_has_the_labels_that_it_lists_or_separates() {
        let is_class = |text: &str| ["cat", "dog", "tench, Tinca tinca", "3"].contains(&text);
        for (cell, labels) in [
            ("", &[][..]),
            ("cat", &["cat"]),
            ("tench, Tinca tinca", &["tench, Tinca tinca"]),
            ("tench, Tinca tinca|cat", &["tench, Tinca tinca", "cat"]),
            ("cat; dog", &["cat", "dog"]),
            ("cat,dog,", &["cat", "dog"]),
            ("cat dog", &["cat", "dog"]),
            ("cat bird", &["cat bird"]),
            (r#"["cat", "tench, Tinca tinca", null]"#, &["cat", "tench, Tinca tinca"]),
            ("['cat', 'dog']", &["cat", "dog"]),
            ("['cat' 'dog']", &["cat", "dog"]),
            ("[0 2]", &["0", "2"]),
            ("[3]", &["3"]),
            ("[]", &[]),
            ("[cat]", &["[cat]"]),
        ] {
            assert_eq!(labels_in(cell, &is_class), labels, "{cell}");
        }
    }

    #[test]
    fn words_for_no_label_are_none_unless_they_are_classes() {
        let rows =
            || -> Vec<Vec<String>> { vec![vec!["cat".into()], vec!["nan".into()], vec!["unlabeled".into()]] };
        let mut all = rows();
        without_none(&mut all, &|_| false);
        assert_eq!(all, [vec!["cat".to_owned()], vec![], vec![]]);
        let mut all = rows();
        without_none(&mut all, &|name| name == "nan");
        assert_eq!(all[1], ["nan"]);
    }

    #[test]
    fn a_zero_or_a_one_for_each_class_is_told_from_numbers_of_classes() {
        let rows = |rows: &[&[&str]]| -> Vec<Vec<String>> {
            rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect()
        };
        assert_eq!(
            flags(&rows(&[&["0", "1", "1"], &["0", "0", "0"]]), 3),
            Some(vec![false, true, true, false, false, false])
        );
        assert_eq!(flags(&rows(&[&["1.0", "1.0"], &["0.0", "1.0"]]), 2).map(|all| all.len()), Some(4));
        // Both classes, and both again.
        assert_eq!(flags(&rows(&[&["0", "1"], &["1", "0"]]), 2), None);
        assert_eq!(flags(&rows(&[&["0", "1"], &["1"]]), 2), None);
        assert_eq!(flags(&rows(&[&["0", "2", "2"]]), 3), None);
    }
}
