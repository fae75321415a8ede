//! Uncertainty of the metrics: percentile bootstrap intervals (Efron, 1979).
//!
//! The samples with known truth are resampled with replacement. All detectors are measured on the same resamples. Every
//! resample has its own random numbers, so that the intervals depend only on the seed and not on the number of threads.

use super::{Judged, Rated, harmonic};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Total number of samples drawn; with more samples with known truth there are fewer resamples, and they vary less.
const MAX_DRAWN: usize = 200_000_000;
/// Minimum number of resamples.
const LEAST: usize = 20;
/// The share of resamples below and above the interval.
const TAIL: f64 = 0.025;

/// Resampling options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resampling {
    /// Number of resamples; fewer if that would be more than 200 million samples.
    pub resamples: usize,
    /// Seed of the random numbers.
    pub seed: u64,
}

/// 95 % intervals, lower and upper bound; `None` if the metric is undefined in every resample.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Intervals {
    /// Of the area under the ROC curve.
    pub auroc: Option<(f64, f64)>,
    /// Of the average precision.
    pub auprc: Option<(f64, f64)>,
    /// Of the precision at the threshold.
    pub precision: Option<(f64, f64)>,
    /// Of the recall at the threshold.
    pub recall: Option<(f64, f64)>,
    /// Of their harmonic mean.
    pub f1: Option<(f64, f64)>,
}

/// Five metrics of one resample, NaN if undefined.
type Drawn = [f64; 5];

/// One ranking, worst first, ready to be measured with any weights.
struct Order<'a> {
    rows: Vec<&'a Judged>,
    /// Whether each sample with known truth is an error.
    errors: Vec<bool>,
}

/// The number of resamples, and the intervals of each ranking. `known` is the number of samples with known truth.
pub(super) fn intervals(
    known: usize,
    orders: &BTreeMap<String, Rated<'_>>,
    resampling: Resampling,
) -> (usize, Vec<Intervals>) {
    if known == 0 {
        return (0, vec![Intervals::default(); orders.len()]);
    }
    let draws = resampling.resamples.min((MAX_DRAWN / known).max(LEAST));
    let orders: Vec<Order<'_>> = orders.values().map(Order::new).collect();
    let drawn: Vec<Vec<Drawn>> = (0..draws)
        .into_par_iter()
        .map_init(
            || vec![0_u32; known],
            |weights, draw| {
                let mut random = ChaCha8Rng::seed_from_u64(resampling.seed);
                random.set_stream(draw as u64);
                weights.fill(0);
                for _ in 0..known {
                    weights[random.random_range(0..known)] += 1;
                }
                orders.iter().map(|order| order.measure(weights)).collect()
            },
        )
        .collect();
    let interval = |order: usize, figure: usize| {
        let mut values: Vec<f64> =
            drawn.iter().map(|draw| draw[order][figure]).filter(|value| !value.is_nan()).collect();
        values.sort_by(f64::total_cmp);
        (!values.is_empty()).then(|| (quantile(&values, TAIL), quantile(&values, 1.0 - TAIL)))
    };
    let intervals = (0..orders.len()).map(|order| Intervals {
        auroc: interval(order, 0),
        auprc: interval(order, 1),
        precision: interval(order, 2),
        recall: interval(order, 3),
        f1: interval(order, 4),
    });
    (draws, intervals.collect())
}

/// Linear interpolation.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let index = q * (sorted.len() - 1) as f64;
    let (low, high) = (index.floor() as usize, index.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * (index - low as f64)
}

impl<'a> Order<'a> {
    fn new(rated: &'a Rated<'_>) -> Order<'a> {
        let mut rows: Vec<&Judged> = rated.rows.iter().collect();
        rows.sort_by(|a, b| a.quality.total_cmp(&b.quality).then(a.index.cmp(&b.index)));
        Order { rows, errors: rated.truth.known().into_iter().map(|(_, error)| error).collect() }
    }

    /// The metrics when each sample counts as often as its weight.
    fn measure(&self, weights: &[u32]) -> Drawn {
        let errors = self.errors.iter().zip(weights).filter(|(error, _)| **error);
        let all = errors.map(|(_, &weight)| u64::from(weight)).sum::<u64>() as f64;
        let (mut positive, mut negative) = (0.0, 0.0);
        let (mut in_order, mut precision_sum) = (0.0, 0.0);
        let (mut flagged, mut found) = (0.0, 0.0);
        for tied in self.rows.chunk_by(|a, b| a.quality == b.quality) {
            let (mut wrong, mut fine) = (0.0, 0.0);
            for row in tied {
                let weight = f64::from(weights[row.index as usize]);
                *(if row.error { &mut wrong } else { &mut fine }) += weight;
                if row.flagged {
                    flagged += weight;
                    found += if row.error { weight } else { 0.0 };
                }
            }
            // Pairs of a correct sample here and an error before it, ties counting half.
            in_order += fine * (positive + 0.5 * wrong);
            positive += wrong;
            negative += fine;
            if wrong > 0.0 {
                precision_sum += wrong * positive / (positive + negative);
            }
        }
        let over = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { f64::NAN };
        let (precision, recall) = (over(found, flagged), over(found, all));
        let known = |value: f64| if value.is_nan() { 0.0 } else { value };
        let f1 = if all > 0.0 { harmonic(known(precision), known(recall)) } else { f64::NAN };
        [over(in_order, positive * negative), over(precision_sum, positive), precision, recall, f1]
    }
}
