//! Structures of Arrow and Parquet files, taken apart into columns by the rules of objects in JSON: `meta.label`.

use super::DatasetOptions;
use super::columns::Features;
use super::nested::Nested;
use crate::arrow_kinds::is_picture;
use crate::{Error, Result};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, make_array};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use chaffinch_protocol::RemarkKind;
use std::path::Path;
use std::sync::Arc;

/// What a schema is with its structures taken apart, as far as paths, labels or splits are in them.
pub(super) struct Apart {
    pub(super) schema: SchemaRef,
    /// How the rest is read: which of the columns were found.
    pub(super) options: DatasetOptions,
    /// What is to be said of it.
    pub(super) said: Vec<(RemarkKind, String)>,
}

impl Apart {
    pub(super) fn of(schema: &SchemaRef, features: &Features, options: &DatasetOptions) -> Apart {
        let fields = schema.fields();
        if !fields.iter().any(|field| matches!(field.data_type(), DataType::Struct(_))) {
            return Apart { schema: schema.clone(), options: options.clone(), said: Vec::new() };
        }
        let has_labels = fields.iter().any(|field| features.classes(field.name()).is_some());
        let nested = Nested::of_fields(fields, &is_picture, has_labels);
        let names: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
        let mut headings = names.clone();
        let (options, said) = nested.take_apart(&mut headings, options);
        // Columns of one name are told apart by their places.
        if headings == names {
            return Apart { schema: schema.clone(), options, said };
        }
        let field = |heading: &String| {
            let own = fields.iter().find(|field| field.name() == heading);
            own.cloned().or_else(|| {
                let inner = field_in(fields, heading)?;
                Some(Arc::new(Field::new(heading, inner.data_type().clone(), true)))
            })
        };
        let flat: Fields = headings.iter().filter_map(field).collect();
        let schema = Arc::new(Schema::new_with_metadata(flat, schema.metadata().clone()));
        Apart { schema, options, said }
    }
}

/// The columns of a schema that was taken apart, in its order, without those of which nothing was read.
///
/// # Errors
/// When the columns are damaged.
pub(super) fn batch(file: &Path, batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let is_whole = |field: &FieldRef| batch.schema().column_with_name(field.name()).is_some();
    if batch.num_columns() == schema.fields().len() && schema.fields().iter().all(is_whole) {
        return Ok(batch.clone());
    }
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for field in schema.fields() {
        if let Some(column) = column(batch, field.name()) {
            fields.push(Field::new(field.name(), column.data_type().clone(), true));
            columns.push(column);
        }
    }
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &rows)
        .map_err(|error| Error::format(file, error.to_string()))
}

/// A column of a batch by its name, or by its dotted name in structures.
pub(super) fn column(batch: &RecordBatch, name: &str) -> Option<ArrayRef> {
    if let Some(column) = batch.column_by_name(name) {
        return Some(column.clone());
    }
    let (first, rest) = name.split_once('.')?;
    let mut array = batch.column_by_name(first)?.clone();
    for part in rest.split('.') {
        let outer = array.as_struct_opt()?;
        let inner = outer.column_by_name(part)?;
        array = without(inner, outer.nulls());
    }
    Some(array)
}

/// The values where the structure around them is there.
fn without(inner: &ArrayRef, outer: Option<&NullBuffer>) -> ArrayRef {
    let Some(outer) = outer.filter(|nulls| nulls.null_count() > 0) else { return inner.clone() };
    let nulls = NullBuffer::union(Some(outer), inner.nulls());
    match inner.to_data().into_builder().nulls(nulls).build() {
        Ok(data) if *inner.data_type() != DataType::Null => make_array(data),
        _ => inner.clone(),
    }
}

/// A field inside of structures.
fn field_in<'f>(fields: &'f Fields, dotted: &str) -> Option<&'f FieldRef> {
    let (first, rest) = match dotted.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (dotted, None),
    };
    let field = fields.iter().find(|field| field.name() == first)?;
    match (rest, field.data_type()) {
        (None, _) => Some(field),
        (Some(rest), DataType::Struct(inner)) => field_in(inner, rest),
        _ => None,
    }
}
