//! The terminal: its size, its abilities and the theme.

use super::{Arrangement, Model};
use crate::picture::Protocol;
use crate::theme::{AUTO, Theme, is_light};
use ratatui::layout::{Rect, Size};
use std::collections::{BTreeMap, BTreeSet};

/// The terminal.
#[derive(Clone, Debug)]
pub struct Display {
    /// Its size in cells.
    pub size: Size,
    /// Looks.
    pub theme: Theme,
    /// The themes to choose from, by name, and which of them was asked for; `auto` is one that suits the background.
    pub themes: Vec<(String, Theme)>,
    /// The name of the theme that was asked for.
    pub theme_name: String,
    /// The color behind the terminal's text, once it has told.
    pub ground: Option<[u8; 3]>,
    /// How the screen is divided.
    pub arrangement: Arrangement,
    /// The command that opens a file, its words; empty for the system's own.
    pub open_with: Vec<String>,
    /// Whether clicks and the wheel are captured.
    pub mouse: bool,
    /// Whether pictures are shown at all.
    pub pictures_on: bool,
    /// Whether the parts of a picture that matter to detectors are marked in it.
    pub regions: bool,
    /// Whether pictures are lit where the model sees what they are said to show.
    pub relevance: bool,
    /// Width and height of a cell in pixels, as far as the picture method can use them.
    pub cell_pixels: (u32, u32),
    /// The graphics protocol, once one is detected, and the size of a cell in pixels.
    pub target: Option<(Protocol, (u32, u32))>,
    /// Pictures that the terminal holds and placeholder cells can refer to.
    pub live: BTreeMap<u64, u8>,
    /// Pictures that the terminal holds and shows over the cells, by key.
    pub held: BTreeSet<u64>,
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
            themes: Vec::new(),
            theme_name: String::new(),
            ground: None,
            arrangement: Arrangement::default(),
            open_with: Vec::new(),
            mouse: false,
            pictures_on: true,
            regions: true,
            relevance: false,
            cell_pixels: (1, 2),
            target: None,
            live: BTreeMap::new(),
            held: BTreeSet::new(),
            link: None,
            refresh: Vec::new(),
        }
    }

    /// Puts on the theme that was asked for, as it suits the background. One that was chosen brings its own where the
    /// terminal's is not known.
    pub fn dress(&mut self) {
        let name = match (self.theme_name.as_str(), self.ground) {
            (AUTO, Some(ground)) if is_light(ground) => "light",
            (AUTO, _) => "dark",
            (name, _) => name,
        };
        let Some((_, theme)) = self.themes.iter().find(|(known, _)| known == name) else { return };
        let theme = theme.clone();
        let unasked = self.theme_name == AUTO && self.ground.is_none();
        self.theme = if unasked { theme } else { theme.on(self.ground) };
    }
}

impl Model {
    /// Largest useful width and height in pixels for this many cells.
    pub fn pixels(&self, cells: Size) -> (u32, u32) {
        let (across, down) = self.display.target.map_or(self.display.cell_pixels, |(_, cell)| cell);
        (u32::from(cells.width) * across, u32::from(cells.height) * down)
    }
}
