//! Labels from a table of their own, joined to the samples of any dataset.

mod candidate;
mod chosen;
mod class_numbers;
mod content;
mod numbered;
mod rows;
mod ways;

use super::contradictions::Contradictions;
use super::folders::BesideTable;
use super::rows::EMPTY;
use super::said_splits::{OtherSplits, SaidSplits};
use super::{DatasetOptions, Opened, stated_numbers};
use crate::ends::Place;
use crate::text::{Sheet, as_whole};
use crate::{Error, Result};
use chaffinch_data::as_written::TextsBuilder;
use chaffinch_data::class_names;
use chaffinch_data::class_numbers::ClassNumbers;
use chaffinch_data::dataset::LabelFiles;
use chaffinch_data::manifest::{ExtraColumn, Manifest};
use chaffinch_protocol::RemarkKind;
use chaffinch_protocol::display::{counted, excerpt, excerpt_path, safe_path};
use chaffinch_protocol::sample::{SampleId, Split};
use chosen::Choice;
use class_numbers::{ambiguous, are_numbers, is_none, name, other_number};
use rows::Rows;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use ways::places;

/// Labels to compare with those of the dataset before it means something that most are others.
const COMPARED: u64 = 6;

/// How to read a dataset whose labels come from elsewhere: it needs none of its own, and the columns that were named are
/// not its own.
pub(crate) fn without_labels(options: &DatasetOptions) -> DatasetOptions {
    let mut reading = options.clone();
    if options.labels.is_some() {
        (reading.label_column, reading.split_column) = (None, None);
    }
    if options.labels.is_some() || options.label_pattern.is_some() {
        reading.labels_from_names = false;
        if reading.label_files == LabelFiles::Auto {
            reading.label_files = LabelFiles::Optional;
        }
    }
    reading
}

