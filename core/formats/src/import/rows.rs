//! Which sample a row of a table is about.

use super::{Read, Target, file_name, other_labels};
use crate::ends::doubts;
use crate::headings::{PATHS, is_id, is_index, is_label_of_names, names_others, naming, same};
use crate::row_names::{self, Joint, SideColumn, Texts, is_file};
use crate::row_splits::RowSplits;
use crate::text::{Sheet, file_names};
use crate::{Error, Result};
use chaffinch_protocol::display::{counted, excerpt};
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeSet;

/// Rows to look at where a column of paths is found by what is in it.
const TRIED: usize = 1000;
/// Columns to name in a sentence.
const SHOWN: usize = 8;
/// Columns of the labels that a program was given.
const GIVEN_LABELS: [&str; 4] = ["given_label", "label", "class_name", "class"];

/// The samples of a table's rows.
pub(super) struct RowsOf {
    pub(super) samples: Vec<Option<SampleId>>,
    /// The column that names them, if one does.
    pub(super) path: Option<usize>,
    /// Whether they are those of an earlier import of the file, which numbers them.
    known: bool,
}

impl RowsOf {
    fn named(samples: Vec<Option<SampleId>>, column: usize) -> RowsOf {
        RowsOf { samples, path: Some(column), known: false }
    }

    /// Whether the samples are known by more than their order now: what labels beside them say is not about that.
    pub(super) fn certain(&self) -> bool {
        self.path.is_some() || self.known
    }
}

/// What binds rows anew that stay with their pictures.
pub(super) const OTHERWISE: &str = "add a column path";

/// The column that names the samples, if there is one: that which was asked for; or by its heading, or an index of names;
/// or the only one whose values are samples.
///
/// # Errors
/// When the one that was asked for is not there, or several would do.
fn path_column(sheet: &Sheet, target: &Target<'_>, read: &mut Read) -> Result<Option<usize>> {
    if let Some(name) = &target.path_column {
        return sheet.required(name).map(Some);
    }
    let mut named: Vec<usize> = naming().filter_map(|name| sheet.column(name)).collect();
    let of_names = |column: usize| {
        sheet.len() > 0 && (0..sheet.len()).all(|row| sheet.text(row, column).parse::<f64>().is_err())
    };
    named.extend(sheet.headings.first().filter(|heading| is_index(heading) && of_names(0)).map(|_| 0));
    if let Some(&column) = named.iter().find(|&&column| Matches::of(sheet, column, target).any) {
        return Ok(Some(column));
    }
    let by_content: Vec<usize> = (0..sheet.headings.len())
        .filter(|&column| !names_others(&sheet.headings[column]) && Matches::of(sheet, column, target).all())
        .collect();
    let file = file_name(sheet.path());
    match by_content.as_slice() {
        // That a named column names nothing is said when the samples are looked for.
        [] => {
            let paths = PATHS.iter().find_map(|name| sheet.column(name));
            Ok(paths.or_else(|| named.iter().copied().find(|&column| of_names(column))))
        }
        [one] => {
            let name = quoted(sheet, &by_content);
            let said = format!(
                "the paths of {file} were taken from the column {name}, whose values are samples; --path-column chooses \
                 another"
            );
            // Where another column is called so, its samples are gone or called otherwise.
            match named.iter().find(|&&column| of_names(column)) {
                Some(&other) => read.warnings.push(format!("{said}: {} names none", quoted(sheet, &[other]))),
                None => read.notes.push(said),
            }
            Ok(Some(*one))
        }
        several => {
            let message = format!(
                "the columns {} may all name the samples; choose one with --path-column",
                quoted(sheet, several)
            );
            Err(Error::format(sheet.path(), message))
        }
    }
}

/// How many of a column's first cells are samples.
struct Matches {
    any: bool,
    most: bool,
    different: bool,
}

