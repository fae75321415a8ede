//! The files are pandas': `scripts/fixtures/make_parquet_fixtures.py`.

use super::*;
use std::path::PathBuf;

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
