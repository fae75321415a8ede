//! The terminal: its size, its abilities and the theme.

use super::{Arrangement, Model};
use crate::picture::Protocol;
use crate::theme::Theme;
use ratatui::layout::{Rect, Size};
use std::collections::BTreeMap;

/// The terminal.
#[derive(Clone, Debug)]
pub struct Display {
    /// Its size in cells.
    pub size: Size,
    /// Looks.
    pub theme: Theme,
    /// How the screen is divided.
    pub arrangement: Arrangement,
    /// Whether clicks and the wheel are captured.
    pub mouse: bool,
    /// Whether pictures are shown at all.
    pub pictures_on: bool,
    /// Width and height of a cell in pixels, as far as the picture method can use them.
    pub cell_pixels: (u32, u32),
    /// The graphics protocol, once one is detected, and the size of a cell in pixels.
    pub target: Option<(Protocol, (u32, u32))>,
    /// Pictures that the terminal holds and placeholder cells can refer to.
    pub live: BTreeMap<u64, u8>,
    /// Measured transfer rate of pictures in bytes per second.
    pub link: Option<u32>,
    /// Cells to redraw even if unchanged, because they contain a picture.
    pub refresh: Vec<Rect>,
}

impl Display {
    /// A terminal with only its size known.
    pub fn new(theme: Theme, size: Size) -> Display {
        Display {
            size,
            theme,
            arrangement: Arrangement::default(),
            mouse: false,
            pictures_on: true,
            cell_pixels: (1, 2),
            target: None,
            live: BTreeMap::new(),
            link: None,
            refresh: Vec::new(),
        }
    }
}

impl Model {
    /// Largest useful width and height in pixels for this many cells.
    pub fn pixels(&self, cells: Size) -> (u32, u32) {
        let (across, down) = self.display.target.map_or(self.display.cell_pixels, |(_, cell)| cell);
        (u32::from(cells.width) * across, u32::from(cells.height) * down)
    }
}
