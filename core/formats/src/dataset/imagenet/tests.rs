use crate::dataset::testing::{read_folder, refused, rows, says, tree};
use chaffinch_protocol::RemarkKind;

const VAL: &str = "ILSVRC/Data/CLS-LOC/val/ILSVRC2012_val_0000000";

#[test]
fn each_list_gives_the_labels_of_the_flat_folder() {
    let [one, two, three] = [1, 2, 3].map(|number| format!("{VAL}{number}.JPEG"));
    let solution = "ImageId,PredictionString\nILSVRC2012_val_00000001,n02 1 2 3 4 n02 1 1 1 1 \nILSVRC2012_val_00000003,n01 1 2 3 4\n";
    let lists: [(&str, &str, &[(&str, &str)]); 3] = [
        ("LOC_val_solution.csv", solution, &[]),
        ("imagenet_2012_validation_synset_labels.txt", "n02\nn01\nn01\n", &[]),
        (
            "devkit/data/ILSVRC2012_validation_ground_truth.txt",
            "7\n5\n5\n",
            &[("map_clsloc.txt", "n01 5 kit_fox\nn02 7 English_setter\n")],
        ),
    ];
    for (name, text, more) in lists {
        let mut files = vec![
            ("ILSVRC/Data/CLS-LOC/train/n01/n01_1.JPEG", ""),
            ("ILSVRC/Data/CLS-LOC/train/n02/n02_1.JPEG", ""),
            (one.as_str(), ""),
            (two.as_str(), ""),
            (three.as_str(), ""),
            (name, text),
        ];
        files.extend(more);
        let temp = tree(&files);
        let opened = read_folder(temp.path());
        let second = if name.ends_with(".csv") { "-" } else { "n01" };
        let expected = [
            "ILSVRC/Data/CLS-LOC/train/n01/n01_1.JPEG n01 train".to_owned(),
            "ILSVRC/Data/CLS-LOC/train/n02/n02_1.JPEG n02 train".to_owned(),
            format!("{one} n02 validation"),
            format!("{two} {second} validation"),
            format!("{three} n01 validation"),
        ];
        assert_eq!(rows(&opened), expected, "{name}: {:#?}", opened.ledger);
    }
}

#[test]
fn numbers_without_their_meaning_and_lists_that_are_too_short() {
    let list = ("ILSVRC2012_validation_ground_truth.txt", "7\n5\n");
    let alone =
        tree(&[("val/ILSVRC2012_val_00000001.JPEG", ""), ("val/ILSVRC2012_val_00000002.JPEG", ""), list]);
    let opened = read_folder(alone.path());
    assert_eq!(rows(&opened)[1], "val/ILSVRC2012_val_00000002.JPEG 5 validation");
    assert!(says(&opened, RemarkKind::LayoutGuessed, "map_clsloc.txt"));
    let folders = tree(&[
        ("train/n01440764/1.JPEG", ""),
        ("train/n01443537/2.JPEG", ""),
        ("val/ILSVRC2012_val_00000001.JPEG", ""),
        list,
    ]);
    let opened = read_folder(folders.path());
    assert_eq!(opened.manifest.classes(), ["n01440764", "n01443537"]);
    assert!(says(&opened, RemarkKind::LabelsMissing, "put map_clsloc.txt beside it"), "{:#?}", opened.ledger);
    let short = tree(&[("val/ILSVRC2012_val_00000003.JPEG", ""), list]);
    let error = refused(&short, "");
    assert!(error.contains("it has 2 lines, but there is an image with the number 3"), "{error}");
}

#[test]
fn lines_without_an_image_are_warned_of() {
    let opened = read_folder(
        tree(&[
            ("val/ILSVRC2012_val_00000001.JPEG", ""),
            ("val/ILSVRC2012_val_00000003.JPEG", ""),
            ("ILSVRC2012_validation_ground_truth.txt", "7\n5\n7\n6\n"),
        ])
        .path(),
    );
    assert_eq!(rows(&opened)[1], "val/ILSVRC2012_val_00000003.JPEG 7 validation");
    let words = "2 entries of ILSVRC2012_validation_ground_truth.txt have no image: the first is on line 2";
    assert!(says(&opened, RemarkKind::FilesMissing, words), "{:#?}", opened.ledger);
}
