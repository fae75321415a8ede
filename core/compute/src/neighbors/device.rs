//! The same search with vectors that stay in the memory of a device.
//!
//! Products of a block of rows with all rows are computed and kept on the device. For each row, only the largest
//! product of every [`GROUP`] consecutive rows is copied back, and then the products of the few groups that can contain
//! a neighbor: a row that is among the `k` nearest has at most `k - 1` groups before its own, in the order of their
//! largest product and then of their rows. So the result is exact, and only a fraction of the products is copied.

use super::{Best, NeighborLists, are_all, gather_into};
use crate::Result;
use crate::embedding::{DeviceVectors, Embedder, GROUP};
use crate::job::Job;
use crate::matrix::EmbeddingMatrix;
use rayon::prelude::*;

/// Rows that one thread sorts at a time.
const SHARE: usize = 64;

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

    /// Like [`super::nearest_among`], with products from the device.
    ///
    /// # Errors
    /// When the device fails, or when stopped.
    pub fn nearest(&self, k: usize, job: &Job<'_>) -> Result<NeighborLists> {
        Ok(nearest_on_device(self.vectors.as_ref(), k, job)?.spread(&self.rows, self.count))
    }
}

/// The `k` nearest rows of each row of `vectors`, in the order of [`super::nearest`], with products from the device.
///
/// # Errors
/// When the device fails, or when stopped.
pub fn nearest_on_device(vectors: &dyn DeviceVectors, k: usize, job: &Job<'_>) -> Result<NeighborLists> {
    let rows = vectors.rows();
    let mut lists = NeighborLists::empty(rows, k);
    if k == 0 || rows < 2 {
        return Ok(lists);
    }
    let groups = rows.div_ceil(GROUP);
    // One for the row itself, and one for the last group, which zeros may move ahead of its position.
    let each = (k + 2).min(groups);
    let choose = |maxima: &[f32]| -> Vec<u32> {
        maxima.par_chunks_exact(groups).flat_map_iter(|maxima| largest(maxima, each)).collect()
    };
    let block = vectors.block().max(1);
    for start in (0..rows).step_by(block) {
        job.checkpoint()?;
        let end = rows.min(start + block);
        let (chosen, products) = vectors.products(start..end, each, &choose)?;
        let of_share = chosen.par_chunks(SHARE * each).zip(products.par_chunks(SHARE * each * GROUP));
        let into = lists.indices[start * k..end * k]
            .par_chunks_mut(SHARE * k)
            .zip(lists.similarities[start * k..end * k].par_chunks_mut(SHARE * k));
        into.zip(of_share).enumerate().for_each(|(share, ((indices, similarities), (chosen, products)))| {
            let first = start + share * SHARE;
            let mut best = Best::new(indices.len() / k, k);
            for (index, (chosen, products)) in
                chosen.chunks_exact(each).zip(products.chunks_exact(each * GROUP)).enumerate()
            {
                offer_groups(&mut best, index, first + index, rows, chosen, products);
            }
            indices.copy_from_slice(&best.indices);
            let found = best.similarities.iter().map(|similarity| similarity.max(-1.0));
            similarities.iter_mut().zip(found).for_each(|(to, from)| *to = from);
        });
        job.progress(end as u64, rows as u64);
    }
    Ok(lists)
}

/// The groups with the largest products, the first of equal ones.
fn largest(maxima: &[f32], count: usize) -> Vec<u32> {
    let mut best = Best::new(1, count);
    let mut worst = best.worst(0);
    for (group, &maximum) in (0_u32..).zip(maxima) {
        if maximum >= worst {
            best.offer(0, group, maximum);
            worst = best.worst(0);
        }
    }
    best.indices
}

