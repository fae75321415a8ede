//! Whether two pictures with near hashes are the same picture: a second look at small copies of both.
//!
//! A perceptual hash has 64 bits, which are nearly the same for all letters with one head and all X-rays of one view. Saved or
//! scaled another way, a picture hardly changes where many of its pixels are averaged, and brightness or contrast change
//! everywhere alike; another text or another patient changes it in places. So the small copies are brought to the same
//! brightness and contrast, and the place that differs most decides.
//!
//! Run its tests: `cargo test --release -p chaffinch-likeness`.

mod area;
mod blocks;
mod colors;
mod detail;
mod fit;
mod index;
mod parallel;
mod parts;
mod repeats;
mod search;
mod settings;
mod sketch;
mod spectrum;
mod standing;
mod turn;

pub use parts::{Around, Found, Part, crowded, parts};
pub use search::Work;
pub use sketch::{BYTES, sketch};
pub use standing::{EXAMINED, Standing, Stored, examine, sharper_ones};

use sketch::{COLORS, Read, SIDE};

/// How alike two pictures are at the second look, from surest to vaguest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Look {
    /// The decoded pixels are the same.
    SamePixels,
    /// The same picture, saved or scaled another way.
    SamePicture,
    /// Another picture, however alike: a template, a burst, a crop.
    Alike,
}

/// The places that are compared, each way.
const PLACES: usize = 8;
/// The most that brightness may differ in factor between two savings of one picture.
const GAIN: std::ops::RangeInclusive<f32> = 0.5..=2.0;
/// Levels that differ anywhere in a picture that is saved again.
const NOISE: f32 = 1.5;
/// Levels of color that may differ: on average; and in one place, to which is added what half of the places differ by at
/// least, times a factor.
const COLOR: f32 = 10.0;
const PLACE_COLOR: f32 = 14.0;
/// Levels of gray that one place may differ by if half of the places are equal.
const PLACE_GRAY: f32 = 8.0;
/// How much more the place that differs most may differ than half of the places do: saving a picture again changes all of it.
const STANDS_OUT: f32 = 4.0;
/// Levels from which on what is brightened is cut off.
const BRIGHT: f32 = 225.0;
/// Levels of contrast below which pictures are told apart by their brightness and color, too: scaled to one contrast, all
/// skies and walls are the same.
const FAINT: f32 = 12.0;
/// Mean levels of brightness and color that faint copies differ by at most.
const FAINT_APART: f32 = 2.0;
/// Mean levels of color below which a picture is gray.
const GRAY: f32 = 3.0;

/// Compares two sketches.
pub fn compare(a: &[u8], b: &[u8]) -> Look {
    let (Some(a), Some(b)) = (Read::new(a), Read::new(b)) else { return Look::Alike };
    if a.pixels == b.pixels {
        return Look::SamePixels;
    }
    if same(&a, &b, 0) { Look::SamePicture } else { Look::Alike }
}

/// Compares two sketches of which one may be mirrored and turned by quarters.
pub fn compare_turned(a: &[u8], b: &[u8]) -> Look {
    let upright = compare(a, b);
    let (Some(a), Some(b)) = (Read::new(a), Read::new(b)) else { return upright };
    let turned = (1..turn::ALL.end).any(|turn| same(&a, &b, turn));
    if turned { upright.min(Look::SamePicture) } else { upright }
}

/// How far apart two pictures are, to rank pairs by: 1 less the correlation of their cells of gray, 0 to 1. 1 if nothing was
/// seen of one of them, or one is of one gray.
pub fn distance(a: &[u8], b: &[u8]) -> f32 {
    let (Some(a), Some(b)) = (Read::new(a), Read::new(b)) else { return 1.0 };
    let (a, b) = (a.contrast(), b.contrast());
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let lengths = (product(&a, &a) * product(&b, &b)).sqrt();
    if lengths > 0.0 { (1.0 - product(&a, &b) / lengths).clamp(0.0, 1.0) } else { 1.0 }
}

