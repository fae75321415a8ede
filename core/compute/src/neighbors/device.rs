//! The same search with vectors that stay in the memory of a device, which filters: the processor computes the cosines.
//!
//! Products of a block of rows with all rows are computed and kept on the device, in whatever precision is fast there. For
//! each row, the largest product of every [`GROUP`] consecutive rows is copied back, and then the products of the groups that
//! can contain a neighbor. Cosines of the rows whose product is within the device's error of that of a neighbor are computed
//! as in the search on the processor, so that the lists are the same to the last bit, whatever the device.
//!
//! Of the `k + 2` largest maxima of a row, at most one is the row itself and one the zeros that fill up the last group. So
//! there are `k` neighbors whose cosine is at least the least of these maxima less the error, and a row that belongs among
//! them has a product of at least that maximum less twice the error.

use super::best::{Best, Places};
use super::{NeighborLists, Set, are_all, gather_into};
use crate::Result;
use crate::embedding::{DeviceVectors, Embedder, Filter, GROUP};
use crate::job::Job;
use crate::matrix::EmbeddingMatrix;
use rayon::prelude::*;

/// Rows that one thread looks at together.
const SHARE: usize = 16;

/// The usable rows of a matrix in the memory of a device.
pub struct OnDevice {
    vectors: Box<dyn DeviceVectors>,
    /// The row of the matrix that each vector is.
    rows: Vec<u32>,
    /// Rows of the matrix.
    count: usize,
}

impl OnDevice {
    /// Copies these rows to the device, in the order of [`super::nearest_among`]; `None` if the model runs on the CPU.
    ///
    /// # Errors
    /// When the device fails or runs out of memory.
    pub fn new(
        embedder: &dyn Embedder,
        matrix: &EmbeddingMatrix,
        rows: Vec<u32>,
    ) -> Result<Option<OnDevice>> {
        let count = matrix.rows();
        let vectors = if are_all(&rows, count) {
            embedder.keep_on_device(matrix.as_slice())
        } else {
            let mut gathered = Vec::new();
            gather_into(matrix, &rows, &mut gathered);
            embedder.keep_on_device(&gathered)
        };
        Ok(vectors?.map(|vectors| OnDevice { vectors, rows, count }))
    }

    /// Like [`super::nearest_among`] of the same matrix, exact for any number of rows, with the device as a filter.
    ///
    /// # Errors
    /// When the device fails, or when stopped.
    pub fn nearest(&self, matrix: &EmbeddingMatrix, k: usize, job: &Job<'_>) -> Result<NeighborLists> {
        let set = Set::new(matrix, &self.rows);
        Ok(search(self.vectors.as_ref(), set, k, job)?.spread(&self.rows, self.count))
    }
}

/// The `k` nearest rows of each row of the matrix, all of whose rows are on the device; see [`OnDevice::nearest`].
///
/// # Errors
/// When the device fails, or when stopped.
pub fn nearest_on_device(
    vectors: &dyn DeviceVectors,
    matrix: &EmbeddingMatrix,
    k: usize,
    job: &Job<'_>,
) -> Result<NeighborLists> {
    let rows: Vec<u32> = (0..matrix.rows() as u32).collect();
    search(vectors, Set::new(matrix, &rows), k, job)
}

fn search(vectors: &dyn DeviceVectors, set: Set<'_>, k: usize, job: &Job<'_>) -> Result<NeighborLists> {
    let rows = set.len();
    let mut lists = NeighborLists::empty(rows, k);
    if k == 0 || rows < 2 {
        return Ok(lists);
    }
    let block = vectors.block().max(1);
    for start in (0..rows).step_by(block) {
        job.checkpoint()?;
        let end = rows.min(start + block);
        let mut found = Block {
            set,
            start,
            groups: rows.div_ceil(GROUP),
            error: vectors.error(),
            floors: Vec::new(),
            best: Best::new(end - start, k),
        };
        vectors.products(start..end, &mut found)?;
        lists.indices[start * k..end * k].copy_from_slice(&found.best.indices);
        let similarities = found.best.similarities.iter().map(|similarity| similarity.max(-1.0));
        lists.similarities[start * k..end * k].iter_mut().zip(similarities).for_each(|(to, from)| *to = from);
        job.progress(end as u64, rows as u64);
    }
    Ok(lists)
}

/// The search for the neighbors of consecutive rows.
struct Block<'a> {
    set: Set<'a>,
    /// The first of the rows.
    start: usize,
    /// Groups of all rows.
    groups: usize,
    error: f32,
    /// The least product of a neighbor, for each row.
    floors: Vec<f32>,
    best: Best,
}

impl Filter for Block<'_> {
    fn choose(&mut self, maxima: &[f32]) -> Vec<u32> {
        let (groups, kept, error) = (self.groups, self.best.k + 2, self.error);
        let floor = |maxima: &[f32]| least_of_largest(maxima, kept).min(1.0) - 2.0 * error;
        self.floors = maxima.par_chunks_exact(groups).map(floor).collect();
        let rows = maxima.par_chunks_exact(groups).zip(&self.floors).enumerate();
        rows.flat_map_iter(|(row, (maxima, floor))| {
            let first = (row * groups) as u32;
            // A group with what is not a number has an unknown maximum.
            let needed = (0_u32..).zip(maxima).filter(|(_, maximum)| **maximum >= *floor || maximum.is_nan());
            needed.map(move |(group, _)| first + group)
        })
        .collect()
    }

    fn take(&mut self, places: &[u32], products: &[f32]) {
        let Block { set, start, groups, error, floors, best } = self;
        let (set, first, groups, error, k) = (*set, *start, *groups, *error, best.k);
        let lists = best.indices.par_chunks_mut(k).zip(best.similarities.par_chunks_mut(k));
        lists.zip(&*floors).enumerate().with_min_len(SHARE).for_each(
            |(row, ((indices, similarities), &floor))| {
                let from = places.partition_point(|&place| (place as usize) < row * groups);
                let length = places[from..].partition_point(|&place| (place as usize) < (row + 1) * groups);
                if length == 0 {
                    return;
                }
                let mut best = Best { k, indices: indices.to_vec(), similarities: similarities.to_vec() };
                let own = (first + row) as u32;
                let groups_of_row =
                    places[from..from + length].iter().zip(products[from * GROUP..].chunks_exact(GROUP));
                for (&place, products) in groups_of_row {
                    let other = (place as usize - row * groups) * GROUP;
                    // Without the zeros that fill up the last group.
                    let products = &products[..GROUP.min(set.len() - other)];
                    best.offer_within(set, 0, own, products, &Places::From(other as u32), (error, floor));
                }
                indices.copy_from_slice(&best.indices);
                similarities.copy_from_slice(&best.similarities);
            },
        );
    }
}

/// The least of the `count` largest numbers; below all if there are fewer.
fn least_of_largest(numbers: &[f32], count: usize) -> f32 {
    let mut known: Vec<f32> = numbers.iter().copied().filter(|number| !number.is_nan()).collect();
    if known.len() < count {
        return f32::NEG_INFINITY;
    }
    *known.select_nth_unstable_by(count - 1, |a, b| b.total_cmp(a)).1
}

#[cfg(test)]
mod tests;
