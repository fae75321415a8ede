//! `session.toml`: which dataset, since when, and what it was scanned with.

use super::MARK;
use super::contents;
use super::outline::Outline;
use crate::uses::Uses;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The version of the folder's layout.
const FORMAT: u32 = 1;

/// `session.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    format: u32,
    /// The dataset's absolute path; if it is not valid UTF-8, a lossy one, with `dataset_bytes` in addition.
    dataset: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dataset_bytes: Option<Vec<u8>>,
    /// The model of the last scan, as shown.
    #[serde(default)]
    pub(super) model: String,
    /// ISO 8601.
    pub(super) created: String,
    /// The folder of the embedding store that it shares with other sessions, if it has none of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) store: Option<PathBuf>,
    /// What the last scan found, in short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) outline: Option<Outline>,
    /// What the last scan used.
    #[serde(default)]
    pub(super) uses: Uses,
}

impl Head {
    /// Of a new session.
    pub(super) fn new(dataset: &Path) -> Head {
        let mut head = Head {
            format: FORMAT,
            dataset: String::new(),
            dataset_bytes: None,
            model: String::new(),
            store: None,
            created: jiff::Timestamp::now().to_string(),
            outline: None,
            uses: Uses::default(),
        };
        head.set_dataset(dataset);
        head
    }

    /// Reads the file of the session in `dir`.
    pub(super) fn read(dir: &Path) -> Result<Head> {
        let path = dir.join(MARK);
        let text = match contents::text(&path) {
            Err(Error::Io { reason, .. }) if reason.kind() == io::ErrorKind::NotFound => {
                return Err(Error::format(dir, "not a session; run chaffinch scan DATASET first"));
            }
            text => text?,
        };
        let head: Head = toml::from_str(&text).map_err(|error| Error::format(&path, error.message()))?;
        if head.format != FORMAT {
            let message = format!(
                "it has format version {}, this program reads version {FORMAT}; use the version that created it, or start over in another folder with --session",
                head.format
            );
            return Err(Error::format(&path, message));
        }
        Ok(head)
    }

    pub(super) fn to_toml(&self, path: &Path) -> Result<String> {
        toml::to_string(self).map_err(|error| Error::format(path, error.to_string()))
    }

    pub(super) fn dataset(&self) -> PathBuf {
        match &self.dataset_bytes {
            Some(bytes) => OsString::from_vec(bytes.clone()).into(),
            None => PathBuf::from(&self.dataset),
        }
    }

    pub(super) fn set_dataset(&mut self, dataset: &Path) {
        self.dataset = dataset.to_string_lossy().into_owned();
        self.dataset_bytes = dataset.to_str().is_none().then(|| dataset.as_os_str().as_bytes().to_vec());
    }
}
