//! Matrices and columns from the files of other programs, by their extension: NumPy, Parquet, safetensors, tables.

mod beside;
mod half_floats;
mod index;
pub(crate) mod labels;
pub(crate) mod npy;
pub(crate) mod parquet;
pub(crate) mod safetensors;
mod table;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod text_table;

use crate::headings::is_id;
use crate::row_names::SideColumn;
use crate::row_splits::{self, RowSplits};
use crate::text::Document;
use crate::{Error, Result, numberings};
use chaffinch_data::class_names;
use chaffinch_data::class_numbers::ClassNumbers;
use chaffinch_review::label_quality::{Grid, Numbers, Values};
use std::collections::BTreeSet;
use std::path::Path;
use text_table::{TextTable, json_lines};

/// What a column of a table is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pick {
    /// The sample of each row.
    Ids,
    /// Numbers.
    Numbers,
    /// Nothing.
    Nothing,
}

/// A matrix whose rows may have names. A number that is missing is NaN.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Picked {
    pub(crate) grid: Grid,
    /// The sample of each row.
    pub(crate) ids: Option<Vec<String>>,
    /// Names of columns that were not taken.
    pub(crate) rest: Vec<String>,
    /// Columns that may name the samples, where none is called so, or say otherwise than the one that is.
    pub(crate) side: Vec<SideColumn>,
}

impl From<Grid> for Picked {
    fn from(grid: Grid) -> Picked {
        Picked { grid, ids: None, rest: Vec::new(), side: Vec::new() }
    }
}

/// A matrix of 0 and 1, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FlagGrid {
    pub(crate) set: Vec<bool>,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
}

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

/// Whether a file is of arrays instead of a table.
pub(crate) fn is_array(path: &Path) -> bool {
    matches!(kind(path), Ok(Kind::Npy | Kind::Safetensors))
}

/// Reads a matrix of floating-point numbers. A column in which a program wrote the numbers of rows is left out.
///
/// # Errors
/// When the file cannot be read or is not such a matrix.
pub(crate) fn grid(path: &Path) -> Result<Grid> {
    match kind(path)? {
        Kind::Npy => npy::grid(path),
        Kind::Parquet => parquet::grid(path),
        Kind::Safetensors => safetensors::grid(path),
        Kind::Table(separator) => table::grid(path, separator),
    }
}

/// Chooses columns by the names of all of them.
pub(crate) type Picker<'a> = &'a dyn Fn(&[String]) -> Vec<Pick>;

/// Reads a matrix of which `pick` chooses the columns by their names; all of them if it chooses none.
///
/// # Errors
/// When the file cannot be read, or a chosen column has anything but numbers.
pub(crate) fn picked(path: &Path, pick: Picker<'_>) -> Result<Picked> {
    match kind(path)? {
        Kind::Npy => Ok(npy::grid(path)?.into()),
        Kind::Parquet => parquet::picked(path, pick),
        Kind::Safetensors => safetensors::picked(path),
        Kind::Table(separator) => table::picked(path, separator, pick),
    }
}

/// Reads one line per row. Empty lines count, but for those at the end.
///
/// # Errors
/// When the file cannot be read, or is empty.
pub(crate) fn lines(path: &Path) -> Result<Vec<String>> {
    let (text, _) = Document::read(path)?.into_string(path)?;
    let lines: Vec<String> = text.trim_end().lines().map(|line| line.trim().to_owned()).collect();
    if lines.is_empty() {
        return Err(Error::format(path, "it is empty"));
    }
    Ok(lines)
}

/// One number, in 64 bits.
pub(crate) fn number(numbers: &Numbers, index: usize) -> f64 {
    match numbers {
        Numbers::Single(data) => f64::from(data[index]),
        Numbers::Double(data) => data[index],
    }
}

