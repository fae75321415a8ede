//! Repair of every format whose labels are in files: only what a plan lists changes, as a copy and in place, and everything
//! comes back.

use super::testing::{Do, files, plan, rows, whole, write};
use super::*;
use arrow_array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray, StructArray};
use arrow_schema::{DataType, Field, Fields, Schema};
use chaffinch_data::output::CopyMode;
use chaffinch_protocol::sample::Split;
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files of a folder without those that a rollback needs, which are beside a dataset that is a file.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = super::testing::contents(folder);
    all.retain(|path, _| !path.to_string_lossy().starts_with('.'));
    all
}

/// A format: its files, which of them is opened, what is done, and parts of files that are other afterwards.
struct Case {
    files: Vec<(&'static str, &'static str)>,
    opened: &'static str,
    wishes: Vec<(&'static str, Do)>,
    /// File, old text, new text: nothing else is different.
    edits: Vec<(&'static str, &'static str, &'static str)>,
    rows: Vec<&'static str>,
}

const COCO: &str = r#"{"info": {"year": 2017.0}, "images": [{"id": 10, "file_name": "1.jpg", "width": 2, "height": 2, "x": 1e-3},
  {"id": 20, "file_name": "2.jpg"}, {"id": 30, "file_name": "3.jpg"}],
 "annotations": [{"id": 1, "image_id": 10, "category_id": 7, "bbox": [0,0,1.50,1]}, {"id": 2, "image_id": 20, "category_id": 7},
  {"id": 3, "image_id": 30, "category_id": 9}],
 "categories": [{"id": 7, "name": "cat"}, {"id": 9, "name": "dog"}]}
"#;
const SAMPLES: &str = r#"{"samples": [{"filepath": "data/1.jpg", "tags": ["train"], "w": 1.50, "ground_truth": {"_cls": "Classification", "label": "cat"}},
 {"filepath": "data/2.jpg", "tags": ["test", "night"], "ground_truth": {"_cls": "Classification", "label": "cat", "x": null}},
 {"filepath": "data/3.jpg", "tags": [], "ground_truth": {"_cls": "Classification", "label": "dog"}}]}"#;
const LABELS: &str =
    r#"{"classes": ["cat", "dog"], "labels": {"1": 0, "3": 1, "2": {"label": 0, "confidence": 0.50}}}"#;
const TASKS: &str = r#"[{"id": 1, "data": {"image": "1.jpg", "w": 1.50}, "annotations": [{"id": 5, "result": [{"from_name": "c", "to_name": "image",
 "type": "choices", "value": {"choices": ["cat"]}}]}]},
 {"id": 2, "data": {"image": "2.jpg"}, "annotations": [{"result": [{"from_name": "c", "type": "choices", "value": {"choices": ["cat"]}}]}]},
 {"id": 3, "data": {"image": "3.jpg"}, "annotations": [{"result": [{"from_name": "c", "type": "choices", "value": {"choices": ["dog"]}}]}]}]"#;
const MIN: &str = r#"[{"image": "1.jpg", "id": 1, "choice": "cat", "annotation_id": 1, "lead_time": 1.50},
 {"image": "2.jpg", "id": 2, "choice": "cat", "annotation_id": 2, "lead_time": 2.0},
 {"image": "3.jpg", "id": 3, "choice": "dog", "annotation_id": 3, "lead_time": 3.0}]"#;
const CVAT: &str = "<?xml version=\"1.0\"?>\n<annotations>\n <meta><task><labels><label><name>cat</name></label><label><name>dog</name></label></labels></task></meta>\n \
<image id=\"0\" name=\"1.jpg\" width=\"2\"><tag label=\"cat\" source=\"manual\"/></image>\n \
<image id=\"1\" name=\"2.jpg\">\n  <box label='cat' xtl=\"0\" ytl=\"0\" xbr=\"1.50\" ybr=\"1\"><attribute name=\"label\">x</attribute></box>\n </image>\n \
<image id=\"2\" name=\"3.jpg\"><tag label=\"dog\"/></image>\n</annotations>\n";
const TABLE: &str = "{\"path\": \"1.jpg\", \"w\": 1.50, \"label\":  \"cat\"}\n{\"label\": \"cat\", \"path\": \"2.jpg\", \"x\": {\"label\": \"cat\"}}\n\n{\"path\": \"3.jpg\", \"label\": \"dog\"}\n";
const ARRAY: &str = "[\n {\"path\": \"1.jpg\", \"w\": 1.50, \"label\": \"cat\"},\n {\"path\": \"2.jpg\", \"label\": \"cat\"},\n {\"path\": \"3.jpg\", \"label\": \"dog\"}\n]\n";
const BY_PATH: &str = "{\"3.jpg\": \"dog\", \"2.jpg\": \"cat\",\n \"1.jpg\": \"cat\"}";