/// Offers the rows of some groups to the row `of`, at `place` in `best`.
fn offer_groups(best: &mut Best, index: usize, of: usize, rows: usize, chosen: &[u32], products: &[f32]) {
    let mut worst = best.worst(index);
    for (&group, products) in chosen.iter().zip(products.chunks_exact(GROUP)) {
        let first = group as usize * GROUP;
        for (row, &product) in (first..rows).zip(products) {
            if product >= worst && row != of {
                best.offer(index, row as u32, product);
                worst = best.worst(index);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedding::ChooseGroups;
    use crate::linear::matmul_transposed;
    use crate::neighbors::{nearest, nearest_among};
    use proptest::prelude::*;
    use std::ops::Range;
    use std::sync::atomic::AtomicBool;

    /// A device simulated on the CPU.
    struct Plain(EmbeddingMatrix);

    impl DeviceVectors for Plain {
        fn rows(&self) -> usize {
            self.0.rows()
        }

        fn block(&self) -> usize {
            100
        }

        fn products(
            &self,
            block: Range<usize>,
            each: usize,
            choose: ChooseGroups<'_>,
        ) -> Result<(Vec<u32>, Vec<f32>)> {
            let (rows, cols) = (self.0.rows(), self.0.cols());
            let padded = rows.next_multiple_of(GROUP);
            let mut all = vec![0.0; padded * cols];
            all[..rows * cols].copy_from_slice(self.0.as_slice());
            let mut products = vec![0.0; block.len() * padded];
            let left = &self.0.as_slice()[block.start * cols..block.end * cols];
            matmul_transposed(left, block.len(), &all, padded, cols, &mut products);
            let maximum = |group: &[f32]| group.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let maxima: Vec<f32> = products.chunks_exact(GROUP).map(maximum).collect();
            let chosen = choose(&maxima);
            let mut found = Vec::new();
            for (products, chosen) in products.chunks_exact(padded).zip(chosen.chunks_exact(each)) {
                for &group in chosen {
                    found.extend_from_slice(&products[group as usize * GROUP..][..GROUP]);
                }
            }
            Ok((chosen, found))
        }
    }

    fn job<T>(work: impl FnOnce(&Job<'_>) -> T) -> T {
        work(&Job::new(&AtomicBool::new(false), &|_, _| {}))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Few values, so that there are ties, copies and opposites. Products of such numbers are exact in any order of
        /// summation.
        #[test]
        fn it_finds_what_the_search_on_the_processor_finds(
            rows in 1_usize..1200, k in 1_usize..12, kinds in 1_u32..40, seed in any::<u32>()
        ) {
            let mut state = seed;
            let mut data = Vec::new();
            for _ in 0..rows {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let kind = (state >> 16) % kinds;
                // Unit vectors of halves.
                data.extend((0..4).map(|bit| if kind >> bit & 1 == 1 { 0.5 } else { -0.5 }));
            }
            let matrix = EmbeddingMatrix::from_vec(data, 4);
            let expected = job(|job| nearest(&matrix, &|_| true, k, job)).unwrap();
            let found = job(|job| nearest_on_device(&Plain(matrix), k, job)).unwrap();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn rows_that_are_not_usable_are_nobodys_neighbors() {
        let values = [1.0, 0.0, 0.5, -0.5, 1.0];
        let matrix = || EmbeddingMatrix::from_vec(values.to_vec(), 1);
        let usable = |row: usize| row != 1;
        let kept = EmbeddingMatrix::from_vec(vec![1.0, 0.5, -0.5, 1.0], 1);
        let on_device = OnDevice { vectors: Box::new(Plain(kept)), rows: vec![0, 2, 3, 4], count: 5 };
        let found = job(|job| on_device.nearest(2, job)).unwrap();
        assert_eq!(found, job(|job| nearest(&matrix(), &usable, 2, job)).unwrap());
        assert_eq!(found.of(1).count(), 0);
    }

    /// Of equally near rows the first listed is nearer, here as on the processor.
    #[test]
    fn the_order_of_the_rows_decides_between_equally_near_ones() {
        let vectors = [[1.0, 0.0], [0.6, 0.8], [1.0, 0.0], [1.0, 0.0], [-0.6, 0.8]];
        let matrix = EmbeddingMatrix::from_vec(vectors.concat(), 2);
        let rows = vec![3, 4, 0, 2, 1];
        let listed = EmbeddingMatrix::from_vec([3, 4, 0, 2, 1].map(|row: usize| vectors[row]).concat(), 2);
        let on_device = OnDevice { vectors: Box::new(Plain(listed)), rows: rows.clone(), count: 5 };
        let found = job(|job| on_device.nearest(2, job)).unwrap();
        assert_eq!(found.of(1).map(|(row, _)| row).collect::<Vec<_>>(), [3, 0]);
        assert_eq!(found, job(|job| nearest_among(&matrix, &rows, 2, job)).unwrap());
    }

    #[test]
    fn opposite_vectors_are_found_before_the_zeros_of_the_last_group() {
        let data: Vec<f32> = (0..300).flat_map(|row| [if row == 0 { 1.0 } else { -1.0 }, 0.0]).collect();
        let found = job(|job| nearest_on_device(&Plain(EmbeddingMatrix::from_vec(data, 2)), 2, job)).unwrap();
        assert_eq!(found.of(0).collect::<Vec<_>>(), [(1, -1.0), (2, -1.0)]);
    }
}
