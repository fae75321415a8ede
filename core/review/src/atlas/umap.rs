//! Uniform manifold approximation and projection (L. McInnes, J. Healy, J. Melville 2018, arXiv 1802.03426), with the parameters of
//! its reference implementation, umap-learn: 15 neighbors, a least distance of 0.1, five negative samples.
//!
//! Starts from the principal components, draws its negative samples from a seeded generator and runs on one thread, so that the same
//! embeddings give the same map. Libraries for it draw them unseeded, on threads that race.

use super::drawing::{Method, Placed, nearest};
use crate::Result;
use chaffinch_compute::job::Job;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_protocol::Axes;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Neighbors of each sample, itself included, as umap-learn counts them.
const NEIGHBORS: usize = 15;
/// The similarity of points at distance `d` on the map is `1 / (1 + A d^(2 B))`: umap-learn's fit to a least distance of 0.1.
const A: f32 = 1.576_943_5;
const B: f32 = 0.895_060_9;
/// Random samples that are pushed away for each neighbor that is pulled near.
const NEGATIVES: f32 = 5.0;
/// Width of the positions at the start.
const WIDTH: f32 = 10.0;
/// The longest step along an axis.
const CLIP: f32 = 4.0;
/// Steps to find the bandwidth of a sample, and how near its sum must come.
const SEARCH: usize = 64;
const NEAR: f32 = 1e-5;
/// The bandwidth of a sample is at least this share of the mean distance of its neighbors.
const LEAST_BANDWIDTH: f32 = 1e-3;
const SEED: u64 = 42;

/// A pair of samples that belong near each other.
struct Edge {
    head: u32,
    tail: u32,
    /// Epochs from one step along it to the next.
    every: f32,
    /// The epoch of its next step, and of its next negative sample.
    next: f32,
    next_negative: f32,
}

/// This method.
pub(super) const METHOD: Method = Method { axes: Axes::Umap, version: 1, place };

/// Positions of rows in the plane, starting from those on another map.
///
/// # Errors
/// When stopped.
fn place(matrix: &EmbeddingMatrix, input: &[Placed], job: &Job<'_>) -> Result<Vec<f32>> {
    let rows: Vec<u32> = input.iter().map(|&(row, _)| row).collect();
    let lists = nearest(matrix, &rows, (NEIGHBORS - 1).min(rows.len() - 1), job)?;
    // More epochs change little where there are many samples.
    let epochs: u16 = if rows.len() <= 10_000 { 500 } else { 200 };
    let mut edges = edges(&lists, epochs);
    drop(lists);
    let mut places: Vec<[f32; 2]> = input.iter().map(|(_, xy)| xy.map(|share| share * WIDTH)).collect();
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    for epoch in 0..epochs {
        job.checkpoint()?;
        let rate = 1.0 - f32::from(epoch) / f32::from(epochs);
        step(&mut places, &mut edges, f32::from(epoch), rate, &mut random);
        job.progress(u64::from(epoch) + 1, u64::from(epochs));
    }
    Ok(places.into_iter().flatten().collect())
}

/// The pairs of neighbors with their weights as epochs from step to step: the fuzzy union of what both samples say (section 3.1 of the
/// paper). Pairs that would not be met once in all epochs are left out.
fn edges(lists: &[Vec<(u32, f32)>], epochs: u16) -> Vec<Edge> {
    let mean = |list: &[(u32, f32)]| {
        list.iter().map(|(_, distance)| distance).sum::<f32>() / list.len().max(1) as f32
    };
    let mut said: Vec<(u32, u32, f32)> = Vec::new();
    for (own, list) in (0_u32..).zip(lists) {
        let distances: Vec<f32> = list.iter().map(|(_, distance)| *distance).collect();
        let nearest = distances.iter().copied().find(|distance| *distance > 0.0).unwrap_or(0.0);
        let bandwidth = bandwidth(&distances, nearest).max(LEAST_BANDWIDTH * mean(list));
        for &(other, distance) in list {
            let strength = match distance <= nearest || bandwidth == 0.0 {
                true => 1.0,
                false => (-(distance - nearest) / bandwidth).exp(),
            };
            said.push((own, other, strength));
        }
    }
    let forth = said.clone();
    said.extend(forth.into_iter().map(|(own, other, strength)| (other, own, strength)));
    said.sort_unstable_by_key(|&(head, tail, strength)| (head, tail, strength.to_bits()));
    let mut pairs: Vec<(u32, u32, f32)> = Vec::with_capacity(said.len());
    for (head, tail, strength) in said {
        match pairs.last_mut() {
            Some(last) if (last.0, last.1) == (head, tail) => last.2 += strength - last.2 * strength,
            _ => pairs.push((head, tail, strength)),
        }
    }
    let most = pairs.iter().map(|pair| pair.2).fold(0.0, f32::max);
    let kept = pairs.into_iter().filter(|pair| pair.2 >= most / f32::from(epochs) && pair.2 > 0.0);
    let edge = |(head, tail, strength): (u32, u32, f32)| {
        let every = most / strength;
        Edge { head, tail, every, next: every, next_negative: every / NEGATIVES }
    };
    kept.map(edge).collect()
}

