//! Two detectors that look at a sample's nearest neighbours in embedding space: `neighbor-outliers` asks how far
//! away they are, `neighbor-labels` what they are called.
//!
//! Its tests alone: `cargo test --release -p chaffinch-neighbor-outliers`.

mod labels;
mod nearby;
mod outliers;

pub use labels::NeighborLabels;
pub use outliers::NeighborOutliers;

use chaffinch_plugin::prelude::*;
use nearby::Nearby;

/// All samples, unless someone who cannot wait asks for fewer.
const REFERENCES: Param = Param::integer(
    "references",
    10_000_000,
    100,
    10_000_000,
    "Samples that neighbours are looked for among; all where there are no more",
);
/// Below this score a sample gets words and evidence, so that a moved threshold still finds them.
const WORDS_BELOW: f32 = 0.75;
/// Neighbours named as evidence.
const MAX_RELATED: usize = 6;

export_detector!(NeighborOutliers, NeighborLabels);

/// The neighbours of a sample as evidence, those first that `first` prefers.
fn evidence(neighbors: &Nearby<'_>, sample: usize, first: impl Fn(usize) -> bool) -> Vec<Related> {
    let mut related: Vec<Related> = neighbors
        .of(sample)
        .map(|(other, similarity)| Related { sample: other as u32, similarity })
        .collect();
    // Stable: nearest first among equals.
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
