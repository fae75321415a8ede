//! Clusters rows by similarity, so that only similar rows need to be searched for neighbors.
//!
//! Centers are found by k-means on a sample; every row belongs to its nearest center, and is compared with the members
//! of its nearest centers: an inverted file with uncompressed vectors (Jégou, Douze and Schmid 2011, "Product
//! quantization for nearest neighbor search", section V; `IndexIVFFlat` of faiss).

use super::best::{Best, Places};
use super::{BLOCK, Set};
use crate::job::Job;
use crate::linear::matmul_transposed;
use crate::{Error, Result};
use rayon::prelude::*;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

/// Sample rows per center.
const TRAINED: usize = 16;
/// Iterations of k-means.
const ROUNDS: usize = 4;

/// The cluster assignment.
pub(super) struct Clusters {
    /// Unit vectors.
    centers: Vec<f32>,
    /// Indices by cluster.
    members: Vec<Vec<u32>>,
}

impl Clusters {
    pub(super) fn new(set: Set<'_>, job: &Job<'_>) -> Result<Clusters> {
        let cols = set.cols();
        let count = (2 * set.len().isqrt()).clamp(1, set.len());
        let sample = set.spread(TRAINED * count);
        let mut centers = Vec::new();
        set.gather(
            sample.iter().copied().step_by(TRAINED.min(sample.len() / count).max(1)).take(count),
            &mut centers,
        );
        for _ in 0..ROUNDS {
            job.checkpoint()?;
            let nearest = nearest_centers(set, &sample, &centers, 1, job)?;
            let mut sums = vec![0.0_f32; centers.len()];
            for (&index, &center) in sample.iter().zip(&nearest) {
                let sum = &mut sums[center as usize * cols..][..cols];
                sum.iter_mut().zip(set.row(index)).for_each(|(sum, x)| *sum += x);
            }
            for (center, sum) in centers.chunks_exact_mut(cols).zip(sums.chunks_exact(cols)) {
                let length = sum.iter().map(|x| x * x).sum::<f32>().sqrt();
                // A center without members stays in place.
                if length.is_finite() && length > 0.0 {
                    center.iter_mut().zip(sum).for_each(|(to, from)| *to = from / length);
                }
            }
        }
        let all: Vec<u32> = (0..set.len() as u32).collect();
        let mut members = vec![Vec::new(); count];
        for (index, center) in nearest_centers(set, &all, &centers, 1, job)?.into_iter().enumerate() {
            members[center as usize].push(index as u32);
        }
        Ok(Clusters { centers, members })
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// Offers each row the members of the `probes` clusters nearest to it.
    pub(super) fn search(&self, set: Set<'_>, probes: usize, best: Best, job: &Job<'_>) -> Result<Best> {
        let (k, probes) = (best.k, probes.min(self.len()));
        let all: Vec<u32> = (0..set.len() as u32).collect();
        let mut asking = vec![Vec::new(); self.len()];
        let nearest = nearest_centers(set, &all, &self.centers, probes, job)?;
        for (index, nearest) in (0_u32..).zip(nearest.chunks_exact(probes)) {
            nearest.iter().for_each(|&cluster| asking[cluster as usize].push(index));
        }
        drop(nearest);
        let blocks = best.into_blocks();
        let (done, total) = (AtomicU64::new(0), self.len() as u64);
        let work = |[left, right, product]: &mut [Vec<f32>; 3], cluster: usize| {
            for others in self.members[cluster].chunks(BLOCK) {
                set.gather(others.iter().copied(), right);
                for rows in asking[cluster].chunks(BLOCK) {
                    job.checkpoint()?;
                    set.gather(rows.iter().copied(), left);
                    product.resize(rows.len() * others.len(), 0.0);
                    matmul_transposed(left, rows.len(), right, others.len(), set.cols(), product);
                    for (&index, quick) in rows.iter().zip(product.chunks_exact(others.len())) {
                        let (block, row) = (index as usize / BLOCK, index as usize % BLOCK);
                        let mut best = blocks[block].lock().unwrap_or_else(PoisonError::into_inner);
                        best.offer_all(set, row, index, quick, &Places::These(others));
                    }
                }
            }
            job.progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
            Ok::<_, Error>(())
        };
        (0..self.len()).into_par_iter().with_max_len(1).try_for_each_init(Default::default, work)?;
        Ok(Best::from_blocks(k, blocks))
    }

    /// For each true neighbor of some rows, how many clusters must be searched to find it.
    pub(super) fn probes_for(
        &self,
        set: Set<'_>,
        asked: &[u32],
        truth: &Best,
        job: &Job<'_>,
    ) -> Result<Vec<u32>> {
        let mut homes = vec![0_u32; set.len()];
        for (cluster, members) in (0_u32..).zip(&self.members) {
            members.iter().for_each(|&index| homes[index as usize] = cluster);
        }
        let orders = nearest_centers(set, asked, &self.centers, self.len(), job)?;
        let homes = &homes;
        let lists = truth.indices.chunks_exact(truth.k).zip(orders.chunks_exact(self.len()));
        let needed = lists.flat_map(|(neighbors, order)| {
            let known = neighbors.iter().filter(|&&index| index != u32::MAX);
            known.filter_map(move |&index| {
                let home = homes[index as usize];
                (1_u32..).zip(order).find(|(_, cluster)| **cluster == home).map(|(probes, _)| probes)
            })
        });
        Ok(needed.collect())
    }
}

/// The `count` nearest centers of each of these rows, nearest first, ties by number.
fn nearest_centers(
    set: Set<'_>,
    places: &[u32],
    centers: &[f32],
    count: usize,
    job: &Job<'_>,
) -> Result<Vec<u32>> {
    let (cols, all) = (set.cols(), centers.len() / set.cols().max(1));
    let mut found = vec![0_u32; places.len() * count];
    let blocks = found.par_chunks_mut(BLOCK * count).zip(places.par_chunks(BLOCK));
    blocks.try_for_each_init(
        || (Vec::new(), Vec::new(), Vec::new()),
        |(rows, product, order), (found, places)| {
            job.checkpoint()?;
            set.gather(places.iter().copied(), rows);
            product.resize(places.len() * all, 0.0);
            matmul_transposed(rows, places.len(), centers, all, cols, product);
            for (found, cosines) in found.chunks_exact_mut(count).zip(product.chunks_exact(all)) {
                nearest_of(cosines, order, found);
            }
            Ok::<_, Error>(())
        },
    )?;
    Ok(found)
}

/// The indices of the largest numbers, in order. NaN comes last.
fn nearest_of(cosines: &[f32], order: &mut Vec<u32>, found: &mut [u32]) {
    let key = |center: u32| {
        let cosine = cosines[center as usize];
        if cosine.is_nan() { f32::NEG_INFINITY } else { cosine }
    };
    let before = |a: &u32, b: &u32| key(*b).total_cmp(&key(*a)).then(a.cmp(b));
    order.clear();
    order.extend(0..cosines.len() as u32);
    if found.len() < order.len() {
        order.select_nth_unstable_by(found.len(), before);
        order.truncate(found.len());
    }
    order.sort_unstable_by(before);
    found.copy_from_slice(order);
}
