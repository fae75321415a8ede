//! Arrow files as `datasets` leaves them.

use super::dataset::{self, Case};
use crate::Target;
use crate::fixtures::{Named, folder};
use crate::stage::Stage;

/// The target.
pub const TARGET: Target = Target {
    name: "arrow",
    reads: "Arrow streams and files: what save_to_disk leaves, and its descriptions",
    run: |bytes| dataset::run("arrow", CASES, bytes),
    seeds: || dataset::seeds(CASES),
};

pub(super) const CASES: &[Case] = &[
    (Stage { files: plain, varied: "plain.arrow" }, "plain.arrow"),
    (Stage { files: disk, varied: "train/data-00000-of-00001.arrow" }, ""),
    (Stage { files: disk, varied: "train/dataset_info.json" }, ""),
    (Stage { files: disk, varied: "train/state.json" }, ""),
    (Stage { files: disk, varied: "dataset_dict.json" }, ""),
];

fn plain() -> Vec<Named> {
    let mut files = folder("formats/fixtures/packed");
    files.retain(|(name, _)| name == "plain.arrow");
    files
}

fn disk() -> Vec<Named> {
    folder("formats/fixtures/packed/disk")
}
