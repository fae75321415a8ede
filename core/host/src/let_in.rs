//! Letting detectors run again that were set aside, or whose code has changed.

use super::registry::digest_of;
use super::worker::{AsideEntry, Workers};
use super::{Pin, PluginError};
use std::path::{Path, PathBuf};

/// What was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LetIn {
    /// It was set aside.
    Aside(AsideEntry),
    /// Its code has changed.
    Changed {
        /// The detectors in it.
        names: Vec<String>,
        /// The library or `detector.toml`.
        path: PathBuf,
    },
}

/// Lets a detector run again, by its name, its file or its path: what was set aside is forgotten, and its code is pinned
/// as it is now. Returns what was in its way, nothing if it would have run.
///
/// # Errors
/// When it is not a detector any more, or when that cannot be stored.
pub fn let_in(workers: &Workers, name: &str) -> Result<Vec<LetIn>, PluginError> {
    let mut all: Vec<LetIn> =
        workers.aside().let_in(name).map_err(PluginError::Stored)?.into_iter().map(LetIn::Aside).collect();
    let pins = workers.pins();
    for (path, pin) in pins.all().map_err(PluginError::Stored)? {
        let path = PathBuf::from(path);
        if !is_named(&path, &pin, name) || !path.exists() {
            continue;
        }
        let digest = digest_of(&path)?;
        if digest != pin.digest {
            pins.set(&path, Pin { digest, names: pin.names.clone() }).map_err(PluginError::Stored)?;
            all.push(LetIn::Changed { names: pin.names, path });
        }
    }
    Ok(all)
}

/// Whether a name is that of a detector in pinned code, of its file, its folder or its path.
fn is_named(path: &Path, pin: &Pin, name: &str) -> bool {
    let given = std::path::absolute(name).ok();
    let folder = path.parent();
    pin.names.iter().any(|known| known == name)
        || path.file_name().is_some_and(|file| file == name && file != "detector.toml")
        || given.as_deref().is_some_and(|given| given == path || Some(given) == folder)
}
