//! Manifests in JSON: a line or an element of an array for each picture, columns by name, or labels by path.

use super::choice::{Choices, Columns, Records, Row};
use super::folders::json_like;
use super::json::{self, Outer, Shape};
use super::list_cells;
use super::nested::{self, Nested, path_in, told};
use super::reading_options::OF_TABLES;
use super::rewrite;
use super::rows::{EMPTY, Rows, tell_labels};
use super::typed::Typed;
use super::{ClassNames, DatasetOptions, Format, Opened, extension, is_image};
use crate::text::json_parts::{Part, Patch};
use crate::text::{Document, json_numbers};
use crate::{Error, Result};
use chaffinch_data::as_written::TableForm;
use chaffinch_protocol::RemarkKind;
use chaffinch_protocol::display::{counted, excerpt};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

pub(super) const FORMAT: Format = Format {
    name: "a .jsonl or .json manifest",
    summary: "a JSON Lines or JSON manifest",
    details: "an object for each image, one a line or in an array, with its path and, if there are any, label and split, as in a \
              table, also inside of objects (`annotation.label`, `image.label` beside `image.path`); or an object of labels by path; other keys are kept",
    written: "`cleaned-table` writes a CSV table with the same columns",
    lost: "several labels of one picture count as none; the column `all_labels` has them; other keys that are numbers in one \
           object and texts in another are texts in all",
    class_names: ClassNames::Written,
    annotated: None,
    elsewhere: false,
    options: |_| OF_TABLES,
    detect: |candidate| {
        candidate.has_extension(&["jsonl", "ndjson"])
            || (candidate.has_extension(&["json"]) && Shape::of_file(candidate.path()).is_some())
    },
    read: |candidate, options| open(candidate.path(), options),
};

/// The names of columns where a file has only paths and labels.
const PAIR: [&str; 2] = ["path", "label"];

/// The objects of a file.
enum Objects {
    Lines(Vec<u8>),
    Array(Vec<Map<String, Value>>),
}

struct JsonRecords<'a> {
    file: &'a Path,
    objects: Objects,
    headings: Vec<String>,
    /// Whether what stands beside the path in objects under a heading has headings of its own.
    taken_apart: Vec<bool>,
}

impl Row for Vec<String> {
    fn cell(&self, column: usize) -> Option<&[u8]> {
        self.get(column).map(|cell| cell.as_bytes())
    }
}

impl Records for JsonRecords<'_> {
    fn each(&self, row: &mut dyn FnMut(&dyn Row) -> bool) -> Result<()> {
        self.objects(&mut |_, object| Ok(row(&self.cells(object))))
    }
}

