//! Exports of Label Studio: JSON with every annotation of each task, and JSON-MIN and CSV with a row for each annotation.

mod address;
mod rewrite;
mod tasks;

use super::annotated::{Annotated, Entry};
use super::choice::{self, LABEL_NAMES, is_known_column};
use super::json::{self, Outer, Shape};
use super::reading_options::OF_TABLES;
use super::several::{Label, Objects};
use super::{Candidate, ClassNames, DatasetOptions, Format, is_image};
use crate::{Error, Result};
pub(super) use address::advice;
use chaffinch_protocol::RemarkKind;
use chaffinch_protocol::display::{counted, excerpt, safe_path};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use tasks::{Annotation, Task};

pub(super) const FORMAT: Format = Format {
    name: "a Label Studio export",
    summary: "an export of Label Studio",
    details: "JSON, JSON-MIN or CSV; addresses of uploads and local files are looked for beside the file or below `--root`; the \
              label is a choice, or the class of most regions; of several annotations of a task, the ground truth counts, or \
              else the last completed one",
    written: "`label-studio` writes tasks; `cleaned` writes class folders, `cleaned-table` a CSV table",
    lost: "regions, predictions, earlier annotations, all of a taxonomy but its last part",
    class_names: ClassNames::Written,
    annotated: Some(|candidate, options| single(candidate.path(), options)),
    elsewhere: false,
    options: |_| OF_TABLES,
    detect,
    read: |candidate, options| single(candidate.path(), options)?.into_rows(),
};

const WHOSE: &str = "Label Studio";
/// What a control is called where nothing says which one gives the label.
const USUAL: [&str; 2] = ["choice", "classification"];

/// Columns that exports with a row for each annotation have, all of them unless some were left out.
const OF_ROWS: [&str; 3] = ["annotation_id", "annotator", "lead_time"];
/// How much of a file is looked at for the addresses of uploads.
const LOOKED_AT: u64 = 1 << 14;

fn detect(candidate: &Candidate) -> bool {
    if candidate.has_extension(&["json"]) {
        return Shape::of_file(candidate.path()).is_some_and(|shape| is_export(&shape))
            || is_min(candidate.path());
    }
    if candidate.has_extension(&["csv", "tsv"]) {
        let head = candidate.head(candidate.path(), LOOKED_AT);
        let line = head.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
        let text = String::from_utf8_lossy(line);
        let has = |name: &&str| {
            text.split([',', '\t', ';']).any(|cell| cell.trim_matches(['"', ' ', '\u{feff}']) == *name)
        };
        return OF_ROWS.iter().all(has) || OF_ROWS.iter().any(has) && has_uploads(&head);
    }
    false
}

/// Whether a file holds tasks with all their annotations.
pub(super) fn is_export(shape: &Shape) -> bool {
    shape.outer != Outer::Lines
        && shape.has("data")
        && shape.has_any(&["annotations", "completions", "predictions", "file_upload"])
}

/// Whether a file has one object for each annotation.
pub(super) fn is_min(file: &Path) -> bool {
    let uploads = || {
        let mut head = Vec::new();
        let read = File::open(file).and_then(|file| file.take(LOOKED_AT).read_to_end(&mut head));
        read.is_ok() && has_uploads(&head)
    };
    Shape::of_file(file).is_some_and(|shape| {
        let whole = shape.has("annotation_id") && shape.has("lead_time");
        shape.outer == Outer::Array && (whole || shape.has_any(&OF_ROWS) && !shape.has("data") && uploads())
    })
}

/// Whether a text has the address of an upload as Label Studio writes it.
fn has_uploads(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let after = |start: (usize, &str)| text[start.0..].split(['"', ',', ';', '\t', '\n', '\r']).next();
    text.match_indices("/data/upload/")
        .filter_map(after)
        .any(|cell| address::Address::of(cell).alias.is_some())
}

/// One file with the pictures of its tasks.
fn single(file: &Path, options: &DatasetOptions) -> Result<Annotated> {
    let min = match super::extension(file).as_deref() {
        Some("json") => is_min(file),
        _ => true,
    };
    let tasks = if min { tasks::rows(file, options)? } else { tasks::export(file)? };
    annotated(file, tasks, options)
}