impl Matches {
    fn of(sheet: &Sheet, column: usize, target: &Target<'_>) -> Matches {
        let cells = (0..sheet.len().min(TRIED)).map(|row| sheet.bytes(row, column).trim_ascii());
        let is_name = |cell: &&[u8]| {
            !cell.is_empty() && std::str::from_utf8(cell).map_or(true, |text| text.parse::<f64>().is_err())
        };
        let cells: Vec<&[u8]> = cells.filter(is_name).collect();
        let distinct: BTreeSet<&[u8]> = cells.iter().copied().collect();
        let names: Vec<&[u8]> = distinct.iter().copied().collect();
        let found = target.known(&names);
        Matches { any: found > 0, most: found * 2 > names.len(), different: names.len() == cells.len() }
    }

    /// Whether they can be nothing else: those of neighbors are repeated.
    fn all(&self) -> bool {
        self.any && self.most && self.different
    }
}

/// `'a', 'b', …`.
fn quoted(sheet: &Sheet, columns: &[usize]) -> String {
    let names: Vec<String> =
        columns.iter().take(SHOWN).map(|&column| format!("'{}'", excerpt(&sheet.headings[column]))).collect();
    format!("{}{}", names.join(", "), if columns.len() > SHOWN { ", …" } else { "" })
}

/// Says which columns are neither in `used` nor of any use.
pub(super) fn tell_unused(sheet: &Sheet, used: &BTreeSet<usize>, read: &mut Read) {
    let rest: Vec<usize> = (0..sheet.headings.len()).filter(|column| !used.contains(column)).collect();
    if !rest.is_empty() {
        let (columns, were) = if rest.len() == 1 { ("column", "was") } else { ("columns", "were") };
        let file = file_name(sheet.path());
        read.notes.push(format!("the {columns} {} of {file} {were} not used", quoted(sheet, &rest)));
    }
}

