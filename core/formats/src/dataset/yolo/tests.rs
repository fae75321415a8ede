use crate::dataset::testing::{column, read_folder, refused, rows, says, tree};
use chaffinch_protocol::RemarkKind;

const LIST: &str =
    "train: ../train/images\nval: ../valid/images\nnc: 2\nnames: ['cat', 'dog']\nroboflow:\n  workspace: x\n";
const MAP: &str =
    "path: ../datasets/coco8  # root\ntrain: images/train\nval: images/part2\nnames:\n  0: cat\n  1: 'no'\n";

#[test]
fn boxes_beside_pictures() {
    let files = [
        ("images/train/1.jpg", ""),
        ("images/train/2.jpg", ""),
        ("images/part2/3.jpg", ""),
        ("images/part2/4.jpg", ""),
        ("labels/train/1.txt", "0 0.5 0.5 0.1 0.1\n1 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.1 0.1\n"),
        ("labels/train/2.txt", "1 0.5 0.5 0.1 0.1\n0 0.1 0.1 0.9 0.1 0.9 0.9\n"),
        ("labels/part2/3.txt", ""),
        ("data.yaml", MAP),
    ];
    let opened = read_folder(tree(&files).path());
    let expected = [
        "images/part2/3.jpg - validation",
        "images/part2/4.jpg - validation",
        "images/train/1.jpg cat train",
        "images/train/2.jpg cat train",
    ];
    assert_eq!(rows(&opened), expected, "{:#?}", opened.ledger);
    assert_eq!(column(&opened, "all_labels"), ["", "", "cat|no", "cat|no"]);
    assert!(says(&opened, RemarkKind::LabelsMissing, "2 images have no label"));
}

#[test]
fn names_from_elsewhere_or_numbers() {
    let boxes = "1 0.5 0.5 0.1 0.1\n";
    let roboflow = tree(&[
        ("train/images/1.jpg", ""),
        ("train/labels/1.txt", boxes),
        ("valid/images/2.jpg", ""),
        ("data.yaml", LIST),
    ]);
    assert_eq!(
        rows(&read_folder(roboflow.path())),
        ["train/images/1.jpg dog train", "valid/images/2.jpg - validation"]
    );
    let flat = tree(&[("1.jpg", ""), ("1.txt", boxes), ("classes.txt", "cat\ndog\n")]);
    assert_eq!(rows(&read_folder(flat.path())), ["1.jpg dog -"]);
    let bare = tree(&[("images/1.jpg", ""), ("labels/1.txt", boxes)]);
    let opened = read_folder(bare.path());
    assert_eq!(rows(&opened), ["images/1.jpg 1 -"]);
    assert!(says(&opened, RemarkKind::LayoutGuessed, "called by its number, such as 1"));
    for names in ["names: [cat, dog]\n", "names:\n  0: cat\n  1: dog\n"] {
        let only = tree(&[("images/1.jpg", ""), ("labels/1.txt", boxes), ("data.yaml", names)]);
        assert_eq!(rows(&read_folder(only.path())), ["images/1.jpg dog -"], "{names}");
    }
    let few = tree(&[("images/1.jpg", ""), ("labels/1.txt", "7 0 0 1 1\nx y\n"), ("data.yaml", LIST)]);
    let opened = read_folder(few.path());
    assert_eq!(rows(&opened), ["images/1.jpg 7 -"]);
    assert!(says(&opened, RemarkKind::ClassesDoubtful, "there are 2 names"), "{:#?}", opened.ledger);
    assert!(says(&opened, RemarkKind::LabelsMissing, "such as line 2 of labels/1.txt"));
}

#[test]
fn a_broken_line_is_told_and_the_other_files_are_read() {
    for description in [None, Some(("data.yaml", LIST))] {
        let boxes = "1 0.5 0.5 0.1 0.1\n";
        let mut files = vec![
            ("images/1.jpg", ""),
            ("images/2.jpg", ""),
            ("images/3.jpg", ""),
            ("labels/1.txt", "cat 0.5 0.5\n"),
            ("labels/2.txt", boxes),
            ("labels/3.txt", boxes),
        ];
        files.extend(description);
        let opened = read_folder(tree(&files).path());
        let class = if description.is_some() { "dog" } else { "1" };
        let expected =
            ["images/1.jpg - -".into(), format!("images/2.jpg {class} -"), format!("images/3.jpg {class} -")];
        assert_eq!(rows(&opened), expected, "{:#?}", opened.ledger);
        assert!(
            says(
                &opened,
                RemarkKind::LabelsMissing,
                "1 line is not a box and was not read, such as line 1 of labels/1.txt"
            ),
            "{:#?}",
            opened.ledger
        );
    }
}

#[test]
fn class_folders_with_a_description() {
    let named = tree(&[("train/cat/1.jpg", ""), ("valid/dog/2.jpg", ""), ("data.yaml", LIST)]);
    assert_eq!(
        rows(&read_folder(named.path())),
        ["train/cat/1.jpg cat train", "valid/dog/2.jpg dog validation"]
    );
    let numbers = "train: part1\nval: part2\nnames: [cat, dog]\n";
    let numbered = tree(&[("part1/0/1.jpg", ""), ("part2/1/2.jpg", ""), ("data.yaml", numbers)]);
    assert_eq!(
        rows(&read_folder(numbered.path())),
        ["part1/0/1.jpg cat train", "part2/1/2.jpg dog validation"]
    );
    let parts = tree(&[("part1/cat/1.jpg", ""), ("part2/dog/2.jpg", ""), ("data.yaml", numbers)]);
    assert_eq!(
        rows(&read_folder(parts.path())),
        ["part1/cat/1.jpg cat train", "part2/dog/2.jpg dog validation"]
    );
}