/// The pictures of the tasks, with the annotation that counts.
fn annotated(file: &Path, tasks: Vec<Task>, options: &DatasetOptions) -> Result<Annotated> {
    let home = file.parent().unwrap_or(Path::new("/"));
    let below = ["", "images", "media", "data", "upload", "media/upload", "local-files"].map(PathBuf::from);
    let mut read = Annotated::new(WHOSE, file, home, &below, options)?;
    read.rewrite = rewrite::file;
    let shown = safe_path(Path::new(file.file_name().unwrap_or_default()));
    let key = picture_key(file, &tasks, options)?;
    let control = label_control(file, &tasks, options, &shown, &mut read)?;
    let split = options.split_column.clone().unwrap_or_else(|| "split".to_owned());
    let keys: BTreeSet<&String> = tasks.iter().flat_map(|task| task.data.keys()).collect();
    if options.split_column.is_some() && !keys.contains(&split) {
        let keys: Vec<String> = keys.into_iter().cloned().collect();
        let message = format!("there is no '{}' in the tasks; {}", excerpt(&split), choice::among(&keys));
        return Err(Error::format(file, message));
    }
    let kept: BTreeSet<&str> = (tasks.iter().flat_map(|task| task.data.keys()))
        .map(String::as_str)
        .filter(|name| *name != key && *name != split)
        .collect();
    let others: BTreeSet<&str> = (tasks.iter().flat_map(|task| &task.annotations))
        .flat_map(|annotation| annotation.results.keys())
        .map(String::as_str)
        .filter(|name| Some(*name) != control.as_deref())
        .collect();
    let annotators = tasks.iter().flat_map(|task| &task.annotations).any(|one| !one.annotator.is_empty());
    // A column of another name is not taken for the path or the label where it is read again.
    let known = |name: &str| is_known_column(&name.to_lowercase());
    let of_task = |name: &&str| if known(name) { format!("task_{name}") } else { (*name).to_owned() };
    let of_result = |name: &&str| match kept.contains(name) || known(name) {
        true => format!("annotated_{name}"),
        false => (*name).to_owned(),
    };
    let columns = kept.iter().map(of_task).chain(others.iter().map(of_result));
    read.columns = columns.chain(annotators.then(|| "annotator".to_owned())).collect();
    let label_of = |annotation: &Annotation| {
        let results = control.as_deref().and_then(|control| annotation.results.get(control));
        results.map_or(Label::None, |results| label(results))
    };
    let (mut disagree, mut first, mut embedded) = (0_u64, None, 0_u64);
    for task in &tasks {
        let address = task.data.get(&key).and_then(Value::as_str).unwrap_or_default();
        if address.starts_with("data:") {
            embedded += 1;
            continue;
        }
        let address = address::Address::of(address);
        let last = task.annotations.last();
        let labels: BTreeSet<String> = (task.annotations.iter().map(label_of))
            .map(|label| {
                if label.all().is_empty() { label.name().unwrap_or_default().to_owned() } else { label.all() }
            })
            .collect();
        if labels.len() > 1 && !last.is_some_and(|last| last.is_truth) {
            disagree += 1;
            first.get_or_insert_with(|| address.name.clone());
        }
        let mut other: Vec<String> = kept.iter().map(|name| json::cell(task.data.get(*name))).collect();
        other.extend(others.iter().map(|name| {
            let results = last.and_then(|last| last.results.get(*name));
            results.map(|results| text(results)).unwrap_or_default()
        }));
        if annotators {
            other.push(last.map(|last| last.annotator.clone()).unwrap_or_default());
        }
        read.entries.push(Entry {
            name: address.name,
            alias: address.alias,
            written: address.written,
            label: last.map(label_of).unwrap_or_default(),
            file: None,
            split: json::cell(task.data.get(&split)),
            other,
        });
    }
    if let Some(first) = first {
        let images = counted(disagree, "image has", "images have");
        let text = format!(
            "{images} annotations in {shown} that disagree; the last completed one was taken: {}",
            safe_path(&first)
        );
        read.ledger.add(RemarkKind::LabelsSeveral, disagree, text);
    }
    let tasks = counted(embedded, "task was", "tasks were");
    let text =
        format!("{tasks} left out: the picture is in {shown} itself, which is not read; save it as a file");
    if embedded > 0 {
        read.ledger.leave_out(RemarkKind::UnsupportedPictures, embedded, text);
    }
    Ok(read)
}

/// The key of a task's data that has the address of its picture.
fn picture_key(file: &Path, tasks: &[Task], options: &DatasetOptions) -> Result<String> {
    let mut keys: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (name, value) in tasks.iter().flat_map(|task| &task.data) {
        if let Some(text) = value.as_str() {
            let counts = keys.entry(name).or_default();
            counts.0 += 1;
            counts.1 +=
                u64::from(is_image(&address::Address::of(text).name) || text.starts_with("data:image/"));
        }
    }
    let names: Vec<String> = keys.keys().map(|name| (*name).to_owned()).collect();
    if let Some(asked) = &options.path_column {
        let found = choice::asked(&names, asked).first().map(|&at| names[at].clone());
        return found.ok_or_else(|| {
            let message = format!("there is no '{}' in the tasks; {}", excerpt(asked), choice::among(&names));
            Error::format(file, message)
        });
    }
    // The one with most pictures, then the one that is called like a picture.
    let usual = |name: &str| choice::PATH_NAMES.iter().any(|usual| usual.eq_ignore_ascii_case(name));
    let best = keys
        .iter()
        .filter(|(name, counts)| counts.1 > 0 || usual(name))
        .max_by_key(|(name, counts)| (counts.1, usual(name), std::cmp::Reverse(**name)));
    best.map(|(name, _)| (*name).to_owned()).ok_or_else(|| {
        let message =
            "its tasks have no picture: none of their data is the address of one; --path-column chooses";
        Error::format(file, message)
    })
}

