//! What speaks for one of several copies: which has the picture's colors, stands as the others do, has no noise of its own, and was not
//! reduced. One rule for the detector of copies and for plans.

use crate::detail::{self, Detail};
use crate::sketch::{BYTES, COLORS, Read, sketch};
use crate::{GRAY, colors_apart, turn};
use std::cmp::Reverse;

/// Length of what [`examine`] writes: a sketch, and what follows it.
pub const EXAMINED: usize = DETAIL_AT + detail::BYTES;

const DETAIL_AT: usize = BYTES + 8;

/// Levels of color below which a picture has none at all: what is left of gray that was saved as color.
const NO_COLOR: f32 = 0.4;
/// Copies with less than this share of the colors of another have lost theirs.
const FADED: f32 = 0.25;
/// Levels of variety that rounding leaves in a picture toned in one color, and those that another copy has at least.
const TONED: f32 = 0.25;
const VARIED: f32 = 1.5;
/// Levels that the colors of two savings of one picture differ by: this share of what there is, within bounds. Of 30 muted and
/// vivid photographs, another JPEG differed by at most .06 of it, and swapped channels by at least .49.
const RESAVED: f32 = 0.25;
const RESAVED_LEVELS: std::ops::RangeInclusive<f32> = 0.4..=GRAY;
/// The most colors of a palette, and how many times as many another copy has.
const PALETTE: usize = 256;
const MORE_COLORS: usize = 4;
/// Share of pixels equal to their neighbor from which on a picture is a drawing: its palette is the original, and a JPEG of it
/// only adds colors.
const DRAWN: f32 = 0.5;
/// How much nearer a turned picture must be than the upright one, so that nearly symmetric ones are not called turned.
const TURNED: f32 = 0.5;

/// How a file stores its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The EXIF orientation; 1 = upright, 0 = not known.
    pub orientation: u32,
    /// Whether the picture is the first one of an animation.
    pub animated: bool,
    /// Whether its colors are those of print, which not all that is shown has (CMYK).
    pub cmyk: bool,
}

/// Writes the sketch of a picture and what [`Standing`] needs besides into [`EXAMINED`] bytes.
pub fn examine(rgb: &[u8], width: usize, height: usize, stored: Stored, record: &mut [u8]) {
    record.fill(0);
    if record.len() < EXAMINED {
        return;
    }
    sketch(rgb, width, height, &mut record[..BYTES]);
    let pixels = rgb.as_chunks::<3>().0;
    if width == 0 || pixels.len() != width * height {
        return;
    }
    let pairs = pixels.chunks_exact(width).flat_map(|row| row.windows(2));
    let (all, equal) = pairs
        .fold((0_usize, 0_usize), |(all, equal), pair| (all + 1, equal + usize::from(pair[0] == pair[1])));
    let even = 255.0 * equal as f32 / all.max(1) as f32;
    record[BYTES..BYTES + 2].copy_from_slice(&(colors_of(pixels) as u16).to_le_bytes());
    record[BYTES + 2] = even.round() as u8;
    record[BYTES + 3] = u8::from(stored.orientation > 1);
    record[BYTES + 4] = u8::from(stored.animated);
    record[BYTES + 5] = u8::from(stored.cmyk);
    Detail::of(pixels, width, height).write(&mut record[DETAIL_AT..EXAMINED]);
}

/// How many colors there are, counted to a little more than matters.
fn colors_of(pixels: &[[u8; 3]]) -> usize {
    const MOST: usize = (MORE_COLORS + 1) * PALETTE;
    let mut found: Vec<[u8; 3]> = Vec::with_capacity(2 * MOST);
    // Whole runs are sorted at once, so that a large picture of few colors is not searched pixel by pixel.
    for run in pixels.chunks(MOST) {
        found.extend(run);
        found.sort_unstable();
        found.dedup();
        if found.len() >= MOST {
            return MOST;
        }
    }
    found.len()
}

/// An examined picture as it is read.
struct Seen<'a> {
    sketch: Read<'a>,
    colors: usize,
    drawn: bool,
    rotated: bool,
    animated: bool,
    cmyk: bool,
    detail: Detail,
}

