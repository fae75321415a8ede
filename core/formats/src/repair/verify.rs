//! Whether a scan would read a folder as the plan wants it.

use crate::dataset;
use crate::{Error, Result};
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::sample::{SampleId, Split};
use chaffinch_review::repair::{Change, Plan};
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
    let wrong = |what: String| wrong(dataset, &what);
    let read = reread(folder, dataset, reading)?;
    let found: BTreeMap<&Path, (&str, Split)> =
        read.ids().map(|id| (read.path(id), (read.label_name(id), read.split(id)))).collect();
    for (path, (label, split)) in expected {
        let shown = safe_path(path);
        match found.get(path.as_path()) {
            Some(own) => {
                if let Some(what) = differs(&shown, *own, (label.as_str(), *split)) {
                    return Err(wrong(what));
                }
            }
            None => return Err(wrong(format!("{shown} would not be read"))),
        }
    }
    Ok(())
}

/// Reads files whose samples stay in their order, and compares labels and splits row by row.
///
/// # Errors
/// As for [`verify`].
pub(super) fn verify_rows(
    opened: &Path,
    manifest: &Manifest,
    plan: &Plan,
    reading: &DatasetOptions,
) -> Result<()> {
    let dataset = plan.dataset.path();
    let read = reread(opened, &dataset, reading)?;
    let changes: BTreeMap<SampleId, &Change> =
        plan.changes.iter().map(|change| (change.id(), change)).collect();
    let stays = |id: &SampleId| changes.get(id).is_none_or(|change| !change.remove);
    let left = manifest.ids().filter(stays).count();
    if read.len() != left {
        return Err(wrong(&dataset, &format!("{} samples would be read instead of {left}", read.len())));
    }
    for (id, new) in manifest.ids().filter(stays).zip(read.ids()) {
        let wanted = match changes.get(&id) {
            Some(change) => (change.label_after(), change.split_after()),
            None => (manifest.label_name(id), manifest.split(id)),
        };
        let own = (read.label_name(new), read.split(new));
        if let Some(what) = differs(&safe_path(manifest.path(id)), own, wanted) {
            return Err(wrong(&dataset, &what));
        }
    }
    Ok(())
}

fn reread(opened: &Path, dataset: &Path, reading: &DatasetOptions) -> Result<Manifest> {
    let read = dataset::open(opened, reading).map(|opened| opened.manifest);
    read.map_err(|error| wrong(dataset, &format!("it could not be read any more: {error}")))
}

/// What is wrong with a sample that is read with this label and split instead of others.
fn differs(shown: &str, own: (&str, Split), wanted: (&str, Split)) -> Option<String> {
    if own.0 != wanted.0 {
        let (own, label) = (safe_text(own.0), safe_text(wanted.0));
        return Some(format!("{shown} would be read as '{own}' instead of '{label}'"));
    }
    let name = |split: Split| if split == Split::None { "no split" } else { split.name() };
    (own.1 != wanted.1).then(|| format!("{shown} would be in {} instead of {}", name(own.1), name(wanted.1)))
}

fn wrong(dataset: &Path, what: &str) -> Error {
    let message = format!("after these changes, {what}; nothing was changed");
    Error::Dataset { path: dataset.to_path_buf(), message }
}
