//! Which folders of a dataset's paths stand for classes, and where a sample goes that gets another class.

use chaffinch_data::class_names;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The folders of one class, with their samples.
type Folders = BTreeMap<OsString, u64>;

/// The class folders of a dataset.
pub(super) struct ClassFolders {
    /// How many folders stand above most class folders.
    depth: usize,
    /// By the folders above them and by class.
    within: BTreeMap<PathBuf, BTreeMap<String, Folders>>,
    /// By class alone.
    anywhere: BTreeMap<String, Folders>,
}

/// Where a relabeled sample goes.
pub(super) struct Moved {
    pub(super) folder: PathBuf,
    /// The folder in it that stands for the class.
    pub(super) class: OsString,
}

impl ClassFolders {
    /// Finds the class folders in the paths of all samples.
    pub(super) fn of(manifest: &Manifest) -> ClassFolders {
        let mut depths: BTreeMap<usize, u64> = BTreeMap::new();
        let labeled = || manifest.ids().filter(|&id| manifest.label(id).is_some());
        for id in labeled() {
            for (depth, _) in
                folders_of(manifest, id).filter(|(_, folder)| class_of(folder) == manifest.label_name(id))
            {
                *depths.entry(depth).or_default() += 1;
            }
        }
        // The topmost of those that most samples have.
        let most = depths.iter().max_by_key(|(depth, count)| (**count, std::cmp::Reverse(**depth)));
        let depth = most.map_or_else(
            // Nothing has a label: new classes become folders below the split.
            || usize::from(manifest.splits().iter().any(|&split| split != 0)),
            |(depth, _)| *depth,
        );
        let mut all = ClassFolders { depth, within: BTreeMap::new(), anywhere: BTreeMap::new() };
        for id in labeled() {
            let label = manifest.label_name(id);
            let above = manifest.path(id).parent().unwrap_or(Path::new(""));
            let Some(at) = all.class_at(above, label) else { continue };
            let parts: Vec<&OsStr> = above.iter().collect();
            let within = all.within.entry(parts[..at].iter().collect()).or_default();
            *within.entry(label.to_owned()).or_default().entry(parts[at].to_owned()).or_default() += 1;
            *all.anywhere.entry(label.to_owned()).or_default().entry(parts[at].to_owned()).or_default() += 1;
        }
        all
    }

    /// Whether the folder at one depth is that of its class in every path of a sample with a label.
    pub(super) fn say_all(&self, manifest: &Manifest) -> bool {
        manifest.ids().filter(|&id| manifest.label(id).is_some()).all(|id| {
            let folder = folders_of(manifest, id).nth(self.depth);
            folder.is_some_and(|(_, folder)| class_of(folder) == manifest.label_name(id))
        })
    }

    /// The folder of each class: the one that is spelled like it, or else the one with most samples.
    pub(super) fn all(&self) -> impl Iterator<Item = (String, OsString)> {
        self.anywhere.iter().filter_map(|(class, folders)| Some((class.clone(), best(folders, class)?)))
    }

    /// Which of the folders `above` a file is that of its class.
    fn class_at(&self, above: &Path, label: &str) -> Option<usize> {
        let is_class = |folder: &OsStr| class_of(folder) == label;
        match above.iter().nth(self.depth).is_some_and(is_class) {
            true => Some(self.depth),
            false => above.iter().position(is_class),
        }
    }

    /// Where a sample in the folder `above` goes whose label was `old`, empty if it had none: the same place with another
    /// class in it. A class that has a folder beside the old one gets that one; `other` is the folder of any class.
    pub(super) fn moved(
        &self,
        above: &Path,
        old: &str,
        new: &str,
        other: &dyn Fn(&str) -> OsString,
    ) -> Moved {
        let parts: Vec<&OsStr> = above.iter().collect();
        let at = if old.is_empty() { None } else { self.class_at(above, old) };
        if at.is_none() && !old.is_empty() {
            // `positive_train`: the class is a part of the folder's name.
            if let Some((at, folder)) = replaced(&parts, old, new) {
                let class = class_names::bytes(new).into_owned();
                let parts = parts[..at]
                    .iter()
                    .copied()
                    .chain([folder.as_os_str()])
                    .chain(parts[at + 1..].iter().copied());
                return Moved { folder: parts.collect(), class: OsString::from_vec(class) };
            }
        }
        let (before, after) = match at {
            Some(at) => (&parts[..at], &parts[at + 1..]),
            // A sample without a label is in no class folder.
            None => (&parts[..self.depth.min(parts.len())], &[][..]),
        };
        let before: PathBuf = before.iter().collect();
        let here = self.within.get(&before).and_then(|classes| classes.get(new));
        let class = here.and_then(|folders| best(folders, new)).unwrap_or_else(|| other(new));
        let folder = before.join(&class).join(after.iter().collect::<PathBuf>());
        Moved { folder: folder.components().collect(), class }
    }
}

/// The folders above a file with their depths.
fn folders_of(manifest: &Manifest, id: SampleId) -> impl Iterator<Item = (usize, &OsStr)> {
    manifest.path(id).parent().map(Path::iter).into_iter().flatten().enumerate()
}

/// The one that is spelled like the class, or else the one with most samples.
fn best(folders: &Folders, class: &str) -> Option<OsString> {
    let own = class_names::bytes(class);
    let key = |(folder, count): &(&OsString, &u64)| (folder.as_bytes() == &*own, **count);
    // Of equals the first in byte order.
    folders.iter().rev().max_by_key(key).map(|(folder, _)| folder.clone())
}

/// The last folder whose name contains the class, with another one in its place.
fn replaced(parts: &[&OsStr], old: &str, new: &str) -> Option<(usize, OsString)> {
    let (old, new) = (class_names::bytes(old), class_names::bytes(new));
    if new.contains(&b'/') || new.contains(&0) {
        return None;
    }
    let find = |part: &OsStr| part.as_bytes().windows(old.len()).position(|window| window == &*old);
    let (at, start) = parts.iter().enumerate().rev().find_map(|(at, part)| Some((at, find(part)?)))?;
    let bytes = parts[at].as_bytes();
    let name = [&bytes[..start], &new, &bytes[start + old.len()..]].concat();
    Some((at, OsString::from_vec(name)))
}

/// The class that a folder stands for.
fn class_of(folder: &OsStr) -> String {
    class_names::clean(&class_names::of_bytes(folder.as_bytes())).into_owned()
}