const FLAT: [(&str, &str); 3] = [("1.jpg", "one"), ("2.jpg", "two"), ("3.jpg", "three")];
const DATA: [(&str, &str); 3] = [("data/1.jpg", "one"), ("data/2.jpg", "two"), ("data/3.jpg", "three")];

fn with(
    name: &'static str,
    text: &'static str,
    pictures: &[(&'static str, &'static str)],
) -> Vec<(&'static str, &'static str)> {
    let mut all = pictures.to_vec();
    all.push((name, text));
    all
}

fn cases() -> Vec<Case> {
    let flat = || vec![("1.jpg", Do::Remove), ("2.jpg", Do::Label("cow"))];
    let left = || vec!["2.jpg cow", "3.jpg dog"];
    let single = |name: &'static str, text, edits: Vec<(&'static str, &'static str)>| Case {
        files: with(name, text, &FLAT),
        opened: name,
        wishes: flat(),
        edits: edits.into_iter().map(|(old, new)| (name, old, new)).collect(),
        rows: left(),
    };
    let coco = || {
        vec![
            ("{\"id\": 10, \"file_name\": \"1.jpg\", \"width\": 2, \"height\": 2, \"x\": 1e-3},\n  ", ""),
            ("{\"id\": 1, \"image_id\": 10, \"category_id\": 7, \"bbox\": [0,0,1.50,1]}, ", ""),
            ("\"image_id\": 20, \"category_id\": 7", "\"image_id\": 20, \"category_id\": 10"),
            (
                "\"name\": \"dog\"}]",
                "\"name\": \"dog\"}, {\"id\":10,\"name\":\"cow\",\"supercategory\":\"\"}]",
            ),
        ]
    };
    let in_data = || vec![("data/1.jpg", Do::Remove), ("data/2.jpg", Do::Label("cow"))];
    vec![
        single("instances.json", COCO, coco()),
        Case {
            files: with("annotations/instances.json", COCO, &FLAT),
            opened: "",
            wishes: flat(),
            edits: coco().into_iter().map(|(old, new)| ("annotations/instances.json", old, new)).collect(),
            rows: left(),
        },
        Case {
            files: with("samples.json", SAMPLES, &DATA),
            opened: "",
            wishes: [in_data(), vec![("data/3.jpg", Do::Split(chaffinch_protocol::sample::Split::Test))]]
                .concat(),
            edits: vec![
                (
                    "samples.json",
                    "{\"filepath\": \"data/1.jpg\", \"tags\": [\"train\"], \"w\": 1.50, \"ground_truth\": {\"_cls\": \"Classification\", \"label\": \"cat\"}},\n ",
                    "",
                ),
                ("samples.json", "\"label\": \"cat\", \"x\"", "\"label\": \"cow\", \"x\""),
                ("samples.json", "\"tags\": []", "\"tags\": [\"test\"]"),
            ],
            rows: vec!["data/2.jpg cow test", "data/3.jpg dog test"],
        },
        Case {
            files: with("labels.json", LABELS, &DATA),
            opened: "labels.json",
            wishes: in_data(),
            edits: vec![
                ("labels.json", "\"1\": 0, ", ""),
                ("labels.json", "\"label\": 0", "\"label\": 2"),
                ("labels.json", "\"dog\"]", "\"dog\", \"cow\"]"),
            ],
            rows: vec!["data/2.jpg cow", "data/3.jpg dog"],
        },
        single(
            "tasks.json",
            TASKS,
            vec![
                (&TASKS[1..TASKS.find(" {\"id\": 2").unwrap() + 1], ""),
                (
                    "{\"result\": [{\"from_name\": \"c\", \"type\": \"choices\", \"value\": {\"choices\": [\"cat\"]}}]}",
                    "{\"result\": [{\"from_name\": \"c\", \"type\": \"choices\", \"value\": {\"choices\": [\"cow\"]}}]}",
                ),
            ],
        ),
        single(
            "min.json",
            MIN,
            vec![
                (&MIN[1..MIN.find(" {\"image\": \"2").unwrap() + 1], ""),
                ("\"choice\": \"cat\", \"annotation_id\": 2", "\"choice\": \"cow\", \"annotation_id\": 2"),
            ],
        ),
        single(
            "min.csv",
            "image,id,choice,annotator,annotation_id,lead_time\n1.jpg,1,cat,a,1,1.50\n2.jpg,2,cat,a,2,\"2\"\n3.jpg,3,dog,a,3,3\n",
            vec![("1.jpg,1,cat,a,1,1.50\n", ""), ("2.jpg,2,cat,a,2,\"2\"", "2.jpg,2,cow,a,2,2")],
        ),
        single(
            "annotations.xml",
            CVAT,
            vec![
                (
                    "\n <image id=\"0\" name=\"1.jpg\" width=\"2\"><tag label=\"cat\" source=\"manual\"/></image>",
                    "",
                ),
                ("<box label='cat'", "<box label='cow'"),
                (
                    "<label><name>dog</name></label>",
                    "<label><name>dog</name></label><label><name>cow</name><attributes></attributes></label>",
                ),
            ],
        ),
        single(
            "t.jsonl",
            TABLE,
            vec![
                ("{\"path\": \"1.jpg\", \"w\": 1.50, \"label\":  \"cat\"}\n", ""),
                ("{\"label\": \"cat\", \"path\"", "{\"label\": \"cow\", \"path\""),
            ],
        ),
        single(
            "t.json",
            ARRAY,
            vec![
                ("{\"path\": \"1.jpg\", \"w\": 1.50, \"label\": \"cat\"},\n ", ""),
                ("\"2.jpg\", \"label\": \"cat\"", "\"2.jpg\", \"label\": \"cow\""),
            ],
        ),
        single(
            "p.json",
            BY_PATH,
            vec![(",\n \"1.jpg\": \"cat\"", ""), ("\"2.jpg\": \"cat\"", "\"2.jpg\": \"cow\"")],
        ),
        Case {
            files: vec![
                ("data.yaml", "# mine\nnames: [cat, dog]\nnc: 2\ntrain: images/train\nval: images/val\n"),
                ("images/train/1.jpg", "one"),
                ("images/train/2.jpg", "two"),
                ("images/val/3.jpg", "three"),
                ("labels/train/1.txt", "0 0.5 0.5 1 1\n"),
                ("labels/train/2.txt", "0 0.50 0.5 1 1\r\n1 0.5 0.5 0.1 0.1\n0 0.1 0.1 0.1 0.1"),
                ("labels/val/3.txt", "1 0.5 0.5 1 1\n"),
            ],
            opened: "",
            wishes: vec![("images/train/1.jpg", Do::Remove), ("images/train/2.jpg", Do::Label("cow"))],
            edits: vec![
                ("data.yaml", "dog]\nnc: 2", "dog, 'cow']\nnc: 3"),
                ("labels/train/2.txt", "0 0.50", "2 0.50"),
                ("labels/train/2.txt", "\n0 0.1", "\n2 0.1"),
                ("labels/train/1.txt", "0 0.5 0.5 1 1\n", "GONE"),
            ],
            rows: vec!["images/train/2.jpg cow train", "images/val/3.jpg dog validation"],
        },
        Case {
            files: vec![
                ("data.yaml", "names: [cat, dog]\nnc: 2\ntrain: images/train\nval: images/val\n"),
                ("images/train/1.jpg", "one"),
                ("images/train/2.jpg", "two"),
                ("images/train/4.jpg", "four"),
                ("images/val/3.jpg", "three"),
                ("labels/train/1.txt", "0 0.5 0.5 1 1\n"),
                ("labels/train/2.txt", "0 0.50 0.5 1 1\r\n1 0.5 0.5 0.1 0.1\n0 0.1 0.1 0.1 0.1"),
                ("labels/train/4.txt", "0 0.5 0.5 1 1\n"),
                ("labels/val/3.txt", "1 0.5 0.5 1 1\n"),
            ],
            opened: "",
            wishes: vec![
                ("images/train/1.jpg", Do::Remove),
                ("images/train/2.jpg", Do::Split(Split::Validation)),
                ("images/train/4.jpg", Do::Both("dog", Split::Validation)),
            ],
            edits: vec![
                ("labels/train/4.txt", "0 0.5", "1 0.5"),
                ("labels/train/1.txt", "0 0.5 0.5 1 1\n", "GONE"),
                ("images/train/2.jpg", "MOVED", "images/val/2.jpg"),
                ("images/train/4.jpg", "MOVED", "images/val/4.jpg"),
                ("labels/train/2.txt", "MOVED", "labels/val/2.txt"),
                ("labels/train/4.txt", "MOVED", "labels/val/4.txt"),
            ],
            rows: vec![
                "images/val/2.jpg cat validation",
                "images/val/3.jpg dog validation",
                "images/val/4.jpg dog validation",
            ],
        },
        Case {
            files: vec![
                ("data.yaml", "names: [cat, dog]\nnc: 2\ntrain: train.txt\nval: val.txt\n"),
                ("train.txt", "./images/1.jpg\n./images/2.jpg\n./images/4.jpg\n"),
                ("val.txt", "./images/3.jpg"),
                ("images/1.jpg", "one"),
                ("images/2.jpg", "two"),
                ("images/3.jpg", "three"),
                ("images/4.jpg", "four"),
                ("labels/1.txt", "0 0.5 0.5 1 1\n"),
                ("labels/2.txt", "0 0.5 0.5 1 1\n"),
                ("labels/3.txt", "1 0.5 0.5 1 1\n"),
                ("labels/4.txt", "1 0.5 0.5 1 1\n"),
            ],
            opened: "",
            wishes: vec![("images/1.jpg", Do::Remove), ("images/2.jpg", Do::Both("dog", Split::Validation))],
            edits: vec![
                ("train.txt", "./images/1.jpg\n./images/2.jpg\n", ""),
                ("val.txt", "./images/3.jpg", "./images/3.jpg\n./images/2.jpg\n"),
                ("labels/2.txt", "0 0.5", "1 0.5"),
                ("labels/1.txt", "0 0.5 0.5 1 1\n", "GONE"),
            ],
            rows: vec![
                "images/2.jpg dog validation",
                "images/3.jpg dog validation",
                "images/4.jpg dog train",
            ],
        },
        Case {
            files: vec![
                (
                    "train/_classes.csv",
                    "filename, cat, dog\r\n1.jpg, 1, 0\r\n2.jpg, 1, 0\r\n3.jpg, 0, 1\r\n4.jpg, 0, 1\r\n",
                ),
                ("train/1.jpg", "one"),
                ("train/2.jpg", "two"),
                ("train/3.jpg", "three"),
                ("train/4.jpg", "four"),
            ],
            opened: "",
            wishes: vec![
                ("train/1.jpg", Do::Remove),
                ("train/2.jpg", Do::Label("cow")),
                ("train/4.jpg", Do::Label("cat")),
            ],
            edits: vec![
                ("train/_classes.csv", "cat, dog\r\n1.jpg, 1, 0\r\n", "cat, dog,cow\r\n"),
                ("train/_classes.csv", "2.jpg, 1, 0", "2.jpg,0,0,1"),
                ("train/_classes.csv", "3.jpg, 0, 1", "3.jpg, 0, 1,0"),
                ("train/_classes.csv", "4.jpg, 0, 1", "4.jpg,1,0,0"),
            ],
            rows: vec!["train/2.jpg cow train", "train/3.jpg dog train", "train/4.jpg cat train"],
        },
        Case {
            files: vec![
                ("train/n01440764/n01440764_1.JPEG", "one"),
                ("train/n01443537/n01443537_1.JPEG", "two"),
                ("val/ILSVRC2012_val_00000001.JPEG", "three"),
                ("val/ILSVRC2012_val_00000002.JPEG", "four"),
                (
                    "LOC_val_solution.csv",
                    "ImageId,PredictionString\nILSVRC2012_val_00000002,n01440764 1 2 3 4 n01440764 5 6 7 8 \nILSVRC2012_val_00000001,n01443537 1 2 3 4 \n",
                ),
            ],
            opened: "",
            wishes: vec![
                ("val/ILSVRC2012_val_00000001.JPEG", Do::Remove),
                ("val/ILSVRC2012_val_00000002.JPEG", Do::Label("n02000000")),
            ],
            edits: vec![
                ("LOC_val_solution.csv", "n01440764 1 2 3 4 n01440764", "n02000000 1 2 3 4 n02000000"),
                ("LOC_val_solution.csv", "ILSVRC2012_val_00000001,n01443537 1 2 3 4 \n", ""),
            ],
            rows: vec![
                "train/n01440764/n01440764_1.JPEG n01440764 train",
                "train/n01443537/n01443537_1.JPEG n01443537 train",
                "val/ILSVRC2012_val_00000002.JPEG n02000000 validation",
            ],
        },
        Case {
            files: vec![
                ("train/n01440764/n01440764_1.JPEG", "one"),
                ("train/n01443537/n01443537_1.JPEG", "two"),
                ("val/ILSVRC2012_val_00000001.JPEG", "three"),
                ("val/ILSVRC2012_val_00000002.JPEG", "four"),
                ("map_clsloc.txt", "n01440764 1 tench\nn01443537 2 goldfish\n"),
                ("ILSVRC2012_validation_ground_truth.txt", "1\r\n2\r\n"),
            ],
            opened: "",
            wishes: vec![
                ("val/ILSVRC2012_val_00000001.JPEG", Do::Remove),
                ("val/ILSVRC2012_val_00000002.JPEG", Do::Label("n01440764")),
            ],
            edits: vec![("ILSVRC2012_validation_ground_truth.txt", "1\r\n2\r\n", "1\r\n1\r\n")],
            rows: vec![
                "train/n01440764/n01440764_1.JPEG n01440764 train",
                "train/n01443537/n01443537_1.JPEG n01443537 train",
                "val/ILSVRC2012_val_00000002.JPEG n01440764 validation",
            ],
        },
    ]
}

