//! Pictures for the terminal: pixels in, cells (and later bytes for graphics protocols) out.

mod ascii;
mod halfblock;
mod worker;

pub use ascii::Ascii;
pub use halfblock::HalfBlock;
pub use worker::{EncodeJob, EncodeResult, Worker};

use crate::theme::Depth;
use anyhow::{Result, bail};
use ratatui::buffer::Cell;
use ratatui::layout::Size;

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

/// A picture made ready for the screen.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Encoded {
    /// Columns of cells.
    pub width: u16,
    /// Rows of cells.
    pub height: u16,
    /// The cells, row by row: what is drawn, or what holds the place of an uploaded picture.
    pub cells: Vec<Cell>,
    /// Bytes to send to the terminal once, before the cells are drawn. Empty where cells say everything.
    pub upload: Vec<u8>,
}

/// A way to show a picture in a terminal.
pub trait PictureEncoder: Send {
    /// Its name, as shown.
    fn name(&self) -> &'static str;
    /// Pixels of one cell, across and down, that it can use.
    fn cell_pixels(&self) -> (u32, u32);
    /// Turns pixels that fit into cells. `slot` tells places on the screen apart for encoders that upload.
    fn encode(&mut self, slot: u32, pixels: &Pixels, cells: Size) -> Encoded;
}

/// The encoder that was asked for: `auto`, `truecolor`, `256`, `ascii` or `off`.
///
/// # Errors
/// For any other name.
pub fn encoder(name: &str, depth: Depth) -> Result<Option<Box<dyn PictureEncoder>>> {
    Ok(match (name, depth) {
        ("" | "auto" | "halfblock" | "half-blocks", Depth::True) | ("truecolor", _) => {
            Some(Box::new(HalfBlock { indexed: false }))
        }
        ("" | "auto" | "halfblock" | "half-blocks", Depth::Indexed) | ("256", _) => {
            Some(Box::new(HalfBlock { indexed: true }))
        }
        ("" | "auto" | "halfblock" | "half-blocks", Depth::Mono) | ("ascii", _) => Some(Box::new(Ascii)),
        ("off" | "none", _) => None,
        _ => bail!("there is no way '{name}' to show pictures: use auto, truecolor, 256, ascii or off"),
    })
}
