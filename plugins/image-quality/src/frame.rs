//! A frame of one color around a picture, by all of its sides together.
//!
//! A bar alone is strictly of one color, or skies and walls would be bars. Four sides of one color say more, so that each may be as
//! uneven as a JPEG leaves it: beside an edge its blocks ring, and saturated colors vary everywhere.

/// Levels from which on a pixel is apart from the frame, and the share of such pixels that a line of it may have.
const APART: u8 = 24;
const STRAY: f64 = 0.02;
/// Levels by which a line of it differs on average.
const UNEVEN: f64 = 10.0;
/// Shares of the picture's pixels beside a side that are apart from it: where its edge is sure, and where it is likely. The
/// edge of a thing before an even ground is less straight.
const SURE: f64 = 0.8;
const LIKELY: f64 = 0.5;
/// Lines within which the edge lies: scaling mixes it with the next one.
const MIXED: usize = 2;
/// Lines by which the widths of two sides differ if the frame is as wide all around.
const SAME_WIDTH: usize = 2;
/// The least pixels of a picture in a frame.
const FRAMED: usize = 16;

/// Columns that are looked at together.
const COLUMNS: usize = 64;

/// One side of a picture.
#[derive(Clone, Copy)]
struct Side {
    /// Whether its lines are rows.
    rows: bool,
    /// Whether they are counted from the end.
    end: bool,
}

const TOP: Side = Side { rows: true, end: false };
const BOTTOM: Side = Side { rows: true, end: true };
const LEFT: Side = Side { rows: false, end: false };
const RIGHT: Side = Side { rows: false, end: true };
const SIDES: [Side; 4] = [TOP, BOTTOM, LEFT, RIGHT];

struct Framed<'a> {
    pixels: &'a [[u8; 3]],
    width: usize,
    height: usize,
    color: [u8; 3],
}

/// The share of a picture of `width * height` pixels that is a frame around the rest; 0 if there is none.
pub(crate) fn frame(pixels: &[[u8; 3]], width: usize, height: usize) -> f32 {
    if width <= FRAMED || height <= FRAMED || pixels.len() < width * height {
        return 0.0;
    }
    let framed = Framed { pixels, width, height, color: border(pixels, width, height) };
    let rows = [TOP, BOTTOM].map(|side| framed.lines(side));
    // Columns are looked at only where rows leave something: most pictures have no frame, and large ones of one color are all frame.
    if rows.contains(&0) || height.saturating_sub(rows[0] + rows[1]) < FRAMED {
        return 0.0;
    }
    let columns = [LEFT, RIGHT].map(|side| framed.lines(side));
    if columns.contains(&0) || width.saturating_sub(columns[0] + columns[1]) < FRAMED {
        return 0.0;
    }
    let mut lines = [rows[0], rows[1], columns[0], columns[1]];
    let edges: [f64; 4] = std::array::from_fn(|side| framed.edge(SIDES[side], lines, side));
    if edges.iter().all(|edge| *edge < SURE) {
        return 0.0;
    }
    if edges.iter().any(|edge| *edge < LIKELY) {
        // What is dark beside a black frame looks like more of it: as wide as where the edge is seen, if that is one width.
        let seen = |side: &usize| edges[*side] >= LIKELY;
        let mut widths: Vec<usize> = (0..4).filter(seen).map(|side| lines[side]).collect();
        widths.sort_unstable();
        let alike =
            widths.windows(2).filter(|pair| pair[1] - pair[0] <= SAME_WIDTH).map(|pair| pair[1]).max();
        let Some(width) = alike else { return 0.0 };
        (0..4).filter(|side| !seen(side)).for_each(|side| lines[side] = lines[side].min(width));
    }
    let [top, bottom, left, right] = lines;
    let inside = (height - top - bottom) * (width - left - right);
    1.0 - (inside as f64 / (width * height) as f64) as f32
}

/// The middle of the colors at the border, channel by channel.
fn border(pixels: &[[u8; 3]], width: usize, height: usize) -> [u8; 3] {
    let mut counts = [[0_usize; 256]; 3];
    let mut add =
        |pixel: &[u8; 3]| (0..3).for_each(|channel| counts[channel][usize::from(pixel[channel])] += 1);
    pixels[..width].iter().chain(&pixels[(height - 1) * width..height * width]).for_each(&mut add);
    (0..height).for_each(|y| {
        add(&pixels[y * width]);
        add(&pixels[(y + 1) * width - 1]);
    });
    let half = (width + height) as f64;
    counts.map(|counts| {
        let mut before = 0;
        let is_middle = |count: &usize| {
            before += count;
            before as f64 >= half
        };
        counts.iter().position(is_middle).unwrap_or(0) as u8
    })
}

