//! What stands in structures, and what columns of Arrow and Parquet files say that is not a text.

use super::testing::{column, rows, says};
use super::{DatasetOptions, Opened, open};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, StructArray,
};
use arrow_buffer::NullBuffer;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{Field, Fields, Schema};
use chaffinch_protocol::RemarkKind;
use parquet::arrow::ArrowWriter;
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn texts(values: [&str; 3]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn bytes() -> ArrayRef {
    Arc::new(BinaryArray::from_vec(vec![b"one", b"two", b"three"]))
}

/// A structure of these columns, which row 2 may lack.
fn structure(columns: &[(&str, ArrayRef)], whole: bool) -> ArrayRef {
    let fields: Fields =
        columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true)).collect();
    let arrays = columns.iter().map(|(_, column)| column.clone()).collect();
    let nulls = (!whole).then(|| NullBuffer::from(vec![true, true, false]));
    Arc::new(StructArray::new(fields, arrays, nulls))
}

/// The same rows in a Parquet file and in an Arrow file, with what the `datasets` library says of them.
fn files(folder: &Path, columns: &[(&str, ArrayRef)], features: Option<&str>) -> [PathBuf; 2] {
    let fields: Vec<Field> =
        columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true)).collect();
    let info = features.map(|text| format!("{{\"info\": {{\"features\": {text}}}}}"));
    let metadata: HashMap<String, String> =
        info.map(|info| ("huggingface".to_owned(), info)).into_iter().collect();
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata.clone()));
    let arrays = columns.iter().map(|(_, column)| column.clone()).collect();
    let batch = RecordBatch::try_new(schema.clone(), arrays).unwrap();
    let paths = ["x.parquet", "x.arrow"].map(|name| folder.join(name));
    let mut writer = ArrowWriter::try_new(File::create(&paths[0]).unwrap(), schema.clone(), None).unwrap();
    if let Some(info) = metadata.get("huggingface").cloned() {
        writer.append_key_value_metadata(parquet::file::metadata::KeyValue::new(
            "huggingface".to_owned(),
            info,
        ));
    }
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let mut writer = StreamWriter::try_new(File::create(&paths[1]).unwrap(), &schema).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    paths
}

/// What is read of each of them, which is the same.
fn read(columns: &[(&str, ArrayRef)], features: Option<&str>, options: &DatasetOptions) -> Opened {
    let temp = tempfile::tempdir().unwrap();
    let [parquet, arrow] = files(temp.path(), columns, features)
        .map(|path| open(&path, options).unwrap_or_else(|error| panic!("{error}")));
    assert_eq!(rows(&parquet), rows(&arrow));
    for one in parquet.manifest.extra() {
        assert_eq!(one.values, column(&arrow, &one.name), "{}", one.name);
    }
    let pictures = |opened: &Opened| -> Vec<Option<Vec<u8>>> {
        opened.manifest.ids().map(|id| opened.manifest.source(id).read().ok()).collect()
    };
    assert_eq!(pictures(&parquet), pictures(&arrow));
    parquet
}

fn plain() -> DatasetOptions {
    DatasetOptions::default()
}

#[test]
fn what_stands_beside_the_bytes_of_a_picture_belongs_to_the_sample() {
    let labels = texts(["cat", "dog", "cat"]);
    let image = structure(
        &[
            ("bytes", bytes()),
            ("path", texts(["1.png", "2.png", "3.png"])),
            ("label", labels.clone()),
            ("w", Arc::new(Int64Array::from(vec![3, 4, 5]))),
        ],
        true,
    );
    let opened =
        read(&[("image", image.clone()), ("split", texts(["train", "test", "train"]))], None, &plain());
    assert_eq!(rows(&opened), ["1.png cat train", "2.png dog test", "3.png cat train"]);
    assert_eq!(column(&opened, "image.w"), ["3", "4", "5"]);
    assert!(opened.manifest.is_typed("image.w"));
    assert!(says(&opened, RemarkKind::LayoutGuessed, "the labels were taken from 'image.label'"));
    assert_eq!(opened.manifest.source(chaffinch_protocol::sample::SampleId(1)).read().unwrap(), b"two");
    // A label of its own comes first; the other one is kept.
    let opened = read(&[("image", image), ("label", texts(["a", "b", "a"]))], None, &plain());
    assert_eq!(rows(&opened), ["1.png a -", "2.png b -", "3.png a -"]);
    assert_eq!(column(&opened, "image.label"), ["cat", "dog", "cat"]);
}

