//! Datasets that other programs wrote, compared with what these programs read from them
//! (`scripts/fixtures/make_dataset_fixtures.py`).

use super::testing::column;
use super::{DatasetOptions, Opened, open};
use chaffinch_protocol::display::safe_path;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/datasets").join(name)
}

fn expected(name: &str) -> Vec<Vec<String>> {
    serde_json::from_str(&fs::read_to_string(folder(name).join("expected.json")).unwrap()).unwrap()
}

fn read(path: &Path) -> Opened {
    open(path, &DatasetOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// Path, label, split and one more column of each sample.
fn rows(opened: &Opened, extra: &str) -> Vec<Vec<String>> {
    let more = column(opened, extra);
    let manifest = &opened.manifest;
    let row = |id: chaffinch_protocol::sample::SampleId| {
        let more = more.get(id.index()).cloned().unwrap_or_default();
        vec![
            safe_path(manifest.path(id)),
            manifest.label_name(id).to_owned(),
            manifest.split(id).name().to_owned(),
            more,
        ]
    };
    manifest.ids().map(row).collect()
}

#[test]
fn exports_of_label_studio() {
    let expected = expected("label-studio");
    for file in ["export.json", "min.json", "rows.csv"] {
        let opened = read(&folder("label-studio").join(file));
        let all = column(&opened, "all_labels");
        let read: Vec<Vec<String>> = rows(&opened, "annotator")
            .into_iter()
            .zip(all)
            .map(|(row, all)| {
                let annotator = row[3].split('@').next().unwrap_or_default().to_owned();
                vec![row[0].clone(), row[1].clone(), all, annotator]
            })
            .collect();
        assert_eq!(read, expected, "{file}");
        assert_eq!(column(&opened, "source"), ["x", "y", "x", "x"], "{file}");
    }
}

#[test]
fn objects_of_coco_and_yolo() {
    let most = |names: &[String]| {
        let count = |name: &str| names.iter().filter(|own| *own == name).count();
        // Of one each, the larger object is a dog.
        let (cats, dogs) = (count("cat"), count("dog"));
        match (cats, dogs) {
            (0, 0) => "",
            _ if cats > dogs => "cat",
            _ => "dog",
        }
    };
    let expected: Vec<(String, &str)> =
        expected("coco").iter().map(|row| (row[0].clone(), most(&row[1..]))).collect();
    for path in [folder("coco"), folder("coco").join("result.json"), folder("yolo")] {
        let opened = read(&path);
        let rows = rows(&opened, "");
        let read: Vec<(String, &str)> = rows.iter().map(|row| (row[0].clone(), row[1].as_str())).collect();
        assert_eq!(read, expected, "{}: {:#?}", path.display(), opened.ledger);
        let all: BTreeSet<String> = column(&opened, "all_labels").into_iter().collect();
        assert_eq!(all, ["", "cat|dog", "dog|cat"].map(str::to_owned).into(), "{}", path.display());
    }
}

#[test]
fn exports_of_fiftyone() {
    for name in ["fiftyone", "fiftyone-dirs", "fiftyone-legacy", "fiftyone-classes"] {
        let opened = read(&folder(name));
        assert_eq!(rows(&opened, "weather"), expected(name), "{name}: {:#?}", opened.ledger);
    }
    let whole = read(&folder("fiftyone").join("samples.json"));
    assert_eq!(column(&whole, "model"), ["dog", "dog", "dog", ""]);
}

#[test]
fn an_imagefolder_with_each_kind_of_table() {
    let opened = read(&folder("imagefolder"));
    assert_eq!(rows(&opened, "age"), expected("imagefolder"));
}

#[test]
fn manifests_of_pandas() {
    let expected = expected("manifests");
    for file in ["lines.jsonl", "records.json", "columns.json"] {
        assert_eq!(rows(&read(&folder("manifests").join(file)), "score"), expected, "{file}");
    }
}

/// By which programs that were trained on them call their classes.
#[test]
fn the_numbers_of_classes_are_those_of_the_dataset() {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/packed");
    let paths = ["coco/result.json", "coco", "yolo", "fiftyone-classes"].map(folder);
    let packed = ["parquet", "disk", "cifar"].map(|name| packed.join(name));
    for path in paths.into_iter().chain(packed) {
        let opened = read(&path);
        let numbers = opened.manifest.class_numbers();
        // All of these tools wrote their classes in the order of their names, of which not all have pictures.
        let all: Vec<&str> = numbers.names().collect();
        let known = opened.manifest.classes().iter().all(|class| all.contains(&class.as_str()));
        assert!(numbers.are_places() && known && all.is_sorted(), "{}: {numbers:?}", path.display());
    }
}
