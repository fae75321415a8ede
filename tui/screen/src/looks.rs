//! How the interface looks and which keys it has.

use crate::keymap::Keymap;
use crate::model::{Arrangement, Model};
use crate::theme::Theme;
use std::path::PathBuf;

/// Everything a person chose about the screen.
#[derive(Clone, Debug)]
pub struct Looks {
    /// Looks.
    pub theme: Theme,
    /// Keys.
    pub keymap: Keymap,
    /// How the screen is divided.
    pub arrangement: Arrangement,
    /// Whether clicks and the wheel are taken.
    pub mouse: bool,
    /// The reviewer's own tags.
    pub tags: Vec<String>,
    /// What was passed over in files, each with its line.
    pub warnings: Vec<String>,
    /// The files that were read.
    pub files: Vec<PathBuf>,
}

impl Looks {
    /// Gives a model what belongs to it besides theme and keymap.
    pub fn furnish(&self, model: &mut Model) {
        model.display.arrangement = self.arrangement;
        model.display.mouse = self.mouse;
        model.review.tags.clone_from(&self.tags);
        for warning in &self.warnings {
            model.jobs.log.push_back(warning.clone());
        }
    }
}