/// Joins the labels of a table to the samples of a dataset. Samples without a row have no label. Columns other than the
/// key, the label and the split are kept. Labels that are the numbers of classes are these classes; `dataset` is where files may
/// state them.
///
/// # Errors
/// When the table cannot be read, lacks a column, or none of its rows names a sample.
pub(super) fn join(
    opened: Opened,
    (file, dataset): (&Path, &Path),
    options: &DatasetOptions,
) -> Result<Opened> {
    let numbers = stated_numbers::of(&opened, dataset, options.label_files);
    let Opened { manifest, mut ledger } = opened;
    let Labels { sheet, typed } = table(file)?;
    if sheet.len() == 0 {
        return Err(Error::format(file, "the table has a header but no rows"));
    }
    let Choice { column: key, said: of_key } = chosen::key(&sheet, options, &manifest, manifest.extra())?;
    let Choice { column: label, said: of_label } = chosen::label(&sheet, key, options)?;
    let said = said_splits(&sheet, key, label, options)?;
    let split = said.column;
    let (places, by) =
        places(&sheet, (key, &said), &manifest, manifest.extra()).map_err(|why| Error::format(file, why))?;
    let whole = chosen::whole_numbers(&sheet, label);
    let shown = safe_path(file.file_name().map_or(file, Path::new));
    let names_too = numbers.as_ref().and_then(|(numbers, from)| {
        let (own, other) = ambiguous(&sheet, label, numbers, &manifest)?;
        Some(format!(
            "the labels in column '{}' of {shown} are names of classes, and by {from} numbers of others ('{}' would be '{}'); the \
             names were taken",
            excerpt(&sheet.headings[label]),
            excerpt(&own),
            excerpt(other)
        ))
    });
    names_too.into_iter().for_each(|text| ledger.add(RemarkKind::LayoutDoubtful, 1, text));
    if let Some((numbers, from)) = &numbers
        && let Some(other) = other_number(&sheet, label, numbers)
    {
        let text = format!(
            "the labels in column '{}' of {shown} are numbers, and not those of {from}, which has no class {other}: they stay numbers",
            excerpt(&sheet.headings[label])
        );
        ledger.add(RemarkKind::LayoutDoubtful, 1, text);
    }
    let numbers = numbers.filter(|(numbers, _)| are_numbers(&sheet, label, numbers, &manifest));
    let rows = Rows { sheet: &sheet, key, places: &places, by, manifest: &manifest, shown: &shown };
    if rows.are_of_none() {
        return Err(Error::format(file, rows.why_of_none()));
    }
    let mut labels: Vec<Option<String>> = vec![None; manifest.len()];
    let mut splits: Vec<Split> = manifest.ids().map(|id| manifest.split(id)).collect();
    let mut written: Vec<String> =
        manifest.ids().map(|id| manifest.split_as_written(id).to_owned()).collect();
    let others = kept(&sheet, key, label, split);
    let mut extra: Vec<ExtraColumn> = manifest.extra().to_vec();
    let first_new = extra.len();
    extra.extend(others.iter().map(|&column| ExtraColumn {
        name: free_name(&sheet.headings[column], manifest.extra()),
        values: vec![String::new(); manifest.len()],
    }));
    let (mut replaced, mut empty) = (0_u64, 0_u64);
    // Labels that are classes of the dataset, and those of them that are others than its own.
    let (mut compared, mut others_than_own) = (0_u64, 0_u64);
    let again = places.iter().filter_map(|place| if let Place::Again(at) = place { Some(*at) } else { None });
    let repeated: HashSet<u32> = again.collect();
    let mut contradictions = Contradictions::default();
    let mut other_splits = OtherSplits::default();
    said.tell(&sheet.headings, sheet.len(), &|row, column| sheet.text(row, column), &shown, &mut ledger);
    let mut has_row = vec![false; manifest.len()];
    for (row, place) in places.iter().enumerate() {
        let cell = class_names::of_bytes(sheet.text(row, label).as_bytes());
        let cell = match &numbers {
            Some(_) if is_none(&cell) => String::new(),
            Some((numbers, _)) => name(numbers, &cell).map_or(cell.clone(), str::to_owned),
            None if whole => as_whole(&cell).to_owned(),
            None => cell,
        };
        if let Some(at) = place.row()
            && repeated.contains(&at)
        {
            contradictions.add(manifest.path(SampleId(at)), &cell);
        }
        let new = (!cell.is_empty()).then_some(cell);
        match *place {
            Place::At(at) => {
                let at = at as usize;
                let old = manifest.label_name(SampleId(at as u32));
                let same = new.as_deref().is_some_and(|new| class_names::same(old, new));
                replaced += u64::from(!old.is_empty() && !same);
                let is_class = new.as_deref().is_some_and(|new| manifest.find_class(new).is_some());
                compared += u64::from(!old.is_empty() && is_class);
                others_than_own += u64::from(!old.is_empty() && is_class && !same);
                has_row[at] = true;
                empty += u64::from(new.is_none());
                labels[at] = new;
                let (new, text) = said.said(row, &|row, column| sheet.text(row, column));
                if splits[at] == Split::None {
                    splits[at] = new;
                    written[at] = text;
                } else if new != Split::None && new != splits[at] {
                    other_splits.add(manifest.path(SampleId(at as u32)), &text);
                }
                for (column, &source) in extra[first_new..].iter_mut().zip(&others) {
                    column.values[at] = sheet.text(row, source).into_owned();
                }
            }
            Place::Again(_) | Place::Nothing | Place::Several => {}
        }
    }
    // What reading the dataset said of missing labels is out of date.
    ledger.remarks.retain(|remark| remark.kind != RemarkKind::LabelsMissing);
    let joined = has_row.iter().filter(|has| **has).count() as u64;
    let mut text = format!(
        "the labels of {} were joined from {shown}, column '{}', by {} in column '{}'",
        counted(joined, "image", "images"),
        excerpt(&sheet.headings[label]),
        by.words(),
        excerpt(&sheet.headings[key]),
    );
    if replaced > 0 {
        text += &format!("; {} from those of the dataset", counted(replaced, "differs", "differ"));
    }
    ledger.add(RemarkKind::LayoutGuessed, joined, text);
    if compared >= COMPARED && others_than_own * 2 > compared {
        let text = format!(
            "{others_than_own} of {} of {shown} are other classes of the dataset than those that its images have: if the rows mean \
             other images, choose the column that names them with --key",
            counted(compared, "label", "labels")
        );
        ledger.add(RemarkKind::LayoutDoubtful, others_than_own, text);
    }
    if let Some((numbers, from)) = &numbers {
        let first = numbers.iter().next().map(|(number, name)| format!("{number} is '{}'", excerpt(name)));
        let text = format!(
            "the numbers in column '{}' of {shown} were taken for the classes that {from} numbers: {}",
            excerpt(&sheet.headings[label]),
            first.unwrap_or_default()
        );
        ledger.add(RemarkKind::LayoutGuessed, joined, text);
    }
    for (kind, text) in of_key.into_iter().chain(of_label) {
        ledger.add(kind, 1, text);
    }
    let bare: Vec<SampleId> = manifest.ids().filter(|id| !has_row[id.index()]).collect();
    if let Some(first) = bare.first() {
        let images = counted(bare.len() as u64, "image has", "images have");
        let text =
            format!("{images} no row in {shown}, and no label: {}", excerpt_path(manifest.path(*first)));
        ledger.add(RemarkKind::LabelsMissing, bare.len() as u64, text);
    }
    rows.tell(said.says_any(), joined, &mut ledger);
    other_splits.tell(&shown, &mut ledger);
    contradictions.tell(&format!(" in {shown}, of which the first was taken"), &mut ledger);
    let rows = counted(empty, "row of", "rows of");
    let verb = if empty == 1 { "has" } else { "have" };
    ledger.add(RemarkKind::ClassesMerged, empty, format!("{rows} {shown} {verb} no label, as {EMPTY}"));
    // Numbers stay numbers, also where the column got another name.
    let new = extra[first_new..].iter().zip(&others);
    let typed = new.filter(|(_, column)| typed.contains(*column)).map(|(column, _)| column.name.clone());
    let typed: Vec<String> = typed.chain(manifest.typed().map(str::to_owned)).collect();
    let mut texts = TextsBuilder::default();
    written.iter().for_each(|split| texts.push(split));
    let manifest = manifest
        .with_labels(&labels)
        .with_splits(&splits)
        .with_written_splits(texts.finish())
        .with_extra(extra)
        .with_typed(typed);
    Ok(Opened { manifest, ledger })
}

