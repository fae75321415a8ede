//! Tasks with their annotations, from each kind of export.

use crate::dataset::choice::{self, LABEL_NAMES, PATH_NAMES};
use crate::dataset::{DatasetOptions, extension, is_image, json};
use crate::text::{TableText, broken};
use crate::{Error, Result};
use chaffinch_protocol::display::counted;
use csv::ByteRecord;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// A task: a picture that was shown to annotators.
#[derive(Debug, Default)]
pub(super) struct Task {
    /// What it shows, and what else is known of that.
    pub(super) data: Map<String, Value>,
    /// Those that were not canceled: the ground truth last, or else the last completed one.
    pub(super) annotations: Vec<Annotation>,
}

/// What an annotator said of a task.
#[derive(Debug, Default)]
pub(super) struct Annotation {
    /// The values of the results by the control that gave them.
    pub(super) results: BTreeMap<String, Vec<Value>>,
    pub(super) annotator: String,
    /// Whether it was marked as the ground truth.
    pub(super) is_truth: bool,
    /// When it was completed, in a form that sorts.
    completed: (String, String),
}

#[derive(Deserialize)]
struct WrittenTask {
    #[serde(default)]
    data: Map<String, Value>,
    #[serde(default)]
    annotations: Option<Vec<WrittenAnnotation>>,
    /// As old versions call them.
    #[serde(default)]
    completions: Option<Vec<WrittenAnnotation>>,
}

#[derive(Deserialize)]
pub(super) struct WrittenAnnotation {
    #[serde(default)]
    result: Option<Vec<WrittenResult>>,
    #[serde(default)]
    was_cancelled: Option<bool>,
    #[serde(default)]
    skipped: Option<bool>,
    #[serde(default)]
    ground_truth: Option<bool>,
    #[serde(default)]
    created_at: Value,
    #[serde(default)]
    updated_at: Value,
    #[serde(default)]
    completed_by: Value,
}

#[derive(Deserialize)]
struct WrittenResult {
    #[serde(default)]
    from_name: Option<String>,
    #[serde(default)]
    value: Value,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Whole {
    Many(Vec<WrittenTask>),
    One(Box<WrittenTask>),
}

/// The tasks of a JSON export.
pub(super) fn export(file: &Path) -> Result<Vec<Task>> {
    // Read as what it is first, so that an error names its line.
    let whole = match json::read::<Vec<WrittenTask>>(file) {
        Ok(tasks) => tasks,
        Err(error) => match json::read(file) {
            Ok(Whole::One(task)) => vec![*task],
            Ok(Whole::Many(tasks)) => tasks,
            Err(_) => return Err(error),
        },
    };
    Ok(whole.into_iter().map(Task::of).collect())
}

impl WrittenAnnotation {
    /// Whether it was neither canceled nor skipped.
    pub(super) fn counts(&self) -> bool {
        self.was_cancelled != Some(true) && self.skipped != Some(true)
    }

