//! What a safetensors file says of the rows of its matrix: tensors beside it, and texts in its metadata.

use crate::dataset::is_image;
use crate::headings::{is_id, is_label, name_samples};
use crate::row_names::SideColumn;
use chaffinch_protocol::display::excerpt;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::Value;
use std::path::Path;

/// Lists of ids that are of nothing but samples.
const OF_SAMPLES: [&str; 4] = ["id", "image_id", "img_id", "sample_id"];
/// What may stand between the entries of a list that is not JSON.
const SEPARATORS: [char; 5] = ['\n', '\t', ';', ',', ' '];

/// The heading that a column of these values has in a table: `image_ids` are those of a column `image_id`.
pub(super) fn heading(list: &str) -> String {
    let name = list.trim();
    let lower = name.to_ascii_lowercase();
    if ["indices", "indexes"].contains(&lower.as_str()) {
        return "index".to_owned();
    }
    match name.strip_suffix(['s', 'S']) {
        Some(one) if !is_id(name) && !one.is_empty() && is_id(one) => one.to_owned(),
        _ => list.to_owned(),
    }
}

/// Whether a list under this heading says which samples the rows are, and nothing else.
fn is_of_samples(heading: &str) -> bool {
    OF_SAMPLES.iter().any(|name| heading.trim().eq_ignore_ascii_case(name))
}

/// The numbers of a tensor, one for each row of the matrix, as texts.
///
/// # Errors
/// When it is called like one of ids of samples, and has none for each row.
pub(super) fn tensor(
    name: &str,
    tensor: &TensorView<'_>,
    rows: usize,
) -> std::result::Result<Option<SideColumn>, String> {
    let heading = heading(name);
    let fits = match tensor.shape() {
        [count] => *count == rows,
        [count, 1] | [1, count] => *count == rows && is_id(&heading),
        _ => false,
    };
    let cells = if fits { cells(tensor, is_id(&heading)) } else { None };
    // A list is not a matrix, and one number is said of the whole file.
    let is_list =
        tensor.shape().iter().filter(|count| **count > 1).count() == 1 || tensor.dtype() == Dtype::U8;
    if cells.is_none() && is_list && is_of_samples(&heading) {
        return Err(format!(
            "tensor '{}' is called like the ids of samples, and is not a whole number for each of {rows} rows",
            excerpt(name)
        ));
    }
    Ok(cells.map(|cells| SideColumn { heading, cells }))
}

/// The whole numbers of a tensor as they are written; those of an id may be in floating point.
fn cells(tensor: &TensorView<'_>, floating: bool) -> Option<Vec<String>> {
    let data = tensor.data();
    let unsigned = |numbers: Vec<u64>| Some(numbers.iter().map(u64::to_string).collect());
    let whole = |numbers: Vec<f64>| -> Option<Vec<String>> {
        let is_whole = floating && numbers.iter().all(|number| number.fract() == 0.0);
        is_whole.then(|| numbers.iter().map(f64::to_string).collect())
    };
    match tensor.dtype() {
        Dtype::U16 => unsigned(data.as_chunks().0.iter().map(|&n| u16::from_le_bytes(n).into()).collect()),
        Dtype::U32 => unsigned(data.as_chunks().0.iter().map(|&n| u32::from_le_bytes(n).into()).collect()),
        Dtype::U64 => unsigned(data.as_chunks().0.iter().map(|&n| u64::from_le_bytes(n)).collect()),
        Dtype::F32 => whole(data.as_chunks().0.iter().map(|&n| f32::from_le_bytes(n).into()).collect()),
        Dtype::F64 => whole(data.as_chunks().0.iter().map(|&n| f64::from_le_bytes(n)).collect()),
        _ => Some(integers(tensor)?.iter().map(i64::to_string).collect()),
    }
}

/// Labels that are numbers as the names in their places, if the column is called like one of labels and all have one.
pub(super) fn named_labels(column: &SideColumn, names: &[String]) -> Option<SideColumn> {
    let name = |cell: &String| names.get(cell.parse::<usize>().ok()?).cloned();
    let cells: Option<Vec<String>> = column.cells.iter().map(name).collect();
    Some(SideColumn { heading: column.heading.clone(), cells: cells.filter(|_| is_label(&column.heading))? })
}