/// A table of labels, to be written with changes.
pub(crate) struct LabelTable {
    pub(crate) table: BesideTable,
    pub(crate) label: usize,
    pub(crate) split: Option<usize>,
    /// The sample of each row.
    pub(crate) rows: Vec<Option<SampleId>>,
    /// Its other columns, by their places among those that are kept of the dataset.
    pub(crate) others: BTreeMap<usize, usize>,
    /// The numbers that it has for the classes, if its labels are these.
    pub(crate) numbers: Option<ClassNumbers>,
}

impl LabelTable {
    /// Reads the table that was joined to a dataset.
    ///
    /// # Errors
    /// When it cannot be read, or lacks a column.
    pub(crate) fn read(file: &Path, manifest: &Manifest, options: &DatasetOptions) -> Result<LabelTable> {
        let Labels { sheet, .. } = table(file)?;
        // Its other columns come after those of the dataset, and how many these are tells with which the key was found.
        let columns = |with_split: bool| {
            let count = sheet.headings.len().saturating_sub(if with_split { 3 } else { 2 });
            let first = manifest.extra().len().saturating_sub(count);
            let key = chosen::key(&sheet, options, manifest, &manifest.extra()[..first])?.column;
            let label = chosen::label(&sheet, key, options)?.column;
            let said = said_splits(&sheet, key, label, options)?;
            Ok::<_, Error>((first, key, label, said))
        };
        let mut found = columns(false)?;
        if found.3.column.is_some() {
            found = columns(true)?;
        }
        let (first, key, label, said) = found;
        let split = said.column;
        let others = kept(&sheet, key, label, split);
        let (rows, _) = places(&sheet, (key, &said), manifest, &manifest.extra()[..first])
            .map_err(|why| Error::format(file, why))?;
        let rows: Vec<Option<SampleId>> = rows.into_iter().map(|place| place.row().map(SampleId)).collect();
        let table = BesideTable::of_labels(file, sheet.delimiter(), key)?;
        if table.records.len() != rows.len() {
            return Err(Error::format(file, "its rows are not those that were read; make a new plan"));
        }
        let own = manifest.class_numbers();
        let numbers = are_numbers(&sheet, label, own, manifest).then(|| own.clone());
        Ok(LabelTable { table, label, split, rows, others: (first..).zip(others).collect(), numbers })
    }
}

