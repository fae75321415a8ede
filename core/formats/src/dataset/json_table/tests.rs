use crate::dataset::testing::{column, read, refused, rows, says, tree};
use crate::dataset::{DatasetOptions, open};
use chaffinch_protocol::RemarkKind;

#[test]
fn a_label_that_is_an_object_is_called_that() {
    let text = "{\"path\": \"1.jpg\", \"label\": {\"name\": \"cat\", \"id\": 1}}\n{\"path\": \"2.jpg\", \"label\": \"dog\"}";
    let temp = tree(&[("a.jsonl", text), ("1.jpg", ""), ("2.jpg", "")]);
    let opened = read(&temp, "a.jsonl").unwrap();
    assert_eq!(rows(&opened), ["1.jpg - -", "2.jpg dog -"]);
    assert!(says(&opened, RemarkKind::ClassesDoubtful, "1 label is an object and counts as none"));
    assert!(says(&opened, RemarkKind::ClassesDoubtful, "of line 1"));
    assert_eq!(opened.ledger.count(RemarkKind::LabelsSeveral), 0, "{:#?}", opened.ledger);
}

#[test]
fn what_stands_beside_a_path_in_its_object_belongs_to_the_sample() {
    for (one, two, option) in [
        (
            r#"{"image": {"path": "1.jpg", "label": "cat", "split": "train", "w": 3}}"#,
            r#"{"image": {"path": "2.jpg", "label": "dog", "split": "test", "w": 4}}"#,
            None,
        ),
        // Some rows have nothing beside the path, or no object.
        (
            r#"{"image": {"path": "1.jpg", "bytes": null, "label": "cat", "w": 3}, "split": "train"}"#,
            r#"{"image": {"path": "2.jpg", "bytes": null}, "split": "test"}"#,
            Some("image"),
        ),
        (
            r#"{"image": {"path": "1.jpg", "label": "cat", "w": 3}, "split": "train"}"#,
            r#"{"image": "2.jpg", "split": "test"}"#,
            None,
        ),
        (
            r#"{"sample": {"path": "1.jpg", "label": "cat", "w": 3}, "split": "train"}"#,
            r#"{"sample": {"path": "2.jpg", "label": "dog", "w": 4}, "split": "test"}"#,
            Some("sample.path"),
        ),
        (
            r#"{"sample": {"path": "1.jpg", "label": "cat", "w": 3}, "split": "train"}"#,
            r#"{"sample": {"path": "2.jpg", "label": "dog", "w": 4}, "split": "test"}"#,
            Some("sample"),
        ),
        // The label beside the path is the sample's.
        (
            r#"{"image": {"path": "1.jpg", "label": "cat", "w": 3}, "meta": {"label": "x"}, "split": "train"}"#,
            r#"{"image": {"path": "2.jpg", "label": "dog", "w": 4}, "meta": {"label": "y"}, "split": "test"}"#,
            None,
        ),
        (
            r#"{"s": {"image": {"path": "1.jpg", "label": "cat", "w": 3}, "split": "train"}}"#,
            r#"{"s": {"image": {"path": "2.jpg", "label": "dog", "w": 4}, "split": "test"}}"#,
            None,
        ),
    ] {
        for (name, text) in [("x.jsonl", format!("{one}\n{two}\n")), ("x.json", format!("[{one}, {two}]"))] {
            let temp = tree(&[(name, text.as_str()), ("1.jpg", ""), ("2.jpg", "")]);
            let options = DatasetOptions { path_column: option.map(Into::into), ..DatasetOptions::default() };
            let opened =
                open(&temp.path().join(name), &options).unwrap_or_else(|error| panic!("{text}: {error}"));
            let told = rows(&opened);
            assert_eq!(told[0], "1.jpg cat train", "{text} {:?}", opened.ledger);
            assert!(told[1].starts_with("2.jpg ") && told[1].ends_with(" test"), "{text}: {told:?}");
            let extra = opened.manifest.extra().iter().find(|column| column.name.ends_with(".w"));
            assert_eq!(extra.unwrap_or_else(|| panic!("{text}")).values[0], "3");
        }
    }
}

