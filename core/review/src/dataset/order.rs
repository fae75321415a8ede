//! An order that is not random: Datalab's `non_iid`, whether samples that are near in the order are near neighbors.

use super::chance::{density_above, random, shuffled};
use super::look::{Look, NEIGHBORS};
use super::{Found, Kind, Unchecked, calibrated};
use chaffinch_compute::job::Job;
use rand::seq::SliceRandom;
use rayon::prelude::*;
use std::collections::BTreeMap;

pub(super) const KIND: Kind = Kind { name: "non_iid", title: "Order that is not random", find };

/// Permutations, as in Datalab.
const TRIALS: u64 = 25;
/// The probability below which Datalab calls it an issue.
const THRESHOLD: f64 = 0.05;
/// Fewer samples say nothing about an order.
const LEAST: usize = 30;

/// Datalab's statistic: the largest difference between the distribution of distances in the order between neighbors, and
/// that between any two samples. `place` is the position of each sample in the order; a neighbor of [`u32::MAX`] is none.
pub(super) fn index_distances(neighbors: &[u32], k: usize, place: &[u32]) -> f64 {
    let n = place.len();
    if n < 2 || k == 0 {
        return 0.0;
    }
    let mut counts = vec![0_u64; n];
    for (list, &own) in neighbors.chunks_exact(k).zip(place) {
        for &neighbor in list.iter().filter(|neighbor| **neighbor != u32::MAX) {
            counts[own.abs_diff(place[neighbor as usize]) as usize] += 1;
        }
    }
    let total = counts.iter().sum::<u64>().max(1) as f64;
    let pairs = n as f64 * (n as f64 - 1.0) / 2.0;
    let (mut below, mut largest) = (0_u64, 0.0_f64);
    for (distance, &count) in counts.iter().enumerate().skip(1).filter(|(_, count)| **count > 0) {
        let d = distance as f64;
        let background = (d * n as f64 - d * (d + 1.0) / 2.0) / pairs;
        // The steps of the first and the last of equal distances are farthest off.
        for step in [below, below + count - 1] {
            largest = largest.max((step as f64 / total - background).abs());
        }
        below += count;
    }
    largest
}

/// Datalab's p-value: how much of a density estimate of permuted orders lies above the observed statistic.
pub(super) fn p_value(observed: f64, permuted: &[f64]) -> f64 {
    density_above(observed, permuted).unwrap_or(1.0)
}

/// The statistic of permuted orders; within each class only, if labels are given.
fn permuted(look: &Look<'_>, labels: Option<&[u32]>) -> Vec<f64> {
    let n = look.len();
    let one = |trial: u64| {
        let place = match labels {
            None => shuffled(n, trial),
            Some(labels) => within(labels, trial),
        };
        index_distances(&look.neighbors.indices, NEIGHBORS, &place)
    };
    (0..TRIALS).into_par_iter().map(one).collect()
}

/// An order in which samples have changed places within their class only.
fn within(labels: &[u32], trial: u64) -> Vec<u32> {
    let mut members: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    (0..).zip(labels).for_each(|(at, label)| members.entry(*label).or_default().push(at));
    let mut place = vec![0; labels.len()];
    let mut random = random(trial);
    for members in members.values() {
        let mut targets = members.clone();
        targets.shuffle(&mut random);
        members.iter().zip(targets).for_each(|(&at, target)| place[at as usize] = target);
    }
    place
}

fn find(look: &Look<'_>, _job: &Job<'_>) -> Result<Vec<Found>, Unchecked> {
    look.several(LEAST)?;
    let place: Vec<u32> = (0..look.len() as u32).collect();
    let observed = index_distances(&look.neighbors.indices, NEIGHBORS, &place);
    let p = p_value(observed, &permuted(look, None));
    if p >= THRESHOLD {
        return Ok(Vec::new());
    }
    let in_class = permuted(look, Some(&look.labels));
    let p_in_class = p_value(observed, &in_class);
    let beyond = observed - in_class.iter().sum::<f64>() / in_class.len() as f64;
    // A folder of folders is always sorted by class, which only matters to who cuts it by position.
    let (score, text) = match p_in_class < THRESHOLD {
        true => (
            calibrated(p_in_class, THRESHOLD).max(0.5 - beyond.max(0.0)),
            "Within classes, samples that follow each other look alike, as in bursts, videos or sources one after the other: \
             split by source and not at random or by position",
        ),
        false => (
            0.5,
            "The samples are sorted by class: shuffle them before they are split or batched by position",
        ),
    };
    Ok(vec![
        Found::new(score, text)
            .figure("datalab_score", p)
            .figure("p_value_within_classes", p_in_class)
            .figure("statistic", observed)
            .figure("statistic_beyond_classes", beyond),
    ])
}
