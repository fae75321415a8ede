//! Repair of Parquet files, those with pictures in them and those beside pictures.

use super::testing::{Do, files, plan, rows, visible, whole, write};
use super::*;
use arrow_array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray, StructArray};
use arrow_schema::{DataType, Field, Fields, Schema};
use chaffinch_data::output::CopyMode;
use chaffinch_protocol::sample::Split;
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Pictures in three row groups with names of classes, as the `datasets` library writes them.
fn parquet_file(path: &Path) {
    parquet_file_of(path, |number| vec![number as u8; 1000 + number as usize]);
}

fn parquet_file_of(path: &Path, picture: impl Fn(i64) -> Vec<u8>) {
    let image = Fields::from(vec![
        Field::new("bytes", DataType::Binary, true),
        Field::new("path", DataType::Utf8, true),
    ]);
    let info = "{\"info\": {\"features\": {\"image\": {\"_type\": \"Image\"}, \"label\": {\"names\": [\"cat\", \"dog\"], \"_type\": \"ClassLabel\"}}}}";
    let fields = vec![
        Field::new("image", DataType::Struct(image.clone()), true),
        Field::new("label", DataType::Int64, true),
        Field::new("note", DataType::Utf8, true),
    ];
    // As `pyarrow` writes it: the description is in the schema, too, beside whatever else is there.
    let described = [("huggingface", info), ("pandas", "{}")];
    let schema = Arc::new(Schema::new(fields).with_metadata(described));
    let properties = WriterProperties::builder()
        .set_key_value_metadata(Some(vec![KeyValue::new("huggingface".into(), info.to_owned())]))
        .build();
    let mut writer =
        ArrowWriter::try_new(fs::File::create(path).unwrap(), schema.clone(), Some(properties)).unwrap();
    for group in 0..3 {
        let numbers: Vec<i64> = (0..4).map(|row| group * 4 + row).collect();
        let bytes: Vec<Vec<u8>> = numbers.iter().map(|number| picture(*number)).collect();
        let bytes = BinaryArray::from_iter(bytes.iter().map(Some));
        let names = StringArray::from_iter_values(numbers.iter().map(|number| format!("{number}.jpg")));
        let pictures = StructArray::new(image.clone(), vec![Arc::new(bytes), Arc::new(names)], None);
        let labels = Int64Array::from_iter(numbers.iter().map(|number| (*number != 5).then_some(number % 2)));
        let notes = StringArray::from_iter(
            numbers.iter().map(|number| (number % 3 > 0).then(|| format!("n{number}"))),
        );
        let columns: Vec<ArrayRef> = vec![Arc::new(pictures), Arc::new(labels), Arc::new(notes)];
        writer.write(&RecordBatch::try_new(schema.clone(), columns).unwrap()).unwrap();
        writer.flush().unwrap();
    }
    writer.close().unwrap();
}

#[test]
fn parquet_files_keep_pictures_columns_and_row_groups() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    fs::create_dir(&data).unwrap();
    let file = data.join("train-00000-of-00001.parquet");
    parquet_file(&file);
    for opened in [&data, &file] {
        let before = files(&data);
        let old = super::testing::manifest(opened);
        let pictures = |manifest: &chaffinch_data::manifest::Manifest| -> Vec<Vec<u8>> {
            manifest.ids().map(|id| manifest.source(id).read().unwrap()).collect()
        };
        let mut kept = pictures(&old);
        kept.remove(1);
        let plan = plan(
            opened,
            &[
                ("1.jpg", Do::Remove),
                ("4.jpg", Do::Label("dog")),
                ("5.jpg", Do::Label("cow")),
                ("2.jpg", Do::Label("cow")),
            ],
        );
        let copy = temp.path().join("copy");
        whole(|job| apply_to(&plan, &copy, CopyMode::Copy, job)).unwrap();
        whole(|job| apply_in_place(&plan, job)).unwrap();
        assert!(visible(&copy) == visible(&data), "the copy is another one");
        let new = super::testing::manifest(opened);
        assert_eq!(pictures(&new), kept);
        let labels: Vec<&str> = new.ids().map(|id| new.label_name(id)).collect();
        assert_eq!(labels, ["cat", "cow", "dog", "dog", "cow", "cat", "dog", "cat", "dog", "cat", "dog"]);
        assert_eq!(new.extra()[0].values[..4], ["", "n2", "", "n4"]);
        let reader = SerializedFileReader::new(fs::File::open(&file).unwrap()).unwrap();
        let counts: Vec<i64> = reader.metadata().row_groups().iter().map(|group| group.num_rows()).collect();
        assert_eq!(counts, [3, 4, 4]);
        let footer = reader.metadata().file_metadata().key_value_metadata().unwrap();
        let entry = |key: &str| footer.iter().find(|entry| entry.key == key).unwrap().value.clone().unwrap();
        let schema = super::parquet_classes::decoded(&entry("ARROW:schema")).unwrap();
        let described: serde_json::Value = serde_json::from_str(&entry("huggingface")).unwrap();
        assert_eq!(described["info"]["features"]["label"]["names"], serde_json::json!(["cat", "dog", "cow"]));
        assert_eq!(schema.metadata["huggingface"], entry("huggingface"));
        assert_eq!(schema.metadata["pandas"], "{}");
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        assert_eq!(names, ["image", "label", "note"]);
        whole(|job| rollback(&found(opened)[0], job)).unwrap();
        assert_eq!(files(&data), before);
        fs::remove_dir_all(&copy).unwrap();
    }
}

