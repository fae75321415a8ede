//! Matrices and labels from Parquet files, as pandas, polars and DuckDB write them.

mod names;

use super::Headed;
use super::index::{is_written, names_in, without_index};
use super::labels::{LabelColumn, label_column};
use super::{Pick, Picked, Picker};
use crate::arrow_kinds::is_text;
use crate::arrow_text;
use crate::headings::{STORED, is_id, is_unnamed, is_usual_index};
use crate::row_names::SideColumn;
use crate::row_splits;
use crate::{Error, Result};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, FieldRef, SchemaRef};
use chaffinch_protocol::display::excerpt;
use chaffinch_review::label_quality::{Grid, Numbers, Values};
use names::{are_inside, given, has_labels, may_name, name_inside, naming_column};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::schema::types::SchemaDescriptor;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Reads a matrix: one named column per class, or a single column of lists.
///
/// # Errors
/// When the file cannot be read, contains anything but floating-point numbers, or a row has no value.
pub(super) fn grid(path: &Path) -> Result<Grid> {
    let (schema, batches) = open(path)?;
    let indices = without_counting(&schema, &batches, data_columns(&schema));
    if let [index] = indices[..]
        && is_list(schema.field(index).data_type())
    {
        let mut lists = Lists::new(path, false);
        batches.iter().try_for_each(|batch| lists.push(batch.column(index)))?;
        return lists.finish();
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
                let name = excerpt(schema.field(index).name()).into_owned();
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
            let name = excerpt(field.name()).into_owned();
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
    arrow_text::decode_only(path, |schema, parquet| leaves(schema, parquet, |_| true))
}

/// The parts of some columns that are read: of a structure with a name, only that, and not the bytes of the picture.
fn leaves(schema: &SchemaRef, parquet: &SchemaDescriptor, is_read: impl Fn(usize) -> bool) -> ProjectionMask {
    let leaf_is_read = |leaf: &usize| {
        let root = parquet.get_column_root_idx(*leaf);
        let inside = schema.fields().get(root).and_then(|field| match field.data_type() {
            DataType::Struct(inner) => Some(inner[name_inside(field)?].name()),
            _ => None,
        });
        let column = parquet.column(*leaf);
        is_read(root) && inside.is_none_or(|name| column.path().parts().get(1) == Some(name))
    };
    ProjectionMask::leaves(parquet, (0..parquet.num_columns()).filter(leaf_is_read))
}

fn data_columns(schema: &SchemaRef) -> Vec<usize> {
    let fields = schema.fields().iter().enumerate();
    fields.filter(|(_, field)| !field.name().starts_with(STORED)).map(|(index, _)| index).collect()
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
    let index = is_unnamed(name) || is_usual_index(name);
    if indices.len() > 1 && index && counts() {
        indices.remove(0);
    }
    indices
}

fn whole(path: &Path, name: &str, column: &ArrayRef) -> Result<()> {
    if column.null_count() == 0 {
        return Ok(());
    }
    Err(Error::format(path, format!("column '{}' has missing values", excerpt(name))))
}

/// Rows of a column of lists.
struct Lists<'a> {
    path: &'a Path,
    /// Whether rows and numbers may be missing: they are NaN then.
    gaps: bool,
    numbers: Option<Reading>,
    rows: usize,
    cols: Option<usize>,
    /// Rows that are missing before the first that is not.
    before: usize,
}

impl Lists<'_> {
    fn new(path: &Path, gaps: bool) -> Lists<'_> {
        Lists { path, gaps, numbers: None, rows: 0, cols: None, before: 0 }
    }

    fn push(&mut self, column: &ArrayRef) -> Result<()> {
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
            self.push_row(list)?;
            self.rows += 1;
        }
        Ok(())
    }

    fn push_row(&mut self, list: Option<ArrayRef>) -> Result<()> {
        let Some(list) = list.filter(|list| !list.is_empty() || !self.gaps) else {
            return match (self.gaps, self.cols) {
                (false, _) => Err(self.no_numbers()),
                (true, Some(cols)) => {
                    (0..cols).for_each(|_| self.numbers.iter_mut().for_each(Reading::push_missing));
                    Ok(())
                }
                (true, None) => {
                    self.before += 1;
                    Ok(())
                }
            };
        };
        let whole = list.null_count() == 0 || self.gaps;
        let Some(numbers) = numbers_of(&list).filter(|_| whole) else { return Err(self.no_numbers()) };
        let expected = *self.cols.get_or_insert(list.len());
        if list.len() != expected {
            let (row, len) = (self.rows + 1, list.len());
            let message = format!("row {row} has {len} values, but the first row has {expected}");
            return Err(Error::format(self.path, message));
        }
        let before = self.before * expected;
        let all = self.numbers.get_or_insert_with(|| {
            let mut all = Reading::new(matches!(numbers, Numbers::Single(_)), 0);
            (0..before).for_each(|_| all.push_missing());
            all
        });
        for col in 0..expected {
            if list.is_null(col) { all.push_missing() } else { all.push(&numbers, col) }
        }
        Ok(())
    }

    fn no_numbers(&self) -> Error {
        let message = format!("row {}: the list does not contain floating-point numbers", self.rows + 1);
        Error::format(self.path, message)
    }

    fn finish(self) -> Result<Grid> {
        let Some(Reading(numbers)) = self.numbers else {
            return Err(Error::format(self.path, "it is empty"));
        };
        Ok(Grid { numbers, rows: self.rows, cols: self.cols.unwrap_or(0), names: None })
    }
}

