//! The files of annotation tools: COCO, FiftyOne, Label Studio, CVAT.

use super::dataset::{self, Case};
use crate::Target;
use crate::fixtures::{Named, folder, named};
use crate::stage::Stage;

/// The target.
pub const TARGET: Target = Target {
    name: "annotations",
    reads: "COCO, FiftyOne, Label Studio and CVAT",
    run: |bytes| dataset::run("annotations", CASES, bytes),
    seeds: || dataset::seeds(CASES),
};

pub(super) const CASES: &[Case] = &[
    (Stage { files: coco, varied: "result.json" }, "result.json"),
    (Stage { files: coco, varied: "result.json" }, ""),
    (Stage { files: fiftyone, varied: "samples.json" }, ""),
    (Stage { files: fiftyone, varied: "metadata.json" }, ""),
    (Stage { files: fiftyone_classes, varied: "labels.json" }, ""),
    (Stage { files: label_studio, varied: "export.json" }, "export.json"),
    (Stage { files: label_studio, varied: "min.json" }, "min.json"),
    (Stage { files: label_studio, varied: "rows.csv" }, "rows.csv"),
    (Stage { files: cvat, varied: "annotations.xml" }, "annotations.xml"),
];

fn coco() -> Vec<Named> {
    folder("formats/fixtures/datasets/coco")
}

pub(super) fn fiftyone() -> Vec<Named> {
    folder("formats/fixtures/datasets/fiftyone")
}

pub(super) fn fiftyone_classes() -> Vec<Named> {
    folder("formats/fixtures/datasets/fiftyone-classes")
}

pub(super) fn label_studio() -> Vec<Named> {
    folder("formats/fixtures/datasets/label-studio")
}

pub(super) fn cvat() -> Vec<Named> {
    let xml = b"<annotations><version>1.1</version><meta><task><labels><label><name>cat</name></label></labels></task></meta>\
        <image id=\"0\" name=\"a.png\" subset=\"train\" width=\"2\" height=\"2\"><tag label=\"cat\"><attribute name=\"x\">1</attribute>\
        </tag></image><image id=\"1\" name=\"b.png\"><box label=\"dog\" xtl=\"0\" ytl=\"0\" xbr=\"1\" ybr=\"1\"/></image></annotations>";
    named(&[("annotations.xml", xml), ("a.png", b"a"), ("b.png", b"b")])
}
