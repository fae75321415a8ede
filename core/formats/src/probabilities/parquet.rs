//! Probabilities and labels from Parquet files, as pandas, polars and DuckDB write them.

use super::index::{is_unnamed, without_index};
use super::labels::{LabelColumn, label_column};
use crate::{Error, Result};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use chaffinch_protocol::display::safe_text;
use chaffinch_review::label_quality::{Grid, Numbers, Values};
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Prefix of the columns in which pandas stores row names.
const INDEX: &str = "__index_level_";

/// Reads a matrix: one named column per class, or a single column of lists.
///
/// # Errors
/// When the file cannot be read, contains anything but floating-point numbers, or a row has no value.
pub(super) fn grid(path: &Path) -> Result<Grid> {
    let (schema, batches) = open(path)?;
    let indices = without_counting(&schema, &batches, data_columns(&schema));
    if let [index] = indices[..]
        && let DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) =
            schema.field(index).data_type()
    {
        return lists(path, index, &batches);
    }
    let narrow =
        |index: &usize| matches!(schema.field(*index).data_type(), DataType::Float16 | DataType::Float32);
    let single = indices.iter().all(narrow);
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let names: Vec<String> = indices.iter().map(|&index| schema.field(index).name().clone()).collect();
    let mut numbers = Reading::new(single, rows * indices.len());
    for batch in &batches {
        let columns = indices.iter().map(|&index| {
            let column = batch.column(index);
            whole(path, schema.field(index).name(), column)?;
            numbers_of(column).ok_or_else(|| {
                let name = safe_text(schema.field(index).name()).into_owned();
                let message =
                    format!("column '{name}' contains {}, not floating-point numbers", column.data_type());
                Error::format(path, message)
            })
        });
        let columns: Vec<Numbers> = columns.collect::<Result<_>>()?;
        for row in 0..batch.num_rows() {
            columns.iter().for_each(|column| numbers.push(column, row));
        }
    }
    without_index(path, Grid { numbers: numbers.0, rows, cols: names.len(), names: Some(names) })
}

/// Reads one value per row, from the only column or from the one with a label name.
///
/// # Errors
/// When the file cannot be read, its column is not found, or a row has no value.
pub(super) fn column(path: &Path) -> Result<Values> {
    let (schema, batches) = open(path)?;
    let indices = data_columns(&schema);
    let names: Vec<String> = indices.iter().map(|&index| schema.field(index).name().to_lowercase()).collect();
    let LabelColumn { index, flags, .. } = label_column(path, &names)?;
    let field = schema.field(indices[index]);
    let mut values = None;
    for batch in &batches {
        let column = batch.column(indices[index]);
        whole(path, field.name(), column)?;
        let more = values_of(column, flags).ok_or_else(|| {
            let name = safe_text(field.name()).into_owned();
            let message =
                format!("column '{name}' contains {}, not integers, names or booleans", field.data_type());
            Error::format(path, message)
        })?;
        values = Some(match (values, more) {
            (None, more) => more,
            (Some(Values::Numbers(mut all)), Values::Numbers(more)) => {
                all.extend(more);
                Values::Numbers(all)
            }
            (Some(Values::Flags(mut all)), Values::Flags(more)) => {
                all.extend(more);
                Values::Flags(all)
            }
            (Some(Values::Names(mut all)), Values::Names(more)) => {
                all.extend(more);
                Values::Names(all)
            }
            (Some(_), more) => more,
        });
    }
    values.ok_or_else(|| Error::format(path, "it is empty"))
}

fn open(path: &Path) -> Result<(SchemaRef, Vec<RecordBatch>)> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    // The decoder checks most of a damaged file, and panics on the rest.
    match catch_unwind(AssertUnwindSafe(|| decode(file))) {
        Ok(decoded) => decoded.map_err(|error| Error::format(path, error.to_string())),
        Err(_) => Err(Error::format(path, "it is damaged: its parts are inconsistent")),
    }
}

fn decode(file: File) -> parquet::errors::Result<(SchemaRef, Vec<RecordBatch>)> {
    // Skip Arrow's own type metadata, so that categories are plain names no matter which program wrote the file.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)?;
    let schema = builder.schema().clone();
    Ok((schema, builder.build()?.collect::<std::result::Result<_, _>>()?))
}

fn data_columns(schema: &SchemaRef) -> Vec<usize> {
    let fields = schema.fields().iter().enumerate();
    fields.filter(|(_, field)| !field.name().starts_with(INDEX)).map(|(index, _)| index).collect()
}

