//! The run before the last of each detector, kept to compare the two. Its rows are those of the current samples: once
//! these change, it is forgotten.

use super::{Session, load_results};
use crate::columns::DetectorResult;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// The folder of all of them.
const FOLDER: &str = "previous";

impl Session {
    /// Makes the current result of a detector, if there is one, its previous one.
    ///
    /// # Errors
    /// When the file cannot be moved.
    pub fn keep_previous(&self, detector: &str) -> Result<()> {
        let path = self.result_path(detector)?;
        self.writable()?;
        if !path.is_file() {
            return Ok(());
        }
        let folder = self.previous_dir();
        fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        let to = folder.join(path.file_name().unwrap_or_default());
        fs::rename(&path, &to).map_err(Error::io("move", &path))
    }

    /// The previous results, by detector, for this many samples; those that cannot be used are left out.
    pub fn load_previous(&self, count: usize, classes: &[String]) -> BTreeMap<String, DetectorResult> {
        load_results(&self.previous_dir(), count, classes).0
    }

    /// Deletes all of them: they are about other samples.
    ///
    /// # Errors
    /// When they exist but cannot be removed.
    pub fn forget_previous(&self) -> Result<()> {
        self.writable()?;
        let folder = self.previous_dir();
        super::removed(fs::remove_dir_all(&folder), &folder)
    }

    fn previous_dir(&self) -> PathBuf {
        self.dir().join(FOLDER)
    }
}
