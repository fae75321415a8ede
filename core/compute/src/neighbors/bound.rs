//! An upper bound on cosines that costs less than the cosines.
//!
//! Vectors are split into their projection onto a small subspace that covers most of them, and the rest, of which only
//! the length is kept: `a . b <= a' . b' + |rest of a| |rest of b|` (Cauchy and Schwarz), which is itself one product
//! of short vectors. Their length is chosen by counting, on a sample of pairs, how many the bound would not rule out.

use super::best::{Best, SLACK};
use super::{BLOCK, Set};
use crate::linear::{matmul_transposed, transposed_matmul};
use rayon::prelude::*;

/// Maximum number of rows used to find the subspace.
const TRAINED: usize = 16_384;
/// Iterations that align the subspace with the principal axes.
const ROUNDS: usize = 6;
/// Sampled rows, and sampled partners per row.
const COUNTED: (usize, usize) = (512, 2048);
/// Multiplications in a block's product that take as long as one in a single pair's.
const PAIR_COST: f64 = 14.0;
/// With fewer columns there is nothing to gain.
const LEAST_COLS: usize = 64;

/// Short vectors whose products are at least the cosines, or `None` if the rows themselves are as good.
pub(super) struct Bound {
    cols: usize,
    short: Option<(usize, Vec<f32>)>,
}

impl Bound {
    pub(super) fn new(set: Set<'_>, best: &Best) -> Bound {
        let cols = set.cols();
        if set.len() < super::CLUSTERED_ROWS || cols < LEAST_COLS {
            return Bound { cols, short: None };
        }
        let axes = axes(set, cols / 4);
        let widths = [cols / 16, cols / 8, cols / 4];
        let cost = |width: usize| {
            let passed = passed(set, best, &axes[..width * cols], width);
            width as f64 + 1.0 + passed * cols as f64 * PAIR_COST
        };
        let chosen = widths.into_iter().map(|width| (cost(width), width)).min_by(|a, b| a.0.total_cmp(&b.0));
        let short = chosen.filter(|(cost, _)| *cost < 0.9 * cols as f64).map(|(_, width)| {
            let mut all = vec![0.0; set.len() * (width + 1)];
            all.par_chunks_mut(BLOCK * (width + 1)).enumerate().for_each(|(block, out)| {
                let first = (block * BLOCK) as u32;
                let places: Vec<u32> = (first..first + (out.len() / (width + 1)) as u32).collect();
                shorten(set, &places, &axes[..width * cols], width, out);
            });
            (width + 1, all)
        });
        Bound { cols, short }
    }

    /// Length of a short vector.
    pub(super) fn width(&self) -> usize {
        self.short.as_ref().map_or(self.cols, |(width, _)| *width)
    }

    /// Returns one block's vectors.
    pub(super) fn with_block<R>(&self, set: Set<'_>, block: usize, work: impl FnOnce(&[f32]) -> R) -> R {
        let places = block * BLOCK..set.len().min((block + 1) * BLOCK);
        if let Some((width, short)) = &self.short {
            return work(&short[places.start * width..places.end * width]);
        }
        if set.contiguous {
            return work(&set.matrix.as_slice()[places.start * self.cols..places.end * self.cols]);
        }
        let mut rows = Vec::with_capacity(places.len() * self.cols);
        set.gather(places.map(|index| index as u32), &mut rows);
        work(&rows)
    }
}

/// The part of each row along the axes, and the length of the rest.
fn shorten(set: Set<'_>, places: &[u32], axes: &[f32], width: usize, out: &mut [f32]) {
    let cols = set.cols();
    let (mut rows, mut along) = (Vec::new(), vec![0.0; places.len() * width]);
    set.gather(places.iter().copied(), &mut rows);
    matmul_transposed(&rows, places.len(), axes, width, cols, &mut along);
    let squares = |numbers: &[f32]| numbers.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>();
    let parts = rows.chunks_exact(cols).zip(along.chunks_exact(width)).zip(out.chunks_exact_mut(width + 1));
    for ((row, along), out) in parts {
        out[..width].copy_from_slice(along);
        let rest = squares(row) - squares(along);
        // NaN stays NaN, and is never a neighbor.
        out[width] = if rest < 0.0 { 0.0 } else { rest.sqrt() as f32 };
    }
}