/// The sample of each row: by the column of paths; without one by the number of the row, as the index counts it, or as
/// the rows follow each other if there are as many of them as samples.
///
/// # Errors
/// When the rows cannot be told to be those of the samples.
pub(super) fn samples(sheet: &Sheet, target: &Target<'_>, read: &mut Read) -> Result<RowsOf> {
    let file = sheet.path();
    if sheet.len() == 0 {
        return Err(Error::format(file, "the table has a header but no rows"));
    }
    let first: Vec<&[u8]> = sheet.headings.iter().map(|heading| heading.trim().as_bytes()).collect();
    let named = first
        .iter()
        .position(|heading| is_file(&String::from_utf8_lossy(heading)) && target.known(&[heading]) > 0);
    if let Some(at) = named {
        let name = excerpt(&sheet.headings[at]);
        let message = format!(
            "it has no header line: its first line names the sample '{name}'; add one, such as path,score"
        );
        return Err(Error::format(file, message));
    }
    let path = path_column(sheet, target, read)?;
    let asked = target.path_column.is_some();
    let names_some = |column: usize| asked || Matches::of(sheet, column, target).any;
    if !path.is_some_and(names_some)
        && let Some(joint) = joint(sheet, target)?
    {
        let name = file_name(file);
        read.notes.push(format!("the rows of {name} {}; --path-column chooses another column", joint.said));
        strangers(sheet, &joint.samples, read);
        repeated(sheet, joint.at, &joint.samples, read);
        left_out(sheet, target, &joint.samples, read);
        return Ok(RowsOf::named(joint.samples, joint.at));
    }
    // Stems and content hashes are no paths, whatever their column is called.
    if path.is_some_and(|column| !names_some(column))
        && let Some(found) = named_by_text(sheet, target, read)?
    {
        return Ok(found);
    }
    if let Some(column) = path {
        let files = file_names(target.manifest);
        let names: Vec<Vec<u8>> = (0..sheet.len()).map(|row| sheet.file_name(row, column, &files)).collect();
        let cell = |row: usize, column: usize| sheet.text(row, column);
        let splits = RowSplits::in_table(&sheet.headings, sheet.len(), &cell, Some(column));
        let mut found = target.samples_in_turn(file, (&names, splits.as_ref()), read)?;
        if let Some(splits) = &splits {
            target.leave_other_splits(file, splits, &mut found, read);
        }
        let texts: Vec<_> = names.iter().map(|name| String::from_utf8_lossy(name)).collect();
        let named = || texts.iter().zip(&found).filter_map(|(name, id)| Some((name.as_ref(), (*id)?)));
        let doubts = doubts(named, splits.is_some(), target.manifest);
        read.warnings.extend(doubts.into_iter().map(|text| format!("{}: {text}", file_name(file))));
        let mut side = ids(sheet, target);
        side.retain(|beside| beside.heading != sheet.headings[column]);
        if !asked && let Some(why) = row_names::other_paths(&found, &side, target.manifest) {
            let message = format!("{why}; choose the column that is meant with --path-column NAME");
            return Err(Error::format(file, message));
        }
        if !asked && let Some(otherwise) = row_names::otherwise(&found, &side, target.manifest) {
            read.warnings.push(format!("the rows of {} {otherwise}", file_name(file)));
        }
        repeated(sheet, column, &found, read);
        other_labels(sheet, column, &found, target, read);
        left_out(sheet, target, &found, read);
        return Ok(RowsOf::named(found, column));
    }
    if let Some(found) = named_by_text(sheet, target, read)? {
        return Ok(found);
    }
    let placed = target.numbered(file, OTHERWISE, read)?;
    let count = placed.samples.len();
    let index = sheet.headings.iter().position(|heading| is_index(heading));
    let rows = counted(sheet.len() as u64, "row", "rows");
    let Some(index) = index else {
        if sheet.len() != count {
            let samples = counted(count as u64, "sample", "samples");
            let message = format!(
                "it has {rows} for {samples}, and no column of paths or row numbers to tell which they are; write the \
                 table with its index, or add a column path"
            );
            return Err(Error::format(file, message));
        }
        let in_order = "were taken in the order of the samples".to_owned();
        if placed.known {
            return Ok(known(sheet, (&placed.samples, placed.moved), &in_order, target, read));
        }
        let mut side = ids(sheet, target);
        // Whole numbers under any heading may be those of rows or files.
        let is_number =
            |beside: &SideColumn| beside.cells.iter().all(|cell| cell.trim().parse::<u64>().is_ok());
        side.extend(columns(sheet, |heading| !is_id(heading)).into_iter().filter(is_number));
        let ordered = row_names::in_order(&side, target.manifest, "--path-column NAME")
            .map_err(|why| Error::format(file, why))?;
        let said = ordered.unwrap_or(in_order);
        refuse_shuffled(sheet, &target.manifest.ids().collect::<Vec<_>>(), target)?;
        let all = columns(sheet, |_| true);
        let doubt = Texts::new(target.manifest, target.file_metadata).of_another_order(&all);
        if let Some(why) = doubt.or_else(|| row_names::unread_names(&all, target.manifest)) {
            let message =
                format!("{why}; choose the column that names them with --path-column, or leave it out");
            return Err(Error::format(file, message));
        }
        read.notes.push(format!("the rows of {} {said}", file_name(file)));
        return Ok(RowsOf { samples: placed.samples, path: None, known: false });
    };
    // R and spreadsheets count from 1.
    let last = sheet.text(sheet.len() - 1, index);
    let from_one = sheet.len() == count && sheet.text(0, index) == "1" && last == count.to_string();
    let mut numbers: Vec<u32> = Vec::with_capacity(sheet.len());
    let mut written: Vec<u64> = Vec::with_capacity(sheet.len());
    for row in 0..sheet.len() {
        let number: u32 =
            sheet.text(row, index).parse().map_err(|_| sheet.odd_cell(row, index, "the number of a row"))?;
        written.push(u64::from(number));
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
        if number as usize >= count {
            let line = sheet.line(row);
            let message = format!(
                "line {line} is about row {number}, but there are only {}, counted from 0",
                counted(count as u64, "sample", "samples")
            );
            return Err(Error::format(file, message));
        }
        numbers.push(number);
    }
    let by_number =
        format!("were taken for samples by their numbers in the column {}", quoted(sheet, &[index]));
    if placed.known {
        let found: Vec<_> = numbers.iter().map(|&number| placed.samples[number as usize]).collect();
        return Ok(known(sheet, (&found, placed.moved), &by_number, target, read));
    }
    let numbered: Vec<SampleId> = numbers.into_iter().map(SampleId).collect();
    let found: Vec<Option<SampleId>> = numbered.iter().copied().map(Some).collect();
    let own = target.manifest.extra();
    let says =
        |heading: &str| is_label_of_names(heading) || own.iter().any(|column| same(&column.name, heading));
    let files = row_names::rows_or_files(&columns(sheet, says), &written, &found, target.manifest);
    let files = files.map_err(|why| {
        Error::format(
            file,
            format!("{why}; add a column path, or choose the column that names them with --path-column"),
        )
    })?;
    if let Some(found) = files {
        let name = quoted(sheet, &[index]);
        read.warnings.push(format!(
            "the rows of {} were taken for the pictures that are called by their numbers in the column {name}, as the labels beside \
             them say",
            file_name(file)
        ));
        if placed.keep.is_some() {
            // Whose the rows are does not depend on the order of the samples.
            read.orders.pop();
        }
        left_out(sheet, target, &found, read);
        return Ok(RowsOf::named(found, index));
    }
    // A few rows may be those whose labels were wrong, and are mended in the dataset.
    if numbered.len() * 2 > count {
        refuse_shuffled(sheet, &numbered, target)?;
    }
    read.notes.push(format!("the rows of {} {by_number}", file_name(file)));
    left_out(sheet, target, &found, read);
    Ok(RowsOf { samples: found, path: None, known: false })
}

