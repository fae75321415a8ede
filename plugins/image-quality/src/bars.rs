//! Bars of one color at the edges of a picture: what a decoder filled in for data that is missing, letterboxes, and frames.

use crate::frame::frame;

/// What lies at the edges.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Bars {
    /// Share of the picture at its bottom that a decoder filled in.
    pub(crate) cut: f32,
    /// Share of the picture that is bars of one color, but for that.
    pub(crate) bars: f32,
}

/// Levels by which the pixels of a bar may differ from its first one.
const ALIKE: u8 = 6;
/// Levels by which pixels beside a bar differ from it, and the share of them that do: the edge of a bar is straight, that of
/// a thing before an even ground is not.
const APART: u8 = 20;
const SHARE: f64 = 0.5;
/// The same between the sides of a frame, and the least pixels of a picture in one.
const FRAMED_SHARE: f64 = 0.8;
const FRAMED: usize = 16;
/// Lines beside a bar within which its edge lies: compression smears it by up to a block, scaling mixes it with the next
/// line, and the last row of blocks of a cut file may be there in part.
const SMEAR: usize = 8;
const MIXED: usize = 2;
const LAST_BLOCKS: usize = 17;
/// The share of pixels apart from a bar in a line that is smeared and still of it, and the levels that the line differs by on average.
const STRAY: f64 = 0.02;
const UNEVEN: f64 = 10.0;
/// What JPEG decoders fill in: the middle of the range in all channels.
const FILL: u8 = 128;
const FILL_ALIKE: u8 = 4;

/// Looks at the edges of a picture of `width * height` pixels.
pub(crate) fn bars(rgb: &[u8], width: usize, height: usize) -> Bars {
    let pixels = rgb.as_chunks::<3>().0;
    if width == 0 || height == 0 || pixels.len() < width * height {
        return Bars::default();
    }
    let seen = sides_of(pixels, width, height);
    // What a decoder filled in is not a side of a frame.
    let framed = if seen.cut > 0.0 { 0.0 } else { frame(pixels, width, height) };
    Bars { bars: seen.bars.max(framed), ..seen }
}

/// The sides one by one, each strictly of one color.
fn sides_of(pixels: &[[u8; 3]], width: usize, height: usize) -> Bars {
    let row = |y: usize| (y * width, 1, width);
    let [mut top, mut bottom] = sides(pixels, height, &row).map(|side| side.bar(SHARE));
    let lines = |bar: Option<Bar>| bar.map_or(0, |bar| bar.lines);
    // Of one color, or of two that are almost alike.
    if lines(top) + lines(bottom) >= height {
        return Bars::default();
    }
    // Columns between the bars above and below.
    let (from, to) = (lines(top), height - lines(bottom));
    let column = |x: usize| (from * width + x, width, to - from);
    let share = needed(height, to - from, top.is_some() && bottom.is_some());
    let [left, right] = sides(pixels, width, &column).map(|side| side.bar(share));
    if lines(left) + lines(right) >= width {
        return Bars::default();
    }
    let within = width - lines(left) - lines(right);
    let inner = |y: usize| (y * width + lines(left), 1, within);
    let share = needed(width, within, left.is_some() && right.is_some());
    for (bar, framed) in [&mut top, &mut bottom].into_iter().zip(sides(pixels, height, &inner)) {
        // Between no other sides, it is the same edge.
        if let Some(bar) = bar.as_mut().filter(|bar| !bar.straight && within < width) {
            bar.straight = framed.bar(share).is_some_and(|framed| framed.straight);
        }
    }
    let share = |bar: Option<Bar>, length: usize| match bar {
        Some(bar) if bar.straight => (bar.lines * length) as f64 / (width * height) as f64,
        _ => 0.0,
    };
    let filled = bottom.is_some_and(|bar| bar.filled);
    let below = share(bottom, width);
    let others = share(top, width) + share(left, to - from) + share(right, to - from);
    Bars {
        cut: if filled { below as f32 } else { 0.0 },
        bars: if filled { others } else { others + below } as f32,
    }
}

/// The share of `within` pixels of a side of `whole` ones that must be apart. A frame meets its picture between its other sides
/// only; so does the ground of a thing, whose edge is less straight.
fn needed(whole: usize, within: usize, framed: bool) -> f64 {
    let of_whole = SHARE * whole as f64 / within as f64;
    if framed && within >= FRAMED { of_whole.min(FRAMED_SHARE) } else { of_whole }
}

/// A run of lines of one color.
#[derive(Clone, Copy)]
struct Bar {
    lines: usize,
    /// Whether it has a straight edge.
    straight: bool,
    /// Whether it has the color that decoders fill in.
    filled: bool,
}

/// One edge of a picture.
struct Side<'a> {
    pixels: &'a [[u8; 3]],
    lines: usize,
    /// Whether the lines are counted from the end.
    end: bool,
    /// Where a line begins, the step from one of its pixels to the next, and how many it has.
    line: &'a dyn Fn(usize) -> (usize, usize, usize),
}

/// Both edges across these lines.
fn sides<'a>(
    pixels: &'a [[u8; 3]],
    lines: usize,
    line: &'a dyn Fn(usize) -> (usize, usize, usize),
) -> [Side<'a>; 2] {
    [false, true].map(|end| Side { pixels, lines, end, line })
}

