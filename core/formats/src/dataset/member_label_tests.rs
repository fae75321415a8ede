//! Labels of pictures in tar files: from members, folders, names of shards, and lists of classes beside them.

use super::shard_tests::{labels, read, tar, with};
use super::testing::{says, tree};
use chaffinch_protocol::RemarkKind;
use std::path::PathBuf;

/// A tar file of these members, in a folder that goes with it.
fn tarred(members: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a.tar");
    tar(&path, members);
    (temp, path)
}

#[test]
fn members_that_disagree_are_counted_and_either_can_be_taken() {
    let (_temp, path) = tarred(&[
        ("1.png", "a"),
        ("1.cls", "cat"),
        ("1.json", r#"{"label": "dog"}"#),
        ("2.png", "b"),
        ("2.json", r#"{"label": "dog"}"#),
        ("2.cls", "dog"),
        ("3.png", "c"),
        ("3.json", r#"{"label": "cat"}"#),
        ("3.cls", "dog"),
    ]);
    let opened = read(&path);
    assert_eq!(labels(&opened), ["cat", "dog", "dog"]);
    let text = "2 samples have another class in the cls member than in the 'label' of the json, and that of cls was taken: \
                1.png ('cat', 'dog'), 3.png ('dog', 'cat'); --label-column 'label' takes the other";
    assert!(says(&opened, RemarkKind::LabelsSeveral, text), "{:#?}", opened.ledger);
    for (column, expected) in [("label", ["dog", "dog", "cat"]), ("cls", ["cat", "dog", "dog"])] {
        let chosen = with(&path, |options| options.label_column = Some(column.into()));
        assert_eq!(labels(&chosen), expected);
        assert_eq!(chosen.ledger.count(RemarkKind::LabelsSeveral), 0, "{:#?}", chosen.ledger);
    }
    // A number beside a name is that of the class, until it is another one's.
    let members: Vec<(String, String)> =
        [("1", "0", "cat"), ("2", "1", "dog"), ("3", "0", "cat"), ("4", "0", "dog")]
            .iter()
            .flat_map(|(key, number, name)| {
                let json = format!(r#"{{"label": "{name}"}}"#);
                [("png", *key), ("cls", *number), ("json", json.as_str())]
                    .map(|(kind, text)| (format!("{key}.{kind}"), text.to_owned()))
            })
            .collect();
    let members: Vec<(&str, &str)> =
        members.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    tar(&path, &members);
    let opened = read(&path);
    assert_eq!(labels(&opened), ["cat", "dog", "cat", "dog"]);
    let text = "1 sample has a class by name and by number that disagree, and the name was taken: 4.png ('dog', but 0 is \
                'cat' elsewhere)";
    assert!(says(&opened, RemarkKind::LabelsSeveral, text), "{:#?}", opened.ledger);
}

#[test]
fn a_second_picture_of_a_sample_is_named() {
    let (_temp, path) = tarred(&[
        ("x/1.seg.png", "mask"),
        ("x/1.jpg", "a"),
        ("x/1.cls", "cat"),
        ("x/1.npy", "n"),
        ("x/2.jpg", "b"),
        ("x/2.png", "c"),
        ("x/2.cls", "dog"),
    ]);
    let opened = read(&path);
    assert_eq!(labels(&opened), ["cat", "dog"]);
    let text = "2 pictures are not the only ones of their samples and were left out, since a sample has one: \
                x/1.seg.png beside x/1.jpg in a.tar";
    assert!(says(&opened, RemarkKind::OtherFiles, text), "{:#?}", opened.ledger);
    assert!(says(&opened, RemarkKind::OtherFiles, "1 other member of a sample"), "{:#?}", opened.ledger);
}

#[test]
fn a_class_member_comes_before_the_folder() {
    let (_temp, path) = tarred(&[
        ("cat/a.1.png", "a"),
        ("cat/a.1.cls", "dog"),
        ("cat/a.2.png", "b"),
        ("cat/a.2.cls", "cow"),
        ("dog/b.v2.png", "c"),
        ("dog/b.v2.cls", "pig"),
        // Its own class is not said.
        ("dog/c.png", "d"),
        ("pets/d.png", "e"),
        ("cow/e.png", "f"),
        ("cow/e.cls", "-1"),
    ]);
    let opened = read(&path);
    assert_eq!(labels(&opened), ["dog", "cow", "pig", "dog", "", ""]);
    let text =
        "1 sample has no cls member and was given the class of that name that is the folder: dog/c.png";
    assert!(says(&opened, RemarkKind::LayoutGuessed, text), "{:#?}", opened.ledger);
    assert_eq!(opened.ledger.count(RemarkKind::LabelsMissing), 2);
}

#[test]
fn labels_that_differ_from_class_folders_are_said() {
    let (_temp, path) = tarred(&[
        ("ant/1.png", "a"),
        ("ant/1.cls", "bee"),
        ("ant/2.png", "b"),
        ("ant/2.cls", "ant"),
        ("bee/3.png", "c"),
        ("bee/3.cls", "ant"),
        ("pets/4.png", "d"),
        ("pets/4.cls", "bee"),
    ]);
    let opened = read(&path);
    assert_eq!(labels(&opened), ["bee", "ant", "ant", "bee"]);
    let text = "2 labels differ from the class folders, and what the members of the samples say was taken: ant/1.png ('bee')";
    assert!(says(&opened, RemarkKind::LabelsSeveral, text), "{:#?}", opened.ledger);
}

#[test]
fn folders_are_classes_where_no_member_says_any() {
    let temp = tempfile::tempdir().unwrap();
    for shard in 0..2 {
        let name = |folder: &str, kind: &str| format!("{folder}/{shard}.{kind}");
        let members = [
            name("train/cat", "png"),
            name("train/cat", "txt"),
            name("train/dog", "png"),
            name("test/cat", "png"),
        ];
        let members: Vec<(&str, &str)> = members.iter().map(|name| (name.as_str(), name.as_str())).collect();
        tar(&temp.path().join(format!("wds-{shard:03}.tar")), &members);
    }
    let opened = read(temp.path());
    assert_eq!(labels(&opened), ["cat", "dog", "cat", "cat", "dog", "cat"]);
    assert_eq!(opened.manifest.split(chaffinch_protocol::sample::SampleId(2)).name(), "test");
}

#[test]
fn a_tar_file_for_each_class_gives_labels() {
    let fill = |names: &[&str]| {
        let temp = tempfile::tempdir().unwrap();
        for (number, name) in names.iter().enumerate() {
            let members: Vec<(String, String)> =
                (0..3).map(|row| (format!("{row}.png"), format!("{number} {row}"))).collect();
            let members: Vec<(&str, &str)> =
                members.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
            tar(&temp.path().join(name), &members);
        }
        temp
    };
    let classes = fill(&["cat.tar", "dog-000.tar", "dog-001.tar"]);
    let opened = read(classes.path());
    assert_eq!(labels(&opened), ["cat", "cat", "cat", "dog", "dog", "dog", "dog", "dog", "dog"]);
    let text = "the labels of 9 images were taken from the names of the shards, since nothing else gives them: cat, dog; if \
                the shards are parts of the dataset and no classes, use --layout splits";
    assert!(says(&opened, RemarkKind::LayoutDoubtful, text), "{:#?}", opened.ledger);
    let parts = with(classes.path(), |options| options.folders = chaffinch_data::dataset::Folders::Splits);
    assert_eq!(parts.ledger.count(RemarkKind::LabelsMissing), 9, "{:#?}", parts.ledger);
    // Numbers, splits and parts are not classes, and every picture lacks a label.
    for names in [
        ["000.tar", "001.tar", "002.tar"],
        ["shard-a.tar", "shard-b.tar", "shard-c.tar"],
        ["pets-train.tar", "pets-test.tar", "pets-val.tar"],
    ] {
        let opened = read(fill(&names).path());
        assert!(labels(&opened).iter().all(|label| label.is_empty()), "{names:?}");
        assert_eq!(opened.ledger.count(RemarkKind::LabelsMissing), 9, "{names:?} {:#?}", opened.ledger);
    }
}

#[test]
fn numbers_have_the_names_that_lie_beside_the_shards() {
    let temp = tree(&[("classes.txt", "cat\ndog\n")]);
    let path = temp.path().join("train-000000.tar");
    tar(
        &path,
        &[("1.png", "a"), ("1.cls", "1"), ("2.png", "b"), ("2.cls", "0"), ("3.png", "c"), ("3.cls", "5")],
    );
    for path in [temp.path(), &path] {
        let opened = read(path);
        assert_eq!(labels(&opened), ["dog", "cat", "5"]);
        let text = "1 label is a number without a name in classes.txt";
        assert!(says(&opened, RemarkKind::ClassesDoubtful, text), "{:#?}", opened.ledger);
    }
    assert!(says(&read(temp.path()), RemarkKind::OtherFiles, "classes.txt has the names of the classes"));
}

#[test]
fn texts_that_seem_to_be_classes_are_said_where_no_member_says_a_label() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a.tar");
    let said = "the txt members seem to be classes; --label-column txt takes them as labels";
    let write = |folder: &str, texts: [&str; 4]| {
        let names: Vec<(String, String)> =
            (0..4).map(|at| (format!("{folder}{at}.jpg"), format!("{folder}{at}.txt"))).collect();
        let pictures = ["a", "b", "c", "d"];
        let mut members: Vec<(&str, &str)> = Vec::new();
        for (at, (picture, text)) in names.iter().enumerate() {
            members.extend([(picture.as_str(), pictures[at]), (text.as_str(), texts[at])]);
        }
        tar(&path, &members);
    };
    for folder in ["", "s0/"] {
        write(folder, ["cat", "dog", "cat", "dog"]);
        assert!(says(&read(&path), RemarkKind::LayoutDoubtful, said), "{folder}");
        let taken = with(&path, |options| options.label_column = Some("txt".into()));
        assert_eq!(labels(&taken), ["cat", "dog", "cat", "dog"]);
        assert!(!says(&taken, RemarkKind::LayoutDoubtful, said));
        // Captions are not classes.
        write(folder, ["a cat on a mat", "a dog", "two cats", "no dog"]);
        assert!(!says(&read(&path), RemarkKind::LayoutDoubtful, said), "{folder}");
    }
}

#[test]
fn members_that_say_the_class_once_more_are_columns_unless_they_are_no_text() {
    let (_temp, path) = tarred(&[
        ("1.png", "a"),
        ("1.cls", "cat"),
        ("1.classid", "3\n"),
        ("1.category.txt", "Katze"),
        ("1.labels", "\u{3}\0\0\0"),
        ("1.true_label", "dog"),
        ("2.png", "b"),
        ("2.cls", "dog"),
        ("2.classid", "5\n"),
        ("2.category.txt", "Hund"),
        ("2.labels", "\u{5}\0\0\0"),
    ]);
    let opened = read(&path);
    assert_eq!(labels(&opened), ["cat", "dog"]);
    let columns: Vec<(&str, &[String])> = (opened.manifest.extra().iter())
        .map(|column| (column.name.as_str(), column.values.as_slice()))
        .collect();
    let [classid, category] = columns.as_slice() else { panic!("{columns:?}") };
    assert_eq!((classid.0, category.0), ("classid", "category.txt"));
    assert_eq!((&classid.1[1], &category.1[0]), (&"5".to_owned(), &"Katze".to_owned()));
    let text = "2 members are called like labels, but no text, and stay as they are where samples are relabeled: 1.labels";
    assert!(says(&opened, RemarkKind::LayoutDoubtful, text), "{:#?}", opened.ledger);
    // What the label is to others is another member, as before.
    assert!(says(&opened, RemarkKind::OtherFiles, "1 other member of a sample"), "{:#?}", opened.ledger);
}

#[test]
fn a_label_that_is_not_understood_is_no_folder() {
    let read_with = |labels: [&str; 2]| {
        let json = labels.map(|label| format!("{{{label}}}"));
        let (temp, path) = tarred(&[
            ("part/1.png", "a"),
            ("part/1.json", json[0].as_str()),
            ("part/2.png", "b"),
            ("part/2.json", json[1].as_str()),
        ]);
        let opened = read(&path);
        drop(temp);
        opened
    };
    // A list of one is its element.
    assert_eq!(labels(&read_with([r#""label": ["cat"]"#, r#""label": ["dog"]"#])), ["cat", "dog"]);
    for (one, key) in [
        (r#""label": ["cat", "dog"]"#, "label"),
        (r#""labels": []"#, "labels"),
        (r#""label": {"name": "cat"}"#, "label"),
        (r#""annotation": {"label": "cat"}"#, "annotation.label"),
    ] {
        let opened = read_with([one, one]);
        assert_eq!(labels(&opened), ["", ""], "{one}");
        let text = format!("2 samples have no label, as '{key}' in the json is no text and no number");
        assert!(says(&opened, RemarkKind::LabelsMissing, &text), "{one}: {:#?}", opened.ledger);
    }
}