#[test]
fn labels_and_splits_in_structures_are_found() {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![0, 1, 1]));
    let features = r#"{"meta": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}, "split": {"dtype": "string", "_type": "Value"}}}"#;
    let meta = |whole| {
        structure(
            &[
                ("label", numbers.clone()),
                ("split", texts(["train", "test", "train"])),
                ("site", texts(["x", "y", "z"])),
            ],
            whole,
        )
    };
    let opened = read(&[("image", bytes()), ("meta", meta(true))], Some(features), &plain());
    let of = |opened: &Opened| -> Vec<String> {
        rows(opened).iter().map(|row| row.split_once(' ').unwrap().1.to_owned()).collect()
    };
    assert_eq!(of(&opened), ["cat train", "dog test", "dog train"]);
    assert_eq!(column(&opened, "meta.site"), ["x", "y", "z"]);
    // What lies under a structure that is missing is nothing.
    let opened = read(&[("image", bytes()), ("meta", meta(false))], Some(features), &plain());
    assert_eq!(of(&opened), ["cat train", "dog test", "- -"]);
    assert_eq!(column(&opened, "meta.site"), ["x", "y", ""]);
    // Without pictures, the path is there, too.
    let meta =
        structure(&[("path", texts(["1.png", "2.png", "3.png"])), ("label", texts(["a", "b", "a"]))], true);
    let temp = tempfile::tempdir().unwrap();
    std::fs::write(temp.path().join("1.png"), "").unwrap();
    let [parquet, arrow] = files(temp.path(), &[("sample", meta)], None);
    for path in [parquet, arrow] {
        for option in [None, Some("sample.path".to_owned())] {
            let options = DatasetOptions { path_column: option, ..plain() };
            assert_eq!(rows(&open(&path, &options).unwrap()), ["1.png a -", "2.png b -", "3.png a -"]);
        }
    }
    // A structure that says none of it stays one.
    let other = structure(&[("a", texts(["1", "2", "3"]))], true);
    let opened =
        read(&[("image", bytes()), ("label", texts(["x", "y", "x"])), ("other", other)], None, &plain());
    assert_eq!(column(&opened, "other")[0], "{\"a\":\"1\"}");
}

#[test]
fn splits_may_be_numbers_with_names() {
    let features = r#"{"split": {"names": ["train", "val", "test"], "_type": "ClassLabel"}, "label": {"names": ["cat"], "_type": "ClassLabel"}}"#;
    let split: ArrayRef = Arc::new(Int64Array::from(vec![2, 0, -1]));
    let label: ArrayRef = Arc::new(Int64Array::from(vec![0, 0, 0]));
    let opened = read(
        &[("image", bytes()), ("split", split.clone()), ("label", label.clone())],
        Some(features),
        &plain(),
    );
    let splits: Vec<&str> = opened.manifest.ids().map(|id| opened.manifest.split(id).name()).collect();
    assert_eq!(splits, ["test", "train", ""], "{:#?}", opened.ledger);
    assert!(!says(&opened, RemarkKind::LayoutDoubtful, "may both hold the labels"), "{:#?}", opened.ledger);
}

