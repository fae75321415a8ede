//! Arrays of NumPy.

use super::FlagGrid;
use super::half_floats::{bf16_bytes, f16_bytes};
use crate::{Error, Result};
use chaffinch_data::columns;
use chaffinch_data::columns::Column;
use chaffinch_protocol::display::counted;
use chaffinch_review::label_quality::{Grid, Numbers, Values};
use npyz::{DType, Endianness, NpyFile, NpyHeader, Order, TypeChar, TypeStr};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// What is wrong with dimensions that no file can have.
const DAMAGED: &str = "it is damaged: its header announces more values than there can be";

/// How deep brackets are nested in headers: an object, a list of fields, a field, its shape, and fields in it.
const DEEPEST: usize = 8;

/// Size of the read buffer in bytes.
const BUFFER: usize = 1 << 20;

fn open(path: &Path) -> Result<NpyFile<BufReader<File>>> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let size = file.metadata().map_err(Error::io("read", path))?.len();
    let mut file = BufReader::with_capacity(BUFFER, file);
    let header = header(&mut file).map_err(|error| Error::format(path, error))?;
    let start = file.stream_position().map_err(Error::io("read", path))?;
    within(&header, size.saturating_sub(start)).map_err(|error| Error::format(path, error))?;
    let npy = NpyFile::with_header(header, file);
    if npy.uses_pickled_array() {
        return Err(Error::format(path, "it contains pickled objects; save a plain array instead"));
    }
    Ok(npy)
}

/// Reads the header. Its reader multiplies what a file says its dimensions are without looking whether that is possible, and
/// takes twice as long for each bracket within another.
fn header(mut file: impl BufRead) -> std::result::Result<NpyHeader, String> {
    if is_too_deep(file.fill_buf().map_err(|error| error.to_string())?) {
        return Err("it is damaged: its header is not a description of an array".into());
    }
    let read = catch_unwind(AssertUnwindSafe(|| NpyHeader::from_reader(file)));
    read.map_or_else(|_| Err(DAMAGED.into()), |read| read.map_err(|error| error.to_string()))
}

/// Whether brackets in the header are nested deeper than those of any array.
fn is_too_deep(start: &[u8]) -> bool {
    let (from, length) = match *start {
        [_, _, _, _, _, _, 1, _, a, b, ..] => (10, usize::from(u16::from_le_bytes([a, b]))),
        [_, _, _, _, _, _, _, _, a, b, c, d, ..] => (12, u32::from_le_bytes([a, b, c, d]) as usize),
        _ => return false,
    };
    let mut depth = 0_usize;
    start[from..].iter().take(length).any(|byte| {
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEEPEST
    })
}

/// Checks that so many bytes hold what the header promises, before anything is made to hold it.
fn within(header: &NpyHeader, bytes: u64) -> std::result::Result<(), String> {
    let count = header.shape().iter().try_fold(1_u64, |all, &one| all.checked_mul(one));
    let DType::Plain(kind) = header.dtype() else { return Ok(()) };
    let (Some(count), Some(size)) = (count, kind.num_bytes()) else {
        return if count.is_none() { Err(DAMAGED.into()) } else { Ok(()) };
    };
    match count.checked_mul(size as u64) {
        Some(wanted) if wanted <= bytes => Ok(()),
        _ => Err(format!("it is truncated: its header announces {count} values")),
    }
}

fn type_of(path: &Path, npy: &NpyFile<BufReader<File>>) -> Result<TypeStr> {
    match npy.dtype() {
        DType::Plain(kind) => Ok(kind),
        other => {
            Err(Error::format(path, format!("it contains records ({}), not plain values", other.descr())))
        }
    }
}

/// Reads a matrix.
///
/// # Errors
/// When the file cannot be read or is not a matrix of floating-point numbers.
pub(crate) fn grid(path: &Path) -> Result<Grid> {
    let npy = open(path)?;
    let kind = type_of(path, &npy)?;
    let &[rows, cols] = npy.shape() else {
        let dimensions = counted(npy.shape().len() as u64, "dimension", "dimensions");
        let message = format!("it has {dimensions}; expected two, with a row for each sample");
        return Err(Error::format(path, message));
    };
    let (rows, cols, order) = (rows as usize, cols as usize, npy.order());
    let numbers = match (kind.type_char(), kind.size_field()) {
        (TypeChar::Float, 4) => Numbers::Single(row_major(plain(path, npy, &kind)?, rows, cols, order)),
        (TypeChar::Float, 8) => Numbers::Double(row_major(plain(path, npy, &kind)?, rows, cols, order)),
        (TypeChar::Float, 2) => {
            let numbers = f16_bytes(&raw(path, npy)?, kind.endianness() == Endianness::Big);
            Numbers::Single(row_major(numbers.into(), rows, cols, order))
        }
        // NumPy has no bfloat16 of its own: its extension types are saved as so many bytes.
        (TypeChar::RawData, 2) => {
            let numbers = bf16_bytes(&raw(path, npy)?, kind.endianness() == Endianness::Big);
            Numbers::Single(row_major(numbers.into(), rows, cols, order))
        }
        _ => {
            let message =
                format!("it contains {kind}; save numbers as float16, bfloat16, float32 or float64");
            return Err(Error::format(path, message));
        }
    };
    Ok(Grid { numbers, rows, cols, names: None })
}

