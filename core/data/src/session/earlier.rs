//! Results of several models, side by side. Those of the current model are in `detectors/`; those of another one that
//! was used before are in `earlier/FINGERPRINT/`, with what it was in `uses.toml`, until it is used again.

use super::{Session, load_results};
use crate::columns::DetectorResult;
use crate::uses::Uses;
use crate::{Error, Result, atomic};
use chaffinch_compute::embedding::ModelFingerprint;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The folder of all of them.
const FOLDER: &str = "earlier";

/// What the model was.
const USES: &str = "uses.toml";

impl Session {
    /// Moves results of these detectors, made by the model in `uses`, out of the current ones. A detector without
    /// results is skipped, so that it can be repeated after it was interrupted.
    ///
    /// # Errors
    /// When a file cannot be moved or written.
    pub fn set_aside(&self, uses: &Uses, detectors: &[String]) -> Result<()> {
        self.writable()?;
        let Some(loaded) = &uses.loaded else { return Ok(()) };
        let folder = self.earlier_dir(&loaded.fingerprint)?;
        fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        let path = folder.join(USES);
        let text = toml::to_string(uses).map_err(|error| Error::format(&path, error.to_string()))?;
        atomic::write(&path, |out| out.write_all(text.as_bytes()))?;
        for detector in detectors {
            let from = self.result_path(detector)?;
            moved(&from, &folder.join(from.file_name().unwrap_or_default()))?;
        }
        Ok(())
    }

    /// Deletes what is set aside of a model: its results are the current ones again.
    ///
    /// # Errors
    /// When it exists but cannot be removed.
    pub fn forget_earlier(&self, fingerprint: &str) -> Result<()> {
        self.writable()?;
        let folder = self.earlier_dir(fingerprint)?;
        super::removed(fs::remove_dir_all(&folder), &folder)
    }

    /// Deletes what is set aside of all models.
    ///
    /// # Errors
    /// When it exists but cannot be removed.
    pub(super) fn forget_all_earlier(&self) -> Result<()> {
        let folder = self.dir().join(FOLDER);
        super::removed(fs::remove_dir_all(&folder), &folder)
    }

    /// Models used before whose results are set aside, in the order of their fingerprints. One that cannot be read is
    /// left out.
    pub fn earlier(&self) -> Vec<Uses> {
        let folder = self.dir().join(FOLDER);
        let Ok(entries) = fs::read_dir(&folder) else { return Vec::new() };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort_unstable();
        let read = |path: &PathBuf| toml::from_str(&fs::read_to_string(path.join(USES)).ok()?).ok();
        paths.iter().filter_map(read).collect()
    }

    /// Results that are set aside, by detector, for this many samples; those that cannot be used are left out.
    ///
    /// # Errors
    /// When the fingerprint is none.
    pub fn load_earlier(
        &self,
        fingerprint: &str,
        count: usize,
        classes: &[String],
    ) -> Result<BTreeMap<String, DetectorResult>> {
        Ok(load_results(&self.earlier_dir(fingerprint)?, count, classes).0)
    }

    fn earlier_dir(&self, fingerprint: &str) -> Result<PathBuf> {
        // It may come from a file that someone else wrote.
        let stored = ModelFingerprint::stored(fingerprint);
        let name = stored.as_str();
        if name.is_empty() || name.starts_with('.') || name != fingerprint {
            return Err(Error::Invalid(format!("'{fingerprint}' is not the fingerprint of a model")));
        }
        Ok(self.dir().join(FOLDER).join(name))
    }
}

/// Renames a file, which may not exist.
fn moved(from: &Path, to: &Path) -> Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("move", from)(error)),
        _ => Ok(()),
    }
}