#[test]
fn columns_of_0_and_1_are_labels_as_in_other_tables() {
    let flags = |values: [i64; 3]| -> ArrayRef { Arc::new(Int64Array::from(values.to_vec())) };
    let dog: ArrayRef = Arc::new(BooleanArray::from(vec![false, true, true]));
    let columns = [("cat", flags([1, 0, 1])), ("dog", dog), ("is_test", flags([0, 1, 0]))];
    let with = |first: (&'static str, ArrayRef)| [&[first][..], &columns].concat();
    let opened = read(&with(("image", bytes())), None, &plain());
    let told: Vec<String> =
        rows(&opened).iter().map(|row| row.split_once(' ').unwrap().1.to_owned()).collect();
    assert_eq!(told, ["cat train", "dog test", "- train"], "{:#?}", opened.ledger);
    assert_eq!(column(&opened, "all_labels")[2], "cat|dog");
    assert!(says(&opened, RemarkKind::LayoutDoubtful, "'cat', 'dog' of 0 and 1 were read as one class each"));
    assert!(!says(&opened, RemarkKind::LabelsMissing, "no column of labels"), "{:#?}", opened.ledger);
    let temp = tempfile::tempdir().unwrap();
    std::fs::write(temp.path().join("1.png"), "").unwrap();
    let [parquet, arrow] = files(temp.path(), &with(("path", texts(["1.png", "2.png", "3.png"]))), None);
    for path in [parquet, arrow] {
        let told = rows(&open(&path, &plain()).unwrap());
        assert_eq!(told, ["1.png cat train", "2.png dog test", "3.png - train"]);
    }
    // Without any, it is said which columns there are.
    let opened = read(&[("image", bytes()), ("note", texts(["a", "b", "c"]))], None, &plain());
    assert!(says(
        &opened,
        RemarkKind::LabelsMissing,
        "there is no column of labels; choose one with --label-column: 'note'"
    ));
}

#[test]
fn whole_numbers_with_decimal_places_are_classes_without_them() {
    let labels = |opened: &Opened| -> Vec<String> {
        opened.manifest.ids().map(|id| opened.manifest.label_name(id).to_owned()).collect()
    };
    let floats = |values: [Option<f64>; 3]| -> ArrayRef { Arc::new(Float64Array::from(values.to_vec())) };
    let opened = read(&[("image", bytes()), ("label", floats([Some(1.0), None, Some(2.0)]))], None, &plain());
    assert_eq!(labels(&opened), ["1", "", "2"]);
    assert!(says(
        &opened,
        RemarkKind::ClassesMerged,
        "2 labels are whole numbers with decimal places and were read without these: '1.0' as '1'"
    ));
    let opened = read(
        &[("image", bytes()), ("label", floats([Some(1.0), Some(f64::NAN), Some(2.0)]))],
        None,
        &plain(),
    );
    assert_eq!(labels(&opened), ["1", "", "2"]);
    let opened =
        read(&[("image", bytes()), ("label", floats([Some(1.0), Some(1.5), Some(2.0)]))], None, &plain());
    assert_eq!(labels(&opened), ["1.0", "1.5", "2.0"]);
    let temp = super::testing::tree(&[("t.csv", "path,label\n1.png,1.0\n2.png,\n3.png,2\n"), ("1.png", "")]);
    assert_eq!(labels(&super::testing::read(&temp, "t.csv").unwrap()), ["1", "", "2"]);
    let temp = super::testing::tree(&[("t.csv", "path,label\n1.png,1.0\n2.png,v2.0\n"), ("1.png", "")]);
    assert_eq!(labels(&super::testing::read(&temp, "t.csv").unwrap()), ["1.0", "v2.0"]);
}

#[test]
fn numbers_of_named_classes_may_have_decimal_places() {
    let features = r#"{"label": {"names": ["cat", "dog", "cow"], "_type": "ClassLabel"}}"#;
    let floats = |values: [Option<f64>; 3]| -> ArrayRef { Arc::new(Float64Array::from(values.to_vec())) };
    for (values, expected) in [
        ([Some(0.0), None, Some(2.0)], ["cat", "", "cow"]),
        ([Some(1.0), Some(-1.0), Some(0.0)], ["dog", "", "cat"]),
    ] {
        let opened = read(&[("image", bytes()), ("label", floats(values))], Some(features), &plain());
        let labels: Vec<&str> = opened.manifest.ids().map(|id| opened.manifest.label_name(id)).collect();
        assert_eq!(labels, expected);
    }
}

#[test]
fn rows_that_are_in_no_split_are_said() {
    let text = "path,label,is_train,is_test\n1.png,a,1,0\n2.png,a,0,0\n3.png,b,0,0\n";
    let temp = super::testing::tree(&[("t.csv", text), ("1.png", "")]);
    let opened = super::testing::read(&temp, "t.csv").unwrap();
    assert_eq!(rows(&opened), ["1.png a train", "2.png a -", "3.png b -"]);
    let said = "2 rows are in no split by the columns 'is_train', 'is_test', none of which is set there";
    assert!(says(&opened, RemarkKind::LayoutGuessed, said), "{:#?}", opened.ledger);
    let text = "path,label,is_train,is_test,is_val\n1.png,a,1,0,0\n2.png,a,0,0,1\n3.png,b,0,1,0\n";
    let temp = super::testing::tree(&[("t.csv", text), ("1.png", "")]);
    let opened = super::testing::read(&temp, "t.csv").unwrap();
    assert_eq!(rows(&opened), ["1.png a train", "2.png a validation", "3.png b test"]);
}
