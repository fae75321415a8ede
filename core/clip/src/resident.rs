//! Vectors in device memory, which filter the neighbor search.

use crate::failure::failed;
use candle_core::{DType, Device, Result, Tensor};
use chaffinch_compute::neighbors::{DeviceVectors, Filter, GROUP};
use std::ops::Range;

/// Maximum bytes of products on the device at a time.
const PRODUCTS: u64 = 2 << 30;
/// Maximum rows per block: more do not make the product faster.
const MOST_ROWS: usize = 4096;
/// Numbers that are sent to the device at a time. Kernels count in 32 bits.
const PIECE: usize = 1 << 25;
/// Groups whose products are copied back at a time.
const COPIED: usize = 1 << 15;

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
    /// Bytes available for products besides that many vectors; `None` if they do not suffice for one row.
    pub(crate) fn room_for_products(rows: usize, dim: usize, dtype: DType, spare: u64) -> Option<u64> {
        let (size, padded) = (dtype.size_in_bytes() as u64, rows.next_multiple_of(GROUP) as u64);
        let vectors = size * padded * dim as u64;
        // A piece exists in single precision, too, while it is sent, and so do products while they are copied back.
        let piece = (4 + size) * PIECE.min(rows * dim).max(COPIED.min(rows) * GROUP) as u64;
        let left = spare.saturating_sub(vectors).saturating_sub(piece);
        (left >= size * padded).then_some(left.min(PRODUCTS))
    }

    /// Copies vectors to the device, in pieces, each at its place among zeros.
    pub(crate) fn new(
        vectors: &[f32],
        dim: usize,
        products: u64,
        (device, dtype): (&Device, DType),
        name: &str,
    ) -> Result<ResidentVectors> {
        let rows = vectors.len() / dim.max(1);
        let groups = rows.div_ceil(GROUP);
        let all = Tensor::zeros((groups * GROUP, dim), dtype, device)?;
        let each = (PIECE / dim.max(1)).max(1);
        for (index, piece) in vectors.chunks(each * dim.max(1)).enumerate() {
            let piece = Tensor::from_slice(piece, (piece.len() / dim, dim), device)?.to_dtype(dtype)?;
            all.slice_set(&piece, 0, index * each)?;
        }
        Ok(ResidentVectors { vectors: all, rows, groups, products, name: name.to_owned() })
    }

    fn multiply(&self, block: Range<usize>, filter: &mut dyn Filter) -> Result<()> {
        let count = block.len();
        let left = self.vectors.narrow(0, block.start, count)?;
        let products = left.matmul(&self.vectors.t()?)?.reshape((count * self.groups, GROUP))?;
        let chosen = filter.choose(&products.max(1)?.to_dtype(DType::F32)?.to_vec1()?);
        for places in chosen.chunks(COPIED) {
            let which = Tensor::from_slice(places, places.len(), products.device())?;
            let found = products.index_select(&which, 0)?.flatten_all()?.to_dtype(DType::F32)?;
            filter.take(places, &found.to_vec1()?);
        }
        Ok(())
    }
}

impl DeviceVectors for ResidentVectors {
    fn rows(&self) -> usize {
        self.rows
    }

    fn block(&self) -> usize {
        let row = self.vectors.dtype().size_in_bytes() * self.groups * GROUP;
        let fitting = self.products / row.max(1) as u64;
        usize::try_from(fitting).unwrap_or(MOST_ROWS).clamp(1, MOST_ROWS)
    }

    /// Both vectors and the product are rounded, in half precision to 2^-11 of their size each, whose sum over the products of
    /// unit vectors is at most 1.
    fn error(&self) -> f32 {
        match self.vectors.dtype() {
            DType::F16 => 2e-3,
            DType::BF16 => 1.6e-2,
            _ => 1e-4,
        }
    }

    fn products(&self, block: Range<usize>, filter: &mut dyn Filter) -> chaffinch_compute::Result<()> {
        let rows = block.len();
        self.multiply(block, filter).map_err(|error| failed(&self.name, &error, rows).into())
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
        let room = |spare| ResidentVectors::room_for_products(1000, 48, DType::F32, spare);
        assert_eq!(room(u64::MAX), Some(PRODUCTS));
        assert_eq!(room(390_000), None);
        let few = room(2_600_000).unwrap();
        let place = (&Device::Cpu, DType::F32);
        let resident = ResidentVectors::new(&vectors(1000, 48), 48, few, place, "cpu").unwrap();
        assert!((1..200).contains(&resident.block()), "{}", resident.block());
        // A block of products stays countable in 32 bits with sign, whatever the number of rows.
        for rows in [1_000_usize, 250_000, 1_000_000, 8_400_000, 100_000_000] {
            let padded = rows.next_multiple_of(GROUP);
            let block = (PRODUCTS / (2 * padded as u64)).clamp(1, MOST_ROWS as u64);
            assert!(block * (padded as u64) < 1 << 31, "{rows}");
        }
        assert!((PIECE.max(COPIED * GROUP) as u64) < 1 << 31);
    }

    #[test]
    fn neighbors_are_those_of_the_processors_search_to_the_last_bit() {
        let (rows, dim, k) = (1000, 48, 10);
        let data = vectors(rows, dim);
        let (stop, quiet) = (AtomicBool::new(false), |_, _| {});
        let job = Job::new(&stop, &quiet);
        let matrix = EmbeddingMatrix::from_vec(data.clone(), dim);
        let expected = nearest(&matrix, &|_| true, k, &job).unwrap();
        for dtype in [DType::F32, DType::F16, DType::BF16] {
            // In several blocks.
            let place = (&Device::Cpu, dtype);
            let resident = ResidentVectors::new(&data, dim, 1 << 20, place, "cpu").unwrap();
            assert!(resident.block() < rows);
            assert_eq!(nearest_on_device(&resident, &matrix, k, &job).unwrap(), expected, "{dtype:?}");
        }
    }
}
