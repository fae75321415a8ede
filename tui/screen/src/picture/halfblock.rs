//! Two pixels in one cell: `▀` with the upper pixel as foreground and the lower one as background. Works in every
//! terminal with colors, in tmux, in mosh, and costs few bytes.

use super::{Encoded, PictureEncoder, Pixels};
use crate::theme::{channels, indexed};
use ratatui::buffer::Cell;
use ratatui::layout::Size;
use ratatui::style::Color;

/// Half-block cells, in 24 bits or in the 256 colors of xterm.
#[derive(Clone, Copy, Debug)]
pub struct HalfBlock {
    /// Use the 256 colors.
    pub indexed: bool,
}

/// How much of the error of a pixel goes on: to the next one, and to the one below the last, below itself and below the
/// next (Floyd and Steinberg 1976), in sixteenths.
const SHARES: [(isize, usize, i32); 4] = [(1, 0, 7), (-1, 1, 3), (0, 1, 5), (1, 1, 1)];
/// The largest error that goes on: more would smear the edges of what no color comes near to.
const MOST: i32 = 48;

/// The pixels in colors that are among xterm's 256, so that areas of them have the color of the picture on average.
fn diffused(pixels: &Pixels, width: usize, rows: usize) -> Vec<u8> {
    let stride = pixels.width as usize * 3;
    let mut out = pixels.rgb.clone();
    if out.len() < rows * stride {
        return out;
    }
    let mut errors = vec![[0_i32; 3]; width * 2];
    for y in 0..rows {
        // To and fro, so that no pattern runs to one side.
        let forward = y % 2 == 0;
        let (now, next) = errors.split_at_mut(width);
        for step in 0..width {
            let x = if forward { step } else { width - 1 - step };
            let at = y * stride + x * 3;
            let wanted: [i32; 3] =
                std::array::from_fn(|c| (i32::from(out[at + c]) + now[x][c] / 16).clamp(0, 255));
            let [r, g, b] = wanted.map(|channel| channel as u8);
            let given = channels(Color::Indexed(indexed(r, g, b))).unwrap_or([r, g, b]);
            out[at..at + 3].copy_from_slice(&given);
            let error: [i32; 3] =
                std::array::from_fn(|c| (wanted[c] - i32::from(given[c])).clamp(-MOST, MOST));
            for (along, below, share) in SHARES {
                let along = if forward { along } else { -along };
                let Some(place) = x.checked_add_signed(along).filter(|place| *place < width) else {
                    continue;
                };
                let row = if below == 0 { &mut *now } else { &mut *next };
                (0..3).for_each(|c| row[place][c] += error[c] * share);
            }
        }
        now.copy_from_slice(next);
        next.fill([0; 3]);
    }
    out
}

impl HalfBlock {
    fn color(self, rgb: [u8; 3]) -> Color {
        let [r, g, b] = rgb;
        if self.indexed { Color::Indexed(indexed(r, g, b)) } else { Color::Rgb(r, g, b) }
    }
}

impl PictureEncoder for HalfBlock {
    fn name(&self) -> &'static str {
        if self.indexed { "half blocks, 256 colors" } else { "half blocks" }
    }

    fn cell_pixels(&self) -> (u32, u32) {
        (1, 2)
    }

    fn encode(&mut self, slot: u32, pixels: &Pixels, cells: Size) -> Encoded {
        if !self.indexed {
            return self.cells(slot, pixels, cells);
        }
        let width = (pixels.width.min(u32::from(cells.width))) as usize;
        let rows = (pixels.height.min(u32::from(cells.height) * 2)) as usize;
        let rgb = diffused(pixels, width, rows);
        self.cells(slot, &Pixels { rgb, ..*pixels }, cells)
    }

    fn draft(&mut self, slot: u32, pixels: &Pixels, cells: Size) -> Encoded {
        // Without diffusion neighbors then often are of one color, and a color is half as long.
        HalfBlock { indexed: true }.cells(slot, pixels, cells)
    }
}

