use crate::dataset::testing::{column, read, read_folder, refused, rows, says, tree};
use crate::dataset::{DatasetOptions, open};
use chaffinch_protocol::RemarkKind;

const LABELS: &str = r#"{"classes": ["cat", "dog"], "labels": {"sub/1": 1, "2": 0, "3": null, "4": {"label": 1, "confidence": 0.5,
    "attributes": {}}, "5": [0, 1], "6": 9, "gone": 0}}"#;

#[test]
fn an_image_classification_directory() {
    let temp = tree(&[
        ("labels.json", LABELS),
        ("data/sub/1.jpg", ""),
        ("data/2.PNG", ""),
        ("data/3.jpg", ""),
        ("data/4.jpg", ""),
        ("data/5.jpg", ""),
        ("data/6.jpg", ""),
    ]);
    let opened = read_folder(temp.path());
    let expected = [
        "data/2.PNG cat -",
        "data/3.jpg - -",
        "data/4.jpg dog -",
        "data/5.jpg - -",
        "data/6.jpg 9 -",
        "data/sub/1.jpg dog -",
    ];
    assert_eq!(rows(&opened), expected, "{:#?}", opened.ledger);
    assert_eq!(column(&opened, "all_labels"), ["", "", "", "cat|dog", "", ""]);
    assert_eq!(column(&opened, "confidence")[2], "0.5");
    assert!(says(&opened, RemarkKind::LabelsSeveral, "1 image has several labels in labels.json"));
    assert!(says(&opened, RemarkKind::ClassesDoubtful, "among the 2 classes of labels.json"));
    assert!(says(&opened, RemarkKind::FilesMissing, "1 image of labels.json is missing: gone"));
    // By itself, each of its pictures is a sample.
    let file = read(&temp, "labels.json").unwrap();
    assert_eq!(file.manifest.len(), 7);
    assert_eq!(rows(&file)[..2], ["data/2.PNG cat -", "data/3.jpg - -"]);
}

#[test]
fn labels_by_name_and_pictures_that_were_not_copied() {
    let media = tree(&[("a/x.jpg", "")]);
    let path = media.path().join("a/x.jpg");
    let temp = tree(&[
        ("labels.json", r#"{"classes": null, "labels": {"x": "cat"}}"#),
        ("data.json", &format!("{{\"x\": {:?}}}", path.display().to_string())),
    ]);
    let opened = read(&temp, "labels.json").unwrap();
    assert_eq!(rows(&opened), [format!("{} cat -", path.display())]);
}

/// A dataset as FiftyOne exports it.
const SAMPLES: &str = r#"{"samples": [
  {"_id": {"$oid": "1"}, "filepath": "data/1.jpg", "tags": ["train", "night"], "_media_type": "image", "_rand": 0.1,
   "metadata": {"_cls": "ImageMetadata", "width": 2}, "weather": "rain", "uniqueness": 0.5,
   "ground_truth": {"_cls": "Classification", "label": "cat", "tags": []},
   "predictions": {"_cls": "Classification", "label": "dog", "confidence": 0.9}},
  {"filepath": "data/2.jpg", "tags": ["test"], "ground_truth": null, "predictions": {"_cls": "Classification", "label": "dog"}},
  {"filepath": "data/3.jpg", "tags": [], "ground_truth": {"_cls": "Classification", "label": "dog"}}]}"#;

#[test]
fn a_whole_dataset() {
    let temp = tree(&[
        ("metadata.json", "{\"name\": \"x\"}"),
        ("samples.json", SAMPLES),
        ("data/1.jpg", ""),
        ("data/2.jpg", ""),
        ("data/3.jpg", ""),
    ]);
    for opened in [read_folder(temp.path()), read(&temp, "samples.json").unwrap()] {
        assert_eq!(rows(&opened), ["data/1.jpg cat train", "data/2.jpg - test", "data/3.jpg dog -"]);
        assert_eq!(column(&opened, "predictions"), ["dog", "dog", ""]);
        assert_eq!(column(&opened, "weather"), ["rain", "", ""]);
        assert_eq!(column(&opened, "tags"), ["train,night", "test", ""]);
        assert!(says(&opened, RemarkKind::LayoutGuessed, "the splits were taken from the tags test, train"));
    }
    let options = DatasetOptions { label_column: Some("predictions".into()), ..DatasetOptions::default() };
    let opened = open(&temp.path().join("samples.json"), &options).unwrap();
    assert_eq!(rows(&opened)[1], "data/2.jpg dog test");
    let options = DatasetOptions { label_column: Some("nothing".into()), ..DatasetOptions::default() };
    let error = open(temp.path(), &options).unwrap_err().to_string();
    assert!(error.contains("there is no field 'nothing'") && error.contains("'ground_truth'"), "{error}");
}

