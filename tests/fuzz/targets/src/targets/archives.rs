//! Tar files: folders in them, and WebDataset shards.

use super::dataset::{self, Case};
use crate::Target;
use crate::fixtures::{Named, folder};
use crate::stage::Stage;

/// The target.
pub const TARGET: Target = Target {
    name: "archives",
    reads: "tar files: folders in them, and WebDataset shards",
    run: |bytes| dataset::run("archives", CASES, bytes),
    seeds: || dataset::seeds(CASES),
};

pub(super) const CASES: &[Case] = &[
    (Stage { files: packed, varied: "folders.tar" }, "folders.tar"),
    (Stage { files: shards, varied: "train-000000.tar" }, ""),
    (Stage { files: shards, varied: "train-000000.tar" }, "train-{000000..000001}.tar"),
];

fn packed() -> Vec<Named> {
    let mut files = folder("formats/fixtures/packed");
    files.retain(|(name, _)| name == "folders.tar");
    files
}

pub(super) fn shards() -> Vec<Named> {
    folder("formats/fixtures/packed/wds")
}
