//! Tables beside the pictures of a folder, which say their labels and splits.

use super::*;

#[test]
fn metadata_beside_pictures_gives_labels() {
    let temp = tree(&["test/3.jpg", "train/1.jpg", "train/2.jpg", "train/4.jpg"]);
    write(
        &temp,
        "train/metadata.csv",
        "file_name,label,note\n1.jpg,cat,\"a, b\"\n2.jpg,dog,\ngone.jpg,cat,\n",
    );
    write(&temp, "test/metadata.jsonl", "{\"file_name\": \"3.jpg\", \"label\": \"cat\", \"age\": 7}\n");
    let opened = read_in(&temp);
    let expected = [
        row("test/3.jpg", "cat", Split::Test),
        row("train/1.jpg", "cat", Split::Train),
        row("train/2.jpg", "dog", Split::Train),
        row("train/4.jpg", "", Split::Train),
    ];
    assert_eq!(rows(&opened), expected);
    let extra: Vec<(&str, Vec<&str>)> = opened
        .manifest
        .extra()
        .iter()
        .map(|column| (column.name.as_str(), column.values.iter().map(String::as_str).collect()))
        .collect();
    assert_eq!(extra, [("age", vec!["7", "", "", ""]), ("note", vec!["", "a, b", "", ""])]);
    let texts = texts(&opened);
    assert!(texts.contains(&"1 image has no row in train/metadata.csv: train/4.jpg"), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("missing: train/gone.jpg")), "{texts:?}");
    assert_eq!((opened.ledger.found, opened.ledger.left_out), (6, 2));
}

#[test]
fn metadata_may_be_in_any_encoding_and_a_doubt_about_its_labels_is_said() {
    let temp = tree(&["train/1.jpg", "train/2.jpg"]);
    let latin = b"file_name;label\n1.jpg;caf\xe9\n2.jpg;caf\xe8\n";
    fs::write(temp.path().join("train/metadata.csv"), latin).unwrap();
    assert_eq!(read_in(&temp).manifest.classes(), ["caf\u{e8}", "caf\u{e9}"]);
    write(&temp, "train/metadata.csv", "file_name,label,category\n1.jpg,cat,pet\n2.jpg,dog,pet\n");
    let opened = read_in(&temp);
    assert_eq!(opened.manifest.classes(), ["cat", "dog"]);
    let doubt =
        opened.ledger.remarks.iter().find(|remark| remark.kind == RemarkKind::LayoutDoubtful).unwrap();
    assert!(doubt.text.contains("'label' and 'category' of train/metadata.csv"), "{}", doubt.text);
    assert!(doubt.text.contains("--label-column"), "{}", doubt.text);
    write(&temp, "train/metadata.csv", "file_name,species\n1.jpg,cat\n2.jpg,dog\n");
    let opened = read_in(&temp);
    assert!(texts(&opened)[0].contains("--label-column chooses one: 'species'"), "{:?}", opened.ledger);
}

#[test]
fn a_table_of_flags_gives_labels() {
    let temp = tree(&["train/1.jpg", "train/2.jpg", "train/3.jpg", "valid/4.jpg"]);
    write(&temp, "train/_classes.csv", "filename, cat, dog\n1.jpg, 1, 0\n2.jpg, 1, 1\n3.jpg, 0, 0\n");
    write(&temp, "valid/_classes.csv", "filename, cat\n4.jpg, 1\n");
    let opened = read_in(&temp);
    let expected = [
        row("train/1.jpg", "cat", Split::Train),
        row("train/2.jpg", "", Split::Train),
        row("train/3.jpg", "", Split::Train),
        row("valid/4.jpg", "cat", Split::Validation),
    ];
    assert_eq!(rows(&opened), expected);
    let all = opened.manifest.extra().iter().find(|column| column.name == "all_labels").unwrap();
    assert_eq!(all.values, ["", "cat|dog", "", ""]);
    assert_eq!(opened.ledger.count(RemarkKind::LabelsSeveral), 1, "{:?}", opened.ledger);
}

