//! The splits that the README of a hub's dataset declares.

use super::shard_tests::{named, parquet, read, tar};
use super::testing::{rows, says, tree};
use chaffinch_protocol::RemarkKind;
use std::fs;
use std::path::Path;

/// The splits of the samples, in their order.
fn splits(path: &Path) -> Vec<String> {
    rows(&read(path)).iter().map(|row| row.rsplit(' ').next().unwrap_or_default().to_owned()).collect()
}

fn readme(folder: &Path, configs: &str) {
    fs::write(folder.join("README.md"), format!("---\nlicense: mit\nconfigs:\n{configs}---\n# Cats\n"))
        .unwrap();
}

#[test]
fn declared_splits_are_those_of_the_files() {
    let temp = tempfile::tempdir().unwrap();
    for (number, name) in
        (0..).zip(["data/a-0.parquet", "data/a-1.parquet", "data/b/x.parquet", "test.parquet"])
    {
        parquet(&temp.path().join(name), &named(2 * number, &[0, 1], &["cat", "dog"]));
    }
    let each =
        |one: [&str; 4]| one.iter().flat_map(|split| [(*split).to_owned(), (*split).to_owned()]).collect();
    let usual: Vec<String> = each(["-", "-", "-", "test"]);
    assert_eq!(splits(temp.path()), usual);
    for configs in [
        "- config_name: default\n  data_files:\n  - split: train\n    path: data/a-*\n  - split: validation\n    path:\n    \
         - data/b/x.parquet\n  - split: test\n    path: test.parquet\n",
        "- config_name: all\n  default: true\n  data_files:\n  - split: train\n    path: [./data/a-0.parquet, data/a-1.parquet]\n  \
         - split: validation\n    path: data/b/**\n  - split: test\n    path: \"*.parquet\"\n\
         - config_name: whole\n  data_files: '**/*.parquet'\n",
        // Another configuration has the files in other splits.
        "- config_name: one\n  data_files:\n  - split: test\n    path: '**'\n- config_name: default\n  data_files:\n    \
         train: data/a-*\n    validation: data/b/*\n    test: test.parquet\n",
    ] {
        readme(temp.path(), configs);
        let expected: Vec<String> = each(["train", "train", "validation", "test"]);
        assert_eq!(splits(temp.path()), expected, "{configs}");
        let opened = read(temp.path());
        let text =
            "the splits of 4 files were taken from README.md, which declares them: test, train, validation";
        assert!(says(&opened, RemarkKind::LayoutGuessed, text), "{:#?}", opened.ledger);
        let text = "gives 3 files another split in another configuration, and that of 'default' was taken: data/a-0.parquet is \
                    in 'train' and in 'test'";
        assert_eq!(
            says(&opened, RemarkKind::LayoutDoubtful, text),
            configs.contains("one"),
            "{:#?}",
            opened.ledger
        );
        // A part of the dataset is in the same splits.
        assert_eq!(splits(&temp.path().join("data"))[..], expected[..6]);
        assert_eq!(splits(&temp.path().join("data/b/x.parquet"))[..], expected[4..6]);
        assert_eq!(splits(&temp.path().join("data/a-*.parquet"))[..], expected[..4]);
    }
    // What the README does not mention is read, and said.
    readme(temp.path(), "- config_name: default\n  data_files:\n  - split: train\n    path: data/a-*\n");
    let opened = read(temp.path());
    let text = "2 files are in no configuration of README.md and were read all the same: data/b/x.parquet";
    assert!(says(&opened, RemarkKind::LayoutDoubtful, text), "{:#?}", opened.ledger);
    assert_eq!(splits(temp.path()), each(["train", "train", "-", "test"]) as Vec<String>);
}

#[test]
fn declared_splits_are_those_of_tar_files() {
    let temp = tempfile::tempdir().unwrap();
    tar(&temp.path().join("p/000000.tar"), &[("1.png", "a"), ("1.cls", "cat")]);
    tar(&temp.path().join("q/000000.tar"), &[("2.png", "b"), ("2.cls", "dog")]);
    readme(
        temp.path(),
        "- config_name: c\n  data_dir: .\n  data_files:\n  - split: train\n    path: p/*.tar\n  - split: test\n    path: q/*.tar\n",
    );
    assert_eq!(splits(temp.path()), ["train", "test"]);
}

