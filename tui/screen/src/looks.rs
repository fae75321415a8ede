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
    /// The themes to choose from, by name.
    pub themes: Vec<(String, Theme)>,
    /// The name of the one that is asked for: of one of them, or `auto`.
    pub theme_name: String,
    /// The color behind the terminal's text, as far as the environment tells.
    pub ground: Option<[u8; 3]>,
    /// The command that opens a file, its words; empty for the system's own.
    pub open_with: Vec<String>,
    /// Keys.
    pub keymap: Keymap,
    /// How the screen is divided.
    pub arrangement: Arrangement,
    /// Whether a learned order is offered.
    pub learn: bool,
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
        model.list.learning.off = !self.learn;
        model.display.themes.clone_from(&self.themes);
        model.display.theme_name.clone_from(&self.theme_name);
        model.display.ground = self.ground;
        model.display.open_with.clone_from(&self.open_with);
        model.display.dress();
        model.review.tags.clone_from(&self.tags);
        for warning in &self.warnings {
            model.jobs.log.push_back(warning.clone());
        }
    }
}
