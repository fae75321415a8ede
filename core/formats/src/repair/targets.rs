//! Where a sample goes that gets another label or split, where its path says them.

use super::refusal::refused;
use crate::Result;
use crate::dataset::split_named;
use crate::export::placement::Placement;
use crate::export::tables_beside::TablesBeside;
use chaffinch_data::class_names;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::output::numbered;
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::sample::Split;
use chaffinch_review::repair::Change;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// Finds new paths, no two of them the same.
pub(super) struct Targets<'a> {
    manifest: &'a Manifest,
    placement: Placement<'a>,
    tables: Option<&'a TablesBeside<'a>>,
    /// Whether files of annotations say the labels of some samples, so that folders need not say them all.
    annotated: bool,
    /// The folders of each split at each depth, with their samples.
    folders: BTreeMap<(u8, usize), BTreeMap<OsString, u64>>,
    /// How splits are written in tables, with their samples.
    written: BTreeMap<u8, BTreeMap<String, u64>>,
    /// Whether there is a file already.
    taken: &'a dyn Fn(&Path) -> bool,
    given: BTreeSet<PathBuf>,
}

impl<'a> Targets<'a> {
    pub(super) fn of(
        manifest: &'a Manifest,
        changes: &[Change],
        tables: Option<&'a TablesBeside<'a>>,
        annotated: bool,
        taken: &'a dyn Fn(&Path) -> bool,
    ) -> Targets<'a> {
        let new: BTreeSet<String> = changes.iter().filter_map(|change| change.to_label.clone()).collect();
        let placement =
            Placement::of(manifest, &new, annotated || tables.is_some_and(TablesBeside::are_whole));
        let mut folders: BTreeMap<(u8, usize), BTreeMap<OsString, u64>> = BTreeMap::new();
        for id in manifest.ids() {
            let split = manifest.split(id);
            if let Some((depth, folder)) = split_folder(manifest.path(id), split) {
                *folders.entry((split.code(), depth)).or_default().entry(folder.to_owned()).or_default() += 1;
            }
        }
        let written = splits_written(manifest);
        Targets { manifest, placement, tables, annotated, folders, written, taken, given: BTreeSet::new() }
    }

    /// The new path of a sample, and its new split as it is to be written in the table that says it, if one does.
    ///
    /// # Errors
    /// When neither its path nor a table says what is to be changed.
    pub(super) fn place(&mut self, change: &Change) -> Result<(PathBuf, Option<String>)> {
        let id = change.id();
        let old = self.manifest.path(id);
        let mut name = old.file_name().unwrap_or_default().to_owned();
        let mut folder = old.parent().unwrap_or(Path::new("")).to_path_buf();
        let shown = safe_path(old);
        let refuse = |what: String| refused(self.manifest.root(), what);
        if let Some(label) = &change.to_label {
            let in_table = self.tables.is_some_and(|tables| tables.labels(id));
            if self.placement.labels_are_in_names() {
                let begin = self.manifest.label_as_written(id).len();
                let bytes = class_names::bytes(label);
                if begin == 0 || bytes.iter().any(|byte| matches!(byte, b'/' | 0)) {
                    let label = safe_text(label);
                    return Err(refuse(format!("the name of {shown} cannot say that it is '{label}'")));
                }
                name = OsString::from_vec([&bytes[..], &name.as_bytes()[begin..]].concat());
            } else if self.placement.keeps_paths()
                && (!self.annotated || in_table || in_class_folder(old, &change.label))
            {
                folder = self.placement.place(id, Some(label), in_table).folder;
            } else if !in_table {
                return Err(refuse(format!(
                    "neither the path of {shown} nor a table beside it says its label, so it cannot be relabeled; use \
                     export --format cleaned"
                )));
            }
        }
        let mut split_written = None;
        if let Some(split) = change.to_split {
            match split_folder(old, change.split) {
                Some((depth, _)) => folder = self.in_split(&folder, depth, split),
                None if self.tables.is_some_and(|tables| tables.has_split(id)) => {
                    split_written = Some(self.split_text(split));
                }
                None => {
                    return Err(refuse(format!(
                        "neither a folder above {shown} nor a table beside it says its split alone, so it cannot be \
                         moved to {split}"
                    )));
                }
            }
        }
        let wanted = folder.join(&name);
        if wanted == old {
            return Ok((wanted, split_written));
        }
        let mut place = wanted;
        let mut number = 2;
        while (self.taken)(&place) || !self.given.insert(place.clone()) {
            place = folder.join(numbered(&name, number));
            number += 1;
        }
        Ok((place, split_written))
    }

    /// The same folder in another split.
    fn in_split(&self, folder: &Path, depth: usize, split: Split) -> PathBuf {
        let here = self.folders.get(&(split.code(), depth));
        let name = here.and_then(most).cloned().unwrap_or_else(|| OsString::from(split.name()));
        folder
            .iter()
            .enumerate()
            .map(|(at, part)| if at == depth { name.as_os_str() } else { part })
            .collect()
    }

    /// A split as the tables of this dataset write it.
    fn split_text(&self, split: Split) -> String {
        self.written.get(&split.code()).and_then(most).cloned().unwrap_or_else(|| split.name().to_owned())
    }
}

/// How splits are written, with their samples.
pub(super) fn splits_written(manifest: &Manifest) -> BTreeMap<u8, BTreeMap<String, u64>> {
    let mut written: BTreeMap<u8, BTreeMap<String, u64>> = BTreeMap::new();
    for id in manifest.ids().filter(|&id| manifest.split(id) != Split::None) {
        let text = manifest.split_as_written(id).trim();
        if !text.is_empty() {
            *written.entry(manifest.split(id).code()).or_default().entry(text.to_owned()).or_default() += 1;
        }
    }
    written
}

/// The one with most samples, of equals the first.
pub(super) fn most<T: Ord>(counts: &BTreeMap<T, u64>) -> Option<&T> {
    counts.iter().rev().max_by_key(|(_, count)| **count).map(|(name, _)| name)
}

/// Whether a folder above a file has the name of its class.
fn in_class_folder(path: &Path, label: &str) -> bool {
    let class = |folder: &OsStr| class_names::clean(&class_names::of_bytes(folder.as_bytes())) == label;
    path.parent().is_some_and(|above| above.iter().any(class))
}

/// The topmost folder above a file that is named after its split, and how many are above it.
fn split_folder(path: &Path, split: Split) -> Option<(usize, &OsStr)> {
    let above = path.parent()?;
    let named = |part: &&OsStr| part.to_str().and_then(split_named) == Some(split);
    above.iter().enumerate().find(|(_, part)| split != Split::None && named(part))
}
