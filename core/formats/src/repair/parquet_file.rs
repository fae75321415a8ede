//! Parquet files with rows removed and labels changed. Whatever stays is copied as the bytes that it is: column chunks of row
//! groups that keep all of their rows, and of other ones the pages that do. Only pages with a removed row are written anew,
//! from values that are only compared with those that were decided about. So pictures keep every byte, and types, names of
//! columns, metadata and row groups stay. No byte of a column is read twice.

use super::output::Output;
use super::parquet_checks::Checks;
use super::parquet_classes::add_classes;
use super::parquet_output::Properties;
use super::parquet_part::Part;
use crate::{Error, Result};
use chaffinch_compute::job::Job;
use chaffinch_protocol::display::excerpt;
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetMetaData, ParquetMetaDataReader, ParquetMetaDataWriter,
    RowGroupMetaData,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// What changes in a file. Rows are counted from its first one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ParquetEdits {
    pub(super) dropped: BTreeSet<u64>,
    /// New values by column and row; numbers of classes where the column has numbers.
    pub(super) values: BTreeMap<String, BTreeMap<u64, String>>,
    /// Classes to add to those of columns in the metadata of the `datasets` library.
    pub(super) classes: BTreeMap<String, Vec<String>>,
    /// What must be in it for that.
    pub(super) checks: Checks,
}

impl ParquetEdits {
    /// Whether nothing changes.
    pub(super) fn is_empty(&self) -> bool {
        self.dropped.is_empty() && self.values.is_empty() && self.classes.is_empty()
    }

    /// Writes the new file.
    ///
    /// # Errors
    /// When the old one cannot be read, or has another picture than it must, the new one cannot be written, or a column cannot
    /// have a value.
    pub(super) fn write(&self, source: &Path, out: &mut Output<'_>, job: &Job<'_>) -> Result<()> {
        let wrong = |error: ParquetError| Error::format(source, format!("it cannot be rewritten: {error}"));
        let opened = Arc::new(File::open(source).map_err(Error::io("read", source))?);
        let metadata = ParquetMetaDataReader::new().parse_and_finish(&*opened).map_err(wrong)?;
        let file = metadata.file_metadata();
        let mut footer = file.key_value_metadata().cloned();
        for (column, names) in &self.classes {
            add_classes(footer.get_or_insert_default(), column, names)
                .map_err(|why| Error::format(source, why))?;
        }
        let properties = Properties::of(&metadata);
        out.write_all(MAGIC).map_err(Error::io("write", source))?;
        let places = self.places(&metadata).map_err(|why| Error::format(source, why))?;
        let (mut groups, mut first, mut kept) = (Vec::new(), 0_u64, 0_i64);
        let total = metadata.num_row_groups() as u64;
        for (number, group) in metadata.row_groups().iter().enumerate() {
            job.checkpoint()?;
            job.progress(number as u64, total);
            if group.columns().iter().any(is_damaged) {
                return Err(Error::format(
                    source,
                    "it cannot be rewritten: the places of its columns are damaged",
                ));
            }
            let rows = group.num_rows().max(0) as u64;
            let dropped: BTreeSet<u64> =
                self.dropped.range(first..first + rows).map(|row| row - first).collect();
            let goes = rows > 0 && dropped.len() as u64 == rows;
            let mut columns = Vec::new();
            for chunk in group.columns() {
                let path = chunk.column_path().string();
                let values: BTreeMap<u64, &str> = (places.get(&path).into_iter())
                    .flat_map(|values| values.range(first..first + rows))
                    .map(|(row, value)| (row - first, value.as_str()))
                    .collect();
                let checks = self.checks.of(&path, first, rows);
                let part =
                    Part { file: &opened, chunk, rows, dropped: &dropped, checks, properties: &properties };
                let new = match goes {
                    true => part.look(out).map(|()| None),
                    false => part.write(&values, out).map(Some),
                };
                columns.extend(new.map_err(|fault| fault.of(&self.checks.dataset, source, &path))?);
            }
            first += rows;
            if !goes {
                let rows_left = group.num_rows() - dropped.len() as i64;
                groups.push(row_group(group, columns, rows_left, groups.len()).map_err(wrong)?);
                kept += rows_left;
            }
        }
        let created_by = file.created_by().unwrap_or("chaffinch").to_owned();
        let schema = file.schema_descr_ptr();
        let new = FileMetaData::new(file.version(), kept, Some(created_by), footer, schema, None);
        let mut end = Vec::new();
        ParquetMetaDataWriter::new(&mut end, &ParquetMetaData::new(new, groups)).finish().map_err(wrong)?;
        out.write_all(&end).map_err(Error::io("write", source))?;
        job.progress(total, total);
        Ok(())
    }

    /// The new values by the path of the leaf that holds the values of their column: the column itself, or the elements of a list.
    ///
    /// # Errors
    /// When a column has no such leaf, or several.
    fn places(&self, metadata: &ParquetMetaData) -> std::result::Result<Values<'_>, String> {
        let leaves = metadata.file_metadata().schema_descr().columns();
        let mut places = BTreeMap::new();
        for (column, values) in self.values.iter().filter(|(_, values)| !values.is_empty()) {
            let own = leaves.iter().find(|leaf| leaf.path().string() == *column);
            let mut below = leaves.iter().filter(|leaf| leaf.path().parts().first() == Some(column));
            let element = match (below.next(), below.next()) {
                (Some(leaf), None) if leaf.max_rep_level() == 1 => Some(leaf),
                _ => None,
            };
            let leaf = own.or(element).ok_or_else(|| {
                format!("it cannot be rewritten: its column '{}' has no place for a value", excerpt(column))
            })?;
            places.insert(leaf.path().string(), values);
        }
        Ok(places)
    }
}

/// New values by row.
type Values<'e> = BTreeMap<String, &'e BTreeMap<u64, String>>;

/// Whether a column cannot be where its metadata says.
fn is_damaged(chunk: &ColumnChunkMetaData) -> bool {
    let places =
        [Some(chunk.data_page_offset()), chunk.dictionary_page_offset(), Some(chunk.compressed_size())];
    places.into_iter().flatten().any(i64::is_negative)
}

/// What a Parquet file begins with.
const MAGIC: &[u8] = b"PAR1";

/// The metadata of a row group with new columns.
fn row_group(
    old: &RowGroupMetaData,
    columns: Vec<ColumnChunkMetaData>,
    rows: i64,
    number: usize,
) -> std::result::Result<RowGroupMetaData, ParquetError> {
    let first = columns.first().map_or(0, |column| column.byte_range().0 as i64);
    let bytes = columns.iter().map(ColumnChunkMetaData::uncompressed_size).sum();
    RowGroupMetaData::builder(old.schema_descr_ptr())
        .set_column_metadata(columns)
        .set_total_byte_size(bytes)
        .set_num_rows(rows)
        .set_sorting_columns(old.sorting_columns().cloned())
        .set_ordinal(i32::try_from(number).unwrap_or(i32::MAX))
        .set_file_offset(first)
        .build()
}
