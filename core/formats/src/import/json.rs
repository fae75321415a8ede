//! JSON files of other programs.

use crate::text::{Document, json_keys};
use crate::{Error, Result};
use serde_json::Value;
use std::path::Path;

/// Reads a whole file.
///
/// # Errors
/// When it cannot be read or is not JSON, with the line.
pub(super) fn read(path: &Path) -> Result<Value> {
    let (text, _) = Document::read(path)?.into_string(path)?;
    json_keys::read(text.as_bytes()).map_err(|error| {
        let cut = if error.is_eof() { "; is the file cut?" } else { "" };
        let what = if error.is_data() { "" } else { "it is not valid JSON: " };
        Error::format(path, format!("{what}{error}{cut}"))
    })
}

/// A value as text, without the decimal point that programs give to whole numbers; empty for none.
pub(super) fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => whole(&number.to_string()).to_owned(),
        Some(Value::Array(all)) => {
            all.iter().map(|one| text(Some(one))).filter(|one| !one.is_empty()).collect::<Vec<_>>().join(",")
        }
        Some(other) => other.to_string(),
    }
}

/// `156` for `156.0`, which is what pandas makes of whole numbers in a column with an empty cell.
pub(super) fn whole(text: &str) -> &str {
    match text.strip_suffix(".0") {
        Some(start) if !start.is_empty() && start.bytes().all(|byte| byte.is_ascii_digit()) => start,
        _ => text,
    }
}
