//! Shards whose rows are removed page by page: every value stays, and untouched pages stay as bytes.

use super::parquet_file::ParquetEdits;
use super::parquet_pages::{PageKind, pages};
use super::testing::whole;
use arrow_array::{Array, ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray, StructArray};
use arrow_schema::{DataType, Field, Fields, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// Rows of a group, and how many there are in all.
const GROUP: i64 = 100;
const ROWS: i64 = 250;

fn picture(row: i64) -> Option<Vec<u8>> {
    // Every so often there is none, and some are alike, so that the dictionary is used.
    (row % 17 != 5).then(|| vec![(row % 40) as u8; 300 + (row % 40) as usize])
}

fn shard(path: &Path, compression: Compression, version: WriterVersion, dictionary: bool) {
    let image = Fields::from(vec![
        Field::new("bytes", DataType::Binary, true),
        Field::new("path", DataType::Utf8, true),
    ]);
    let schema = Arc::new(Schema::new(vec![
        Field::new("image", DataType::Struct(image.clone()), true),
        Field::new("label", DataType::Int64, false),
    ]));
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_writer_version(version)
        .set_dictionary_enabled(dictionary)
        // A few pages by dictionary, then the values themselves.
        .set_dictionary_page_size_limit(6_000)
        .set_data_page_size_limit(2_000)
        .set_data_page_row_count_limit(12)
        .set_write_batch_size(4)
        .set_max_row_group_row_count(Some(GROUP as usize))
        .build();
    let mut writer =
        ArrowWriter::try_new(File::create(path).unwrap(), schema.clone(), Some(properties)).unwrap();
    let bytes: Vec<Option<Vec<u8>>> = (0..ROWS).map(picture).collect();
    let names = StringArray::from_iter_values((0..ROWS).map(|row| format!("{row}.jpg")));
    let images =
        StructArray::new(image, vec![Arc::new(BinaryArray::from_iter(bytes)), Arc::new(names)], None);
    let columns: Vec<ArrayRef> = vec![Arc::new(images), Arc::new(Int64Array::from_iter_values(0..ROWS))];
    writer.write(&RecordBatch::try_new(schema, columns).unwrap()).unwrap();
    writer.close().unwrap();
}

/// The rows of a file: picture, name, label.
fn rows(path: &Path) -> Vec<(Option<Vec<u8>>, String, i64)> {
    let mut rows = Vec::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap()
    {
        let batch = batch.unwrap();
        let image = batch.column(0).as_any().downcast_ref::<StructArray>().unwrap();
        let bytes = image.column(0).as_any().downcast_ref::<BinaryArray>().unwrap();
        let names = image.column(1).as_any().downcast_ref::<StringArray>().unwrap();
        let labels = batch.column(1).as_any().downcast_ref::<Int64Array>().unwrap();
        for row in 0..batch.num_rows() {
            let picture = bytes.is_valid(row).then(|| bytes.value(row).to_vec());
            rows.push((picture, names.value(row).to_owned(), labels.value(row)));
        }
    }
    rows
}

/// The pages of the pictures of each row group as bytes, with their rows; the dictionary has none.
fn page_bytes(path: &Path) -> Vec<Vec<(u64, Vec<u8>)>> {
    let file = File::open(path).unwrap();
    let reader = SerializedFileReader::new(file.try_clone().unwrap()).unwrap();
    let of_group = |number: usize| {
        let (start, len) = reader.metadata().row_group(number).column(0).byte_range();
        let all = pages(&file, start, len).unwrap().unwrap();
        let bytes = all.iter().map(|page| {
            let mut bytes = vec![0; page.len as usize];
            file.read_exact_at(&mut bytes, page.start).unwrap();
            let count = if let PageKind::Rows { count, .. } = page.kind { count } else { 0 };
            (count, bytes)
        });
        bytes.collect()
    };
    (0..reader.metadata().num_row_groups()).map(of_group).collect()
}

#[test]
fn untouched_pages_stay_as_bytes_and_every_value_stays() {
    let temp = tempfile::tempdir().unwrap();
    let (old, new) = (temp.path().join("old.parquet"), temp.path().join("new.parquet"));
    let codecs = [Compression::UNCOMPRESSED, Compression::SNAPPY];
    for compression in codecs {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            for dictionary in [true, false] {
                shard(&old, compression, version, dictionary);
                let all = rows(&old);
                let before = page_bytes(&old);
                // One row, rows in pages by dictionary and by value, a whole page, a whole group, all but one row.
                for dropped in [
                    vec![0],
                    vec![3, 99, 100, 180],
                    (40..70).collect(),
                    (100..200).collect(),
                    (0..249).collect(),
                ] {
                    let dropped: BTreeSet<u64> = dropped.into_iter().collect();
                    let edits = ParquetEdits { dropped: dropped.clone(), ..ParquetEdits::default() };
                    let mut out = File::create(&new).unwrap();
                    whole(|job| edits.write(&old, &mut out, job)).unwrap();
                    let kept: Vec<_> = (0..)
                        .zip(&all)
                        .filter(|(row, _)| !dropped.contains(row))
                        .map(|(_, row)| row)
                        .collect();
                    assert_eq!(rows(&new).iter().collect::<Vec<_>>(), kept, "{compression} {dropped:?}");
                    untouched(&before, &page_bytes(&new), &dropped);
                }
            }
        }
    }
}

/// Each page that keeps all of its rows is there with every byte.
fn untouched(before: &[Vec<(u64, Vec<u8>)>], after: &[Vec<(u64, Vec<u8>)>], dropped: &BTreeSet<u64>) {
    let there: BTreeSet<&[u8]> = after.iter().flatten().map(|(_, bytes)| bytes.as_slice()).collect();
    let mut row = 0;
    for (count, bytes) in before.iter().flatten() {
        let rows = row..row + count;
        row += count;
        if *count > 0 && dropped.range(rows.clone()).next().is_none() {
            assert!(there.contains(bytes.as_slice()), "the page with rows {rows:?} is another one");
        }
    }
    assert_eq!(row, ROWS as u64);
}

#[test]
fn a_file_that_is_cut_off_or_damaged_is_an_error() {
    let temp = tempfile::tempdir().unwrap();
    let (old, new) = (temp.path().join("old.parquet"), temp.path().join("new.parquet"));
    shard(&old, Compression::SNAPPY, WriterVersion::PARQUET_1_0, true);
    let sound = std::fs::read(&old).unwrap();
    let edits = ParquetEdits { dropped: [7].into(), ..ParquetEdits::default() };
    for at in (4..3_000).step_by(97) {
        // Whatever a damaged page leads to, it is an error or a file that can be read, and never a panic.
        let mut bytes = sound.clone();
        bytes[at] ^= 0xff;
        std::fs::write(&old, &bytes).unwrap();
        let _ = whole(|job| edits.write(&old, &mut File::create(&new).unwrap(), job));
    }
    std::fs::write(&old, &sound[..sound.len() / 2]).unwrap();
    assert!(whole(|job| edits.write(&old, &mut File::create(&new).unwrap(), job)).is_err());
}