/// Labels in lists of one, in a table of paths and beside pictures: the list has the new label, and the others stay.
#[test]
fn labels_in_lists_of_parquet_columns_change() {
    use arrow_array::builder::{ListBuilder, StringBuilder};
    for name in ["table.parquet", "metadata.parquet"] {
        let temp = tempfile::tempdir().unwrap();
        let data = temp.path().join("data");
        write(&data, &[("1.jpg", "one"), ("2.jpg", "two"), ("3.jpg", "three"), ("4.jpg", "four")]);
        let mut lists = ListBuilder::new(StringBuilder::new());
        for labels in [&["cat"][..], &["dog"], &["cat", "dog"], &["cat"]] {
            lists.append_value(labels.iter().map(|label| Some(*label)));
        }
        let files: ArrayRef = Arc::new(StringArray::from(vec!["1.jpg", "2.jpg", "3.jpg", "4.jpg"]));
        let labels: ArrayRef = Arc::new(lists.finish());
        let heading = if name == "table.parquet" { "path" } else { "file_name" };
        let batch = RecordBatch::try_from_iter([(heading, files), ("labels", labels)]).unwrap();
        let file = data.join(name);
        let mut writer =
            ArrowWriter::try_new(fs::File::create(&file).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let opened = if name == "table.parquet" { file } else { data.clone() };
        let plan = plan(&opened, &[("1.jpg", Do::Label("dog")), ("4.jpg", Do::Remove)]);
        let copy = temp.path().join("copy");
        whole(|job| apply_to(&plan, &copy, CopyMode::Copy, job)).unwrap();
        let read = |opened: &Path| {
            let read = super::testing::manifest(opened);
            let labels = read.ids().map(|id| read.label_name(id).to_owned()).collect::<Vec<_>>();
            (labels, read.extra().iter().map(|column| column.values.clone()).collect::<Vec<_>>())
        };
        let copied = if name == "table.parquet" { copy.join(name) } else { copy };
        let (labels, others) = read(&copied);
        assert_eq!(labels, ["dog", "dog", ""], "{name}");
        assert!(
            others.iter().flatten().any(|cell| cell.contains("cat") && cell.contains("dog")),
            "{others:?}"
        );
        whole(|job| apply_in_place(&plan, job)).unwrap();
        assert_eq!(read(&opened), (labels, others), "{name}");
    }
}

#[test]
fn a_parquet_table_beside_pictures_changes_in_its_rows() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    write(
        &data,
        &[("train/1.jpg", "one"), ("train/2.jpg", "two"), ("test/3.jpg", "three"), ("test/4.jpg", "four")],
    );
    let schema = Arc::new(Schema::new(vec![
        Field::new("file_name", DataType::Utf8, false),
        Field::new("label", DataType::Utf8, true),
        Field::new("weight", DataType::Float64, true),
    ]));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["train/1.jpg", "train/2.jpg", "test/3.jpg", "test/4.jpg"])),
        Arc::new(StringArray::from(vec!["cat", "cat", "dog", "dog"])),
        Arc::new(arrow_array::Float64Array::from(vec![Some(0.5), None, Some(1e-3), Some(2.0)])),
    ];
    let file = data.join("metadata.parquet");
    let mut writer = ArrowWriter::try_new(fs::File::create(&file).unwrap(), schema.clone(), None).unwrap();
    writer.write(&RecordBatch::try_new(schema, columns).unwrap()).unwrap();
    writer.close().unwrap();
    let before = files(&data);
    let plan = plan(
        &data,
        &[
            ("train/1.jpg", Do::Remove),
            ("train/2.jpg", Do::Label("cow")),
            ("test/3.jpg", Do::Split(Split::Train)),
        ],
    );
    let copy = temp.path().join("copy");
    whole(|job| apply_to(&plan, &copy, CopyMode::Copy, job)).unwrap();
    whole(|job| apply_in_place(&plan, job)).unwrap();
    assert!(visible(&copy) == visible(&data), "the copy is another one");
    assert_eq!(rows(&data), ["test/4.jpg dog test", "train/2.jpg cow train", "train/3.jpg dog train"]);
    let read = super::testing::manifest(&data);
    assert_eq!(read.extra()[0].values, ["2.0", "", "0.001"]);
    whole(|job| rollback(&found(&data)[0], job)).unwrap();
    assert_eq!(files(&data), before);
}