impl Side<'_> {
    fn line(&self, nth: usize) -> impl Iterator<Item = &[u8; 3]> {
        let (start, step, count) = (self.line)(if self.end { self.lines - 1 - nth } else { nth });
        self.pixels[start..].iter().step_by(step).take(count)
    }

    fn bar(&self, share: f64) -> Option<Bar> {
        let color = *self.line(0).next()?;
        let far = |pixel: &[u8; 3]| pixel.iter().zip(color).map(|(&a, b)| a.abs_diff(b)).max().unwrap_or(0);
        let is_bar = |nth: &usize| self.line(*nth).all(|pixel| far(pixel) <= ALIKE);
        let lines = (0..self.lines).take_while(is_bar).count();
        if lines == 0 {
            return None;
        }
        let filled = color.iter().all(|level| level.abs_diff(FILL) <= FILL_ALIKE);
        let apart = |nth: usize| {
            let (apart, count) = self.line(nth).fold((0_usize, 0_usize), |(apart, count), pixel| {
                (apart + usize::from(far(pixel) > APART), count + 1)
            });
            apart as f64 / count as f64
        };
        let beside = |smear: usize| lines..self.lines.min(lines + smear);
        let straight = if filled {
            beside(LAST_BLOCKS).any(|nth| apart(nth) >= share)
        } else {
            let first = beside(SMEAR).find(|nth| apart(*nth) > 0.0);
            first.is_some_and(|first| (first..self.lines).take(MIXED).any(|nth| apart(nth) >= share))
        };
        // Beside its edge, JPEG leaves a bar uneven.
        let smeared = |nth: &usize| {
            let (sum, count) = self
                .line(*nth)
                .fold((0, 0_u32), |(sum, count), pixel| (sum + u32::from(far(pixel)), count + 1));
            apart(*nth) <= STRAY && f64::from(sum) <= UNEVEN * f64::from(count)
        };
        let more = if straight && !filled { beside(SMEAR).take_while(smeared).count() } else { 0 };
        Some(Bar { lines: lines + more, straight, filled })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(width: usize, height: usize, color: impl Fn(usize, usize) -> [u8; 3]) -> Bars {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let rgb: Vec<u8> = pixels.flat_map(|(x, y)| color(x, y)).collect();
        bars(&rgb, width, height)
    }

    fn lively(x: usize, y: usize) -> [u8; 3] {
        [40 + (x * 7 + y * 3) % 180, 30 + (x * 5 + y * 11) % 200, (x * y) % 255].map(|level| level as u8)
    }

    #[test]
    fn a_letterbox_is_two_bars() {
        let seen = made(100, 80, |x, y| if (10..70).contains(&y) { lively(x, y) } else { [0, 2, 1] });
        assert_eq!(seen, Bars { cut: 0.0, bars: 0.25 });
        let turned = made(80, 100, |x, y| if (10..70).contains(&x) { lively(x, y) } else { [255; 3] });
        assert_eq!(turned, Bars { cut: 0.0, bars: 0.25 });
        let framed = made(100, 100, |x, y| {
            if (10..90).contains(&y) && (10..90).contains(&x) { lively(x, y) } else { [90, 10, 10] }
        });
        assert!((framed.bars - 0.36).abs() < 1e-6, "{framed:?}");
        // However little of it the picture is.
        for inside in [10..90, 30..70, 42..58] {
            let framed = made(100, 100, |x, y| {
                if inside.contains(&y) && inside.contains(&x) { lively(x, y) } else { [0; 3] }
            });
            let bars = 1.0 - (inside.len() as f32 / 100.0).powi(2);
            assert!((framed.bars - bars).abs() < 1e-6, "{inside:?}: {framed:?}");
        }
    }

    #[test]
    fn a_letterbox_ends_at_its_edge_however_jpeg_rings_there() {
        let seen = made(96, 96, |x, y| {
            let out = 20_usize.saturating_sub(y).max((y + 21).saturating_sub(96));
            match out {
                0 => lively(x, y).map(|level| level.max(60)),
                1..=4 => [((x * 13 + y * 7) % 15) as u8; 3],
                _ => [1; 3],
            }
        });
        assert!((seen.bars - 40.0 / 96.0).abs() < 1e-6, "{seen:?}");
    }

    #[test]
    fn the_fill_of_a_decoder_at_the_bottom_is_a_cut() {
        let seen =
            made(64, 64, |x, y| if y < 40 || y < 48 && x < 30 { lively(x, y) } else { [128, 127, 129] });
        assert_eq!(seen, Bars { cut: 0.25, bars: 0.0 });
        let at_the_top = made(64, 64, |x, y| if y >= 16 { lively(x, y) } else { [128; 3] });
        assert_eq!(at_the_top, Bars { cut: 0.0, bars: 0.25 });
    }

    #[test]
    fn a_thing_before_an_even_ground_has_no_bars() {
        let round = |x: usize, y: usize| (x as f64 - 50.0).powi(2) + (y as f64 - 50.0).powi(2) < 30.0 * 30.0;
        let seen = made(100, 100, |x, y| if round(x, y) { lively(x, y) } else { [255; 3] });
        assert_eq!(seen, Bars::default());
        for radius in [9.0_f64, 12.0, 20.0, 40.0] {
            let thing = |x: usize, y: usize| (x as f64 - 50.0).hypot(y as f64 - 50.0) < radius;
            let seen = made(100, 100, |x, y| if thing(x, y) { lively(x, y) } else { [255; 3] });
            assert_eq!(seen, Bars::default(), "{radius}");
        }
        let sky = made(100, 100, |x, y| {
            if y < 30 { [90, 140, 230] } else { lively(x, y).map(|v| v / 20 + (90 + y) as u8) }
        });
        assert!(sky.bars <= 0.3, "a straight horizon may be a bar: {sky:?}");
    }

    #[test]
    fn one_color_alone_is_no_bar() {
        for (width, height) in [(0, 0), (1, 1), (5, 1), (1, 7), (30, 20)] {
            assert_eq!(made(width, height, |_, _| [128; 3]), Bars::default(), "{width} x {height}");
            assert!(made(width, height, lively).cut == 0.0);
        }
    }
}
