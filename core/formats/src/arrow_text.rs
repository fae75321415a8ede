//! Tables of Arrow's types as text.

use crate::arrow_kinds::{bytes_of, is_picture};
use crate::{Error, Result};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{DataType, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::schema::types::SchemaDescriptor;
use serde_json::{Map, Value};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// How values without a type in JSON are written.
const FORMAT: FormatOptions<'static> = FormatOptions::new().with_null("");

/// Reads a Parquet file as a whole.
///
/// # Errors
/// When it cannot be read or is damaged.
pub(crate) fn decode(path: &Path) -> Result<(SchemaRef, Vec<RecordBatch>)> {
    decode_only(path, |_, _| ProjectionMask::all())
}

/// Reads the leaves of a Parquet file that `chosen` gives; the schema is that of the whole file.
///
/// # Errors
/// When it cannot be read or is damaged.
pub(crate) fn decode_only(
    path: &Path,
    chosen: impl Fn(&SchemaRef, &SchemaDescriptor) -> ProjectionMask,
) -> Result<(SchemaRef, Vec<RecordBatch>)> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let read = || -> parquet::errors::Result<(SchemaRef, Vec<RecordBatch>)> {
        // Categories are plain names, no matter which program wrote the file.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)?;
        let schema = builder.schema().clone();
        let mask = chosen(&schema, builder.parquet_schema());
        Ok((schema, builder.with_projection(mask).build()?.collect::<std::result::Result<_, _>>()?))
    };
    // The decoder checks most of a damaged file, and panics on the rest.
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(decoded) => decoded.map_err(|error| Error::format(path, error.to_string())),
        Err(_) => Err(Error::format(path, "it is damaged: its parts are inconsistent")),
    }
}

/// A value as the text of a cell: empty if it is missing, lists and structures as JSON, a picture as its path. Bytes are texts, as
/// some programs write them, unless they have signs that no text has.
pub(crate) fn text(values: &ArrayRef, row: usize) -> String {
    if let Some(bytes) = bytes_of(values, row) {
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        return if text.chars().any(char::is_control) { String::new() } else { text.to_owned() };
    }
    if is_picture(values.data_type())
        && let Some(path) = values.as_struct().column_by_name("path")
    {
        return if values.is_null(row) { String::new() } else { text(path, row) };
    }
    match value(values, row) {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// A number with as many digits as its own precision has: 0.1, not 0.10000000149011612.
fn short(number: f32) -> Value {
    number.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

/// A value as JSON; null where its type has no place in a cell, such as bytes.
pub(crate) fn value(values: &ArrayRef, row: usize) -> Value {
    if values.is_null(row) {
        return Value::Null;
    }
    macro_rules! number {
        ($kind:ty) => {
            Value::from(values.as_primitive::<$kind>().value(row))
        };
    }
    let list = |list: ArrayRef| Value::Array((0..list.len()).map(|at| value(&list, at)).collect());
    match values.data_type() {
        DataType::Utf8 => Value::from(values.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Value::from(values.as_string::<i64>().value(row)),
        DataType::Utf8View => Value::from(values.as_string_view().value(row)),
        DataType::Boolean => Value::from(values.as_boolean().value(row)),
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        DataType::Float16 => short(values.as_primitive::<Float16Type>().value(row).to_f32()),
        DataType::Float32 => short(values.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => number!(Float64Type),
        DataType::List(_) => list(values.as_list::<i32>().value(row)),
        DataType::LargeList(_) => list(values.as_list::<i64>().value(row)),
        DataType::FixedSizeList(..) => list(values.as_fixed_size_list().value(row)),
        DataType::Struct(fields) => {
            let columns = values.as_struct().columns().iter().zip(fields);
            let pairs = columns.map(|(column, field)| (field.name().clone(), value(column, row)));
            Value::Object(pairs.collect::<Map<String, Value>>())
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            Value::Null
        }
        // Dates and the like are texts in JSON.
        _ => ArrayFormatter::try_new(values, &FORMAT)
            .and_then(|formatter| formatter.value(row).try_to_string())
            .map_or(Value::Null, Value::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{Float32Array, Int64Array};
    use std::sync::Arc;

    #[test]
    fn numbers_have_the_digits_of_their_own_precision() {
        let texts = |column: ArrayRef| (0..column.len()).map(|row| text(&column, row)).collect::<Vec<_>>();
        let given = [Some(0.1), None, Some(f32::NAN), Some(2.0)];
        assert_eq!(texts(Arc::new(Float32Array::from(given.to_vec()))), ["0.1", "", "", "2.0"]);
        assert_eq!(texts(Arc::new(Int64Array::from(vec![Some(-3), None]))), ["-3", ""]);
    }
}