/// The columns of the table that are kept.
fn kept(sheet: &Sheet, key: usize, label: usize, split: Option<usize>) -> Vec<usize> {
    let is_kept = |column: &usize| ![Some(key), Some(label), split].contains(&Some(*column));
    (0..sheet.headings.len()).filter(is_kept).collect()
}

/// What a table of labels holds.
struct Labels {
    sheet: Sheet,
    /// The columns whose values are not texts.
    typed: BTreeSet<usize>,
}

/// A table of labels.
fn table(file: &Path) -> Result<Labels> {
    let extension = super::extension(file).unwrap_or_default();
    match extension.as_str() {
        "parquet" | "pq" | "jsonl" | "ndjson" => {
            let table = BesideTable::of_labels(file, b',', 0)?;
            let rows = table.records.iter().map(|record| record.cells.as_slice());
            let sheet = Sheet::of(file, &table.headings, rows);
            let is_typed = |column: &usize| table.typed.contains(&table.headings[*column]);
            Ok(Labels { sheet, typed: (0..table.headings.len()).filter(is_typed).collect() })
        }
        "json" | "arrow" | "feather" => {
            let message = format!(
                "labels are joined from tables in CSV, TSV, JSON Lines and Parquet, not from .{extension} files; write it as one \
                 of these"
            );
            Err(Error::format(file, message))
        }
        _ => {
            let list = BesideTable::list(file)?;
            let rows = |list: &BesideTable| {
                let cells = list.records.iter().map(|record| record.cells.as_slice());
                Sheet::of(file, &list.headings, cells)
            };
            let sheet = list.as_ref().map_or_else(|| Sheet::read(file), |list| Ok(rows(list)))?;
            Ok(Labels { sheet, typed: BTreeSet::new() })
        }
    }
}

fn said_splits(sheet: &Sheet, key: usize, label: usize, options: &DatasetOptions) -> Result<SaidSplits> {
    if let Some(name) = &options.split_column {
        return Ok(SaidSplits::asked(sheet.sole(sheet.required(name)?, Some(name), "--split-column")?));
    }
    let cell = |row: usize, column: usize| sheet.text(row, column);
    let said = SaidSplits::of(&sheet.headings, sheet.len(), &cell, &[Some(key), Some(label)]);
    if let Some(column) = said.column {
        sheet.sole(column, None, "--split-column")?;
    }
    Ok(said)
}

/// A name for a column that no other has.
fn free_name(name: &str, taken: &[ExtraColumn]) -> String {
    let mut free = name.to_owned();
    while taken.iter().any(|column| column.name == free) {
        free.push('_');
    }
    free
}

#[cfg(test)]
mod tests;
