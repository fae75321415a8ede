//! Clusters of one class: k-means (S. P. Lloyd 1982, linfa's implementation) on unit vectors, each with the member
//! nearest to its center as medoid. It shows what a class looks like and judges nothing: no score is derived from it.

use super::spaced;
use chaffinch_compute::linear::matmul_transposed;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_compute::neighbors;
use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_clustering::{KMeans, KMeansInit};
use ndarray::Array2;

/// Maximum number of clusters per class.
const CLUSTERS: usize = 5;
/// Minimum average cluster size: small classes have fewer clusters.
const LEAST: usize = 4;
/// Number of members used to find the centers, evenly spaced.
const SAMPLED: usize = 4096;
/// Maximum number of iterations.
const ROUNDS: u64 = 24;
/// The centers have converged when they move no farther than this in total.
const RESTS: f32 = 1e-4;

/// One cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// The member that represents it.
    pub medoid: u32,
    /// The member least similar to the medoid.
    pub outermost: u32,
    /// Mean cosine of the members to the medoid.
    pub mean: f32,
    /// All members, in manifest order.
    pub members: Vec<u32>,
}

/// The clusters of one class, largest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Clusters {
    /// The clusters.
    pub all: Vec<Cluster>,
}

impl Clusters {
    /// Clusters the members of a class.
    pub fn new(matrix: &EmbeddingMatrix, members: &[u32]) -> Clusters {
        if members.is_empty() || matrix.cols() == 0 {
            return Clusters::default();
        }
        let sampled: Vec<u32> = spaced(members, SAMPLED).collect();
        let k = (sampled.len() / LEAST).clamp(1, CLUSTERS);
        let mut medoids = medoids(matrix, &sampled, k);
        medoids.sort_unstable();
        medoids.dedup();
        let cosines = neighbors::block(matrix, members, &medoids);
        let mut all: Vec<Cluster> = medoids
            .iter()
            .map(|&medoid| Cluster { medoid, outermost: medoid, mean: 0.0, members: Vec::new() })
            .collect();
        let mut sums = vec![(0.0_f64, f32::INFINITY); all.len()];
        for (&member, cosines) in members.iter().zip(cosines.chunks_exact(medoids.len())) {
            let index = nearest(cosines);
            all[index].members.push(member);
            sums[index].0 += f64::from(cosines[index]);
            if cosines[index] < sums[index].1 {
                sums[index].1 = cosines[index];
                all[index].outermost = member;
            }
        }
        for (cluster, (sum, _)) in all.iter_mut().zip(sums) {
            cluster.mean = (sum / cluster.members.len().max(1) as f64) as f32;
        }
        // One of two members with equal embeddings may have taken the other's.
        all.retain(|cluster| !cluster.members.is_empty());
        all.sort_by(|a, b| b.members.len().cmp(&a.members.len()).then(a.medoid.cmp(&b.medoid)));
        Clusters { all }
    }
}

/// The index of the largest number, the first one for ties.
fn nearest(cosines: &[f32]) -> usize {
    let mut best = 0;
    for (index, cosine) in cosines.iter().enumerate() {
        if *cosine > cosines[best] {
            best = index;
        }
    }
    best
}

/// The members nearest to the centers of `k` clusters.
fn medoids(matrix: &EmbeddingMatrix, rows: &[u32], k: usize) -> Vec<u32> {
    let cols = matrix.cols();
    let first = nearest(&products(matrix, rows, &center(matrix, rows)));
    let mut centers = matrix.row(rows[first] as usize).to_vec();
    // Each further center starts at the member least similar to the previous ones.
    let mut best = vec![f32::NEG_INFINITY; rows.len()];
    while centers.len() < k * cols {
        let last = &centers[centers.len() - cols..];
        let next = farthest(&products(matrix, rows, last), &mut best);
        centers.extend_from_slice(matrix.row(rows[next] as usize));
    }
    let centers = settled(matrix, rows, &centers, k).unwrap_or(centers);
    let cosines = products(matrix, rows, &centers);
    let nearest = |index: usize| {
        let column: Vec<f32> = cosines.iter().copied().skip(index).step_by(k).collect();
        rows[nearest(&column)]
    };
    (0..k).map(nearest).collect()
}

