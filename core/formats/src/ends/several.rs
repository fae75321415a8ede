//! What there is to say of names that need not mean the samples that they were taken for.

use super::{reversed, said_of};
use crate::dataset::split_named;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::{counted, excerpt, excerpt_path, listed};
use chaffinch_protocol::sample::{SampleId, Split};
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Folders before paths to name in a sentence.
const ROOTS: usize = 3;

/// What there is to say of rows by their names and the samples that they were taken for; their splits only where no column says these.
pub(crate) fn doubts<'n, I: Iterator<Item = (&'n str, SampleId)>>(
    rows: impl Fn() -> I,
    says_splits: bool,
    manifest: &Manifest,
) -> Vec<String> {
    let of_splits = if says_splits { None } else { of_several_splits(rows(), manifest) };
    of_splits.into_iter().chain(of_several_roots(rows(), manifest)).collect()
}

/// What there is to say of rows that name samples of several splits by ends of their paths which say no split: a row of a picture
/// that is gone is taken for one of the same name in another split.
pub(crate) fn of_several_splits<'n>(
    rows: impl Iterator<Item = (&'n str, SampleId)>,
    manifest: &Manifest,
) -> Option<String> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut first = None;
    for (name, id) in rows {
        let split = manifest.split(id);
        let (name, path) = (name.replace('\\', "/"), manifest.path(id));
        let name = Path::new(&name);
        let folders = |path: &Path| {
            path.parent().is_some_and(|parent| {
                parent.iter().filter_map(|folder| split_named(folder.to_str()?)).any(|said| said == split)
            })
        };
        // Where the split is no folder, the whole path says no more.
        if split != Split::None && folders(path) && !folders(name) {
            *counts.entry(split.name()).or_default() += 1;
            first.get_or_insert_with(|| (name.display().to_string(), id));
        }
    }
    let (name, id) = first.filter(|_| counts.len() > 1)?;
    let counts: Vec<String> = counts
        .into_iter()
        .map(|(split, count)| format!("{} for pictures of {split}", counted(count, "row", "rows")))
        .collect();
    Some(format!(
        "no split is said, and {} were taken: '{}' for {}; if some are of the other split, write whole paths",
        listed(&counts, "and"),
        excerpt(&name),
        excerpt_path(manifest.path(id))
    ))
}

/// What there is to say of rows whose names have different folders before paths of the dataset: those of one of them may be other
/// pictures.
pub(crate) fn of_several_roots<'n>(
    rows: impl Iterator<Item = (&'n str, SampleId)>,
    manifest: &Manifest,
) -> Option<String> {
    let root = reversed(manifest.root().as_os_str().as_bytes());
    let mut counts: BTreeMap<Vec<u8>, (u64, &str)> = BTreeMap::new();
    for (name, id) in rows {
        let (key, path) = (reversed(name.as_bytes()), reversed(manifest.path(id).as_os_str().as_bytes()));
        let Some(mut before) = key.strip_prefix(path.as_slice()) else { continue };
        let is_said = said_of(manifest, id);
        while let Some(folder) = before.split(|byte| *byte == 0).next().filter(|folder| is_said(folder)) {
            before = &before[folder.len() + 1..];
        }
        if root.starts_with(before) || before.starts_with(&root) {
            before = &[];
        }
        counts.entry(before.to_vec()).or_insert((0, name)).0 += 1;
    }
    if counts.len() < 2 {
        return None;
    }
    let mut counts: Vec<(u64, &str)> = counts.into_values().collect();
    counts.sort_by(|one, other| other.cmp(one));
    let more = counts.len() > ROOTS;
    let mut words: Vec<String> = counts
        .iter()
        .take(ROOTS)
        .map(|(count, name)| format!("{} such as '{}'", counted(*count, "row", "rows"), excerpt(name)))
        .collect();
    words.extend(more.then(|| "others".to_owned()));
    Some(format!(
        "paths of the dataset were found behind different folders, in {}; leave out rows of other pictures",
        listed(&words, "and")
    ))
}
