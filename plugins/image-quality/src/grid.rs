//! Steps between the blocks of a JPEG.
//!
//! Coarse quantization leaves each block of 8 x 8 pixels by itself, so that values jump from one block to the next. The
//! jumps are compared with the steps on both sides of them (Wang, Sheikh and Bovik, 2002, measure the same two as
//! blockiness and activity), line by line, and the middle of all lines is taken: one edge of what is pictured that lies on
//! the grid changes one line.

use crate::counts::percentile;

/// Sides of a block.
const BLOCK: usize = 8;
/// Lines between blocks that a direction needs, and those that are looked at in one.
const LEAST: usize = 2;
const LINES: usize = 64;
/// Places along a line that are looked at.
const PLACES: usize = 64;
/// Levels added on both sides, below which a step is not seen.
const UNSEEN: u64 = 1;

/// The steps between blocks in multiples of those beside them; 1 where there are too few blocks to tell.
pub(crate) fn grid(rgb: &[u8], width: usize, height: usize) -> f32 {
    let green = |x: usize, y: usize| rgb[(y * width + x) * 3 + 1];
    let mut ratios = Vec::with_capacity(2 * LINES);
    lines(width, height, green, &mut ratios);
    lines(height, width, |y, x| green(x, y), &mut ratios);
    if ratios.is_empty() {
        return 1.0;
    }
    ratios.sort_unstable_by(f32::total_cmp);
    percentile(ratios.len() as u64, 50.0, |index| ratios[index as usize].into()) as f32
}

/// Adds the ratio of each line across the first of both lengths; none if there are too few.
fn lines(across: usize, along: usize, green: impl Fn(usize, usize) -> u8, ratios: &mut Vec<f32>) {
    // One pixel behind each line is read, too.
    let all = across.saturating_sub(2) / BLOCK;
    if all < LEAST || along < BLOCK {
        return;
    }
    let (each, place) = (all.div_ceil(LINES), along.div_ceil(PLACES));
    for line in (1..=all).step_by(each) {
        let x = line * BLOCK;
        let (mut between, mut beside, mut places) = (0_u64, 0_u64, 0_u64);
        // From the middle of a step on, so that not only every eighth pixel is looked at where the step is eight.
        for y in (place / 2..along).step_by(place) {
            let [before, last, first, next] = [x - 2, x - 1, x, x + 1].map(|x| green(x, y));
            between += u64::from(first.abs_diff(last));
            beside += u64::from(last.abs_diff(before)) + u64::from(next.abs_diff(first));
            places += 1;
        }
        ratios.push((2 * between + UNSEEN * places) as f32 / (beside + UNSEEN * places) as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gray(width: usize, height: usize, level: impl Fn(usize, usize) -> u8) -> Vec<u8> {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        pixels.flat_map(|(x, y)| [level(x, y); 3]).collect()
    }

    #[test]
    fn only_steps_on_the_grid_are_blocks() {
        let tiles = |side: usize, shift: usize| {
            gray(96, 80, move |x, y| {
                ((((x + shift) / side) * 37 + ((y + shift) / side) * 61) % 90 + 60 + (x + y) % 3) as u8
            })
        };
        let seen = |side, shift| grid(&tiles(side, shift), 96, 80);
        assert!(seen(8, 0) > 4.0, "{}", seen(8, 0));
        assert!(seen(8, 4) < 1.2 && seen(7, 0) < 1.3, "{} {}", seen(8, 4), seen(7, 0));
        assert!((grid(&gray(96, 80, |x, y| (2 * x + y) as u8), 96, 80) - 1.0).abs() < 0.2);
    }

    #[test]
    fn one_edge_on_the_grid_is_no_grid() {
        let edge = gray(96, 80, |x, y| if x < 48 { 40 } else { 200 } + ((x * 7 + y * 5) % 9) as u8);
        assert!(grid(&edge, 96, 80) < 1.3, "{}", grid(&edge, 96, 80));
    }

    #[test]
    fn a_flat_or_small_picture_has_none() {
        for (width, height) in [(0, 0), (1, 1), (8, 8), (17, 17), (300, 2), (64, 64)] {
            assert_eq!(grid(&vec![128; width * height * 3], width, height), 1.0, "{width} x {height}");
        }
    }
}
