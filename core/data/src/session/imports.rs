//! Results of other programs. What was imported is in `imported/NAME.arrow`, by content; the result for the samples of
//! the last scan is in `detectors/`, like that of any detector.

use super::{Session, result_files};
use crate::columns::check_name;
use crate::file_metadata::FileMetadata;
use crate::imported::Imported;
use crate::manifest::Manifest;
use crate::{Error, Result};
use std::fs;
use std::io;
use std::path::PathBuf;

/// The folder of all of them.
const FOLDER: &str = "imported";

impl Session {
    /// Stores an imported result, in the place of an earlier one of its name.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn save_import(
        &self,
        imported: &Imported,
        manifest: &Manifest,
        file_metadata: &FileMetadata,
    ) -> Result<()> {
        let path = self.import_path(&imported.record().name)?;
        self.writable()?;
        let folder = self.dir().join(FOLDER);
        fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        imported.save(&path)?;
        // As a scan would make it.
        let stored = Imported::load(&path, manifest.classes())?;
        self.save_result(&stored.bind(manifest, file_metadata).result)
    }

    /// All imported results in the order of their names, and one sentence for each unusable file.
    pub fn load_imports(&self, classes: &[String]) -> (Vec<Imported>, Vec<String>) {
        let (mut imports, mut damaged) = (Vec::new(), Vec::new());
        for path in result_files(&self.dir().join(FOLDER)) {
            match Imported::load(&path, classes) {
                Ok(imported) => imports.push(imported),
                Err(error) => damaged.push(error.to_string()),
            }
        }
        (imports, damaged)
    }

    /// Removes an imported result; `false` if there is none of this name.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn remove_import(&self, name: &str) -> Result<bool> {
        let path = self.import_path(name)?;
        self.writable()?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(Error::io("remove", &path)(error)),
            Ok(()) => {}
        }
        self.remove_result(name)?;
        Ok(true)
    }

    fn import_path(&self, name: &str) -> Result<PathBuf> {
        check_name(name)?;
        Ok(self.dir().join(FOLDER).join(format!("{name}.arrow")))
    }
}
