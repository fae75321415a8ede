//! Two detectors that look at a sample's nearest neighbors in embedding space: `neighbor-outliers` asks how far away
//! they are, `neighbor-labels` which labels they have.
//!
//! Run its tests: `cargo test --release -p chaffinch-neighbor-outliers`.

mod labels;
mod nearby;
mod outliers;

pub use labels::NeighborLabels;
pub use outliers::NeighborOutliers;

use chaffinch_plugin::prelude::*;
use nearby::Nearby;

/// All samples, unless fewer are requested to save time.
const REFERENCES: Param = Param::integer(
    "references",
    10_000_000,
    100,
    10_000_000,
    "Number of samples to search for neighbors; all if there are fewer",
);
/// Samples scoring below this get a reason and evidence, so that they are there if the threshold moves.
const WORDS_BELOW: f32 = 0.75;
/// Neighbors listed as evidence.
const MAX_RELATED: usize = 6;

export_detector!(NeighborOutliers, NeighborLabels);

/// The neighbors of a sample as evidence, those that satisfy `first` first.
fn evidence(neighbors: &Nearby<'_>, sample: usize, first: impl Fn(usize) -> bool) -> Vec<Related> {
    let mut related: Vec<Related> = neighbors
        .of(sample)
        .map(|(other, similarity)| Related { sample: other as u32, similarity })
        .collect();
    // A stable sort: among equals, nearest first.
    related.sort_by_key(|other| !first(other.sample as usize));
    related.truncate(MAX_RELATED);
    related
}

#[cfg(test)]
mod tests;

#[cfg(test)]
use chaffinch_plugin::testing::npy;

#[cfg(test)]
#[path = "../../../tests/src/paintings.rs"]
mod paintings;
