//! Vectors in device memory, for the neighbor search.

use crate::failure::failed;
use candle_core::{D, Device, Result, Tensor};
use chaffinch_compute::neighbors::{ChooseGroups, DeviceVectors, GROUP};
use std::ops::Range;

/// Maximum bytes of products on the device at a time.
const PRODUCTS: u64 = 2 << 30;
/// Maximum rows per block: more do not make the product faster.
const MOST_ROWS: usize = 4096;

/// Unit vectors on a device, padded with zeros to complete groups.
pub(crate) struct ResidentVectors {
    vectors: Tensor,
    rows: usize,
    groups: usize,
    /// Maximum bytes of products.
    products: u64,
    /// The device, for display.
    name: String,
}

impl ResidentVectors {
    /// Bytes available for products besides the vectors; `None` if they do not suffice for one row.
    pub(crate) fn room_for_products(numbers: usize, rows: usize, spare: u64) -> Option<u64> {
        // The vectors exist twice while they are padded; products exist twice while the largest are searched.
        let left = spare.saturating_sub(2 * 4 * numbers as u64) / 2;
        (left >= 4 * (rows + GROUP) as u64).then_some(left.min(PRODUCTS))
    }

    pub(crate) fn new(
        vectors: &[f32],
        dim: usize,
        products: u64,
        device: &Device,
        name: &str,
    ) -> Result<ResidentVectors> {
        let rows = vectors.len() / dim.max(1);
        let groups = rows.div_ceil(GROUP);
        let there = Tensor::from_slice(vectors, (rows, dim), device)?;
        let missing = groups * GROUP - rows;
        let vectors = there.pad_with_zeros(0, 0, missing)?;
        Ok(ResidentVectors { vectors, rows, groups, products, name: name.to_owned() })
    }

    fn multiply(
        &self,
        block: Range<usize>,
        each: usize,
        choose: ChooseGroups<'_>,
    ) -> Result<(Vec<u32>, Vec<f32>)> {
        let count = block.len();
        let left = self.vectors.narrow(0, block.start, count)?;
        let products = left.matmul(&self.vectors.t()?)?.reshape((count, self.groups, GROUP))?;
        let chosen = choose(&products.max(D::Minus1)?.flatten_all()?.to_vec1()?);
        let places = Tensor::from_slice(&chosen, (count, each, 1), products.device())?;
        let places = places.broadcast_as((count, each, GROUP))?.contiguous()?;
        let found = products.gather(&places, 1)?.flatten_all()?.to_vec1()?;
        Ok((chosen, found))
    }
}

impl DeviceVectors for ResidentVectors {
    fn rows(&self) -> usize {
        self.rows
    }

    fn block(&self) -> usize {
        let fitting = self.products / 4 / (self.groups * GROUP).max(1) as u64;
        usize::try_from(fitting).unwrap_or(MOST_ROWS).clamp(1, MOST_ROWS)
    }

    fn products(
        &self,
        block: Range<usize>,
        each: usize,
        choose: ChooseGroups<'_>,
    ) -> chaffinch_compute::Result<(Vec<u32>, Vec<f32>)> {
        let rows = block.len();
        self.multiply(block, each, choose).map_err(|error| failed(&self.name, &error, rows).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_compute::job::Job;
    use chaffinch_compute::matrix::EmbeddingMatrix;
    use chaffinch_compute::neighbors::{nearest, nearest_on_device};
    use std::sync::atomic::AtomicBool;

    /// Unit vectors that are all different.
    fn vectors(rows: usize, dim: usize) -> Vec<f32> {
        let mut state = 7_u32;
        let mut data: Vec<f32> = (0..rows * dim)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / 16_777_216.0 - 0.5
            })
            .collect();
        for row in data.chunks_exact_mut(dim) {
            let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
            row.iter_mut().for_each(|x| *x /= length);
        }
        data
    }

    #[test]
    fn a_small_budget_makes_small_blocks_or_none() {
        let room = |spare| ResidentVectors::room_for_products(1000 * 48, 1000, spare);
        assert_eq!(room(u64::MAX), Some(PRODUCTS));
        assert_eq!(room(390_000), None);
        let few = room(800_000).unwrap();
        let (rows, dim) = (1000, 48);
        let resident = ResidentVectors::new(&vectors(rows, dim), dim, few, &Device::Cpu, "cpu").unwrap();
        assert!((1..100).contains(&resident.block()), "{}", resident.block());
    }

    #[test]
    fn neighbors_are_those_of_the_processors_search() {
        let (rows, dim, k) = (1000, 48, 10);
        let data = vectors(rows, dim);
        let resident = ResidentVectors::new(&data, dim, PRODUCTS, &Device::Cpu, "cpu").unwrap();
        let (stop, quiet) = (AtomicBool::new(false), |_, _| {});
        let job = Job::new(&stop, &quiet);
        let found = nearest_on_device(&resident, k, &job).unwrap();
        let expected = nearest(&EmbeddingMatrix::from_vec(data, dim), &|_| true, k, &job).unwrap();
        assert_eq!(found.indices, expected.indices);
        let pairs = found.similarities.iter().zip(&expected.similarities);
        assert!(pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) < 1e-6);
    }
}
