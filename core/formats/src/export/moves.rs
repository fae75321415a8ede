//! Where samples go that were decided about: relabeled in folders, in tables beside pictures and in names of files.

use super::testing::{cleaned, exporting};
use super::*;
use crate::dataset;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::journal::{Decisions, Journal};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Files of a dataset, and what was decided about some of them: `x` removes, anything else is a new label.
fn copied(
    files: &[(&str, &str)],
    decided: &[(&str, &str)],
) -> (CleanReport, BTreeMap<String, String>, Vec<String>) {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    for (path, text) in files {
        fs::create_dir_all(data.join(path).parent().unwrap()).unwrap();
        let text = if text.is_empty() { path } else { text };
        fs::write(data.join(path), text).unwrap();
    }
    let options = DatasetOptions::default();
    let manifest = Arc::new(dataset::open(&data, &options).unwrap().manifest);
    let mut journal = Journal::open(&temp.path().join("decisions"), "anna").unwrap();
    journal.bind(&manifest, None);
    for (path, label) in decided {
        let id = manifest.ids().find(|&id| manifest.path(id) == Path::new(path)).unwrap();
        let choice = if *label == "x" { Choice::Remove } else { Choice::Relabel((*label).into()) };
        journal.decide(&[id], Some(choice.into())).unwrap();
    }
    let copy = temp.path().join("copy");
    let report = exporting(&manifest, journal.decisions(), |export| cleaned(export, &copy));
    let walk = walkdir::WalkDir::new(&copy).into_iter().map(|entry| entry.unwrap());
    let files = walk.filter(|entry| entry.file_type().is_file()).map(|entry| {
        let path = entry.path().strip_prefix(&copy).unwrap().to_string_lossy().into_owned();
        (path, String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned())
    });
    let files = files.collect();
    let read = dataset::open(&copy, &options).unwrap().manifest;
    let rows = read.ids().map(|id| {
        format!("{} {} {}", read.path(id).display(), read.label_name(id), read.split_as_written(id))
            .trim_end()
            .to_owned()
    });
    (report, files, rows.collect())
}

fn names(files: &BTreeMap<String, String>) -> Vec<&str> {
    files.keys().map(String::as_str).collect()
}

#[test]
fn a_class_keeps_the_folder_that_it_has() {
    let files = [("cat /1.jpg", ""), ("cat /2.jpg", ""), ("dog/3.jpg", "")];
    let (report, files, rows) = copied(&files, &[("dog/3.jpg", "cat")]);
    assert_eq!(names(&files), ["cat /1.jpg", "cat /2.jpg", "cat /3.jpg"]);
    assert_eq!(rows, ["cat /1.jpg cat", "cat /2.jpg cat", "cat /3.jpg cat"]);
    assert_eq!(report.notes, ["samples relabeled to 'cat' are in 'cat ', the folder that this class has"]);
    assert_eq!(report.misread, None);
}

#[test]
fn of_two_folders_of_a_class_the_one_of_its_name_or_the_larger_one_is_taken() {
    let files = [("cat /1.jpg", ""), ("cat /2.jpg", ""), ("cat/3.jpg", ""), ("dog/4.jpg", "")];
    let (report, files, _) = copied(&files, &[("dog/4.jpg", "cat")]);
    assert!(files.contains_key("cat/4.jpg") && report.notes.is_empty(), "{files:?}");
    let twins =
        [("cafe\u{301}/1.jpg", ""), (" caf\u{e9}/2.jpg", ""), (" caf\u{e9}/3.jpg", ""), ("dog/4.jpg", "")];
    let (report, files, _) = copied(&twins, &[("dog/4.jpg", "caf\u{e9}")]);
    assert!(files.contains_key(" caf\u{e9}/4.jpg"), "{files:?}");
    assert_eq!(report.notes.len(), 1);
}

#[test]
fn each_split_has_its_own_folder_of_a_class() {
    let files = [
        ("test1/cat/1.jpg", ""),
        ("test1/dog/2.jpg", ""),
        ("val/cat /3.jpg", ""),
        ("val/dog/4.jpg", ""),
        ("train/cat/5.jpg", ""),
        ("train/dog/6.jpg", ""),
    ];
    let (report, files, rows) =
        copied(&files, &[("val/dog/4.jpg", "cat"), ("test1/dog/2.jpg", "cat"), ("train/dog/6.jpg", "x")]);
    assert_eq!(
        names(&files),
        ["test1/cat/1.jpg", "test1/cat/2.jpg", "train/cat/5.jpg", "val/cat /3.jpg", "val/cat /4.jpg"]
    );
    assert!(rows.contains(&"test1/cat/2.jpg cat test1".to_owned()), "{rows:?}");
    assert_eq!((report.written, report.removed, report.relabeled, report.misread), (5, 1, 2, None));
}