impl<'a> Seen<'a> {
    fn new(record: &'a [u8]) -> Option<Seen<'a>> {
        let [low, high, even, rotated, animated, cmyk, ..] = *record.get(BYTES..DETAIL_AT)? else {
            return None;
        };
        Some(Seen {
            sketch: Read::new(record)?,
            colors: usize::from(u16::from_le_bytes([low, high])),
            drawn: f32::from(even) >= 255.0 * DRAWN,
            rotated: rotated > 0,
            animated: animated > 0,
            cmyk: cmyk > 0,
            detail: Detail::read(record.get(DETAIL_AT..EXAMINED)?.try_into().ok()?),
        })
    }

    /// Its pixels.
    fn area(&self) -> usize {
        self.sketch.size.0 * self.sketch.size.1
    }

    /// Whether this was reduced to a palette, of which another copy has the full colors.
    fn is_reduced_from(&self, other: &Seen<'_>) -> bool {
        self.colors <= PALETTE && other.colors >= MORE_COLORS * self.colors && !other.drawn
    }
}

/// What one of several copies has kept of the picture: more is better. What nothing tells is equal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Standing {
    /// Whether it has colors, or no copy has any.
    colored: bool,
    /// Whether it is not toned in one color, as in sepia, where another copy has several.
    varied: bool,
    /// How many other copies have the same ones, which tells swapped channels.
    shared: usize,
    /// How many other copies stand like it, which tells those that are mirrored and turned.
    upright: usize,
    /// Whether it is no copy with noise or blocks of one that has none.
    clean: Reverse<bool>,
    /// Whether it is no reduction to a palette.
    full: Reverse<bool>,
    /// Whether it is no first picture of an animation.
    still: Reverse<bool>,
    /// Whether it is upright without the file saying how to turn it.
    plain: Reverse<bool>,
    /// Whether its colors are not those of print.
    shown: Reverse<bool>,
}

impl Standing {
    /// Of an examined picture among its copies, each with how many files are the same. What was not seen has nothing.
    pub fn among<'a>(own: &[u8], others: impl IntoIterator<Item = (&'a [u8], usize)>) -> Standing {
        let Some(own) = Seen::new(own) else { return Standing::default() };
        let colorfulness = own.sketch.colorfulness();
        let variety = variety(&own.sketch);
        let mut most_varied = variety;
        let (mut shared, mut upright, mut most) = (0, 0, colorfulness);
        let (mut reduced, mut marred) = (false, false);
        for (other, files) in others {
            let Some(other) = Seen::new(other) else { continue };
            most = most.max(other.sketch.colorfulness());
            most_varied = most_varied.max(self::variety(&other.sketch));
            let turn = turn_between(&own.sketch, &other.sketch);
            upright += if turn == 0 { files } else { 0 };
            shared += if agree(&own.sketch, &other.sketch, turn) { files } else { 0 };
            reduced |= own.is_reduced_from(&other);
            marred |= own.detail.is_marred(own.area(), &other.detail, other.area());
        }
        let has_color = colorfulness >= NO_COLOR && colorfulness >= FADED * most;
        let colored = has_color || most < NO_COLOR;
        let is_toned = most_varied >= VARIED && variety <= FADED * most_varied + TONED;
        Standing {
            colored,
            varied: has_color && !is_toned,
            // Gray ones agree in nothing.
            shared: if has_color { shared } else { 0 },
            upright,
            clean: Reverse(marred),
            full: Reverse(reduced),
            still: Reverse(own.animated),
            plain: Reverse(own.rotated),
            shown: Reverse(own.cmyk),
        }
    }

    /// Only what shows in the picture: colors, how it stands, noise and blocks, whatever the file is.
    #[must_use]
    pub fn in_sight(self) -> Standing {
        let Standing { colored, varied, shared, upright, clean, .. } = self;
        Standing { colored, varied, shared, upright, clean, ..Standing::default() }
    }
}

/// How many of its copies an examined picture has less detail than. What was not seen has less than all that was.
pub fn sharper_ones<'a>(own: &[u8], others: impl IntoIterator<Item = &'a [u8]>) -> usize {
    let own = Seen::new(own);
    let is_sharper = |other: &Seen<'_>| {
        own.as_ref().is_none_or(|own| other.detail.is_sharper(other.area(), &own.detail, own.area()))
    };
    others.into_iter().filter_map(Seen::new).filter(is_sharper).count()
}

