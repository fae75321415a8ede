//! Tables and lines of text.

use super::Headed;
use super::index::{is_written, names_in, without_index};
use super::labels::{LabelColumn, label_column};
use super::{Pick, Picked, Picker};
use crate::headings::PATHS;
use crate::row_names::SideColumn;
use crate::text::{TableText, as_whole, broken};
use crate::{Error, Result};
use chaffinch_protocol::display::excerpt;
use chaffinch_review::label_quality::{Grid, Numbers, Values};
use csv::ByteRecord;
use std::path::Path;

/// The rows of a table as trimmed text, with their lines.
pub(super) fn records(path: &Path, separator: u8) -> Result<Vec<(u64, Vec<String>)>> {
    let table = TableText::read(path, separator)?;
    let cells = table.cells(path, |_, _| false)?;
    let mut reader = table.reader();
    let mut record = ByteRecord::new();
    let mut rows = Vec::new();
    while reader.read_byte_record(&mut record).map_err(|error| broken(path, error))? {
        let fields = record.iter().map(|field| cells.text(field).trim().to_owned()).collect();
        rows.push((table.line(&record), fields));
    }
    if rows.is_empty() {
        return Err(Error::format(path, "it is empty"));
    }
    Ok(rows)
}

/// Whether the first line has names of columns instead of numbers.
fn are_names(head: &[String]) -> bool {
    let named = head.iter().any(|field| field.parse::<f64>().is_err());
    // Class names may be numbers themselves: integers, some above 1, cannot be probabilities.
    named || {
        let whole: Option<Vec<u32>> = head.iter().map(|field| field.parse().ok()).collect();
        whole.is_some_and(|whole| whole.iter().any(|&number| number > 1))
    }
}

/// The names of the columns, if the first line has such.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn headings(path: &Path, separator: u8) -> Result<Option<Vec<String>>> {
    let table = TableText::read(path, separator)?;
    let cells = table.cells(path, |_, _| false)?;
    let mut record = ByteRecord::new();
    table.reader().read_byte_record(&mut record).map_err(|error| broken(path, error))?;
    let head: Vec<String> = record.iter().map(|field| cells.text(field).trim().to_owned()).collect();
    Ok(are_names(&head).then_some(head))
}

/// Reads a matrix, with class names if the first line has them.
///
/// # Errors
/// When the file cannot be read, or has anything but numbers.
pub(super) fn grid(path: &Path, separator: u8) -> Result<Grid> {
    let rows = records(path, separator)?;
    let head = &rows[0].1;
    let named = are_names(head);
    let names = named.then(|| head.clone());
    let cols = head.len();
    let body = &rows[usize::from(named)..];
    let mut numbers = Vec::with_capacity(body.len() * cols);
    for (line, record) in body {
        if record.len() != cols {
            let message = format!("line {line} has {} values, but the first line has {cols}", record.len());
            return Err(Error::format(path, message));
        }
        for (column, field) in record.iter().enumerate() {
            let number = field.parse::<f64>().map_err(|_| {
                let bad = |(_, record): &(u64, Vec<String>)| {
                    record.get(column).is_none_or(|field| field.parse::<f64>().is_err())
                };
                let (column, advice) = match &names {
                    // Not a damaged number.
                    Some(names) if body.len() > 1 && body.iter().all(bad) => (
                        format!(", column '{}'", excerpt(&names[column])),
                        "; if it names the samples, call it path, else leave it out",
                    ),
                    Some(names) => (format!(", column '{}'", excerpt(&names[column])), ""),
                    None => (String::new(), ""),
                };
                let field = excerpt(field);
                Error::format(path, format!("line {line}{column}: '{field}' is not a number{advice}"))
            })?;
            numbers.push(number);
        }
    }
    let grid = Grid { numbers: Numbers::Double(numbers.into()), rows: body.len(), cols, names };
    without_index(path, grid)
}