impl Framed<'_> {
    fn far(&self, pixel: &[u8; 3]) -> u8 {
        pixel.iter().zip(self.color).map(|(&a, b)| a.abs_diff(b)).max().unwrap_or(0)
    }

    /// How many lines a side of the picture has.
    fn depth(&self, side: Side) -> usize {
        if side.rows { self.height } else { self.width }
    }

    /// The pixels of one line of a side, in a part of it.
    fn line(&self, side: Side, nth: usize, part: std::ops::Range<usize>) -> impl Iterator<Item = &[u8; 3]> {
        let nth = if side.end { self.depth(side) - 1 - nth } else { nth };
        let at = move |along: usize| {
            if side.rows { nth * self.width + along } else { along * self.width + nth }
        };
        part.map(move |along| &self.pixels[at(along)])
    }

    /// How many lines of a side are of the frame's color.
    fn lines(&self, side: Side) -> usize {
        let (depth, length) = (self.depth(side), self.depth(Side { rows: !side.rows, ..side }));
        // Columns several at a time, as they lie side by side in memory.
        let block = if side.rows { 1 } else { COLUMNS };
        let mut lines = 0;
        while lines < depth {
            let all = (lines + block).min(depth) - lines;
            let first = if side.end { depth - lines - all } else { lines };
            let (mut apart, mut sum) = ([0_usize; COLUMNS], [0_usize; COLUMNS]);
            let mut add = |at: usize, pixel: &[u8; 3]| {
                let far = self.far(pixel);
                apart[at] += usize::from(far > APART);
                sum[at] += usize::from(far);
            };
            if side.rows {
                self.line(TOP, first, 0..length).for_each(|pixel| add(0, pixel));
            } else {
                for row in self.pixels.chunks_exact(self.width).take(length) {
                    row[first..first + all].iter().enumerate().for_each(|(at, pixel)| add(at, pixel));
                }
            }
            let is_of_frame = |nth: &usize| {
                let at = if side.end { all - 1 - nth } else { *nth };
                apart[at] as f64 <= STRAY * length as f64 && sum[at] as f64 <= UNEVEN * length as f64
            };
            let own = (0..all).take_while(is_of_frame).count();
            lines += own;
            if own < all {
                break;
            }
        }
        lines
    }

    /// The share of the picture's pixels beside a side that are apart from it.
    fn edge(&self, side: Side, [top, bottom, left, right]: [usize; 4], place: usize) -> f64 {
        let (part, first) = match side.rows {
            true => (left..self.width - right, [top, bottom][place % 2]),
            false => (top..self.height - bottom, [left, right][place % 2]),
        };
        let apart = |nth: usize| {
            let apart = self.line(side, nth, part.clone()).filter(|pixel| self.far(pixel) > APART).count();
            apart as f64 / part.len() as f64
        };
        (first..first + MIXED).map(apart).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(side: usize, color: impl Fn(usize, usize) -> [u8; 3]) -> f32 {
        let pixels: Vec<[u8; 3]> = (0..side * side).map(|at| color(at % side, at / side)).collect();
        frame(&pixels, side, side)
    }

    fn lively(x: usize, y: usize) -> [u8; 3] {
        [40 + (x * 7 + y * 3) % 180, 30 + (x * 5 + y * 11) % 200, (x * y) % 255].map(|level| level as u8)
    }

    /// What JPEG leaves of an even color: noise everywhere, ringing in the blocks beside the edge, and a few odd pixels.
    fn uneven(color: [u8; 3], x: usize, y: usize, to_edge: usize) -> [u8; 3] {
        let noise = (x * 31 + y * 17 + x * y) % 9 + if to_edge < 12 { (x * 13 + y * 7) % 12 } else { 0 };
        let stray = if (x * 7 + y * 53).is_multiple_of(190) { 60 } else { 0 };
        color.map(|level| level.saturating_add((noise + stray) as u8).min(250))
    }

    #[test]
    fn the_width_of_a_frame_is_told_whatever_jpeg_left_of_its_color() {
        for (color, wide) in [([240; 3], 60), ([0; 3], 30), ([128, 64, 32], 10), ([200, 10, 10], 3)] {
            let side = 200 + 2 * wide;
            let share = 1.0 - (200.0 / side as f32).powi(2);
            let inside = wide..side - wide;
            let seen = made(side, |x, y| {
                if inside.contains(&x) && inside.contains(&y) {
                    return lively(x, y);
                }
                let out = |at: usize| wide.saturating_sub(at).max((at + wide + 1).saturating_sub(side));
                uneven(color, x, y, out(x).max(out(y)))
            });
            assert!((seen - share).abs() < 0.02, "{color:?}, {wide}: {seen} and not {share}");
        }
    }

    #[test]
    fn what_is_dark_beside_a_black_frame_is_no_more_of_it() {
        let inside = 20..180;
        let seen = made(200, |x, y| match inside.contains(&x) && inside.contains(&y) {
            true if y < 40 + x / 3 => [(x % 5) as u8; 3],
            true => lively(x, y),
            false => [1; 3],
        });
        assert!((seen - 0.36).abs() < 0.01, "{seen}");
    }

    #[test]
    fn things_before_an_even_ground_and_plain_pictures_have_no_frame() {
        for radius in [9.0_f64, 12.0, 20.0, 40.0, 45.0] {
            let thing = |x: usize, y: usize| (x as f64 - 50.0).hypot(y as f64 - 50.0) < radius;
            let seen = made(100, |x, y| if thing(x, y) { lively(x, y) } else { uneven([240; 3], x, y, 50) });
            assert_eq!(seen, 0.0, "{radius}");
        }
        assert_eq!(made(100, lively), 0.0);
        assert_eq!(made(100, |x, y| uneven([90; 3], x, y, 50)), 0.0, "one color alone");
        // A letterbox has two sides only, and is found as bars.
        assert_eq!(made(100, |x, y| if (10..90).contains(&y) { lively(x, y) } else { [0; 3] }), 0.0);
        let corner = |x: usize, y: usize| if x + y < 100 { [200; 3] } else { lively(x, y) };
        assert_eq!(made(100, corner), 0.0);
        for (width, height) in [(0, 0), (1, 1), (17, 1), (17, 17), (40, 18)] {
            assert_eq!(frame(&vec![[7; 3]; width * height], width, height), 0.0, "{width} x {height}");
        }
    }
}
