//! Nearest neighbors and similarities, by blocks of matrix products.
//!
//! Up to [`EXACT_ROWS`] rows every pair is considered and the lists are exact. Most pairs are ruled out by a bound that
//! costs a fraction of the full product (`bound`), compared with the results of a first search among similar rows
//! (`clusters`). Above, only similar rows are searched, if that finds nearly all neighbors (`approximate`). A product
//! only selects candidate pairs; the final cosine is computed pair by pair in a fixed order (`best`), so that blocks,
//! threads and shortcuts never change a number.

mod approximate;
mod best;
mod bound;
mod clusters;
mod device;
mod pairs;

pub use crate::embedding::{DeviceVectors, Filter, GROUP};
pub use approximate::{RECALL, RECALL_AT};
pub use device::{OnDevice, nearest_on_device};

use crate::Result;
use crate::job::Job;
use crate::linear::matmul_transposed;
use crate::matrix::EmbeddingMatrix;
use best::Best;
use clusters::Clusters;
use rayon::prelude::*;

/// Rows per block. Fixed, so that the sums do not depend on the number of threads.
const BLOCK: usize = 256;
/// Up to this many rows the lists are exact: two cores compare all pairs within minutes.
pub const EXACT_ROWS: usize = 250_000;
/// From this many rows on, clusters pay off.
const CLUSTERED_ROWS: usize = 8192;
/// Clusters that a row is compared with before all pairs are considered.
const FIRST_LOOK: usize = 6;

/// The nearest neighbors of every sample, nearest first, ties by row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NeighborLists {
    /// Neighbors per sample.
    pub k: usize,
    /// `rows * k` rows; [`u32::MAX`] if there are no more.
    pub indices: Vec<u32>,
    /// `rows * k` cosines of at most 1 in size; -1 if there are no more.
    pub similarities: Vec<f32>,
    /// The share of the true [`RECALL_AT`] neighbors that were found, measured on a sample of the rows; `None` if the
    /// lists are exact.
    pub recall: Option<f32>,
}

impl NeighborLists {
    /// The neighbors of one row, nearest first: (row, cosine).
    pub fn of(&self, row: usize) -> impl Iterator<Item = (usize, f32)> + '_ {
        let range = row * self.k..(row + 1) * self.k;
        let pairs = self.indices[range.clone()].iter().zip(&self.similarities[range]);
        pairs
            .filter(|(index, _)| **index != u32::MAX)
            .map(|(&index, &similarity)| (index as usize, similarity))
    }

    /// The same lists for more rows: list `i` becomes that of `rows[i]` out of `count`, and the others are empty.
    fn spread(self, rows: &[u32], count: usize) -> NeighborLists {
        if are_all(rows, count) {
            return self;
        }
        let k = self.k;
        let mut lists = NeighborLists::empty(count, k);
        lists.recall = self.recall;
        for (at, &row) in rows.iter().enumerate() {
            let (from, to) = (at * k..(at + 1) * k, row as usize * k);
            let indices = self.indices[from.clone()].iter();
            let indices = indices.map(|&index| rows.get(index as usize).copied().unwrap_or(u32::MAX));
            lists.indices[to..to + k].iter_mut().zip(indices).for_each(|(to, index)| *to = index);
            lists.similarities[to..to + k].copy_from_slice(&self.similarities[from]);
        }
        lists
    }

    /// Empty lists with room for `k` neighbors per row.
    fn empty(rows: usize, k: usize) -> NeighborLists {
        NeighborLists {
            k,
            indices: vec![u32::MAX; rows * k],
            similarities: vec![-1.0; rows * k],
            recall: None,
        }
    }

    /// The same lists with fewer neighbors per sample: what [`nearest`] gives for a smaller `k`.
    #[must_use]
    pub fn truncated(&self, k: usize) -> NeighborLists {
        let k = k.min(self.k);
        if k == 0 {
            return NeighborLists::default();
        }
        let indices = self.indices.chunks_exact(self.k).flat_map(|list| &list[..k]).copied().collect();
        let similarities =
            self.similarities.chunks_exact(self.k).flat_map(|list| &list[..k]).copied().collect();
        NeighborLists { k, indices, similarities, recall: self.recall }
    }
}

/// The `k` nearest rows of each usable row, except itself. Unusable rows have no neighbors and are never neighbors.
/// Independent of the number of threads. Exact up to [`EXACT_ROWS`] rows; above, at least [`RECALL`] of the nearest
/// [`RECALL_AT`] are found on a sample of the rows.
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
    nearest_among(matrix, &rows, k, job)
}

