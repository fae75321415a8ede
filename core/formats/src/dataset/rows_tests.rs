//! What is said of rows: those without a label, those that contradict each other, and columns of splits under other names.

use super::*;
use chaffinch_protocol::RemarkKind;
use chaffinch_protocol::sample::Split;
use std::fs;

fn read(name: &str, text: &str) -> Opened {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join(name);
    fs::write(&file, text).unwrap();
    list(&file, &DatasetOptions::default()).unwrap_or_else(|error| panic!("{text}: {error}")).1
}

fn said(opened: &Opened, kind: RemarkKind) -> Vec<&str> {
    let of = opened.ledger.remarks.iter().filter(|remark| remark.kind == kind);
    of.map(|remark| remark.text.as_str()).collect()
}

fn splits(opened: &Opened) -> Vec<Split> {
    opened.manifest.ids().map(|id| opened.manifest.split(id)).collect()
}

#[test]
fn whatever_is_no_label_is_said_with_its_count() {
    let opened =
        read("t.csv", "path,label\n1.jpg,\n2.jpg,nan\n3.jpg,null\n4.jpg,unlabeled\n5.jpg,cat\n6.jpg,\n");
    let said_of = said(&opened, RemarkKind::ClassesMerged);
    assert_eq!(
        said_of,
        [
            "2 rows have no label, as a cell is empty where it would be",
            "3 labels were read as no label: 'nan' (1), 'null' (1), 'unlabeled' (1); --keep-null-labels keeps them as \
             classes",
        ]
    );
    let numbers = read("t.csv", "path,label\n1.jpg,-1\n2.jpg,0\n3.jpg,2\n4.jpg,-1\n");
    assert!(said(&numbers, RemarkKind::ClassesMerged)[0].contains("'-1' (2)"), "{:?}", numbers.ledger);
    let json = read(
        "t.jsonl",
        "{\"path\": \"1.jpg\", \"label\": null}\n{\"path\": \"2.jpg\", \"label\": \"cat\"}\n",
    );
    assert_eq!(
        said(&json, RemarkKind::ClassesMerged),
        ["1 row has no label, as a cell is empty where it would be"]
    );
}

#[test]
fn a_column_that_shares_its_heading_with_another_is_chosen_by_its_number() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("t.csv");
    let text = "path,label,label,note,note\n1.jpg,cat,dog,a,b\n2.jpg,cat,cat,a,b\n";
    fs::write(&file, text).unwrap();
    let labels = |column: Option<&str>| {
        let options = DatasetOptions { label_column: column.map(str::to_owned), ..DatasetOptions::default() };
        let opened = list(&file, &options).map_err(|error| error.to_string())?.1;
        let label = |id| opened.manifest.label_name(id).to_owned();
        Ok::<_, String>(opened.manifest.ids().map(label).collect::<Vec<_>>())
    };
    for vague in [None, Some("label"), Some("Label")] {
        let error = labels(vague).unwrap_err();
        assert!(
            error.contains(
                "the columns 2 and 3 are both called 'label' and differ; choose one by its number, such as --label-column 3"
            ),
            "{error}"
        );
    }
    assert_eq!(labels(Some("2")).unwrap(), ["cat", "cat"]);
    assert_eq!(labels(Some("3")).unwrap(), ["dog", "cat"]);
    assert!(labels(Some("1")).unwrap_err().contains("there is no column '1'"));
    // The same twice is not a question, and neither is a column that is not needed.
    let same = read("t.csv", "path,label,label,note,note\n1.jpg,cat,cat,a,b\n");
    assert_eq!(same.manifest.classes(), ["cat"]);
    // Of a table that is joined, too.
    let data = temp.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("1.jpg"), b"x").unwrap();
    let joined = |column: Option<&str>| {
        let options = DatasetOptions {
            labels: Some(file.clone()),
            label_column: column.map(str::to_owned),
            ..DatasetOptions::default()
        };
        list(&data, &options).map(|(_, opened)| opened.manifest.classes().to_vec()).map_err(|e| e.to_string())
    };
    assert!(joined(None).unwrap_err().contains("the columns 2 and 3 are both called 'label'"));
    assert_eq!(joined(Some("3")).unwrap(), ["dog"]);
}

