//! Two pixels in one cell: `▀` with the upper pixel as foreground and the lower one as background. Works in every
//! terminal with colors, in tmux, in mosh, and costs few bytes.

use super::{Encoded, PictureEncoder, Pixels};
use crate::theme::indexed;
use ratatui::buffer::Cell;
use ratatui::layout::Size;
use ratatui::style::Color;

/// Half-block cells, in 24 bits or in the 256 colors of xterm.
#[derive(Clone, Copy, Debug)]
pub struct HalfBlock {
    /// Use the 256 colors.
    pub indexed: bool,
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

    fn encode(&mut self, _slot: u32, pixels: &Pixels, cells: Size) -> Encoded {
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

    fn draft(&mut self, slot: u32, pixels: &Pixels, cells: Size) -> Encoded {
        // Neighbors then often are of one color, and a color is half as long.
        HalfBlock { indexed: true }.encode(slot, pixels, cells)
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
    fn equal_pixels_take_one_colour() {
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

    #[test]
    fn the_256_colours_stay_near() {
        let pixels = Pixels { width: 1, height: 2, rgb: vec![255, 0, 0, 128, 128, 128] };
        let encoded = HalfBlock { indexed: true }.encode(0, &pixels, Size::new(1, 1));
        assert_eq!((encoded.cells[0].fg, encoded.cells[0].bg), (Color::Indexed(196), Color::Indexed(244)));
    }
}
