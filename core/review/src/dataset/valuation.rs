//! Samples that make a model worse: Datalab's `data_valuation`, k-NN Shapley values.

use super::counts::{percent, plural};
use super::look::{Look, NEIGHBORS};
use super::{Found, Kind, Unchecked, because, rising};
use chaffinch_compute::job::Job;

pub(super) const KIND: Kind = Kind { name: "data_valuation", title: "Data valuation", find };

/// A value below this harms more than it helps; Datalab's threshold.
const HARMFUL: f64 = 0.5;
/// The share of harmful samples at which the score is 0.5, and at which it is 0.
const THRESHOLD: f64 = 0.1;
const WORST: f64 = 0.4;

/// The k-NN Shapley value of each sample by the recursion of Jia et al. (2019, theorem 1), as Datalab computes and rescales it: below 0.5 it harms. `neighbors` has `k` for each sample, nearest first.
pub(super) fn shapley(neighbors: &[u32], k: usize, labels: &[u32]) -> Vec<f64> {
    let n = labels.len();
    let mut sums = vec![0.0; n];
    for (list, own) in neighbors.chunks_exact(k).zip(labels) {
        let known = list.iter().take_while(|at| **at != u32::MAX).count();
        // The farthest of the neighbors starts at 0.
        let mut value = 0.0;
        for at in (0..known.saturating_sub(1)).rev() {
            let agrees = |at: usize| f64::from(u8::from(labels[list[at] as usize] == *own));
            value += agrees(at) - agrees(at + 1);
            sums[list[at] as usize] += value;
        }
    }
    sums.iter().map(|sum| 0.5 * (sum / (k * n) as f64 + 1.0)).collect()
}

fn find(look: &Look<'_>, _job: &Job<'_>) -> Result<Vec<Found>, Unchecked> {
    look.several(2 * NEIGHBORS)?;
    let classes = look.class_count();
    if classes < 2 {
        return because("there are fewer than two classes");
    }
    let values = shapley(&look.neighbors.indices, NEIGHBORS, &look.labels);
    let labeled: Vec<usize> = (0..look.len()).filter(|&at| (look.labels[at] as usize) < classes).collect();
    let mut harmful: Vec<usize> = labeled.iter().copied().filter(|&at| values[at] < HARMFUL).collect();
    if harmful.is_empty() {
        return Ok(Vec::new());
    }
    harmful.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let share = harmful.len() as f64 / labeled.len() as f64;
    let mean = labeled.iter().map(|&at| values[at]).sum::<f64>() / labeled.len() as f64;
    let text = format!(
        "{} ({} of those compared) make a classifier by neighbors worse than it is without them",
        plural(harmful.len() as u64, "sample", "samples"),
        percent(share)
    );
    Ok(vec![
        Found::new(rising(share, THRESHOLD, WORST), text)
            .figure("datalab_score", mean)
            .figure("harmful_samples", harmful.len() as f64)
            .figure("share", share)
            .figure("lowest_value", values[harmful[0]])
            .samples(harmful.iter().map(|&at| look.rows[at])),
    ])
}
