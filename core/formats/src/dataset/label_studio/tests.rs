use crate::dataset::testing::{column, read, refused, rows, says, tree};
use crate::dataset::{DatasetOptions, open};
use chaffinch_protocol::RemarkKind;

fn choice(name: &str, label: &str, time: &str) -> String {
    format!(
        r#"{{"completed_by": {{"id": 1, "email": "{name}"}}, "created_at": "{time}", "was_cancelled": false, "result": [{{"from_name": "choice",
        "to_name": "image", "type": "choices", "value": {{"choices": ["{label}"]}}}}]}}"#
    )
}

fn task(address: &str, annotations: &[String]) -> String {
    format!(
        r#"{{"id": 1, "data": {{"image": "{address}", "source": "cam"}}, "annotations": [{}], "predictions": []}}"#,
        annotations.join(",")
    )
}

fn export(tasks: &[String]) -> String {
    format!("[{}]", tasks.join(","))
}

#[test]
fn addresses_lead_to_pictures() {
    for (address, file) in [
        ("/data/upload/1/0a1b2c3d-x.jpg", "upload/1/0a1b2c3d-x.jpg"),
        ("/data/upload/1/0a1b2c3d-x.jpg", "media/upload/1/0a1b2c3d-x.jpg"),
        ("/data/upload/1/0a1b2c3d-x.jpg", "images/0a1b2c3d-x.jpg"),
        ("/data/upload/1/0a1b2c3d-x.jpg", "x.jpg"),
        ("/data/local-files/?d=set/a%20b.jpg", "set/a b.jpg"),
        ("/data/local-files/?d=srv/set/a.jpg", "set/a.jpg"),
        ("http://localhost:8080/data/local-files/?d=set/a.jpg", "a.jpg"),
        ("s3://bucket/set/a.jpg", "set/a.jpg"),
        ("set/a.jpg", "set/a.jpg"),
    ] {
        let temp =
            tree(&[("export.json", &export(&[task(address, &[choice("a", "cat", "1")])])), (file, "")]);
        let opened = read(&temp, "export.json").unwrap();
        assert_eq!(rows(&opened), [format!("{file} cat -")], "{address}");
        assert_eq!(column(&opened, "source"), ["cam"]);
    }
    let temp = tree(&[("export.json", &export(&[task("https://x.org/a.jpg", &[])]))]);
    let error = refused(&temp, "export.json");
    assert!(error.contains("these are web addresses: download the files"), "{error}");
    for (address, advice) in [
        (
            "http://localhost:8080/data/local-files/?d=set/a%20b.jpg",
            "give the folder that has set/a b.jpg in it with --root",
        ),
        ("/data/local-files/?d=set/a.jpg", "which is that of LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT"),
        (
            "/data/upload/3/0a1b2c3d-x.jpg",
            "give its folder media, which has upload/3/0a1b2c3d-x.jpg in it, with --root",
        ),
    ] {
        let temp = tree(&[("export.json", &export(&[task(address, &[])]))]);
        let error = refused(&temp, "export.json");
        assert!(error.contains(advice), "{error}");
    }
}

#[test]
fn the_last_completed_annotation_counts() {
    let cancelled =
        choice("c", "cow", "2026-01-03").replace("\"was_cancelled\": false", "\"was_cancelled\": true");
    let tasks = [
        task("1.jpg", &[choice("b", "dog", "2026-01-02"), choice("a", "cat", "2026-01-01"), cancelled]),
        task("2.jpg", &[choice("a", "cat", "2026-01-01"), choice("b", "cat", "2026-01-02")]),
        task("3.jpg", &[]),
    ];
    let temp = tree(&[("x.json", &export(&tasks)), ("1.jpg", ""), ("2.jpg", ""), ("3.jpg", "")]);
    let opened = read(&temp, "x.json").unwrap();
    assert_eq!(rows(&opened), ["1.jpg dog -", "2.jpg cat -", "3.jpg - -"]);
    assert_eq!(column(&opened, "annotator"), ["b", "b", ""]);
    assert!(says(&opened, RemarkKind::LabelsSeveral, "1 image has annotations in x.json that disagree"));
    assert!(says(&opened, RemarkKind::LabelsMissing, "1 image has no label in x.json"));
}

#[test]
fn rows_for_each_annotation() {
    let json = r#"[{"image": "1.jpg", "id": 7, "choice": "cat", "annotator": 1, "annotation_id": 1, "created_at": "1", "updated_at": "1",
        "lead_time": 2.5}, {"image": "1.jpg", "id": 7, "choice": "dog", "annotator": 2, "annotation_id": 2, "created_at": "0",
        "updated_at": "2", "lead_time": 1}, {"image": "2.jpg", "id": 8, "choice": {"choices": ["a", "b"]}, "annotator": 1,
        "annotation_id": 3, "created_at": "1", "updated_at": "1", "lead_time": 1}]"#;
    let csv = "annotation_id,annotator,choice,created_at,id,image,lead_time,updated_at\n1,1,cat,1,7,1.jpg,2.5,1\n2,2,dog,0,7,1.jpg,1,2\n3,1,\"{\"\"choices\"\":[\"\"a\"\",\"\"b\"\"]}\",1,8,2.jpg,1,1\n";
    for (file, text) in [("x.json", json), ("x.csv", csv)] {
        let temp = tree(&[(file, text), ("1.jpg", ""), ("2.jpg", "")]);
        let opened = read(&temp, file).unwrap();
        assert_eq!(rows(&opened), ["1.jpg dog -", "2.jpg - -"], "{file}");
        assert_eq!(column(&opened, "all_labels"), ["", "a|b"]);
        assert_eq!(column(&opened, "annotator"), ["2", "1"]);
        assert!(says(&opened, RemarkKind::LabelsSeveral, "1 image has annotations"), "{:?}", opened.ledger);
    }
}

