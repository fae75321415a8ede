//! Nearest neighbors among so many rows that comparing every pair would take hours.
//!
//! The neighbors of each row are searched in its nearest clusters (`clusters`). The number of clusters is tuned on rows
//! whose true neighbors are known, and the resulting recall is measured on other rows. If it is too low, or nearly all
//! clusters would have to be searched, the caller compares all pairs instead.

use super::best::{Best, Places};
use super::clusters::Clusters;
use super::{BLOCK, Set};
use crate::job::Job;
use crate::linear::matmul_transposed;
use crate::{Error, Result};
use rayon::prelude::*;

/// The minimum recall, measured on a sample of the rows.
pub const RECALL: f32 = 0.98;
/// The number of neighbors that recall is measured on. Fixed, so that the searched clusters, and hence the lists, do
/// not depend on how many neighbors are requested.
pub const RECALL_AT: usize = 10;
/// The target recall for choosing the number of clusters, since a sample may be optimiztic.
const AIMED: f32 = 0.99;
/// Rows whose true neighbors are known: the number of clusters is chosen on one half and recall measured on the other.
const KNOWN: usize = 1024;
/// Of those, rows that are compared with all at once.
const TOGETHER: usize = 64;
/// Comparing all pairs costs no more than searching this share of the clusters, since a bound rules most of them out.
const WORTH: usize = 8;

/// The lists with their recall, or `None` if that would be too low or no cheaper than all pairs. `k` is at least
/// [`RECALL_AT`] if there are enough rows.
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
    let index = (needed.len() as f32 * AIMED).ceil() as usize;
    let Some(&probes) = needed.get(index.saturating_sub(1)) else { return Ok(None) };
    if probes as usize * WORTH > clusters.len() {
        return Ok(None);
    }
    let best = clusters.search(set, probes as usize, Best::new(set.len(), k), job)?;
    let recall = recall(&best, counted_on, &truth(set, counted_on, depth, job)?);
    Ok((recall >= RECALL).then_some((best, recall)))
}

/// This many distinct pseudo-random indices, independent of any pattern in the row order.
fn scattered(set: Set<'_>, count: usize) -> Vec<u32> {
    let count = count.min(set.len());
    let mut places: Vec<u32> = Vec::with_capacity(count);
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    while places.len() < count {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let index = ((u128::from(state) * set.len() as u128) >> 64) as u32;
        if !places.contains(&index) {
            places.push(index);
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

/// The recall of the lists. A neighbor as near as the farthest true one counts as true.
fn recall(best: &Best, asked: &[u32], truth: &Best) -> f32 {
    let (mut found, mut all) = (0, 0);
    for (row, &index) in asked.iter().enumerate() {
        let near = &truth.similarities[row * truth.k..(row + 1) * truth.k];
        // There may be fewer rows than that.
        let counted = near.partition_point(|similarity| similarity.is_finite());
        let Some(&farthest) = near[..counted].last() else { continue };
        let list = &best.similarities[index as usize * best.k..][..counted];
        found += list.iter().filter(|similarity| **similarity >= farthest).count();
        all += counted;
    }
    if all == 0 { 1.0 } else { found as f32 / all as f32 }
}