#[test]
fn only_what_is_listed_changes_in_files_of_every_format() {
    for case in cases() {
        let temp = tempfile::tempdir().unwrap();
        let data = temp.path().join("data");
        write(&data, &case.files);
        let opened = if case.opened.is_empty() { data.clone() } else { data.join(case.opened) };
        let before = files(&data);
        let mut expected = contents(&data);
        for (file, old, new) in &case.edits {
            if *new == "GONE" {
                expected.remove(Path::new(file));
                continue;
            }
            if *old == "MOVED" {
                let bytes = expected.remove(Path::new(file)).unwrap();
                expected.insert(new.into(), bytes);
                continue;
            }
            let text = String::from_utf8(expected[Path::new(file)].clone()).unwrap();
            assert_eq!(text.matches(old).count(), 1, "{file}: {old}");
            expected.insert(file.into(), text.replace(old, new).into_bytes());
        }
        // In a folder, the picture goes; a file of annotations only stops naming it.
        if case.opened.is_empty() {
            expected.remove(Path::new(case.wishes[0].0));
        }
        let shown = case.files.last().unwrap().0;
        let plan = plan(&opened, &case.wishes);
        let copy = temp.path().join("copy");
        whole(|job| apply_to(&plan, &copy, CopyMode::Copy, job))
            .unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert_eq!(rows(&copy.join(case.opened)), case.rows, "{shown}");
        assert_eq!(files(&data), before, "{shown}");
        whole(|job| apply_in_place(&plan, job)).unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert_eq!(rows(&opened), case.rows, "{shown}");
        let text = |all: &std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>| -> Vec<(std::path::PathBuf, String)> {
            all.iter().map(|(path, bytes)| (path.clone(), String::from_utf8_lossy(bytes).into_owned())).collect()
        };
        assert_eq!(text(&contents(&data)), text(&expected), "{shown}");
        whole(|job| rollback(&found(&opened)[0], job)).unwrap();
        assert_eq!(files(&data), before, "{shown}");
    }
}