impl HalfBlock {
    /// The cells with the nearest colors.
    fn cells(self, _slot: u32, pixels: &Pixels, cells: Size) -> Encoded {
        let width = (pixels.width.min(u32::from(cells.width))) as usize;
        let rows = (pixels.height.min(u32::from(cells.height) * 2)) as usize;
        let at = |x: usize, y: usize| -> Option<[u8; 3]> {
            if y >= rows {
                return None;
            }
            let start = (y * pixels.width as usize + x) * 3;
            pixels.rgb.get(start..start + 3).and_then(|rgb| rgb.try_into().ok())
        };
        let height = rows.div_ceil(2);
        let mut out = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                let mut cell = Cell::default();
                match (at(x, y * 2).map(|c| self.color(c)), at(x, y * 2 + 1).map(|c| self.color(c))) {
                    (Some(upper), Some(lower)) if upper == lower => {
                        // One color costs half the bytes of two.
                        cell.set_symbol(" ").set_bg(lower);
                    }
                    (Some(upper), Some(lower)) => {
                        cell.set_symbol("▀").set_fg(upper).set_bg(lower);
                    }
                    (Some(upper), None) => {
                        cell.set_symbol("▀").set_fg(upper);
                    }
                    (None, _) => {}
                }
                out.push(cell);
            }
        }
        Encoded { width: width as u16, height: height as u16, cells: out, ..Encoded::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads pixels back out of cells.
    fn decode(encoded: &Encoded) -> Vec<Vec<Option<Color>>> {
        let mut rows = Vec::new();
        for row in encoded.cells.chunks(encoded.width as usize) {
            rows.push(row.iter().map(|c| Some(if c.symbol() == "▀" { c.fg } else { c.bg })).collect());
            rows.push(row.iter().map(|c| (c.bg != Color::Reset).then_some(c.bg)).collect());
        }
        rows
    }

    fn gradient(width: u32, height: u32) -> Pixels {
        let pixel = |i: u32| [(i % 251) as u8, (i * 7 % 256) as u8, (i / width * 40 % 256) as u8];
        Pixels { width, height, rgb: (0..width * height).flat_map(pixel).collect() }
    }

    #[test]
    fn cells_decode_to_the_same_pixels() {
        for (width, height) in [(7, 6), (5, 9), (1, 1), (40, 20)] {
            let pixels = gradient(width, height);
            let encoded = HalfBlock { indexed: false }.encode(0, &pixels, Size::new(40, 10));
            assert_eq!((u32::from(encoded.width), u32::from(encoded.height)), (width, height.div_ceil(2)));
            let rows = decode(&encoded);
            let got: Vec<Option<Color>> = rows[..height as usize].concat();
            let sent = pixels.rgb.chunks(3).map(|c| Some(Color::Rgb(c[0], c[1], c[2])));
            assert_eq!(got, sent.collect::<Vec<_>>(), "{width}x{height}");
            if height % 2 == 1 {
                assert!(rows[height as usize].iter().all(Option::is_none), "nothing below the last row");
            }
        }
    }

    #[test]
    fn equal_pixels_take_one_color() {
        let pixels = Pixels { width: 1, height: 2, rgb: vec![9, 8, 7, 9, 8, 7] };
        let encoded = HalfBlock { indexed: false }.encode(0, &pixels, Size::new(1, 1));
        assert_eq!(encoded.cells[0].symbol(), " ");
        assert_eq!(encoded.cells[0].bg, Color::Rgb(9, 8, 7));
    }

    #[test]
    fn a_picture_that_is_too_large_or_cut_short_does_no_harm() {
        let mut pixels = gradient(50, 50);
        let encoded = HalfBlock { indexed: true }.encode(0, &pixels, Size::new(10, 5));
        assert_eq!((encoded.width, encoded.height, encoded.cells.len()), (10, 5, 50));
        pixels.rgb.truncate(100);
        HalfBlock { indexed: true }.encode(0, &pixels, Size::new(10, 5));
        let nothing = Pixels { width: 0, height: 0, rgb: Vec::new() };
        assert!(HalfBlock { indexed: true }.encode(0, &nothing, Size::new(10, 5)).cells.is_empty());
    }

    /// The mean difference of a picture and its cells, both blurred over squares.
    fn blurred_error(pixels: &Pixels, encoded: &Encoded) -> f64 {
        let shown: Vec<[u8; 3]> =
            decode(encoded).concat().into_iter().map(|c| channels(c.unwrap()).unwrap()).collect();
        let sent: Vec<&[u8]> = pixels.rgb.chunks(3).collect();
        let (width, side) = (pixels.width as usize, 5);
        let (mut sum, mut count) = (0.0, 0.0);
        for y in (0..pixels.height as usize - side).step_by(side) {
            for x in (0..width - side).step_by(side) {
                for c in 0..3 {
                    let places = (0..side * side).map(|n| (y + n / side) * width + x + n % side);
                    let difference: f64 =
                        places.map(|at| f64::from(shown[at][c]) - f64::from(sent[at][c])).sum();
                    sum += (difference / (side * side) as f64).abs();
                    count += 1.0;
                }
            }
        }
        sum / count
    }

    #[test]
    fn areas_keep_their_color_in_256_colors() {
        let pixels = crate::picture::tests::photo(60, 40);
        let cells = Size::new(60, 20);
        let nearest = HalfBlock { indexed: true }.draft(0, &pixels, cells);
        let diffused = HalfBlock { indexed: true }.encode(0, &pixels, cells);
        let (nearest, diffused) = (blurred_error(&pixels, &nearest), blurred_error(&pixels, &diffused));
        assert!(diffused * 2.0 < nearest, "{diffused:.2} with diffusion, {nearest:.2} without");
    }

    #[test]
    fn the_256_colors_stay_near() {
        let pixels = Pixels { width: 1, height: 2, rgb: vec![255, 0, 0, 128, 128, 128] };
        let encoded = HalfBlock { indexed: true }.encode(0, &pixels, Size::new(1, 1));
        assert_eq!((encoded.cells[0].fg, encoded.cells[0].bg), (Color::Indexed(196), Color::Indexed(244)));
    }
}