/// The samples by the column of [`by_text`], which is said.
///
/// # Errors
/// When several columns would do.
fn named_by_text(sheet: &Sheet, target: &Target<'_>, read: &mut Read) -> Result<Option<RowsOf>> {
    let Some((column, mut found)) = by_text(sheet, target)? else { return Ok(None) };
    let cell = |row: usize, column: usize| sheet.text(row, column);
    if let Some(splits) = RowSplits::in_table(&sheet.headings, sheet.len(), &cell, Some(column)) {
        for (row, sample) in found.iter_mut().enumerate() {
            let name = sheet.bytes(row, column).trim_ascii();
            *sample = sample.filter(|id| splits.may_mean(row, name, *id, target.manifest));
        }
    }
    read.warnings.push(format!(
        "the rows of {} are named by the column {}, whose values are names or content hashes of samples; --path-column chooses \
         another",
        file_name(sheet.path()),
        quoted(sheet, &[column])
    ));
    strangers(sheet, &found, read);
    repeated(sheet, column, &found, read);
    other_labels(sheet, column, &found, target, read);
    left_out(sheet, target, &found, read);
    Ok(Some(RowsOf::named(found, column)))
}

/// The column of texts of which nearly all name samples of their own by path, stem or content hash.
///
/// # Errors
/// When several would do.
fn by_text(sheet: &Sheet, target: &Target<'_>) -> Result<Option<(usize, Vec<Option<SampleId>>)>> {
    let mut texts = Texts::new(target.manifest, target.file_metadata);
    let own = (0..sheet.headings.len()).filter(|&at| !names_others(&sheet.headings[at]));
    let all = own.filter_map(|at| {
        let cells: Vec<String> = (0..sheet.len()).map(|row| sheet.text(row, at).trim().to_owned()).collect();
        Some((at, texts.samples(&cells)?))
    });
    let mut all: Vec<_> = all.collect();
    if let [first, rest @ ..] = &all[..]
        && rest.iter().any(|other| other.1 != first.1)
    {
        let several: Vec<usize> = all.iter().map(|(at, _)| *at).collect();
        let message = format!(
            "the columns {} may all name the samples; choose one with --path-column",
            quoted(sheet, &several)
        );
        return Err(Error::format(sheet.path(), message));
    }
    Ok(if all.is_empty() { None } else { Some(all.swap_remove(0)) })
}