/// The control whose results are the labels, which is said if there was a choice.
fn label_control(
    file: &Path,
    tasks: &[Task],
    options: &DatasetOptions,
    shown: &str,
    read: &mut Annotated,
) -> Result<Option<String>> {
    let mut names: BTreeMap<&str, Rank> = BTreeMap::new();
    for (name, results) in tasks.iter().flat_map(|task| &task.annotations).flat_map(|one| &one.results) {
        let rank = results.iter().map(rank).min().unwrap_or(Rank::Text);
        let known = names.entry(name).or_insert(rank);
        *known = rank.min(*known);
    }
    if let Some(asked) = &options.label_column {
        let all: Vec<String> = names.keys().map(|name| (*name).to_owned()).collect();
        return match choice::asked(&all, asked).first() {
            Some(&at) => Ok(Some(all[at].clone())),
            None => {
                let what =
                    if all.is_empty() { "there are no results".to_owned() } else { choice::among(&all) };
                Err(Error::format(file, format!("there is no control '{}'; {what}", excerpt(asked))))
            }
        };
    }
    let Some(best) = names.values().min().copied().filter(|rank| *rank != Rank::Text) else {
        return Ok(None);
    };
    let candidates: Vec<&str> =
        names.iter().filter(|(_, rank)| **rank == best).map(|(name, _)| *name).collect();
    let usual = LABEL_NAMES.iter().chain(&USUAL);
    let first =
        usual.into_iter().find_map(|usual| candidates.iter().find(|name| name.eq_ignore_ascii_case(usual)));
    let Some(first) = first.or(candidates.first()).copied() else { return Ok(None) };
    if let Some(other) = candidates.iter().find(|name| **name != first) {
        let text = format!(
            "the controls '{}' and '{}' of {shown} may both hold the labels: '{}' was taken; --label-column chooses",
            excerpt(first),
            excerpt(other),
            excerpt(first)
        );
        read.ledger.add(RemarkKind::LayoutDoubtful, 1, text);
    }
    Ok(Some(first.to_owned()))
}

/// What a result is, the likeliest label first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Choices,
    Taxonomy,
    Regions,
    Text,
}

/// The kind of a result's value.
fn rank(value: &Value) -> Rank {
    match value {
        Value::String(_) => Rank::Choices,
        Value::Object(object) if object.contains_key("choices") => Rank::Choices,
        Value::Object(object) if object.contains_key("taxonomy") => Rank::Taxonomy,
        Value::Object(object) if object.keys().any(|key| key.ends_with("labels")) => Rank::Regions,
        _ => Rank::Text,
    }
}

fn texts(value: Option<&Value>) -> impl Iterator<Item = String> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.map(|one| match one {
        // A taxonomy's answer is a path, whose last part is the most precise.
        Value::Array(path) => json::cell(path.last()),
        one => json::cell(Some(one)),
    })
    .filter(|text| !text.is_empty())
}

/// The label that the results of a control give.
fn label(results: &[Value]) -> Label {
    let mut tags: Vec<String> = Vec::new();
    let mut objects = Objects::default();
    for (order, value) in (0..).zip(results) {
        match (rank(value), value) {
            (Rank::Choices, Value::String(text)) => tags.push(text.clone()),
            (Rank::Choices, value) => tags.extend(texts(value.get("choices"))),
            (Rank::Taxonomy, value) => tags.extend(texts(value.get("taxonomy"))),
            (Rank::Regions, Value::Object(object)) => {
                let side = |name: &str| object.get(name).and_then(Value::as_f64).unwrap_or(0.0);
                let area = side("width") * side("height");
                let names = object.iter().filter(|(key, _)| key.ends_with("labels"));
                for name in names.flat_map(|(_, value)| texts(Some(value))) {
                    objects.add(&name, area, order);
                }
            }
            _ => {}
        }
    }
    tags.retain(|tag| !tag.is_empty());
    if tags.is_empty() { objects.label() } else { Label::of_tags(tags) }
}

/// The results of a control as the text of a cell.
fn text(results: &[Value]) -> String {
    let label = label(results);
    match (label.name(), label.all()) {
        (_, all) if !all.is_empty() => all,
        (Some(name), _) => name.to_owned(),
        _ => {
            let plain = results.iter().map(|value| match value {
                Value::Object(object) if object.len() == 1 => match object.values().next() {
                    Some(Value::Array(texts)) => {
                        texts.iter().map(|text| json::cell(Some(text))).collect::<Vec<_>>().join(" ")
                    }
                    one => json::cell(one),
                },
                value => json::cell(Some(value)),
            });
            plain.collect::<Vec<_>>().join(" ")
        }
    }
}

#[cfg(test)]
mod tests;
