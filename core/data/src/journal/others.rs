//! The files of other reviewers.

use super::Journal;
use super::book::{self, Book};
use crate::{Error, Result};
use chaffinch_compute::job::Job;
use chaffinch_protocol::display::safe_text;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// Reads all journals of a folder but one. What cannot be read is left out: returns one sentence for each.
///
/// # Errors
/// When the folder cannot be listed, or the job is stopped.
pub(super) fn read(dir: &Path, but: &str, job: &Job<'_>) -> Result<(Vec<Book>, Vec<String>)> {
    let (mut others, mut notes) = (Vec::new(), Vec::new());
    for path in files(dir)?.iter().filter(|path| path.file_name() != Some(OsStr::new(but))) {
        let named = book::reviewer_of(path);
        match Book::read(path, &named, job) {
            Ok(book) => others.push(book),
            Err(Error::Stopped) => return Err(Error::Stopped),
            Err(error) => {
                notes.push(format!("the decisions of {} are left out: {error}", safe_text(&named)));
            }
        }
    }
    Ok((others, notes))
}

impl Journal {
    /// The reviewers who have a journal in a folder, in the order of their files.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn reviewers_in(dir: &Path) -> Result<Vec<String>> {
        Ok(files(dir)?.iter().map(|path| book::reviewer_of(path)).collect())
    }
}

/// All journals of a folder, sorted by name; empty if there is no folder yet.
fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("list", dir)(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::io("list", dir))?.path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}