#[test]
fn labels_in_tables_change_in_the_tables() {
    let csv =
        "file_name,label,weight\r\ntrain/1.jpg,cat,\"0,5\"\r\ntrain/2.jpg,dog,1e-3\r\nval/3.jpg,dog,07\r\n";
    let files = [
        ("metadata.csv", csv),
        ("train/1.jpg", ""),
        ("train/2.jpg", ""),
        ("val/3.jpg", ""),
        ("val/4.jpg", ""),
    ];
    let (report, files, rows) =
        copied(&files, &[("train/1.jpg", "x"), ("train/2.jpg", "cow, big"), ("val/4.jpg", "cat")]);
    assert_eq!(names(&files), ["metadata.csv", "train/2.jpg", "val/3.jpg", "val/4.jpg"]);
    assert_eq!(
        files["metadata.csv"],
        "file_name,label,weight\r\ntrain/2.jpg,\"cow, big\",1e-3\r\nval/3.jpg,dog,07\r\nval/4.jpg,cat,\r\n"
    );
    assert_eq!(rows, ["train/2.jpg cow, big train", "val/3.jpg dog val", "val/4.jpg cat val"]);
    assert_eq!((report.relabeled, report.misread, report.missing.len()), (2, None, 0));
}

#[test]
fn columns_follow_a_picture_to_another_class() {
    let json = "{\"file_name\": \"1.jpg\", \"weight\": 1e-3}\n{\"file_name\": \"2.jpg\", \"weight\": 2}\n";
    let files = [
        ("train/cat/metadata.jsonl", json),
        ("train/cat/1.jpg", ""),
        ("train/cat/2.jpg", ""),
        ("train/dog/1.jpg", ""),
    ];
    let (report, files, rows) = copied(&files, &[("train/cat/1.jpg", "dog")]);
    assert_eq!(
        files["train/cat/metadata.jsonl"],
        "{\"file_name\": \"../dog/1-2.jpg\", \"weight\": 1e-3}\n{\"file_name\": \"2.jpg\", \"weight\": 2}\n"
    );
    assert!(rows.contains(&"train/dog/1.jpg dog train".to_owned()), "{rows:?}");
    assert_eq!(report.misread, None);
}

#[test]
fn labels_in_names_become_folders_when_one_changes() {
    let files = [
        ("train/cat.1.jpg", ""),
        ("train/cat.2.jpg", ""),
        ("train/dog.3.jpg", ""),
        ("test1/1.jpg", ""),
        ("test1/2.jpg", ""),
    ];
    let (report, files, _) = copied(&files, &[("train/cat.1.jpg", "dog"), ("test1/1.jpg", "x")]);
    assert_eq!(
        names(&files),
        ["test1/2.jpg", "train/cat/cat.2.jpg", "train/dog/cat.1.jpg", "train/dog/dog.3.jpg"]
    );
    assert_eq!(report.misread, None);
}

#[test]
fn a_class_in_the_name_of_a_split_folder_changes_there() {
    let files = [
        ("positive_train/1.jpg", ""),
        ("negative_train/2.jpg", ""),
        ("positive_test/3.jpg", ""),
        ("negative_test/4.jpg", ""),
        ("positive_train/5.jpg", ""),
    ];
    let (report, files, rows) = copied(&files, &[("positive_train/1.jpg", "negative")]);
    assert!(files.contains_key("negative_train/1.jpg"), "{files:?}");
    assert!(rows.contains(&"negative_train/1.jpg negative train".to_owned()), "{rows:?}");
    assert_eq!((report.relabeled, report.misread), (1, None));
}

#[test]
fn a_table_that_is_gone_is_said() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    fs::create_dir_all(&data).unwrap();
    for name in ["1.jpg", "2.jpg"] {
        fs::write(data.join(name), name).unwrap();
    }
    fs::write(data.join("metadata.csv"), "file_name,label,weight\n1.jpg,cat,1\n2.jpg,dog,2\n").unwrap();
    let manifest = Arc::new(dataset::open(&data, &DatasetOptions::default()).unwrap().manifest);
    fs::remove_file(data.join("metadata.csv")).unwrap();
    let copy = temp.path().join("copy");
    let report = exporting(&manifest, &Decisions::default(), |export| cleaned(export, &copy));
    assert!(report.missing.len() == 1 && report.missing[0].contains("metadata.csv"), "{report:?}");
    // Its labels and columns come out all the same.
    let copy = dataset::open(&copy, &DatasetOptions::default()).unwrap().manifest;
    let labels: Vec<&str> = copy.ids().map(|id| copy.label_name(id)).collect();
    assert_eq!((labels, copy.extra()), (vec!["cat", "dog"], manifest.extra()));
}