/// Reads one value per row: from a one-dimensional array, from lines, or from a table with a column of that name.
///
/// # Errors
/// When the file cannot be read, or its column is not found.
pub(crate) fn column(path: &Path) -> Result<Values> {
    if let Some(by_line) = json_lines(path) {
        return text_table::column(path, by_line);
    }
    match kind(path)? {
        Kind::Npy => npy::column(path),
        Kind::Parquet => parquet::column(path),
        Kind::Safetensors => safetensors::column(path),
        Kind::Table(separator) => table::column(path, separator),
    }
}

/// Reads what the rows of a table name: the cells of a column of paths, or of an index of names. `None` if there is no such
/// column beside others.
///
/// # Errors
/// When the file cannot be read, or has an index of numbers that do not count up.
pub(crate) fn row_names(path: &Path) -> Result<Option<Vec<String>>> {
    if json_lines(path).is_some() {
        return Ok(TextTable::read(path)?.and_then(|table| table.row_names()));
    }
    match kind(path)? {
        Kind::Npy => Ok(None),
        Kind::Safetensors => index::row_names(path, &safetensors::beside_rows(path)?),
        Kind::Parquet => parquet::row_names(path),
        Kind::Table(separator) => table::row_names(path, separator),
    }
}

/// The names of the columns of a table with a header, but for an index that pandas stored.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn headings(path: &Path) -> Result<Option<Vec<String>>> {
    match kind(path)? {
        Kind::Npy | Kind::Safetensors => Ok(None),
        Kind::Parquet => parquet::headings(path),
        Kind::Table(separator) => table::headings(path, separator),
    }
}

/// The class of each column, where a file lists them beside its matrix: in the order of labels that are numbers, which a header
/// does not say.
///
/// # Errors
/// When the file cannot be read, or its list is none of the columns.
pub(crate) fn class_list(path: &Path) -> Result<Option<Vec<String>>> {
    match kind(path)? {
        Kind::Safetensors => Ok(safetensors::classes(path)?.0),
        _ => Ok(None),
    }
}

/// How many columns a file has that names its rows, but not its columns; `None` of all others.
///
/// # Errors
/// As of [`class_list`].
pub(crate) fn bare_columns(path: &Path) -> Result<Option<usize>> {
    Ok(match kind(path)? {
        Kind::Safetensors => match safetensors::classes(path)? {
            (None, cols) => Some(cols),
            _ => None,
        },
        _ => None,
    })
}

/// Whether a column is read, by its heading.
pub(crate) type Headed = fn(&str) -> bool;

/// Reads the columns of a table that are called like ids of samples, beside others.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn id_columns(path: &Path) -> Result<Vec<SideColumn>> {
    columns(path, is_id)
}

/// What columns of a table beside others say of the splits of so many rows.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn row_splits(path: &Path, rows: usize) -> Result<Option<RowSplits>> {
    Ok(RowSplits::beside(&columns(path, row_splits::is_worth_reading)?, rows))
}

/// Reads the columns of a table that are called so, beside others.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn columns(path: &Path, is: Headed) -> Result<Vec<SideColumn>> {
    if json_lines(path).is_some() {
        return Ok(TextTable::read(path)?.map_or_else(Vec::new, |table| table.columns(is)));
    }
    match kind(path)? {
        Kind::Npy => Ok(Vec::new()),
        Kind::Safetensors => {
            let all = safetensors::beside_rows(path)?.into_iter();
            Ok(all.filter(|column| is(&column.heading)).collect())
        }
        Kind::Parquet => parquet::columns(path, is),
        Kind::Table(separator) => table::columns(path, separator, is),
    }
}

/// Reads a matrix of 0 and 1, or of booleans, row by row; `None` if the file is not an array of two dimensions.
///
/// # Errors
/// When the file cannot be read, or has other numbers.
pub(crate) fn flags(path: &Path) -> Result<Option<FlagGrid>> {
    match json_lines(path) {
        Some(_) => Ok(None),
        None => match kind(path)? {
            Kind::Npy => npy::flags(path),
            _ => Ok(None),
        },
    }
}

