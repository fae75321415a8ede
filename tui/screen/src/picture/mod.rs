//! Pictures for the terminal: pixels in, cells and bytes for graphics protocols out.

mod ascii;
mod graphic;
mod halfblock;
mod iterm;
pub mod kitty;
mod palette;
mod sixel;
mod worker;

pub use ascii::Ascii;
pub use graphic::{Geometry, Graphic, Payload, Protocol, Quality};
pub use halfblock::HalfBlock;
pub use worker::{EncodeJob, EncodeResult, Worker, encode};

use crate::theme::Depth;
use anyhow::{Result, bail};
use chaffinch_protocol::sample::SampleId;
use ratatui::buffer::Cell;
use ratatui::layout::Size;
use std::sync::Arc;

/// Pixels as the engine sends them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Three bytes a pixel.
    pub rgb: Vec<u8>,
}

/// A part of a picture, pixel by pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its middle, across and down, in shares of the picture: 0 to [`u16::MAX`].
    pub middle: (u16, u16),
    /// Pixels of the screen, across and down, for one of the picture.
    pub magnify: u8,
}

/// A picture is made for a sample and the cells it has to fit into: as a whole, or a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureKey {
    /// The sample.
    pub sample: SampleId,
    /// The cells.
    pub cells: Size,
    /// The part.
    pub part: Option<Part>,
}

impl From<(SampleId, Size)> for PictureKey {
    /// The whole picture.
    fn from((sample, cells): (SampleId, Size)) -> PictureKey {
        PictureKey { sample, cells, part: None }
    }
}

/// A picture encoded for the screen.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Encoded {
    /// Columns of cells.
    pub width: u16,
    /// Rows of cells.
    pub height: u16,
    /// The cells, row by row, drawn until there is something better.
    pub cells: Vec<Cell>,
    /// What a graphics protocol can show over the cells, the best one last.
    pub graphics: Vec<Arc<Graphic>>,
    /// The source for better ones, if there are any.
    pub source: Option<Arc<Pixels>>,
}

impl Encoded {
    /// How good the best of it is.
    pub fn quality(&self) -> Quality {
        self.graphics.last().map_or(Quality::Cells, |graphic| graphic.quality)
    }

    /// Bytes of memory it takes, about.
    pub fn weight(&self) -> usize {
        self.cells.len() * size_of::<Cell>()
            + self.graphics.iter().map(|graphic| graphic.payload.len()).sum::<usize>()
            + self.source.as_ref().map_or(0, |source| source.rgb.len())
    }
}

/// A method of drawing a picture with characters.
pub trait PictureEncoder: Send {
    /// Its name, as shown.
    fn name(&self) -> &'static str;
    /// Pixels of one cell, across and down, that it can use.
    fn cell_pixels(&self) -> (u32, u32);
    /// Turns pixels that fit into cells.
    fn encode(&mut self, slot: u32, pixels: &Pixels, cells: Size) -> Encoded;
    /// The same in fewer bytes, for the moment until the terminal has a better picture.
    fn draft(&mut self, slot: u32, pixels: &Pixels, cells: Size) -> Encoded {
        self.encode(slot, pixels, cells)
    }
}

/// The requested picture method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    /// As well as the terminal can.
    #[default]
    Auto,
    /// This protocol, whatever the terminal reports.
    Protocol(Protocol),
    /// With characters only, in as many colors as there are.
    Blocks,
    /// With characters in 24-bit colors.
    True,
    /// With characters in 256 colors.
    Indexed,
    /// With characters without colors.
    Ascii,
    /// Not at all.
    Off,
}

impl Wish {
    /// The wish of this name.
    ///
    /// # Errors
    /// For any other name.
    pub fn parse(name: &str) -> Result<Wish> {
        Ok(match name {
            "" | "auto" => Wish::Auto,
            "kitty" => Wish::Protocol(Protocol::Kitty),
            "iterm2" | "iterm" => Wish::Protocol(Protocol::Iterm),
            "sixel" => Wish::Protocol(Protocol::Sixel),
            "blocks" | "halfblock" | "half-blocks" => Wish::Blocks,
            "truecolor" | "truecolour" => Wish::True,
            "256" => Wish::Indexed,
            "ascii" => Wish::Ascii,
            "off" | "none" => Wish::Off,
            _ => bail!(
                "there is no picture method '{name}': use auto, kitty, iterm2, sixel, blocks, truecolor, \
                 256, ascii or off"
            ),
        })
    }

    /// The encoder for drawing pictures with characters, or none if pictures are off.
    pub fn characters(self, depth: Depth) -> Option<Box<dyn PictureEncoder>> {
        Some(match (self, depth) {
            (Wish::Off, _) => return None,
            (Wish::True, _) => Box::new(HalfBlock { indexed: false }),
            (Wish::Indexed, _) => Box::new(HalfBlock { indexed: true }),
            (Wish::Ascii, _) | (_, Depth::Mono) => Box::new(Ascii),
            (_, Depth::True) => Box::new(HalfBlock { indexed: false }),
            (_, Depth::Indexed) => Box::new(HalfBlock { indexed: true }),
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Something with edges, gradients and noise, as photos have.
    pub(crate) fn photo(width: u32, height: u32) -> Pixels {
        let pixel = |i: u32| {
            let (x, y) = (i % width, i / width);
            let mixed = i.wrapping_add(1).wrapping_mul(2_654_435_761);
            let noise = ((mixed ^ mixed >> 15).wrapping_mul(2_246_822_519) >> 27) as u8;
            let disc = (x * 2).abs_diff(width).pow(2) + (y * 2).abs_diff(height).pow(2) < height * height / 2;
            let base =
                if disc { [200, 120, 40] } else { [(x * 200 / width) as u8, (y * 220 / height) as u8, 90] };
            base.map(|channel: u8| channel + noise)
        };
        Pixels { width, height, rgb: (0..width * height).flat_map(pixel).collect() }
    }

    /// Root of the mean squared difference of two pictures.
    pub(crate) fn distance(a: &Pixels, b: &Pixels) -> f64 {
        assert_eq!((a.width, a.height), (b.width, b.height));
        let squares = a.rgb.iter().zip(&b.rgb).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
        (squares.sum::<f64>() / a.rgb.len() as f64).sqrt()
    }

    #[test]
    fn every_name_is_understood_and_no_other() {
        for name in ["auto", "kitty", "iterm2", "sixel", "blocks", "truecolor", "256", "ascii", "off", ""] {
            assert!(Wish::parse(name).is_ok(), "{name}");
        }
        assert!(Wish::parse("framebuffer").unwrap_err().to_string().contains("use auto, kitty"));
        assert!(Wish::Off.characters(Depth::True).is_none());
        assert_eq!(Wish::Auto.characters(Depth::Mono).unwrap().name(), "characters");
    }
}