/// Moves centers to the mean of their nearest members until they converge; `None` if the numbers do not allow it.
fn settled(matrix: &EmbeddingMatrix, rows: &[u32], centers: &[f32], k: usize) -> Option<Vec<f32>> {
    let cols = matrix.cols();
    let data = Array2::from_shape_vec((rows.len(), cols), gathered(matrix, rows)).ok()?;
    let start = Array2::from_shape_vec((k, cols), centers.to_vec()).ok()?;
    // A run from given centers uses no random numbers.
    let found = KMeans::params(k)
        .init_method(KMeansInit::Precomputed(start))
        .n_runs(1)
        .max_n_iterations(ROUNDS)
        .tolerance(RESTS)
        .fit(&DatasetBase::from(data))
        .ok()?;
    Some(found.centroids().iter().copied().collect())
}

/// Products of rows with some centers, `count` numbers per row.
fn products(matrix: &EmbeddingMatrix, rows: &[u32], centers: &[f32]) -> Vec<f32> {
    let cols = matrix.cols();
    let count = centers.len() / cols;
    let mut out = vec![0.0; rows.len() * count];
    matmul_transposed(&gathered(matrix, rows), rows.len(), centers, count, cols, &mut out);
    out
}

fn gathered(matrix: &EmbeddingMatrix, rows: &[u32]) -> Vec<f32> {
    rows.iter().flat_map(|&row| matrix.row(row as usize)).copied().collect()
}

/// Adds the similarities of the rows to one more center; returns the index of the row that is now least similar to all
/// of them.
fn farthest(cosines: &[f32], best: &mut [f32]) -> usize {
    best.iter_mut().zip(cosines).for_each(|(best, cosine)| *best = best.max(*cosine));
    let unlike: Vec<f32> = best.iter().map(|cosine| -cosine).collect();
    nearest(&unlike)
}

/// The sum of some rows, which points in the direction of their mean.
fn center(matrix: &EmbeddingMatrix, rows: &[u32]) -> Vec<f32> {
    let mut sum = vec![0.0_f64; matrix.cols()];
    for &row in rows {
        sum.iter_mut().zip(matrix.row(row as usize)).for_each(|(sum, x)| *sum += f64::from(*x));
    }
    sum.iter().map(|x| *x as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three bundles of unit vectors: forty, twenty and ten.
    fn bundles() -> (EmbeddingMatrix, Vec<usize>) {
        let (mut data, mut of) = (Vec::new(), Vec::new());
        for (bundle, size) in [(0, 40), (1, 20), (2, 10)] {
            for number in 0..size {
                let mut row =
                    [0.02 * (number % 7) as f32, 0.02 * (number % 5) as f32, 0.015 * (number % 3) as f32];
                row[bundle] += 1.0;
                let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
                data.extend(row.map(|x| x / length));
                of.push(bundle);
            }
        }
        (EmbeddingMatrix::from_vec(data, 3), of)
    }

    #[test]
    fn bundles_are_told_apart_and_each_has_a_member_that_stands_for_it() {
        let (matrix, of) = bundles();
        let members: Vec<u32> = (0..70).collect();
        let clusters = Clusters::new(&matrix, &members).all;
        assert_eq!(clusters.iter().map(|cluster| cluster.members.len()).sum::<usize>(), 70);
        assert!(clusters.len() >= 3);
        assert!(clusters.windows(2).all(|pair| pair[0].members.len() >= pair[1].members.len()));
        for cluster in &clusters {
            let bundle = of[cluster.medoid as usize];
            assert!(cluster.members.iter().all(|member| of[*member as usize] == bundle), "{cluster:?}");
            assert!(
                cluster.members.contains(&cluster.medoid) && cluster.members.contains(&cluster.outermost)
            );
            assert!(cluster.mean > 0.98 && cluster.mean <= 1.0001);
        }
    }

    #[test]
    fn small_classes_and_equal_members_are_no_trouble() {
        let (matrix, _) = bundles();
        assert_eq!(Clusters::new(&matrix, &[]).all, []);
        let one = Clusters::new(&matrix, &[5]).all;
        assert_eq!((one.len(), one[0].medoid, one[0].outermost), (1, 5, 5));
        let same = EmbeddingMatrix::from_vec([1.0, 0.0].repeat(50), 2);
        let members: Vec<u32> = (0..50).collect();
        let all = Clusters::new(&same, &members).all;
        assert_eq!(all.iter().map(|cluster| cluster.members.len()).sum::<usize>(), 50);
    }
}
