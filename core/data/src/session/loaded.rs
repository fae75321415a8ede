//! Which detectors the last scan had, so that it can be told without loading any which results are of one that is gone.

use super::Session;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

impl Session {
    /// Stores which detectors a scan had: by name, where the code of each is that does not ship with the program.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_loaded(&self, loaded: &BTreeMap<String, Option<PathBuf>>) -> Result<()> {
        let path = self.loaded_path();
        let text =
            serde_json::to_string_pretty(loaded).map_err(|error| Error::format(&path, error.to_string()))?;
        self.write(&path, |out| out.write_all(text.as_bytes()))
    }

    /// Whether a detector was there in the last scan and its code still is. What is not known counts as there: the session may
    /// be of an earlier version.
    pub fn is_loaded(&self, detector: &str) -> bool {
        let Some(loaded) = self.loaded() else { return true };
        loaded.get(detector).is_some_and(|code| code.as_ref().is_none_or(|code| code.exists()))
    }

    /// Where the code of a detector was in the last scan; nothing if that is not known, or if it ships with the program.
    pub fn code_of(&self, detector: &str) -> Option<PathBuf> {
        self.loaded()?.remove(detector)?
    }

    fn loaded(&self) -> Option<BTreeMap<String, Option<PathBuf>>> {
        let text = std::fs::read_to_string(self.loaded_path()).ok()?;
        serde_json::from_str(&text).ok()
    }

    fn loaded_path(&self) -> PathBuf {
        self.dir().join("loaded.json")
    }
}
