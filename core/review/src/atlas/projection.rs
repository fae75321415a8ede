//! Principal component analysis (K. Pearson 1901): the two directions of largest variance in the embeddings.

use super::spaced;
use chaffinch_compute::linear::transposed_matmul;
use chaffinch_compute::matrix::EmbeddingMatrix;
use rayon::prelude::*;

/// Number of rows used to find the directions, evenly spaced: more would shift them by less than a point on the screen.
const SAMPLED: usize = 32_768;
/// Rows per block. Fixed, so that the sums do not depend on the number of threads.
const BLOCK: usize = 1024;
/// Iterations of the power method.
const ROUNDS: usize = 96;
/// Share of the points clipped to either edge of the map, so that a few outliers do not squeeze the others together.
const BEYOND: f64 = 0.0005;

/// A position for each sample, 0 to 1 in both directions.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    points: Vec<[f32; 2]>,
    explained: f32,
}

impl Projection {
    /// Projects the usable rows; the others get no position.
    pub fn new(matrix: &EmbeddingMatrix, usable: &(dyn Fn(u32) -> bool + Sync)) -> Projection {
        let cols = matrix.cols();
        let rows: Vec<u32> = (0..matrix.rows() as u32).filter(|&row| usable(row)).collect();
        if rows.is_empty() || cols == 0 {
            return Projection { points: vec![[f32::NAN; 2]; matrix.rows()], explained: 0.0 };
        }
        let sampled: Vec<u32> = spaced(&rows, SAMPLED).collect();
        let mean = mean(matrix, &sampled);
        let covariance = covariance(matrix, &sampled, &mean);
        let total: f64 = (0..cols).map(|at| covariance[at * cols + at]).sum();
        let (first, one) = direction(&covariance, cols, &[]);
        let (second, two) = direction(&covariance, cols, &[&first]);
        let index = |row: &[f32], along: &[f64]| -> f32 {
            row.iter().zip(&mean).zip(along).map(|((x, m), a)| (f64::from(*x) - m) * a).sum::<f64>() as f32
        };
        let mut points: Vec<[f32; 2]> = (0..matrix.rows() as u32)
            .into_par_iter()
            .map(|row| match usable(row) {
                true => {
                    let row = matrix.row(row as usize);
                    // The y axis of the screen points down.
                    [index(row, &first), -index(row, &second)]
                }
                false => [f32::NAN; 2],
            })
            .collect();
        for axis in 0..2 {
            stretch(&mut points, axis);
        }
        let explained = if total > 0.0 { ((one + two) / total) as f32 } else { 0.0 };
        Projection { points, explained: explained.clamp(0.0, 1.0) }
    }

    /// The position of each sample, NaN if it has none.
    pub fn points(&self) -> &[[f32; 2]] {
        &self.points
    }

    /// Share of the variance explained by the two directions.
    pub fn explained(&self) -> f32 {
        self.explained
    }
}

fn mean(matrix: &EmbeddingMatrix, rows: &[u32]) -> Vec<f64> {
    let parts: Vec<Vec<f64>> = rows
        .par_chunks(BLOCK)
        .map(|rows| {
            let mut sum = vec![0.0; matrix.cols()];
            for &row in rows {
                sum.iter_mut().zip(matrix.row(row as usize)).for_each(|(sum, x)| *sum += f64::from(*x));
            }
            sum
        })
        .collect();
    let mut mean = vec![0.0; matrix.cols()];
    for part in parts {
        mean.iter_mut().zip(part).for_each(|(mean, x)| *mean += x);
    }
    mean.iter_mut().for_each(|mean| *mean /= rows.len() as f64);
    mean
}

/// The covariance of some rows, `cols * cols` numbers.
fn covariance(matrix: &EmbeddingMatrix, rows: &[u32], mean: &[f64]) -> Vec<f64> {
    let cols = matrix.cols();
    // Few blocks at a time, since each produces a whole matrix.
    let mut sum = vec![0.0_f64; cols * cols];
    let blocks: Vec<&[u32]> = rows.chunks(BLOCK).collect();
    for together in blocks.chunks(8) {
        let parts: Vec<Vec<f32>> = together
            .par_iter()
            .map(|rows| {
                let mut centerd = Vec::with_capacity(rows.len() * cols);
                for &row in *rows {
                    let row = matrix.row(row as usize).iter().zip(mean);
                    centerd.extend(row.map(|(x, mean)| (f64::from(*x) - mean) as f32));
                }
                let mut product = vec![0.0; cols * cols];
                transposed_matmul(&centerd, cols, &centerd, cols, rows.len(), &mut product);
                product
            })
            .collect();
        for part in parts {
            sum.iter_mut().zip(part).for_each(|(sum, x)| *sum += f64::from(x));
        }
    }
    sum.iter_mut().for_each(|sum| *sum /= rows.len() as f64);
    sum
}

