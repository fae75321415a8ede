//! Which sample a row of a table is about.

use super::{Read, Target, file_name};
use crate::text::Sheet;
use crate::{Error, Result};
use chaffinch_protocol::display::{counted, safe_text};
use chaffinch_protocol::sample::SampleId;

/// Columns that hold paths, in this order.
pub(super) const PATHS: [&str; 14] = [
    "path",
    "image_path",
    "file_path",
    "filepath",
    "file_path_abs",
    "filename",
    "file_name",
    "file",
    "img_path",
    "image_name",
    "image",
    "img",
    "fname",
    "image_file",
];

/// Whether pandas or another program wrote the names or numbers of rows under this heading.
pub(super) fn is_index(heading: &str) -> bool {
    matches!(heading.to_ascii_lowercase().as_str(), "" | "unnamed: 0" | "index" | "level_0" | "row")
}

/// The column that names the samples, if there is one: by its name, or the first one if it is an index of names.
pub(super) fn path_column(sheet: &Sheet) -> Option<usize> {
    let index = sheet.headings.first().is_some_and(|heading| is_index(heading));
    let names = |row: usize| sheet.text(row, 0).parse::<f64>().is_err();
    let index = (index && sheet.len() > 0 && (0..sheet.len()).all(names)).then_some(0);
    sheet.any_column(&PATHS).or(index)
}

/// The sample of each row: by the column of paths; without one by the number of the row, as the index counts it, or as
/// the rows follow each other if there are as many of them as samples.
///
/// # Errors
/// When the rows cannot be told to be those of the samples.
pub(super) fn samples(sheet: &Sheet, target: &Target<'_>, read: &mut Read) -> Result<Vec<Option<SampleId>>> {
    let samples = target.manifest.len();
    let file = sheet.path();
    if sheet.len() == 0 {
        return Err(Error::format(file, "the table has a header but no rows"));
    }
    if let Some(column) = path_column(sheet) {
        let names: Vec<Vec<u8>> = (0..sheet.len())
            .map(|row| match std::str::from_utf8(sheet.bytes(row, column)) {
                Ok(_) => sheet.text(row, column).as_bytes().to_vec(),
                Err(_) => sheet.bytes(row, column).to_vec(),
            })
            .collect();
        let found = target.samples(file, &names, read)?;
        repeated(sheet, column, &found, read);
        left_out(sheet, target, &found, read);
        return Ok(found);
    }
    let index = sheet.headings.iter().position(|heading| is_index(heading));
    let rows = counted(sheet.len() as u64, "row", "rows");
    let Some(index) = index else {
        if sheet.len() != samples {
            let samples = counted(samples as u64, "sample", "samples");
            let message = format!(
                "it has {rows} for {samples}, and no column of paths or row numbers to tell which they are; write the \
                 table with its index, or add a column path"
            );
            return Err(Error::format(file, message));
        }
        read.notes.push(format!("the rows of {} were taken in the order of the samples", file_name(file)));
        return Ok(target.manifest.ids().map(Some).collect());
    };
    // R and spreadsheets count from 1.
    let last = sheet.text(sheet.len() - 1, index);
    let from_one = sheet.len() == samples && sheet.text(0, index) == "1" && last == samples.to_string();
    let mut numbers: Vec<u32> = Vec::with_capacity(sheet.len());
    for row in 0..sheet.len() {
        let number: u32 =
            sheet.text(row, index).parse().map_err(|_| sheet.odd_cell(row, index, "the number of a row"))?;
        let number = if from_one { number.saturating_sub(1) } else { number };
        if numbers.last().is_some_and(|last| number <= *last) {
            let (line, number) = (sheet.line(row), number);
            let message = format!(
                "line {line}: the row numbers do not count up ({number} follows {}), so it is unknown which samples they \
                 are; add a column path",
                numbers.last().copied().unwrap_or_default()
            );
            return Err(Error::format(file, message));
        }
        if number as usize >= samples {
            let line = sheet.line(row);
            let message = format!(
                "line {line} is about row {number}, but there are only {}, counted from 0",
                counted(samples as u64, "sample", "samples")
            );
            return Err(Error::format(file, message));
        }
        numbers.push(number);
    }
    let found: Vec<Option<SampleId>> = numbers.into_iter().map(|number| Some(SampleId(number))).collect();
    read.notes.push(format!("the rows of {} were taken for samples by their numbers", file_name(file)));
    left_out(sheet, target, &found, read);
    Ok(found)
}

/// Says that paths are repeated.
fn repeated(sheet: &Sheet, column: usize, found: &[Option<SampleId>], read: &mut Read) {
    let mut seen = std::collections::HashSet::new();
    let again: Vec<usize> =
        (0..found.len()).filter(|&row| found[row].is_some_and(|id| !seen.insert(id))).collect();
    if let Some(&first) = again.first() {
        let rows = counted(again.len() as u64, "row of", "rows of");
        let verb = if again.len() == 1 { "repeats" } else { "repeat" };
        let (file, name) = (file_name(sheet.path()), safe_text(&sheet.text(first, column)).into_owned());
        read.warnings
            .push(format!("{rows} {file} {verb} an earlier one; of each sample the worst counts: {name}"));
    }
}

/// Says of how many samples nothing is said.
fn left_out(sheet: &Sheet, target: &Target<'_>, found: &[Option<SampleId>], read: &mut Read) {
    let known: std::collections::HashSet<SampleId> = found.iter().flatten().copied().collect();
    let missing = target.manifest.len() - known.len();
    if missing > 0 {
        let samples = counted(missing as u64, "sample is", "samples are");
        read.notes.push(format!("{samples} not in {} and got no score from it", file_name(sheet.path())));
    }
}
