//! Finds the session of a dataset.

use super::{MARK, Session, canonical};
use crate::config::state_home;
use crate::{Error, Result};
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
    let dataset = canonical(dataset)?;
    let home = state_home().ok_or_else(|| {
        Error::Invalid("there is no home folder for sessions: choose a folder with --session".into())
    })?;
    Ok(home.join("sessions").join(name(&dataset)))
}

fn name(dataset: &Path) -> String {
    let digest = blake3::hash(dataset.as_os_str().as_bytes()).to_hex();
    let plain = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
    let name = dataset.file_name().unwrap_or_default().to_string_lossy();
    let name: String = name.chars().map(plain).take(40).collect();
    format!("{}-{}", if name.is_empty() { "root" } else { &name }, &digest[..12])
}

/// Resolves an argument that is a dataset or a session. `session` is the explicit session folder, if any.
///
/// # Errors
/// When the path does not exist.
pub fn resolve(arg: &Path, session: Option<&Path>) -> Result<SessionLocation> {
    if arg.join(MARK).is_file() {
        if let Some(other) = session.filter(|other| *other != arg) {
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
    if !arg.exists() {
        let message = "no such dataset or session; check the path".into();
        return Err(Error::Dataset { path: arg.to_path_buf(), message });
    }
    let dir = session.map_or_else(|| default_dir(arg), |dir| Ok(dir.to_path_buf()))?;
    Ok(SessionLocation { dir, dataset: canonical(arg)? })
}
