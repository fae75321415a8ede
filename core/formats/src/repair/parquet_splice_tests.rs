//! Shards whose rows are removed page by page: every value stays, and untouched pages stay as bytes.

use super::output::Output;
use super::parquet_checks::Checks;
use super::parquet_file::ParquetEdits;
use super::testing::{pages, whole};
use crate::Result;
use arrow_array::{Array, ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray, StructArray};
use arrow_schema::{DataType, Field, Fields, Schema};
use chaffinch_compute::content::{ContentHash, ContentHasher};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
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
        let all = pages(&file, start, len).unwrap();
        let bytes = all.iter().map(|page| {
            let mut bytes = vec![0; page.len as usize];
            file.read_exact_at(&mut bytes, page.start).unwrap();
            (page.rows(), bytes)
        });
        bytes.collect()
    };
    (0..reader.metadata().num_row_groups()).map(of_group).collect()
}

fn rewrite(edits: &ParquetEdits, old: &Path, new: &Path) -> Result<()> {
    let mut file = File::create(new).unwrap();
    let mut out = Output::new(&mut file);
    whole(|job| edits.write(old, &mut out, job))?;
    out.flush().unwrap();
    Ok(())
}

/// All pictures of these rows must be what they are.
fn checks(rows: impl IntoIterator<Item = u64>) -> Checks {
    let check = |row: u64| {
        let bytes = picture(row as i64)?;
        Some((row, (format!("{row}.jpg").into(), ContentHash::of(&bytes))))
    };
    let rows = rows.into_iter().filter_map(check).collect();
    Checks { dataset: "/data".into(), column: "image.bytes".into(), rows }
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
                    rewrite(&edits, &old, &new).unwrap();
                    let kept: Vec<_> = (0..)
                        .zip(&all)
                        .filter(|(row, _)| !dropped.contains(row))
                        .map(|(_, row)| row)
                        .collect();
                    assert_eq!(rows(&new).iter().collect::<Vec<_>>(), kept, "{compression} {dropped:?}");
                    untouched(&before, &page_bytes(&new), &dropped, dictionary);
                    let size = |path: &Path| fs::metadata(path).unwrap().len();
                    assert!(size(&new) <= size(&old), "{compression} {dropped:?}: it became longer");
                }
            }
        }
    }
}

