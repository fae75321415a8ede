//! Rows of shards that are not simply those in the files, one after the other: some are selected by their numbers, and the
//! pictures of others are files of their own.

use super::testing::tree;
use super::{DatasetOptions, Opened, open};
use arrow_array::{
    Array, ArrayRef, BinaryArray, NullArray, RecordBatch, StringArray, StructArray, UInt64Array,
};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::Field;
use parquet::arrow::ArrowWriter;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

fn read(path: &Path) -> Opened {
    open(path, &DatasetOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(path: &Path) -> String {
    open(path, &DatasetOptions::default()).unwrap_err().to_string()
}

fn arrow(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = StreamWriter::try_new(File::create(path).unwrap(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
}

fn parquet(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// Each label with the bytes of the picture.
fn said(opened: &Opened) -> Vec<String> {
    let text = |id| String::from_utf8(opened.manifest.source(id).read().unwrap()).unwrap();
    opened.manifest.ids().map(|id| format!("{}{}", opened.manifest.label_name(id), text(id))).collect()
}

fn texts(all: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(all.to_vec()))
}

/// A split of two files with the rows `a0`, `a1`, `b2`, `b3`, of which these numbers are taken.
fn saved(folder: &Path, numbers: &[u64]) {
    for (name, label, rows) in [("data-0.arrow", "a", ["0", "1"]), ("data-1.arrow", "b", ["2", "3"])] {
        let pictures: ArrayRef = Arc::new(BinaryArray::from_iter_values(rows));
        arrow(&folder.join(name), vec![("image", pictures), ("label", texts(&[label, label]))]);
    }
    let numbers: ArrayRef = Arc::new(UInt64Array::from(numbers.to_vec()));
    arrow(&folder.join("indices.arrow"), vec![("indices", numbers)]);
    let state = r#"{"_data_files": [{"filename": "data-0.arrow"}, {"filename": "data-1.arrow"}],
        "_indices_data_files": [{"filename": "indices.arrow"}], "_split": null}"#;
    fs::write(folder.join("state.json"), state).unwrap();
}

#[test]
fn rows_that_were_selected_are_those_of_the_dataset() {
    let temp = tempfile::tempdir().unwrap();
    let train = temp.path().join("train");
    saved(&train, &[3, 0, 2]);
    let opened = read(temp.path());
    assert_eq!(said(&opened), ["b3", "a0", "b2"]);
    let text = "3 of 4 rows of train were taken, in the order that train/indices.arrow says";
    assert!(opened.ledger.remarks.iter().any(|remark| remark.text == text), "{:#?}", opened.ledger);
    assert_eq!(said(&read(&train)), ["b3", "a0", "b2"]);
    // A split beside it without numbers has all of its rows.
    saved(&temp.path().join("test"), &[]);
    let state = r#"{"_data_files": [{"filename": "data-0.arrow"}], "_indices_data_files": null}"#;
    fs::write(temp.path().join("test/state.json"), state).unwrap();
    fs::remove_file(temp.path().join("test/data-1.arrow")).unwrap();
    assert_eq!(said(&read(temp.path())), ["a0", "a1", "b3", "a0", "b2"]);
    // A row may be taken twice.
    saved(&train, &[1, 1]);
    assert_eq!(said(&read(&train)), ["a1", "a1"]);
}

#[test]
fn numbers_without_rows_are_refused() {
    let temp = tempfile::tempdir().unwrap();
    saved(temp.path(), &[1, 4]);
    let error = refused(temp.path());
    assert!(
        error.contains("indices.arrow: it names the row 4, but there are 4 rows, counted from 0"),
        "{error}"
    );
    saved(temp.path(), &[1]);
    fs::remove_file(temp.path().join("data-0.arrow")).unwrap();
    let error = refused(temp.path());
    assert!(error.contains("which are not known without data-0.arrow"), "{error}");
    saved(temp.path(), &[1]);
    fs::remove_file(temp.path().join("indices.arrow")).unwrap();
    assert!(refused(temp.path()).contains("indices.arrow"));
}

/// A column of pictures as the `datasets` library writes it.
fn images(bytes: ArrayRef, paths: &[Option<&str>]) -> ArrayRef {
    let paths: ArrayRef = Arc::new(StringArray::from(paths.to_vec()));
    let field = |name: &str, array: &ArrayRef| Arc::new(Field::new(name, array.data_type().clone(), true));
    Arc::new(StructArray::from(vec![
        (field("bytes", &bytes), bytes.clone()),
        (field("path", &paths), paths.clone()),
    ]))
}

#[test]
fn a_picture_without_bytes_is_the_file_of_its_path() {
    let temp = tree(&[("p/1.png", "x"), ("p/2.png", "y")]);
    let some: ArrayRef = Arc::new(BinaryArray::from_opt_vec(vec![Some(b"in"), None, None]));
    let mixed = images(some, &[Some("0.png"), Some("p/2.png"), None]);
    let none: ArrayRef = Arc::new(BinaryArray::from_opt_vec(vec![None, None]));
    let all_files = images(none, &[Some("p/1.png"), Some("p/2.png")]);
    let untyped = images(Arc::new(NullArray::new(2)), &[Some("p/1.png"), Some("p/2.png")]);
    for name in ["t.parquet", "t.arrow"] {
        let file = temp.path().join(name);
        let write = |columns: Vec<(&str, ArrayRef)>| {
            if name == "t.parquet" { parquet(&file, columns) } else { arrow(&file, columns) }
        };
        write(vec![("image", mixed.clone()), ("label", texts(&["a", "b", "c"]))]);
        let opened = read(&file);
        let read_at = |row| opened.manifest.source(opened.manifest.ids().nth(row).unwrap()).read();
        assert_eq!((read_at(0).unwrap(), read_at(1).unwrap()), (b"in".to_vec(), b"y".to_vec()), "{name}");
        assert!(read_at(2).is_err(), "{name}");
        for images in [&all_files, &untyped] {
            write(vec![("image", images.clone()), ("label", texts(&["a", "b"]))]);
            let opened = read(&file);
            assert_eq!(said(&opened), ["ax", "by"], "{name}");
            let paths: Vec<&Path> = opened.manifest.ids().map(|id| opened.manifest.path(id)).collect();
            assert_eq!(paths, ["p/1.png", "p/2.png"].map(Path::new), "{name}");
        }
    }
}
