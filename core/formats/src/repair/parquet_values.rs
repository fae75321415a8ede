//! Values of a column of a Parquet file, copied without being looked at.

use chaffinch_data::class_names;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::errors::ParquetError;
use parquet::file::reader::RowGroupReader;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Rows that are in memory at the same time.
const BATCH: usize = 256;

/// Copies these rows without those that are dropped; whether any are left.
pub(super) fn without(
    reader: &mut ColumnReaderImpl<ByteArrayType>,
    writer: &mut ColumnWriter<'_>,
    rows: Range<u64>,
    dropped: &BTreeSet<u64>,
) -> std::result::Result<bool, ParquetError> {
    let general = |text: &str| ParquetError::General(text.into());
    let ColumnWriter::ByteArrayColumnWriter(writer) = writer else {
        return Err(general("its type is not the one of the schema"));
    };
    let most = writer.get_descriptor().max_def_level();
    let (mut row, mut left) = (rows.start, false);
    while row < rows.end {
        let (mut defined, mut values) = (Vec::new(), Vec::new());
        let count = ((rows.end - row) as usize).min(BATCH);
        let (records, _, _) =
            reader.read_records(count, (most > 0).then_some(&mut defined), None, &mut values)?;
        if records == 0 {
            return Err(general("it has fewer rows than its pages say"));
        }
        let (mut kept, mut levels) = (Vec::new(), Vec::new());
        let mut next = values.into_iter();
        for (place, row) in (row..row + records as u64).enumerate() {
            let is = most == 0 || defined.get(place) == Some(&most);
            let value = if is { next.next() } else { None };
            if dropped.contains(&row) {
                continue;
            }
            left = true;
            kept.extend(value);
            levels.extend(defined.get(place));
        }
        writer.write_batch(&kept, (most > 0).then_some(&levels), None)?;
        row += records as u64;
    }
    Ok(left)
}

/// Copies a column without some rows, and with other values in some.
pub(super) fn copy(
    old: &dyn RowGroupReader,
    column: usize,
    writer: &mut ColumnWriter<'_>,
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
    // One reader and one writer for each physical type, all alike.
    macro_rules! each {
        ($($reader:ident $writer:ident $parse:expr),*) => {
            match (reader, writer) {
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
    Ok(())
}
