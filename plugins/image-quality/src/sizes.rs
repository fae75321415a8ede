//! Which sizes are usual in the dataset.

use crate::counts::percentile;
use crate::measure::Measures;

/// The distribution of the sizes of all pictures. A size is the square root of the number of pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sizes {
    /// The middle of the usual range.
    middle: f64,
    /// The width of that range; 0 if at least half of the pictures have one size.
    gap: f64,
    /// Width and height of the picture in the middle of the order by size.
    pub(crate) typical: (u32, u32),
}

impl Sizes {
    /// The usual range extends `factor` interquartile ranges beyond the quartiles.
    pub fn of(all: &[Measures], factor: f64) -> Sizes {
        let mut order: Vec<(u64, u32, u32)> =
            all.iter().map(|seen| (area(seen), seen.width, seen.height)).collect();
        order.sort_unstable();
        let quartile = |percent: f64| {
            percentile(order.len() as u64, percent, |index| (order[index as usize].0 as f64).sqrt())
        };
        let (low, high) = (quartile(25.0), quartile(75.0));
        let reach = factor * (high - low);
        Sizes {
            middle: (low + high) / 2.0,
            gap: high - low + 2.0 * reach,
            typical: order.get(order.len() / 2).map_or((0, 0), |&(_, width, height)| (width, height)),
        }
    }

    /// CleanVision's odd-size score, 0..=1: how near the size is to the middle.
    pub fn score(&self, seen: &Measures) -> f32 {
        let norm = if self.gap > 0.0 { self.gap } else { self.middle };
        let distance = ((area(seen) as f64).sqrt() - self.middle).abs();
        if distance == 0.0 { 1.0 } else { (1.0 - (distance / norm).clamp(0.0, 1.0)) as f32 }
    }

    /// The same for ranking: 0..=1, below 0.5 where the size is odd, and then lower the further away it is, where
    /// CleanVision's score is 0 for many.
    pub(crate) fn ranked(&self, seen: &Measures) -> f32 {
        let score = self.score(seen);
        if score >= self.threshold() {
            return score;
        }
        let size = (area(seen) as f64).sqrt();
        let share = if self.gap > 0.0 {
            self.gap / 2.0 / (size - self.middle).abs()
        } else {
            size.min(self.middle) / size.max(self.middle)
        };
        (0.5 * share as f32).min(0.5_f32.next_down())
    }

    /// Below this a size is odd. If most pictures have one size, every other one is odd.
    pub fn threshold(&self) -> f32 {
        if self.gap > 0.0 { 0.5 } else { 1.0 }
    }

    /// The side of a square with as many pixels as the picture, divided by that of the typical picture.
    pub(crate) fn times(&self, seen: &Measures) -> f64 {
        let typical = f64::from(self.typical.0) * f64::from(self.typical.1);
        (area(seen) as f64 / typical.max(1.0)).sqrt()
    }
}

/// Whole numbers, so that 40 x 30 and 30 x 40 are of one size to the last bit.
fn area(seen: &Measures) -> u64 {
    u64::from(seen.width) * u64::from(seen.height)
}
