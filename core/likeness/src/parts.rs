//! Pictures that are parts of others: crops, and pictures that another has with a border around them, also mirrored or turned.
//!
//! The low frequencies of 49 windows of every picture are looked up among those of all whole pictures; where they are near, the
//! window is moved until it fits best, and the picture must then agree with it everywhere, in its fine details, too.

use crate::fit::{Fit, fit};
use crate::index::Index;
use crate::same;
use crate::sketch::{Read, SIDE};
use crate::spectrum::{Basis, Span, Spectrum, Window};
use crate::turn;
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

/// Spans of a side that are looked up; what is between them is near enough to one.
const SPANS: [Span; 7] =
    [(0.0, 1.0), (0.0, 0.9), (0.05, 0.95), (0.1, 1.0), (0.0, 0.8), (0.1, 0.9), (0.2, 1.0)];
/// The least cosine of spectra that are looked at closer.
const NEAR: f32 = 0.8;
/// Shares of the sides that may be outside a window that is the whole picture.
const WHOLE: f32 = 0.035;
/// Levels of contrast in a border.
const PLAIN: f32 = 6.0;

/// All pairs of `records` ([`crate::sketch`]) of which one is a part of the other. `wanted` says of two whether they are of
/// interest, `going_on` is asked now and then whether to go on.
///
/// With one thread, about a third of a millisecond for each picture and a fifth for each pair that is looked at closer. Of pictures that are near
/// dozens of others (a template) no parts are found.
///
/// # Errors
/// What `going_on` returns.
pub fn parts<E>(
    records: &[&[u8]],
    turned: bool,
    wanted: &dyn Fn(u32, u32) -> bool,
    going_on: &dyn Fn() -> Result<(), E>,
) -> Result<Vec<Part>, E> {
    let spectra: Vec<Option<Spectrum>> = records
        .iter()
        .map(|record| Read::new(record).and_then(|picture| Spectrum::new(&picture, Window::WHOLE)))
        .collect();
    let index = Index::new(&spectra, turned);
    let spans = SPANS.map(Basis::new);
    let mut candidates: BTreeMap<(u32, u32), (f32, Window, u8)> = BTreeMap::new();
    for (at, record) in records.iter().enumerate() {
        if at % 256 == 0 {
            going_on()?;
        }
        let Some(picture) = Read::new(record).filter(|_| spectra[at].is_some()) else { continue };
        let windows = Spectrum::grid(&picture, &spans, &spans).into_iter().enumerate().filter_map(
            |(number, spectrum)| {
                let window =
                    Window { across: SPANS[number % SPANS.len()], down: SPANS[number / SPANS.len()] };
                Some((window, spectrum?))
            },
        );
        let inside = trimmed(&picture).and_then(|window| Some((window, Spectrum::new(&picture, window)?)));
        for (window, spectrum) in windows.chain(inside) {
            let mut found = Vec::new();
            index.near(&spectra, &spectrum, NEAR, |other| found.push(other));
            found.sort_unstable();
            found.dedup();
            for other in found.into_iter().filter(|&other| other != at && wanted(at as u32, other as u32)) {
                let Some(part) = &spectra[other] else { continue };
                let turns = if turned { turn::ALL } else { 0..1 };
                let cosine = turns.map(|turn| (spectrum.cosine(&part.turned(turn)), turn));
                let Some((cosine, turn)) = cosine.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))
                else {
                    continue;
                };
                if cosine < NEAR {
                    continue;
                }
                let best = candidates.entry((at as u32, other as u32)).or_insert((cosine, window, turn));
                if cosine > best.0 {
                    *best = (cosine, window, turn);
                }
            }
        }
    }
    let mut parts: BTreeMap<(u32, u32), Part> = BTreeMap::new();
    for (number, ((whole, part), (_, window, turn))) in candidates.into_iter().enumerate() {
        if number % 256 == 0 {
            going_on()?;
        }
        let pictures = Read::new(records[whole as usize]).zip(Read::new(records[part as usize]));
        let Some((a, b)) = pictures else { continue };
        if let Some(Fit { window, correlation, told_apart }) = fit(&a, &b, window, turn) {
            let around = around(&a, window);
            // Two windows of one template are near, too, where they are all of it.
            let sure = if around == Around::Nothing { same(&a, &b, turn) } else { told_apart };
            if !sure {
                continue;
            }
            let found = Part { whole, part, turn, around, correlation };
            let best = parts.entry((whole.min(part), whole.max(part))).or_insert(found);
            if correlation > best.correlation {
                *best = found;
            }
        }
    }
    Ok(parts.into_values().collect())
}

/// The window without rows and columns of one color at the sides, if there are any.
fn trimmed(picture: &Read<'_>) -> Option<Window> {
    let side = SIDE;
    let plain = |cells: &mut dyn Iterator<Item = u8>| {
        let (least, most) = cells.fold((u8::MAX, 0), |(least, most), cell| (least.min(cell), most.max(cell)));
        f32::from(most.saturating_sub(least)) <= PLAIN
    };
    let row = |y: usize| plain(&mut (0..side).map(|x| picture.cells()[y * side + x]));
    let column = |x: usize| plain(&mut (0..side).map(|y| picture.cells()[y * side + x]));
    let span = |plain: &dyn Fn(usize) -> bool| {
        let from = (0..side / 3).take_while(|&at| plain(at)).count();
        let to = (0..side / 3).take_while(|&at| plain(side - 1 - at)).count();
        // The next cell is a bit of both, and a trace of a border in the window is more than is missed of the picture.
        let outside = |cells: usize| if cells == 0 { 0.0 } else { (cells + 1) as f32 / side as f32 };
        (outside(from), 1.0 - outside(to))
    };
    let window = Window { across: span(&column), down: span(&row) };
    (window.area() < 1.0).then_some(window)
}

/// What there is outside a window.
fn around(picture: &Read<'_>, window: Window) -> Around {
    let side = SIDE;
    let outside = [window.across.0, 1.0 - window.across.1, window.down.0, 1.0 - window.down.1];
    if outside.iter().all(|&share| share <= WHOLE) {
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
    let [left, right, top, bottom] = outside.map(cells);
    let all = plain(0..left, 0..side)
        && plain(side - right..side, 0..side)
        && plain(0..side, 0..top)
        && plain(0..side, side - bottom..side);
    if all && left + right + top + bottom > 0 { Around::Border } else { Around::Picture }
}

#[cfg(test)]
mod tests;
