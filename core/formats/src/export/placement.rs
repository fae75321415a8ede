//! Where a sample goes in a copy of the dataset.
//!
//! A dataset whose class folders are in its paths keeps its paths: what nobody decided about stays where it was, folders
//! above and below the class included. Only a relabeled sample changes the folder of its class. Everything else (tables
//! with paths that say nothing) is put into folders of splits and classes.

use crate::dataset;
use chaffinch_compute::content::ContentHash;
use chaffinch_data::class_names;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

/// The folder of samples without a label, where classes are folders.
const UNLABELED: &str = "_unlabeled";
/// Bytes that a name may have on the usual file systems.
const LONGEST: usize = 255;

/// Where samples go.
pub(super) struct Placement<'a> {
    manifest: &'a Manifest,
    /// `None` where paths do not say the class, so that folders are made.
    kept: Option<Kept>,
}

/// Paths stay as they are.
struct Kept {
    /// Which folder of a path is the class, counted from 0.
    depth: usize,
    /// The folder of each class, as it was spelled first.
    folders: BTreeMap<String, OsString>,
}

impl<'a> Placement<'a> {
    /// `relabeled`: whether any sample gets another class.
    pub(super) fn of(manifest: &'a Manifest, relabeled: bool) -> Placement<'a> {
        let kept = kept(manifest, relabeled);
        Placement { manifest, kept }
    }

    /// The folder and the name of a sample's file; `new` is its label if it is another one than before.
    pub(super) fn place(&self, id: SampleId, new: Option<&str>) -> (PathBuf, OsString) {
        let path = self.manifest.path(id);
        let name = path.file_name().unwrap_or_default().to_owned();
        let folder = path.parent().unwrap_or(Path::new(""));
        match (&self.kept, new) {
            (Some(_), None) => (folder.to_owned(), name),
            (Some(kept), Some(new)) => (kept.moved(self.manifest, id, folder, new), name),
            (None, new) => (self.made(id, new), name),
        }
    }

    /// The folder of split and class.
    fn made(&self, id: SampleId, new: Option<&str>) -> PathBuf {
        let label = new.unwrap_or_else(|| self.manifest.label_name(id));
        let class = if label.is_empty() { UNLABELED.into() } else { folder_name(label) };
        match self.manifest.split_as_written(id).trim() {
            "" => class.into(),
            split => Path::new(&folder_name(split)).join(class),
        }
    }
}

impl Kept {
    /// The folder of a relabeled sample: the same with another class in it.
    fn moved(&self, manifest: &Manifest, id: SampleId, folder: &Path, new: &str) -> PathBuf {
        let class = self.folders.get(new).cloned().unwrap_or_else(|| folder_name(new));
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
            None => return (!relabeled && labels_are_in_names(manifest)).then(Kept::default),
        },
    };
    // A table may know more of its samples than their paths say.
    if manifest.table().is_some() && !manifest.ids().all(|id| path_says_split(manifest, id)) {
        return None;
    }
    let mut folders = BTreeMap::new();
    for id in manifest.ids().filter(|&id| manifest.label(id).is_some()) {
        if let Some(folder) = manifest.path(id).iter().nth(depth) {
            folders.entry(manifest.label_name(id).to_owned()).or_insert_with(|| folder.to_owned());
        }
    }
    Some(Kept { depth, folders })
}

impl Default for Kept {
    fn default() -> Kept {
        Kept { depth: 0, folders: BTreeMap::new() }
    }
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

/// A name as a single folder that cannot leave the copy, and that fits on the disk.
fn folder_name(name: &str) -> OsString {
    let bytes = class_names::bytes(name);
    let mut bytes: Vec<u8> =
        bytes.iter().map(|&byte| if byte == b'/' || byte == 0 { b'_' } else { byte }).collect();
    if bytes == b"." || bytes == b".." {
        bytes.fill(b'_');
    }
    if bytes.len() > LONGEST {
        let digest = ContentHash::of(&bytes).to_string();
        let mut end = LONGEST - 9;
        while end > 0 && bytes[end] & 0xc0 == 0x80 {
            end -= 1;
        }
        bytes.truncate(end);
        bytes.push(b'-');
        bytes.extend_from_slice(&digest.as_bytes()[..8]);
    }
    OsString::from_vec(bytes)
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
        let (folder, name) = Placement::of(&manifest, new.is_some()).place(SampleId(row), new);
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
    fn labels_in_file_names_stay_until_one_changes() {
        let rows = [("cat.1.jpg", "cat"), ("dog.2.jpg", "dog")];
        assert_eq!(place(&rows, 0, None), "cat.1.jpg");
        assert_eq!(place(&rows, 0, Some("dog")), "dog/cat.1.jpg");
        assert_eq!(place(&[("1.jpg", "cat"), ("2.jpg", "dog")], 0, None), "cat/1.jpg");
        assert_eq!(place(&[("/far/1.jpg", "cat"), ("../2.jpg", "")], 1, None), "_unlabeled/2.jpg");
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let (one, other) = ("é".repeat(200), "é".repeat(201));
        assert_ne!(folder_name(&one), folder_name(&other));
        assert!(folder_name(&one).len() <= LONGEST && folder_name(&one).to_str().is_some());
    }
}