#[test]
fn tables_of_several_pictures_in_a_row_are_refused_by_name() {
    for heading in ["file_names", "left_file_name,right_file_name"] {
        let temp = tree(&["train/1.jpg"]);
        write(
            &temp,
            "train/metadata.csv",
            &format!("{heading},label\n{}cat\n", "1.jpg,".repeat(heading.split(',').count())),
        );
        let error = open(temp.path(), &DatasetOptions::default()).unwrap_err().to_string();
        assert!(error.contains("names several images in a row") && error.contains("metadata.csv"), "{error}");
        let options = DatasetOptions { label_files: LabelFiles::Optional, ..DatasetOptions::default() };
        assert!(open(temp.path(), &options).unwrap().manifest.classes().is_empty());
    }
    let temp = tree(&["train/1.jpg"]);
    write(&temp, "train/metadata.csv", "photo_file_name,label\n1.jpg,cat\n");
    assert_eq!(rows(&read_in(&temp)), [row("train/1.jpg", "cat", Split::Train)]);
}

#[test]
fn malformed_metadata_names_its_line() {
    for (name, text, expected) in [
        ("metadata.csv", "file_name,label\n1.jpg\n", "line 2 has 1 field, but the header has 2"),
        ("metadata.jsonl", "{\"file_name\": \"1.jpg\"}\n[1]\n", "line 2 is not a JSON object"),
    ] {
        let temp = tree(&["1.jpg"]);
        write(&temp, name, text);
        let error = open(temp.path(), &DatasetOptions::default()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_row_that_gives_a_file_another_label_is_said() {
    let temp = tree(&["train/1.jpg", "train/2.jpg"]);
    write(&temp, "train/metadata.csv", "file_name,label\n1.jpg,cat\n2.jpg,dog\n1.jpg,cow\n2.jpg,dog\n");
    let opened = read_in(&temp);
    assert_eq!(rows(&opened)[0], row("train/1.jpg", "cat", Split::Train));
    let wanted = "1 row of train/metadata.csv gives an earlier file another label, and the first was taken: train/1.jpg \
                  ('cat', 'cow')";
    assert!(texts(&opened).contains(&wanted), "{:?}", texts(&opened));
}

#[test]
fn metadata_says_splits_as_tables_of_paths_do() {
    let splits = |table: &str| -> (Vec<Split>, Vec<String>) {
        let temp = tree(&["images/1.jpg", "images/2.jpg", "images/3.jpg"]);
        write(&temp, "metadata.csv", table);
        let opened = read_in(&temp);
        let manifest = &opened.manifest;
        let said = texts(&opened).into_iter().map(str::to_owned).collect();
        (manifest.ids().map(|id| manifest.split(id)).collect(), said)
    };
    let (train, validation, test) = (Split::Train, Split::Validation, Split::Test);
    for (heading, cells, expected) in [
        ("split", ["train", "val", "test"], [train, validation, test]),
        ("subset", ["Train", "dev", "TEST"], [train, validation, test]),
        ("partition", ["train", "valid", "test"], [train, validation, test]),
        ("is_train", ["True", "False", "True"], [train, test, train]),
        ("is_valid", ["0", "1", "0"], [train, validation, train]),
        ("fold", ["0", "1", "2"], [Split::None; 3]),
    ] {
        let lines: Vec<String> =
            (1..).zip(cells).map(|(number, cell)| format!("images/{number}.jpg,cat,{cell}\n")).collect();
        let (found, said) = splits(&format!("file_name,label,{heading}\n{}", lines.concat()));
        assert_eq!(found, expected, "{heading}");
        let is_guess = !matches!(heading, "split" | "subset" | "fold");
        assert_eq!(said.iter().any(|text| text.contains("taken for the splits")), is_guess, "{said:?}");
    }
    // A folder that says it goes first, and that the table says something else is said.
    let temp = tree(&["train/1.jpg", "train/2.jpg"]);
    write(&temp, "train/metadata.csv", "file_name,label,set\n1.jpg,cat,train\n2.jpg,cat,test\n");
    let opened = read_in(&temp);
    assert!(opened.manifest.ids().all(|id| opened.manifest.split(id) == train));
    let said = texts(&opened);
    assert!(said.iter().any(|text| text.contains("another split than the folders")), "{said:?}");
}

#[test]
fn metadata_names_pictures_by_any_kind_of_path() {
    let temp = tree(&["images/a 1.jpg", "images/2.jpg"]);
    let root = fs::canonicalize(temp.path()).unwrap();
    let root = root.to_str().unwrap();
    for (first, second) in [
        ("images/a 1.jpg".to_owned(), "./images/2.jpg".to_owned()),
        (format!("{root}/images/a 1.jpg"), format!("{root}/images/2.jpg")),
        (format!("file://{root}/images/a%201.jpg"), "file:///".to_owned() + &root[1..] + "/images/2.jpg"),
    ] {
        write(&temp, "metadata.csv", &format!("file_name,label\n{first},cat\n{second},dog\n"));
        let opened = read_in(&temp);
        let expected = [row("images/2.jpg", "dog", Split::None), row("images/a 1.jpg", "cat", Split::None)];
        assert_eq!(rows(&opened), expected, "{first}");
    }
    // What leads elsewhere is missing, not passed over.
    write(&temp, "metadata.csv", "file_name,label\nimages/2.jpg,dog\n/elsewhere/1.jpg,cat\n../1.jpg,cat\n");
    let opened = read_in(&temp);
    let said = texts(&opened);
    let missing = said.iter().find(|text| text.contains("name files that are missing"));
    assert!(
        missing.is_some_and(|text| text.contains("2 rows") && text.contains("/elsewhere/1.jpg")),
        "{said:?}"
    );
}

#[test]
fn one_folder_beside_metadata_without_labels_is_no_class_in_silence() {
    let temp = tree(&["mixed/1.jpg", "mixed/2.jpg"]);
    write(&temp, "metadata.csv", "file_name,species\nmixed/1.jpg,cat\nmixed/2.jpg,dog\n");
    let opened = read_in(&temp);
    let words = "all labels are 'mixed', the name of the only folder; --label-column chooses one: 'species'";
    let said = opened.ledger.remarks.iter().find(|remark| remark.text.contains(words));
    assert!(said.is_some_and(|remark| remark.kind.is_serious()), "{:?}", opened.ledger);
    write(&temp, "metadata.csv", "file_name,label_name\nmixed/1.jpg,cat\nmixed/2.jpg,dog\n");
    assert_eq!(read_in(&temp).manifest.classes(), ["cat", "dog"]);
}

#[test]
fn metadata_of_another_computer_is_matched_by_the_ends_of_its_paths() {
    let temp = tree(&["cat/1.jpg", "cat/2.jpg", "dog/1.jpg", "dog/3.jpg"]);
    for start in ["/home/ann/pets/", "pets/", "C:\\pets\\", "s3://bucket/pets/"] {
        let slash = if start.contains('\\') { "\\" } else { "/" };
        let line = |(path, label): &(&str, &str)| format!("{start}{},{label}\n", path.replace('/', slash));
        let lines = |all: &[(&str, &str)]| all.iter().map(line).collect::<String>();
        let all = [("cat/1.jpg", "owl"), ("dog/1.jpg", "cow"), ("dog/3.jpg", "cow"), ("dog/9.jpg", "pig")];
        write(&temp, "metadata.csv", &format!("file_name,label\n{}", lines(&all)));
        let opened = read_in(&temp);
        let expected = [("cat/1.jpg", "owl"), ("cat/2.jpg", ""), ("dog/1.jpg", "cow"), ("dog/3.jpg", "cow")];
        assert_eq!(rows(&opened), expected.map(|(path, label)| row(path, label, Split::None)), "{start}");
        let said = texts(&opened);
        let matched = "3 rows of metadata.csv name files elsewhere and were matched by the end of the path: ";
        assert!(
            said.iter().any(|text| text.starts_with(matched) && text.ends_with("is cat/1.jpg here")),
            "{said:?}"
        );
        assert!(
            said.iter().any(|text| text.contains("1 row of metadata.csv names a file that is missing")),
            "{said:?}"
        );
        // What nothing here ends like takes no label away.
        write(
            &temp,
            "metadata.csv",
            &format!("file_name,label\n{}", lines(&[("x/8.jpg", "owl"), ("x/9.jpg", "cow")])),
        );
        let opened = read_in(&temp);
        assert_eq!(opened.manifest.classes(), ["cat", "dog"], "{start}");
        let remark = opened.ledger.remarks.iter().find(|remark| {
            remark
                .text
                .contains("metadata.csv was not read: none of its 2 rows names an image of this folder")
        });
        assert!(remark.is_some_and(|remark| remark.kind.is_serious()), "{:?}", opened.ledger);
    }
    // A name that several have means none of them.
    write(&temp, "metadata.csv", "file_name,label\n/x/1.jpg,owl\n/x/2.jpg,cow\n/x/3.jpg,cow\n");
    let opened = read_in(&temp);
    assert_eq!(opened.manifest.classes(), ["cow"]);
    let said = texts(&opened);
    assert!(
        said.iter().any(|text| text.contains("may mean several images, so nothing was taken: /x/1.jpg")),
        "{said:?}"
    );
}

#[test]
fn of_tables_above_each_other_the_nearer_counts_and_what_differs_is_said() {
    // Whatever the folder is called, before or after the table above it.
    for folder in ["a", "z"] {
        let names = ["1.jpg", "2.jpg", "3.jpg"].map(|name| format!("{folder}/{name}"));
        let temp = tree(&names.each_ref().map(String::as_str));
        let all = "file_name,label,split\nF/1.jpg,cat,train\nF/2.jpg,cat,train\nF/3.jpg,dog,test\n";
        write(&temp, "metadata.csv", &all.replace('F', folder));
        let nearer = "file_name,label,split\n1.jpg,dog,test\n2.jpg,cat,\n";
        write(&temp, &format!("{folder}/metadata.csv"), nearer);
        let opened = read_in(&temp);
        let expected = [("dog", Split::Test), ("cat", Split::Train), ("dog", Split::Test)];
        let expected: Vec<Row> =
            names.iter().zip(expected).map(|(path, (label, split))| row(path, label, split)).collect();
        assert_eq!(rows(&opened), expected);
        for (what, [new, old]) in [("label", ["dog", "cat"]), ("split", ["test", "train"])] {
            let text = format!(
                "1 row of {folder}/metadata.csv gives another {what} than a table in a folder above, and the nearer table \
                 counts: {folder}/1.jpg ('{new}', but '{old}' in metadata.csv)"
            );
            let found = opened.ledger.remarks.iter().find(|remark| remark.text == text);
            assert!(found.is_some_and(|remark| remark.kind.is_serious()), "{:#?}", opened.ledger);
        }
        assert!(!texts(&opened).iter().any(|text| text.contains("than the folders")), "{:#?}", opened.ledger);
    }
}

#[test]
fn metadata_whose_columns_say_two_splits_is_said() {
    let temp = tree(&["images/1.jpg", "images/2.jpg", "images/3.jpg"]);
    let lines = "images/1.jpg,cat,1,0\nimages/2.jpg,dog,1,1\nimages/3.jpg,dog,0,1\n";
    write(&temp, "metadata.csv", &format!("file_name,label,is_train,is_test\n{lines}"));
    let opened = read_in(&temp);
    let splits: Vec<Split> = opened.manifest.ids().map(|id| opened.manifest.split(id)).collect();
    assert_eq!(splits, [Split::Train, Split::None, Split::Test]);
    let text = "1 row of metadata.csv is in two splits by the columns 'is_train', 'is_test', and counts as having none";
    let found = opened.ledger.remarks.iter().find(|remark| remark.text == text);
    assert!(found.is_some_and(|remark| remark.kind.is_serious()), "{:#?}", opened.ledger);
}
