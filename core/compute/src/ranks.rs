//! Scores as ranks, and as integer sort keys.

use crate::sorting::by_keys;
use rayon::prelude::*;

/// A non-negative number as an integer with the same sort order.
#[inline]
pub fn bits(number: f32) -> u32 {
    // Adding zero turns -0 into 0.
    (number + 0.0).to_bits()
}

/// For each sample the share of scored samples with a lower score, ties in the middle; NaN if there is no score.
pub fn mean_ranks(scores: &[f32]) -> Vec<f32> {
    let rows = (0_u32..scores.len() as u32).into_par_iter();
    let scored: Vec<u32> = rows.filter(|&row| !scores[row as usize].is_nan()).collect();
    let key = |row: u32| bits(scores[row as usize]);
    let sorted = by_keys(scored, &key, &[]);
    let mut ranks = vec![f32::NAN; scores.len()];
    let last = sorted.len().saturating_sub(1).max(1) as f64;
    let mut before = 0;
    for tied in sorted.chunk_by(|&a, &b| key(a) == key(b)) {
        let middle = before as f64 + (tied.len() - 1) as f64 / 2.0;
        for &row in tied {
            ranks[row as usize] = (middle / last) as f32;
        }
        before += tied.len();
    }
    ranks
}
