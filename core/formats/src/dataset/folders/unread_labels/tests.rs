use super::*;
use crate::dataset::{DatasetOptions, Opened, open};
use chaffinch_data::dataset::LabelFiles;
use std::fs;
use tempfile::TempDir;

/// Pictures with these stems below a folder, and other files.
fn dataset(folder: &str, stems: &[&str], files: &[(&str, &str)]) -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = temp.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    stems.iter().for_each(|stem| write(&format!("{folder}/{stem}.png"), "x"));
    files.iter().for_each(|(path, text)| write(path, text));
    temp
}

fn read(temp: &TempDir, label_files: LabelFiles) -> Result<Opened> {
    let options = DatasetOptions { label_files, ..DatasetOptions::default() };
    open(temp.path(), &options)
}

const BOX: &str = "0 0.5 0.5 0.1 0.1\n";
const VOC: &str = "<annotation><object><name>cat</name></object></annotation>";

#[test]
fn every_kind_is_refused_by_name_or_ignored_on_request() {
    let kinds: &[(&str, &[(&str, &str)], &str, &str)] = &[
        (
            "JPEGImages",
            &[("Annotations/a1.xml", VOC), ("ImageSets/Main/train.txt", "a1\nb2\n")],
            "Pascal VOC",
            "a1.xml",
        ),
        ("set", &[("set/a1.json", "{\"shapes\": []}")], "labelme", "a1.json"),
        (
            "set",
            &[("set/a1.json", "{\"label\": \"cat\"}"), ("set/b2.json", "{\"label\": \"dog\"}")],
            "one .json file for each picture",
            "a1.json",
        ),
        ("set", &[("set/a1.txt", "cat"), ("set/b2.txt", "dog")], "one .txt file for each picture", "a1.txt"),
        ("images", &[("annotations.xml", "<annotations/>")], "CVAT", "annotations.xml"),
        ("images", &[("annotations.json", "{}")], "COCO", "annotations.json"),
        ("images", &[("labels.txt", "a1.png 0\nb2.png 1\n")], "for these pictures", "labels.txt"),
        (
            "img_align",
            &[("list_attr.txt", "2\nBald Smiling\na1.png -1 1\nb2.png 1 1\n")],
            "for these pictures",
            "list_attr.txt",
        ),
        (
            "images",
            &[("images.txt", "1 a1.png\n2 b2.png\n"), ("image_class_labels.txt", "1 1\n2 2\n")],
            "for these pictures",
            "images.txt",
        ),
        ("train", &[("train.csv", "id,breed\na1,pug\nb2,boxer\n")], "pass --labels", "train.csv"),
        (
            "images",
            &[("truth.json", "[{\"image\": \"x/a1.png\", \"label\": \"cat\"}]")],
            "for these pictures",
            "truth.json",
        ),
        ("images", &[("export.xml", "<image name=\"a1.png\"/>")], "for these pictures", "export.xml"),
        ("jpg", &[("imagelabels.mat", "MATLAB 5.0")], "MATLAB", "imagelabels.mat"),
        ("images", &[("book.xlsx", "PK")], "spreadsheet", "book.xlsx"),
        ("images", &[("train_labels.npy", "x")], "NumPy", "train_labels.npy"),
        (
            "images",
            &[(
                "wide.csv",
                "\u{0}i\u{0}d\u{0},\u{0}y\u{0}\n\u{0}a\u{0}1\u{0}.\u{0}p\u{0}n\u{0}g\u{0},\u{0}3\u{0}",
            )],
            "pass --labels",
            "wide.csv",
        ),
    ];
    for (folder, files, what, name) in kinds {
        let temp = dataset(folder, &["a1", "b2"], files);
        let error = read(&temp, LabelFiles::Auto).unwrap_err().to_string();
        assert!(
            error.contains(what) && error.contains(name) && error.contains("--label-files ignore"),
            "{name}: {error}"
        );
        let opened = read(&temp, LabelFiles::Ignore).unwrap();
        let texts: Vec<&str> = opened.ledger.remarks.iter().map(|remark| remark.text.as_str()).collect();
        assert!(texts.iter().any(|text| text.contains("as you said")), "{name}: {texts:?}");
        assert_eq!(opened.manifest.len(), 2);
    }
}

