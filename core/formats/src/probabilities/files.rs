//! Probabilities and labels from files: NumPy's npy, Parquet, CSV and TSV, and plain lines.

use super::labels::{LabelColumn, label_column};
use super::parquet;
use crate::{Error, Result};
use chaffinch_data::columns;
use chaffinch_data::columns::Column;
use chaffinch_protocol::display::safe_text;
use chaffinch_review::label_quality::{Grid, Numbers, Values};
use npyz::{DType, Endianness, NpyFile, NpyHeader, Order, TypeChar, TypeStr};
use std::fs::File;
use std::io::{BufReader, Seek};
use std::path::Path;

/// The file type by extension.
enum Kind {
    Npy,
    Parquet,
    Table(u8),
}

fn kind(path: &Path) -> Result<Kind> {
    let extension = path.extension().and_then(|name| name.to_str()).unwrap_or_default().to_lowercase();
    match extension.as_str() {
        "npy" => Ok(Kind::Npy),
        "parquet" | "pq" => Ok(Kind::Parquet),
        "csv" | "txt" => Ok(Kind::Table(b',')),
        "tsv" => Ok(Kind::Table(b'\t')),
        _ => Err(Error::format(path, "unsupported file type; use .npy, .parquet, .csv, .tsv or .txt")),
    }
}

/// Reads a matrix of floating-point numbers.
///
/// # Errors
/// When the file cannot be read or is not such a matrix.
pub(super) fn grid(path: &Path) -> Result<Grid> {
    match kind(path)? {
        Kind::Npy => npy_grid(path),
        Kind::Parquet => parquet::grid(path),
        Kind::Table(separator) => csv_grid(path, separator),
    }
}

/// Reads one value per row: from a one-dimensional array, from lines, or from a table with a column of that name.
///
/// # Errors
/// When the file cannot be read, or its column is not found.
pub(super) fn column(path: &Path) -> Result<Values> {
    match kind(path)? {
        Kind::Npy => npy_column(path),
        Kind::Parquet => parquet::column(path),
        Kind::Table(separator) => csv_column(path, separator),
    }
}

/// Reads names, one per line; empty lines are skipped.
///
/// # Errors
/// When the file cannot be read, or has no names or duplicate names.
pub(super) fn names(path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    let names: Vec<String> = lines.filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if names.is_empty() {
        return Err(Error::format(path, "it has no class names; write one per line"));
    }
    Ok(names)
}

/// Size of the read buffer in bytes.
const BUFFER: usize = 1 << 20;

fn npy(path: &Path) -> Result<NpyFile<BufReader<File>>> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let mut file = BufReader::with_capacity(BUFFER, file);
    let header = NpyHeader::from_reader(&mut file).map_err(|error| Error::format(path, error.to_string()))?;
    let npy = NpyFile::with_header(header, file);
    if npy.uses_pickled_array() {
        return Err(Error::format(path, "it contains pickled objects; save a plain array instead"));
    }
    Ok(npy)
}

fn type_of(path: &Path, npy: &NpyFile<BufReader<File>>) -> Result<TypeStr> {
    match npy.dtype() {
        DType::Plain(kind) => Ok(kind),
        other => {
            Err(Error::format(path, format!("it contains records ({}), not plain values", other.descr())))
        }
    }
}

fn npy_grid(path: &Path) -> Result<Grid> {
    let npy = npy(path)?;
    let kind = type_of(path, &npy)?;
    let &[rows, cols] = npy.shape() else {
        let message = format!("it has {} dimensions; expected two: samples and classes", npy.shape().len());
        return Err(Error::format(path, message));
    };
    let (rows, cols, order) = (rows as usize, cols as usize, npy.order());
    let numbers = match (kind.type_char(), kind.size_field()) {
        (TypeChar::Float, 4) => Numbers::Single(row_major(plain(path, npy, &kind)?, rows, cols, order)),
        (TypeChar::Float, 8) => Numbers::Double(row_major(plain(path, npy, &kind)?, rows, cols, order)),
        _ => {
            let message = format!("it contains {kind}; save probabilities as float32 or float64");
            return Err(Error::format(path, message));
        }
    };
    Ok(Grid { numbers, rows, cols, names: None })
}

fn values<T: npyz::Deserialize>(path: &Path, npy: NpyFile<BufReader<File>>) -> Result<Vec<T>> {
    npy.into_vec().map_err(|error| Error::format(path, error.to_string()))
}

/// Borrows the numbers from the mapped file if their layout matches memory: a million rows of a thousand classes are
/// four gigabytes, and copying them takes more time and memory than anything done with them afterwards.
fn plain<T: npyz::Deserialize + bytemuck::Pod>(
    path: &Path,
    npy: NpyFile<BufReader<File>>,
    kind: &TypeStr,
) -> Result<Column<T>> {
    if kind.endianness() != Endianness::of_machine() || npy.len() == 0 {
        return Ok(values(path, npy)?.into());
    }
    let (header, mut file) = (npy.header().clone(), npy.into_inner());
    let start = file.stream_position().map_err(Error::io("read", path))? as usize;
    let bytes = columns::map(file.get_ref(), path)?;
    let wanted = usize::try_from(header.len()).ok().and_then(|count| count.checked_mul(size_of::<T>()));
    let Some(wanted) = wanted.filter(|&wanted| wanted <= bytes.len().saturating_sub(start)) else {
        let message = format!("it is truncated: its header announces {} numbers", header.len());
        return Err(Error::format(path, message));
    };
    match Column::mapped(bytes.slice_with_length(start, wanted)) {
        Some(numbers) => Ok(numbers),
        // They are not aligned.
        None => Ok(values(path, NpyFile::with_header(header, file))?.into()),
    }
}

