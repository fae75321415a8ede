//! What the terminal is and can do, and how things look on it.

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
    /// Whether clicks and the wheel are taken.
    pub mouse: bool,
    /// Whether pictures are shown at all.
    pub pictures_on: bool,
    /// Pixels in one cell, across and down, that the chosen way of showing pictures can use.
    pub cell_pixels: (u32, u32),
    /// The graphics protocol, once it is known that there is one, and the pixels of one cell.
    pub target: Option<(Protocol, (u32, u32))>,
    /// Pictures that the terminal holds and cells can name.
    pub live: BTreeMap<u64, u8>,
    /// Bytes a second that pictures take on their way, once measured.
    pub link: Option<u32>,
    /// Cells to be drawn whether they changed or not, because a picture lies in them.
    pub refresh: Vec<Rect>,
}

impl Display {
    /// A terminal of which only the size is known.
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
    /// Greatest width and height in pixels worth asking for, for so many cells.
    pub fn pixels(&self, cells: Size) -> (u32, u32) {
        let (across, down) = self.display.target.map_or(self.display.cell_pixels, |(_, cell)| cell);
        (u32::from(cells.width) * across, u32::from(cells.height) * down)
    }
}
