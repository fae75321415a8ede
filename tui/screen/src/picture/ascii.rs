//! Brightness as characters, for terminals without colors.

use super::{Encoded, PictureEncoder, Pixels};
use ratatui::buffer::Cell;
use ratatui::layout::Size;

const RAMP: &[u8] = b" .:-=+*#%@";

/// One character for two pixels, one above the other.
#[derive(Clone, Copy, Debug)]
pub struct Ascii;

impl PictureEncoder for Ascii {
    fn name(&self) -> &'static str {
        "characters"
    }

    fn cell_pixels(&self) -> (u32, u32) {
        (1, 2)
    }

    fn encode(&mut self, _slot: u32, pixels: &Pixels, cells: Size) -> Encoded {
        let width = pixels.width.min(u32::from(cells.width));
        let rows = pixels.height.min(u32::from(cells.height) * 2);
        let light = |x: u32, y: u32| -> Option<u32> {
            let start = (y as usize * pixels.width as usize + x as usize) * 3;
            let rgb = pixels.rgb.get(start..start + 3).filter(|_| y < rows)?;
            Some((u32::from(rgb[0]) * 299 + u32::from(rgb[1]) * 587 + u32::from(rgb[2]) * 114) / 1000)
        };
        let mut out = Vec::new();
        for y in 0..rows.div_ceil(2) {
            for x in 0..width {
                let upper = light(x, y * 2).unwrap_or(0);
                let mean = (upper + light(x, y * 2 + 1).unwrap_or(upper)) / 2;
                let mut cell = Cell::default();
                cell.set_char(char::from(RAMP[mean as usize * (RAMP.len() - 1) / 255]));
                out.push(cell);
            }
        }
        Encoded { width: width as u16, height: rows.div_ceil(2) as u16, cells: out, ..Encoded::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dark_is_empty_and_light_is_full() {
        let pixels =
            Pixels { width: 2, height: 2, rgb: vec![0, 0, 0, 255, 255, 255, 0, 0, 0, 255, 255, 255] };
        let encoded = Ascii.encode(0, &pixels, Size::new(4, 4));
        let text: String = encoded.cells.iter().map(Cell::symbol).collect();
        assert_eq!(text, " @");
    }
}
