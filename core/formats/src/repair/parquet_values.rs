//! Values of a column of a Parquet file, copied without being looked at.

use super::parquet_checks::ChunkChecks;
use super::parquet_fault::Fault;
use chaffinch_data::class_names;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::column::writer::{ColumnWriter, ColumnWriterImpl};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::schema::types::ColumnDescriptor;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Rows that are in memory at the same time.
const BATCH: usize = 256;

/// Looks at the values of these rows, and writes those that are not dropped if there is a writer.
pub(super) fn sift(
    reader: &mut ColumnReaderImpl<ByteArrayType>,
    mut writer: Option<&mut ColumnWriterImpl<'_, ByteArrayType>>,
    rows: Range<u64>,
    dropped: &BTreeSet<u64>,
    checks: ChunkChecks<'_>,
    most: i16,
) -> Result<(), Fault> {
    let mut row = rows.start;
    while row < rows.end {
        let (mut defined, mut values) = (Vec::new(), Vec::new());
        let count = (rows.end - row).min(BATCH as u64) as usize;
        let (records, _, _) =
            reader.read_records(count, (most > 0).then_some(&mut defined), None, &mut values)?;
        if records == 0 {
            return Err(Fault::general("it has fewer rows than its pages say"));
        }
        let (mut kept, mut levels) = (Vec::new(), Vec::new());
        let mut next = values.into_iter();
        for (place, row) in (row..row + records as u64).enumerate() {
            let is = most == 0 || defined.get(place) == Some(&most);
            let value = if is { next.next() } else { None };
            checks.look(row, value.as_ref().map(ByteArray::data))?;
            if dropped.contains(&row) {
                continue;
            }
            kept.extend(value);
            levels.extend(defined.get(place));
        }
        if let Some(writer) = &mut writer {
            writer.write_batch(&kept, (most > 0).then_some(&levels), None)?;
        }
        row += records as u64;
    }
    Ok(())
}

/// The only element of a list that is written as a value: `["dog"]` as it is shown elsewhere, or the element itself.
fn element(value: &str) -> Result<Cow<'_, str>, Fault> {
    let Ok(list) = serde_json::from_str::<Vec<Value>>(value) else { return Ok(value.into()) };
    match list.as_slice() {
        [] => Ok("".into()),
        [Value::String(text)] => Ok(text.clone().into()),
        [one] => Ok(one.to_string().into()),
        _ => Err(Fault::general("a list cannot get several values")),
    }
}

/// Copies a column without some rows, and with other values in some. An empty text is not a value; a column that must have values
/// keeps the one that it has there. A list gets the value as its only element.
pub(super) fn copy(
    reader: ColumnReader,
    writer: &mut ColumnWriter<'_>,
    descriptor: &ColumnDescriptor,
    rows: u64,
    dropped: &BTreeSet<u64>,
    values: &BTreeMap<u64, &str>,
) -> Result<(), Fault> {
    let (most, repeated) = (descriptor.max_def_level(), descriptor.max_rep_level());
    let is_list = repeated > 0;
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
                            return Err(Fault::general("it has fewer rows than its metadata says"));
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
                            // What else the list has goes with its first element.
                            let is_rest = repeats.get(level).is_some_and(|level| *level > 0);
                            if is_rest && values.contains_key(&at) {
                                continue;
                            }
                            kept_repeats.extend(repeats.get(level));
                            let new = match values.get(&at) {
                                Some(text) if is_list => Some(element(text)?),
                                new => new.map(|text| Cow::Borrowed(*text)),
                            };
                            match new.as_deref() {
                                Some("") if is_list => kept_defined.push(0),
                                Some("") if most > 0 => kept_defined.push(most - 1),
                                Some(text) if !text.is_empty() => {
                                    kept.push(parse(text).ok_or_else(|| {
                                        Fault::general(format!("it cannot have the value '{text}'"))
                                    })?);
                                    kept_defined.push(most);
                                }
                                _ => {
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
                _ => return Err(Fault::general("its type is not the one of the schema")),
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
