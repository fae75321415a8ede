//! Probabilities and labels from files, by their extension.

use super::{npy, parquet, safetensors, table};
use crate::text::Document;
use crate::{Error, Result};
use chaffinch_review::label_quality::{Grid, Values};
use std::path::Path;

/// The file type by extension.
enum Kind {
    Npy,
    Parquet,
    Safetensors,
    Table(u8),
}

fn kind(path: &Path) -> Result<Kind> {
    let extension = path.extension().and_then(|name| name.to_str()).unwrap_or_default().to_lowercase();
    match extension.as_str() {
        "npy" => Ok(Kind::Npy),
        "parquet" | "pq" => Ok(Kind::Parquet),
        "safetensors" => Ok(Kind::Safetensors),
        "csv" | "txt" => Ok(Kind::Table(b',')),
        "tsv" => Ok(Kind::Table(b'\t')),
        _ => {
            let message = "unsupported file type; use .npy, .parquet, .safetensors, .csv, .tsv or .txt";
            Err(Error::format(path, message))
        }
    }
}

/// Reads a matrix of floating-point numbers. A column in which a program wrote the numbers of rows is left out.
///
/// # Errors
/// When the file cannot be read or is not such a matrix.
pub(super) fn grid(path: &Path) -> Result<Grid> {
    match kind(path)? {
        Kind::Npy => npy::grid(path),
        Kind::Parquet => parquet::grid(path),
        Kind::Safetensors => safetensors::grid(path),
        Kind::Table(separator) => table::grid(path, separator),
    }
}

/// Reads one value per row: from a one-dimensional array, from lines, or from a table with a column of that name.
///
/// # Errors
/// When the file cannot be read, or its column is not found.
pub(super) fn column(path: &Path) -> Result<Values> {
    match kind(path)? {
        Kind::Npy => npy::column(path),
        Kind::Parquet => parquet::column(path),
        Kind::Safetensors => safetensors::column(path),
        Kind::Table(separator) => table::column(path, separator),
    }
}

/// Reads names, one per line; empty lines are skipped.
///
/// # Errors
/// When the file cannot be read, or has no names or duplicate names.
pub(super) fn names(path: &Path) -> Result<Vec<String>> {
    let (text, _) = Document::read(path)?.into_string(path)?;
    let lines = text.lines().map(str::trim);
    let names: Vec<String> = lines.filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if names.is_empty() {
        return Err(Error::format(path, "it has no class names; write one per line"));
    }
    Ok(names)
}
