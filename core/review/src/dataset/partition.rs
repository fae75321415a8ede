//! Clusters of all compared samples by k-means (linfa), started from samples that are far from each other.

use chaffinch_compute::linear::matmul_transposed;
use chaffinch_compute::matrix::EmbeddingMatrix;
use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_clustering::{KMeans, KMeansInit};
use ndarray::Array2;

/// Clusters, at most, and samples of each in the mean, at least.
const CLUSTERS: usize = 40;
const EACH: usize = 25;
/// Samples that the centers are found with, evenly spaced.
const SAMPLED: usize = 4096;
const ROUNDS: u64 = 20;

/// The cluster of each row.
pub(super) fn clusters(matrix: &EmbeddingMatrix) -> Vec<u32> {
    let (count, cols) = (matrix.rows(), matrix.cols());
    let k = (count / EACH).min(CLUSTERS);
    if k < 2 {
        return vec![0; count];
    }
    let take = count.min(SAMPLED);
    let sampled: Vec<f32> = (0..take).flat_map(|at| matrix.row(at * count / take)).copied().collect();
    let start = far_apart(&sampled, cols, k);
    let centers = settled(&sampled, &start, cols, k).unwrap_or(start);
    let k = centers.len() / cols;
    let lengths: Vec<f32> =
        centers.chunks_exact(cols).map(|center| center.iter().map(|x| x * x).sum::<f32>() / 2.0).collect();
    let mut products = vec![0.0; count * k];
    matmul_transposed(matrix.as_slice(), count, &centers, k, cols, &mut products);
    products
        .chunks_exact(k)
        .map(|row| {
            let mut best = (f32::NEG_INFINITY, 0);
            for (at, (product, length)) in row.iter().zip(&lengths).enumerate() {
                if product - length > best.0 {
                    best = (product - length, at as u32);
                }
            }
            best.1
        })
        .collect()
}

/// Each further center starts at the sample that is least like all before it.
fn far_apart(rows: &[f32], cols: usize, k: usize) -> Vec<f32> {
    let count = rows.len() / cols;
    let mut best = vec![f32::NEG_INFINITY; count];
    let mut centers = rows[..cols].to_vec();
    while centers.len() < k * cols {
        let last = centers[centers.len() - cols..].to_vec();
        let mut cosines = vec![0.0; count];
        matmul_transposed(rows, count, &last, 1, cols, &mut cosines);
        let mut least = (f32::INFINITY, 0);
        for (at, (best, cosine)) in best.iter_mut().zip(&cosines).enumerate() {
            *best = best.max(*cosine);
            if *best < least.0 {
                least = (*best, at);
            }
        }
        centers.extend_from_slice(&rows[least.1 * cols..(least.1 + 1) * cols]);
    }
    centers
}

/// Moves centers to the mean of their nearest rows until they rest; `None` if the numbers do not allow it.
fn settled(rows: &[f32], centers: &[f32], cols: usize, k: usize) -> Option<Vec<f32>> {
    let data = Array2::from_shape_vec((rows.len() / cols, cols), rows.to_vec()).ok()?;
    let start = Array2::from_shape_vec((k, cols), centers.to_vec()).ok()?;
    // A run from given centers uses no random numbers.
    let found = KMeans::params(k)
        .init_method(KMeansInit::Precomputed(start))
        .n_runs(1)
        .max_n_iterations(ROUNDS)
        .tolerance(1e-4)
        .fit(&DatasetBase::from(data))
        .ok()?;
    let centers: Vec<f32> = found.centroids().iter().copied().collect();
    centers.iter().all(|x| x.is_finite()).then_some(centers)
}