    /// What sorts the annotations of a task, the one that counts last.
    pub(super) fn order(&self) -> (bool, (String, String)) {
        (self.ground_truth == Some(true), completed(&self.updated_at, &self.created_at))
    }
}

impl Task {
    fn of(written: WrittenTask) -> Task {
        let all = written.annotations.or(written.completions).unwrap_or_default();
        let mut annotations: Vec<Annotation> =
            all.into_iter().filter(WrittenAnnotation::counts).map(Annotation::of).collect();
        annotations.sort_by(|a, b| (a.is_truth, &a.completed).cmp(&(b.is_truth, &b.completed)));
        Task { data: written.data, annotations }
    }
}

impl Annotation {
    fn of(written: WrittenAnnotation) -> Annotation {
        let mut results: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for result in written.result.into_iter().flatten() {
            // What relates regions to each other has no name.
            if let Some(name) = result.from_name {
                results.entry(name).or_default().push(result.value);
            }
        }
        Annotation {
            results,
            is_truth: written.ground_truth == Some(true),
            annotator: annotator(&written.completed_by),
            completed: completed(&written.updated_at, &written.created_at),
        }
    }
}

/// Who an annotation is by: an address, or a number.
fn annotator(value: &Value) -> String {
    match value {
        Value::Object(who) => json::cell(who.get("email").or_else(|| who.get("id"))),
        other => json::cell(Some(other)),
    }
}

/// When an annotation was completed: times as ISO 8601 sort as they are, and numbers by their length first.
fn completed(updated: &Value, created: &Value) -> (String, String) {
    let sorting = |value: &Value| match value {
        Value::Number(number) => format!("{:020}", number.as_f64().unwrap_or(0.0).max(0.0) as u64),
        other => json::cell(Some(other)),
    };
    let (updated, created) = (sorting(updated), sorting(created));
    (if updated.is_empty() { created.clone() } else { updated }, created)
}

/// The id of an annotation.
const ID: &str = "annotation_id";
/// Columns that describe an annotation.
const ABOUT: [&str; 8] = [
    "id",
    "annotator",
    "annotation_id",
    "created_at",
    "updated_at",
    "lead_time",
    "agreement",
    "annotator_email",
];

/// The rows of an export with one for each annotation, as JSON-MIN or CSV, and the column of results that are labels.
pub(super) fn written_rows(
    file: &Path,
    options: &DatasetOptions,
) -> Result<(Vec<Map<String, Value>>, Option<String>)> {
    let rows: Vec<Map<String, Value>> = match extension(file).as_deref() {
        Some("json") => json::read(file)?,
        _ => table(file)?,
    };
    let mut names: Vec<String> = Vec::new();
    for name in rows.iter().flat_map(Map::keys) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let control = control(file, &names, &rows, options)?;
    Ok((rows, control))
}

/// Whether a row has an annotation, which its id says, as far as there are ids.
pub(super) fn is_done(rows: &[Map<String, Value>]) -> impl Fn(&Map<String, Value>) -> bool + use<> {
    let has_ids = rows.iter().any(|row| row.contains_key(ID));
    move |row| !has_ids || !json::cell(row.get(ID)).is_empty()
}

/// When the annotation of a row was completed, in a form that sorts.
pub(super) fn completed_of(row: &Map<String, Value>) -> (String, String) {
    let value = |name: &str| row.get(name).cloned().unwrap_or_default();
    completed(&value("updated_at"), &value("created_at"))
}

/// The tasks of such an export.
pub(super) fn rows(file: &Path, options: &DatasetOptions) -> Result<Vec<Task>> {
    let (rows, control) = written_rows(file, options)?;
    let mut tasks: Vec<Task> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let is_done = is_done(&rows);
    for mut row in rows {
        let done = is_done(&row);
        let result = control.as_deref().and_then(|name| row.remove(name));
        let take = |row: &mut Map<String, Value>, name: &str| row.remove(name).unwrap_or_default();
        let [id, who] = ["id", "annotator"].map(|name| take(&mut row, name));
        let [created, updated] = ["created_at", "updated_at"].map(|name| take(&mut row, name));
        ABOUT.iter().for_each(|name| drop(row.remove(*name)));
        // Without an id, each row is a task of its own.
        let id = json::cell(Some(&id));
        let next = tasks.len();
        let at = if id.is_empty() { next } else { *places.entry(id).or_insert(next) };
        if at == next {
            tasks.push(Task { data: row, annotations: Vec::new() });
        }
        if !done {
            continue;
        }
        let mut results = BTreeMap::new();
        if let (Some(name), Some(result)) =
            (&control, result.filter(|result| !json::cell(Some(result)).is_empty()))
        {
            results.insert(name.clone(), values(result));
        }
        let completed = completed(&updated, &created);
        tasks[at].annotations.push(Annotation {
            results,
            is_truth: false,
            annotator: annotator(&who),
            completed,
        });
    }
    for task in &mut tasks {
        task.annotations.sort_by(|a, b| a.completed.cmp(&b.completed));
    }
    Ok(tasks)
}

/// The values of a result in a cell: a choice, several of them, or regions.
fn values(cell: Value) -> Vec<Value> {
    let parsed = match &cell {
        Value::String(text) if text.starts_with(['[', '{']) => serde_json::from_str(text).ok(),
        _ => None,
    };
    match parsed.unwrap_or(cell) {
        Value::Array(all) => all,
        Value::Number(number) => vec![Value::String(number.to_string())],
        one => vec![one],
    }
}

/// The column of results that are labels.
fn control(
    file: &Path,
    names: &[String],
    rows: &[Map<String, Value>],
    options: &DatasetOptions,
) -> Result<Option<String>> {
    let free: Vec<String> = (names.iter())
        .filter(|name| !ABOUT.contains(&name.as_str()))
        .filter(|name| !PATH_NAMES.iter().any(|usual| usual.eq_ignore_ascii_case(name)))
        .cloned()
        .collect();
    if let Some(asked) = &options.label_column {
        let found = choice::asked(names, asked).first().map(|&at| names[at].clone());
        let none = || Error::format(file, format!("there is no column '{asked}'; {}", choice::among(names)));
        return found.ok_or_else(none).map(Some);
    }
    let usual = LABEL_NAMES.iter().chain(&super::USUAL);
    let named = usual.into_iter().find_map(|usual| free.iter().find(|name| name.eq_ignore_ascii_case(usual)));
    let done = is_done(rows);
    let answered = |name: &&String| {
        // Only what an annotator said is missing where nobody did.
        let said = |row: &Map<String, Value>| !json::cell(row.get(name.as_str())).is_empty();
        let has = |name: &str| {
            options.path_column.as_deref() == Some(name) || options.split_column.as_deref() == Some(name)
        };
        rows.iter().any(said)
            && rows.iter().all(|row| done(row) || !said(row))
            && !has(name)
            && *name != "split"
    };
    let found = named.or_else(|| {
        let all: Vec<&String> = free.iter().filter(answered).collect();
        let pictures = |name: &&&String| {
            let text = |row: &Map<String, Value>| json::cell(row.get(name.as_str()));
            !rows.iter().any(|row| is_image(&super::address::Address::of(&text(row)).name))
        };
        all.iter().find(pictures).copied()
    });
    Ok(found.cloned())
}

/// The rows of a CSV or TSV export.
fn table(file: &Path) -> Result<Vec<Map<String, Value>>> {
    let usual = if extension(file).as_deref() == Some("csv") { b',' } else { b'\t' };
    let table = TableText::read(file, usual)?;
    let cells = table.cells(file, |_, _| false)?;
    let mut reader = table.reader();
    let mut record = ByteRecord::new();
    let mut headings: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    while reader.read_byte_record(&mut record).map_err(|error| broken(file, error))? {
        let texts: Vec<String> = record.iter().map(|cell| cells.text(cell).into_owned()).collect();
        if headings.is_empty() {
            headings = texts;
            continue;
        }
        if texts.len() != headings.len() {
            let (has, expected) = (counted(texts.len() as u64, "field", "fields"), headings.len());
            let message = format!("line {} has {has}, but the header has {expected}", table.line(&record));
            return Err(Error::format(file, message));
        }
        rows.push(headings.iter().cloned().zip(texts.into_iter().map(Value::String)).collect());
    }
    Ok(rows)
}