fn is_list(kind: &DataType) -> bool {
    matches!(kind, DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..))
}

/// Reads some columns of a file, one part after the other.
fn each_part(
    path: &Path,
    choose: impl FnOnce(&SchemaRef) -> Result<Vec<usize>>,
    mut each: impl FnMut(&RecordBatch) -> Result<()>,
) -> Result<()> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let broken = |error: &dyn std::fmt::Display| Error::format(path, error.to_string());
    let read = || {
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
            .map_err(|error| broken(&error))?;
        let columns = choose(builder.schema())?;
        let mask = leaves(builder.schema(), builder.parquet_schema(), |root| columns.contains(&root));
        let reader = builder.with_projection(mask).build().map_err(|error| broken(&error))?;
        for part in reader {
            each(&part.map_err(|error| broken(&error))?)?;
        }
        Ok(())
    };
    // The decoder checks most of a damaged file, and panics on the rest.
    let read = catch_unwind(AssertUnwindSafe(read));
    read.unwrap_or_else(|_| Err(Error::format(path, "it is damaged: its parts are inconsistent")))
}

/// The cells of a column as text, of a structure its name; what is missing is empty.
fn cells_of(column: &ArrayRef) -> Vec<String> {
    if let Some(parts) = column.as_struct_opt() {
        let of_part = |part: &ArrayRef| {
            let cells = cells_of(part).into_iter().enumerate();
            cells.map(|(row, cell)| if parts.is_null(row) { String::new() } else { cell }).collect()
        };
        let texts = parts.columns().iter().find(|part| is_text(part.data_type()));
        return texts.map_or_else(|| vec![String::new(); column.len()], of_part);
    }
    (0..column.len()).map(|row| arrow_text::text(column, row)).collect()
}

