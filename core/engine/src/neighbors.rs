//! Exact nearest neighbours and similarities, by blocks of matrix products.

mod device;

pub use device::{ChooseGroups, DeviceVectors, GROUP, OnDevice, nearest_on_device};

use crate::job::Job;
use crate::linear::matmul_transposed;
use crate::store::EmbeddingMatrix;
use crate::{Error, Result};
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Rows of a block. Fixed, so that the sums never depend on the machine's threads.
const BLOCK: usize = 512;

/// Candidates that are looked at together.
const LOOK: usize = 64;

/// The nearest neighbours of every sample, nearest first, equal ones by row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NeighborLists {
    /// Neighbours a sample.
    pub k: usize,
    /// `rows * k` rows; [`u32::MAX`] where there are no more.
    pub indices: Vec<u32>,
    /// `rows * k` cosines, at most 1 in size; -1 where there are no more.
    pub similarities: Vec<f32>,
}

impl NeighborLists {
    /// The neighbours of one row, nearest first: (row, cosine).
    pub fn of(&self, row: usize) -> impl Iterator<Item = (usize, f32)> + '_ {
        let range = row * self.k..(row + 1) * self.k;
        let pairs = self.indices[range.clone()].iter().zip(&self.similarities[range]);
        pairs
            .filter(|(index, _)| **index != u32::MAX)
            .map(|(&index, &similarity)| (index as usize, similarity))
    }

    /// The same lists for more rows: list `i` is that of `rows[i]` of `count`, and the others have none.
    fn spread(self, rows: &[u32], count: usize) -> NeighborLists {
        if rows.len() == count {
            return self;
        }
        let k = self.k;
        let mut lists =
            NeighborLists { k, indices: vec![u32::MAX; count * k], similarities: vec![-1.0; count * k] };
        for (place, &row) in rows.iter().enumerate() {
            let (from, to) = (place * k..(place + 1) * k, row as usize * k);
            let indices = self.indices[from.clone()].iter();
            let indices = indices.map(|&index| rows.get(index as usize).copied().unwrap_or(u32::MAX));
            lists.indices[to..to + k].iter_mut().zip(indices).for_each(|(to, index)| *to = index);
            lists.similarities[to..to + k].copy_from_slice(&self.similarities[from]);
        }
        lists
    }

    /// The same lists with fewer neighbours a sample: what [`nearest`] gives for a smaller `k`.
    #[must_use]
    pub fn truncated(&self, k: usize) -> NeighborLists {
        let k = k.min(self.k);
        if k == 0 {
            return NeighborLists::default();
        }
        let indices = self.indices.chunks_exact(self.k).flat_map(|list| &list[..k]).copied().collect();
        let similarities =
            self.similarities.chunks_exact(self.k).flat_map(|list| &list[..k]).copied().collect();
        NeighborLists { k, indices, similarities }
    }
}