/// Whether two pictures have the same colors but for how they were saved. Gray ones have none.
fn agree(own: &Read<'_>, other: &Read<'_>, turn: u8) -> bool {
    let (one, two) = (own.colorfulness(), other.colorfulness());
    let most = (RESAVED * one.max(two)).clamp(*RESAVED_LEVELS.start(), *RESAVED_LEVELS.end());
    let apart = colors_apart(own, other, turn);
    one.min(two) >= NO_COLOR && apart.iter().sum::<f32>() < most * apart.len() as f32
}

/// How far the colors of places are from what their brightness says, in levels: in a picture toned in one color, it says all.
fn variety(sketch: &Read<'_>) -> f32 {
    let places = || (0..COLORS * COLORS).map(|cell| (cell % COLORS, cell / COLORS));
    let gray: Vec<f32> = places().map(|(x, y)| sketch.gray(x, y, COLORS)).collect();
    let off = |color: Vec<f32>| {
        let count = gray.len() as f32;
        let (middle, mean) = (gray.iter().sum::<f32>() / count, color.iter().sum::<f32>() / count);
        let spread: f32 = gray.iter().map(|level| (level - middle).powi(2)).sum();
        let both: f32 = gray.iter().zip(&color).map(|(level, color)| (level - middle) * (color - mean)).sum();
        let slope = if spread > 0.0 { both / spread } else { 0.0 };
        let left = gray.iter().zip(&color).map(|(level, color)| color - mean - slope * (level - middle));
        (left.map(|left| left * left).sum::<f32>() / count).sqrt()
    };
    off(places().map(|(x, y)| sketch.color(x, y).0).collect())
        + off(places().map(|(x, y)| sketch.color(x, y).1).collect())
}

