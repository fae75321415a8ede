//! Pictures that are parts of others: crops, and pictures that another has with a border around them, also mirrored or turned.
//!
//! The low frequencies of 49 windows of every picture are looked up among those of all whole pictures; where they are near, the
//! window is moved until it fits best, and the picture must then agree with it in every place, in its fine details, too.

use crate::fit::{Fit, fit};
use crate::parallel;
use crate::same;
use crate::search::{AT_ONCE, Candidate, Candidates, PLAIN, Work, candidates};
use crate::sketch::{Read, SIDE};
use crate::spectrum::Window;
use std::collections::BTreeMap;

/// A picture that is a part of another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// The picture that has more.
    pub whole: u32,
    /// The picture that is a part of it.
    pub part: u32,
    /// How the part is turned, 0 to 7: bit 0 exchanges left and right, bit 1 top and bottom, bit 2 before them rows and columns.
    pub turn: u8,
    /// What there is around the part.
    pub around: Around,
    /// The correlation of the part with the place where it is, up to 1.
    pub correlation: f32,
}

/// What there is around a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    /// Next to nothing: both are the same picture, as [`crate::compare_turned`] says of them, too.
    Nothing,
    /// One color on each side: a border was added, or cut off.
    Border,
    /// More of the picture.
    Picture,
}

/// The share of the area from which on a window is all of the picture, whatever else differs.
const ALL: f32 = 0.985;

/// What was found, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Each pair once, by number.
    pub parts: Vec<Part>,
    /// Pictures that are near so many others (a template, a pattern) that only the nearest of these were looked at.
    pub crowded: usize,
    /// What it took.
    pub work: Work,
}

/// All pairs of `records` ([`crate::sketch`]) of which one is a part of the other. `wanted` says of two whether they are of
/// interest, `going_on` is asked now and then whether to go on.
///
/// The work is in proportion to the number of pictures, whatever they show: about a third of a millisecond of a processor for each
/// of most photographs, and a few at most; on all processors. No parts are found of pictures that repeat themselves or show too little.
///
/// # Errors
/// What `going_on` returns.
pub fn parts<E>(
    records: &[&[u8]],
    turned: bool,
    wanted: &(dyn Fn(u32, u32) -> bool + Sync),
    going_on: &dyn Fn() -> Result<(), E>,
) -> Result<Found, E> {
    let Candidates { all, crowded, looked_up } = candidates(records, turned, wanted, going_on)?;
    let mut work = Work { looked_up, fitted: 0 };
    let mut parts: BTreeMap<(u32, u32), Part> = BTreeMap::new();
    for several in all.chunks(AT_ONCE) {
        going_on()?;
        for (fitted, found) in parallel::map(0..several.len(), |at| closer(records, &several[at])) {
            work.fitted += fitted;
            let Some(found) = found else { continue };
            let pair = (found.whole.min(found.part), found.whole.max(found.part));
            let best = parts.entry(pair).or_insert(found);
            if found.correlation > best.correlation {
                *best = found;
            }
        }
    }
    Ok(Found { parts: parts.into_values().collect(), crowded, work })
}

/// Whether a candidate is a part, and how many pairs were looked at for it.
fn closer(records: &[&[u8]], candidate: &Candidate) -> (u64, Option<Part>) {
    let Candidate { whole, part, window, turn } = *candidate;
    let pictures = Read::new(records[whole as usize]).zip(Read::new(records[part as usize]));
    let Some((a, b)) = pictures else { return (0, None) };
    let Some(Fit { window, correlation, shows, told_apart }) = fit(&a, &b, window, turn) else {
        return (1, None);
    };
    let around = match around(&a, window) {
        Around::Nothing if shows && same(&a, &b, turn) => Some(Around::Nothing),
        // Two pictures of one template are near, too, where they are all of it.
        Around::Nothing if !told_apart || window.area() > ALL => None,
        Around::Nothing => Some(Around::Picture),
        around => Some(around).filter(|_| told_apart),
    };
    (1, around.map(|around| Part { whole, part, turn, around, correlation }))
}

/// What to say of [`Found::crowded`] pictures.
pub fn crowded(pictures: usize) -> String {
    let subject = if pictures == 1 { "1 picture looks".into() } else { format!("{pictures} pictures look") };
    format!("{subject} like many others; crops and borders were looked for only among those most alike")
}

/// What there is outside a window.
fn around(picture: &Read<'_>, window: Window) -> Around {
    let side = SIDE;
    if window.is_nearly_whole() {
        return Around::Nothing;
    }
    // Cells that are on the edge of the window are a bit of both.
    let cells = |share: f32| (share * side as f32 - 0.25).max(0.0) as usize;
    let plain = |columns: std::ops::Range<usize>, rows: std::ops::Range<usize>| {
        let values: Vec<u8> = rows
            .flat_map(|y| columns.clone().map(move |x| (x, y)))
            .map(|(x, y)| picture.cells()[y * side + x])
            .collect();
        let count = values.len().max(1) as f32;
        let mean = values.iter().map(|&value| f32::from(value)).sum::<f32>() / count;
        let spread = values.iter().map(|&value| (f32::from(value) - mean).powi(2)).sum::<f32>() / count;
        spread.sqrt() <= PLAIN
    };
    let [left, right, top, bottom] = window.outside().map(cells);
    let all = plain(0..left, 0..side)
        && plain(side - right..side, 0..side)
        && plain(0..side, 0..top)
        && plain(0..side, side - bottom..side);
    if all && left + right + top + bottom > 0 { Around::Border } else { Around::Picture }
}

#[cfg(test)]
mod tests;