#[test]
fn columns_of_a_table_go_beside_the_copied_pictures() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    fs::create_dir_all(data.join("a")).unwrap();
    fs::write(data.join("a/1.jpg"), "1").unwrap();
    fs::write(data.join("2.jpg"), "2").unwrap();
    let table = "path,category,label,weight,split,note\na/1.jpg,x,cat,1,val,\"a, b\"\n2.jpg,y,dog,2,val,\n";
    fs::write(temp.path().join("t.csv"), table).unwrap();
    let options = DatasetOptions { root: Some(data), ..DatasetOptions::default() };
    let manifest = Arc::new(dataset::open(&temp.path().join("t.csv"), &options).unwrap().manifest);
    let copy = temp.path().join("copy");
    let report = exporting(&manifest, &Decisions::default(), |export| cleaned(export, &copy));
    let text = fs::read_to_string(copy.join("metadata.csv")).unwrap();
    assert_eq!(text, "file_name,weight,note\nval/cat/1.jpg,1,\"a, b\"\nval/dog/2.jpg,2,\n");
    // As `category` it would be read for the label.
    assert_eq!(report.missing, ["the column 'category': write a cleaned-table to keep it"]);
    assert_eq!(report.misread, None);
}

/// What files of annotation tools say of two splits, with an object of another class in one picture.
const COCO: &str = r#"{"images": [{"id": 1, "file_name": "1.jpg"}, {"id": 2, "file_name": "2.jpg"}, {"id": 3, "file_name": "3.jpg"}],
    "annotations": [{"image_id": 1, "category_id": 1}, {"image_id": 2, "category_id": 2}, {"image_id": 3, "category_id": 1},
        {"image_id": 3, "category_id": 1}, {"image_id": 3, "category_id": 2}],
    "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]}"#;

#[test]
fn labels_from_files_that_are_not_written_are_in_the_names_of_folders() {
    let coco = [
        ("annotations/instances_train.json", COCO),
        ("train/1.jpg", ""),
        ("train/2.jpg", ""),
        ("train/3.jpg", ""),
    ];
    let yolo = [
        ("data.yaml", "names: [cat, dog]\nnc: 2\n"),
        ("train/images/1.jpg", ""),
        ("train/images/2.jpg", ""),
        ("train/images/3.jpg", ""),
        ("train/labels/1.txt", "0 0 0 1 1\n"),
        ("train/labels/2.txt", "1 0 0 1 1\n"),
        ("train/labels/3.txt", "0 0 0 1 1\n0 0 0 1 1\n1 0 0 1 1\n"),
    ];
    let flags = [
        ("train/_classes.csv", "filename,cat,dog\n1.jpg,1,0\n2.jpg,0,1\n3.jpg,1,0\n"),
        ("train/1.jpg", ""),
        ("train/2.jpg", ""),
        ("train/3.jpg", ""),
    ];
    for (files, second) in
        [(&coco[..], "train/2.jpg"), (&yolo[..], "train/images/2.jpg"), (&flags[..], "train/2.jpg")]
    {
        for (decided, label) in [(vec![], "dog"), (vec![(second, "cow")], "cow"), (vec![(second, "x")], "")] {
            let (report, copy, rows) = copied(files, &decided);
            assert_eq!(report.misread, None, "{copy:?}");
            let mut expected =
                vec!["train/cat/1.jpg cat train".to_owned(), "train/cat/3.jpg cat train".to_owned()];
            if !label.is_empty() {
                expected.push(format!("train/{label}/2.jpg {label} train"));
            }
            assert_eq!(rows, expected);
            let left = copy.keys().filter(|name| !name.ends_with(".jpg") && *name != "metadata.csv");
            assert_eq!(left.count(), 0, "{copy:?}");
        }
    }
}

#[test]
fn a_cleaned_table_has_the_labels_that_other_files_gave() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    for (path, text) in [
        ("annotations/instances_train.json", COCO),
        ("train/1.jpg", "1"),
        ("train/2.jpg", "2"),
        ("train/3.jpg", "3"),
    ] {
        fs::create_dir_all(data.join(path).parent().unwrap()).unwrap();
        fs::write(data.join(path), text).unwrap();
    }
    for place in [data.clone(), data.join("annotations/instances_train.json")] {
        let manifest = Arc::new(dataset::open(&place, &DatasetOptions::default()).unwrap().manifest);
        let mut journal = Journal::open(&temp.path().join("decisions"), "anna").unwrap();
        journal.bind(&manifest, None);
        let table = temp.path().join("table.csv");
        exporting(&manifest, journal.decisions(), |export| export.cleaned_table(&table).unwrap());
        let options = DatasetOptions { root: Some(data.clone()), ..DatasetOptions::default() };
        let read = dataset::open(&table, &options).unwrap().manifest;
        let rows = |manifest: &chaffinch_data::manifest::Manifest| -> Vec<String> {
            let row = |id| {
                format!("{} {} {}", manifest.path(id).display(), manifest.label_name(id), manifest.split(id))
            };
            manifest.ids().map(row).collect()
        };
        assert_eq!(rows(&read), rows(&manifest));
        assert_eq!(rows(&read)[2], "train/3.jpg cat train");
        assert_eq!(read.extra(), manifest.extra());
    }
}
