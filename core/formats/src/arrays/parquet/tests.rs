//! The files are pandas': `scripts/fixtures/make_parquet_fixtures.py`.

use super::*;
use crate::arrays::testing;
use arrow_array::{BinaryArray, FixedSizeListArray, StringArray, StructArray};
use arrow_schema::Field;
use std::path::PathBuf;
use std::sync::Arc;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/parquet").join(name)
}

const SIXTEENTHS: [f64; 12] = [1., 3., 12., 14., 1., 1., 2., 10., 4., 8., 7., 1.];

fn expected() -> Vec<f64> {
    SIXTEENTHS.iter().map(|number| number / 16.0).collect()
}

fn refused<T>(found: Result<T>) -> String {
    found.err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn columns_are_classes_and_the_index_is_none() {
    let wide = grid(&fixture("wide-snappy.parquet")).unwrap();
    assert_eq!((wide.rows, wide.cols), (4, 3));
    assert_eq!(wide.names.unwrap(), ["boar", "human", "lion"]);
    assert_eq!(wide.numbers, Numbers::Double(expected().into()));
    // 32-bit numbers stay 32-bit, and rows continue across row groups.
    let single = grid(&fixture("single-gzip.parquet")).unwrap();
    let numbers: Vec<f32> = expected().iter().map(|&number| number as f32).collect();
    assert_eq!((single.rows, single.numbers), (4, Numbers::Single(numbers.into())));
}

#[test]
fn a_column_of_lists_is_a_matrix_without_names() {
    let lists = grid(&fixture("lists-zstd.parquet")).unwrap();
    let numbers: Vec<f32> = expected().iter().map(|&number| number as f32).collect();
    assert_eq!((lists.rows, lists.cols, lists.names), (4, 3, None));
    assert_eq!(lists.numbers, Numbers::Single(numbers.into()));
}

#[test]
fn labels_are_found_by_the_columns_name() {
    let names = ["lion", "boar", "lion", "boar"].map(str::to_owned).to_vec();
    assert_eq!(column(&fixture("labels-lz4.parquet")).unwrap(), Values::Names(names));
    let flags = vec![false, false, true, false];
    assert_eq!(column(&fixture("errors.parquet")).unwrap(), Values::Flags(flags));
}

#[test]
fn what_is_no_matrix_is_refused_with_its_column() {
    let missing = refused(grid(&fixture("missing.parquet")));
    assert!(missing.ends_with("column 'human' has missing values"), "{missing}");
    let words = refused(grid(&fixture("labels-lz4.parquet")));
    assert!(words.ends_with("column 'path' contains Utf8, not floating-point numbers"), "{words}");
    let three = refused(column(&fixture("wide-snappy.parquet")));
    assert!(three.contains("it needs one of the columns given_label"), "{three}");
    let other = refused(grid(&fixture("../hashes.json")));
    assert!(other.contains("hashes.json") && !other.contains("panicked"), "{other}");
}

#[test]
fn a_damaged_file_is_an_error_wherever_it_is_damaged() {
    let whole = std::fs::read(fixture("wide-snappy.parquet")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.parquet");
    for offset in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[offset] ^= 0xFF;
        std::fs::write(&path, &bytes).unwrap();
        // The damage is either detected or in a part that is never read; what matters is that nothing panics.
        if let Ok(found) = grid(&path) {
            assert_eq!(
                found.rows * found.cols,
                match &found.numbers {
                    Numbers::Single(numbers) => numbers.len(),
                    Numbers::Double(numbers) => numbers.len(),
                }
            );
        }
        std::fs::write(&path, &whole[..offset]).unwrap();
        assert!(grid(&path).is_err(), "{offset} bytes of it are read as if they were the whole");
    }
}

/// A table with pictures as the `datasets` library writes them, and a vector each.
fn pictures(folder: &Path, paths: &[Option<&str>]) -> PathBuf {
    let fields = vec![Field::new("bytes", DataType::Binary, true), Field::new("path", DataType::Utf8, true)];
    let bytes = BinaryArray::from_iter(paths.iter().map(|_| Some(b"\xff\xd8")));
    let names: StringArray = paths.iter().copied().collect();
    let image = StructArray::new(fields.into(), vec![Arc::new(bytes), Arc::new(names)], None);
    let lists = FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(
        (0..paths.len()).map(|row| Some([Some(row as f32), Some(0.5)])),
        2,
    );
    let columns = [("image", Arc::new(image) as ArrayRef), ("embedding", Arc::new(lists) as ArrayRef)];
    let file = folder.join("pictures.parquet");
    testing::write(
        &file,
        &RecordBatch::try_from_iter_with_nullable(columns.map(|(name, it)| (name, it, true))).unwrap(),
    );
    file
}

#[test]
fn pictures_in_structures_are_named_by_their_paths() {
    let temp = tempfile::tempdir().unwrap();
    let file = pictures(temp.path(), &[Some("cat/1.jpg"), None, Some("3.jpg")]);
    let names = Some(["cat/1.jpg", "", "3.jpg"].map(str::to_owned).to_vec());
    let read = vectors(&file, &["embedding"], &[]).unwrap();
    assert_eq!((read.ids, read.grid.rows, read.grid.cols), (names.clone(), 3, 2));
    assert_eq!(row_names(&file).unwrap(), names);
    let pick = |headings: &[String]| vec![Pick::Nothing; headings.len()];
    assert_eq!(picked(&file, &pick).unwrap().ids, names);
    // Without any path, rows have no names.
    let file = pictures(temp.path(), &[None, None]);
    assert_eq!((vectors(&file, &["embedding"], &[]).unwrap().ids, row_names(&file).unwrap()), (None, None));
}