/// [`nearest`] among these rows. Of equally near rows the one that is listed first is nearer, whatever its number: listed
/// in the same order, the same vectors have the same neighbors however the matrix is arranged.
///
/// # Errors
/// When stopped.
pub fn nearest_among(
    matrix: &EmbeddingMatrix,
    rows: &[u32],
    k: usize,
    job: &Job<'_>,
) -> Result<NeighborLists> {
    nearest_beyond(EXACT_ROWS, matrix, rows, k, job)
}

/// The same with a different limit between exact and approximate.
fn nearest_beyond(
    exact_rows: usize,
    matrix: &EmbeddingMatrix,
    rows: &[u32],
    k: usize,
    job: &Job<'_>,
) -> Result<NeighborLists> {
    if rows.len() > exact_rows && k < RECALL_AT {
        // Always search the rows that recall is measured on, so that it is the same for all `k`.
        return Ok(nearest_beyond(exact_rows, matrix, rows, RECALL_AT, job)?.truncated(k));
    }
    let mut lists = NeighborLists::empty(matrix.rows(), k);
    let asked = k;
    let k = k.min(rows.len().saturating_sub(1));
    if k == 0 {
        return Ok(lists);
    }
    let set = Set::new(matrix, rows);
    let (best, recall) = lists_of(set, exact_rows, k, job)?;
    lists.recall = recall;
    for (at, &row) in rows.iter().enumerate() {
        let (from, to) = (at * k..(at + 1) * k, row as usize * asked);
        let indices = best.indices[from.clone()].iter();
        let named = indices.map(|&at| rows.get(at as usize).copied().unwrap_or(u32::MAX));
        lists.indices[to..to + k].iter_mut().zip(named).for_each(|(to, from)| *to = from);
        let found = best.similarities[from].iter().map(|similarity| similarity.max(-1.0));
        lists.similarities[to..to + k].iter_mut().zip(found).for_each(|(to, from)| *to = from);
    }
    Ok(lists)
}

fn lists_of(set: Set<'_>, exact_rows: usize, k: usize, job: &Job<'_>) -> Result<(Best, Option<f32>)> {
    let mut best = Best::new(set.len(), k);
    if set.len() >= CLUSTERED_ROWS {
        let clusters = Clusters::new(set, job)?;
        if set.len() > exact_rows
            && let Some((best, recall)) = approximate::search(set, &clusters, k, job)?
        {
            return Ok((best, Some(recall)));
        }
        best = clusters.search(set, FIRST_LOOK, best, job)?;
    }
    Ok((pairs::complete(set, best, job)?, None))
}

/// Whether these are all rows, in their order.
fn are_all(rows: &[u32], count: usize) -> bool {
    rows.len() == count && (0..).zip(rows).all(|(at, &row)| row == at)
}

/// The rows to search; everything below uses indices into this list.
#[derive(Clone, Copy)]
struct Set<'a> {
    matrix: &'a EmbeddingMatrix,
    rows: &'a [u32],
    /// Whether the rows are those of the matrix, in its order.
    contiguous: bool,
}

impl<'a> Set<'a> {
    fn new(matrix: &'a EmbeddingMatrix, rows: &'a [u32]) -> Set<'a> {
        Set { matrix, rows, contiguous: are_all(rows, matrix.rows()) }
    }

    fn len(self) -> usize {
        self.rows.len()
    }

    fn cols(self) -> usize {
        self.matrix.cols()
    }

    fn row(self, at: u32) -> &'a [f32] {
        self.matrix.row(self.rows[at as usize] as usize)
    }

    fn gather(self, places: impl Iterator<Item = u32>, out: &mut Vec<f32>) {
        out.clear();
        places.for_each(|at| out.extend_from_slice(self.row(at)));
    }

    /// This many indices, evenly spaced.
    fn spread(self, count: usize) -> Vec<u32> {
        let count = count.min(self.len());
        (0..count).map(|at| (at * self.len() / count) as u32).collect()
    }
}

fn gather_into(matrix: &EmbeddingMatrix, rows: &[u32], out: &mut Vec<f32>) {
    out.clear();
    for &row in rows {
        out.extend_from_slice(matrix.row(row as usize));
    }
}

/// The cosine of two unit vectors: summed in the same order whatever the CPU, as in the lists of neighbors.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    best::cosine_of(a, b)
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