/// Pictures in two row groups with names of classes, as the `datasets` library writes them.
fn parquet_file(path: &Path) {
    let image = Fields::from(vec![
        Field::new("bytes", DataType::Binary, true),
        Field::new("path", DataType::Utf8, true),
    ]);
    let schema = Arc::new(Schema::new(vec![
        Field::new("image", DataType::Struct(image.clone()), true),
        Field::new("label", DataType::Int64, true),
        Field::new("note", DataType::Utf8, true),
    ]));
    let info = "{\"info\": {\"features\": {\"image\": {\"_type\": \"Image\"}, \"label\": {\"names\": [\"cat\", \"dog\"], \"_type\": \"ClassLabel\"}}}}";
    let properties = WriterProperties::builder()
        .set_key_value_metadata(Some(vec![KeyValue::new("huggingface".into(), info.to_owned())]))
        .build();
    let mut writer =
        ArrowWriter::try_new(fs::File::create(path).unwrap(), schema.clone(), Some(properties)).unwrap();
    for group in 0..3 {
        let numbers: Vec<i64> = (0..4).map(|row| group * 4 + row).collect();
        let bytes: Vec<Vec<u8>> =
            numbers.iter().map(|number| vec![*number as u8; 1000 + *number as usize]).collect();
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
        assert!(contents(&copy) == contents(&data), "the copy is another one");
        let new = super::testing::manifest(opened);
        assert_eq!(pictures(&new), kept);
        let labels: Vec<&str> = new.ids().map(|id| new.label_name(id)).collect();
        assert_eq!(labels, ["cat", "cow", "dog", "dog", "cow", "cat", "dog", "cat", "dog", "cat", "dog"]);
        assert_eq!(new.extra()[0].values[..4], ["", "n2", "", "n4"]);
        let reader = SerializedFileReader::new(fs::File::open(&file).unwrap()).unwrap();
        let counts: Vec<i64> = reader.metadata().row_groups().iter().map(|group| group.num_rows()).collect();
        assert_eq!(counts, [3, 4, 4]);
        let footer = reader.metadata().file_metadata().key_value_metadata().unwrap();
        assert!(footer.iter().any(|entry| entry.key == "ARROW:schema"));
        assert!(
            footer.iter().any(|entry| entry.value.as_deref().is_some_and(|text| text.contains("\"cow\"")))
        );
        whole(|job| rollback(&found(opened)[0], job)).unwrap();
        assert_eq!(files(&data), before);
        fs::remove_dir_all(&copy).unwrap();
    }
}

