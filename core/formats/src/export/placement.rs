//! Where a sample goes in a copy of the dataset.
//!
//! A dataset whose class folders are in its paths keeps its paths: what nobody decided about stays where it was, folders
//! above and below the class included. Only a relabeled sample changes the folder of its class. Everything else (tables
//! with paths that say nothing) is put into folders of splits and classes.

use crate::dataset;
use chaffinch_data::class_names;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::output::{UNLABELED, folder_name};
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::sample::SampleId;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// Where samples go.
pub(super) struct Placement<'a> {
    manifest: &'a Manifest,
    /// `None` where paths do not say the class, so that folders are made.
    kept: Option<Kept>,
    /// The folder of each class that needs one.
    folders: BTreeMap<String, OsString>,
    /// Whether any sample has a split.
    has_splits: bool,
}

/// The folder beside those of splits for samples without one. Class folders beside split folders could not be told from
/// splits.
const WITHOUT_SPLIT: &str = "no-split";

/// Paths stay as they are.
struct Kept {
    /// Which folder of a path is the class, counted from 0.
    depth: usize,
}

impl<'a> Placement<'a> {
    /// `new` are the labels that samples get in place of their own.
    pub(super) fn of(manifest: &'a Manifest, new: &BTreeSet<String>) -> Placement<'a> {
        let kept = kept(manifest, !new.is_empty());
        // A class that is there keeps its folder as it was spelled first.
        let mut folders: BTreeMap<String, OsString> = BTreeMap::new();
        if let Some(kept) = &kept {
            for id in manifest.ids().filter(|&id| manifest.label(id).is_some()) {
                if let Some(folder) = manifest.path(id).parent().and_then(|path| path.iter().nth(kept.depth))
                {
                    folders.entry(manifest.label_name(id).to_owned()).or_insert_with(|| folder.to_owned());
                }
            }
        }
        let mut taken: BTreeSet<OsString> = folders.values().cloned().collect();
        for name in manifest.classes().iter().chain(new) {
            if folders.contains_key(name) {
                continue;
            }
            // `a/b` and `a_b` are two classes.
            let own = folder_name(name);
            let mut folder = own.clone();
            let mut number = 2;
            while !taken.insert(folder.clone()) {
                folder = own.clone();
                folder.push(format!("-{number}"));
                number += 1;
            }
            folders.insert(name.clone(), folder);
        }
        let has_splits = manifest.ids().any(|id| !manifest.split_as_written(id).trim().is_empty());
        Placement { manifest, kept, folders, has_splits }
    }

    /// Classes that cannot have a folder of their name, in sentences.
    pub(super) fn renamed(&self) -> Vec<String> {
        let other = self.folders.iter().filter(|(name, folder)| {
            class_names::clean(&class_names::of_bytes(folder.as_bytes())) != name.as_str()
        });
        other
            .map(|(name, folder)| {
                let short: String = name.chars().take(60).collect();
                let more = if short.len() < name.len() { "\u{2026}" } else { "" };
                let (name, folder) = (safe_text(&short), safe_path(Path::new(folder)));
                format!("the class '{name}{more}' is in the folder {folder}")
            })
            .collect()
    }

    /// The folder and the name of a sample's file; `new` is its label if it is another one than before.
    pub(super) fn place(&self, id: SampleId, new: Option<&str>) -> (PathBuf, OsString) {
        let path = self.manifest.path(id);
        let name = path.file_name().unwrap_or_default().to_owned();
        let folder = path.parent().unwrap_or(Path::new(""));
        match (&self.kept, new) {
            (Some(_), None) => (folder.to_owned(), name),
            (Some(kept), Some(new)) => (kept.moved(self.manifest, id, folder, &self.folder(new)), name),
            (None, new) => (self.made(id, new), name),
        }
    }

    fn folder(&self, label: &str) -> OsString {
        self.folders.get(label).cloned().unwrap_or_else(|| folder_name(label))
    }

    /// The folder of split and class.
    fn made(&self, id: SampleId, new: Option<&str>) -> PathBuf {
        let label = new.unwrap_or_else(|| self.manifest.label_name(id));
        let class = if label.is_empty() { UNLABELED.into() } else { self.folder(label) };
        match self.manifest.split_as_written(id).trim() {
            "" if self.has_splits => Path::new(WITHOUT_SPLIT).join(class),
            "" => class.into(),
            split => Path::new(&folder_name(split)).join(class),
        }
    }
}

impl Kept {
    /// The folder of a relabeled sample: the same with another class in it.
    fn moved(&self, manifest: &Manifest, id: SampleId, folder: &Path, class: &OsStr) -> PathBuf {
        let parts: Vec<&OsStr> = folder.iter().collect();
        let mut moved: PathBuf = parts.iter().take(self.depth).collect();
        moved.push(class);
        // A sample without a label is in no class folder.
        if manifest.label(id).is_some() {
            moved.extend(parts.iter().skip(self.depth + 1));
        }
        moved
    }
}

/// Whether the paths say the classes, and where.
fn kept(manifest: &Manifest, relabeled: bool) -> Option<Kept> {
    let plain = |id| manifest.path(id).components().all(|part| matches!(part, Component::Normal(_)));
    if !manifest.ids().all(plain) {
        return None;
    }
    let mut depths: Option<Vec<usize>> = None;
    for id in manifest.ids().filter(|&id| manifest.label(id).is_some()) {
        let label = manifest.label_name(id);
        let folders: Vec<&OsStr> = manifest.path(id).parent().map(Path::iter).into_iter().flatten().collect();
        let is_class = |depth: &usize| folders.get(*depth).is_some_and(|folder| class_of(folder) == label);
        match &mut depths {
            None => depths = Some((0..folders.len()).filter(is_class).collect()),
            Some(depths) => depths.retain(is_class),
        }
        if depths.as_ref().is_some_and(Vec::is_empty) {
            break;
        }
    }
    let depth = match depths {
        // Nothing has a label: new classes become folders below the split.
        None => usize::from(manifest.splits().iter().any(|&split| split != 0)),
        Some(depths) => match depths.first() {
            Some(&depth) => depth,
            None => return (!relabeled && labels_are_in_names(manifest)).then_some(Kept { depth: 0 }),
        },
    };
    // A table may know more of its samples than their paths say.
    if manifest.table().is_some() && !manifest.ids().all(|id| path_says_split(manifest, id)) {
        return None;
    }
    Some(Kept { depth })
}

/// The class that a folder stands for.
fn class_of(folder: &OsStr) -> String {
    class_names::clean(&class_names::of_bytes(folder.as_bytes())).into_owned()
}

fn path_says_split(manifest: &Manifest, id: SampleId) -> bool {
    let written = manifest.split_as_written(id).trim();
    written.is_empty()
        || manifest
            .path(id)
            .parent()
            .is_some_and(|folder| folder.iter().any(|part| part.as_bytes() == written.as_bytes()))
}

/// Whether labels are those that a flat folder's file names say.
fn labels_are_in_names(manifest: &Manifest) -> bool {
    if manifest.table().is_some() {
        return false;
    }
    let paths = (0..manifest.len() as u32).map(|row| manifest.path(SampleId(row)));
    dataset::labels_of_names(paths).is_some_and(|labels| {
        manifest.ids().zip(labels).all(|(id, label)| {
            class_names::same(manifest.label_name(id), label.as_deref().unwrap_or_default())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_data::manifest::NewSample;
    use chaffinch_protocol::sample::Split;

    fn manifest(rows: &[(&str, &str)]) -> Manifest {
        Manifest::new(
            "/data",
            rows.iter().map(|(path, label)| NewSample {
                path: path.into(),
                label: (!label.is_empty()).then(|| (*label).to_owned()),
                split: Split::None,
            }),
        )
    }

    fn place(rows: &[(&str, &str)], row: u32, new: Option<&str>) -> String {
        let manifest = manifest(rows);
        let labels = new.map(str::to_owned).into_iter().collect();
        let (folder, name) = Placement::of(&manifest, &labels).place(SampleId(row), new);
        folder.join(name).to_string_lossy().into_owned()
    }

    #[test]
    fn paths_stay_and_only_the_class_moves() {
        let rows = [("seg/seg/cat/deep/1.jpg", "cat"), ("seg/seg/dog /2.jpg", "dog"), ("seg/seg/3.jpg", "")];
        assert_eq!(place(&rows, 0, None), "seg/seg/cat/deep/1.jpg");
        assert_eq!(place(&rows, 0, Some("dog")), "seg/seg/dog /deep/1.jpg");
        assert_eq!(place(&rows, 1, Some("cow")), "seg/seg/cow/2.jpg");
        assert_eq!(
            (place(&rows, 2, None), place(&rows, 2, Some("cat"))),
            ("seg/seg/3.jpg".into(), "seg/seg/cat/3.jpg".into())
        );
        assert_eq!(place(&rows, 0, Some("../x")), "seg/seg/.._x/deep/1.jpg");
    }

    #[test]
    fn classes_whose_folders_would_be_one_stay_apart() {
        let rows = [("1.jpg", "a/b"), ("2.jpg", "a_b")];
        let manifest = manifest(&rows);
        let placement = Placement::of(&manifest, &BTreeSet::new());
        let places = [0, 1].map(|row| placement.place(SampleId(row), None).0);
        assert_eq!(places, [Path::new("a_b"), Path::new("a_b-2")]);
        assert_eq!(placement.renamed().len(), 2);
        assert!(
            Placement::of(&manifest, &BTreeSet::new()).renamed()[0].contains("'a/b' is in the folder a_b")
        );
    }

    #[test]
    fn labels_in_file_names_stay_until_one_changes() {
        let rows = [("cat.1.jpg", "cat"), ("dog.2.jpg", "dog")];
        assert_eq!(place(&rows, 0, None), "cat.1.jpg");
        assert_eq!(place(&rows, 0, Some("dog")), "dog/cat.1.jpg");
        assert_eq!(place(&[("1.jpg", "cat"), ("2.jpg", "dog")], 0, None), "cat/1.jpg");
        assert_eq!(place(&[("/far/1.jpg", "cat"), ("../2.jpg", "")], 1, None), "_unlabeled/2.jpg");
    }
}
