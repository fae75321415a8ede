//! All sessions in a folder, and binding one to the place where its dataset is now.

use super::contents::{OWN, is_session};
use super::{Session, canonical, place};
use crate::atomic;
use crate::dataset::DatasetOptions;
use crate::journal::{self, Journal};
use crate::{Error, Result};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A session at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionInfo {
    /// Its folder.
    pub dir: PathBuf,
    /// Its dataset.
    pub dataset: PathBuf,
    /// Whether the dataset is still there.
    pub exists: bool,
    /// The model of the last scan, as shown; empty before one.
    pub model: String,
    /// When it was created, ISO 8601.
    pub created: String,
    /// Samples in the last scan.
    pub samples: u64,
    /// Samples with a decision.
    pub decisions: u64,
    /// Size of all its files in bytes.
    pub bytes: u64,
}

/// The folders of all sessions directly inside a folder, in the order of their names; none if there is no such folder.
pub fn folders(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut dirs: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|dir| is_session(dir)).collect();
    dirs.sort_unstable();
    dirs
}

/// Reads what there is to know about a session at a glance.
///
/// # Errors
/// When it is not a session, or its samples or decisions cannot be read.
pub fn inspect(dir: &Path) -> Result<SessionInfo> {
    let session = Session::open_to_read(dir)?;
    let dataset = session.dataset();
    let (mut samples, mut decisions) = (0, 0);
    if let Some((manifest, file_metadata)) = session.load_samples()? {
        samples = manifest.len() as u64;
        // Whose journal counts as one's own makes no difference to the number of decided samples.
        let mut journal = Journal::open(&session.decisions_dir(), "reviewer")?;
        journal.bind(&Arc::new(manifest), Some(&Arc::new(file_metadata)));
        decisions = journal.decided_count() as u64;
    }
    Ok(SessionInfo {
        dir: dir.to_path_buf(),
        exists: crate::dataset::is_there(&dataset),
        dataset,
        model: session.model_name(),
        created: session.created(),
        samples,
        decisions,
        bytes: size(dir),
    })
}

/// The size of all files in a folder; what cannot be read counts as nothing.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

impl Session {
    /// Binds the session to the place where its dataset is now, and returns the session's folder. Decisions are kept,
    /// since they belong to contents. A session in the default folder of its old dataset moves to that of the new one.
    ///
    /// # Errors
    /// When the new dataset does not exist or its own session holds decisions, in which case nothing has changed; or
    /// when a file cannot be written or moved, in which case it can be repeated.
    pub fn move_to(mut self, dataset: &Path) -> Result<PathBuf> {
        self.writable()?;
        let new = canonical(dataset)?;
        let old = self.dataset();
        let dir = canonical(self.dir())?;
        if new.is_dir() && dir.starts_with(&new) {
            let message = "the session is inside this dataset; move its folder first".into();
            return Err(Error::Dataset { path: new, message });
        }
        let is_default = place::default_dir_of(&old).is_ok_and(|folder| place::same(&folder, &dir));
        let target = if is_default { place::default_dir_of(&new)? } else { dir.clone() };
        if target != dir {
            if target.exists() {
                // Locked until it is gone, so that no one opens it meanwhile.
                let _vacant = vacant(&target)?;
                fs::remove_dir_all(&target).map_err(Error::io("remove", &target))?;
            }
            // Before anything else: a session that is bound to another dataset than its folder says can be found and
            // bound again, one that is in the wrong folder cannot.
            fs::rename(&dir, &target).map_err(Error::io("move", &dir))?;
            self.dir.clone_from(&target);
        }
        if let Some(options) = self.load_reading()? {
            self.save_reading(&rebased(options, &old, &new))?;
        }
        if let Some((manifest, file_metadata)) = self.load_samples()? {
            let root = rebased_path(manifest.root(), &old, &new);
            self.save_samples(&manifest.with_root(root), &file_metadata)?;
        }
        self.change_head(|head| head.set_dataset(&new))?;
        Ok(target)
    }

    /// Deletes the session with everything in it, decisions included. What else is in the folder stays.
    ///
    /// # Errors
    /// When it is open read-only, or a file cannot be removed.
    pub fn remove(self) -> Result<()> {
        self.writable()?;
        let dir = self.dir();
        for name in OWN {
            let path = dir.join(name);
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::io("remove", &path)(error));
                }
                _ => {}
            }
        }
        // Not empty if there is something of someone else.
        let _ = fs::remove_dir(dir);
        Ok(())
    }

    /// Takes over the journals of another session, whose decisions belong to contents and not to files. Nothing is done
    /// if this one has decisions of its own.
    ///
    /// # Errors
    /// When a journal cannot be read or written.
    pub fn take_over(&self, from: &Session) -> Result<()> {
        let (there, here) = (from.decisions_dir(), self.decisions_dir());
        if self.has_decisions() || !from.has_decisions() {
            return Ok(());
        }
        fs::create_dir_all(&here).map_err(Error::io("create", &here))?;
        let entries = fs::read_dir(&there).map_err(Error::io("list", &there))?;
        for entry in entries {
            let path = entry.map_err(Error::io("list", &there))?.path();
            if path.extension().is_none_or(|extension| extension != "jsonl") {
                continue;
            }
            let bytes = journal::contents(&path).map_err(Error::io("read", &path))?;
            let target = here.join(path.file_name().unwrap_or_default());
            atomic::write(&target, |out| out.write_all(&bytes))?;
        }
        Ok(())
    }

    /// Whether any reviewer has decided anything, including what was undone.
    pub fn has_decisions(&self) -> bool {
        let Ok(entries) = fs::read_dir(self.decisions_dir()) else { return false };
        entries.flatten().any(|entry| entry.metadata().is_ok_and(|metadata| metadata.len() > 0))
    }
}

/// A session in the way of another one, locked; only one without decisions may be replaced.
fn vacant(dir: &Path) -> Result<Session> {
    let session = Session::open(dir)?;
    if session.has_decisions() {
        let message = "this session of the new place already has decisions of its own, so nothing was changed; \
                       remove it first with chaffinch session remove, or review each session by its folder";
        return Err(Error::format(dir, message));
    }
    Ok(session)
}

/// How the dataset is read, at its new place.
fn rebased(mut options: DatasetOptions, old: &Path, new: &Path) -> DatasetOptions {
    options.root = options.root.map(|root| rebased_path(&root, old, new));
    options.labels = options.labels.map(|labels| rebased_path(&labels, old, new));
    options
}

/// A folder that was beside or below the dataset, at its new place.
fn rebased_path(path: &Path, old: &Path, new: &Path) -> PathBuf {
    if let Ok(inside) = path.strip_prefix(old) {
        // Joining an empty path would add a slash.
        return if inside.as_os_str().is_empty() { new.to_path_buf() } else { new.join(inside) };
    }
    // A table's pictures are usually beside it.
    let folders = old.parent().zip(new.parent());
    if let Some((old, new)) = folders
        && let Ok(inside) = path.strip_prefix(old)
    {
        let there = if inside.as_os_str().is_empty() { new.to_path_buf() } else { new.join(inside) };
        if there.exists() || !path.exists() {
            return there;
        }
    }
    path.to_path_buf()
}
