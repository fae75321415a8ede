//! Columns of a table of labels that name the images by what is in them, whatever they are called.

use super::candidate::Candidate;
use super::ways::{By, ways};
use crate::dataset::DatasetOptions;
use crate::dataset::choice::{self, LABEL_NAMES};
use crate::headings::same;
use crate::text::Sheet;
use chaffinch_data::manifest::Manifest;

/// The columns of texts of which most are paths or names of images, but for those of labels.
pub(super) fn columns(sheet: &Sheet, options: &DatasetOptions, manifest: &Manifest) -> Vec<Candidate> {
    let labels = labels(sheet, options);
    let named = |column: usize| {
        let found = ways(sheet, column, manifest, &[]).into_iter();
        let found = found.filter(|way| matches!(way.by, By::Path | By::Stem)).enumerate();
        let way = found.max_by_key(|(at, way)| (way.found, std::cmp::Reverse(*at)));
        way.map(|(_, way)| Candidate { column, way })
    };
    (0..sheet.headings.len())
        .filter(|column| !labels.contains(column) && !counts(sheet, *column))
        .filter_map(named)
        .filter(|one| one.joins(sheet))
        .collect()
}

/// The columns that are called like labels.
fn labels(sheet: &Sheet, options: &DatasetOptions) -> Vec<usize> {
    match &options.label_column {
        Some(name) => {
            (0..sheet.headings.len()).filter(|&column| same(name, &sheet.headings[column])).collect()
        }
        None => choice::named(&sheet.headings, &LABEL_NAMES),
    }
}

/// Whether a column is called like labels.
pub(super) fn has_labels(sheet: &Sheet, options: &DatasetOptions) -> bool {
    !labels(sheet, options).is_empty()
}

/// Whether a column has nothing but numbers as programs write them, which may count anything: 0007 is a name.
pub(super) fn counts(sheet: &Sheet, column: usize) -> bool {
    (0..sheet.len()).all(|row| {
        let cell = sheet.text(row, column);
        let digits = cell.trim().trim_start_matches(['-', '+']).as_bytes();
        let padded = matches!(digits, [b'0', second, ..] if second.is_ascii_digit());
        cell.trim().is_empty() || (cell.trim().parse::<f64>().is_ok() && !padded)
    })
}