/// The dimensions of an array; `None` of files that are none.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn dimensions(path: &Path) -> Result<Option<Vec<u64>>> {
    match json_lines(path) {
        Some(_) => Ok(None),
        None => match kind(path)? {
            Kind::Npy => npy::dimensions(path).map(Some),
            _ => Ok(None),
        },
    }
}

/// Reads the names of classes in the order of their numbers: one per line, with its number or without, or JSON with numbers and
/// names, such as a `class_to_idx.json`. Empty lines are skipped. Of several ways to read it, that with all of these classes is taken.
///
/// # Errors
/// When the file cannot be read, has no names, or numbers them otherwise than from 0 up.
pub(crate) fn names(path: &Path, classes: &[String]) -> Result<Vec<String>> {
    let (text, _) = Document::read(path)?.into_string(path)?;
    let lines: Vec<String> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if lines.is_empty() {
        return Err(Error::format(path, "it has no class names; write one per line"));
    }
    let names = |numbers: ClassNumbers| numbers.names().map(str::to_owned).collect::<Vec<_>>();
    let has_all = |names: &Vec<String>| {
        let names: BTreeSet<String> =
            names.iter().map(|name| class_names::clean(name).into_owned()).collect();
        classes.iter().all(|class| names.contains(&*class_names::clean(class)))
    };
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    match numberings::in_json(&text).filter(|_| is_json || text.trim_start().starts_with(['{', '['])) {
        None if is_json => Err(Error::format(path, "it is not JSON")),
        Some(all) => {
            let (places, other): (Vec<_>, Vec<_>) = all.into_iter().partition(ClassNumbers::are_places);
            let mut found = places.into_iter().map(names);
            let first = found.next();
            first.iter().cloned().chain(found).find(has_all).or(first).ok_or_else(|| {
                let why = match other.is_empty() {
                    true => "it has no numbers and names of classes",
                    false => "its numbers of classes do not count up from 0, as columns do",
                };
                Error::format(
                    path,
                    format!("{why}; write the names in the order of the columns, one per line"),
                )
            })
        }
        None => {
            let numbered = numberings::with_numbers(&lines).filter(ClassNumbers::are_places).map(names);
            match numbered {
                Some(numbered) if has_all(&numbered) && (classes.is_empty() || !has_all(&lines)) => {
                    Ok(numbered)
                }
                _ => Ok(lines),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_classes_are_read_in_every_usual_form() {
        let temp = tempfile::tempdir().unwrap();
        let read = |name: &str, text: &str, classes: &[&str]| {
            let file = temp.path().join(name);
            std::fs::write(&file, text).unwrap();
            let classes: Vec<String> = classes.iter().map(|class| (*class).to_owned()).collect();
            names(&file, &classes).map_err(|error| error.to_string())
        };
        for (name, text) in [
            ("c.txt", "cow\n\n ant \n"),
            ("c.txt", "0 cow\n1 ant\n"),
            ("c.txt", "ant: 1\ncow: 0\n"),
            ("class_to_idx.json", r#"{"ant": 1, "cow": 0}"#),
            ("c.json", r#"["cow", "ant"]"#),
            ("config.json", r#"{"id2label": {"1": "ant", "0": "cow"}}"#),
        ] {
            for classes in [&["ant", "cow"][..], &[]] {
                assert_eq!(read(name, text, classes).unwrap(), ["cow", "ant"], "{text}");
            }
        }
        // Names may have numbers themselves.
        assert_eq!(read("c.txt", "0 - zero\n1 - one\n", &["0 - zero"]).unwrap(), ["0 - zero", "1 - one"]);
        assert_eq!(read("c.txt", "3 dogs\n5 cats\n", &[]).unwrap(), ["3 dogs", "5 cats"]);
        for (name, text, why) in [
            ("c.txt", "\n", "it has no class names"),
            ("c.json", "{", "it is not JSON"),
            ("c.json", r#"{"ant": 2, "cow": 1}"#, "do not count up from 0"),
            ("c.json", "{}", "it has no numbers and names of classes"),
        ] {
            let error = read(name, text, &[]).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
