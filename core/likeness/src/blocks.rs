//! Whether two pictures show the same in every place, and whether there is enough to see to tell.
//!
//! Correlation over a whole picture is decided by what has most contrast: one drawing before two grounds correlates like a picture
//! with its copy. So the brightness and contrast of one are fitted to the other by what agrees best, and then each place is asked
//! for itself. A place may differ by the noise of saving, and by shares of its edges and of its fine details.

/// Rounds of fitting, each to the share of the cells that agreed best in the one before.
const ROUNDS: usize = 4;
const KEPT: f32 = 0.8;
/// Cells of a place, of 32 across the picture.
const SIDE: usize = 4;
/// Levels that a place may differ by if a cell has two pixels at least, and what is added for each pixel that it has less: noise is
/// averaged over a cell.
const NOISE: f32 = 1.0;
const PIXEL: f32 = 1.8;
/// The share of its edges that is added, since windows fit to a fraction of a cell.
const EDGES: f32 = 0.1;
/// The share of its fine details that is added to what the mean and the cells (root mean square) may differ by: what is between two
/// cells is guessed.
const MEAN: f32 = 0.2;
const CELLS: f32 = 0.6;
/// How many times that much nine in ten places may differ by at most, and any: of the mean, and of the cells. Of two pictures of one
/// template, as of two X-rays, some differ by more.
const MOST_MEAN: (f32, f32) = (0.64, 1.5);
const MOST_CELLS: (f32, f32) = (1.0, 1.9);
/// How many times these nine in ten places may differ by before the window fits exactly.
const PROMISING: f32 = 5.0;
/// Gray from which on what is brightened is cut off, and the share of places where that may be why they differ.
const BRIGHT: f32 = 232.0;
const CUT: f32 = 0.22;
/// Levels of contrast from which on a place shows something.
const SHOWS: f32 = 4.0;
/// The fewest places that show something in any two pictures that are compared.
const SOMETHING: usize = 16;
/// The fewest, and their share, that tell the place of a part. One thing before a plain ground has fewer.
const FEWEST: (usize, f32) = (20, 0.45);
/// The same of a window that is all of the picture but for a little, or stretched: any ellipse is another one stretched.
const FEWEST_LOOSE: (usize, f32) = (24, 0.75);

/// What the places of two pictures say. All shares are of places.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Agreement {
    /// Places that show something.
    pub(crate) showing: usize,
    /// All places.
    pub(crate) places: usize,
    /// How many times what is allowed the means differ by: in nine of ten places at most, and in any.
    pub(crate) mean: (f32, f32),
    /// The same of the cells.
    pub(crate) cells: (f32, f32),
    /// The share of places that differ because they are cut off.
    pub(crate) cut: f32,
}

impl Agreement {
    /// Compares the cells of two pictures, row by row, each of which is `step` 32nds wide and has `pixels` each way in the smaller
    /// picture.
    pub(crate) fn of(a: &[f32], b: &[f32], width: usize, (step, pixels): (usize, f32)) -> Agreement {
        let Some(Apart { apart, brighter }) = Apart::of(a, b) else { return Agreement::default() };
        let (edges, details) = changes(a, b, width);
        let noise = NOISE + PIXEL * (2.0 - pixels).max(0.0);
        let side = (SIDE / step).max(1);
        let (across, down) = (width / side, a.len() / width.max(1) / side);
        let (mut means, mut cells) = (Vec::new(), Vec::new());
        let (mut showing, mut cut) = (0, 0);
        for place in 0..across * down {
            let first = place / across * side * width + place % across * side;
            let inside = || (0..side).flat_map(|row| first + row * width..first + row * width + side);
            let count = (side * side) as f32;
            let mean = |of: &dyn Fn(usize) -> f32| inside().map(of).sum::<f32>() / count;
            let spread = |of: &[f32]| {
                let middle = mean(&|at| of[at]);
                mean(&|at| (of[at] - middle).powi(2)).sqrt()
            };
            showing += usize::from(spread(a).max(spread(b)) > SHOWS);
            let edge = noise + EDGES * mean(&|at| edges[at]).sqrt();
            let detail = mean(&|at| details[at]).sqrt();
            let by = mean(&|at| apart[at]);
            let in_mean = by.abs() / (edge + MEAN * detail);
            let in_cells = mean(&|at| apart[at].powi(2)).sqrt() / (edge + CELLS * detail);
            let brightest = inside().map(|at| a[at].max(b[at])).fold(0.0, f32::max);
            // What is cut off is darker than it would be.
            if brightest >= BRIGHT
                && by * brighter < 0.0
                && (in_mean > MOST_MEAN.0 || in_cells > MOST_CELLS.0)
            {
                cut += 1;
                continue;
            }
            means.push(in_mean);
            cells.push(in_cells);
        }
        let places = across * down;
        let most = |values: &mut [f32]| {
            values.sort_unstable_by(f32::total_cmp);
            let at = (values.len().saturating_sub(1) * 9).div_ceil(10);
            (values.get(at).copied().unwrap_or(f32::MAX), values.last().copied().unwrap_or(f32::MAX))
        };
        let (mean, cells) = (most(&mut means), most(&mut cells));
        Agreement { showing, places, mean, cells, cut: cut as f32 / places.max(1) as f32 }
    }

    /// Whether two pictures can be compared at all.
    pub(crate) fn shows_something(&self) -> bool {
        self.showing >= SOMETHING
    }

    /// Whether they may agree once the window is moved by fractions of a cell.
    pub(crate) fn is_promising(&self) -> bool {
        self.shows_something()
            && self.mean.0 <= PROMISING * MOST_MEAN.0
            && self.cells.0 <= PROMISING * MOST_CELLS.0
    }