/// The share of pairs that the bound does not rule out, on a sample.
fn passed(set: Set<'_>, best: &Best, axes: &[f32], width: usize) -> f64 {
    let short = |places: &[u32]| {
        let mut out = vec![0.0; places.len() * (width + 1)];
        shorten(set, places, axes, width, &mut out);
        out
    };
    // Shifted, so that few pairs are a row with itself.
    let (rows, others) = (set.spread(COUNTED.0), set.spread(COUNTED.1));
    let others: Vec<u32> = others.iter().map(|&index| (index + 1) % set.len() as u32).collect();
    let (left, right) = (short(&rows), short(&others));
    let mut product = vec![0.0; rows.len() * others.len()];
    matmul_transposed(&left, rows.len(), &right, others.len(), width + 1, &mut product);
    let mut count = 0_usize;
    for (&row, bounds) in rows.iter().zip(product.chunks_exact(others.len())) {
        let worst = best.worst(row as usize) - SLACK;
        count += bounds.iter().filter(|bound| **bound >= worst).count();
    }
    // Each pair counts for both of its rows.
    2.0 * count as f64 / product.len() as f64
}

/// About the `count` longest axes of the rows, longest first, as orthonormal rows.
fn axes(set: Set<'_>, count: usize) -> Vec<f32> {
    let cols = set.cols();
    let finite = |&index: &u32| set.row(index).iter().all(|x| x.is_finite());
    let places: Vec<u32> = set.spread(TRAINED).into_iter().filter(finite).collect();
    let moments = places.par_chunks(BLOCK).map(|places| {
        let (mut rows, mut out) = (Vec::new(), vec![0.0; cols * cols]);
        set.gather(places.iter().copied(), &mut rows);
        transposed_matmul(&rows, cols, &rows, cols, places.len(), &mut out);
        out
    });
    let moments: Vec<Vec<f32>> = moments.collect();
    let mut second = vec![0.0; cols * cols];
    for part in &moments {
        second.iter_mut().zip(part).for_each(|(to, from)| *to += from);
    }
    // Any start works that is not orthogonal to the result.
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 16_777_216.0 - 0.5
    };
    let mut axes: Vec<f32> = (0..count * cols).map(|_| next()).collect();
    let mut next_axes = vec![0.0; count * cols];
    for _ in 0..ROUNDS {
        straighten(&mut axes, cols);
        // The second moments are symmetric, so rows equal columns.
        matmul_transposed(&axes, count, &second, cols, cols, &mut next_axes);
        std::mem::swap(&mut axes, &mut next_axes);
    }
    straighten(&mut axes, cols);
    axes
}

/// Gram-Schmidt, twice per row to recover lost precision. A row that vanishes becomes zero, which keeps the bound
/// valid.
fn straighten(rows: &mut [f32], cols: usize) {
    for index in 0..rows.len() / cols {
        let (before, row) = rows.split_at_mut(index * cols);
        let row = &mut row[..cols];
        let length = |row: &[f32]| row.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
        let whole = length(row);
        for _ in 0..2 {
            for other in before.chunks_exact(cols) {
                let mut sums = [0.0_f64; 8];
                for (a, b) in row.chunks(8).zip(other.chunks(8)) {
                    a.iter()
                        .zip(b)
                        .zip(&mut sums)
                        .for_each(|((a, b), sum)| *sum += f64::from(*a) * f64::from(*b));
                }
                let along = sums.iter().sum::<f64>() as f32;
                row.iter_mut().zip(other).for_each(|(to, from)| *to -= along * from);
            }
        }
        let left = length(row);
        let scale = if left > 1e-5 * whole && left.is_finite() { (1.0 / left) as f32 } else { 0.0 };
        row.iter_mut().for_each(|x| *x *= scale);
    }
}
