use super::*;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;

fn table(name: &str, bytes: &[u8]) -> BesideTable {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join(name);
    fs::write(&file, bytes).unwrap();
    BesideTable::read(&file, file.parent().unwrap()).unwrap().unwrap()
}

fn relabel(label: &str) -> Edit {
    Edit::Change { name: None, label: Some(label.to_owned()), others: Vec::new() }
}

#[test]
fn what_is_not_changed_keeps_its_bytes() {
    let files: [(&str, &[u8]); 6] = [
        ("metadata.csv", b"file_name,label,note\r\n1.jpg,\"cat\",\"a\r\nb\"\r\n\r\n2.jpg, dog ,\"\"\"\"\r\n"),
        ("metadata.csv", b"\xef\xbb\xbffile_name;label\n1.jpg;cat"),
        ("metadata.csv", b"file_name,label\n1.jpg,caf\xe9\n2.jpg,caf\xe8\n"),
        ("metadata.csv", b"\xff\xfef\0i\0l\0e\0_\0n\0a\0m\0e\0,\0l\0a\0b\0e\0l\0\n\0a\0,\0b\0\n\0"),
        (
            "metadata.jsonl",
            b"{\"file_name\": \"1.jpg\", \"label\":  1e-3}\n\n{\"label\":null,\"file_name\":\"2.jpg\"}",
        ),
        ("val_annotations.txt", b"1.jpg\tn01\t0\t0\t9\t9\nnothing\n2.jpg\tn02\n"),
    ];
    for (name, bytes) in files {
        let table = table(name, bytes);
        assert!(!table.records.is_empty());
        assert_eq!(table.edited(Some(1), |_| Edit::Keep, &[]).unwrap(), bytes, "{name}");
    }
}

#[test]
fn records_change_go_and_come() {
    let short = table("metadata.csv", b"file_name,label\r\n1.jpg,cat\r\n2.jpg,dog\r\n");
    let out = short.edited(Some(1), |index| if index == 0 { Edit::Keep } else { Edit::Drop }, &[]).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "file_name,label\r\n1.jpg,cat\r\n");
    let csv = table(
        "metadata.csv",
        b"file_name,label,note\r\n1.jpg,\"cat\",\"x, y\"\r\n2.jpg,dog,\r\n3.jpg,cow,z\r\n",
    );
    let edit = |index| match index {
        0 => relabel("a, b"),
        1 => Edit::Drop,
        _ => Edit::Change { name: Some("b/3.jpg".into()), label: None, others: Vec::new() },
    };
    let added = [(PathBuf::from("4.jpg"), "owl".to_owned())];
    let out = String::from_utf8(csv.edited(Some(1), edit, &added).unwrap()).unwrap();
    assert_eq!(out, "file_name,label,note\r\n1.jpg,\"a, b\",\"x, y\"\r\nb/3.jpg,cow,z\r\n4.jpg,owl,\r\n");
    let json = table(
        "metadata.jsonl",
        b"{\"file_name\": \"1.jpg\", \"x\": {\"label\": \"no\"}, \"label\" : \"c\\\"at\" , \"n\": 1e-3}\n{\"file_name\": \"2.jpg\", \"label\": 4}\n{\"file_name\": \"3.jpg\"}\n",
    );
    let column = json.column("label");
    let out = String::from_utf8(json.edited(column, |_| relabel("7"), &added).unwrap()).unwrap();
    assert_eq!(
        out,
        "{\"file_name\": \"1.jpg\", \"x\": {\"label\": \"no\"}, \"label\" : \"7\" , \"n\": 1e-3}\n{\"file_name\": \"2.jpg\", \"label\": 7}\n{\"label\": \"7\", \"file_name\": \"3.jpg\"}\n{\"file_name\": \"4.jpg\", \"label\": \"owl\"}\n"
    );
    let lines = table("val_annotations.txt", b"1.jpg\tn01\t0\t0\n2.jpg\tn02\t5\t5\n");
    let out = lines.edited(Some(1), |index| if index == 0 { relabel("n09") } else { Edit::Drop }, &[]);
    assert_eq!(out.unwrap(), b"1.jpg\tn09\t0\t0\n");
}

#[test]
fn a_list_of_paths_and_classes_keeps_what_does_not_change() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("train.txt");
    fs::write(&file, "a/1.jpg  cat\r\nb c/2.jpg\tdog \r\n\r\n3.jpg cow").unwrap();
    let list = BesideTable::of_labels(&file, b',', 0).unwrap();
    let change = |index: usize| match index {
        0 => relabel("owl"),
        1 => Edit::Change { name: Some("d/2.jpg".into()), label: None, others: Vec::new() },
        _ => Edit::Keep,
    };
    let out = list.edited(Some(1), change, &[("new.jpg".into(), "fox".into())]).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text, "a/1.jpg  owl\r\nd/2.jpg\tdog\r\n\r\n3.jpg cow\nnew.jpg fox\r\n");
    let out = list.edited(Some(1), |index| if index == 2 { Edit::Drop } else { Edit::Keep }, &[]).unwrap();
    assert_eq!(out, b"a/1.jpg  cat\r\nb c/2.jpg\tdog \r\n\r\n");
    for added in [&[] as &[_], &[("new.jpg".into(), "snowy owl".into())]] {
        let error =
            list.edited(Some(1), |_| if added.is_empty() { relabel("snowy owl") } else { Edit::Keep }, added);
        assert!(error.unwrap_err().contains("cannot have a class with a blank"));
    }
}

#[test]
fn a_label_without_signs_in_the_encoding_is_refused() {
    let table = table("metadata.csv", b"file_name,label\n1.jpg,caf\xe9\n2.jpg,caf\xe8\n");
    assert_eq!(table.records[0].cells[1], "caf\u{e9}");
    let edit = |label: &'static str| {
        table.edited(Some(1), move |index| if index == 0 { relabel(label) } else { Edit::Keep }, &[])
    };
    assert_eq!(edit("\u{fc}").unwrap(), b"file_name,label\n1.jpg,\xfc\n2.jpg,caf\xe8\n");
    assert!(edit("\u{732b}").unwrap_err().contains("windows-1252 has no signs for"));
}

#[test]
fn paths_are_found_however_they_are_written() {
    let csv = table("metadata.csv", b"file_name\na\\1.jpg\na%20b.jpg\n");
    let places: Vec<Vec<PathBuf>> =
        csv.records.iter().map(|record| csv.places(Path::new("train"), record)).collect();
    assert_eq!(places[0], ["train/a\\1.jpg", "train/a/1.jpg"].map(PathBuf::from));
    assert_eq!(places[1], ["train/a%20b.jpg", "train/a b.jpg"].map(PathBuf::from));
}

#[test]
fn pictures_are_found_from_the_tables_folder() {
    let csv = table("metadata.csv", b"file_name\n./a/1.jpg\n../2.jpg\n../../3.jpg\n/4.jpg\nx\xff.jpg\n");
    let places: Vec<Vec<PathBuf>> =
        csv.records.iter().map(|record| csv.places(Path::new("train"), record)).collect();
    let odd = PathBuf::from(OsString::from_vec(b"train/x\xff.jpg".to_vec()));
    assert_eq!(places[..4], [vec![PathBuf::from("train/a/1.jpg")], vec!["2.jpg".into()], vec![], vec![]]);
    assert_eq!(places[4][0], odd);
}