/// Whether two pictures are one, the second seen through a turn.
fn same(a: &Read<'_>, b: &Read<'_>, turn: u8) -> bool {
    let shortest = a.shortest.min(b.shortest);
    // Cells of at least two pixels: what remains of single pixels depends on how they were saved.
    let side = [SIDE, SIDE / 2, SIDE / 4].into_iter().find(|side| shortest >= 2 * side).unwrap_or(SIDE / 4);
    let cells: Vec<(f32, f32)> = (0..side * side)
        .map(|cell| {
            let (x, y) = (cell % side, cell / side);
            let (u, v) = turn::cell(turn, (x, y), side);
            (a.gray(x, y, side), b.gray(u, v, side))
        })
        .collect();
    let count = cells.len() as f32;
    let mean = |of: &dyn Fn(&(f32, f32)) -> f32| cells.iter().map(of).sum::<f32>() / count;
    let (mean_a, mean_b) = (mean(&|cell| cell.0), mean(&|cell| cell.1));
    let spread_a = mean(&|cell| (cell.0 - mean_a).powi(2)).sqrt();
    let spread_b = mean(&|cell| (cell.1 - mean_b).powi(2)).sqrt();
    let gain = spread_b / spread_a;
    if !GAIN.contains(&gain) {
        return false;
    }
    if spread_a.min(spread_b) < FAINT
        && ((mean_a - mean_b).abs() > FAINT_APART || color_apart(a, b, turn) > FAINT_APART)
    {
        return false;
    }
    // Both in the contrast between the two.
    let spread = (spread_a * spread_b).sqrt();
    let difference = |&(a, b): &(f32, f32)| ((a - mean_a) / spread_a - (b - mean_b) / spread_b) * spread;
    // The fewer pixels a cell has, the more of how they were saved is left in it.
    let share = match shortest / side {
        4.. => 0.2,
        3 => 0.3,
        _ => 0.55,
    };
    let most = NOISE + share * spread;
    let step = side / PLACES;
    let mut places = Vec::with_capacity(PLACES * PLACES);
    // Where brightening has cut the brightest parts off, a place differs more than others.
    let mut standing_out = 0.0_f32;
    for (x, y) in (0..PLACES * PLACES).map(|place| (place % PLACES * step, place / PLACES * step)) {
        let inside = (0..step * step).map(|cell| (y + cell / step) * side + x + cell % step);
        let (mut sum, mut brightest) = (0.0, 0.0_f32);
        for cell in inside.map(|cell| &cells[cell]) {
            sum += difference(cell).powi(2);
            brightest = brightest.max(cell.0.max(cell.1));
        }
        let place = (sum / (step * step) as f32).sqrt();
        places.push(place);
        if brightest < BRIGHT {
            standing_out = standing_out.max(place);
        }
    }
    let largest = places.iter().copied().fold(0.0, f32::max);
    largest <= most && standing_out <= PLACE_GRAY + STANDS_OUT * median(&mut places) && same_color(a, b, turn)
}

fn same_color(a: &Read<'_>, b: &Read<'_>, turn: u8) -> bool {
    // A copy without colors is still one.
    if a.colorfulness() < GRAY || b.colorfulness() < GRAY {
        return true;
    }
    let mut apart = colors_apart(a, b, turn);
    let largest = apart.iter().copied().fold(0.0, f32::max);
    apart.iter().sum::<f32>() <= COLOR * apart.len() as f32
        && largest <= PLACE_COLOR + STANDS_OUT * median(&mut apart)
}

fn median(values: &mut [f32]) -> f32 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

/// Mean levels that the colors of two pictures differ by.
fn color_apart(a: &Read<'_>, b: &Read<'_>, turn: u8) -> f32 {
    let apart = colors_apart(a, b, turn);
    apart.iter().sum::<f32>() / apart.len() as f32
}

/// Levels that the colors of two pictures differ by in each place.
fn colors_apart(a: &Read<'_>, b: &Read<'_>, turn: u8) -> Vec<f32> {
    let apart = (0..COLORS * COLORS).map(|cell| {
        let (x, y) = (cell % COLORS, cell / COLORS);
        let (u, v) = turn::cell(turn, (x, y), COLORS);
        let (first, second) = (a.color(x, y), b.color(u, v));
        ((first.0 - second.0).abs() + (first.1 - second.1).abs()) / 2.0
    });
    apart.collect()
}

#[cfg(test)]
mod tests;