/// The rows of a table that an earlier import has bound. Its labels were compared then, and the dataset's may have changed since.
/// That they `moved` is said already.
fn known(
    sheet: &Sheet,
    (samples, moved): (&[Option<SampleId>], bool),
    said: &str,
    target: &Target<'_>,
    read: &mut Read,
) -> RowsOf {
    if !moved {
        read.notes.push(format!("the rows of {} {said}", file_name(sheet.path())));
    }
    strangers(sheet, samples, read);
    left_out(sheet, target, samples, read);
    RowsOf { samples: samples.to_vec(), path: None, known: true }
}

/// Says how many rows are about no sample.
fn strangers(sheet: &Sheet, samples: &[Option<SampleId>], read: &mut Read) {
    let missing = samples.iter().filter(|sample| sample.is_none()).count() as u64;
    if missing > 0 {
        let rows = counted(missing, "row of", "rows of");
        let verb = if missing == 1 { "is" } else { "are" };
        let name = file_name(sheet.path());
        read.warnings.push(format!("{rows} {name} {verb} about no sample of this dataset"));
    }
}

/// The column that the dataset has, too, and that says which samples the rows are about.
///
/// # Errors
/// When its numbers may be those of rows, or columns contradict each other.
fn joint(sheet: &Sheet, target: &Target<'_>) -> Result<Option<Joint>> {
    let side = ids(sheet, target);
    let joint = row_names::joint(&side, target.manifest, "--path-column NAME")
        .map_err(|why| Error::format(sheet.path(), why))?;
    let place = |heading: &str| sheet.headings.iter().position(|own| own == heading);
    Ok(joint.and_then(|joint| Some(Joint { at: place(&side[joint.at].heading)?, ..joint })))
}

/// The columns that may say by ids which samples the rows are about.
fn ids(sheet: &Sheet, target: &Target<'_>) -> Vec<SideColumn> {
    let own = target.manifest.extra();
    columns(sheet, |heading| is_id(heading) || own.iter().any(|column| same(&column.name, heading)))
}

/// Refuses rows that are found by their places or numbers where their labels, or columns that the dataset has, too, say that they
/// are about other samples.
fn refuse_shuffled(sheet: &Sheet, samples: &[SampleId], target: &Target<'_>) -> Result<()> {
    row_names::refuse_shuffled(
        &columns(sheet, is_label_of_names),
        samples,
        target.manifest,
        "--path-column NAME",
    )
    .map_err(|why| Error::format(sheet.path(), why))
}

fn columns(sheet: &Sheet, wanted: impl Fn(&str) -> bool) -> Vec<SideColumn> {
    let column = |column: usize| SideColumn {
        heading: sheet.headings[column].clone(),
        cells: (0..sheet.len()).map(|row| sheet.text(row, column).into_owned()).collect(),
    };
    (0..sheet.headings.len()).filter(|&at| wanted(&sheet.headings[at])).map(column).collect()
}

/// Says that paths are repeated.
fn repeated(sheet: &Sheet, column: usize, found: &[Option<SampleId>], read: &mut Read) {
    let mut seen = std::collections::HashSet::new();
    let again: Vec<usize> =
        (0..found.len()).filter(|&row| found[row].is_some_and(|id| !seen.insert(id))).collect();
    if let Some(&first) = again.first() {
        let rows = counted(again.len() as u64, "row of", "rows of");
        let verb = if again.len() == 1 { "repeats" } else { "repeat" };
        let (file, name) = (file_name(sheet.path()), excerpt(&sheet.text(first, column)).into_owned());
        read.warnings
            .push(format!("{rows} {file} {verb} an earlier one; of each sample the worst counts: {name}"));
    }
}

/// Says where most labels in a table are others than those of the samples that its rows name, which may not be those that are meant.
fn other_labels(
    sheet: &Sheet,
    path: usize,
    found: &[Option<SampleId>],
    target: &Target<'_>,
    read: &mut Read,
) {
    let labels = GIVEN_LABELS.iter().filter_map(|name| sheet.column(name)).find(|column| *column != path);
    let Some(column) = labels else { return };
    let rows = (0..sheet.len()).map(|row| (sheet.text(row, path), sheet.text(row, column), found[row]));
    let heading = excerpt(&sheet.headings[column]);
    other_labels::tell((sheet.path(), &heading), rows, target, read);
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
