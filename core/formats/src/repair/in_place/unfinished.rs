//! Datasets that are half changed: a plan or its rollback was begun in them and not finished.

use super::work::{Work, place};
use super::{Found, State, found};
use crate::repair::refusal::refused;
use crate::{Error, Result};
use chaffinch_protocol::display::{quoted, safe_path};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The plan, or the rollback, that was begun in a dataset and not finished.
pub fn unfinished(dataset: &Path) -> Option<Found> {
    found(dataset).into_iter().find(|one| one.state != State::Applied)
}

impl Found {
    /// That the dataset is half changed, and what to do; empty if it is not.
    pub fn warning(&self) -> String {
        let (folder, dataset) = (safe_path(&self.folder), quoted(&self.dataset));
        match self.state {
            State::Applied => String::new(),
            State::Unfinished => format!(
                "it is half changed: a plan was begun in it and not finished, and files of it are in {folder}; apply that plan \
                 again with --in-place, or undo it with: chaffinch rollback {dataset}"
            ),
            State::Undoing => format!(
                "it is half changed: a rollback was begun in it and not finished, and files of it are in {folder}; finish it \
                 with: chaffinch rollback {dataset}"
            ),
        }
    }
}

/// Refuses a dataset that is half changed: what is written from it would lack what is in neither place.
///
/// # Errors
/// When it is, with what to do.
pub fn require_whole(dataset: &Path) -> Result<()> {
    match unfinished(dataset) {
        Some(one) => Err(refused(dataset, one.warning())),
        None => Ok(()),
    }
}

/// Removes what was left beside a dataset by programs that were killed before they changed anything, or after they had
/// restored everything; returns these folders. One that still holds files of the dataset, or that another program holds,
/// stays.
///
/// # Errors
/// When one cannot be removed.
pub fn remove_leftovers(dataset: &Path) -> Result<Vec<PathBuf>> {
    let Some((parent, begin)) = place(dataset) else { return Ok(Vec::new()) };
    let Ok(entries) = fs::read_dir(parent) else { return Ok(Vec::new()) };
    let mut removed = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let ours = name.as_bytes().strip_prefix(begin.as_bytes()).is_some_and(is_id);
        let work = Work { folder: entry.path() };
        if !ours || work.has_journal() || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let Ok(_held) = work.hold() else { continue };
        // Begun by another program in the meantime.
        if work.has_journal() {
            continue;
        }
        match fs::read_dir(work.at("kept")).map(|mut kept| kept.next().is_some()) {
            Ok(true) => continue,
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("list", &work.at("kept"))(error));
            }
            _ => {}
        }
        work.discard()?;
        removed.push(work.folder);
    }
    removed.sort_unstable();
    Ok(removed)
}

/// Whether this is the name of a plan, as [`Plan::id`](chaffinch_review::repair::Plan::id) makes them.
fn is_id(name: &[u8]) -> bool {
    OsStr::from_bytes(name)
        .to_str()
        .is_some_and(|name| name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
