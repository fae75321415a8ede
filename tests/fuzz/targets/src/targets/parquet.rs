//! Parquet files as datasets: shards with embedded pictures, manifests, and every compression that is read.

use super::dataset::{self, Case};
use super::labels::imagefolder;
use crate::Target;
use crate::fixtures::{Named, folder};
use crate::input;
use crate::stage::Stage;

/// The target.
pub const TARGET: Target = Target {
    name: "parquet",
    reads: "Parquet files: embedded pictures, manifests, ClassLabel names, compressions",
    run: |bytes| dataset::run("parquet", CASES, bytes),
    seeds,
};

pub(super) const CASES: &[Case] = &[
    (Stage { files: plain, varied: "plain.parquet" }, "plain.parquet"),
    (Stage { files: shards, varied: "train-00000-of-00001.parquet" }, ""),
    (Stage { files: imagefolder, varied: "train/metadata.parquet" }, ""),
];

fn seeds() -> Vec<Vec<u8>> {
    let mut all = dataset::seeds(CASES);
    all.extend(folder("formats/fixtures/parquet").iter().map(|(_, bytes)| input(0, bytes)));
    all
}

fn plain() -> Vec<Named> {
    let mut files = folder("formats/fixtures/packed");
    files.retain(|(name, _)| name == "plain.parquet");
    files
}

pub(super) fn shards() -> Vec<Named> {
    folder("formats/fixtures/packed/parquet")
}
