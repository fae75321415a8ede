//! Samples whose nearest neighbors are far away.

use crate::nearby::Nearby;
use crate::{REFERENCES, WORDS_BELOW, evidence};
use chaffinch_plugin::prelude::*;

/// The minimum interquartile range; below it, all distances are equal up to rounding.
const LEAST_RANGE: f64 = 1e-6;

/// Finds samples that are far from all others.
pub struct NeighborOutliers;

impl Detector for NeighborOutliers {
    const INFO: Info = Info::new("neighbor-outliers", "Finds samples whose nearest neighbors are far away")
        .version(env!("CARGO_PKG_VERSION"))
        .docs(include_str!("outliers.md"))
        .needs(Needs::NEIGHBORS.and(Needs::EMBEDDINGS))
        .threshold(0.5)
        .params(&[
            Param::integer("neighbors", 10, 1, 100, "Number of nearest neighbors to look at"),
            Param::number(
                "c",
                1.7,
                0.1,
                20.0,
                "How many interquartile ranges above the third quartile are usual",
            ),
            REFERENCES,
        ]);

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let neighbors = Nearby::find(view, view.count("neighbors")?, view.count("references")?)?;
        let c = view.number("c")?;
        let distances: Vec<Option<f64>> =
            (0..view.len()).map(|sample| distance(&neighbors, sample)).collect();
        let Some(fence) = Fence::new(distances.iter().flatten().copied(), c) else {
            return Err(Error::new("fewer than two images have embeddings, so there is nothing to compare"));
        };
        let scores: Vec<f32> = distances
            .iter()
            .map(|distance| distance.map_or(f32::NAN, |distance| fence.score(distance)))
            .collect();
        report.scores(&scores)?;
        let beyond = distances.iter().flatten().filter(|&&distance| distance > fence.limit()).count();
        report.note(
            "fence",
            &format!(
                "mean cosine distance to the nearest neighbors: median {:.6}, quartiles {:.6} and {:.6}, fence \
                 {:.6}; {beyond} of {} samples beyond it",
                fence.median,
                fence.first,
                fence.third,
                fence.limit(),
                distances.iter().flatten().count()
            ),
        )?;
        for (sample, &score) in scores.iter().enumerate().filter(|(_, score)| **score < WORDS_BELOW) {
            if sample % 1024 == 0 {
                view.checkpoint()?;
            }
            let Some(distance) = distances[sample] else { continue };
            let apart = if distance > fence.limit() { "apart from" } else { "farther than most from" };
            let reason = format!(
                "{apart} everything else: its nearest pictures are {distance:.2} away, where {:.2} is usual",
                fence.median
            );
            let related = evidence(&neighbors, sample, |_| true);
            report.issue(Issue::new(sample, Score::clamp(score)?).related(&related).reason(&reason))?;
        }
        Ok(())
    }
}

/// Mean cosine distance of a sample to its neighbors; `None` if it has none.
fn distance(neighbors: &Nearby<'_>, sample: usize) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_u32);
    for (_, similarity) in neighbors.of(sample) {
        sum += (1.0 - f64::from(similarity)).max(0.0);
        count += 1;
    }
    (count > 0).then(|| sum / f64::from(count))
}

/// How far the neighbors of most samples are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fence {
    pub(crate) first: f64,
    pub(crate) median: f64,
    pub(crate) third: f64,
    c: f64,
}

impl Fence {
    /// The quartiles of all distances; `None` if there are none.
    pub(crate) fn new(distances: impl Iterator<Item = f64>, c: f64) -> Option<Fence> {
        let mut sorted: Vec<f64> = distances.collect();
        if sorted.is_empty() {
            return None;
        }
        sorted.sort_by(f64::total_cmp);
        // Linear interpolation.
        let quantile = |q: f64| {
            let position = q * (sorted.len() - 1) as f64;
            let (low, high) = (position.floor() as usize, position.ceil() as usize);
            sorted[low] + (sorted[high] - sorted[low]) * (position - low as f64)
        };
        Some(Fence { first: quantile(0.25), median: quantile(0.5), third: quantile(0.75), c })
    }

    fn range(&self) -> f64 {
        (self.third - self.first).max(LEAST_RANGE)
    }

    /// The distance beyond which a sample is an outlier.
    pub(crate) fn limit(&self) -> f64 {
        self.third + self.c * self.range()
    }

    /// 0.5 at the limit, less beyond.
    pub(crate) fn score(&self, distance: f64) -> f32 {
        let ranges = (distance - self.third) / self.range();
        (1.0 / (1.0 + (ranges - self.c).exp())) as f32
    }
}