impl JsonRecords<'_> {
    /// Calls with each object and its place, a line or the number of an element, until `each` returns false.
    fn objects(&self, each: &mut dyn FnMut(usize, &Map<String, Value>) -> Result<bool>) -> Result<()> {
        match &self.objects {
            Objects::Array(all) => {
                for (at, object) in (1..).zip(all) {
                    if !each(at, object)? {
                        break;
                    }
                }
            }
            Objects::Lines(text) => {
                for (at, line) in (1..).zip(text.split(|&byte| byte == b'\n')) {
                    if line.trim_ascii().is_empty() {
                        continue;
                    }
                    let refuse = |what: String| Error::format(self.file, format!("line {at}: {what}"));
                    let value = json_numbers::read(line).map_err(|error| {
                        let cut =
                            if error.is_eof() { "it ends too early, as if it was cut off: " } else { "" };
                        refuse(format!("{cut}{error}"))
                    })?;
                    let Value::Object(object) = value else {
                        return Err(refuse("it is not a JSON object".to_owned()));
                    };
                    if !each(at, &object)? {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn cells(&self, object: &Map<String, Value>) -> Vec<String> {
        let text = |(name, whole): (&String, &bool)| match nested::get(object, name) {
            Some(value) if *whole => cell(path_in(value).or(Some(value))),
            value => cell(value),
        };
        self.headings.iter().zip(&self.taken_apart).map(text).collect()
    }

    /// What a place is called in an error.
    fn place(&self, at: usize) -> String {
        match self.objects {
            Objects::Array(_) => format!("element {at}"),
            Objects::Lines(_) => format!("line {at}"),
        }
    }
}

/// A value as text. An image as Hugging Face writes it is its path.
fn cell(value: Option<&Value>) -> String {
    json::cell(value.map(told))
}

fn open(file: &Path, options: &DatasetOptions) -> Result<Opened> {
    let root = match &options.root {
        Some(root) => std::path::absolute(root).map_err(Error::io("find", root))?,
        None => file.parent().unwrap_or(Path::new("/")).to_path_buf(),
    };
    let mut records =
        JsonRecords { file, objects: objects(file)?, headings: Vec::new(), taken_apart: Vec::new() };
    let mut headings: Vec<String> = Vec::new();
    let mut known: HashSet<String> = HashSet::new();
    let mut nested = Nested::default();
    records.objects(&mut |_, object| {
        nested.see(object);
        for name in object.keys().filter(|name| !known.contains(*name)).cloned().collect::<Vec<_>>() {
            known.insert(name.clone());
            headings.push(name);
        }
        Ok(true)
    })?;
    // A map does not keep the order in which keys were written; the first object says it of most.
    let order = Shape::of_file(file).map(|shape| shape.keys).unwrap_or_default();
    headings.sort_by_key(|name| order.iter().position(|key| key == name).unwrap_or(usize::MAX));
    if headings.is_empty() {
        return Err(Error::format(file, "it has no objects with the path of an image"));
    }
    let (reading, fields) = nested.take_apart(&mut headings, options);
    let has_own = |heading: &String| {
        let inside =
            |other: &String| other.strip_prefix(heading.as_str()).is_some_and(|rest| rest.starts_with('.'));
        headings.iter().any(inside)
    };
    records.taken_apart = headings.iter().map(has_own).collect();
    records.headings = headings;
    let headings = &records.headings;
    let choices = Choices { file, records: &records, headings, start: "it" };
    let (columns, mut chosen) = choices.find(&reading, &root)?;
    chosen.extend(fields);
    let is = |column: usize| column == columns.path || [columns.label, columns.split].contains(&Some(column));
    let kept: Vec<usize> = (0..headings.len()).filter(|&column| !is(column)).collect();
    let mut rows = Rows::new(kept.iter().map(|&column| headings[column].trim().to_owned()));
    if let Some(column) = columns.split {
        rows.split_column(&headings[column], options.split_column.is_some());
    }
    let mut typed = Typed::default();
    let (mut objects_as_labels, mut first_object) = (0, None);
    records.objects(&mut |at, object| {
        for &column in &kept {
            let value = nested::get(object, &headings[column]);
            typed.see(headings[column].trim(), value.map(told));
        }
        let mut cells = records.cells(object);
        let path = std::mem::take(&mut cells[columns.path]);
        if path.is_empty() || path.contains('\0') {
            let (place, name) = (records.place(at), excerpt(&headings[columns.path]));
            return Err(Error::format(file, format!("{place} has no path in '{name}'")));
        }
        let mut label = columns.label.map(|column| std::mem::take(&mut cells[column]));
        if let Some(column) = columns.label
            && nested::get(object, &headings[column]).is_some_and(says_more)
        {
            objects_as_labels += 1;
            first_object.get_or_insert_with(|| (records.place(at), label.take().unwrap_or_default()));
            label = Some(String::new());
        }
        if let (true, Some(column)) =
            (label.as_ref().is_some_and(|label| label.contains('\0')), columns.label)
        {
            let (place, name) = (records.place(at), excerpt(&headings[column]));
            return Err(Error::format(file, format!("{place} has a NUL character in its label, '{name}'")));
        }
        let split = columns.split.map(|column| std::mem::take(&mut cells[column])).unwrap_or_default();
        let other: Vec<String> = kept.iter().map(|&column| std::mem::take(&mut cells[column])).collect();
        rows.push(PathBuf::from(path), label, &split, other);
        Ok(true)
    })?;
    rows.told = objects_as_labels;
    let mut opened = finish(file, root, rows, (headings, &kept), &columns, chosen)?;
    opened.manifest = opened.manifest.with_typed(typed.names());
    if let Some((place, text)) = first_object {
        let labels =
            counted(objects_as_labels, "label is an object and counts", "labels are objects and count");
        let text = format!(
            "{labels} as none, such as '{}' of {place}; a label is the name of a class, as a text or a number",
            excerpt(&text)
        );
        opened.ledger.add(RemarkKind::ClassesDoubtful, objects_as_labels, text);
    }
    Ok(opened)
}

/// Whether a value in the place of a label says more than labels: an object, or a list with one.
fn says_more(value: &Value) -> bool {
    match value {
        // Label Studio has several choices in an object.
        Value::Object(inner) => !inner.contains_key("choices"),
        Value::Array(all) => all.iter().any(Value::is_object),
        _ => false,
    }
}

fn finish(
    file: &Path,
    root: PathBuf,
    mut rows: Rows,
    (headings, kept): (&[String], &[usize]),
    columns: &Columns,
    chosen: Vec<(RemarkKind, String)>,
) -> Result<Opened> {
    let flags = if columns.label.is_none() { rows.labels_from_flags() } else { None };
    rows.no_label = columns.label.map(|_| EMPTY);
    if columns.split.is_none() {
        rows.splits_from_flags();
    }
    let in_flags = flags.iter().flat_map(|flags| &flags.columns).map(|&column| kept[column]).collect();
    let (manifest, mut ledger) = rows.finish(root, file)?;
    for (kind, text) in chosen {
        ledger.add(kind, 1, text);
    }
    if columns.label.is_none() {
        tell_labels(flags, &manifest, &mut ledger);
    }
    let form = TableForm {
        columns: headings.to_vec(),
        path: columns.path,
        label: columns.label,
        split: columns.split,
        flags: in_flags,
        delimiter: b',',
        encoding: encoding_rs::UTF_8.name().to_owned(),
        mark: false,
        crlf: false,
        paths_as_bytes: true,
    };
    Ok(Opened { manifest: manifest.with_table(form), ledger })
}

/// The objects of a file, in whatever form.
fn objects(file: &Path) -> Result<Objects> {
    let lines = matches!(extension(file).as_deref(), Some("jsonl" | "ndjson"));
    let shape = Shape::of_file(file);
    if lines || shape.is_some_and(|shape| shape.outer == Outer::Lines) {
        let document = Document::read(file)?;
        return Ok(Objects::Lines(document.text().to_vec()));
    }
    let all = match json::read_as_written(file)? {
        Value::Array(all) => all,
        Value::Object(object) => of_object(file, object)?,
        _ => return Err(strange(file)),
    };
    let mut found = Vec::with_capacity(all.len());
    for (at, value) in (1..).zip(all) {
        let Value::Object(object) = value else {
            return Err(Error::format(file, format!("element {at} is not a JSON object")));
        };
        found.push(object);
    }
    Ok(Objects::Array(found))
}

/// The rows that an object says: labels by path, columns by name, or an array under its only key.
fn of_object(file: &Path, object: Map<String, Value>) -> Result<Vec<Value>> {
    let plain = |value: &Value| !matches!(value, Value::Object(_));
    if !object.is_empty() && object.iter().all(|(key, value)| is_image(Path::new(key)) && plain(value)) {
        let row = |(path, label)| {
            Value::Object(Map::from_iter([
                (PAIR[0].to_owned(), Value::String(path)),
                (PAIR[1].to_owned(), label),
            ]))
        };
        return Ok(object.into_iter().map(row).collect());
    }
    if !object.is_empty() && object.iter().all(|(key, value)| is_image(Path::new(key)) && value.is_object()) {
        let row = |(path, value)| match value {
            Value::Object(mut row) => {
                row.insert(PAIR[0].to_owned(), Value::String(path));
                Value::Object(row)
            }
            other => other,
        };
        return Ok(object.into_iter().map(row).collect());
    }
    // As others write it: the paths of each class, or the columns apart from the rows.
    let paths = |value: &Value| {
        let is_path = |path: &Value| path.as_str().is_some_and(|path| is_image(Path::new(path)));
        value.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(is_path))
    };
    if object.len() > 1 && object.values().all(paths) {
        let (class, example) = object.iter().next().map_or(("", ""), |(class, paths)| {
            (class.as_str(), paths.get(0).and_then(Value::as_str).unwrap_or_default())
        });
        let message = format!(
            "it lists the paths of each class, such as '{}', which is not read; write the label of each path instead: \
             {{\"{}\": \"{}\", …}}",
            excerpt(class),
            excerpt(example),
            excerpt(class)
        );
        return Err(Error::format(file, message));
    }
    if object.get("columns").is_some_and(Value::is_array) && object.get("data").is_some_and(Value::is_array) {
        let message = "it is a table of pandas with its columns apart, which is not read; write it with \
                       to_json(orient=\"records\")";
        return Err(Error::format(file, message));
    }
    // As pandas writes a table by its index: the cells of each row by the names of their columns, in the order of the rows.
    let is_number = |key: &String| key.parse::<u64>().is_ok();
    let is_row = |value: &Value| {
        value.as_object().is_some_and(|cells| {
            !cells.is_empty() && !cells.keys().any(is_number) && cells.values().all(plain)
        })
    };
    if !object.is_empty() && object.keys().all(is_number) && object.values().all(is_row) {
        let mut rows: Vec<(&String, &Value)> = object.iter().collect();
        rows.sort_by_key(|(key, _)| (key.parse::<u64>().unwrap_or(u64::MAX), *key));
        return Ok(rows.into_iter().map(|(_, row)| row.clone()).collect());
    }
    // As pandas writes a table: columns of values by the number of the row.
    let columns: Option<Vec<(String, BTreeMap<String, Value>)>> = object
        .iter()
        .map(|(name, column)| match column {
            Value::Object(cells) => Some((name.clone(), cells.clone().into_iter().collect())),
            Value::Array(cells) if cells.iter().all(plain) => {
                let numbered = cells.iter().enumerate().map(|(row, cell)| (row.to_string(), cell.clone()));
                Some((name.clone(), numbered.collect()))
            }
            _ => None,
        })
        .collect();
    if let Some(columns) = columns.filter(|columns| columns.len() > 1) {
        let mut keys: Vec<&String> = columns[0].1.keys().collect();
        let same = columns
            .iter()
            .all(|(_, cells)| cells.len() == keys.len() && keys.iter().all(|key| cells.contains_key(*key)));
        if same && columns.iter().all(|(_, cells)| cells.values().all(plain)) {
            keys.sort_by_key(|key| (key.parse::<u64>().unwrap_or(u64::MAX), *key));
            let row = |key: &&String| {
                let cell =
                    |(name, cells): &(String, BTreeMap<String, Value>)| (name.clone(), cells[*key].clone());
                Value::Object(columns.iter().map(cell).collect())
            };
            return Ok(keys.iter().map(row).collect());
        }
    }
    let mut arrays = object.into_iter().filter(|(_, value)| {
        value.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(Value::is_object))
    });
    match (arrays.next(), arrays.next()) {
        (Some((_, Value::Array(all))), None) => Ok(all),
        _ => Err(strange(file)),
    }
}

/// What becomes of a row.
pub(crate) enum RowEdit {
    Keep,
    Drop,
    /// Other values in some columns.
    Set(Vec<NewValue>),
}

/// Another value of a row.
pub(crate) struct NewValue {
    /// Its column.
    pub(crate) heading: String,
    pub(crate) text: String,
    /// Whether it is a number or a truth value where the row has no value yet, and null instead of an empty text.
    pub(crate) bare: bool,
}

/// A file with other values in some of its rows, and every other byte as it was.
///
/// # Errors
/// When it cannot be read, or its rows are not those that were read.
pub(crate) fn rewritten(file: &Path, rows: usize, edit: &dyn Fn(usize) -> RowEdit) -> Result<Vec<u8>> {
    let lines = matches!(extension(file).as_deref(), Some("jsonl" | "ndjson"))
        || Shape::of_file(file).is_some_and(|shape| shape.outer == Outer::Lines);
    if lines {
        return rewritten_lines(file, rows, edit);
    }
    rewrite::json(file, |whole, patch| {
        let changed = || "its rows are not those that were read; make a new plan".to_owned();
        let fields = whole.fields();
        let by_path = !fields.is_empty() && fields.iter().all(|field| is_image(Path::new(&field.key)));
        if by_path {
            // Rows are in the order of their keys.
            let mut order: Vec<usize> = (0..fields.len()).collect();
            order.sort_by(|&a, &b| fields[a].key.cmp(&fields[b].key));
            let mut gone = vec![false; fields.len()];
            for (row, &at) in order.iter().enumerate() {
                match edit(row) {
                    RowEdit::Keep => {}
                    RowEdit::Drop => gone[at] = true,
                    RowEdit::Set(values) => {
                        for value in &values {
                            match fields[at].value.is_object() {
                                true => set(fields[at].value, value, patch),
                                false => patch.set(fields[at].value, &like(Some(fields[at].value), value)),
                            }
                        }
                    }
                }
            }
            let spans: Vec<_> = fields.iter().map(|field| field.span.clone()).collect();
            patch.remove(&spans, |at| gone[at]);
            return if order.len() == rows { Ok(()) } else { Err(changed()) };
        }
        let list = match whole.is_array() {
            true => Some(whole),
            false => {
                let lists = fields.iter().map(|field| field.value).filter(|value| {
                    let items = value.items();
                    !items.is_empty() && items.iter().all(Part::is_object)
                });
                let lists: Vec<Part<'_>> = lists.collect();
                if let [one] = lists[..] { Some(one) } else { None }
            }
        };
        let Some(list) = list else {
            return Err(
                "a table that is written by columns cannot be rewritten; write it as one object for each row"
                    .into(),
            );
        };
        let items = list.items();
        if items.len() != rows {
            return Err(changed());
        }
        let mut gone = vec![false; items.len()];
        for (row, item) in items.iter().enumerate() {
            match edit(row) {
                RowEdit::Keep => {}
                RowEdit::Drop => gone[row] = true,
                RowEdit::Set(values) => {
                    values.iter().for_each(|value| set(*item, value, patch));
                }
            }
        }
        let spans: Vec<_> = items.iter().map(Part::span).collect();
        patch.remove(&spans, |at| gone[at]);
        Ok(())
    })
}

fn set(object: Part<'_>, value: &NewValue, patch: &mut Patch) {
    let (object, key) = nested::place(object, &value.heading);
    patch.set_key(object, key, &like(object.get(key), value));
}

/// A value as the old one is written.
fn like(old: Option<Part<'_>>, new: &NewValue) -> Value {
    let old = old.map(|old| old.value());
    // What goes with the labels is written as a list already.
    let text = match new.bare {
        true => new.text.as_str().into(),
        false => list_cells::relabeled(&json::cell(old.as_ref()), &new.text),
    };
    json_like(old.as_ref(), &text, new.bare)
}

fn rewritten_lines(file: &Path, rows: usize, edit: &dyn Fn(usize) -> RowEdit) -> Result<Vec<u8>> {
    let document = Document::read(file)?;
    let (mark, encoding) = (document.mark, document.encoding);
    let (text, _) = document.into_string(file)?;
    let mut patch = Patch::default();
    let (mut start, mut row) = (0, 0);
    for line in text.split_inclusive('\n') {
        let span = start..start + line.len();
        start = span.end;
        if line.trim().is_empty() {
            continue;
        }
        match edit(row) {
            RowEdit::Keep => {}
            RowEdit::Drop => patch.replace(span, ""),
            RowEdit::Set(values) => {
                let object = Part::within(&text, span);
                values.iter().for_each(|value| set(object, value, &mut patch));
            }
        }
        row += 1;
    }
    if row != rows {
        return Err(Error::format(file, "its rows are not those that were read; make a new plan"));
    }
    rewrite::encoded(file, &patch.applied(&text), mark, encoding)
}

fn strange(file: &Path) -> Error {
    let message = "it is JSON, but no table: expected an object with the path of an image in each line or each element of an \
                   array, or labels by path; write the paths and labels to a CSV table";
    Error::format(file, message)
}

#[cfg(test)]
mod tests;