#[test]
fn each_form_of_a_manifest() {
    let files = [
        (
            "a.jsonl",
            "{\"path\": \"1.jpg\", \"label\": \"cat\", \"split\": \"train\", \"age\": 3}\n\n{\"path\": \"2.jpg\", \"label\": null, \"note\": {\"a\": 1}}\r\n",
        ),
        (
            "a.ndjson",
            "\u{feff}{\"path\": \"1.jpg\", \"label\": \"cat\", \"split\": \"train\", \"age\": 3}\n{\"path\": \"2.jpg\", \"note\": {\"a\": 1}}",
        ),
        (
            "lines.json",
            "{\"path\": \"1.jpg\", \"label\": \"cat\", \"split\": \"train\", \"age\": 3}\n{\"path\": \"2.jpg\", \"note\": {\"a\": 1}}",
        ),
        (
            "array.json",
            "[{\"path\": {\"bytes\": null, \"path\": \"1.jpg\"}, \"label\": \"cat\", \"split\": \"train\", \"age\": 3}, {\"path\": \"2.jpg\", \"note\": {\"a\": 1}}]",
        ),
        (
            "wrapped.json",
            "{\"version\": 1, \"data\": [{\"path\": \"1.jpg\", \"label\": \"cat\", \"split\": \"train\", \"age\": 3}, {\"path\": \"2.jpg\", \"note\": {\"a\": 1}}]}",
        ),
    ];
    for (name, text) in files {
        let temp = tree(&[(name, text), ("1.jpg", ""), ("2.jpg", "")]);
        let opened = read(&temp, name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(rows(&opened), ["1.jpg cat train", "2.jpg - -"], "{name}");
        assert_eq!(
            (column(&opened, "age"), column(&opened, "note")),
            (vec!["3".into(), "".into()], vec!["".into(), "{\"a\":1}".into()])
        );
        assert_eq!((opened.ledger.found, opened.ledger.left_out), (2, 0));
    }
    for text in [
        "{\"samples\": [{\"path\": \"1.jpg\", \"label\": \"cat\"}, {\"path\": \"b/2.jpg\", \"label\": 7}]}",
        "{\"1.jpg\": \"cat\", \"b/2.jpg\": 7}",
        "{\"path\": {\"0\": \"1.jpg\", \"1\": \"b/2.jpg\"}, \"label\": {\"0\": \"cat\", \"1\": 7}}",
        "{\"path\": [\"1.jpg\", \"b/2.jpg\"], \"label\": [\"cat\", 7]}",
        "{\"1.jpg\": {\"label\": \"cat\"}, \"b/2.jpg\": {\"label\": 7}}",
    ] {
        let temp = tree(&[("x.json", text), ("1.jpg", ""), ("b/2.jpg", "")]);
        assert_eq!(rows(&read(&temp, "x.json").unwrap()), ["1.jpg cat -", "b/2.jpg 7 -"], "{text}");
    }
}

#[test]
fn columns_are_chosen_as_in_tables() {
    let text = "{\"where\": \"1.jpg\", \"label\": \"a\", \"class\": \"x\", \"part\": \"test\"}\n{\"where\": \"2.jpg\", \"label\": \"a\", \"class\": \"y\"}\n";
    let temp = tree(&[("x.jsonl", text), ("1.jpg", ""), ("2.jpg", "")]);
    let error = refused(&temp, "x.jsonl");
    assert!(error.contains("it has no path column") && error.contains("--path-column"), "{error}");
    let options = DatasetOptions {
        path_column: Some("where".into()),
        split_column: Some("part".into()),
        ..DatasetOptions::default()
    };
    let opened = open(&temp.path().join("x.jsonl"), &options).unwrap();
    assert_eq!(rows(&opened), ["1.jpg a test", "2.jpg a -"]);
    assert!(says(&opened, RemarkKind::LayoutDoubtful, "'label' and 'class' of"));
    let options = DatasetOptions { label_column: Some("class".into()), ..options };
    assert_eq!(rows(&open(&temp.path().join("x.jsonl"), &options).unwrap())[1], "2.jpg y -");
    let options = DatasetOptions { label_column: Some("nothing".into()), ..options };
    let error = open(&temp.path().join("x.jsonl"), &options).unwrap_err().to_string();
    assert!(error.contains("there is no column 'nothing'"), "{error}");
}

#[test]
fn several_labels_and_flags() {
    let text = "[{\"path\": \"1.jpg\", \"label\": [\"cat\", \"dog\"]}, {\"path\": \"2.jpg\", \"label\": [\"cat\"]}, {\"path\": \"3.jpg\", \"label\": []}, {\"path\": \"4.jpg\", \"label\": -1}]";
    let temp = tree(&[("x.json", text), ("1.jpg", "")]);
    let opened = read(&temp, "x.json").unwrap();
    assert_eq!(rows(&opened)[..3], ["1.jpg - -", "2.jpg cat -", "3.jpg - -"]);
    assert_eq!(column(&opened, "all_labels")[0], "cat|dog");
    assert!(says(&opened, RemarkKind::LabelsSeveral, "1 image has several labels"));
    let flags = "{\"path\": \"1.jpg\", \"cat\": 1, \"dog\": 0}\n{\"path\": \"2.jpg\", \"cat\": false, \"dog\": true}\n";
    let temp = tree(&[("x.jsonl", flags), ("1.jpg", "")]);
    assert_eq!(rows(&read(&temp, "x.jsonl").unwrap()), ["1.jpg cat -", "2.jpg dog -"]);
}

#[test]
fn broken_manifests_say_what_is_wrong() {
    for (name, text, expected) in [
        (
            "x.jsonl",
            "{\"path\": \"1.jpg\"}\n{\"path\": \"2",
            "line 2: it ends too early, as if it was cut off",
        ),
        ("x.jsonl", "{\"path\": \"1.jpg\"}\n[1]\n", "line 2: it is not a JSON object"),
        ("x.jsonl", "{\"path\": \"1.jpg\"}\n{\"label\": \"cat\"}\n", "line 2 has no path in 'path'"),
        ("x.jsonl", "\n", "it has no objects"),
        ("x.json", "[{\"path\": \"1.jpg\"}", "it ends too early"),
        ("x.json", "[{\"path\": \"1.jpg\"}, 7]", "element 2 is not a JSON object"),
        ("x.json", "[1, 2]", "element 1 is not a JSON object"),
        ("x.json", "{\"a\": 1}", "it is JSON, but no table"),
        ("x.json", "[{\"image_id\": 1, \"category_id\": 2, \"score\": 0.5}]", "it has no path column"),
    ] {
        let temp = tree(&[(name, text), ("1.jpg", "")]);
        let error = refused(&temp, name);
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn numbers_keep_their_spelling() {
    let objects = [
        r#"{"path": "1.jpg", "label": 1e3, "x": 12345678901234567890123}"#,
        r#"{"path": "2.jpg", "label": 1.10, "x": 1}"#,
        r#"{"path": "3.jpg", "label": 9007199254740993, "x": [0.10]}"#,
    ];
    let by_path = r#"{"1.jpg": 1e3, "2.jpg": 1.10, "3.jpg": 9007199254740993}"#;
    let columns = r#"{"path": ["1.jpg", "2.jpg", "3.jpg"], "label": [1e3, 1.10, 9007199254740993]}"#;
    for (name, text) in [
        ("t.jsonl", objects.join("\n")),
        ("t.json", format!("[{}]", objects.join(","))),
        ("t.json", by_path.to_owned()),
        ("t.json", columns.to_owned()),
    ] {
        let temp = tree(&[(name, text.as_str()), ("1.jpg", ""), ("2.jpg", ""), ("3.jpg", "")]);
        let opened = read(&temp, name).unwrap();
        let manifest = &opened.manifest;
        let labels: Vec<&str> = manifest.ids().map(|id| manifest.label_name(id)).collect();
        assert_eq!(labels, ["1e3", "1.10", "9007199254740993"], "{text}");
        if let Some(x) = manifest.extra().iter().find(|column| column.name == "x") {
            assert_eq!(x.values, ["12345678901234567890123", "1", "[0.10]"], "{text}");
            assert!(manifest.is_typed("x"));
        }
    }
}

#[test]
fn objects_that_are_not_read_say_what_to_write() {
    for (text, expected) in [
        (
            r#"{"cat": ["1.jpg"], "dog": ["2.jpg", "3.jpg"]}"#,
            r#"write the label of each path instead: {"1.jpg": "cat", …}"#,
        ),
        (
            r#"{"columns": ["path", "label"], "index": [0], "data": [["1.jpg", "cat"]]}"#,
            r#"to_json(orient="records")"#,
        ),
    ] {
        let temp = tree(&[("t.json", text), ("1.jpg", "")]);
        let error = open(&temp.path().join("t.json"), &DatasetOptions::default()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    // By rows, as pandas writes it, in their order.
    let by_row = r#"{"10": {"path": "2.jpg", "label": "dog"}, "9": {"path": "1.jpg", "label": "cat"}}"#;
    let temp = tree(&[("t.json", by_row), ("1.jpg", ""), ("2.jpg", "")]);
    assert_eq!(rows(&read(&temp, "t.json").unwrap()), ["1.jpg cat -", "2.jpg dog -"]);
    // Two columns of paths are a table.
    let temp = tree(&[("t.json", r#"{"path": ["1.jpg"], "label": ["cat"]}"#), ("1.jpg", "")]);
    assert_eq!(rows(&read(&temp, "t.json").unwrap()), ["1.jpg cat -"]);
}

#[test]
fn a_label_that_is_an_object_is_counted_once() {
    let text = "{\"path\": \"1.jpg\", \"label\": {\"name\": \"cat\"}}\n{\"path\": \"2.jpg\", \"label\": null}\n{\"path\": \"3.jpg\", \"label\": \"a\"}";
    let temp = tree(&[("a.jsonl", text), ("1.jpg", ""), ("2.jpg", ""), ("3.jpg", "")]);
    let opened = read(&temp, "a.jsonl").unwrap();
    assert!(says(&opened, RemarkKind::ClassesMerged, "1 row has no label, as a cell is empty"));
    assert!(says(&opened, RemarkKind::ClassesDoubtful, "1 label is an object and counts as none"));
}

#[test]
fn the_keys_of_objects_in_a_list_of_labels_are_no_labels() {
    let one = r#"{"path": "1.jpg", "labels": [{"name": "ant", "score": 0.5}]}"#;
    let lines = format!("{one}\n{{\"path\": \"2.jpg\", \"labels\": [\"bee\"]}}");
    let temp = tree(&[("a.jsonl", lines.as_str()), ("1.jpg", ""), ("2.jpg", "")]);
    let opened = read(&temp, "a.jsonl").unwrap();
    assert_eq!(rows(&opened), ["1.jpg - -", "2.jpg bee -"]);
    assert!(says(&opened, RemarkKind::ClassesDoubtful, "1 label is an object and counts as none"));
    assert_eq!(opened.ledger.count(RemarkKind::LabelsSeveral), 0, "{:#?}", opened.ledger);
}

#[test]
fn an_object_with_one_array_is_a_table_whatever_its_key() {
    for images in [
        r#"[{"path": "1.jpg", "label": "cat"}, {"path": "2.jpg", "label": "dog"}]"#,
        r#"[{"file_name": "1.jpg", "label": "cat"}, {"file_name": "2.jpg", "label": "dog"}]"#,
        r#"[{"id": 1, "file_name": "1.jpg", "label": "cat"}, {"id": 2, "file_name": "2.jpg", "label": "dog"}]"#,
    ] {
        for before in ["", r#""info": {"v": 1}, "#, r#""licenses": [], "#] {
            let text = format!("{{{before}\"images\": {images}}}");
            let temp = tree(&[("t.json", text.as_str()), ("1.jpg", ""), ("2.jpg", "")]);
            assert_eq!(rows(&read(&temp, "t.json").unwrap()), ["1.jpg cat -", "2.jpg dog -"], "{text}");
        }
    }
}

#[test]
fn fields_inside_objects_are_found_by_their_dotted_names() {
    let row = |name: &str, label: &str| {
        format!(
            r#"{{"file": {{"name": "x", "path": "{name}"}}, "a": {{"b": {{"label": "{label}", "by": 7}}, "split": "test"}}, "n": {{"x": 1}}}}"#
        )
    };
    let lines = format!("{}\n{}\n", row("1.jpg", "cat"), row("2.jpg", "dog"));
    let temp = tree(&[("t.jsonl", lines.as_str()), ("1.jpg", ""), ("2.jpg", "")]);
    let opened = read(&temp, "t.jsonl").unwrap();
    assert_eq!(rows(&opened), ["1.jpg cat test", "2.jpg dog test"]);
    let text =
        "the labels were taken from 'a.b.label', a field inside an object; --label-column chooses another";
    assert!(says(&opened, RemarkKind::LayoutGuessed, text), "{:#?}", opened.ledger);
    // What else is in an object that was taken apart is a column, and other objects are as they were.
    let kept: Vec<(&str, &str)> = (opened.manifest.extra().iter())
        .map(|column| (column.name.as_str(), column.values[0].as_str()))
        .collect();
    assert_eq!(kept, [("file.name", "x"), ("a.b.by", "7"), ("n", "{\"x\":1}")]);
    // One of several has to be chosen.
    let several = r#"{"path": "1.jpg", "ours": {"label": "cat"}, "theirs": {"label": "dog"}}"#;
    let temp = tree(&[("t.jsonl", several), ("1.jpg", "")]);
    let opened = read(&temp, "t.jsonl").unwrap();
    assert_eq!(rows(&opened), ["1.jpg - -"]);
    let text = "the labels may be in 'ours.label', 'theirs.label', fields inside objects, and were taken from none; \
                --label-column chooses one";
    assert!(says(&opened, RemarkKind::LayoutDoubtful, text), "{:#?}", opened.ledger);
    let options = DatasetOptions { label_column: Some("theirs.label".into()), ..DatasetOptions::default() };
    assert_eq!(rows(&open(&temp.path().join("t.jsonl"), &options).unwrap()), ["1.jpg dog -"]);
    // As others write them into a table.
    let table = "image.path,annotation.label,annotation.by\n1.jpg,cat,7\n";
    let temp = tree(&[("t.csv", table), ("1.jpg", "")]);
    assert_eq!(rows(&read(&temp, "t.csv").unwrap()), ["1.jpg cat -"]);
}
