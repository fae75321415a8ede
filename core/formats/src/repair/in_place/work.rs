//! The folder with the way back: where it is, who holds it, and how far the plan in it was carried out.

use super::State;
use super::journal::{Held, Log, VERSION};
use crate::repair::refusal::refused;
use crate::{Error, Result};
use chaffinch_data::atomic;
use chaffinch_protocol::display::safe_path;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

pub(super) const JOURNAL: &str = "journal.json";
pub(super) const PLACING: &str = "placing";
pub(super) const DONE: &str = "done";
pub(super) const UNDOING: &str = "undoing";
pub(super) const UNPLACED: &str = "unplaced";

/// Where the folders of a dataset are, and how their names begin.
pub(super) fn place(dataset: &Path) -> Option<(PathBuf, OsString)> {
    let (parent, name) = (dataset.parent()?, dataset.file_name()?);
    let mut begin = OsString::from(".");
    begin.push(name);
    begin.push(".chaffinch-rollback-");
    Some((parent.to_path_buf(), begin))
}

/// The folder with the way back.
pub(super) struct Work {
    pub(super) folder: PathBuf,
}

impl Work {
    pub(super) fn of(dataset: &Path, plan: &str) -> Result<Work> {
        let Some((parent, mut name)) = place(dataset) else {
            return Err(refused(dataset, "it has no folder above it to keep files in; use --output"));
        };
        name.push(plan);
        Ok(Work { folder: parent.join(name) })
    }

    /// Keeps other programs from doing the same at the same time.
    pub(super) fn hold(&self) -> Result<File> {
        fs::create_dir_all(&self.folder).map_err(|error| {
            Error::Invalid(format!(
                "{} cannot be created, where what is taken out of the dataset is kept ({error}); nothing was changed: make the \
                 folder above the dataset writable, or use --output to write a copy",
                safe_path(&self.folder)
            ))
        })?;
        let folder = File::open(&self.folder).map_err(Error::io("open", &self.folder))?;
        match folder.try_lock() {
            Err(fs::TryLockError::WouldBlock) => {
                let folder = safe_path(&self.folder);
                Err(Error::Invalid(format!(
                    "another program is applying this plan or rolling it back ({folder})"
                )))
            }
            // A file system without locks.
            _ => Ok(folder),
        }
    }

    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(super) fn held(&self, held: Held) -> PathBuf {
        match held {
            Held::Kept(number) => self.folder.join("kept").join(number.to_string()),
            Held::New(number) => self.folder.join("new").join(number.to_string()),
        }
    }

    /// `None` if nothing was changed, or everything was restored.
    pub(super) fn state(&self) -> Option<State> {
        if !self.has_journal() {
            return None;
        }
        Some(match (self.at(UNDOING).exists(), self.at(DONE).exists()) {
            (true, _) => State::Undoing,
            (_, true) => State::Applied,
            _ => State::Unfinished,
        })
    }

    /// Whether anything is intended.
    pub(super) fn has_journal(&self) -> bool {
        self.at(JOURNAL).is_file()
    }

    pub(super) fn log(&self) -> Result<Log> {
        let path = self.at(JOURNAL);
        let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
        let log: Log = serde_json::from_slice(&bytes)
            .map_err(|error| Error::format(&path, format!("it is damaged: {error}")))?;
        match log.version {
            VERSION => Ok(log),
            other => {
                let message = format!("it has version {other}, this program reads version {VERSION}");
                Err(Error::format(&path, message))
            }
        }
    }

    pub(super) fn mark(&self, name: &str) -> Result<()> {
        atomic::write(&self.at(name), |_| Ok(()))
    }

    /// Deletes the folder. What is intended goes first: without it, the rest is of no use to anybody.
    pub(super) fn discard(&self) -> Result<()> {
        let journal = self.at(JOURNAL);
        match fs::remove_file(&journal) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io("remove", &journal)(error));
            }
            _ => {}
        }
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io("remove", &self.folder)(error))
            }
            _ => Ok(()),
        }
    }
}

/// Whether there is anything, a link that leads nowhere included.
pub(super) fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