/// Converts an array from column-major order.
fn row_major<T: bytemuck::Pod>(data: Column<T>, rows: usize, cols: usize, order: Order) -> Column<T> {
    match order {
        Order::C => data,
        Order::Fortran => {
            let data = &*data;
            (0..rows).flat_map(|row| (0..cols).map(move |col| data[col * rows + row])).collect()
        }
    }
}

fn npy_column(path: &Path) -> Result<Values> {
    let npy = npy(path)?;
    let kind = type_of(path, &npy)?;
    let dimensions = npy.shape().len();
    if dimensions != 1 {
        return Err(Error::format(
            path,
            format!("it has {dimensions} dimensions; expected one value per sample"),
        ));
    }
    let wide = |values: Vec<i32>| Values::Numbers(values.into_iter().map(i64::from).collect());
    Ok(match (kind.type_char(), kind.size_field()) {
        (TypeChar::Bool, _) => Values::Flags(values(path, npy)?),
        (TypeChar::Int, 1) => wide(values::<i8>(path, npy)?.into_iter().map(i32::from).collect()),
        (TypeChar::Int, 2) => wide(values::<i16>(path, npy)?.into_iter().map(i32::from).collect()),
        (TypeChar::Int, 4) => wide(values(path, npy)?),
        (TypeChar::Int, 8) => Values::Numbers(values(path, npy)?),
        (TypeChar::Uint, 1) => wide(values::<u8>(path, npy)?.into_iter().map(i32::from).collect()),
        (TypeChar::Uint, 2) => wide(values::<u16>(path, npy)?.into_iter().map(i32::from).collect()),
        (TypeChar::Uint, 4) => {
            Values::Numbers(values::<u32>(path, npy)?.into_iter().map(i64::from).collect())
        }
        (TypeChar::UnicodeStr | TypeChar::ByteStr, _) => Values::Names(values(path, npy)?),
        _ => {
            let message = format!("it contains {kind}; save labels as integers, names or booleans");
            return Err(Error::format(path, message));
        }
    })
}

/// The rows of a table as text, with their lines.
fn records(path: &Path, separator: u8) -> Result<Vec<(u64, csv::StringRecord)>> {
    let wrong = |error: csv::Error| Error::format(path, error.to_string());
    let file = File::open(path).map_err(Error::io("read", path))?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(BufReader::new(file));
    let mut rows = Vec::new();
    for record in reader.records() {
        let mut record = record.map_err(wrong)?;
        let line = record.position().map_or(0, csv::Position::line);
        if rows.is_empty() && record.get(0).is_some_and(|first| first.starts_with('\u{feff}')) {
            let fields = record.iter().map(|field| field.trim_start_matches('\u{feff}'));
            record = fields.collect();
        }
        rows.push((line, record));
    }
    if rows.is_empty() {
        return Err(Error::format(path, "it is empty"));
    }
    Ok(rows)
}

fn csv_grid(path: &Path, separator: u8) -> Result<Grid> {
    let rows = records(path, separator)?;
    let head = &rows[0].1;
    let names = head
        .iter()
        .any(|field| field.parse::<f64>().is_err())
        .then(|| head.iter().map(str::to_owned).collect::<Vec<_>>());
    // Class names may be numbers themselves: integers, some above 1, cannot be probabilities.
    let names = names.or_else(|| {
        let whole: Option<Vec<u32>> = head.iter().map(|field| field.parse().ok()).collect();
        whole?.iter().any(|&number| number > 1).then(|| head.iter().map(str::to_owned).collect())
    });
    let cols = head.len();
    let body = &rows[usize::from(names.is_some())..];
    let mut numbers = Vec::with_capacity(body.len() * cols);
    for (line, record) in body {
        if record.len() != cols {
            let message = format!("line {line} has {} values, but the first line has {cols}", record.len());
            return Err(Error::format(path, message));
        }
        for field in record {
            let number = field.parse::<f64>().map_err(|_| {
                Error::format(path, format!("line {line}: '{}' is not a number", safe_text(field)))
            })?;
            numbers.push(number);
        }
    }
    Ok(Grid { numbers: Numbers::Double(numbers.into()), rows: body.len(), cols, names })
}

fn csv_column(path: &Path, separator: u8) -> Result<Values> {
    let rows = records(path, separator)?;
    let head: Vec<String> = rows[0].1.iter().map(str::to_lowercase).collect();
    let LabelColumn { index: column, headed, flags } = label_column(path, &head)?;
    let body = &rows[usize::from(headed)..];
    let fields: Vec<&str> = body.iter().map(|(_, row)| row.get(column).unwrap_or_default()).collect();
    if let Some(empty) = fields.iter().position(|field| field.is_empty()) {
        return Err(Error::format(path, format!("line {} has no value", body[empty].0)));
    }
    let flag = |field: &&str| match field.to_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        "1" | "yes" if flags => Some(true),
        "0" | "no" if flags => Some(false),
        _ => None,
    };
    if let Some(flags) = fields.iter().map(flag).collect::<Option<Vec<bool>>>() {
        return Ok(Values::Flags(flags));
    }
    if let Some(numbers) = fields.iter().map(|field| field.parse().ok()).collect::<Option<Vec<i64>>>() {
        return Ok(Values::Numbers(numbers));
    }
    Ok(Values::Names(fields.into_iter().map(str::to_owned).collect()))
}