/// The direction of largest variance orthogonal to those `before`, and that variance, by the power method. Flips the
/// sign so that the largest component is positive.
fn direction(covariance: &[f64], cols: usize, before: &[&[f64]]) -> (Vec<f64>, f64) {
    // Not random, and not orthogonal to anything useful.
    let mut along: Vec<f64> = (0..cols).map(|at| 1.0 + (at * 7919 % 101) as f64 / 101.0).collect();
    let mut variance = 0.0;
    clean(&mut along, before);
    for _ in 0..ROUNDS {
        let mut next: Vec<f64> = covariance
            .par_chunks_exact(cols)
            .map(|row| row.iter().zip(&along).map(|(a, b)| a * b).sum())
            .collect();
        variance = clean(&mut next, before);
        if variance <= f64::MIN_POSITIVE {
            return (vec![0.0; cols], 0.0);
        }
        along = next;
    }
    let largest = along.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(1.0);
    if largest < 0.0 {
        along.iter_mut().for_each(|x| *x = -*x);
    }
    (along, variance)
}

/// Removes the components along other directions and normalizes the rest; returns its length before.
fn clean(vector: &mut [f64], before: &[&[f64]]) -> f64 {
    for other in before {
        let part: f64 = vector.iter().zip(*other).map(|(a, b)| a * b).sum();
        vector.iter_mut().zip(*other).for_each(|(a, b)| *a -= part * b);
    }
    let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x /= length);
    }
    length
}

/// Scales one axis to 0..=1.
pub(super) fn stretch(points: &mut [[f32; 2]], axis: usize) {
    let mut values: Vec<f32> = points.iter().map(|point| point[axis]).filter(|x| !x.is_nan()).collect();
    if values.is_empty() {
        return;
    }
    let beyond = (values.len() as f64 * BEYOND) as usize;
    let last = values.len() - 1;
    let low = *values.select_nth_unstable_by(beyond, f32::total_cmp).1;
    let high = *values.select_nth_unstable_by(last - beyond, f32::total_cmp).1;
    let span = high - low;
    for point in points.iter_mut().filter(|point| !point[axis].is_nan()) {
        let share = if span > 0.0 { (point[axis] - low) / span } else { 0.5 };
        point[axis] = share.clamp(0.0, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points along a line in twelve dimensions, wider than a second one, and a little noise.
    fn line(count: usize) -> EmbeddingMatrix {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1 << 24) as f32 - 0.5
        };
        let mut data = Vec::new();
        for _ in 0..count {
            let (wide, narrow) = (next() * 4.0, next());
            data.extend((0..12).map(|at| match at {
                2 => wide + 3.0,
                7 => narrow - 1.0,
                _ => next() * 0.01,
            }));
        }
        EmbeddingMatrix::from_vec(data, 12)
    }

    #[test]
    fn the_widest_directions_are_found() {
        let matrix = line(3000);
        let projection = Projection::new(&matrix, &|_| true);
        assert!(projection.explained() > 0.99, "{}", projection.explained());
        // The first axis orders the points as the widest column does.
        let mut order: Vec<usize> = (0..3000).collect();
        order.sort_by(|&a, &b| matrix.row(a)[2].total_cmp(&matrix.row(b)[2]));
        let along: Vec<f32> = order.iter().map(|&row| projection.points()[row][0]).collect();
        let wrong = along.windows(2).filter(|pair| pair[0] > pair[1] + 0.02).count();
        assert_eq!(wrong, 0);
        assert!(along[0] < 0.01 && along[2999] > 0.99);
        // The second one is flipped so that larger values are higher on the screen.
        let top = (0..3000).max_by(|&a, &b| matrix.row(a)[7].total_cmp(&matrix.row(b)[7])).unwrap();
        assert!(projection.points()[top][1] < 0.05);
    }

    #[test]
    fn threads_do_not_change_a_bit() {
        let matrix = line(5000);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Projection::new(&matrix, &|row| row % 17 != 0))
        };
        let (one, four) = (with(1), with(4));
        let bits =
            |p: &Projection| -> Vec<[u32; 2]> { p.points().iter().map(|p| p.map(f32::to_bits)).collect() };
        assert_eq!(bits(&one), bits(&four));
        assert!(one.points()[17][0].is_nan());
    }

    #[test]
    fn nothing_and_equal_points_have_a_map_too() {
        let none = Projection::new(&EmbeddingMatrix::from_vec(vec![0.0; 24], 12), &|_| false);
        assert!(none.points().iter().all(|point| point[0].is_nan()));
        let same = Projection::new(&EmbeddingMatrix::from_vec(vec![0.3; 36], 12), &|_| true);
        assert_eq!(same.points(), [[0.5, 0.5]; 3]);
        assert_eq!(same.explained(), 0.0);
    }
}
