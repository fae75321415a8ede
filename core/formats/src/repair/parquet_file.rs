//! Parquet files with rows removed and labels changed. Columns are copied as they are encoded wherever a row group keeps all
//! of its rows; where it does not, values are copied without being looked at. So pictures keep every byte, and types, names
//! of columns, metadata and row groups stay.

use crate::{Error, Result};
use chaffinch_compute::job::Job;
use chaffinch_data::class_names;
use parquet::column::reader::ColumnReader;
use parquet::column::writer::{ColumnCloseResult, ColumnWriter};
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, RowGroupMetaData};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader, RowGroupReader};
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

/// What changes in a file. Rows are counted from its first one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ParquetEdits {
    pub(super) dropped: BTreeSet<u64>,
    /// New values by column and row; numbers of classes where the column has numbers.
    pub(super) values: BTreeMap<String, BTreeMap<u64, String>>,
    /// Classes to add to those of a column in the metadata of the `datasets` library.
    pub(super) classes: Option<(String, Vec<String>)>,
}

impl ParquetEdits {
    pub(super) fn is_empty(&self) -> bool {
        *self == ParquetEdits::default()
    }

    /// Writes the new file.
    ///
    /// # Errors
    /// When the old one cannot be read, the new one cannot be written, or a column cannot have a value.
    pub(super) fn write(&self, source: &Path, out: &mut File, job: &Job<'_>) -> Result<()> {
        let wrong = |error: ParquetError| Error::format(source, format!("it cannot be rewritten: {error}"));
        let opened = File::open(source).map_err(Error::io("read", source))?;
        let chunks = opened.try_clone().map_err(Error::io("read", source))?;
        let reader = SerializedFileReader::new(opened).map_err(wrong)?;
        let metadata = reader.metadata();
        let file = metadata.file_metadata();
        let mut footer = file.key_value_metadata().cloned();
        if let Some((column, names)) = &self.classes {
            add_classes(footer.get_or_insert_default(), column, names)
                .map_err(|why| Error::format(source, why))?;
        }
        let mut properties = WriterProperties::builder()
            .set_key_value_metadata(footer)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_created_by(file.created_by().unwrap_or("chaffinch").to_owned());
        for column in metadata.row_groups().first().map(RowGroupMetaData::columns).unwrap_or_default() {
            let dictionary = column.dictionary_page_offset().is_some();
            properties = properties
                .set_column_compression(column.column_path().clone(), column.compression())
                .set_column_dictionary_enabled(column.column_path().clone(), dictionary);
        }
        let schema = file.schema_descr().root_schema_ptr();
        let out = BufWriter::with_capacity(BUFFER, out);
        let mut writer =
            SerializedFileWriter::new(out, schema, Arc::new(properties.build())).map_err(wrong)?;
        let mut first = 0_u64;
        let total = metadata.num_row_groups() as u64;
        for (number, group) in metadata.row_groups().iter().enumerate() {
            job.checkpoint()?;
            job.progress(number as u64, total);
            let rows = group.num_rows().max(0) as u64;
            let dropped: BTreeSet<u64> =
                self.dropped.range(first..first + rows).map(|row| row - first).collect();
            if rows > 0 && dropped.len() as u64 == rows {
                first += rows;
                continue;
            }
            let old = reader.get_row_group(number).map_err(wrong)?;
            let mut new = writer.next_row_group().map_err(wrong)?;
            for (column, chunk) in group.columns().iter().enumerate() {
                let path = chunk.column_path().string();
                let values: BTreeMap<u64, &str> = (self.values.get(&path).into_iter())
                    .flat_map(|values| values.range(first..first + rows))
                    .map(|(row, value)| (row - first, value.as_str()))
                    .collect();
                if dropped.is_empty() && values.is_empty() {
                    let close = ColumnCloseResult {
                        bytes_written: chunk.compressed_size().max(0) as u64,
                        rows_written: rows,
                        metadata: chunk.clone(),
                        bloom_filter: None,
                        column_index: None,
                        offset_index: None,
                    };
                    new.append_column(&chunks, close).map_err(wrong)?;
                } else {
                    copy(&*old, column, &mut new, rows, &dropped, &values)
                        .map_err(|error| Error::format(source, format!("column '{path}': {error}")))?;
                }
            }
            new.close().map_err(wrong)?;
            first += rows;
        }
        writer.finish().map_err(wrong)?;
        writer.inner_mut().flush().map_err(Error::io("write", source))?;
        job.progress(total, total);
        Ok(())
    }
}

