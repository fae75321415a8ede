//! Reads a Parquet table beside pictures.

use super::read::path_column;
use super::{BesideTable, Form, Record};
use crate::Result;
use crate::arrow_text::{decode, text};
use crate::dataset::typed::Typed;
use arrow_array::{Array, RecordBatch};
use encoding_rs::UTF_8;
use std::collections::BTreeMap;
use std::path::Path;

/// Prefix of the columns in which pandas stores row names.
const INDEX: &str = "__index_level_";

/// # Errors
/// When it cannot be read.
pub(super) fn table(file: &Path) -> Result<BesideTable> {
    let (schema, batches) = decode(file)?;
    let fields = schema.fields().iter().enumerate();
    let columns: Vec<usize> =
        fields.filter(|(_, field)| !field.name().starts_with(INDEX)).map(|(column, _)| column).collect();
    let headings: Vec<String> = columns.iter().map(|&column| schema.field(column).name().clone()).collect();
    let mut typed = Typed::default();
    typed.see_fields(schema.fields(), &columns);
    let mut records = Vec::new();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            let cells = columns.iter().map(|&column| cell(batch, column, row)).collect();
            records.push(Record { span: 0..0, cells, raw_name: None });
        }
    }
    let file_name = path_column(&headings);
    Ok(BesideTable {
        homes: Vec::new(),
        form: Form::Parquet,
        text: Vec::new(),
        encoding: UTF_8.name(),
        cells: UTF_8.name(),
        mark: false,
        headings,
        records,
        file_name,
        flags: None,
        typed: typed.names().collect(),
        numbered: BTreeMap::new(),
    })
}

fn cell(batch: &RecordBatch, column: usize, row: usize) -> String {
    let values = batch.column(column);
    if values.is_null(row) { String::new() } else { text(values, row) }
}
