//! Rows without the bytes of a picture, found without reading pictures where the file says that none is missing.

use super::{builder, guarded};
use crate::arrow_kinds::bytes_of;
use crate::dataset::apart;
use crate::dataset::columns::inner;
use crate::{Error, Result};
use arrow_array::Array;
use arrow_schema::DataType;
use parquet::arrow::ProjectionMask;
use parquet::basic::Type;
use std::collections::BTreeSet;
use std::path::Path;

/// The rows whose value of this leaf, `COLUMN.bytes`, is null. A group of rows of which the file does not say how many are is
/// taken to have none.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn rows(file: &Path, leaf: &str) -> Result<BTreeSet<u64>> {
    let mut found = BTreeSet::new();
    let (groups, column) = {
        let opened = guarded(file, || builder(file))?;
        let metadata = opened.metadata();
        let schema = metadata.file_metadata().schema_descr();
        let leaves = 0..schema.num_columns();
        let Some(column) = leaves.into_iter().find(|&at| schema.column(at).path().string() == leaf) else {
            return Ok(found);
        };
        // A column of nothing but nulls may have any other type.
        let all_missing = schema.column(column).physical_type() != Type::BYTE_ARRAY;
        let mut first = 0;
        let groups = metadata.row_groups().iter().enumerate().map(|(number, group)| {
            let rows = group.num_rows().max(0) as u64;
            let nulls = group.column(column).statistics().and_then(|known| known.null_count_opt());
            first += rows;
            let nulls = if all_missing { rows } else { nulls.unwrap_or(0) };
            (number, first - rows, nulls, rows)
        });
        (groups.collect::<Vec<_>>(), column)
    };
    for (number, first, nulls, rows) in groups {
        if nulls >= rows {
            found.extend(first..first + rows);
        } else if nulls > 0 {
            in_group(file, (number, column, leaf), first, &mut found)?;
        }
    }
    Ok(found)
}

/// Reads the values of one group.
fn in_group(
    file: &Path,
    (number, column, leaf): (usize, usize, &str),
    first: u64,
    found: &mut BTreeSet<u64>,
) -> Result<()> {
    let mut row = first;
    let mut batches = guarded(file, || {
        let builder = builder(file)?;
        let mask = ProjectionMask::leaves(builder.parquet_schema(), [column]);
        let builder = builder.with_projection(mask).with_row_groups(vec![number]);
        builder.build().map_err(|error| Error::format(file, error.to_string()))
    })?;
    let name = leaf.strip_suffix(".bytes").unwrap_or(leaf);
    loop {
        let next = guarded(file, || {
            batches.next().transpose().map_err(|error| Error::format(file, error.to_string()))
        })?;
        let Some(batch) = next else { return Ok(()) };
        let outer = apart::column(&batch, name);
        let bytes = outer.as_ref().and_then(|outer| inner(outer, "bytes"));
        for at in 0..batch.num_rows() {
            let missing = match (&outer, bytes) {
                (Some(outer), Some(bytes)) => {
                    outer.is_null(at) || *bytes.data_type() == DataType::Null || bytes_of(bytes, at).is_none()
                }
                _ => false,
            };
            if missing {
                found.insert(row);
            }
            row += 1;
        }
    }
}
