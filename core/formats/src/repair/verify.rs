//! Whether a scan would read a folder as the plan wants it.

use crate::dataset;
use crate::{Error, Result};
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::sample::Split;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Reads a folder and compares labels and splits.
///
/// # Errors
/// When a sample would be read with another label or split, or not at all.
pub(super) fn verify(
    folder: &Path,
    dataset: &Path,
    reading: &DatasetOptions,
    expected: &BTreeMap<PathBuf, (String, Split)>,
) -> Result<()> {
    if expected.is_empty() {
        return Ok(());
    }
    let wrong = |what: String| {
        let message = format!("after these changes, {what}; nothing was changed");
        Error::Dataset { path: dataset.to_path_buf(), message }
    };
    let read = match dataset::open(folder, reading) {
        Ok(opened) => opened.manifest,
        Err(error) => return Err(wrong(format!("it could not be read any more: {error}"))),
    };
    let found: BTreeMap<&Path, (&str, Split)> =
        read.ids().map(|id| (read.path(id), (read.label_name(id), read.split(id)))).collect();
    for (path, (label, split)) in expected {
        let shown = safe_path(path);
        match found.get(path.as_path()) {
            Some((own, _)) if own != label => {
                let (own, label) = (safe_text(own), safe_text(label));
                return Err(wrong(format!("{shown} would be read as '{own}' instead of '{label}'")));
            }
            Some((_, own)) if own != split => {
                let name = |split: Split| if split == Split::None { "no split" } else { split.name() };
                return Err(wrong(format!("{shown} would be in {} instead of {}", name(*own), name(*split))));
            }
            Some(_) => {}
            None => return Err(wrong(format!("{shown} would not be read"))),
        }
    }
    Ok(())
}
