//! Theme, keymap and other preferences of the interface.

use crate::keymap::Keymap;
use crate::model::{Arrangement, Model};
use crate::theme::Theme;
use std::path::PathBuf;

/// All user preferences for the screen.
#[derive(Clone, Debug)]
pub struct Looks {
    /// Looks.
    pub theme: Theme,
    /// Keys.
    pub keymap: Keymap,
    /// How the screen is divided.
    pub arrangement: Arrangement,
    /// Whether clicks and the wheel are captured.
    pub mouse: bool,
    /// The reviewer's own tags.
    pub tags: Vec<String>,
    /// What was skipped in files, each with its line.
    pub warnings: Vec<String>,
    /// The files that were read.
    pub files: Vec<PathBuf>,
}

impl Looks {
    /// Applies everything except theme and keymap to a model.
    pub fn furnish(&self, model: &mut Model) {
        model.display.arrangement = self.arrangement;
        model.display.mouse = self.mouse;
        model.review.tags.clone_from(&self.tags);
        for warning in &self.warnings {
            model.jobs.log.push_back(warning.clone());
        }
    }
}