/// In every format, files afterwards are files before without what was removed and with what was relabeled; or the format is
/// refused with what to do instead.
#[test]
fn every_format_is_changed_or_refused_by_name() {
    for format in crate::dataset::FORMATS {
        let temp = tempfile::tempdir().unwrap();
        let made = crate::dataset::examples::example(format.name, temp.path());
        let Some(opened) = made.unwrap_or_else(|| panic!("there is no example of {}", format.name)) else {
            continue;
        };
        let folder = temp.path().join("data");
        let before = files(&folder);
        let of = |dataset: &Path| -> BTreeMap<Vec<u8>, (String, String)> {
            let read = super::testing::manifest(dataset);
            let row = |id| (read.label_name(id).to_owned(), read.split(id).name().to_owned());
            read.ids().map(|id| (read.source(id).read().unwrap(), row(id))).collect()
        };
        let old = super::testing::manifest(&opened);
        let labeled: Vec<_> = old.ids().filter(|&id| old.label(id).is_some()).collect();
        let (first, last) = (labeled[0], *labeled.last().unwrap());
        let other = old.classes().iter().find(|class| **class != old.label_name(first)).unwrap().clone();
        let mut plan = plan(&opened, &[]);
        plan.changes = [first, last].map(|id| super::testing::change(&old, id)).into();
        plan.changes[0].to_label = Some(other.clone());
        plan.changes[1].remove = true;
        let mut expected = of(&opened);
        expected.get_mut(&old.source(first).read().unwrap()).unwrap().0 = other;
        expected.remove(&old.source(last).read().unwrap());
        let copy = temp.path().join("copy");
        match whole(|job| apply_to(&plan, &copy, CopyMode::Copy, job)) {
            Err(error) => {
                assert!(error.to_string().contains("export --format"), "{}: {error}", format.name);
                assert!(
                    matches!(format.name, "Arrow files" | "the binary files of CIFAR or MNIST"),
                    "{error}"
                );
                let error = whole(|job| apply_in_place(&plan, job)).unwrap_err().to_string();
                assert!(error.contains("export --format"), "{error}");
            }
            Ok(_) => {
                let at = if opened.is_dir() { copy } else { copy.join(opened.file_name().unwrap()) };
                assert_eq!(of(&at), expected, "{}", format.name);
                whole(|job| apply_in_place(&plan, job)).unwrap();
                assert_eq!(of(&opened), expected, "{}", format.name);
                whole(|job| rollback(&found(&opened)[0], job)).unwrap();
            }
        }
        assert_eq!(files(&folder), before, "{}", format.name);
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
            ("test/3.jpg", Do::Split(chaffinch_protocol::sample::Split::Train)),
        ],
    );
    let copy = temp.path().join("copy");
    whole(|job| apply_to(&plan, &copy, CopyMode::Copy, job)).unwrap();
    whole(|job| apply_in_place(&plan, job)).unwrap();
    assert!(contents(&copy) == contents(&data), "the copy is another one");
    assert_eq!(rows(&data), ["test/4.jpg dog test", "train/2.jpg cow train", "train/3.jpg dog train"]);
    let read = super::testing::manifest(&data);
    assert_eq!(read.extra()[0].values, ["2.0", "", "0.001"]);
    whole(|job| rollback(&found(&data)[0], job)).unwrap();
    assert_eq!(files(&data), before);
}

