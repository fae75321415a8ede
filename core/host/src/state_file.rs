//! What is remembered between runs, such as pins and what was set aside: JSON in a file of the user's state folder.

use chaffinch_data::{Error, Result, atomic};
use serde::Serialize;
use std::io::Write;
use std::path::Path;

/// Replaces the file as a whole; its folder is created.
///
/// # Errors
/// When that cannot be done.
pub(crate) fn store(file: &Path, all: &impl Serialize) -> Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    }
    let text = serde_json::to_string_pretty(all).map_err(|error| Error::Invalid(error.to_string()))?;
    atomic::write(file, |out| out.write_all(text.as_bytes()))
}
