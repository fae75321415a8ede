//! Tables with all their cells as text: lists and structures as JSON, nothing where a value is missing.

use super::Headed;
use super::labels::{LabelColumn, label_column};
use super::{Kind, kind, table};
use crate::arrow_text;
use crate::headings::{PATHS, STORED};
use crate::row_names::SideColumn;
use crate::text::{Document, json_numbers};
use crate::{Error, Result};
use chaffinch_review::label_quality::Values;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// A table, column by column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextTable {
    pub(crate) headings: Vec<String>,
    /// Whether headings are not cells for sure: the first line of a text may be one of the rows.
    pub(crate) headed: bool,
    /// As many cells in each.
    pub(crate) columns: Vec<Vec<String>>,
    pub(crate) rows: usize,
}

impl TextTable {
    /// Reads a table: CSV, TSV, Parquet, JSON Lines, or an array of JSON objects. Lines of a `.txt` are one column.
    /// `None` for files of numbers.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn read(path: &Path) -> Result<Option<TextTable>> {
        if let Some(lines) = json_lines(path) {
            return json(path, lines).map(Some);
        }
        match kind(path)? {
            Kind::Npy | Kind::Safetensors => Ok(None),
            Kind::Parquet => parquet(path).map(Some),
            Kind::Table(_) if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("txt")) => {
                lines(path).map(Some)
            }
            Kind::Table(separator) => separated(path, separator).map(Some),
        }
    }

    /// The cells of the column of paths, if there is one beside others.
    pub(super) fn row_names(&self) -> Option<Vec<String>> {
        let of = |name: &str| self.headings.iter().position(|own| own.trim().eq_ignore_ascii_case(name));
        let column = PATHS.into_iter().find_map(of).filter(|_| self.headings.len() > 1)?;
        Some(self.columns[column].clone())
    }

    /// The columns that are called so, beside others.
    pub(super) fn columns(&self, is: Headed) -> Vec<SideColumn> {
        let all = self.headings.iter().zip(&self.columns);
        let ids = all.filter(|(heading, _)| self.headings.len() > 1 && is(heading));
        ids.map(|(heading, cells)| SideColumn { heading: heading.clone(), cells: cells.clone() }).collect()
    }

    fn of(headings: Vec<String>, headed: bool) -> TextTable {
        TextTable { columns: vec![Vec::new(); headings.len()], headings, headed, rows: 0 }
    }

    fn push(&mut self, cells: impl IntoIterator<Item = String>) {
        self.columns.iter_mut().zip(cells).for_each(|(column, cell)| column.push(cell));
        self.rows += 1;
    }
}

/// Reads one value per row from a table of JSON.
///
/// # Errors
/// When the file cannot be read, the column of labels is not found, or a row has no value.
pub(super) fn column(path: &Path, by_line: bool) -> Result<Values> {
    let TextTable { headings, columns, .. } = json(path, by_line)?;
    let head: Vec<String> = headings.iter().map(|heading| heading.trim().to_lowercase()).collect();
    let LabelColumn { index, flags, .. } = label_column(path, &head)?;
    let fields: Vec<&str> = columns[index].iter().map(|cell| cell.trim()).collect();
    if let Some(empty) = fields.iter().position(|field| field.is_empty()) {
        return Err(Error::format(path, format!("row {empty} has no value")));
    }
    Ok(table::values(&fields, flags))
}

/// Whether a file is JSON, and if so, whether it has an object on each line.
pub(crate) fn json_lines(path: &Path) -> Option<bool> {
    let extension = path.extension()?.to_str()?.to_lowercase();
    match extension.as_str() {
        "jsonl" | "ndjson" => Some(true),
        "json" => Some(false),
        _ => None,
    }
}

/// Lines as they are, the first one as the heading.
fn lines(path: &Path) -> Result<TextTable> {
    let (text, _) = Document::read(path)?.into_string(path)?;
    let mut lines = text.lines().map(|line| line.trim().to_owned());
    let Some(first) = lines.next() else { return Err(Error::format(path, "it is empty")) };
    let mut table = TextTable::of(vec![first], false);
    lines.for_each(|line| table.push([line]));
    Ok(table)
}

fn separated(path: &Path, separator: u8) -> Result<TextTable> {
    let mut rows = table::records(path, separator)?.into_iter();
    let (_, headings) = rows.next().unwrap_or_default();
    let cols = headings.len();
    let mut table = TextTable::of(headings, false);
    for (line, cells) in rows {
        if cells.len() != cols {
            let message = format!("line {line} has {} values, but the first line has {cols}", cells.len());
            return Err(Error::format(path, message));
        }
        table.push(cells);
    }
    Ok(table)
}

fn parquet(path: &Path) -> Result<TextTable> {
    let (schema, batches) = arrow_text::decode(path)?;
    let named = |index: &usize| !schema.field(*index).name().starts_with(STORED);
    let chosen: Vec<usize> = (0..schema.fields().len()).filter(named).collect();
    let headings = chosen.iter().map(|&index| schema.field(index).name().clone()).collect();
    let mut table = TextTable::of(headings, true);
    for batch in &batches {
        for row in 0..batch.num_rows() {
            table.push(chosen.iter().map(|&index| arrow_text::text(batch.column(index), row)));
        }
    }
    Ok(table)
}

/// Objects; what one of them lacks is empty.
fn json(path: &Path, by_line: bool) -> Result<TextTable> {
    let document = Document::read(path)?;
    let read = |text: &[u8], place: &str| {
        json_numbers::read(text).map_err(|error| Error::format(path, format!("{place}{error}")))
    };
    let strange = |place: String| Error::format(path, format!("{place} is not a JSON object"));
    let mut values: Vec<(String, Value)> = Vec::new();
    if by_line {
        for (at, line) in (1..).zip(document.text().split(|&byte| byte == b'\n')) {
            if !line.trim_ascii().is_empty() {
                values.push((format!("line {at}"), read(line, &format!("line {at}: "))?));
            }
        }
    } else {
        let Value::Array(all) = read(document.text(), "")? else {
            return Err(Error::format(path, "it is not an array of JSON objects, one for each row"));
        };
        values.extend((1..).zip(all).map(|(at, value)| (format!("element {at}"), value)));
    }
    let mut headings: Vec<String> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (place, value) in &values {
        let Value::Object(object) = value else { return Err(strange(place.clone())) };
        for key in object.keys() {
            if !places.contains_key(key) {
                places.insert(key.clone(), headings.len());
                headings.push(key.clone());
            }
        }
    }
    let mut table = TextTable::of(headings.clone(), true);
    for (_, value) in &values {
        table.push(headings.iter().map(|key| json_numbers::cell(value.get(key))));
    }
    match table.rows {
        0 => Err(Error::format(path, "it is empty")),
        _ => Ok(table),
    }
}
