use super::*;
use crate::linear::matmul_transposed;
use crate::neighbors::nearest;
use proptest::prelude::*;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The largest error of [`Noisy`].
const NOISE: f32 = 1e-3;

/// A device simulated on the CPU, whose products are off by up to its error, each differently.
struct Noisy {
    matrix: EmbeddingMatrix,
    error: f32,
    /// Groups whose products were asked for.
    taken: AtomicUsize,
}

impl Noisy {
    fn new(matrix: &EmbeddingMatrix, error: f32) -> Noisy {
        let matrix = EmbeddingMatrix::from_vec(matrix.as_slice().to_vec(), matrix.cols());
        Noisy { matrix, error, taken: AtomicUsize::new(0) }
    }
}

/// Between -1 and 1.
fn noise(seed: usize) -> f32 {
    let mixed =
        (seed as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed >> 40) as f32 / 8_388_608.0 - 1.0
}

impl DeviceVectors for Noisy {
    fn rows(&self) -> usize {
        self.matrix.rows()
    }

    fn block(&self) -> usize {
        100
    }

    fn error(&self) -> f32 {
        self.error.max(1e-5)
    }

    fn products(&self, block: Range<usize>, filter: &mut dyn Filter) -> Result<()> {
        let (rows, cols) = (self.matrix.rows(), self.matrix.cols());
        let padded = rows.next_multiple_of(GROUP);
        let mut all = vec![0.0; padded * cols];
        all[..rows * cols].copy_from_slice(self.matrix.as_slice());
        let mut products = vec![0.0; block.len() * padded];
        let left = &self.matrix.as_slice()[block.start * cols..block.end * cols];
        matmul_transposed(left, block.len(), &all, padded, cols, &mut products);
        for (at, product) in products.iter_mut().enumerate() {
            *product += self.error * noise(at + block.start * padded);
        }
        let maximum = |group: &[f32]| group.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let maxima: Vec<f32> = products.chunks_exact(GROUP).map(maximum).collect();
        let chosen = filter.choose(&maxima);
        self.taken.fetch_add(chosen.len(), Ordering::Relaxed);
        // Parts end within rows.
        for places in chosen.chunks(7) {
            let found: Vec<f32> = places
                .iter()
                .flat_map(|&place| products[place as usize * GROUP..][..GROUP].to_vec())
                .collect();
            filter.take(places, &found);
        }
        Ok(())
    }
}

fn job<T>(work: impl FnOnce(&Job<'_>) -> T) -> T {
    work(&Job::new(&AtomicBool::new(false), &|_, _| {}))
}

/// Unit vectors around a few centers, many of them nearly equal, some twice.
fn crowded(rows: usize, cols: usize, spread: f32) -> EmbeddingMatrix {
    let mut data: Vec<f32> = Vec::new();
    for row in 0..rows {
        let row = if row % 17 == 16 { row - 1 } else { row };
        let center = row % 5;
        data.extend((0..cols).map(|at| noise(center * cols + at) + spread * noise(10_000 + row * cols + at)));
    }
    for row in data.chunks_exact_mut(cols) {
        let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        row.iter_mut().for_each(|x| *x /= length);
    }
    EmbeddingMatrix::from_vec(data, cols)
}

fn bits(lists: &NeighborLists) -> (Vec<u32>, Vec<u32>) {
    (lists.indices.clone(), lists.similarities.iter().map(|similarity| similarity.to_bits()).collect())
}

#[test]
fn lists_from_a_noisy_device_are_those_of_the_exact_search_to_the_last_bit() {
    for (rows, cols, spread, k) in
        [(3000, 48, 0.5, 10), (3000, 48, 0.01, 10), (2049, 33, 0.2, 1), (700, 16, 0.1, 30)]
    {
        let matrix = crowded(rows, cols, spread);
        let expected = job(|job| nearest(&matrix, &|_| true, k, job)).unwrap();
        for error in [0.0, NOISE, 20.0 * NOISE] {
            let device = Noisy::new(&matrix, error);
            let found = job(|job| nearest_on_device(&device, &matrix, k, job)).unwrap();
            assert_eq!(bits(&found), bits(&expected), "{rows} rows, spread {spread}, error {error}");
        }
    }
}

#[test]
fn a_precise_device_copies_few_products_back() {
    let matrix = crowded(12_000, 32, 0.5);
    let device = Noisy::new(&matrix, NOISE);
    job(|job| nearest_on_device(&device, &matrix, 10, job)).unwrap();
    let share = device.taken.load(Ordering::Relaxed) as f64 / (12_000.0 * 12_000.0 / GROUP as f64);
    assert!(share < 0.4, "{share}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Few values, so that there are ties, copies and opposites.
    #[test]
    fn it_finds_what_the_search_on_the_processor_finds(
        rows in 1_usize..1200, k in 1_usize..12, kinds in 1_u32..40, seed in any::<u32>(), noisy in any::<bool>()
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
        let device = Noisy::new(&matrix, if noisy { NOISE } else { 0.0 });
        let found = job(|job| nearest_on_device(&device, &matrix, k, job)).unwrap();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn rows_that_are_not_usable_are_nobodys_neighbors() {
    let values = [1.0, 0.0, 0.5, -0.5, 1.0];
    let matrix = EmbeddingMatrix::from_vec(values.to_vec(), 1);
    let usable = |row: usize| row != 1;
    let kept = EmbeddingMatrix::from_vec(vec![1.0, 0.5, -0.5, 1.0], 1);
    let vectors = Box::new(Noisy::new(&kept, NOISE));
    let on_device = OnDevice { vectors, rows: vec![0, 2, 3, 4], count: 5 };
    let found = job(|job| on_device.nearest(&matrix, 2, job)).unwrap();
    assert_eq!(found, job(|job| nearest(&matrix, &usable, 2, job)).unwrap());
    assert_eq!(found.of(1).count(), 0);
}

#[test]
fn opposite_vectors_are_found_before_the_zeros_of_the_last_group() {
    let data: Vec<f32> = (0..300).flat_map(|row| [if row == 0 { 1.0 } else { -1.0 }, 0.0]).collect();
    let matrix = EmbeddingMatrix::from_vec(data, 2);
    let device = Noisy::new(&matrix, NOISE);
    let found = job(|job| nearest_on_device(&device, &matrix, 2, job)).unwrap();
    assert_eq!(found.of(0).collect::<Vec<_>>(), [(1, -1.0), (2, -1.0)]);
}

#[test]
fn what_is_no_number_is_no_neighbor_and_hides_none() {
    let mut data = crowded(600, 8, 0.3).as_slice().to_vec();
    data[5 * 8] = f32::NAN;
    let matrix = EmbeddingMatrix::from_vec(data, 8);
    let expected = job(|job| nearest(&matrix, &|_| true, 5, job)).unwrap();
    let device = Noisy::new(&matrix, NOISE);
    let found = job(|job| nearest_on_device(&device, &matrix, 5, job)).unwrap();
    assert_eq!(bits(&found), bits(&expected));
    assert_eq!(found.of(5).count(), 0);
}
