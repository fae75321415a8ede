//! Files of labels in folders of pictures: YOLO, imagefolder, ImageNet, flat lists, and the names of classes.

use super::dataset::{self, Case};
use crate::Target;
use crate::fixtures::{Named, folder, named};
use crate::input;
use crate::stage::Stage;

/// The target.
pub const TARGET: Target = Target {
    name: "labels",
    reads: "labels beside pictures: YOLO, imagefolder's metadata, ImageNet's lists, flat lists, classes.toml",
    run: |bytes| dataset::run("labels", CASES, bytes),
    seeds,
};

pub(super) const CASES: &[Case] = &[
    (Stage { files: yolo, varied: "data.yaml" }, ""),
    (Stage { files: yolo, varied: "labels/a.txt" }, ""),
    (Stage { files: yolo_classes, varied: "classes.txt" }, ""),
    (Stage { files: yolo_classes, varied: "notes.json" }, ""),
    (Stage { files: imagefolder, varied: "validation/metadata.csv" }, ""),
    (Stage { files: imagefolder, varied: "test/metadata.jsonl" }, ""),
    (Stage { files: imagenet, varied: "LOC_val_solution.csv" }, ""),
    (Stage { files: flat, varied: "labels.txt" }, ""),
    (Stage { files: named_classes, varied: "classes.toml" }, ""),
    (Stage { files: flat_csv, varied: "labels.csv" }, ""),
    (Stage { files: flat_json, varied: "labels.json" }, ""),
];

fn seeds() -> Vec<Vec<u8>> {
    let mut all = dataset::seeds(CASES);
    all.push(input(0, b"path: .\ntrain: [images, other]\nval: val.txt\nnc: 2\nnames: [cat, dog]\n"));
    all.push(input(0, b"a: &x {b: 1}\nnames:\n  0: cat\n  1: 'do''g'\ntrain: images\n"));
    all
}

pub(super) fn yolo() -> Vec<Named> {
    named(&[
        ("data.yaml", b"train: images\nnames: {0: cat, 1: dog}\n"),
        ("images/a.png", b"a"),
        ("images/b.png", b"b"),
        ("labels/a.txt", b"0 .5 .5 1 1\n"),
        ("labels/b.txt", b"1 .5 .5 1 1\n"),
    ])
}

fn yolo_classes() -> Vec<Named> {
    folder("formats/fixtures/datasets/yolo")
}

pub(super) fn imagefolder() -> Vec<Named> {
    folder("formats/fixtures/datasets/imagefolder")
}

fn imagenet() -> Vec<Named> {
    named(&[
        ("LOC_val_solution.csv", b"ImageId,PredictionString\nILSVRC2012_val_00000001,n01440764 1 2 3 4\n"),
        ("val/ILSVRC2012_val_00000001.jpg", b"a"),
        ("LOC_synset_mapping.txt", b"n01440764 tench, Tinca tinca\n"),
    ])
}

fn flat() -> Vec<Named> {
    named(&[("labels.txt", b"a.png cat\nb.png dog\n"), ("a.png", b"a"), ("b.png", b"b")])
}

fn flat_csv() -> Vec<Named> {
    named(&[("labels.csv", b"id,breed\na,cat\nb,dog\n"), ("a.png", b"a"), ("b.png", b"b")])
}

fn flat_json() -> Vec<Named> {
    named(&[("labels.json", b"{\"a.png\": \"cat\", \"b.png\": \"dog\"}"), ("a.png", b"a"), ("b.png", b"b")])
}

fn named_classes() -> Vec<Named> {
    named(&[
        ("classes.toml", b"[classes]\ncat = \"cat\"\ndog = [\"dog\", \"a hound\"]\n"),
        ("cat/a.png", b"a"),
        ("dog/b.png", b"b"),
    ])
}
