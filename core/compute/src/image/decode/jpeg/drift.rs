//! Where the constants of a JPEG's blocks go astray.
//!
//! Constants are stored as differences from block to block. Codes soon find back into step after a wrong bit, so that nothing is missing
//! at the end, but the sum stays wrong: from some block on, all of the picture is brighter or has another color. That leaves a seam
//! as no picture has: from one block to the one below it in the next row, in raster order, all blocks differ from those above them
//! by the same amount.

use std::collections::VecDeque;

/// Levels that a seam has at least.
const LEAST: f32 = 8.0;
/// What a block may differ by from the others along the seam, and what they may differ by before and after it, as parts of it.
const APART: f32 = 0.3;
/// Blocks along the seam that may differ by more.
const STRAY: f32 = 0.1;
/// Units in a row from which on a seam is one, and how far from the edges it must begin: a picture that is put together of
/// several has edges from side to side.
const ACROSS: usize = 10;
const INSIDE: usize = 2;

/// The constants of units, in levels of brightness or color.
#[derive(Default)]
pub(super) struct Constants {
    /// By component of the picture, one for each unit.
    pub(super) of: Vec<Vec<f32>>,
}

impl Constants {
    /// The unit from which on the sum is wrong.
    pub(super) fn seam(&self, across: usize) -> Option<usize> {
        // Shapes of one color may be drawn like that, and no photograph is.
        let brightness = self.of.first()?;
        let is_drawn = |unit: usize| {
            let same = (unit..unit + across).filter(|&unit| brightness[unit] == brightness[unit - 1]);
            2 * same.count() > across
        };
        self.of.iter().filter_map(|constants| seam(constants, across, &is_drawn)).min()
    }

    /// The unit from which on blocks fit least to those above them, if that is plain to see: where the codes were out of step for long, what
    /// follows is in other places. Only for what is known to be damaged.
    pub(super) fn break_in(&self, across: usize, units: usize) -> Option<usize> {
        let of = |unit: usize| {
            let all = self.of.iter().filter(|constants| constants.len() > unit);
            all.map(|constants| (constants[unit] - constants[unit - across]).abs()).sum::<f32>()
        };
        if across < ACROSS || units < 4 * across {
            return None;
        }
        let mut window: VecDeque<f32> = VecDeque::new();
        let (mut sum, mut sums) = (0.0, Vec::new());
        for unit in across..units {
            window.push_back(of(unit));
            sum += of(unit);
            if window.len() > across {
                sum -= window.pop_front().unwrap_or_default();
            }
            if window.len() == across {
                sums.push((sum, unit + 1 - across));
            }
        }
        let largest = sums.iter().copied().max_by(|a, b| a.0.total_cmp(&b.0))?;
        sums.sort_by(|a, b| a.0.total_cmp(&b.0));
        (largest.0 > 3.0 * sums[sums.len() / 2].0).then_some(largest.1)
    }
}

fn seam(constants: &[f32], across: usize, is_drawn: &dyn Fn(usize) -> bool) -> Option<usize> {
    if across < ACROSS || constants.len() < 3 * across {
        return None;
    }
    let step = |unit: usize| constants[unit] - constants[unit - across];
    let small = |unit: usize, than: f32| step(unit).abs() <= APART * than.abs();
    let is_seam = |unit: &usize| {
        let unit = *unit;
        let jump = constants[unit] - constants[unit - 1];
        let column = unit % across;
        if jump.abs() < LEAST / 2.0
            || column < INSIDE
            || column + INSIDE > across
            || !small(unit - 1, 2.0 * jump)
        {
            return false;
        }
        let mut steps: Vec<f32> = (unit..unit + across).map(step).collect();
        steps.sort_by(f32::total_cmp);
        let height = steps[across / 2];
        let stray = steps.iter().filter(|step| (**step - height).abs() > APART * height.abs()).count();
        let around =
            (unit - (across - INSIDE).min(unit - across)..unit).chain(unit + across..unit + 2 * across);
        let (mut all, mut rough) = (0, 0);
        around.for_each(|unit| {
            all += 1;
            rough += usize::from(!small(unit, height));
        });
        height.abs() >= LEAST
            && (jump - height).abs() <= 2.0 * APART * height.abs()
            && stray as f32 <= STRAY * across as f32
            && rough as f32 <= STRAY * all as f32
            && !is_drawn(unit)
    };
    (across..=constants.len() - 2 * across).find(is_seam)
}
