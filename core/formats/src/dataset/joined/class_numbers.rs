//! Labels that are numbers in a table beside a dataset whose classes have these.

use crate::text::{Sheet, as_whole, is_missing};
use chaffinch_data::class_numbers::ClassNumbers;
use chaffinch_data::manifest::Manifest;

/// Whether the labels in a column are the numbers of classes: each is one, and none is the name of a class.
pub(super) fn are_numbers(sheet: &Sheet, label: usize, numbers: &ClassNumbers, manifest: &Manifest) -> bool {
    let is_number = |row: usize| {
        let cell = sheet.text(row, label);
        is_missing(&cell)
            || is_none(&cell)
            || (name(numbers, &cell).is_some() && manifest.find_class(as_whole(cell.trim())).is_none())
    };
    numbers.are_clear() && !numbers.is_empty() && (0..sheet.len()).all(is_number)
}

/// A label that is the name of a class, and by the numbers of classes the number of another one.
pub(super) fn ambiguous<'n>(
    sheet: &Sheet,
    label: usize,
    numbers: &'n ClassNumbers,
    manifest: &Manifest,
) -> Option<(String, &'n str)> {
    (0..sheet.len()).find_map(|row| {
        let cell = sheet.text(row, label);
        let other = name(numbers, &cell)?;
        let own = as_whole(cell.trim());
        (other != own && manifest.find_class(own).is_some()).then(|| (own.to_owned(), other))
    })
}

/// Whether a number says that there is no label.
pub(super) fn is_none(cell: &str) -> bool {
    as_whole(cell.trim()) == "-1"
}

/// The class of a number as a table has it.
pub(super) fn name<'n>(numbers: &'n ClassNumbers, cell: &str) -> Option<&'n str> {
    numbers.name(as_whole(cell.trim()).parse().ok()?)
}

/// A number that no class has, where all labels in a column are numbers.
pub(super) fn other_number(sheet: &Sheet, label: usize, numbers: &ClassNumbers) -> Option<u64> {
    let said =
        (0..sheet.len()).map(|row| sheet.text(row, label)).filter(|cell| !is_missing(cell) && !is_none(cell));
    let all: Vec<u64> = said.map(|cell| as_whole(cell.trim()).parse().ok()).collect::<Option<_>>()?;
    if numbers.are_clear() { all.into_iter().find(|number| numbers.name(*number).is_none()) } else { None }
}
