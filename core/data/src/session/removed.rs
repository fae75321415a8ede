//! Results that were taken out of a session on purpose. Each is kept until it is put back, until another of its detector takes
//! its place, or until the samples change, since its rows are those of the current samples.

use super::{Session, load_results};
use crate::columns::DetectorResult;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folder of all of them.
const FOLDER: &str = "removed";

impl Session {
    /// Takes the result of a detector out; `false` if it has none.
    ///
    /// # Errors
    /// When the file cannot be moved.
    pub fn take_out_result(&self, detector: &str) -> Result<bool> {
        let from = self.result_path(detector)?;
        self.writable()?;
        let folder = self.removed_dir();
        fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        moved(&from, &folder.join(from.file_name().unwrap_or_default()))
    }

    /// Puts a result back that was taken out; `false` if there is none.
    ///
    /// # Errors
    /// When the file cannot be moved.
    pub fn put_back_result(&self, detector: &str) -> Result<bool> {
        let to = self.result_path(detector)?;
        self.writable()?;
        moved(&self.removed_dir().join(to.file_name().unwrap_or_default()), &to)
    }

    /// The results that were taken out, by detector, for this many samples; those that cannot be used are left out.
    pub fn load_removed(&self, count: usize, classes: &[String]) -> BTreeMap<String, DetectorResult> {
        load_results(&self.removed_dir(), count, classes).0
    }

    /// Deletes that of a detector, in whose place there is a newer one.
    pub(super) fn forget_removed_of(&self, detector: &str) -> Result<()> {
        let file = self.result_path(detector)?;
        let path = self.removed_dir().join(file.file_name().unwrap_or_default());
        super::removed(fs::remove_file(&path), &path)
    }

    /// Deletes all of them: they are about other samples.
    ///
    /// # Errors
    /// When they exist but cannot be removed.
    pub fn forget_removed(&self) -> Result<()> {
        self.writable()?;
        let folder = self.removed_dir();
        super::removed(fs::remove_dir_all(&folder), &folder)
    }

    /// When the result of a detector was written, ISO 8601; `None` if it has none.
    pub fn result_time(&self, detector: &str) -> Option<String> {
        let path = self.result_path(detector).ok()?;
        let removed = || super::modified(&self.removed_dir().join(path.file_name()?));
        let written = super::modified(&path).or_else(removed)?;
        let since = written.duration_since(std::time::UNIX_EPOCH).ok()?;
        let written = jiff::Timestamp::from_second(i64::try_from(since.as_secs()).ok()?).ok()?;
        Some(written.to_string())
    }

    fn removed_dir(&self) -> PathBuf {
        self.dir().join(FOLDER)
    }
}

/// Moves a file, if it is there, in the place of another.
fn moved(from: &Path, to: &Path) -> Result<bool> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !from.exists() => Ok(false),
        Err(error) => Err(Error::io("move", from)(error)),
        Ok(()) => Ok(true),
    }
}
