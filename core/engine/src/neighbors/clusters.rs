//! Rows by likeness, so that neighbours can be looked for among similar rows only.
//!
//! Centres are found by k-means on a sample; every row belongs to its nearest centre. A row's candidates are the
//! members of the clusters nearest to its own.

use super::best::{Best, Places};
use super::{BLOCK, Set};
use crate::job::Job;
use crate::linear::matmul_transposed;
use crate::vector::wide;
use crate::{Error, Result};
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// Rows of the sample that centres are made from, for each centre.
const TRAINED: usize = 16;
/// Rounds of k-means.
const ROUNDS: usize = 4;

/// Who belongs together, and how near.
pub(super) struct Clusters {
    /// Cosines of all centres with each other.
    nearness: Vec<f32>,
    cols: usize,
    /// Places by cluster.
    members: Vec<Vec<u32>>,
}

impl Clusters {
    pub(super) fn new(set: Set<'_>, job: &Job<'_>) -> Result<Clusters> {
        let cols = set.cols();
        let count = (2 * set.len().isqrt()).clamp(1, set.len());
        let sample = set.spread(TRAINED * count);
        let mut centres = Vec::new();
        set.gather(
            sample.iter().copied().step_by(TRAINED.min(sample.len() / count).max(1)).take(count),
            &mut centres,
        );
        for _ in 0..ROUNDS {
            job.checkpoint()?;
            let nearest = nearest_centres(set, &sample, &centres, job)?;
            let mut sums = vec![0.0_f32; centres.len()];
            for (&place, &centre) in sample.iter().zip(&nearest) {
                let sum = &mut sums[centre as usize * cols..][..cols];
                sum.iter_mut().zip(set.row(place)).for_each(|(sum, x)| *sum += x);
            }
            for (centre, sum) in centres.chunks_exact_mut(cols).zip(sums.chunks_exact(cols)) {
                let length = sum.iter().map(|x| x * x).sum::<f32>().sqrt();
                // One that lost all its members stays where it is.
                if length.is_finite() && length > 0.0 {
                    centre.iter_mut().zip(sum).for_each(|(to, from)| *to = from / length);
                }
            }
        }
        let all: Vec<u32> = (0..set.len() as u32).collect();
        let mut members = vec![Vec::new(); count];
        for (place, centre) in nearest_centres(set, &all, &centres, job)?.into_iter().enumerate() {
            members[centre as usize].push(place as u32);
        }
        let mut nearness = vec![0.0; count * count];
        let blocks = nearness.par_chunks_mut(BLOCK * count).zip(centres.par_chunks(BLOCK * cols));
        blocks.for_each(|(out, rows)| matmul_transposed(rows, rows.len() / cols, &centres, count, cols, out));
        Ok(Clusters { nearness, cols, members })
    }

    fn len(&self) -> usize {
        self.members.len()
    }

    /// All clusters, the nearest to a cluster first, itself in front.
    fn around(&self, cluster: usize) -> Vec<u32> {
        let row = &self.nearness[cluster * self.len()..][..self.len()];
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        let nearness =
            |other: u32| if other as usize == cluster { f32::INFINITY } else { row[other as usize] };
        order.sort_by(|&a, &b| nearness(b).total_cmp(&nearness(a)).then(a.cmp(&b)));
        order
    }

    /// Offers each row the members of the `probes` clusters around its own.
    pub(super) fn search(&self, set: Set<'_>, probes: usize, best: &mut Best, job: &Job<'_>) -> Result<()> {
        let k = best.k;
        let (done, total) = (AtomicU64::new(0), set.len() as u64);
        let work = |cluster: usize| {
            let members = &self.members[cluster];
            let around = self.around(cluster);
            let near = around.iter().take(probes).flat_map(|&other| &self.members[other as usize]);
            let candidates: Vec<u32> = near.copied().collect();
            let mut found = Best::new(members.len(), k);
            let (mut left, mut right, mut product) = (Vec::new(), Vec::new(), Vec::new());
            for (part, rows) in members.chunks(BLOCK).enumerate() {
                set.gather(rows.iter().copied(), &mut left);
                for others in candidates.chunks(BLOCK) {
                    job.checkpoint()?;
                    set.gather(others.iter().copied(), &mut right);
                    product.resize(rows.len() * others.len(), 0.0);
                    matmul_transposed(&left, rows.len(), &right, others.len(), self.cols, &mut product);
                    wide(|| {
                        for (row, quick) in product.chunks_exact(others.len()).enumerate() {
                            let place = part * BLOCK + row;
                            found.offer_all(set, place, rows[row], quick, &Places::These(others));
                        }
                    });
                }
            }
            let before = done.fetch_add(members.len() as u64, Ordering::Relaxed);
            job.progress(before + members.len() as u64, total);
            Ok::<_, Error>(found)
        };
        let found: Vec<Best> =
            (0..self.len()).into_par_iter().with_max_len(1).map(work).collect::<Result<_>>()?;
        for (members, found) in self.members.iter().zip(found) {
            for (row, &place) in members.iter().enumerate() {
                let (from, to) = (row * k..(row + 1) * k, place as usize * k);
                best.indices[to..to + k].copy_from_slice(&found.indices[from.clone()]);
                best.similarities[to..to + k].copy_from_slice(&found.similarities[from]);
            }
        }
        Ok(())
    }
}

/// The nearest centre of each of these rows.
fn nearest_centres(set: Set<'_>, places: &[u32], centres: &[f32], job: &Job<'_>) -> Result<Vec<u32>> {
    let (cols, count) = (set.cols(), centres.len() / set.cols().max(1));
    let of_block = |places: &[u32]| {
        job.checkpoint()?;
        let mut rows = Vec::new();
        set.gather(places.iter().copied(), &mut rows);
        let mut product = vec![0.0; places.len() * count];
        matmul_transposed(&rows, places.len(), centres, count, cols, &mut product);
        let nearest = product.chunks_exact(count).map(|row| {
            let mut best = (f32::NEG_INFINITY, 0);
            for (centre, &cosine) in (0_u32..).zip(row) {
                if cosine > best.0 {
                    best = (cosine, centre);
                }
            }
            best.1
        });
        Ok(nearest.collect())
    };
    let blocks: Vec<Vec<u32>> = places.par_chunks(BLOCK).map(of_block).collect::<Result<_>>()?;
    Ok(blocks.concat())
}