#[test]
fn a_shard_with_another_picture_than_was_decided_about_is_left_as_it_is() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    fs::create_dir(&data).unwrap();
    let file = data.join("train-00000-of-00001.parquet");
    // One that stays with another label, one that goes, and one of a row group that goes.
    for changed in [4, 1, 9] {
        parquet_file(&file);
        let whole_group = ["8.jpg", "9.jpg", "10.jpg", "11.jpg"].map(|name| (name, Do::Remove));
        let wishes = [("4.jpg", Do::Label("dog")), ("1.jpg", Do::Remove)].into_iter().chain(whole_group);
        let plan = plan(&data, &wishes.collect::<Vec<_>>());
        parquet_file_of(&file, |number| {
            vec![number as u8 + u8::from(number == changed); 1000 + number as usize]
        });
        let before = files(temp.path());
        let copy = temp.path().join("copy");
        for error in [
            whole(|job| apply_to(&plan, &copy, CopyMode::Copy, job)).unwrap_err(),
            whole(|job| apply_in_place(&plan, job)).unwrap_err(),
        ] {
            let said = format!("{changed}.jpg has changed since the plan was made; scan the dataset");
            assert!(error.to_string().contains(&said), "{error}");
        }
        assert_eq!(files(temp.path()), before, "nothing is left behind");
        assert_eq!(found(&data), []);
    }
}

/// A label inside of a structure changes there, and what stands beside it stays.
#[test]
fn labels_in_structures_of_parquet_files_change() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    write(&data, &[("1.jpg", "one"), ("2.jpg", "two"), ("3.jpg", "three")]);
    let texts = |values: [&str; 3]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    let field = |name: &str| Arc::new(arrow_schema::Field::new(name, arrow_schema::DataType::Utf8, true));
    let meta: ArrayRef = Arc::new(arrow_array::StructArray::from(vec![
        (field("label"), texts(["cat", "dog", "cat"])),
        (field("site"), texts(["x", "y", "z"])),
    ]));
    let batch =
        RecordBatch::try_from_iter([("path", texts(["1.jpg", "2.jpg", "3.jpg"])), ("meta", meta)]).unwrap();
    let file = data.join("table.parquet");
    let mut writer = ArrowWriter::try_new(fs::File::create(&file).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let plan = plan(&file, &[("1.jpg", Do::Label("dog")), ("2.jpg", Do::Remove)]);
    whole(|job| apply_in_place(&plan, job)).unwrap();
    let new = super::testing::manifest(&file);
    let labels: Vec<&str> = new.ids().map(|id| new.label_name(id)).collect();
    assert_eq!(labels, ["dog", "cat"]);
    assert_eq!(new.extra()[0].values, ["x", "z"]);
}

/// New labels are written into columns of 0 and 1 that say them, whatever their type; a class without one is refused.
#[test]
fn labels_in_columns_of_0_and_1_of_parquet_files_change() {
    use arrow_array::BooleanArray;
    let labels = ["cat", "dog", "cat", "owl", "dog", "owl"];
    let bools = |class: &str| -> ArrayRef {
        Arc::new(BooleanArray::from_iter(labels.iter().map(|label| Some(*label == class))))
    };
    let numbers = |class: &str| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(labels.iter().map(|label| i64::from(*label == class))))
    };
    let texts: ArrayRef =
        Arc::new(StringArray::from_iter_values((1..=6).map(|number| format!("{number}.jpg"))));
    let pictures: ArrayRef = Arc::new(BinaryArray::from_iter_values((0..6_u8).map(|number| vec![number; 9])));
    for (is_bool, inside) in [(true, true), (false, true), (true, false)] {
        let temp = tempfile::tempdir().unwrap();
        let data = temp.path().join("data");
        let names: Vec<String> = (1..=6).map(|number| format!("{number}.jpg")).collect();
        let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
        write(&data, &files);
        let mut columns = vec![("path", texts.clone())];
        if inside {
            columns.push(("image", pictures.clone()));
        }
        for class in ["cat", "dog", "owl"] {
            columns.push((class, if is_bool { bools(class) } else { numbers(class) }));
        }
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let file = data.join("table.parquet");
        let mut writer =
            ArrowWriter::try_new(fs::File::create(&file).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let new = plan(&file, &[("1.jpg", Do::Label("fox"))]);
        let refused = whole(|job| check(&new, job)).unwrap_err().to_string();
        assert!(refused.contains("no column of 0 and 1 called 'fox'"), "{refused}");
        let plan =
            plan(&file, &[("1.jpg", Do::Label("dog")), ("2.jpg", Do::Remove), ("6.jpg", Do::Label("cat"))]);
        whole(|job| apply_in_place(&plan, job)).unwrap();
        let new = super::testing::manifest(&file);
        let read: Vec<&str> = new.ids().map(|id| new.label_name(id)).collect();
        assert_eq!(read, ["dog", "cat", "owl", "dog", "cat"], "{is_bool} {inside}");
        let words = if is_bool { ["true", "false"] } else { ["1", "0"] };
        let cats = new.extra().iter().find(|column| column.name == "cat").unwrap();
        assert_eq!(cats.values, [1, 0, 1, 1, 0].map(|at| words[at]), "{is_bool} {inside}");
    }
}
