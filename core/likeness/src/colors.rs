//! Whether a picture has the colors of what is in a window of another.

use crate::GRAY;
use crate::sketch::{COLORS, Read};
use crate::spectrum::{Span, Window};
use crate::turn;
use std::ops::RangeInclusive;

/// Levels of color that may differ: on average, and in one place.
const COLOR: f32 = 12.0;
const PLACE_COLOR: f32 = 28.0;
/// Levels that a place of a part may differ by, the share of what lies between the colors around it that is added, and how many
/// times that much nine in ten places may differ by.
const NOISE: f32 = 4.0;
const AROUND: f32 = 0.25;
const MOST: f32 = 0.8;
/// How much purer a place may be than all around it, in shares of their differences.
const PURER: f32 = 0.3;

/// How far the colors in a window are from those of the part, unless one picture is gray: on average and at most; and in nine of ten places at most,
/// in shares of what they may be. Which color a place of the window has is known within the cells that it touches; cells that are only partly in the
/// window say nothing.
#[derive(Default)]
pub(crate) struct Shades {
    mean: f32,
    most: f32,
    largest: f32,
}

impl Shades {
    pub(crate) fn of(whole: &Read<'_>, part: &Read<'_>, window: Window, turn: u8) -> Shades {
        if whole.colorfulness() < GRAY || part.colorfulness() < GRAY {
            return Shades::default();
        }
        let (mut all, mut sum, mut largest) = (Vec::with_capacity(COLORS * COLORS), 0.0, 0.0_f32);
        for (x, y) in (0..COLORS * COLORS).map(|cell| (cell % COLORS, cell / COLORS)) {
            let Some((across, down)) = touched(window.across, x).zip(touched(window.down, y)) else {
                continue;
            };
            let (u, v) = turn::cell(turn, (x, y), COLORS);
            let seen = part.color(u, v);
            let apart = Colors::of(whole, &across, &down, 0).apart(seen, 0.0);
            let around = Colors::of(whole, &across, &down, 1);
            sum += apart;
            all.push(apart / (NOISE + AROUND * around.range()));
            // A cell of the part may show more of a small thing than any cell of the other.
            largest = largest.max(around.apart(seen, PURER));
        }
        all.sort_unstable_by(f32::total_cmp);
        let most = all.get((all.len().saturating_sub(1) * 9).div_ceil(10)).copied().unwrap_or(0.0);
        Shades { mean: sum / all.len().max(1) as f32, most, largest }
    }

    /// Whether they may be those of one picture.
    pub(crate) fn are_near(&self) -> bool {
        self.mean <= COLOR && self.largest <= PLACE_COLOR
    }

    /// Whether they are surely those of one picture.
    pub(crate) fn agree(&self) -> bool {
        self.most <= MOST
    }
}

/// The colors of some cells.
struct Colors {
    least: (f32, f32),
    most: (f32, f32),
}

impl Colors {
    /// Of cells and as many as `around` next to them.
    fn of(
        picture: &Read<'_>,
        across: &RangeInclusive<usize>,
        down: &RangeInclusive<usize>,
        around: usize,
    ) -> Colors {
        let wider = |cells: &RangeInclusive<usize>| {
            cells.start().saturating_sub(around)..=(cells.end() + around).min(COLORS - 1)
        };
        let mut colors = Colors { least: (f32::MAX, f32::MAX), most: (f32::MIN, f32::MIN) };
        for (x, y) in wider(down).flat_map(|y| wider(across).map(move |x| (x, y))) {
            let (first, second) = picture.color(x, y);
            colors.least = (colors.least.0.min(first), colors.least.1.min(second));
            colors.most = (colors.most.0.max(first), colors.most.1.max(second));
        }
        colors
    }

    /// Levels between the farthest of these.
    fn range(&self) -> f32 {
        (self.most.0 - self.least.0).hypot(self.most.1 - self.least.1)
    }

    /// Levels that a color is outside of these and a share of what lies between them.
    fn apart(&self, (first, second): (f32, f32), share: f32) -> f32 {
        let outside = |value: f32, least: f32, most: f32| {
            let margin = share * (most - least);
            (least - margin - value).max(value - most - margin).max(0.0)
        };
        outside(first, self.least.0, self.most.0).hypot(outside(second, self.least.1, self.most.1))
    }
}

/// The cells of color that a cell of a span touches. `None` if one of them sticks out.
fn touched((from, to): Span, cell: usize) -> Option<RangeInclusive<usize>> {
    let place = |share: f32| (from + (to - from) * share / COLORS as f32) * COLORS as f32;
    let at = |share: f32| (place(cell as f32 + share) as usize).min(COLORS - 1);
    let (first, last) = (at(0.1), at(0.9));
    let inside = first as f32 >= place(0.0) - 0.1 && (last + 1) as f32 <= place(COLORS as f32) + 0.1;
    inside.then_some(first..=last)
}