/// How the second of two copies is turned against the first, by their gray.
fn turn_between(own: &Read<'_>, other: &Read<'_>) -> u8 {
    let apart = |turn: u8| {
        let places = (0..COLORS * COLORS).map(|cell| (cell % COLORS, cell / COLORS));
        let apart = places.map(|(x, y)| {
            let (u, v) = turn::cell(turn, (x, y), COLORS);
            (own.gray(x, y, COLORS) - other.gray(u, v, COLORS)).abs()
        });
        apart.sum::<f32>()
    };
    let upright = apart(0);
    let turned = (1..turn::ALL.end).map(|turn| (apart(turn), turn));
    let nearest = turned.min_by(|a, b| a.0.total_cmp(&b.0));
    nearest.filter(|(apart, _)| *apart < TURNED * upright).map_or(0, |(_, turn)| turn)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 96;
    const PLAIN: Stored = Stored { orientation: 1, animated: false, cmyk: false };

    /// A lively picture whose colors are as far from gray as `color` says.
    fn photo(color: i32) -> impl Fn(usize, usize) -> [u8; 3] {
        move |x, y| {
            let wave = ((x / 6 * 3 + y / 9 * 5) % 17 * 8 + x / 2) as i32 + (x * 31 + y * 17) as i32 % 5;
            let tint = color * ((x / 24 + y / 24) % 3) as i32;
            [wave + tint, wave, wave - color].map(|level| (level + 40).clamp(0, 255) as u8)
        }
    }

    fn examined(stored: Stored, color: impl Fn(usize, usize) -> [u8; 3]) -> Vec<u8> {
        let rgb: Vec<u8> = (0..SIDE * SIDE).flat_map(|at| color(at % SIDE, at / SIDE)).collect();
        let mut record = vec![0; EXAMINED];
        examine(&rgb, SIDE, SIDE, stored, &mut record);
        record
    }

    /// The standing of each among the others.
    fn standings(all: &[&Vec<u8>]) -> Vec<Standing> {
        let others = |own: usize| all.iter().enumerate().filter(move |(place, _)| *place != own);
        let of = |own: usize| Standing::among(all[own], others(own).map(|(_, other)| (other.as_slice(), 1)));
        (0..all.len()).map(of).collect()
    }

    #[test]
    fn however_muted_its_colors_a_copy_with_them_stands_above_a_gray_one() {
        for color in [2, 4, 8, 30] {
            let original = examined(PLAIN, photo(color));
            let gray = examined(PLAIN, move |x, y| [photo(color)(x, y)[1]; 3]);
            let swapped = examined(PLAIN, move |x, y| {
                let [r, g, b] = photo(color)(x, y);
                [b, g, r]
            });
            let again = examined(PLAIN, move |x, y| photo(color)(x, y).map(|level| level / 3 * 3 + 1));
            let seen = standings(&[&original, &gray]);
            assert!(seen[0] > seen[1], "{color}: {seen:?}");
            let seen = standings(&[&original, &again, &swapped]);
            assert!(seen[0].shared > seen[2].shared && seen[1].shared > seen[2].shared, "{color}: {seen:?}");
        }
        let gray = examined(PLAIN, |x, y| [photo(4)(x, y)[1]; 3]);
        let seen = standings(&[&gray, &gray]);
        assert_eq!(seen[0], seen[1], "where none has colors, it says nothing");
    }

    #[test]
    fn what_was_turned_reduced_or_only_says_how_it_stands_comes_after_what_was_not() {
        let original = examined(PLAIN, photo(8));
        let again = examined(PLAIN, |x, y| photo(8)(x, y).map(|level| level / 2 * 2));
        let mirrored = examined(PLAIN, |x, y| photo(8)(SIDE - 1 - x, y));
        let seen = standings(&[&original, &again, &mirrored]);
        assert!(seen[0] > seen[2] && seen[1] > seen[2], "{seen:?}");
        let seen = standings(&[&original, &mirrored]);
        assert_eq!(seen[0], seen[1], "of two, nothing tells which one was mirrored");

        let few = examined(PLAIN, |x, y| photo(8)(x, y).map(|level| level / 64 * 64 + 32));
        let seen = standings(&[&original, &few]);
        assert!(seen[0].full > seen[1].full, "{seen:?}");
        for stored in [
            Stored { orientation: 6, ..PLAIN },
            Stored { animated: true, ..PLAIN },
            Stored { cmyk: true, ..PLAIN },
        ] {
            let seen = standings(&[&examined(stored, photo(8)), &original]);
            assert!(seen[1] > seen[0], "{stored:?}: {seen:?}");
        }
    }

    #[test]
    fn one_toned_in_one_color_comes_after_one_with_several() {
        let original = examined(PLAIN, photo(12));
        let sepia = examined(PLAIN, |x, y| {
            let level = f32::from(photo(12)(x, y)[1]) / 255.0;
            [(40.0, 215.0), (20.0, 220.0), (0.0, 200.0)].map(|(low, more)| (low + more * level) as u8)
        });
        let seen = standings(&[&original, &sepia]);
        assert!(seen[0] > seen[1] && seen[1].colored, "{seen:?}");
        let seen = standings(&[&sepia, &sepia]);
        assert_eq!(seen[0], seen[1], "where all are, it says nothing");
    }

    #[test]
    fn a_drawing_of_few_colors_is_not_a_reduction_of_its_jpeg() {
        let drawing = |x: usize, y: usize| {
            if (x / 20 + y / 30).is_multiple_of(2) { [250, 240, 20] } else { [10, 20, 90] }
        };
        // Saving adds colors beside the edges.
        let saved = move |x: usize, y: usize| {
            let ringing = if x % 20 < 4 { ((x * 7 + y * 3) % 9) as u8 } else { 0 };
            drawing(x, y).map(|level: u8| level - level.min(ringing))
        };
        let seen = standings(&[&examined(PLAIN, drawing), &examined(PLAIN, saved)]);
        assert_eq!(seen[0].full, seen[1].full, "{seen:?}");
    }

    #[test]
    fn what_was_not_seen_has_nothing() {
        let original = examined(PLAIN, photo(8));
        let seen = standings(&[&vec![0; EXAMINED], &Vec::new(), &original]);
        assert_eq!((seen[0], seen[1]), (Standing::default(), Standing::default()));
        assert!(seen[2] > seen[0]);
    }
}
