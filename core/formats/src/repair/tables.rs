//! The table that is the dataset, with rows removed and labels and splits changed, and every other byte as it was.

use super::flag_columns::FlagColumns;
use super::refusal::refused;
use super::targets::most;
use crate::dataset::path_spellings::is_path;
use crate::dataset::{BesideTable, Companion, Companions, Edit, NewValue, RowEdit, json_rewritten};
use crate::{Error, Result};
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::sample::{SampleId, Split};
use chaffinch_review::repair::Change;
use std::collections::BTreeMap;
use std::path::Path;

/// The table's bytes after these changes.
///
/// # Errors
/// When it is not the table that the manifest was read from, has no column for what changes, or its encoding has no signs
/// for a new label.
pub(super) fn table_rewritten(file: &Path, manifest: &Manifest, changes: &[Change]) -> Result<Vec<u8>> {
    let Some(form) = manifest.table() else { return Err(refused(file, "it is not a table")) };
    lacking(file, form.label.is_some() || !form.flags.is_empty(), form.split.is_some(), changes)?;
    let mut written: BTreeMap<u8, BTreeMap<&str, u64>> = BTreeMap::new();
    for id in manifest.ids().filter(|&id| manifest.split(id) != Split::None) {
        let text = manifest.split_as_written(id);
        *written.entry(manifest.split(id).code()).or_default().entry(text).or_default() += 1;
    }
    let by_row: BTreeMap<SampleId, &Change> = changes.iter().map(|change| (change.id(), change)).collect();
    let flags = FlagColumns::of(manifest, form);
    flags.stay(file, manifest, &by_row)?;
    let split_text = |split: Split| {
        let used = written.get(&split.code()).and_then(most);
        used.map_or_else(|| split.name().to_owned(), |text| (*text).to_owned())
    };
    let kept: Vec<usize> = form.kept().collect();
    let relabels = changes.iter().any(|change| change.to_label.is_some());
    let companions = if relabels { Companions::of(manifest) } else { Companions::default() };
    // What the columns that go with the labels say beside a new one.
    let beside = |label: &str| -> Vec<(usize, String)> {
        let column = |one: &Companion<'_>| Some((*kept.get(one.extra)?, one.cell(label)));
        companions.iter().filter_map(column).collect()
    };
    if is_json(file) {
        let edit = |row: usize| match by_row.get(&SampleId(row as u32)) {
            None => RowEdit::Keep,
            Some(change) if change.remove => RowEdit::Drop,
            Some(change) => {
                let heading = |column: Option<usize>| column.map(|column| form.columns[column].clone());
                let label = heading(form.label).zip(change.to_label.clone());
                let split = heading(form.split).zip(change.to_split.map(split_text));
                let texts = label.into_iter().chain(split);
                let texts = texts.map(|(heading, text)| NewValue { heading, text, bare: false });
                let new = change.to_label.iter().flat_map(|label| flags.changed(row, label));
                let beside = change.to_label.iter().flat_map(|label| beside(label));
                let heading = |column: usize| form.columns[column].clone();
                let beside =
                    beside.map(|(column, text)| NewValue { heading: heading(column), text, bare: true });
                RowEdit::Set(texts.chain(new).chain(beside).collect())
            }
        };
        return json_rewritten(file, manifest.len(), &edit);
    }
    let table = BesideTable::of_dataset(file, form.delimiter, form.path)?;
    let same = table.records.len() == manifest.len()
        && manifest.ids().zip(&table.records).all(|(id, record)| {
            // In an older encoding, a path may be its bytes instead of its text.
            record.cells[form.path].as_str() == manifest.path(id).to_string_lossy()
                || is_path(manifest.root(), &record.cells[form.path], manifest.path(id))
                || table.written_path(record).as_deref() == Some(manifest.path(id))
        });
    if !same {
        return Err(refused(file, "its rows are not those that were read; make a new plan"));
    }
    let table = if form.flags.is_empty() { table } else { table.with_flags_in(&form.flags) };
    let edit = |index: usize| match by_row.get(&SampleId(index as u32)) {
        None => Edit::Keep,
        Some(change) if change.remove => Edit::Drop,
        Some(change) => {
            let split = change.to_split.map(split_text);
            let beside = change.to_label.iter().flat_map(|label| beside(label));
            let others = form.split.zip(split).into_iter().chain(beside).collect();
            Edit::Change { name: None, label: change.to_label.clone(), others }
        }
    };
    let edited = table.edited(form.label, edit, &[]);
    edited.map_err(|why| Error::format(file, format!("it cannot be rewritten: {}", safe_text(&why))))
}

/// Refuses to change what no column says.
fn lacking(file: &Path, labels: bool, splits: bool, changes: &[Change]) -> Result<()> {
    for change in changes {
        let lacking = match (&change.to_label, change.to_split) {
            (Some(_), _) if !labels => "labels",
            (_, Some(_)) if !splits => "splits",
            _ => continue,
        };
        let path = safe_path(&change.path.path());
        let message = format!("it has no column of {lacking}, so that of {path} cannot be changed");
        return Err(refused(file, message));
    }
    Ok(())
}

fn is_json(file: &Path) -> bool {
    let extension = file.extension().map(|name| name.to_ascii_lowercase());
    extension.is_some_and(|name| ["json", "jsonl", "ndjson"].iter().any(|json| name == *json))
}