#[test]
fn declared_names_are_those_of_classes_that_files_only_number() {
    let temp = tempfile::tempdir().unwrap();
    parquet(&temp.path().join("data/train.parquet"), &named(0, &[1, 0], &[]));
    let labels = || -> Vec<String> {
        let opened = read(temp.path());
        opened.manifest.ids().map(|id| opened.manifest.label_name(id).to_owned()).collect()
    };
    assert_eq!(labels(), ["1", "0"]);
    let info = |names: &str| {
        let feature = format!("  - name: label\n    dtype:\n      class_label:\n        names:\n{names}");
        format!("---\ndataset_info:\n  features:\n  - name: image\n    dtype: image\n{feature}---\n")
    };
    for names in [
        "          '0': cat\n          '1': dog\n",
        "          0: cat\n          1: dog\n",
        "        - cat\n        - dog\n",
    ] {
        fs::write(temp.path().join("README.md"), info(names)).unwrap();
        assert_eq!(labels(), ["dog", "cat"], "{names}");
    }
    // What the file says comes first.
    parquet(&temp.path().join("data/train.parquet"), &named(0, &[1, 0], &["ant", "bee"]));
    assert_eq!(labels(), ["bee", "ant"]);
}

#[test]
fn declared_names_are_those_of_the_configuration_of_the_file() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("b/train.parquet");
    parquet(&file, &named(0, &[1, 0], &[]));
    let info = |config: &str, names: &str| {
        format!(
            "- config_name: {config}\n  features:\n  - name: label\n    dtype:\n      class_label:\n        names: [{names}]\n"
        )
    };
    let infos = format!("dataset_info:\n{}{}", info("a", "cat, dog"), info("b", "ant, bee"));
    let configs =
        "configs:\n- config_name: b\n  default: true\n  data_files:\n  - split: train\n    path: b/*\n";
    for (head, expected) in [
        (format!("{infos}{configs}"), ["bee", "ant"]),
        (infos.clone(), ["1", "0"]),
        // What is said of another configuration may be said of all.
        (format!("dataset_info:\n{}{configs}", info("a", "cat, dog")), ["dog", "cat"]),
    ] {
        fs::write(temp.path().join("README.md"), format!("---\n{head}---\n")).unwrap();
        let labels = |path: &Path| -> Vec<String> {
            let opened = read(path);
            opened.manifest.ids().map(|id| opened.manifest.label_name(id).to_owned()).collect()
        };
        assert_eq!(labels(temp.path()), expected, "{head}");
        assert_eq!(labels(&file), ["1", "0"], "a file alone has no README in it");
    }
}

#[test]
fn names_are_declared_for_numbers_in_tables_beside_pictures() {
    let head = "---\ndataset_info:\n  features:\n  - name: label\n    dtype:\n      class_label:\n        names: [cow, ant]\n---\n";
    let files = |table: &'static str| {
        tree(&[
            ("README.md", head),
            ("train/metadata.csv", table),
            ("train/1.png", "a"),
            ("train/2.png", "b"),
        ])
    };
    let temp = files("file_name,label\n1.png,0\n2.png,1.0\n");
    let opened = read(temp.path());
    assert_eq!(rows(&opened), ["train/1.png cow train", "train/2.png ant train"]);
    let text = "the numbers in 'label' of train/metadata.csv are those of classes that README.md names";
    assert!(says(&opened, RemarkKind::LayoutGuessed, text), "{:#?}", opened.ledger);
    let temp = files("file_name,label\n1.png,-1\n2.png,1\n");
    assert_eq!(rows(&read(temp.path())), ["train/1.png - train", "train/2.png ant train"]);
    // Names are names, and a number that has none leaves all of them.
    let temp = files("file_name,label\n1.png,cow\n2.png,elk\n");
    assert_eq!(rows(&read(temp.path())), ["train/1.png cow train", "train/2.png elk train"]);
    let temp = files("file_name,label\n1.png,0\n2.png,2\n");
    assert_eq!(rows(&read(temp.path())), ["train/1.png 0 train", "train/2.png 2 train"]);
}