#[test]
fn one_file_is_one_path_however_it_is_written() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("t.csv");
    let root = temp.path().display();
    fs::write(
        &file,
        format!("path,label\na/1.jpg,cat\n./a/1.jpg,cat\n{root}/a/1.jpg,dog\n{root}/b.jpg,dog\n"),
    )
    .unwrap();
    let opened = list(&file, &DatasetOptions::default()).unwrap().1;
    let manifest = &opened.manifest;
    let paths: Vec<&Path> = manifest.ids().map(|id| manifest.path(id)).collect();
    assert_eq!(paths[..3], ["a/1.jpg"; 3].map(Path::new));
    // What is there once stays as it is written.
    assert!(paths[3].is_absolute(), "{paths:?}");
    assert_eq!(manifest.rows_of_path(manifest.ids().next().unwrap()), [0, 1, 2]);
    assert_eq!(
        said(&opened, RemarkKind::RowsRepeated),
        ["2 rows repeat the path of an earlier row: a/1.jpg"]
    );
    assert!(said(&opened, RemarkKind::LabelsSeveral)[0].contains("a/1.jpg (cat in 2 rows, dog in 1)"));
}

#[test]
fn rows_that_contradict_each_other_are_named_with_their_labels() {
    let text = "path,label\na.jpg,cat\na.jpg,dog\na.jpg,dog \nb.jpg,cat\nb.jpg,cat\nb.jpg,\nc.jpg,dog\n";
    let opened = read("t.csv", text);
    assert_eq!(
        said(&opened, RemarkKind::LabelsSeveral),
        [
            "1 image has rows with different labels, and each of these rows counts as a sample: a.jpg (dog in 2 rows, cat in 1)"
        ]
    );
    assert!(RemarkKind::LabelsSeveral.is_serious());
    assert_eq!(said(&opened, RemarkKind::RowsRepeated), ["4 rows repeat the path of an earlier row: a.jpg"]);
}

#[test]
fn columns_under_other_names_are_splits_where_every_value_is_one() {
    for heading in ["set", "Partition", "fold", "phase"] {
        let opened = read("t.csv", &format!("path,label,{heading}\n1.jpg,a,train\n2.jpg,b,test\n3.jpg,a,\n"));
        assert_eq!(splits(&opened), [Split::Train, Split::Test, Split::None], "{heading}");
        let said = said(&opened, RemarkKind::LayoutGuessed);
        assert_eq!(
            said,
            [format!("the splits were taken from the column '{heading}'; --split-column chooses another")]
        );
        assert_eq!(opened.manifest.table().unwrap().split, Some(2));
    }
    for values in [["0", "1"], ["train", "blue"]] {
        let [one, two] = values;
        let opened = read("t.csv", &format!("path,label,fold\n1.jpg,a,{one}\n2.jpg,b,{two}\n"));
        assert_eq!(splits(&opened), [Split::None; 2]);
        assert_eq!(opened.manifest.extra()[0].values, values);
    }
}

#[test]
fn flags_of_what_is_held_out_are_splits_and_no_classes() {
    let opened = read("t.csv", "path,label,is_valid\n1.jpg,a,False\n2.jpg,b,True\n");
    assert_eq!(splits(&opened), [Split::Train, Split::Validation]);
    assert!(
        said(&opened, RemarkKind::LayoutGuessed)[0].starts_with("the column 'is_valid' of 0 and 1 was taken")
    );
    assert_eq!(opened.manifest.extra()[0].values, ["False", "True"], "it stays as it is");
    let json = "{\"path\": \"1.jpg\", \"cat\": 1, \"dog\": 0, \"is_val\": 0, \"is_test\": 1}\n\
                {\"path\": \"2.jpg\", \"cat\": 0, \"dog\": 1, \"is_val\": 1, \"is_test\": 0}\n\
                {\"path\": \"3.jpg\", \"cat\": 0, \"dog\": 1, \"is_val\": 0, \"is_test\": 0}\n";
    let opened = read("t.jsonl", json);
    assert_eq!(splits(&opened), [Split::Test, Split::Validation, Split::Train]);
    assert_eq!(opened.manifest.classes(), ["cat", "dog"]);
    // What is in two splits is in none that anybody could name.
    let both = read("t.csv", "path,label,is_val,is_test\n1.jpg,a,1,1\n2.jpg,b,0,1\n");
    assert_eq!(splits(&both), [Split::None, Split::Test]);
    assert_eq!(
        said(&both, RemarkKind::LayoutDoubtful),
        ["1 row is in two splits by the columns 'is_val', 'is_test', and counts as having none"]
    );
}

#[test]
fn a_column_that_was_asked_for_says_the_same_splits_as_one_that_was_found() {
    let asked = |text: &str| {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("t.csv");
        fs::write(&file, text).unwrap();
        let column = text.lines().next().and_then(|line| line.rsplit(',').next()).map(str::to_owned);
        let options = DatasetOptions { split_column: column, ..DatasetOptions::default() };
        list(&file, &options).unwrap().1
    };
    let text = "path,label,is_valid\n1.jpg,a,0\n2.jpg,b,1\n";
    assert_eq!(splits(&asked(text)), splits(&read("t.csv", text)));
    assert_eq!(splits(&asked(text)), [Split::Train, Split::Validation]);
    let manifest = asked(text).manifest;
    assert_eq!(manifest.ids().map(|id| manifest.split_as_written(id)).collect::<Vec<_>>(), ["0", "1"]);
    let none = asked("path,label,when\n1.jpg,a,2020\n2.jpg,b,2021\n");
    assert_eq!(splits(&none), [Split::None; 2]);
    let doubt = said(&none, RemarkKind::LayoutDoubtful);
    assert!(doubt[0].starts_with("the column 'when' of --split-column gives no row a split"), "{doubt:?}");
}

