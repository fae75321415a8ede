//! Nearest neighbours among so many rows that looking at every pair takes hours.
//!
//! Each row is looked for in the clusters nearest to it (`clusters`). How many that must be is read off rows whose true
//! neighbours are known, and how many true neighbours were found in the end is counted on other rows. Where that is too
//! few, or nearly all clusters had to be looked into, the caller looks at all pairs instead.

use super::best::{Best, Places};
use super::clusters::Clusters;
use super::{BLOCK, Set};
use crate::job::Job;
use crate::linear::matmul_transposed;
use crate::{Error, Result};
use rayon::prelude::*;

/// The share of the true neighbours that lists have at least, counted on a sample of the rows.
pub const RECALL: f32 = 0.98;
/// How many neighbours that is said of. Fixed, so that where a row is looked for, and with it the lists, are the same
/// however many neighbours are asked for.
pub const RECALL_AT: usize = 10;
/// The share that the number of clusters is chosen for: a sample may flatter.
const AIMED: f32 = 0.99;
/// Rows whose true neighbours are known: the number of clusters is chosen on one half and the outcome counted on the
/// other.
const KNOWN: usize = 1024;
/// Of those, rows that are compared with all at once.
const TOGETHER: usize = 64;
/// All pairs are no more work than this share of the clusters: a bound rules most of them out.
const WORTH: usize = 8;

/// The lists with the share of true neighbours in them, or nothing where that would be too few or no less work than all
/// pairs. `k` is at least [`RECALL_AT`] where there are so many rows.
pub(super) fn search(
    set: Set<'_>,
    clusters: &Clusters,
    k: usize,
    job: &Job<'_>,
) -> Result<Option<(Best, f32)>> {
    let known = scattered(set, KNOWN);
    let (chosen_on, counted_on) = known.split_at(known.len() / 2);
    let depth = RECALL_AT.min(set.len() - 1);
    let mut needed = clusters.probes_for(set, chosen_on, &truth(set, chosen_on, depth, job)?, job)?;
    needed.sort_unstable();
    let place = (needed.len() as f32 * AIMED).ceil() as usize;
    let Some(&probes) = needed.get(place.saturating_sub(1)) else { return Ok(None) };
    if probes as usize * WORTH > clusters.len() {
        return Ok(None);
    }
    let best = clusters.search(set, probes as usize, Best::new(set.len(), k), job)?;
    let recall = recall(&best, counted_on, &truth(set, counted_on, depth, job)?);
    Ok((recall >= RECALL).then_some((best, recall)))
}

/// So many different places without any regularity that the order of the rows may share.
fn scattered(set: Set<'_>, count: usize) -> Vec<u32> {
    let count = count.min(set.len());
    let mut places: Vec<u32> = Vec::with_capacity(count);
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    while places.len() < count {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let place = ((u128::from(state) * set.len() as u128) >> 64) as u32;
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

/// The nearest of some rows among all.
fn truth(set: Set<'_>, asked: &[u32], k: usize, job: &Job<'_>) -> Result<Best> {
    let of_some = |asked: &[u32]| {
        let mut best = Best::new(asked.len(), k);
        let (mut left, mut right, mut product) = (Vec::new(), Vec::new(), Vec::new());
        set.gather(asked.iter().copied(), &mut left);
        for first in (0..set.len()).step_by(BLOCK) {
            job.checkpoint()?;
            let others = first as u32..set.len().min(first + BLOCK) as u32;
            set.gather(others.clone(), &mut right);
            product.resize(asked.len() * others.len(), 0.0);
            matmul_transposed(&left, asked.len(), &right, others.len(), set.cols(), &mut product);
            for (row, quick) in product.chunks_exact(others.len()).enumerate() {
                best.offer_all(set, row, asked[row], quick, &Places::From(first as u32));
            }
        }
        Ok::<_, Error>(best)
    };
    let parts: Vec<Best> = asked.par_chunks(TOGETHER).map(of_some).collect::<Result<_>>()?;
    Ok(Best::joined(k, parts))
}

/// The share of the true neighbours that lists have. One that is as near as the farthest true one is as good.
fn recall(best: &Best, asked: &[u32], truth: &Best) -> f32 {
    let (mut found, mut all) = (0, 0);
    for (row, &place) in asked.iter().enumerate() {
        let near = &truth.similarities[row * truth.k..(row + 1) * truth.k];
        // There may be fewer rows than are counted.
        let counted = near.partition_point(|similarity| similarity.is_finite());
        let Some(&farthest) = near[..counted].last() else { continue };
        let list = &best.similarities[place as usize * best.k..][..counted];
        found += list.iter().filter(|similarity| **similarity >= farthest).count();
        all += counted;
    }
    if all == 0 { 1.0 } else { found as f32 / all as f32 }
}
