//! What reading the dataset found, stored beside its samples.

use super::Session;
use crate::faults;
use crate::file_metadata::FileMetadata;
use crate::manifest::Manifest;
use crate::{Error, Result};
use chaffinch_protocol::Ledger;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

impl Session {
    fn ledger_path(&self) -> PathBuf {
        self.dir.join("ledger.json")
    }

    /// What the last reading of the dataset found; `None` if that is not known.
    ///
    /// # Errors
    /// When the file exists but cannot be read.
    pub fn load_ledger(&self) -> Result<Option<Ledger>> {
        let path = self.ledger_path();
        match fs::read_to_string(&path) {
            Ok(text) => {
                serde_json::from_str(&text).map(Some).map_err(|error| Error::format(&path, error.to_string()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("read", &path)(error)),
        }
    }

    /// The stored ledger; of a session without one, at least what its samples tell.
    ///
    /// # Errors
    /// Those of [`Session::load_ledger`].
    pub fn ledger_of(&self, manifest: &Manifest, file_metadata: &FileMetadata) -> Result<Ledger> {
        if let Some(ledger) = self.load_ledger()? {
            return Ok(ledger);
        }
        let mut ledger = Ledger { found: manifest.len() as u64, ..Ledger::default() };
        faults::enter(manifest, file_metadata, &mut ledger);
        Ok(ledger)
    }

    /// Stores what reading the dataset found.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_ledger(&self, ledger: &Ledger) -> Result<()> {
        let path = self.ledger_path();
        let text =
            serde_json::to_string_pretty(ledger).map_err(|error| Error::format(&path, error.to_string()))?;
        self.write(&path, |out| out.write_all(text.as_bytes()))
    }
}