/// Lists in a text of the metadata, as JSON, a line each, or between other separators.
///
/// # Errors
/// When it is called like a list of samples and is none, or one of another length than the matrix has rows.
pub(super) fn text(key: &str, text: &str, rows: usize) -> std::result::Result<Vec<SideColumn>, String> {
    let strict = name_samples(key) || is_of_samples(&heading(key));
    let none = || format!("'{}' in its metadata is not a list of texts as JSON", excerpt(key));
    match serde_json::from_str(text) {
        Ok(Value::Array(entries)) => Ok(list(key, &entries, rows)?.into_iter().collect()),
        Ok(Value::Object(lists)) => {
            let mut columns = Vec::new();
            for (key, entries) in lists.iter().filter_map(|(key, list)| Some((key, list.as_array()?))) {
                columns.extend(list(key, entries, rows)?);
            }
            if strict && columns.is_empty() { Err(none()) } else { Ok(columns) }
        }
        _ => {
            let lines: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
            if lines.len() == rows && rows > 1 {
                return Ok(vec![SideColumn { heading: heading(key), cells: lines }]);
            }
            if let Some(cells) = split(text, rows).filter(|_| strict || is_id(&heading(key))) {
                return Ok(vec![SideColumn { heading: heading(key), cells }]);
            }
            let names =
                |separator| text.split(separator).filter(|name| is_image(Path::new(bare(name)))).count();
            if strict || (is_id(&heading(key)) && SEPARATORS.into_iter().any(|one| names(one) > 1)) {
                return Err(none());
            }
            Ok(Vec::new())
        }
    }
}

/// A list of the metadata.
fn list(key: &str, entries: &[Value], rows: usize) -> std::result::Result<Option<SideColumn>, String> {
    let strict = name_samples(key) || is_of_samples(&heading(key));
    if entries.len() != rows && strict {
        return Err(format!(
            "'{}' in its metadata has {} entries instead of {rows}",
            excerpt(key),
            entries.len()
        ));
    }
    let cell = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let cells: Option<Vec<String>> = entries.iter().map(cell).collect();
    if cells.is_none() && strict {
        return Err(format!("'{}' in its metadata is not a list of texts as JSON", excerpt(key)));
    }
    let cells = cells.filter(|cells| cells.len() == rows);
    Ok(cells.map(|cells| SideColumn { heading: heading(key), cells }))
}

/// An entry without what Python writes around it.
fn bare(entry: &str) -> &str {
    entry.trim().trim_matches(['\'', '"'])
}

/// The entries of a list that is not JSON, if one separator gives one for each row.
fn split(text: &str, rows: usize) -> Option<Vec<String>> {
    let inner = text.trim();
    let inner = inner.strip_prefix(['[', '(']).unwrap_or(inner);
    let inner = inner.strip_suffix([']', ')']).unwrap_or(inner).trim().trim_end_matches(',');
    SEPARATORS.into_iter().find_map(|separator| {
        let entries: Vec<&str> = match separator {
            ' ' => inner.split_whitespace().collect(),
            _ => inner.split(separator).collect(),
        };
        let entries: Vec<String> = entries.into_iter().map(|entry| bare(entry).to_owned()).collect();
        (rows > 1 && entries.len() == rows && entries.iter().all(|entry| !entry.is_empty()))
            .then_some(entries)
    })
}

/// The whole numbers of a tensor, if it has such.
pub(super) fn integers(tensor: &TensorView<'_>) -> Option<Vec<i64>> {
    let data = tensor.data();
    Some(match tensor.dtype() {
        Dtype::U8 => data.iter().map(|&byte| i64::from(byte)).collect(),
        Dtype::I8 => data.iter().map(|&byte| i64::from(byte as i8)).collect(),
        Dtype::I16 => data.as_chunks().0.iter().map(|&n| i16::from_le_bytes(n).into()).collect(),
        Dtype::I32 => data.as_chunks().0.iter().map(|&n| i32::from_le_bytes(n).into()).collect(),
        Dtype::I64 => data.as_chunks().0.iter().map(|&n| i64::from_le_bytes(n)).collect(),
        _ => return None,
    })
}