/// The `k` nearest rows of each usable row, itself left out. Rows that are not usable have no neighbours and are
/// nobody's. The same whatever the number of threads.
///
/// # Errors
/// When stopped.
pub fn nearest(
    matrix: &EmbeddingMatrix,
    usable: &dyn Fn(usize) -> bool,
    k: usize,
    job: &Job<'_>,
) -> Result<NeighborLists> {
    let rows: Vec<u32> = (0..matrix.rows()).filter(|&row| usable(row)).map(|row| row as u32).collect();
    let mut lists = NeighborLists {
        k,
        indices: vec![u32::MAX; matrix.rows() * k],
        similarities: vec![-1.0; matrix.rows() * k],
    };
    let asked = k;
    let k = k.min(rows.len().saturating_sub(1));
    if k == 0 {
        return Ok(lists);
    }
    let blocks: Vec<Mutex<Best>> =
        rows.chunks(BLOCK).map(|rows| Mutex::new(Best::new(rows.len(), k))).collect();
    let pairs = pairs_of_blocks(blocks.len());
    let (done, total) = (AtomicU64::new(0), pairs.len() as u64);
    let gathered = rows.len() < matrix.rows();
    pairs.par_iter().with_max_len(1).try_for_each_init(Scratch::default, |scratch, &(left, right)| {
        job.checkpoint()?;
        let of = |block: usize| &rows[block * BLOCK..rows.len().min((block + 1) * BLOCK)];
        let (a, b) = (of(left), of(right));
        scratch.multiply(matrix, a, b, gathered);
        scratch.offer_rows(a, b, left == right, &blocks[left]);
        if left != right {
            scratch.offer_columns(a, b, &blocks[right]);
        }
        job.progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
        Ok::<(), Error>(())
    })?;
    for (block, best) in blocks.into_iter().enumerate() {
        let best = best.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (place, &row) in rows[block * BLOCK..].iter().take(BLOCK).enumerate() {
            let (from, to) = (place * k..(place + 1) * k, row as usize * asked);
            lists.indices[to..to + k].copy_from_slice(&best.indices[from.clone()]);
            let found = best.similarities[from].iter().map(|similarity| similarity.max(-1.0));
            lists.similarities[to..to + k].iter_mut().zip(found).for_each(|(to, from)| *to = from);
        }
    }
    Ok(lists)
}

/// Every pair of blocks once, in an order where threads rarely meet at the same block: round by round, block
/// `i` with block `i + step`.
fn pairs_of_blocks(count: usize) -> Vec<(usize, usize)> {
    let mut pairs = Vec::with_capacity(count * (count + 1) / 2);
    for step in 0..count {
        pairs.extend((0..count - step).map(|block| (block, block + step)));
    }
    pairs
}

/// The best so far of a block's rows. What is kept is the largest `k` under a total order (cosine, then lower
/// row), so that it never matters in which order candidates come.
struct Best {
    k: usize,
    indices: Vec<u32>,
    similarities: Vec<f32>,
}

impl Best {
    fn new(rows: usize, k: usize) -> Best {
        Best { k, indices: vec![u32::MAX; rows * k], similarities: vec![f32::NEG_INFINITY; rows * k] }
    }

    /// What a candidate of this row must at least have.
    fn worst(&self, row: usize) -> f32 {
        self.similarities[(row + 1) * self.k - 1]
    }

    fn offer(&mut self, row: usize, index: u32, similarity: f32) {
        // Equal vectors give a little more or less than one: then the lower row comes first.
        let similarity = similarity.min(1.0);
        let range = row * self.k..(row + 1) * self.k;
        let (indices, similarities) = (&mut self.indices[range.clone()], &mut self.similarities[range]);
        let better = |place: usize, similarities: &[f32], indices: &[u32]| {
            similarity > similarities[place] || (similarity == similarities[place] && index < indices[place])
        };
        let mut place = similarities.len();
        while place > 0 && better(place - 1, similarities, indices) {
            place -= 1;
        }
        if place < similarities.len() {
            similarities[place..].rotate_right(1);
            indices[place..].rotate_right(1);
            (similarities[place], indices[place]) = (similarity, index);
        }
    }
}

/// One thread's room to work in.
#[derive(Default)]
struct Scratch {
    left: Vec<f32>,
    right: Vec<f32>,
    product: Vec<f32>,
    thresholds: Vec<f32>,
}

impl Scratch {
    fn multiply(&mut self, matrix: &EmbeddingMatrix, a: &[u32], b: &[u32], gathered: bool) {
        let cols = matrix.cols();
        self.product.resize(a.len() * b.len(), 0.0);
        if gathered {
            gather_into(matrix, a, &mut self.left);
            gather_into(matrix, b, &mut self.right);
            matmul_transposed(&self.left, a.len(), &self.right, b.len(), cols, &mut self.product);
        } else {
            let of = |rows: &[u32]| {
                let start = rows[0] as usize * cols;
                &matrix.as_slice()[start..start + rows.len() * cols]
            };
            matmul_transposed(of(a), a.len(), of(b), b.len(), cols, &mut self.product);
        }
    }

