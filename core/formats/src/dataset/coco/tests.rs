use super::*;
use crate::dataset::testing::{column, read, read_folder, refused, rows, says, tree};
use chaffinch_data::dataset::LabelFiles;

const TRAIN: &str = r#"{"info": {}, "licenses": [{"id": 1}], "images": [
    {"id": 9, "file_name": "000009.jpg", "license": 1}, {"id": 25, "file_name": "000025.jpg"},
    {"id": 30, "file_name": "000030.jpg"}, {"id": 34, "file_name": "000034.jpg"}],
  "annotations": [
    {"id": 1, "image_id": 9, "category_id": 18, "bbox": [0, 0, 2, 2], "iscrowd": 0, "segmentation": [[0, 0, 1, 1]]},
    {"id": 2, "image_id": 9, "category_id": 17, "bbox": [0, 0, 3, 3]},
    {"id": 3, "image_id": 25, "category_id": 18, "area": 5.0, "bbox": [0, 0, 9, 9]},
    {"id": 4, "image_id": 25, "category_id": 17, "area": 4.0}, {"id": 5, "image_id": 25, "category_id": 17, "area": 0.5},
    {"id": 6, "image_id": 30, "category_id": 17}],
  "categories": [{"id": 17, "name": "cat", "supercategory": "animal"}, {"id": 18, "name": "dog"}]}"#;
const VAL: &str = r#"{"images": [{"id": "a", "file_name": "x.jpg"}], "annotations": [{"image_id": "a", "category_id": 18.0}],
  "categories": [{"id": 18, "name": "dog"}]}"#;

#[test]
fn the_splits_of_a_folder() {
    let temp = tree(&[
        ("annotations/instances_train2017.json", TRAIN),
        ("annotations/instances_val2017.json", VAL),
        (
            "annotations/captions_val2017.json",
            r#"{"images": [], "annotations": [{"image_id": "a", "caption": "x"}]}"#,
        ),
        ("annotations/person_keypoints_val2017.json", VAL),
        ("train2017/000009.jpg", ""),
        ("train2017/000025.jpg", ""),
        ("train2017/000030.jpg", ""),
        ("train2017/000034.jpg", ""),
        ("train2017/000099.jpg", ""),
        ("val2017/x.jpg", ""),
        ("test2017/y.jpg", ""),
    ]);
    let opened = read_folder(temp.path());
    let expected = [
        "test2017/y.jpg - test",
        "train2017/000009.jpg cat train",
        "train2017/000025.jpg cat train",
        "train2017/000030.jpg cat train",
        "train2017/000034.jpg - train",
        "train2017/000099.jpg - train",
        "val2017/x.jpg dog validation",
    ];
    assert_eq!(rows(&opened), expected, "{:#?}", opened.ledger);
    // Twice one class, or one of each and the larger one.
    assert_eq!(column(&opened, "all_labels"), ["", "cat|dog", "cat|dog", "", "", "", ""]);
    assert!(says(
        &opened,
        RemarkKind::LabelsMissing,
        "1 image has no label in annotations/instances_train2017.json"
    ));
    assert!(says(&opened, RemarkKind::LabelsMissing, "1 image has no entry"), "{:#?}", opened.ledger);
    assert!(says(&opened, RemarkKind::LayoutGuessed, "2 images have objects of several classes"));
    assert!(says(&opened, RemarkKind::LayoutGuessed, "person_keypoints_val2017.json was not read"));
}

#[test]
fn one_file_finds_its_pictures() {
    for place in ["train2017/", "images/train2017/", "train/", "images/", "", "annotations/"] {
        let pictures: Vec<String> =
            ["000009", "000025", "000030", "000034"].map(|name| format!("{place}{name}.jpg")).into();
        let mut files: Vec<(&str, &str)> = pictures.iter().map(|path| (path.as_str(), "")).collect();
        files.push(("annotations/instances_train2017.json", TRAIN));
        let temp = tree(&files);
        let opened = read(&temp, "annotations/instances_train2017.json").unwrap();
        let expected: Vec<String> = pictures
            .iter()
            .zip(["cat train", "cat train", "cat train", "- train"])
            .map(|(path, rest)| format!("{path} {rest}"))
            .collect();
        assert_eq!(rows(&opened), expected);
        assert_eq!((opened.ledger.found, opened.ledger.left_out), (4, 0));
    }
}