/// Reads a column of vectors: one of these names, or the only one with lists; and the names of the rows: from one of
/// `ids`, or from a column of paths. A vector that is missing is NaN.
///
/// # Errors
/// When the file cannot be read, has no such column, or its vectors differ in length.
pub(crate) fn vectors(path: &Path, names: &[&str], ids: &[&str]) -> Result<Picked> {
    let mut lists = Lists::new(path, true);
    // The place of the vectors among the columns that are read, and the columns beside them.
    let place: Cell<usize> = Cell::default();
    let beside: RefCell<Vec<SideColumn>> = RefCell::default();
    // Texts that are no splits, beside names, are not kept.
    let dropped: RefCell<BTreeSet<usize>> = RefCell::default();
    // Which of these has the names of the rows, and whether they are in structures.
    let named_by: Cell<Option<usize>> = Cell::default();
    let is_inside = Cell::new(false);
    each_part(
        path,
        |schema| {
            let fields = schema.fields();
            let all: Vec<usize> =
                (0..fields.len()).filter(|&index| is_list(fields[index].data_type())).collect();
            let named = names.iter().find_map(|name| {
                all.iter().copied().find(|&index| fields[index].name().to_lowercase() == *name)
            });
            let Some(vectors) = named.or(if let [only] = all[..] { Some(only) } else { None }) else {
                let seen: Vec<String> =
                    fields.iter().map(|field| format!("'{}'", excerpt(field.name()))).collect();
                let message = format!(
                    "it has no column '{}' with a list of numbers for each row; it has {}",
                    names.first().copied().unwrap_or_default(),
                    seen.join(", ")
                );
                return Err(Error::format(path, message));
            };
            let own = ids.iter().find_map(|name| fields.iter().position(|field| field.name() == name));
            let names = match own {
                Some(column) => Some(column),
                None => naming_column(path, schema)?,
            };
            is_inside.set(are_inside(schema, names));
            // Beside a column of names, others are only compared with it.
            let beside_names = |index: &usize| {
                let kind = fields[*index].data_type();
                // Texts under any heading may be splits.
                let is_compared =
                    |name: &str| is_id(name) || row_splits::is_worth_reading(name) || is_text(kind);
                Some(*index) == names
                    || (names.is_none() || is_compared(fields[*index].name()))
                        && (may_name(kind) || has_labels(&fields[*index]))
            };
            let side: Vec<usize> = (0..fields.len()).filter(beside_names).collect();
            named_by.set(side.iter().position(|column| Some(*column) == names));
            place.set(side.iter().filter(|&&column| column < vectors).count());
            beside.borrow_mut().extend(
                side.iter().map(|&at| SideColumn { heading: fields[at].name().clone(), cells: Vec::new() }),
            );
            Ok(side.into_iter().chain([vectors]).collect())
        },
        |part| {
            // Columns keep their order: a path may come first.
            let place = place.get();
            let columns = part.columns().iter().enumerate().filter(|(at, _)| *at != place);
            for (at, (side, (_, column))) in beside.borrow_mut().iter_mut().zip(columns).enumerate() {
                let mut dropped = dropped.borrow_mut();
                if dropped.contains(&at) {
                    continue;
                }
                side.cells.extend(cells_of(column));
                let is_beside = named_by.get().is_some_and(|names| names != at);
                if is_beside && !row_splits::is_of_use(side) {
                    side.cells = Vec::new();
                    dropped.insert(at);
                }
            }
            lists.push(part.column(place))
        },
    )?;
    let mut side = beside.into_inner();
    let mut left_out = dropped.into_inner();
    let ids = named_by.get().map(|at| {
        left_out.insert(at);
        std::mem::take(&mut side[at].cells)
    });
    let ids = ids.and_then(|names| given(names, is_inside.get()));
    let kept = side.into_iter().enumerate().filter(|(at, _)| !left_out.contains(at));
    let side = kept.map(|(_, column)| column).collect();
    Ok(Picked { grid: lists.finish()?, ids, rest: Vec::new(), side })
}

/// The names of the columns, but for an index that pandas stored; `None` where a column of lists has all numbers.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn headings(path: &Path) -> Result<Option<Vec<String>>> {
    let mut all = None;
    let choose = |schema: &SchemaRef| {
        let fields = schema.fields();
        let columns = data_columns(schema);
        let any = |is: fn(&DataType) -> bool| columns.iter().any(|&index| is(fields[index].data_type()));
        if !any(is_list) || any(DataType::is_floating) {
            all = Some(columns.iter().map(|&index| fields[index].name().clone()).collect());
        }
        Ok(Vec::new())
    };
    each_part(path, choose, |_| Ok(()))?;
    Ok(all)
}

/// Reads the cells of a column of paths, or of an index of names, if there is one beside others.
///
/// # Errors
/// When the file cannot be read, or has an index of numbers that do not count up.
pub(super) fn row_names(path: &Path) -> Result<Option<Vec<String>>> {
    let (named, written, is_inside) = (Cell::new(false), Cell::new(false), Cell::new(false));
    let mut names = Vec::new();
    each_part(
        path,
        |schema| {
            let fields = schema.fields();
            // Names that are not read are refused where rows are joined to samples.
            let column = naming_column(path, schema).unwrap_or_default().filter(|_| fields.len() > 1);
            named.set(column.is_some());
            is_inside.set(are_inside(schema, column));
            let index = || {
                let mut columns = fields.iter().enumerate().filter(|(_, field)| is_written(field.name()));
                columns.find(|(_, field)| fields.len() > 1 && may_name(field.data_type())).map(|(at, _)| at)
            };
            let column = column.or_else(index);
            written.set(column.is_some());
            Ok(column.into_iter().collect())
        },
        |part| {
            part.columns().first().into_iter().for_each(|column| names.extend(cells_of(column)));
            Ok(())
        },
    )?;
    match (named.get(), written.get()) {
        (true, _) => Ok(given(names, is_inside.get())),
        (_, true) => names_in(path, names),
        _ => Ok(None),
    }
}

/// Reads the columns that are called so, beside others.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn columns(path: &Path, is_called: Headed) -> Result<Vec<SideColumn>> {
    let all: RefCell<Vec<SideColumn>> = RefCell::default();
    each_part(
        path,
        |schema| {
            let fields = schema.fields();
            let is = |at: &usize| {
                fields.len() > 1 && is_called(fields[*at].name()) && may_name(fields[*at].data_type())
            };
            let columns: Vec<usize> = (0..fields.len()).filter(is).collect();
            let empty = |&at: &usize| SideColumn { heading: fields[at].name().clone(), cells: Vec::new() };
            all.borrow_mut().extend(columns.iter().map(empty));
            Ok(columns)
        },
        |part| {
            let mut all = all.borrow_mut();
            all.iter_mut()
                .zip(part.columns())
                .for_each(|(column, cells)| column.cells.extend(cells_of(cells)));
            Ok(())
        },
    )?;
    Ok(all.into_inner())
}