#[test]
fn a_path_with_a_dot_in_front_is_a_repeated_one() {
    let opened = read("t.csv", "path,label\n./1.jpg,a\n1.jpg,b\n");
    assert_eq!(
        said(&opened, RemarkKind::RowsRepeated),
        ["1 row repeats the path of an earlier row: ./1.jpg"]
    );
    assert_eq!(said(&opened, RemarkKind::LabelsSeveral).len(), 1);
}

fn error(name: &str, text: &str) -> String {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join(name);
    fs::write(&file, text).unwrap();
    list(&file, &DatasetOptions::default()).unwrap_err().to_string()
}

#[test]
fn errors_name_the_line_that_an_editor_shows() {
    for (text, line) in [
        ("path,label\na.jpg,x\nb.jpg\n", 3),
        ("path,label\r\na.jpg,x\r\nb.jpg\r\n", 3),
        ("path,label\r\n\r\na.jpg,x\r\n\r\n\r\nb.jpg\r\n", 6),
        ("\n\npath,label\na.jpg,x\n\nb.jpg\n", 6),
        ("sep=,\r\npath,label\r\na.jpg,x\r\nb.jpg\r\n", 4),
        ("path,label\n\"a\n.jpg\",x\nb.jpg\n", 4),
        ("\u{feff}path,label\r\na.jpg,\"x\r\ny\"\r\nb.jpg\r\n", 4),
    ] {
        let error = error("t.csv", text);
        assert!(
            error.contains(&format!("line {line} has 1 field, but the header has 2")),
            "{text:?}: {error}"
        );
    }
}

#[test]
fn a_table_without_anything_and_labels_with_nul_are_refused() {
    for text in ["", "\n\n", "\u{feff}"] {
        assert!(error("t.csv", text).contains("it is empty; expected a header line"), "{text:?}");
    }
    let nul = error("t.csv", "path,label\n1.jpg,a\n2.jpg,b\0c\n");
    assert!(nul.contains("line 3 has a NUL character in its label, column 'label'"), "{nul}");
    let json = error("t.jsonl", "{\"path\": \"1.jpg\", \"label\": \"a\\u0000b\"}\n");
    assert!(json.contains("line 1 has a NUL character in its label, 'label'"), "{json}");
    // Other signs that act on a terminal are never shown as they are.
    let opened = read("t.csv", "path,label\n1.jpg,\u{1b}[31mred\n2.jpg,\u{1b}[31mred \n");
    let shown: String = opened.ledger.remarks.iter().map(|remark| remark.text.clone()).collect();
    assert!(shown.contains("\\x1b[31mred") && !shown.contains('\u{1b}'), "{shown:?}");
}

#[test]
fn values_of_any_length_are_cut_in_what_is_said() {
    let long = "A/9j+".repeat(20_000);
    for (name, text) in [
        ("t.csv", format!("path,label\n{long},a\n{long},b\n")),
        ("t.csv", format!("path,label,split\n1.jpg,{long},{long}\n2.jpg,{long} ,b\n")),
        (
            "t.jsonl",
            format!(
                "{{\"path\": \"{long}\", \"label\": \"a\"}}\n{{\"path\": \"{long}\", \"label\": \"b\"}}\n"
            ),
        ),
        ("t.csv", format!("path,{long},b\n1.jpg,1,0\n2.jpg,0,1\n")),
    ] {
        let opened = read(name, &text);
        assert!(!opened.ledger.remarks.is_empty(), "{name}");
        for remark in &opened.ledger.remarks {
            assert!(remark.text.len() < 2_000, "{name}: {} bytes", remark.text.len());
        }
    }
    let columns: Vec<String> = (0..5_000).map(|column| format!("column {column}")).collect();
    for text in [
        format!("{long},b\n1,2\n"),
        format!("{}\n", columns.join(",")),
        format!("path,label\n1.jpg,\"{long}\n2.jpg,b\n"),
        format!("path,label\n1.jpg,\"{long}\n2.jpg,b\"\n"),
    ] {
        let error = error("t.csv", &text);
        assert!(error.len() < 3_000, "{} bytes: {}", error.len(), &error[..300]);
    }
}