/// The bandwidth with which the strengths of all neighbors add up to the logarithm of their number, by bisection.
fn bandwidth(distances: &[f32], nearest: f32) -> f32 {
    let target = (NEIGHBORS as f32).log2();
    let (mut low, mut high, mut middle) = (0.0_f32, f32::INFINITY, 1.0_f32);
    for _ in 0..SEARCH {
        let strength = |distance: &f32| match distance - nearest {
            beyond if beyond > 0.0 => (-beyond / middle).exp(),
            _ => 1.0,
        };
        let sum: f32 = distances.iter().map(strength).sum();
        if (sum - target).abs() < NEAR {
            break;
        }
        if sum > target {
            high = middle;
        } else {
            low = middle;
        }
        middle = if high.is_finite() { f32::midpoint(low, high) } else { middle * 2.0 };
    }
    middle
}

/// One epoch of stochastic gradient descent (algorithm 5 of the paper): pairs whose turn it is are pulled together, and the first of each
/// is pushed away from random samples.
fn step(places: &mut [[f32; 2]], edges: &mut [Edge], epoch: f32, rate: f32, random: &mut ChaCha8Rng) {
    let clip = |x: f32| x.clamp(-CLIP, CLIP);
    for edge in edges {
        if edge.next > epoch {
            continue;
        }
        let (head, tail) = (edge.head as usize, edge.tail as usize);
        let apart = |one: [f32; 2], other: [f32; 2]| [one[0] - other[0], one[1] - other[1]];
        let between = apart(places[head], places[tail]);
        let squared = between[0] * between[0] + between[1] * between[1];
        if squared > 0.0 {
            let power = squared.powf(B);
            let pull = -2.0 * A * B * power / squared / (A * power + 1.0);
            for (axis, between) in between.into_iter().enumerate() {
                let by = clip(pull * between) * rate;
                places[head][axis] += by;
                places[tail][axis] -= by;
            }
        }
        edge.next += edge.every;
        let every = edge.every / NEGATIVES;
        let negatives = ((epoch - edge.next_negative) / every).max(0.0) as u32;
        for _ in 0..negatives {
            let other = random.random_range(0..places.len());
            if other == head {
                continue;
            }
            let between = apart(places[head], places[other]);
            let squared = between[0] * between[0] + between[1] * between[1];
            if squared > 0.0 {
                let push = 2.0 * B / ((0.001 + squared) * (A * squared.powf(B) + 1.0));
                for (axis, between) in between.into_iter().enumerate() {
                    places[head][axis] += clip(push * between) * rate;
                }
            }
        }
        edge.next_negative += negatives as f32 * every;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strengths_add_up_to_the_logarithm_of_the_neighbors() {
        let distances: Vec<f32> = (1..15).map(|at| 0.1 * at as f32).collect();
        let found = bandwidth(&distances, 0.1);
        let sum: f32 = distances.iter().map(|distance| (-(distance - 0.1) / found).exp()).sum();
        assert!((sum - 15.0_f32.log2()).abs() < 1e-4, "{sum}");
    }

    #[test]
    fn pairs_have_the_union_of_what_both_say() {
        // Of three samples, the third is far from both.
        let lists = [vec![(1, 0.1), (2, 0.9)], vec![(0, 0.1), (2, 0.8)], vec![(1, 0.8), (0, 0.9)]];
        let edges = edges(&lists, 500);
        let every = |head: u32, tail: u32| {
            edges.iter().find(|edge| (edge.head, edge.tail) == (head, tail)).map(|edge| edge.every)
        };
        assert_eq!(every(0, 1), Some(1.0));
        assert_eq!(every(0, 1), every(1, 0));
        assert!(every(0, 2) == every(2, 0) && every(0, 2) >= every(1, 2), "{:?}", every(0, 2));
        assert_eq!(edges.len(), 6);
    }
}