#[test]
fn labels_from_a_table_elsewhere_change_there() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    write(&data, &[("a/1.jpg", "one"), ("a/2.jpg", "two"), ("b/3.jpg", "three"), ("b/4.jpg", "four")]);
    let labels = temp.path().join("my labels.csv");
    let table = "id;name;class;note\r\n7;3.jpg;dog;\"a;b\"\r\n8;1.jpg;cat;\r\n9;2.jpg; cat ;1e-3\r\n";
    fs::write(&labels, table).unwrap();
    let reading = chaffinch_data::dataset::DatasetOptions {
        labels: Some(labels.clone()),
        key: Some("name".into()),
        ..Default::default()
    };
    let read = |folder: &Path, labels: &Path| -> Vec<String> {
        let reading =
            chaffinch_data::dataset::DatasetOptions { labels: Some(labels.into()), ..reading.clone() };
        let read = crate::dataset::open(folder, &reading).unwrap().manifest;
        read.ids().map(|id| format!("{} {}", read.path(id).display(), read.label_name(id))).collect()
    };
    let old = crate::dataset::open(&data, &reading).unwrap().manifest;
    let mut plan = plan(&data, &[]);
    plan.reading = reading.clone();
    plan.changes = old.ids().take(3).map(|id| super::testing::change(&old, id)).collect();
    plan.changes[0].remove = true;
    plan.changes[1].to_label = Some("cow".into());
    plan.changes[2].to_label = Some("big; dog".into());
    let before = files(temp.path());
    let after = ["a/2.jpg cow", "b/3.jpg big; dog", "b/4.jpg "];
    let expected = "id;name;class;note\r\n7;3.jpg;\"big; dog\";\"a;b\"\r\n9;2.jpg;cow;1e-3\r\n";
    let copy = temp.path().join("copy");
    let copied = whole(|job| apply_to(&plan, &copy, CopyMode::Copy, job)).unwrap();
    assert_eq!(copied.labels.as_deref(), Some(Path::new("my labels.csv")));
    assert_eq!(read(&copy, &copy.join("my labels.csv")), after);
    assert_eq!(fs::read_to_string(copy.join("my labels.csv")).unwrap(), expected);
    fs::remove_dir_all(&copy).unwrap();
    assert_eq!(files(temp.path()), before);
    whole(|job| apply_in_place(&plan, job)).unwrap();
    assert_eq!(read(&data, &labels), after);
    assert_eq!(fs::read_to_string(&labels).unwrap(), expected);
    whole(|job| rollback(&found(&data)[0], job)).unwrap();
    assert_eq!(files(temp.path()), before);
    // A picture that the table does not name has no place for a label.
    plan.changes = vec![super::testing::change(&old, old.ids().last().unwrap())];
    plan.changes[0].to_label = Some("cow".into());
    let error = whole(|job| apply_in_place(&plan, job)).unwrap_err().to_string();
    assert!(error.contains("b/4.jpg has no row in"), "{error}");
}