/// Reads the texts of a column, by its name.
///
/// # Errors
/// When the file cannot be read, or has no such column.
pub(crate) fn texts(path: &Path, name: &str) -> Result<Vec<String>> {
    let mut all = Vec::new();
    each_part(
        path,
        |schema| {
            let index = schema.fields().iter().position(|field| field.name() == name);
            let index = index.ok_or_else(|| Error::format(path, format!("it has no column '{name}'")))?;
            Ok(vec![index])
        },
        |part| {
            all.extend(cells_of(part.column(0)));
            Ok(())
        },
    )?;
    Ok(all)
}

/// Reads the columns that `pick` chooses by their names; all of them if it chooses none. A number that is missing is NaN.
///
/// # Errors
/// When the file cannot be read, or a chosen column has anything but floating-point numbers.
pub(super) fn picked(path: &Path, pick: Picker<'_>) -> Result<Picked> {
    let (schema, batches) = open(path)?;
    let fields = schema.fields();
    let names: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
    let picks = pick(&names);
    let of =
        |wanted: Pick| -> Vec<usize> { (0..fields.len()).filter(|&index| picks[index] == wanted).collect() };
    let chosen = of(Pick::Numbers);
    let texts = |index: usize| -> Vec<String> {
        batches.iter().flat_map(|batch| cells_of(batch.column(index))).collect()
    };
    let naming = naming_column(path, &schema)?;
    let ids = naming.map(texts).and_then(|names| given(names, are_inside(&schema, naming)));
    let may_say = |field: &FieldRef| may_name(field.data_type()) || has_labels(field);
    let beside = |column: &usize| picks[*column] != Pick::Numbers && may_say(&fields[*column]);
    let side = (0..fields.len()).filter(beside).map(|column| SideColumn {
        heading: fields[column].name().clone(),
        cells: batches.iter().flat_map(|batch| cells_of(batch.column(column))).collect(),
    });
    let side: Vec<SideColumn> = side.collect();
    if chosen.is_empty() {
        let lists: Vec<usize> =
            (0..fields.len()).filter(|&index| is_list(fields[index].data_type())).collect();
        let [only] = lists[..] else { return Ok(grid(path)?.into()) };
        let mut lists = Lists::new(path, true);
        batches.iter().try_for_each(|batch| lists.push(batch.column(only)))?;
        return Ok(Picked { grid: lists.finish()?, ids, rest: Vec::new(), side });
    }
    let narrow = |index: &usize| matches!(fields[*index].data_type(), DataType::Float16 | DataType::Float32);
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let mut numbers = Reading::new(chosen.iter().all(narrow), rows * chosen.len());
    for batch in &batches {
        let columns: Vec<(&ArrayRef, Numbers)> = chosen
            .iter()
            .map(|&index| {
                let column = batch.column(index);
                let found = numbers_of(column).ok_or_else(|| {
                    let (name, kind) = (excerpt(fields[index].name()), column.data_type());
                    let message = format!("column '{name}' contains {kind}, not floating-point numbers");
                    Error::format(path, message)
                })?;
                Ok((column, found))
            })
            .collect::<Result<_>>()?;
        for row in 0..batch.num_rows() {
            for (column, found) in &columns {
                if column.is_null(row) { numbers.push_missing() } else { numbers.push(found, row) }
            }
        }
    }
    let name = |index: usize| fields[index].name().clone();
    let rest = of(Pick::Nothing).into_iter().filter(|&index| !fields[index].name().starts_with(STORED));
    Ok(Picked {
        rest: rest.map(name).collect(),
        ids,
        side,
        grid: Grid {
            numbers: numbers.0,
            rows,
            cols: chosen.len(),
            names: Some(chosen.iter().map(|&index| name(index)).collect()),
        },
    })
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

    fn push_missing(&mut self) {
        match &mut self.0 {
            Numbers::Single(to) => to.push(f32::NAN),
            Numbers::Double(to) => to.push(f64::NAN),
        }
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
    let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64);
    let numbers = || -> Option<Vec<i64>> {
        // Integers of a column with gaps, as pandas writes them.
        if let Some(values) = array.as_primitive_opt::<Float64Type>() {
            return values.values().iter().map(|&value| whole(value)).collect();
        }
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