    /// Offers each row of `a` all of `b`.
    fn offer_rows(&mut self, a: &[u32], b: &[u32], same: bool, best: &Mutex<Best>) {
        let mut best = best.lock().unwrap_or_else(PoisonError::into_inner);
        for (row, similarities) in self.product.chunks_exact(b.len()).enumerate() {
            let mut worst = best.worst(row);
            for (similarities, indices) in similarities.chunks(LOOK).zip(b.chunks(LOOK)) {
                // Counted, not searched: nearly always there is none, and counting needs no branches.
                if similarities.iter().map(|similarity| u32::from(*similarity >= worst)).sum::<u32>() == 0 {
                    continue;
                }
                for (&similarity, &index) in similarities.iter().zip(indices) {
                    if similarity >= worst && !(same && index == a[row]) {
                        best.offer(row, index, similarity);
                        worst = best.worst(row);
                    }
                }
            }
        }
    }

    /// Offers each row of `b` all of `a`.
    fn offer_columns(&mut self, a: &[u32], b: &[u32], best: &Mutex<Best>) {
        let mut best = best.lock().unwrap_or_else(PoisonError::into_inner);
        self.thresholds.clear();
        self.thresholds.extend((0..b.len()).map(|row| best.worst(row)));
        for (&index, similarities) in a.iter().zip(self.product.chunks_exact(b.len())) {
            let parts = similarities.chunks(LOOK).zip(self.thresholds.chunks_mut(LOOK)).enumerate();
            for (part, (similarities, thresholds)) in parts {
                let pairs = similarities.iter().zip(thresholds.iter());
                if pairs.map(|(similarity, worst)| u32::from(similarity >= worst)).sum::<u32>() == 0 {
                    continue;
                }
                for (place, &similarity) in similarities.iter().enumerate() {
                    if similarity >= thresholds[place] {
                        let row = part * LOOK + place;
                        best.offer(row, index, similarity);
                        thresholds[place] = best.worst(row);
                    }
                }
            }
        }
    }
}

fn gather_into(matrix: &EmbeddingMatrix, rows: &[u32], out: &mut Vec<f32>) {
    out.clear();
    for &row in rows {
        out.extend_from_slice(matrix.row(row as usize));
    }
}

/// Products of all rows with some vectors: `result[row * count + vector]`.
///
/// # Panics
/// When the vectors are not as wide as the matrix.
pub fn similarities(matrix: &EmbeddingMatrix, vectors: &[f32], count: usize) -> Vec<f32> {
    let cols = matrix.cols();
    assert_eq!(vectors.len(), count * cols, "vectors as wide as the embeddings");
    let mut out = vec![0.0; matrix.rows() * count];
    if count > 0 && cols > 0 {
        let blocks = out.par_chunks_mut(BLOCK * count).zip(matrix.as_slice().par_chunks(BLOCK * cols));
        blocks.for_each(|(out, rows)| matmul_transposed(rows, rows.len() / cols, vectors, count, cols, out));
    }
    out
}

/// Products of some rows with some others: `result[row * cols.len() + col]`.
///
/// # Panics
/// When there is no such row.
pub fn block(matrix: &EmbeddingMatrix, rows: &[u32], cols: &[u32]) -> Vec<f32> {
    let mut out = vec![0.0; rows.len() * cols.len()];
    if out.is_empty() {
        return out;
    }
    let mut right = Vec::new();
    gather_into(matrix, cols, &mut right);
    let blocks = out.par_chunks_mut(BLOCK * cols.len()).zip(rows.par_chunks(BLOCK));
    blocks.for_each_init(Vec::new, |left, (out, rows)| {
        gather_into(matrix, rows, left);
        matmul_transposed(left, rows.len(), &right, cols.len(), matrix.cols(), out);
    });
    out
}

#[cfg(test)]
mod tests;