    /// Whether there is enough to see to tell the pictures from others.
    pub(crate) fn is_telling(&self, loose: bool) -> bool {
        let (fewest, share) = if loose { FEWEST_LOOSE } else { FEWEST };
        self.showing >= fewest && self.showing as f32 >= share * self.places as f32
    }

    /// Whether they agree everywhere.
    pub(crate) fn everywhere(&self) -> bool {
        let within = |seen: (f32, f32), most: (f32, f32)| seen.0 <= most.0 && seen.1 <= most.1;
        within(self.mean, MOST_MEAN) && within(self.cells, MOST_CELLS) && self.cut <= CUT
    }
}

/// What the cells of two pictures differ by.
struct Apart {
    /// What each of the second differs from the first once both have the same brightness and contrast, in levels between the two.
    apart: Vec<f32>,
    /// 1 if bright places are brighter in the second, else -1.
    brighter: f32,
}

impl Apart {
    /// `None` if one picture is flat.
    fn of(a: &[f32], b: &[f32]) -> Option<Apart> {
        if a.is_empty() || a.len() != b.len() {
            return None;
        }
        // What is cut off would take part of the contrast away, but there must be enough besides.
        let uncut: Vec<usize> = (0..a.len()).filter(|&at| a[at].max(b[at]) < BRIGHT).collect();
        let cells = if 2 * uncut.len() >= a.len() { uncut } else { (0..a.len()).collect() };
        let mut found = Apart { apart: vec![0.0; a.len()], brighter: 0.0 };
        let mut most = f32::INFINITY;
        for _ in 0..ROUNDS {
            let kept = || cells.iter().copied().filter(|&at| found.apart[at].abs() <= most);
            let count = kept().count() as f32;
            let mean = |of: &[f32]| kept().map(|at| of[at]).sum::<f32>() / count;
            let (mean_a, mean_b) = (mean(a), mean(b));
            let spread = |of: &[f32], mean: f32| kept().map(|at| (of[at] - mean).powi(2)).sum::<f32>();
            let gain = (spread(b, mean_b) / spread(a, mean_a)).sqrt();
            if !gain.is_finite() || gain <= 0.0 {
                return None;
            }
            let half = gain.sqrt();
            let fitted = |at: usize| (b[at] - mean_b) / half - (a[at] - mean_a) * half;
            let brightest = mean_b + gain * (BRIGHT - mean_a);
            found =
                Apart { apart: (0..a.len()).map(fitted).collect(), brighter: (brightest - BRIGHT).signum() };
            let mut sizes: Vec<f32> = cells.iter().map(|&at| found.apart[at].abs()).collect();
            let kept = (sizes.len() as f32 * KEPT) as usize;
            most = *sizes.select_nth_unstable_by(kept, f32::total_cmp).1;
        }
        Some(found)
    }
}

/// How much gray changes from cell to cell, and what each cell differs from those beside it by: squared, as the mean of both
/// pictures.
fn changes(a: &[f32], b: &[f32], width: usize) -> (Vec<f32>, Vec<f32>) {
    let changes = |of: &[f32], at: usize| {
        let x = at % width;
        let beside = |there: bool, other: usize| of[if there { other } else { at }];
        let (left, right) = (beside(x > 0, at.wrapping_sub(1)), beside(x + 1 < width, at + 1));
        let (above, below) =
            (beside(at >= width, at.wrapping_sub(width)), beside(at + width < of.len(), at + width));
        let edge = ((right - left) / 2.0).powi(2) + ((below - above) / 2.0).powi(2);
        (edge, (of[at] - (left + right + above + below) / 4.0).powi(2))
    };
    let both = |at: usize| {
        let (a, b) = (changes(a, at), changes(b, at));
        ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0)
    };
    (0..a.len()).map(both).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::scene;

    const WIDTH: usize = 32;

    fn gray(seed: u32) -> Vec<f32> {
        scene(WIDTH, WIDTH, seed).0.chunks_exact(3).map(|pixel| f32::from(pixel[1])).collect()
    }

    #[test]
    fn a_place_that_differs_is_seen_whatever_the_brightness() {
        for seed in 0..10 {
            let first = gray(seed);
            let lighter: Vec<f32> = first.iter().map(|level| 12.0 + 0.9 * level).collect();
            let same = Agreement::of(&first, &lighter, WIDTH, (1, 2.0));
            assert!(same.everywhere() && same.places == 64, "{seed}: {same:?}");
            let mut other = lighter.clone();
            for (x, y) in (8..16).flat_map(|y| (16..24).map(move |x| (x, y))) {
                other[y * WIDTH + x] -= 12.0;
            }
            let other = Agreement::of(&first, &other, WIDTH, (1, 2.0));
            assert!(!other.everywhere(), "{seed}: {other:?}");
        }
    }

    #[test]
    fn what_is_cut_off_by_brightening_is_no_difference() {
        let first: Vec<f32> = gray(3).iter().map(|level| 40.0 + 0.8 * level).collect();
        let brighter: Vec<f32> = first.iter().map(|level| (1.15 * level).min(255.0)).collect();
        let seen = Agreement::of(&first, &brighter, WIDTH, (1, 2.0));
        assert!(seen.everywhere(), "{seen:?}");
    }

    #[test]
    fn nothing_is_said_of_flat_pictures() {
        let flat = vec![90.0; WIDTH * WIDTH];
        let seen = Agreement::of(&flat, &flat, WIDTH, (1, 2.0));
        assert!(!seen.shows_something() && !seen.is_telling(false));
    }
}