#[test]
fn fields_for_labels_and_splits() {
    let sample = |fields: &str| format!(r#"{{"samples": [{{"filepath": "/far/away/1.jpg", {fields}}}]}}"#);
    let class = |name: &str| format!(r#"{{"_cls": "Classification", "label": {name:?}}}"#);
    let cases = [
        (format!(r#""species": {}, "split": "val""#, class("cat")), "1.jpg cat validation", "field 'species'"),
        (format!(r#""model": {}, "human": {}"#, class("a"), class("b")), "1.jpg b -", "'human' and 'model'"),
        (r#""label": "cat""#.to_owned(), "1.jpg cat -", "field 'label'"),
        (
            r#""boxes": {"_cls": "Detections", "detections": [{"label": "a", "bounding_box": [0, 0, 0.1, 0.1]},
                {"label": "b", "bounding_box": [0, 0, 0.5, 0.5]}]}"#
                .to_owned(),
            "1.jpg b -",
            "objects of several classes",
        ),
        (
            format!(r#""ground_truth": {{"_cls": "Classifications", "classifications": [{}, {}]}}"#, class("a"), class("b")),
            "1.jpg - -",
            "several labels",
        ),
    ];
    for (fields, expected, said) in cases {
        let temp = tree(&[("samples.json", &sample(&fields)), ("1.jpg", "")]);
        let opened = read_folder(temp.path());
        assert_eq!(rows(&opened), [expected]);
        assert!(
            opened.ledger.remarks.iter().any(|remark| remark.text.contains(said)),
            "{:#?}",
            opened.ledger
        );
        assert!(says(
            &opened,
            RemarkKind::LayoutGuessed,
            "without the leading folders of the path, such as /far/away"
        ));
    }
}

#[test]
fn broken_exports_say_what_is_wrong() {
    for (file, text, expected) in [
        ("labels.json", &LABELS[..60], "it ends too early"),
        ("samples.json", &SAMPLES[..100], "it ends too early"),
        (
            "samples.json",
            r#"{"samples": [{"filepath": "data/1.mp4", "_media_type": "video"}]}"#,
            "its samples are videos, which are not read",
        ),
        (
            "samples.json",
            r#"{"samples": [{"filepath": "data/1.jpg"}, {"tags": []}]}"#,
            "sample 2 has no filepath",
        ),
        ("labels.json", r#"{"classes": [], "labels": {}}"#, "it names no image"),
    ] {
        let temp = tree(&[(file, text), ("data/1.jpg", "")]);
        for below in ["", file] {
            let error = refused(&temp, below);
            assert!(error.contains(expected), "{error}");
        }
    }
}

#[test]
fn fields_of_numbers_are_no_texts() {
    let text = r#"{"samples": [
        {"filepath": "1.jpg", "ground_truth": {"_cls": "Classification", "label": "a"}, "n": 1, "score": 0.5, "mixed": 1, "word": "5"},
        {"filepath": "2.jpg", "ground_truth": {"_cls": "Classification", "label": "b"}, "n": null, "score": 1, "mixed": "x"}]}"#;
    let temp = tree(&[("samples.json", text), ("1.jpg", ""), ("2.jpg", "")]);
    for below in ["", "samples.json"] {
        let opened = read(&temp, below).unwrap();
        assert_eq!(opened.manifest.typed().collect::<Vec<_>>(), ["n", "score"], "{below}");
        assert_eq!(column(&opened, "score"), ["0.5", "1"], "{below}");
    }
}