#[test]
fn one_file_with_a_root_and_a_missing_picture() {
    let temp =
        tree(&[("a.json", TRAIN), ("far/000009.jpg", ""), ("far/000025.jpg", ""), ("far/000030.jpg", "")]);
    let options = DatasetOptions { root: Some(temp.path().join("far")), ..DatasetOptions::default() };
    let opened = crate::dataset::open(&temp.path().join("a.json"), &options).unwrap();
    assert_eq!(rows(&opened), ["000009.jpg cat -", "000025.jpg cat -", "000030.jpg cat -", "000034.jpg - -"]);
    let error = refused(&temp, "a.json");
    assert!(error.contains("none of its 4 files exists") && error.contains("--root"), "{error}");
}

#[test]
fn roboflow_has_one_file_in_each_split() {
    let file = VAL.replace("x.jpg", "x_png.rf.123.jpg");
    let temp = tree(&[
        ("train/_annotations.coco.json", &file),
        ("train/x_png.rf.123.jpg", ""),
        ("valid/_annotations.coco.json", &file),
        ("valid/x_png.rf.123.jpg", ""),
        ("README.roboflow.txt", "words"),
    ]);
    let opened = read_folder(temp.path());
    assert_eq!(rows(&opened), ["train/x_png.rf.123.jpg dog train", "valid/x_png.rf.123.jpg dog validation"]);
    let one = read(&temp, "valid/_annotations.coco.json").unwrap();
    assert_eq!(rows(&one), ["x_png.rf.123.jpg dog validation"]);
}

#[test]
fn names_that_are_missing_are_numbers() {
    let file = r#"{"images": [{"id": 1, "file_name": "1.jpg"}, {"id": 2, "file_name": "2.jpg"}],
        "annotations": [{"image_id": 1, "category_id": 3}, {"image_id": 2, "category_id": 1}, {"image_id": 7, "category_id": 1},
            {"image_id": 2}],
        "categories": [{"id": 1}, {"id": 2, "name": "b"}]}"#;
    let temp = tree(&[("coco.json", file), ("1.jpg", ""), ("2.jpg", "")]);
    for opened in [read(&temp, "coco.json").unwrap(), read_folder(temp.path())] {
        assert_eq!(rows(&opened), ["1.jpg 3 -", "2.jpg 1 -"]);
        assert!(says(
            &opened,
            RemarkKind::ClassesDoubtful,
            "1 annotation has a category without a name in coco.json"
        ));
        assert!(says(
            &opened,
            RemarkKind::LabelsMissing,
            "1 annotation is of an image that coco.json does not list"
        ));
        assert!(
            says(&opened, RemarkKind::LabelsMissing, "1 annotation has no category"),
            "{:#?}",
            opened.ledger
        );
    }
}

