//! Finds the session of a dataset.

use super::contents::is_session;
use super::{Session, canonical};
use crate::config::state_home;
use crate::{Error, Result};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A session's folder and its dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionLocation {
    /// The session's folder, which need not exist yet.
    pub dir: PathBuf,
    /// The dataset.
    pub dataset: PathBuf,
}

/// The default folder of a dataset's session: `sessions/NAME-DIGEST` under the user's state folder, by the dataset's
/// canonical path.
///
/// # Errors
/// When there is no such dataset, or no home folder.
pub fn default_dir(dataset: &Path) -> Result<PathBuf> {
    default_dir_of(&canonical(dataset)?)
}

/// The same for a canonical path, which need not exist.
pub(super) fn default_dir_of(dataset: &Path) -> Result<PathBuf> {
    let home = state_home().ok_or_else(|| {
        Error::Invalid("there is no home folder for sessions: choose a folder with --session".into())
    })?;
    Ok(home.join("sessions").join(name(dataset)))
}

/// Whether two paths name the same file or folder, even if it is gone.
pub fn same(a: &Path, b: &Path) -> bool {
    let settled = |path: &Path| fs::canonicalize(path).or_else(|_| std::path::absolute(path)).ok();
    a == b || settled(a).is_some() && settled(a) == settled(b)
}

/// Refuses a session of another dataset: everything a command says or writes would be about the wrong one.
///
/// # Errors
/// When the session's dataset is not the one that was named.
pub(super) fn belongs(session: &Path, bound: &Path, named: &Path) -> Result<()> {
    if same(bound, named) {
        return Ok(());
    }
    Err(Error::OtherDataset {
        session: session.to_path_buf(),
        bound: bound.to_path_buf(),
        named: named.to_path_buf(),
    })
}

fn name(dataset: &Path) -> String {
    let digest = blake3::hash(dataset.as_os_str().as_bytes()).to_hex();
    let plain = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
    let name = dataset.file_name().unwrap_or_default().to_string_lossy();
    let name: String = name.chars().map(plain).take(40).collect();
    format!("{}-{}", if name.is_empty() { "root" } else { &name }, &digest[..12])
}

/// Resolves an argument that is a dataset or a session. `session` is the explicit session folder, if any. A dataset that
/// is gone is found by the session that it had.
///
/// # Errors
/// When there is neither, or when the explicit session is about another dataset.
pub fn resolve(arg: &Path, session: Option<&Path>) -> Result<SessionLocation> {
    if is_session(arg) {
        if let Some(other) = session.filter(|other| !same(other, arg)) {
            let message = format!(
                "{} is already a session, so --session {} cannot be used with it",
                arg.display(),
                other.display()
            );
            return Err(Error::Invalid(message));
        }
        let dataset = Session::open_to_read(arg)?.dataset();
        return Ok(SessionLocation { dir: arg.to_path_buf(), dataset });
    }
    let dataset = match crate::dataset::is_there(arg) {
        true => canonical(arg)?,
        false => std::path::absolute(arg).map_err(Error::io("find", arg))?,
    };
    let dir = session.map_or_else(|| default_dir_of(&dataset), |dir| Ok(dir.to_path_buf()))?;
    let bound = match is_session(&dir) {
        true => Some(Session::open_to_read(&dir)?.dataset()),
        false => None,
    };
    match bound {
        Some(bound) => belongs(&dir, &bound, &dataset)?,
        None if crate::dataset::is_there(arg) => {}
        None => {
            let message = "no such dataset or session; check the path".into();
            return Err(Error::Dataset { path: arg.to_path_buf(), message });
        }
    }
    Ok(SessionLocation { dir, dataset })
}