#[test]
fn with_class_folders_they_are_said() {
    for (file, text, said) in [
        ("cat/a1.txt", BOX, "YOLO"),
        ("labels.csv", "path,label\ncat/a1.png,cat\ndog/b2.png,dog\n", "pass it with --labels"),
        ("meta/train.txt", "cat/a1\ndog/b2\n", "looks like a list of pictures and was not read"),
        ("image_class_labels.txt", "1 1\n2 2\n", "looks like labels or the names of classes"),
    ] {
        let temp = dataset("cat", &["a1"], &[(file, text), ("dog/b2.png", "x")]);
        let opened = read(&temp, LabelFiles::Auto).unwrap();
        assert_eq!(opened.manifest.classes(), ["cat", "dog"]);
        let texts: Vec<&str> = opened.ledger.remarks.iter().map(|remark| remark.text.as_str()).collect();
        assert!(texts.iter().any(|text| text.contains(said)), "{file}: {texts:?}");
    }
}

#[test]
fn what_says_nothing_of_a_picture_is_no_label_file() {
    let prose = "a photo of a cat on a mat";
    for files in [
        &[("images/a1.txt", prose), ("images/b2.txt", prose)][..],
        &[("images/a1.json", "{\"caption\": \"a cat\", \"url\": \"x\"}"), ("images/b2.json", "{}")],
        &[("images/a1.npy", "x"), ("images/b2.npy", "x")],
        &[("README.txt", "see a1.png for an example")],
        &[("classes.txt", "cat\ndog\n")],
        &[("notes.csv", "class,count\n1,5\n2,7\n")],
        &[("checksums.txt", "d41d8cd98f00b204e9800998ecf8427e  a1.png\n")],
        &[("split.txt", "images/a1.png\nimages/b2.png\n")],
    ] {
        let temp = dataset("images", &["a1", "b2"], files);
        let opened = read(&temp, LabelFiles::Auto).unwrap_or_else(|error| panic!("{files:?}: {error}"));
        assert!(opened.manifest.classes().is_empty());
    }
}

#[test]
fn statistics_by_the_numbers_of_rows_are_no_labels_of_pictures_that_are_called_by_numbers() {
    let statistics = "index,width,blur,mean\n0,64,58.84,99.6\n1,64,61.85,99.1\n2,48,,97.0\n";
    for (name, text, refused) in [
        ("atrain_stats.csv", statistics.to_owned(), false),
        ("train_stats.csv", statistics.replace("index", ""), false),
        ("train_stats.tsv", statistics.replace(',', "\t"), false),
        // An id is a name, whole numbers may be classes, and a heading or a word says that there are labels.
        ("stats.csv", statistics.replace("index", "id"), true),
        ("stats.csv", "index,y\n0,1\n1,0\n2,1\n".to_owned(), true),
        ("stats.csv", statistics.replace("mean", "target"), true),
        ("stats.csv", statistics.replace("99.6", "pug"), true),
        ("stats.csv", statistics.replace("0,64", "0.png,64"), true),
    ] {
        let temp = dataset("images", &["0", "1", "2"], &[(name, &text)]);
        match read(&temp, LabelFiles::Auto) {
            Err(error) => assert!(refused && error.to_string().contains(name), "{text}: {error}"),
            Ok(opened) => {
                let said = format!(
                    "{name} looks like a table of statistics by the numbers of rows and was not read"
                );
                let found = opened.ledger.remarks.iter().any(|remark| remark.text == said);
                assert!(!refused && found, "{text}: {:?}", opened.ledger);
            }
        }
    }
}