/// Copies a column without some rows, and with other values in some.
fn copy<W: std::io::Write + Send>(
    old: &dyn RowGroupReader,
    column: usize,
    new: &mut SerializedRowGroupWriter<'_, W>,
    rows: u64,
    dropped: &BTreeSet<u64>,
    values: &BTreeMap<u64, &str>,
) -> std::result::Result<(), ParquetError> {
    let general = |text: String| ParquetError::General(text);
    let descriptor = old.metadata().column(column).column_descr_ptr();
    let (most, repeated) = (descriptor.max_def_level(), descriptor.max_rep_level());
    if repeated > 0 && !values.is_empty() {
        return Err(general("a list cannot get a value".into()));
    }
    let reader = old.get_column_reader(column)?;
    let mut writer =
        new.next_column()?.ok_or_else(|| general("it has more columns than the schema".into()))?;
    // One reader and one writer for each physical type, all alike.
    macro_rules! each {
        ($($reader:ident $writer:ident $parse:expr),*) => {
            match (reader, writer.untyped()) {
                $((ColumnReader::$reader(mut from), ColumnWriter::$writer(to)) => {
                    let parse: &dyn Fn(&str) -> Option<_> = &$parse;
                    let mut row = 0;
                    while row < rows {
                        let (mut defined, mut repeats, mut read) = (Vec::new(), Vec::new(), Vec::new());
                        let (records, _, levels) = from.read_records(
                            BATCH, (most > 0).then_some(&mut defined), (repeated > 0).then_some(&mut repeats), &mut read,
                        )?;
                        if records == 0 {
                            break;
                        }
                        let (mut kept, mut kept_defined, mut kept_repeats) = (Vec::new(), Vec::new(), Vec::new());
                        let (mut next, mut at) = (read.into_iter(), row);
                        for level in 0..levels {
                            // A level of 0 begins another row.
                            if level > 0 && repeats.get(level).is_none_or(|level| *level == 0) {
                                at += 1;
                            }
                            let is = most == 0 || defined.get(level) == Some(&most);
                            let value = if is { next.next() } else { None };
                            if dropped.contains(&at) {
                                continue;
                            }
                            kept_repeats.extend(repeats.get(level));
                            match values.get(&at) {
                                Some(text) => {
                                    kept.push(parse(text).ok_or_else(|| {
                                        general(format!("it cannot have the value '{text}'"))
                                    })?);
                                    kept_defined.push(most);
                                }
                                None => {
                                    kept.extend(value);
                                    kept_defined.extend(defined.get(level));
                                }
                            }
                        }
                        to.write_batch(
                            &kept, (most > 0).then_some(&kept_defined), (repeated > 0).then_some(&kept_repeats),
                        )?;
                        row += records as u64;
                    }
                })*
                _ => return Err(general("its type is not the one of the schema".into())),
            }
        };
    }
    let bytes = |text: &str| ByteArray::from(class_names::bytes(text).into_owned());
    each! {
        BoolColumnReader BoolColumnWriter |text: &str| text.parse::<bool>().ok(),
        Int32ColumnReader Int32ColumnWriter |text: &str| text.parse::<i32>().ok(),
        Int64ColumnReader Int64ColumnWriter |text: &str| text.parse::<i64>().ok(),
        Int96ColumnReader Int96ColumnWriter |_: &str| None,
        FloatColumnReader FloatColumnWriter |text: &str| text.parse::<f32>().ok(),
        DoubleColumnReader DoubleColumnWriter |text: &str| text.parse::<f64>().ok(),
        ByteArrayColumnReader ByteArrayColumnWriter |text: &str| Some(bytes(text)),
        FixedLenByteArrayColumnReader FixedLenByteArrayColumnWriter |_: &str| None
    }
    writer.close()
}

/// Bytes that are written at a time.
const BUFFER: usize = 1 << 20;
/// Rows that are in memory at the same time.
const BATCH: usize = 256;

/// Adds names to those of a column's classes.
fn add_classes(footer: &mut [KeyValue], column: &str, names: &[String]) -> std::result::Result<(), String> {
    let lacking = || format!("its metadata does not list the classes of '{column}'");
    let entry = footer.iter_mut().find(|entry| entry.key == "huggingface").ok_or_else(lacking)?;
    let mut value: Value =
        serde_json::from_str(entry.value.as_deref().unwrap_or_default()).map_err(|_| lacking())?;
    let info = if value.get("features").is_some() { Some(&mut value) } else { value.get_mut("info") };
    let list = info
        .and_then(|info| info.get_mut("features"))
        .and_then(|features| features.get_mut(column)?.get_mut("names")?.as_array_mut())
        .ok_or_else(lacking)?;
    list.extend(names.iter().map(|name| Value::from(name.as_str())));
    entry.value = Some(value.to_string());
    Ok(())
}
