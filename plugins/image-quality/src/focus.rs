//! How soft a picture is: out of focus, moved, or enlarged.
//!
//! The measure of Crété, Dolmiere, Ladret and Nicolas (The blur effect, SPIE 2007; `skimage.measure.blur_effect` is another
//! implementation): steps between neighbors are compared with those of the same picture after a mean over nine pixels. A
//! sharp picture loses most of its steps by it, a soft one hardly any. Steps of that mean are differences of pixels that lie
//! nine apart, so the second picture is never made. Large pictures are judged at about 400 pixels, where what is soft is so for
//! any model, and some rows stand for the rest.

use crate::green::Green;
use crate::wide::{Kernel, wide};

/// A smaller picture has too few pixels between its edges.
const SHORTEST: usize = 64;
/// Rows that are looked at, roughly.
const ROWS: usize = 64;
/// Pixels before and after a step that its mean reaches.
const BEFORE: usize = 5;
const AFTER: usize = 4;
/// What a mean over nine pixels divides by.
const MEAN: u64 = (BEFORE + AFTER) as u64;
/// Mean step in levels below which there is nothing to judge.
const STEP: f64 = 0.25;

/// How soft a picture of `width * height` pixels is along the direction in which it is softest: 0..=1, 1 = without any detail; 0
/// where there is too little to judge.
pub(crate) fn softness(rgb: &[u8], width: usize, height: usize) -> f32 {
    let green = Green::fitted(rgb, width, height);
    if green.width().min(green.height()) < SHORTEST {
        return 0.0;
    }
    let [across, down] = wide(Look(green));
    match (across.softness(), down.softness()) {
        (Some(across), Some(down)) => across.max(down) as f32,
        _ => 0.0,
    }
}

/// Steps along a direction.
#[derive(Default)]
struct Steps {
    count: u64,
    /// Sum of the steps in levels, and of what a mean over nine pixels takes from each, times nine.
    sum: u64,
    lost: u64,
}

impl Steps {
    /// Adds the steps from `from` to `to`, of which the means reach from `first` to `last`.
    #[inline(always)]
    fn add(&mut self, [first, from, to, last]: [&[i16]; 4]) {
        let (mut sum, mut lost) = (0_u32, 0_u32);
        for (((first, from), to), last) in first.iter().zip(from).zip(to).zip(last) {
            let step = u32::from(to.abs_diff(*from));
            sum += step;
            lost += (step * MEAN as u32).saturating_sub(u32::from(last.abs_diff(*first)));
        }
        self.count += from.len() as u64;
        self.sum += u64::from(sum);
        self.lost += u64::from(lost);
    }

    fn softness(&self) -> Option<f64> {
        let enough = self.sum as f64 > STEP * self.count as f64;
        enough.then(|| 1.0 - self.lost as f64 / (MEAN * self.sum) as f64)
    }
}

struct Look<'a>(Green<'a>);

impl Kernel for Look<'_> {
    type Output = [Steps; 2];

    #[inline(always)]
    fn call(self) -> [Steps; 2] {
        let Look(green) = self;
        let (width, height) = (green.width(), green.height());
        let [mut across, mut down] = [Steps::default(), Steps::default()];
        let mut rows: [Vec<i16>; 4] = std::array::from_fn(|_| vec![0; width]);
        let each = (height - BEFORE - AFTER).div_ceil(ROWS);
        for (number, y) in (BEFORE..height - AFTER).step_by(each).enumerate() {
            // Not always the same row of a grid, such as that of JPEG or of enlarged pixels.
            let y = (y + number % each).min(height - AFTER - 1);
            let wanted = [y - BEFORE, y - 1, y, y + AFTER];
            rows.iter_mut().zip(wanted).for_each(|(row, y)| green.read(0, y, row));
            let [first, before, own, last] = &rows;
            down.add([first, before, own, last]);
            let steps = width - BEFORE - AFTER;
            let from = |start: usize| &own[start..start + steps];
            across.add([from(0), from(BEFORE - 1), from(BEFORE), from(BEFORE + AFTER)]);
        }
        [across, down]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A gray picture with these levels.
    fn picture(width: usize, height: usize, level: impl Fn(usize, usize) -> u8) -> Vec<u8> {
        (0..width * height).flat_map(|at| [level(at % width, at / width); 3]).collect()
    }

    /// Cells of levels at random, of `side` pixels.
    fn cells(side: usize) -> impl Fn(usize, usize) -> u8 {
        move |x, y| {
            let mixed = (x / side).wrapping_mul(0x9E37_79B1) ^ (y / side).wrapping_mul(0x85EB_CA77);
            (mixed.wrapping_mul(0xC2B2_AE35) >> 24) as u8
        }
    }

    /// The means over `(2 * reach + 1)` pixels across and `(2 * up + 1)` down.
    fn blurred(level: impl Fn(usize, usize) -> u8, reach: usize, up: usize) -> impl Fn(usize, usize) -> u8 {
        move |x, y| {
            let columns = x.saturating_sub(reach)..=x + reach;
            let all: Vec<u32> = (y.saturating_sub(up)..=y + up)
                .flat_map(|y| columns.clone().map(move |x| (x, y)))
                .map(|(x, y)| u32::from(level(x, y)))
                .collect();
            (all.iter().sum::<u32>() / all.len() as u32) as u8
        }
    }

    #[test]
    fn it_is_what_the_formula_says() {
        // One edge of 90 levels in each row: the step is 90, that of the mean is 10 in nine places, of which one is there.
        let edge = picture(80, 80, |x, y| if (x + y) % 40 < 20 { 90 } else { 0 });
        let seen = softness(&edge, 80, 80);
        assert!((seen - 1.0 / 9.0).abs() < 1e-6, "{seen}");
        // The steps of a slope are those of its means.
        assert_eq!(softness(&picture(100, 100, |x, y| (x + y) as u8), 100, 100), 1.0);
    }

    #[test]
    fn blur_along_any_axis_shows_and_detail_does_not() {
        let sharp = softness(&picture(200, 160, cells(6)), 200, 160);
        let [soft, across, down] = [(6, 6), (9, 0), (0, 9)]
            .map(|(reach, up)| softness(&picture(200, 160, blurred(cells(6), reach, up)), 200, 160));
        assert!(sharp < 0.3 && soft > 0.62 && across > 0.62 && down > 0.62, "{sharp} {soft} {across} {down}");
    }

    #[test]
    fn a_large_picture_is_judged_at_the_size_of_a_small_one() {
        let small = softness(&picture(390, 200, cells(5)), 390, 200);
        let large = softness(&picture(1_560, 800, cells(20)), 1_560, 800);
        assert!((small - large).abs() < 0.02, "{small} {large}");
    }

    #[test]
    fn little_to_see_is_not_soft() {
        for (width, height) in [(0, 0), (1, 1), (63, 500), (500, 9), (40, 40)] {
            assert_eq!(softness(&picture(width, height, |x, _| x as u8), width, height), 0.0);
        }
        assert_eq!(softness(&picture(300, 300, |_, _| 77), 300, 300), 0.0);
    }
}