/// The bytes of an array of numbers of 16 bits.
fn raw(path: &Path, npy: NpyFile<BufReader<File>>) -> Result<Vec<u8>> {
    let wanted = npy.header().len().saturating_mul(2);
    let mut bytes = Vec::new();
    let read = npy.into_inner().take(wanted).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    if (read as u64) < wanted {
        return Err(Error::format(
            path,
            format!("it is truncated: its header announces {} numbers", wanted / 2),
        ));
    }
    Ok(bytes)
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

/// Reads a one-dimensional array.
///
/// # Errors
/// When the file cannot be read or has no labels.
pub(super) fn column(path: &Path) -> Result<Values> {
    let npy = open(path)?;
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

/// The dimensions of an array.
///
/// # Errors
/// When the file cannot be read or is not an array.
pub(super) fn dimensions(path: &Path) -> Result<Vec<u64>> {
    Ok(open(path)?.shape().to_vec())
}

/// Reads a matrix of 0 and 1; `None` if it has another number of dimensions.
///
/// # Errors
/// When the file cannot be read, or has other values.
pub(super) fn flags(path: &Path) -> Result<Option<FlagGrid>> {
    let npy = open(path)?;
    let kind = type_of(path, &npy)?;
    let &[rows, cols] = npy.shape() else { return Ok(None) };
    let (rows, cols, order) = (rows as usize, cols as usize, npy.order());
    let numbers: Vec<f64> = match (kind.type_char(), kind.size_field()) {
        (TypeChar::Bool, _) => {
            values::<bool>(path, npy)?.into_iter().map(|set| f64::from(u8::from(set))).collect()
        }
        (TypeChar::Int, 1) => values::<i8>(path, npy)?.into_iter().map(f64::from).collect(),
        (TypeChar::Uint, 1) => values::<u8>(path, npy)?.into_iter().map(f64::from).collect(),
        (TypeChar::Int, 2) => values::<i16>(path, npy)?.into_iter().map(f64::from).collect(),
        (TypeChar::Uint, 2) => values::<u16>(path, npy)?.into_iter().map(f64::from).collect(),
        (TypeChar::Int, 4) => values::<i32>(path, npy)?.into_iter().map(f64::from).collect(),
        (TypeChar::Uint, 4) => values::<u32>(path, npy)?.into_iter().map(f64::from).collect(),
        (TypeChar::Int, 8) => values::<i64>(path, npy)?.into_iter().map(|number| number as f64).collect(),
        (TypeChar::Uint, 8) => values::<u64>(path, npy)?.into_iter().map(|number| number as f64).collect(),
        (TypeChar::Float, 4) => values::<f32>(path, npy)?.into_iter().map(f64::from).collect(),
        (TypeChar::Float, 8) => values(path, npy)?,
        _ => {
            let message = format!("it contains {kind}; save 0 and 1 as integers or booleans");
            return Err(Error::format(path, message));
        }
    };
    let numbers = row_major(numbers.into(), rows, cols, order);
    if let Some(odd) = numbers.iter().position(|number| *number != 0.0 && *number != 1.0) {
        let message = format!(
            "row {}, column {}: {} is neither 0 nor 1; an array of labels has a 1 for each class that a sample has",
            odd / cols,
            odd % cols,
            numbers[odd]
        );
        return Err(Error::format(path, message));
    }
    Ok(Some(FlagGrid { set: numbers.iter().map(|number| *number == 1.0).collect(), rows, cols }))
}

/// Reads a one-dimensional array of floating-point numbers from the bytes of a file that holds it.
///
/// # Errors
/// With the reason, when they are no such array.
pub(crate) fn vector(bytes: &[u8]) -> std::result::Result<Vec<f64>, String> {
    let mut bytes = bytes;
    let header = header(&mut bytes)?;
    within(&header, bytes.len() as u64)?;
    let npy = NpyFile::with_header(header, bytes);
    if npy.uses_pickled_array() {
        return Err("it contains pickled objects".into());
    }
    let DType::Plain(kind) = npy.dtype() else { return Err("it contains records".into()) };
    if npy.shape().len() != 1 {
        return Err(format!("it has {} dimensions, not one", npy.shape().len()));
    }
    let read = |error: std::io::Error| error.to_string();
    let wide = |numbers: Vec<f32>| numbers.into_iter().map(f64::from).collect();
    match (kind.type_char(), kind.size_field()) {
        (TypeChar::Float, 8) => npy.into_vec().map_err(read),
        (TypeChar::Float, 4) => Ok(wide(npy.into_vec().map_err(read)?)),
        (TypeChar::Float, 2) => {
            let wanted = npy.header().len().saturating_mul(2);
            let rest = npy.into_inner();
            let rest = usize::try_from(wanted).ok().and_then(|wanted| rest.get(..wanted));
            let rest = rest.ok_or_else(|| "it is truncated".to_owned())?;
            Ok(wide(f16_bytes(rest, kind.endianness() == Endianness::Big)))
        }
        _ => Err(format!("it contains {kind}, not floating-point numbers")),
    }
}
