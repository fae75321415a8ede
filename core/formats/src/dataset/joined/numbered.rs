//! Columns of numbers in a table of labels, by which images are known only where their file names are numbers.

use super::candidate::Candidate;
use super::ways::{By, Way, ways};
use crate::ends::Place;
use crate::headings::is_id;
use crate::text::Sheet;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::excerpt;
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeSet;

/// Other columns of ids that name as many images by the numbers in their file names as `best` does, under whatever heading.
/// One that counts the rows of the table is none of them, unless `best` counts them as well.
pub(super) fn rivals(
    sheet: &Sheet,
    candidates: &[Candidate],
    more: &[usize],
    best: &Candidate,
    manifest: &Manifest,
) -> Vec<Candidate> {
    let known = candidates.iter().map(|one| one.column);
    let columns: BTreeSet<usize> = known.chain(more.iter().copied()).collect();
    let by_number = |column: usize| {
        let way = ways(sheet, column, manifest, &[]).into_iter().find(|way| way.by == By::Number)?;
        Some(Candidate { column, way })
    };
    let is_rival = |column: &usize| *column != best.column && is_id(&sheet.headings[*column]);
    let as_many = |one: &Candidate| one.way.found > 0 && one.way.found >= best.way.found;
    let best_counts = counts_rows(sheet, best.column);
    (columns.into_iter().filter(is_rival))
        .filter(|&column| best_counts || !counts_rows(sheet, column))
        .filter_map(by_number)
        .filter(as_many)
        .collect()
}

/// Says so where numbers would name every image if they were one more or one less than they are: one side counts from 0 and
/// the other from 1.
pub(super) fn one_off(sheet: &Sheet, best: &Candidate, manifest: &Manifest) -> Option<String> {
    let all_named = |way: &Way| way.places.iter().all(|place| matches!(place, Place::At(_)));
    if best.way.by == By::Path || all_named(&best.way) || sheet.len() != manifest.len() {
        return None;
    }
    let cells = (0..sheet.len()).map(|row| sheet.text(row, best.column).trim().parse::<u64>().ok());
    let rows: BTreeSet<u64> = cells.collect::<Option<_>>()?;
    let names = manifest.ids().map(|id| number_of(manifest, id));
    let files: BTreeSet<u64> = names.collect::<Option<_>>()?;
    let shifted = |one: &BTreeSet<u64>, other: &BTreeSet<u64>| {
        one.len() == sheet.len() && one.iter().map(|number| number + 1).eq(other.iter().copied())
    };
    (shifted(&rows, &files) || shifted(&files, &rows)).then(|| {
        let [first, last] = [rows.first(), rows.last()].map(|number| number.copied().unwrap_or_default());
        let [least, most] = [files.first(), files.last()].map(|number| number.copied().unwrap_or_default());
        format!(
            "the numbers in column '{}' go from {first} to {last}, and those in the file names from {least} to {most}, so it is \
             unknown which image a number means",
            excerpt(&sheet.headings[best.column]),
        )
    })
}

/// The number that is the whole name of a file.
fn number_of(manifest: &Manifest, id: SampleId) -> Option<u64> {
    manifest.path(id).file_stem()?.to_str()?.parse().ok()
}

/// Whether a column counts the rows of the table from 0 or 1.
fn counts_rows(sheet: &Sheet, column: usize) -> bool {
    let number = |row: usize| sheet.text(row, column).trim().parse::<u64>().ok();
    let first = if sheet.len() > 0 { number(0) } else { None };
    first.is_some_and(|first| {
        first <= 1 && (0..sheet.len()).all(|row| number(row) == Some(first + row as u64))
    })
}