/// Leaves out a first column of integers that has no name of its own: it numbers the rows.
fn without_counting(schema: &SchemaRef, batches: &[RecordBatch], mut indices: Vec<usize>) -> Vec<usize> {
    let Some(&first) = indices.first() else { return indices };
    let counts = || {
        let values: Vec<Option<Values>> =
            batches.iter().map(|batch| values_of(batch.column(first), false)).collect();
        let numbers: Option<Vec<i64>> =
            values.into_iter().try_fold(Vec::new(), |mut all, values| match values {
                Some(Values::Numbers(numbers)) => {
                    all.extend(numbers);
                    Some(all)
                }
                _ => None,
            });
        numbers.is_some_and(|numbers| numbers.windows(2).all(|pair| pair[1] == pair[0] + 1))
    };
    let name = schema.field(first).name();
    let index = is_unnamed(name) || ["index", "level_0", "id"].contains(&name.to_lowercase().as_str());
    if indices.len() > 1 && index && counts() {
        indices.remove(0);
    }
    indices
}

fn whole(path: &Path, name: &str, column: &ArrayRef) -> Result<()> {
    if column.null_count() == 0 {
        return Ok(());
    }
    Err(Error::format(path, format!("column '{}' has missing values", safe_text(name))))
}

fn lists(path: &Path, index: usize, batches: &[RecordBatch]) -> Result<Grid> {
    let mut all: Option<Reading> = None;
    let (mut rows, mut cols) = (0, None);
    for batch in batches {
        let column = batch.column(index);
        for row in 0..column.len() {
            let list = if column.is_null(row) {
                None
            } else if let Some(lists) = column.as_list_opt::<i32>() {
                Some(lists.value(row))
            } else if let Some(lists) = column.as_list_opt::<i64>() {
                Some(lists.value(row))
            } else {
                column.as_fixed_size_list_opt().map(|lists| lists.value(row))
            };
            let numbers = list.as_ref().filter(|list| list.null_count() == 0).and_then(numbers_of);
            let (Some(list), Some(numbers)) = (list, numbers) else {
                let message = format!("row {}: the list does not contain floating-point numbers", rows + 1);
                return Err(Error::format(path, message));
            };
            let expected = *cols.get_or_insert(list.len());
            if list.len() != expected {
                let message =
                    format!("row {} has {} values, but the first row has {expected}", rows + 1, list.len());
                return Err(Error::format(path, message));
            }
            let all = all.get_or_insert_with(|| Reading::new(matches!(numbers, Numbers::Single(_)), 0));
            (0..expected).for_each(|col| all.push(&numbers, col));
            rows += 1;
        }
    }
    let Some(Reading(numbers)) = all else { return Err(Error::format(path, "it is empty")) };
    Ok(Grid { numbers, rows, cols: cols.unwrap_or(0), names: None })
}

/// Numbers in the widest type of all columns.
struct Reading(Numbers);

impl Reading {
    fn new(single: bool, count: usize) -> Reading {
        Reading(if single {
            Numbers::Single(Vec::with_capacity(count).into())
        } else {
            Numbers::Double(Vec::with_capacity(count).into())
        })
    }

    fn push(&mut self, from: &Numbers, row: usize) {
        match (&mut self.0, from) {
            (Numbers::Single(to), Numbers::Single(from)) => to.push(from[row]),
            (Numbers::Single(to), Numbers::Double(from)) => to.push(from[row] as f32),
            (Numbers::Double(to), Numbers::Single(from)) => to.push(f64::from(from[row])),
            (Numbers::Double(to), Numbers::Double(from)) => to.push(from[row]),
        }
    }
}

fn numbers_of(array: &ArrayRef) -> Option<Numbers> {
    if let Some(numbers) = array.as_primitive_opt::<Float16Type>() {
        return Some(Numbers::Single(numbers.values().iter().map(|number| number.to_f32()).collect()));
    }
    if let Some(numbers) = array.as_primitive_opt::<Float32Type>() {
        return Some(Numbers::Single(numbers.values().to_vec().into()));
    }
    array.as_primitive_opt::<Float64Type>().map(|numbers| Numbers::Double(numbers.values().to_vec().into()))
}

fn values_of(array: &ArrayRef, flags: bool) -> Option<Values> {
    if let Some(values) = array.as_boolean_opt() {
        return Some(Values::Flags(values.values().iter().collect()));
    }
    if let Some(names) = array.as_string_opt::<i32>() {
        return Some(Values::Names(names.iter().flatten().map(str::to_owned).collect()));
    }
    if let Some(names) = array.as_string_opt::<i64>() {
        return Some(Values::Names(names.iter().flatten().map(str::to_owned).collect()));
    }
    macro_rules! whole_numbers {
        ($($kind:ty),*) => {
            $(if let Some(values) = array.as_primitive_opt::<$kind>() {
                return values.values().iter().map(|&value| i64::try_from(value).ok()).collect();
            })*
        };
    }
    let numbers = || -> Option<Vec<i64>> {
        whole_numbers!(
            Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type
        );
        None
    };
    let numbers = numbers()?;
    if flags && numbers.iter().all(|&number| number == 0 || number == 1) {
        return Some(Values::Flags(numbers.into_iter().map(|number| number == 1).collect()));
    }
    Some(Values::Numbers(numbers))
}

#[cfg(test)]
mod tests;