#[test]
fn broken_files_say_what_is_wrong() {
    for (text, expected) in [
        (&TRAIN[..TRAIN.len() / 2], "it ends too early, as if it was cut off"),
        (r#"{"images": [{"id": 1}], "annotations": []}"#, "image 1 has no file_name"),
        (
            r#"{"images": [{"id": 1, "file_name": "1.jpg"}, {"id": 1, "file_name": "2.jpg"}], "annotations": []}"#,
            "1 image id stands for more than one image, such as 1",
        ),
        (
            r#"{"images": [{"id": [], "file_name": "1.jpg"}], "annotations": []}"#,
            "an id: a whole number or a text",
        ),
    ] {
        let temp = tree(&[("annotations/instances_train.json", text), ("train/1.jpg", "")]);
        let error = refused(&temp, "");
        assert!(error.contains(expected) && error.contains("--label-files ignore"), "{error}");
        let error = refused(&temp, "annotations/instances_train.json");
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn pictures_that_are_elsewhere_are_refused() {
    let temp = tree(&[("annotations/instances_val.json", VAL), ("images/other.jpg", "")]);
    let error = refused(&temp, "");
    assert!(
        error.contains("this is a COCO file, but its only image, x.jpg, is not in this folder"),
        "{error}"
    );
    let options = DatasetOptions { label_files: LabelFiles::Ignore, ..DatasetOptions::default() };
    assert_eq!(crate::dataset::open(temp.path(), &options).unwrap().manifest.len(), 1);
    // Class folders give labels without it.
    let temp = tree(&[("annotations/instances_val.json", VAL), ("cat/1.jpg", ""), ("dog/2.jpg", "")]);
    let opened = read_folder(temp.path());
    assert_eq!(rows(&opened), ["cat/1.jpg cat -", "dog/2.jpg dog -"]);
    assert!(says(&opened, RemarkKind::LabelsMissing, "annotations/instances_val.json was not read"));
}

#[test]
fn paths_of_windows_and_of_another_computer_are_found() {
    for name in [
        r"train\\x.jpg",
        r"C:\\data\\train\\x.jpg",
        "/mnt/set/train/x.jpg",
        "train/x.jpg",
        "./train/../train/x.jpg",
        "train/x",
    ] {
        let temp = tree(&[("coco.json", &VAL.replace("x.jpg", name)), ("train/x.jpg", "")]);
        for opened in [read_folder(temp.path()), read(&temp, "coco.json").unwrap()] {
            assert_eq!(opened.manifest.label_name(chaffinch_protocol::sample::SampleId(0)), "dog", "{name}");
            assert!(rows(&opened)[0].starts_with("train/x.jpg "), "{name}: {:?}", rows(&opened));
        }
    }
}

#[test]
fn long_lists_are_recognized_whatever_comes_first() {
    let images: Vec<String> = (0..8_000)
        .map(|id| format!(r#"{{"id": {id}, "width": 640, "height": 480, "file_name": "{id}.jpg"}}"#))
        .collect();
    let annotations: Vec<String> = (0..8_000)
        .map(|id| {
            format!(
                r#"{{"image_id": {id}, "iscrowd": 0, "bbox": [0.5, 0.5, 9.5, 9.5], "category_id": {}}}"#,
                id % 2
            )
        })
        .collect();
    let (images, annotations) = (images.join(","), annotations.join(","));
    let names = r#""categories": [{"id": 0, "name": "a"}, {"id": 1, "name": "b"}]"#;
    for text in [
        format!(r#"{{"images": [{images}], "annotations": [{annotations}], {names}}}"#),
        format!(r#"{{"annotations": [{annotations}], "images": [{images}], {names}}}"#),
        format!(r#"{{{names}, "annotations": [{annotations}], "images": [{images}]}}"#),
    ] {
        let temp = tree(&[("all.json", &text), ("7.jpg", ""), ("8.jpg", "")]);
        assert_eq!(rows(&read_folder(temp.path())), ["7.jpg b -", "8.jpg a -"]);
        let opened = read(&temp, "all.json").unwrap();
        assert_eq!(
            (opened.manifest.len(), opened.manifest.classes()),
            (8_000, &["a".to_owned(), "b".to_owned()][..])
        );
    }
}

#[test]
fn a_number_as_a_text_is_the_same_id() {
    let text = r#"{"images": [{"id": "0", "file_name": "1.jpg"}, {"id": 1, "file_name": "2.jpg"}],
        "categories": [{"id": "1", "name": "cat"}, {"id": 2, "name": "dog"}, {"id": "x", "name": "owl"}],
        "annotations": [{"image_id": 0, "category_id": 1}, {"image_id": "1", "category_id": "2"}]}"#;
    let temp = tree(&[("instances_all.json", text), ("1.jpg", ""), ("2.jpg", "")]);
    assert_eq!(rows(&read_folder(temp.path())), ["1.jpg cat -", "2.jpg dog -"]);
}

#[test]
fn a_category_id_with_two_names_is_refused() {
    let with = |categories: &str| {
        format!(
            r#"{{"images": [{{"id": 1, "file_name": "1.jpg"}}], "categories": [{categories}],
            "annotations": [{{"id": 1, "image_id": 1, "category_id": 1}}]}}"#
        )
    };
    let ant = r#"{"id": 1, "name": "ant"}"#;
    let temp = tree(&[("x.json", &with(&format!(r#"{ant}, {{"id": "1", "name": "elk"}}"#))), ("1.jpg", "")]);
    let error = refused(&temp, "x.json");
    assert!(
        error.contains("1 category id stands for more than one name, such as 1, which is 'ant' and 'elk'"),
        "{error}"
    );
    let temp = tree(&[("x.json", &with(&format!("{ant}, {ant}"))), ("1.jpg", "")]);
    assert_eq!(rows(&read(&temp, "x.json").unwrap()), ["1.jpg ant -"], "the same twice");
}