/// Reads the columns that `pick` chooses by the names in the first line; all of them if it chooses none.
///
/// # Errors
/// When the file cannot be read, or a chosen column has anything but numbers.
pub(super) fn picked(path: &Path, separator: u8, pick: Picker<'_>) -> Result<Picked> {
    let rows = records(path, separator)?;
    let head = &rows[0].1;
    let picks = pick(head);
    if !picks.contains(&Pick::Numbers) {
        return Ok(grid(path, separator)?.into());
    }
    let chosen: Vec<usize> = (0..head.len()).filter(|&column| picks[column] == Pick::Numbers).collect();
    let names = picks.iter().position(|pick| *pick == Pick::Ids);
    let body = &rows[1..];
    let (mut numbers, mut ids) = (Vec::with_capacity(body.len() * chosen.len()), Vec::new());
    for (line, record) in body {
        if record.len() != head.len() {
            let (len, cols) = (record.len(), head.len());
            let message = format!("line {line} has {len} values, but the first line has {cols}");
            return Err(Error::format(path, message));
        }
        ids.extend(names.map(|column| record[column].clone()));
        for &column in &chosen {
            let field = record[column].as_str();
            // What has no number is a finding about its sample.
            let number = if field.is_empty() { Ok(f64::NAN) } else { field.parse::<f64>() };
            numbers.push(number.map_err(|_| {
                let (name, field) = (excerpt(&head[column]), excerpt(field));
                Error::format(path, format!("line {line}, column '{name}': '{field}' is not a number"))
            })?);
        }
    }
    // Without a column of paths, what is in the others tells which samples the rows are, and with one it may say otherwise.
    let ids = names.map(|_| ids);
    let beside = |column: &usize| picks[*column] == Pick::Nothing;
    let side = (0..head.len()).filter(beside).map(|column| SideColumn {
        heading: head[column].clone(),
        cells: body.iter().map(|(_, record)| record[column].clone()).collect(),
    });
    let side = side.collect();
    let (rows, cols) = (body.len(), chosen.len());
    let rest = (0..head.len()).filter(|&column| picks[column] == Pick::Nothing);
    Ok(Picked {
        rest: rest.map(|column| head[column].clone()).collect(),
        ids,
        side,
        grid: Grid {
            numbers: Numbers::Double(numbers.into()),
            rows,
            cols,
            names: Some(chosen.into_iter().map(|column| head[column].clone()).collect()),
        },
    })
}

/// Reads the cells of a column of paths, or of an index of names, if there is one beside others.
///
/// # Errors
/// When the file cannot be read, or has an index of numbers that do not count up.
pub(super) fn row_names(path: &Path, separator: u8) -> Result<Option<Vec<String>>> {
    let table = TableText::read(path, separator)?;
    let cells = table.cells(path, |_, _| false)?;
    let mut reader = table.reader();
    let mut record = ByteRecord::new();
    if !reader.read_byte_record(&mut record).map_err(|error| broken(path, error))? {
        return Err(Error::format(path, "it is empty"));
    }
    let head: Vec<String> = record.iter().map(|field| cells.text(field).trim().to_owned()).collect();
    let of = |name: &str| head.iter().position(|own| own.eq_ignore_ascii_case(name));
    // A single column is one of values.
    if head.len() < 2 {
        return Ok(None);
    }
    let named = PATHS.into_iter().find_map(of);
    let Some(column) = named.or_else(|| is_written(&head[0]).then_some(0)) else { return Ok(None) };
    let mut names = Vec::new();
    while reader.read_byte_record(&mut record).map_err(|error| broken(path, error))? {
        names.push(cells.text(record.get(column).unwrap_or_default()).trim().to_owned());
    }
    if named.is_some() { Ok(Some(names)) } else { names_in(path, names) }
}

/// Reads the columns that are called so, beside others.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn columns(path: &Path, separator: u8, is: Headed) -> Result<Vec<SideColumn>> {
    let rows = records(path, separator)?;
    let head = &rows[0].1;
    let columns = (0..head.len()).filter(|&column| head.len() > 1 && is(&head[column]));
    let column = |column: usize| SideColumn {
        heading: head[column].clone(),
        cells: rows[1..].iter().map(|(_, row)| row.get(column).cloned().unwrap_or_default()).collect(),
    };
    Ok(columns.map(column).collect())
}

/// Reads one value per row.
///
/// # Errors
/// When the file cannot be read, the column of labels is not found, or a row has no value.
pub(super) fn column(path: &Path, separator: u8) -> Result<Values> {
    let rows = records(path, separator)?;
    let head: Vec<String> = rows[0].1.iter().map(|field| field.to_lowercase()).collect();
    let LabelColumn { index: column, headed, flags } = label_column(path, &head)?;
    let body = &rows[usize::from(headed)..];
    let fields: Vec<&str> = body.iter().map(|(_, row)| row.get(column).map_or("", String::as_str)).collect();
    if let Some(empty) = fields.iter().position(|field| field.is_empty()) {
        return Err(Error::format(path, format!("line {} has no value", body[empty].0)));
    }
    Ok(values(&fields, flags))
}

/// One value per row: booleans, numbers or names. With `flags`, 0 and 1 are booleans.
pub(super) fn values(fields: &[&str], flags: bool) -> Values {
    let flag = |field: &&str| match field.to_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        "1" | "yes" if flags => Some(true),
        "0" | "no" if flags => Some(false),
        _ => None,
    };
    if let Some(flags) = fields.iter().map(flag).collect::<Option<Vec<bool>>>() {
        return Values::Flags(flags);
    }
    // Numbers stay as they are spelled: 007 may be a name. 7.0 is how a column with a gap spells 7.
    let number = |field: &&str| {
        let field = as_whole(field);
        field.parse::<i64>().ok().filter(|number| number.to_string() == field)
    };
    if let Some(numbers) = fields.iter().map(number).collect::<Option<Vec<i64>>>() {
        return Values::Numbers(numbers);
    }
    Values::Names(fields.iter().map(|field| (*field).to_owned()).collect())
}