#[test]
fn broken_descriptions_say_what_is_wrong() {
    for (yaml, expected) in [
        ("names: [cat\ntrain: x\n", "it is not valid YAML"),
        ("names: {a: cat}\ntrain: x\n", "names by numbers"),
        ("names: cat\ntrain: x\n", "neither a list nor names"),
    ] {
        let temp = tree(&[("images/1.jpg", ""), ("labels/1.txt", "0 0 0 1 1\n"), ("data.yaml", yaml)]);
        let error = refused(&temp, "");
        assert!(error.contains(expected) && error.contains("--label-files ignore"), "{error}");
    }
}

#[test]
fn lists_of_another_computer_give_the_splits() {
    for (train, val, description) in [
        (
            "/home/alice/pets/images/cat/1.jpg\n/home/alice/pets/images/dog/2.jpg\n",
            "/home/alice/pets/images/cat/3.jpg\n/home/alice/pets/images/dog/gone.jpg\n",
            "path: /home/alice/pets\ntrain: train.txt\nval: val.txt\nnames: [cat, dog]\n",
        ),
        (
            "C:\\data\\pets\\images\\cat\\1.jpg\r\nC:\\data\\pets\\images\\dog\\2.jpg\r\n",
            "C:\\data\\pets\\images\\cat\\3.jpg\r\n",
            "train: C:\\data\\pets\\train.txt\nval: C:\\data\\pets\\val.txt\nnames: [cat, dog]\n",
        ),
        (
            "./images/cat/1.jpg\nimages/dog/2.jpg\n",
            "./images/cat/3.jpg\n",
            "train: /data/pets/train.txt\nval: ../pets/val.txt\nnames: [cat, dog]\n",
        ),
    ] {
        let temp = tree(&[
            ("images/cat/1.jpg", ""),
            ("images/dog/2.jpg", ""),
            ("images/cat/3.jpg", ""),
            ("images/cat/4.jpg", ""),
            ("train.txt", train),
            ("val.txt", val),
            ("data.yaml", description),
        ]);
        let opened = read_folder(temp.path());
        let expected = [
            "images/cat/1.jpg cat train",
            "images/cat/3.jpg cat validation",
            "images/cat/4.jpg cat -",
            "images/dog/2.jpg dog train",
        ];
        assert_eq!(rows(&opened), expected, "{description}: {:#?}", opened.ledger);
        assert!(says(&opened, RemarkKind::LayoutGuessed, "the splits of 3 images were read from data.yaml"));
        let gone = "1 line of val.txt names no image of this folder: /home/alice/pets/images/dog/gone.jpg";
        assert_eq!(
            says(&opened, RemarkKind::FilesMissing, gone),
            val.contains("gone"),
            "{:#?}",
            opened.ledger
        );
    }
}

#[test]
fn names_that_differ_from_the_class_folders_are_said() {
    let yaml = "train: train\nval: val\nnames: [kitty, dog]\n";
    let temp = tree(&[("train/cat/1.jpg", ""), ("val/dog/2.jpg", ""), ("data.yaml", yaml)]);
    let opened = read_folder(temp.path());
    assert_eq!(rows(&opened), ["train/cat/1.jpg cat train", "val/dog/2.jpg dog validation"]);
    let text = "1 class folder is not among the names of data.yaml, and counts all the same: 'cat', which names 'kitty'";
    assert!(says(&opened, RemarkKind::ClassesDoubtful, text), "{:#?}", opened.ledger);
    // Splits of folders that nothing else says.
    let yaml = "train: part1\nval: part2\nnames: [kitty, doggy]\n";
    let temp = tree(&[("part1/cat/1.jpg", ""), ("part2/dog/2.jpg", ""), ("data.yaml", yaml)]);
    let opened = read_folder(temp.path());
    assert_eq!(rows(&opened), ["part1/cat/1.jpg cat train", "part2/dog/2.jpg dog validation"]);
    assert!(says(&opened, RemarkKind::ClassesDoubtful, "2 class folders are not among the names"));
    // What folders say of splits counts, and is said.
    let yaml = "train: [train, val]\ntest: gone\nnames: [cat, dog]\n";
    let temp = tree(&[("train/cat/1.jpg", ""), ("val/dog/2.jpg", ""), ("data.yaml", yaml)]);
    let opened = read_folder(temp.path());
    assert_eq!(rows(&opened), ["train/cat/1.jpg cat train", "val/dog/2.jpg dog validation"]);
    let text = "1 image is in another split by data.yaml than by the folders, which count: val/dog/2.jpg in validation";
    assert!(says(&opened, RemarkKind::LayoutDoubtful, text), "{:#?}", opened.ledger);
    assert!(says(
        &opened,
        RemarkKind::LayoutGuessed,
        "not in this folder, though data.yaml names them: gone"
    ));
}