#[test]
fn uploads_are_found_without_their_signs_in_every_export() {
    let address = "/data/upload/1/0a1b2c3d-x.jpg";
    let csv = |heading: &str, cells: &str| format!("image,id,choice,{heading}\n{address},1,cat,{cells}\n");
    let min = |more: &str| format!(r#"[{{"image": "{address}", "id": 1, "choice": "cat", {more}}}]"#);
    for (file, text) in [
        ("x.csv", csv("annotator,annotation_id,lead_time", "1,7,2.5")),
        ("x.csv", csv("annotator,annotation_id", "1,7")),
        ("x.csv", csv("annotator", "1")),
        ("x.json", min(r#""annotator": 1, "annotation_id": 7, "lead_time": 2.5"#)),
        ("x.json", min(r#""annotator": 1, "lead_time": 2.5"#)),
        ("x.json", min(r#""annotator": 1"#)),
    ] {
        let temp = tree(&[(file, &text), ("x.jpg", "")]);
        assert_eq!(rows(&read(&temp, file).unwrap()), ["x.jpg cat -"], "{text}");
    }
    // Tables of one's own may have such columns.
    let temp = tree(&[("x.csv", "path,label,annotator\n1.jpg,cat,ann\n1.jpg,cat,bob\n"), ("1.jpg", "")]);
    assert_eq!(rows(&read(&temp, "x.csv").unwrap()).len(), 2);
}

#[test]
fn the_ground_truth_counts_before_later_annotations() {
    let truth = choice("a", "cat", "2026-01-01").replacen('{', "{\"ground_truth\": true, ", 1);
    let tasks = [
        task("1.jpg", &[truth.clone(), choice("b", "dog", "2026-01-02")]),
        task("2.jpg", &[choice("a", "cat", "2026-01-01"), choice("b", "dog", "2026-01-02")]),
    ];
    let temp = tree(&[("x.json", &export(&tasks)), ("1.jpg", ""), ("2.jpg", "")]);
    let opened = read(&temp, "x.json").unwrap();
    assert_eq!(rows(&opened), ["1.jpg cat -", "2.jpg dog -"]);
    assert!(says(&opened, RemarkKind::LabelsSeveral, "1 image has annotations in x.json that disagree"));
}

#[test]
fn regions_and_several_controls() {
    let region = |label: &str, side: u32| {
        format!(
            r#"{{"from_name": "box", "type": "rectanglelabels", "value": {{"x": 0, "width": {side}, "height": {side}, "rectanglelabels": ["{label}"]}}}}"#
        )
    };
    let result = |parts: &[String]| format!(r#"{{"result": [{}], "created_at": 5}}"#, parts.join(","));
    let boxes = result(&[region("car", 1), region("bus", 5), region("car", 1), region("bus", 1)]);
    let temp = tree(&[("x.json", &export(&[task("1.jpg", &[boxes])])), ("1.jpg", "")]);
    let opened = read(&temp, "x.json").unwrap();
    assert_eq!(rows(&opened), ["1.jpg bus -"]);
    assert_eq!(column(&opened, "all_labels"), ["bus|car"]);
    let control = |name: &str, value: &str| {
        format!(r#"{{"from_name": "{name}", "type": "choices", "value": {{"choices": ["{value}"]}}}}"#)
    };
    let both = result(&[control("quality", "good"), control("species", "cat")]);
    let temp = tree(&[("x.json", &export(&[task("1.jpg", &[both])])), ("1.jpg", "")]);
    let opened = read(&temp, "x.json").unwrap();
    assert_eq!(
        (rows(&opened), column(&opened, "species")),
        (vec!["1.jpg good -".to_owned()], vec!["cat".to_owned()])
    );
    assert!(says(
        &opened,
        RemarkKind::LayoutDoubtful,
        "'quality' and 'species' of x.json may both hold the labels"
    ));
    let options = DatasetOptions { label_column: Some("species".into()), ..DatasetOptions::default() };
    assert_eq!(rows(&open(&temp.path().join("x.json"), &options).unwrap()), ["1.jpg cat -"]);
}

#[test]
fn broken_exports_say_what_is_wrong() {
    let whole = export(&[task("1.jpg", &[choice("a", "cat", "1")])]);
    for (text, expected) in [
        (&whole[..whole.len() - 20], "it ends too early"),
        (r#"[{"id": 1, "data": {"text": "x"}, "annotations": []}]"#, "its tasks have no picture"),
    ] {
        let temp = tree(&[("x.json", text), ("1.jpg", "")]);
        let error = refused(&temp, "x.json");
        assert!(error.contains(expected), "{error}");
    }
    // In a folder it is named, because it is opened by its file.
    let temp = tree(&[("x.json", &whole), ("1.jpg", "")]);
    let error = refused(&temp, "");
    assert!(error.contains("x.json") && error.contains("open it instead of the folder"), "{error}");
}
