//! Exports of Label Studio with tasks removed and the results of the annotation that counts changed.

use super::tasks::{self, WrittenAnnotation};
use super::{Rank, address, is_min, label_control, picture_key, rank};
use crate::dataset::annotated::Annotated;
use crate::dataset::folders::{BesideTable, Edit};
use crate::dataset::json;
use crate::dataset::rewrite::{self, EntryChange, EntryChanges, NewFile};
use crate::dataset::{DatasetOptions, extension};
use crate::text::json_parts::{Part, Patch};
use crate::{Error, Result};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

pub(super) fn file(
    read: &Annotated,
    changes: &EntryChanges,
    options: &DatasetOptions,
) -> Result<Vec<NewFile>> {
    let file = read.file.as_path();
    if changes.values().any(|change| change.path.is_some()) {
        return Err(Error::format(file, "the addresses of its pictures cannot be changed"));
    }
    let is_json = extension(file).as_deref() == Some("json");
    let bytes = match is_json {
        true if !is_min(file) => export(file, changes, options)?,
        true => {
            let (rows, control) = by_row(file, changes, options)?;
            rewrite::json(file, |whole, patch| {
                let items = whole.items();
                for (at, change) in &rows {
                    let row = *items.get(*at).ok_or("its rows are not those that were read")?;
                    if let Some((_, split)) = &change.split {
                        patch.set_key(row, &split_key(options), &Value::from(split.as_str()));
                    }
                    if let Some(label) = &change.label {
                        let name = control.as_deref().ok_or_else(no_control)?;
                        let old = row.get(name).filter(|old| old.is_array());
                        let new = match &old {
                            Some(old) => json!(relabeled(&old.value(), change, label)),
                            None => Value::from(label.as_str()),
                        };
                        patch.set_key(row, name, &new);
                    }
                }
                let spans: Vec<_> = items.iter().map(Part::span).collect();
                patch.remove(&spans, |at| rows.get(&at).is_some_and(|change| change.remove));
                Ok(())
            })?
        }
        false => {
            let (rows, control) = by_row(file, changes, options)?;
            let usual = if extension(file).as_deref() == Some("csv") { b',' } else { b'\t' };
            let table = BesideTable::of_dataset(file, usual, usize::MAX)?;
            let column = |name: &str| table.headings.iter().position(|own| own == name);
            let label = control.as_deref().and_then(column);
            let split = column(&split_key(options));
            if rows.values().any(|change| change.label.is_some()) && label.is_none() {
                return Err(Error::format(file, no_control()));
            }
            let edit = |at: usize| match rows.get(&at) {
                None => Edit::Keep,
                Some(change) if change.remove => Edit::Drop,
                Some(change) => {
                    let old =
                        label.map(|column| table.records[at].cells[column].as_str()).unwrap_or_default();
                    let new = change.label.as_ref().map(|label| match serde_json::from_str::<Value>(old) {
                        Ok(value @ Value::Array(_)) => relabeled(&value, change, label).to_string(),
                        _ => label.clone(),
                    });
                    let others = split.zip(change.split.clone().map(|(_, text)| text)).into_iter().collect();
                    Edit::Change { name: None, label: new, others }
                }
            };
            table.edited(label, edit, &[]).map_err(|why| Error::format(file, why))?
        }
    };
    Ok(vec![(file.to_path_buf(), Some(bytes))])
}

fn split_key(options: &DatasetOptions) -> String {
    options.split_column.clone().unwrap_or_else(|| "split".to_owned())
}

fn no_control() -> String {
    "no annotation says which control gives the labels, so that none can be added".to_owned()
}

/// Regions or choices in a cell, with another label.
fn relabeled(value: &Value, change: &EntryChange, label: &str) -> Value {
    let Value::Array(all) = value else { return Value::from(label) };
    if all.iter().all(Value::is_string) {
        return json!([label]);
    }
    let mut all = all.clone();
    for one in all.iter_mut().filter_map(Value::as_object_mut) {
        for (_, names) in one.iter_mut().filter(|(key, _)| key.ends_with("labels") || *key == "choices") {
            for name in names.as_array_mut().into_iter().flatten() {
                if name.as_str().is_some_and(|name| change.is_old(name)) {
                    *name = Value::from(label);
                }
            }
        }
    }
    Value::Array(all)
}

/// Changes by the row of a file with one for each annotation: all rows of a task go, and the one that counts changes.
fn by_row(
    file: &Path,
    changes: &EntryChanges,
    options: &DatasetOptions,
) -> Result<(BTreeMap<usize, EntryChange>, Option<String>)> {
    let (rows, control) = tasks::written_rows(file, options)?;
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut of: Vec<Vec<usize>> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let id = json::cell(row.get("id"));
        let next = of.len();
        let task = if id.is_empty() { next } else { *places.entry(id).or_insert(next) };
        if task == next {
            of.push(Vec::new());
        }
        of[task].push(at);
    }
    let key = picture_key(file, &tasks::rows(file, options)?, options)?;
    let shown = |task: &Vec<usize>| {
        let address = |&at: &usize| rows[at].get(&key).and_then(Value::as_str);
        !task.first().and_then(address).unwrap_or_default().starts_with("data:")
    };
    let entries: Vec<Vec<usize>> = of.into_iter().filter(shown).collect();
    let is_done = tasks::is_done(&rows);
    let mut all = BTreeMap::new();
    for (at, change) in changes {
        let own =
            entries.get(*at).ok_or_else(|| Error::format(file, "its tasks are not those that were read"))?;
        let done = |row: &&usize| is_done(&rows[**row]);
        let when = |row: &&usize| tasks::completed_of(&rows[**row]);
        let last = own.iter().filter(done).max_by_key(when).or(own.first()).copied();
        for &row in own {
            let mut change = change.clone();
            change.label = change.label.filter(|_| Some(row) == last);
            all.insert(row, change);
        }
    }
    Ok((all, control))
}