/// Each page that keeps all of its rows is there with every byte; with a dictionary, which loses what was removed, each page
/// of a group that keeps all of its rows.
fn untouched(
    before: &[Vec<(u64, Vec<u8>)>],
    after: &[Vec<(u64, Vec<u8>)>],
    dropped: &BTreeSet<u64>,
    dictionary: bool,
) {
    let there: BTreeSet<&[u8]> = after.iter().flatten().map(|(_, bytes)| bytes.as_slice()).collect();
    let mut row = 0;
    for group in before {
        let end = row + group.iter().map(|(count, _)| count).sum::<u64>();
        let whole = dropped.range(row..end).next().is_none();
        for (count, bytes) in group {
            let rows = row..row + count;
            row += count;
            let kept = if dictionary { whole } else { dropped.range(rows.clone()).next().is_none() };
            if *count > 0 && kept {
                assert!(there.contains(bytes.as_slice()), "the page with rows {rows:?} is another one");
            }
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
        let _ = rewrite(&edits, &old, &new);
    }
    std::fs::write(&old, &sound[..sound.len() / 2]).unwrap();
    assert!(rewrite(&edits, &old, &new).is_err());
}

#[test]
fn what_is_compared_is_what_is_in_the_rows_whatever_becomes_of_them() {
    let temp = tempfile::tempdir().unwrap();
    let (old, new) = (temp.path().join("old.parquet"), temp.path().join("new.parquet"));
    for dictionary in [true, false] {
        shard(&old, Compression::SNAPPY, WriterVersion::PARQUET_1_0, dictionary);
        let before = page_bytes(&old);
        // Rows of a group that stays, of pages that stay, that lose some and that lose all, and of a group that goes.
        for dropped in [vec![], vec![3, 99], (40..70).collect(), (100..200).collect::<Vec<u64>>()] {
            let dropped: BTreeSet<u64> = dropped.into_iter().collect();
            let values = [("label".to_owned(), [(249, "7".to_owned())].into())].into();
            let right = ParquetEdits { dropped, values, checks: checks(0..250), ..ParquetEdits::default() };
            rewrite(&right, &old, &new).unwrap();
            assert_eq!(rows(&new).len(), 250 - right.dropped.len());
            untouched(&before, &page_bytes(&new), &right.dropped, dictionary);
            for row in [0, 3, 41, 99, 100, 150, 249] {
                let mut wrong = right.clone();
                wrong.checks.rows.get_mut(&row).unwrap().1 = ContentHash::of(b"another picture");
                let error = rewrite(&wrong, &old, &new).unwrap_err().to_string();
                let message = format!("{row}.jpg has changed since the plan was made; scan the dataset");
                assert!(error.contains("/data") && error.contains(&message), "{error}");
            }
            // A row without a picture has none of any content.
            let mut wrong = right.clone();
            wrong.checks.rows.insert(5, ("5.jpg".into(), ContentHash::of(b"")));
            assert!(rewrite(&wrong, &old, &new).unwrap_err().to_string().contains("5.jpg has changed"));
        }
    }
}

#[test]
fn a_removed_picture_is_not_in_the_file_any_more() {
    let temp = tempfile::tempdir().unwrap();
    let (old, new) = (temp.path().join("old.parquet"), temp.path().join("new.parquet"));
    shard(&old, Compression::UNCOMPRESSED, WriterVersion::PARQUET_1_0, true);
    let contains = |path: &Path, picture: &[u8]| {
        let bytes = fs::read(path).unwrap();
        bytes.windows(picture.len()).any(|part| part == picture)
    };
    // The same picture is in every fortieth row; all of them go.
    let dropped: BTreeSet<u64> = (0..250).filter(|row| row % 40 == 7).collect();
    let removed = picture(7).unwrap();
    assert!(contains(&old, &removed));
    rewrite(&ParquetEdits { dropped, ..ParquetEdits::default() }, &old, &new).unwrap();
    assert!(!contains(&new, &removed));
    assert!(contains(&new, &picture(8).unwrap()));
}

/// Bytes that this thread has read and written so far, by whatever call of the kernel.
fn moved() -> (u64, u64) {
    let text = fs::read_to_string("/proc/thread-self/io").expect("the kernel counts what a thread reads");
    let count = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse::<u64>().unwrap()
    };
    (count("rchar:"), count("wchar:"))
}

#[test]
fn no_byte_of_a_file_is_read_or_written_twice() {
    let temp = tempfile::tempdir().unwrap();
    let (old, new) = (temp.path().join("old.parquet"), temp.path().join("new.parquet"));
    for dictionary in [true, false] {
        shard(&old, Compression::UNCOMPRESSED, WriterVersion::PARQUET_1_0, dictionary);
        let size = fs::metadata(&old).unwrap().len();
        let footer = {
            let reader = SerializedFileReader::new(File::open(&old).unwrap()).unwrap();
            let ends = reader.metadata().row_groups().iter().flat_map(|group| group.columns());
            let end = ends.map(|chunk| chunk.byte_range()).map(|(start, len)| start + len).max().unwrap();
            size - end
        };
        for dropped in [vec![0], vec![3, 99, 100, 180], (40..70).collect(), (0..250).step_by(3).collect()] {
            for hashed in [false, true] {
                let dropped: BTreeSet<u64> = dropped.iter().copied().collect();
                let edits =
                    ParquetEdits { checks: checks(dropped.clone()), dropped, ..ParquetEdits::default() };
                let mut file = File::create(&new).unwrap();
                let mut hasher = ContentHasher::default();
                let before = moved();
                {
                    let mut out = match hashed {
                        true => Output::hashed(&mut file, &mut hasher),
                        false => Output::new(&mut file),
                    };
                    whole(|job| edits.write(&old, &mut out, job)).unwrap();
                    out.flush().unwrap();
                }
                let after = moved();
                let (read, written) = (after.0 - before.0, after.1 - before.1);
                // The footer is read in parts, and what counts was itself read.
                assert!(read <= size + footer + 20_000, "{read} of {size} read");
                let bytes = fs::read(&new).unwrap();
                assert_eq!(written, bytes.len() as u64);
                assert!(written <= size, "{written} of {size} written");
                assert!(!hashed || hasher.finish() == ContentHash::of(&bytes), "the hash is another one");
            }
        }
    }
}
