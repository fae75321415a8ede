//! Finds the sample that a part of an expression names.

use super::expression::wrong;
use crate::Result;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::sample::SampleId;
use rayon::prelude::*;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Samples per thread at a time.
const PART: usize = 1 << 14;

/// The sample with this path, or the only one whose path ends with it. Paths are compared as they are, and as they are
/// shown where nothing else fits. `at` is where the path stands in the expression.
///
/// # Errors
/// When no sample or several are named.
pub(super) fn find(manifest: &Manifest, named: &str, at: (usize, usize)) -> Result<SampleId> {
    let wanted = within(manifest, named);
    let found = ending(manifest, wanted);
    let exact = |id: &SampleId| {
        let path = manifest.path(*id);
        path.as_os_str().as_bytes() == wanted.as_bytes() || safe_path(path) == wanted
    };
    if let Some(id) = found.iter().find(|id| exact(id)) {
        return Ok(*id);
    }
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(wrong(&format!("no sample has the path '{}'", safe_text(named)), at)),
        [first, second, ..] => {
            let (first, second) = (safe_path(manifest.path(*first)), safe_path(manifest.path(*second)));
            let count = found.len();
            let message = format!(
                "'{}' may be any of {count} samples, such as {first} and {second}; give more of the path",
                safe_text(named)
            );
            Err(wrong(&message, at))
        }
    }
}

/// The path within the dataset.
fn within<'a>(manifest: &Manifest, named: &'a str) -> &'a str {
    let whole = named.strip_prefix("./").unwrap_or(named);
    let inside = manifest.root().to_str().and_then(|root| whole.strip_prefix(root)?.strip_prefix('/'));
    inside.unwrap_or(whole)
}

/// The samples whose paths end so, as they are, or else as they are shown.
fn ending(manifest: &Manifest, wanted: &str) -> Vec<SampleId> {
    let found = matches(manifest, |path| ends_with(path.as_os_str().as_bytes(), wanted.as_bytes()));
    if !found.is_empty() {
        return found;
    }
    matches(manifest, |path| ends_with(safe_path(path).as_bytes(), wanted.as_bytes()))
}

/// Whether a sample has this path, or several have paths that end with it.
pub fn names_samples(manifest: &Manifest, named: &str) -> bool {
    !ending(manifest, within(manifest, named)).is_empty()
}

/// The sample with this path, or the only one whose path ends with it.
///
/// # Errors
/// When no sample or several are named.
pub fn sample_at(manifest: &Manifest, named: &str) -> Result<SampleId> {
    find(manifest, named, (0, 0))
}

/// The sample with exactly this path in the dataset.
pub fn at_path(manifest: &Manifest, path: &Path) -> Option<SampleId> {
    matches(manifest, |known| known == path).first().copied()
}

fn matches(manifest: &Manifest, fits: impl Fn(&Path) -> bool + Sync) -> Vec<SampleId> {
    let rows = (0..manifest.len() as u32).into_par_iter().with_min_len(PART).map(SampleId);
    rows.filter(|id| fits(manifest.path(*id))).collect()
}

/// Whether a path is this one, or has it behind a slash.
fn ends_with(path: &[u8], end: &[u8]) -> bool {
    path.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with(b"/"))
}