/// A JSON export.
fn export(file: &Path, changes: &EntryChanges, options: &DatasetOptions) -> Result<Vec<u8>> {
    let read = tasks::export(file)?;
    let key = picture_key(file, &read, options)?;
    let mut scratch = Annotated::new(super::WHOSE, file, Path::new("/"), &[], options)?;
    let control = label_control(file, &read, options, "", &mut scratch)?;
    rewrite::json(file, |whole, patch| {
        let items = if whole.is_array() { whole.items() } else { vec![whole] };
        let shown = |task: &Part<'_>| {
            let address = task.get("data").and_then(|data| data.get(&key)).map(|text| text.value());
            let address = address.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
            let _ = address::Address::of(&address);
            !address.starts_with("data:")
        };
        let entries: Vec<usize> = (0..items.len()).filter(|&at| shown(&items[at])).collect();
        let mut gone = vec![false; items.len()];
        // Another task's result says how one is written.
        let model = items.iter().find_map(|task| result_of(*task, control.as_deref()?));
        for (at, change) in changes {
            let place = *entries.get(*at).ok_or("its tasks are not those that were read")?;
            if change.remove {
                gone[place] = true;
                continue;
            }
            let task = items[place];
            if let (Some((_, split)), Some(data)) = (&change.split, task.get("data")) {
                patch.set_key(data, &split_key(options), &Value::from(split.as_str()));
            }
            if let Some(label) = &change.label {
                relabel(task, change, label, control.as_deref(), model.as_ref(), patch)?;
            }
        }
        if !whole.is_array() && gone.contains(&true) {
            return Err("its only task cannot be removed".to_owned());
        }
        let spans: Vec<_> = items.iter().map(Part::span).collect();
        patch.remove(&spans, |at| gone[at]);
        Ok(())
    })
}

/// The annotations of a task that were not canceled, the one that counts last.
fn annotations(task: Part<'_>) -> Vec<Part<'_>> {
    let list = task.get("annotations").filter(Part::is_array).or_else(|| task.get("completions"));
    let mut all: Vec<_> = (list.map(|list| list.items()).unwrap_or_default().into_iter())
        .filter_map(|one| Some((serde_json::from_str::<WrittenAnnotation>(one.text()).ok()?, one)))
        .filter(|(written, _)| written.counts())
        .collect();
    all.sort_by_key(|(written, _)| written.order());
    all.into_iter().map(|(_, one)| one).collect()
}

/// A result of a control in the annotations of a task.
fn result_of(task: Part<'_>, control: &str) -> Option<Map<String, Value>> {
    let all = annotations(task).into_iter().rev().flat_map(|one| one.get("result").map(|list| list.items()));
    let named = |result: &Part<'_>| result.get("from_name").is_some_and(|name| name.value() == control);
    all.flatten().find(named).and_then(|result| result.value().as_object().cloned())
}

fn relabel(
    task: Part<'_>,
    change: &EntryChange,
    label: &str,
    control: Option<&str>,
    model: Option<&Map<String, Value>>,
    patch: &mut Patch,
) -> std::result::Result<(), String> {
    let Some(control) = control else { return Err(no_control()) };
    let all = annotations(task);
    let results = all.last().and_then(|last| last.get("result")).map(|list| list.items()).unwrap_or_default();
    let own = |result: &&Part<'_>| result.get("from_name").is_some_and(|name| name.value() == control);
    let new = Value::from(label);
    let mut changed = false;
    for result in results.iter().filter(own) {
        let Some(value) = result.get("value") else { continue };
        match rank(&value.value()) {
            Rank::Choices if value.is_object() => {
                // One answer takes the place of all.
                patch.set_key(value, "choices", &if changed { json!([]) } else { json!([label]) });
                changed = true;
            }
            Rank::Taxonomy => {
                let path = value.value()["taxonomy"].as_array().and_then(|all| all.first().cloned());
                let mut path = path.and_then(|path| path.as_array().cloned()).unwrap_or_default();
                path.pop();
                path.push(new.clone());
                patch.set_key(value, "taxonomy", &json!([path]));
                changed = true;
            }
            _ => {
                for field in value.fields().into_iter().filter(|field| field.key.ends_with("labels")) {
                    for name in field.value.items() {
                        if name.value().as_str().is_some_and(|name| change.is_old(name)) {
                            patch.set(name, &new);
                            changed = true;
                        }
                    }
                }
            }
        }
    }
    if changed {
        return Ok(());
    }
    let mut result = model.cloned().ok_or_else(no_control)?;
    let choices = result.get("value").map(rank) == Some(Rank::Choices);
    if !choices {
        return Err(format!("no region has the label '{}', and none can be added", change.old));
    }
    result.remove("id");
    result.insert("value".to_owned(), json!({"choices": [label]}));
    match all.last().and_then(|last| last.get("result")).filter(Part::is_array) {
        Some(list) => patch.append(list, &Value::from(result).to_string()),
        None => {
            let annotation = json!({"result": [result], "was_cancelled": false}).to_string();
            match task.get("annotations").filter(Part::is_array) {
                Some(list) => patch.append(list, &annotation),
                None => patch.set_key(
                    task,
                    "annotations",
                    &serde_json::from_str(&format!("[{annotation}]")).unwrap_or_default(),
                ),
            }
        }
    }
    Ok(())
}
