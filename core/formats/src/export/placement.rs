//! Where a sample goes in a copy of the dataset.
//!
//! A folder of pictures keeps its paths, whatever gives its labels: undecided files stay where they were, folders
//! above and below the class included. Only a relabeled sample changes the folder of its class. So does a table whose
//! paths have class folders. Everything else (tables with paths that say nothing) is put into folders of splits and
//! classes.

use super::class_folders::ClassFolders;
use crate::dataset;
use chaffinch_data::class_names;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::output::{UNLABELED, folder_name};
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::sample::SampleId;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// Where samples go.
pub(crate) struct Placement<'a> {
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
pub(super) const WITHOUT_SPLIT: &str = "no-split";

/// Paths stay as they are.
struct Kept {
    classes: ClassFolders,
    /// Whether the folders say the label of every sample that has one.
    say_all: bool,
    /// Whether labels are in the names of files, and a relabeled one could not be told by its own: all samples with a
    /// label get class folders.
    from_names: bool,
}

/// The place of a sample.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    /// The name of its file.
    pub(crate) name: OsString,
    /// The folder of the class it was relabeled to, where that is not spelled like the class.
    pub(crate) spelled: Option<PathBuf>,
}

impl<'a> Placement<'a> {
    /// `new` are the labels that samples get in place of their own; `tables` says whether tables that stand beside the
    /// pictures come along, and say what they said.
    pub(crate) fn of(manifest: &'a Manifest, new: &BTreeSet<String>, tables: bool) -> Placement<'a> {
        Placement::with(manifest, new, kept(manifest, !new.is_empty(), tables))
    }

    /// The same in folders of splits and classes, whatever the paths say.
    pub(super) fn made(manifest: &'a Manifest, new: &BTreeSet<String>) -> Placement<'a> {
        Placement::with(manifest, new, None)
    }

    fn with(manifest: &'a Manifest, new: &BTreeSet<String>, kept: Option<Kept>) -> Placement<'a> {
        let mut folders: BTreeMap<String, OsString> = BTreeMap::new();
        if let Some(kept) = &kept {
            folders.extend(kept.classes.all());
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
        Placement { manifest, kept, folders, has_splits: Placement::has_any_split(manifest) }
    }

    /// Whether any sample has a split, so that made folders begin with those of splits.
    pub(super) fn has_any_split(manifest: &Manifest) -> bool {
        manifest.ids().any(|id| !manifest.split_as_written(id).trim().is_empty())
    }

    /// Whether made folders begin with those of splits.
    pub(super) fn has_splits(&self) -> bool {
        self.has_splits
    }

    /// Classes that cannot have a folder of their name, in sentences.
    pub(crate) fn renamed(&self) -> Vec<String> {
        let other = self.folders.iter().filter(|(name, folder)| {
            // A class whose label is not in a folder's name needs none.
            let needed = self.kept.as_ref().is_none_or(|kept| kept.from_names || !self.is_known(name));
            needed && class_names::clean(&class_names::of_bytes(folder.as_bytes())) != name.as_str()
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

    /// Whether files stay where they were, but for relabeled ones.
    pub(crate) fn keeps_paths(&self) -> bool {
        self.kept.is_some()
    }

    /// Whether labels are in the names of files.
    pub(crate) fn labels_are_in_names(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.from_names)
    }

    fn is_known(&self, class: &str) -> bool {
        self.manifest.classes().binary_search_by(|known| known.as_str().cmp(class)).is_ok()
    }

    /// Where a sample's file goes; `new` is its label if that is another one than before, and `in_table` whether a table
    /// beside it says it.
    pub(crate) fn place(&self, id: SampleId, new: Option<&str>, in_table: bool) -> Place {
        let path = self.manifest.path(id);
        let name = path.file_name().unwrap_or_default().to_owned();
        let above = path.parent().unwrap_or(Path::new(""));
        let old = self.manifest.label_name(id);
        let (folder, class) = match (&self.kept, new) {
            (Some(kept), new) if kept.from_names && !(old.is_empty() && new.is_none()) => {
                (above.join(self.folder(new.unwrap_or(old))), None)
            }
            (Some(_), None) => (above.to_owned(), None),
            (Some(kept), _) if in_table && !kept.say_all => (above.to_owned(), None),
            (Some(kept), Some(new)) => {
                let place = kept.classes.moved(above, old, new, &|label| self.folder(label));
                (place.folder, Some((place.class, new)))
            }
            (None, new) => (self.by_split(id, new), None),
        };
        // A new class has no folder of its own yet: that its folder has another name is said once, of the class.
        let spelled =
            class.filter(|(class, new)| self.is_known(new) && *class.as_bytes() != *class_names::bytes(new));
        Place { folder, name, spelled: spelled.map(|(class, _)| PathBuf::from(class)) }
    }

    fn folder(&self, label: &str) -> OsString {
        self.folders.get(label).cloned().unwrap_or_else(|| folder_name(label))
    }

    /// The folder of split and class.
    fn by_split(&self, id: SampleId, new: Option<&str>) -> PathBuf {
        let label = new.unwrap_or_else(|| self.manifest.label_name(id));
        let class = if label.is_empty() { UNLABELED.into() } else { self.folder(label) };
        match self.manifest.split_as_written(id).trim() {
            "" if self.has_splits => Path::new(WITHOUT_SPLIT).join(class),
            "" => class.into(),
            split => Path::new(&folder_name(split)).join(class),
        }
    }
}

/// Whether the paths say the classes, and where.
fn kept(manifest: &Manifest, relabeled: bool, tables: bool) -> Option<Kept> {
    let plain = |id| manifest.path(id).components().all(|part| matches!(part, Component::Normal(_)));
    if !manifest.ids().all(plain) {
        return None;
    }
    let classes = ClassFolders::of(manifest);
    let say_all = classes.say_all(manifest);
    if manifest.table().is_some() {
        // A table may know more of its samples than their paths say.
        let kept = say_all && manifest.ids().all(|id| path_says_split(manifest, id));
        return kept.then_some(Kept { classes, say_all, from_names: false });
    }
    // What the folders do not say, other files say, or the names of the pictures. Splits that come from elsewhere, such as
    // the names of shards, are in no path.
    let splits = || tables || manifest.ids().all(|id| path_says_split(manifest, id));
    if !((say_all || tables) && splits() || dataset::paths_say(manifest)) {
        return None;
    }
    let from_names = relabeled && !say_all && !tables && labels_begin_names(manifest);
    Some(Kept { classes, say_all, from_names })
}

fn path_says_split(manifest: &Manifest, id: SampleId) -> bool {
    let written = manifest.split_as_written(id).trim();
    written.is_empty()
        || manifest
            .path(id)
            .parent()
            .is_some_and(|folder| folder.iter().any(|part| part.as_bytes() == written.as_bytes()))
}

/// Whether the names of files begin with their labels.
fn labels_begin_names(manifest: &Manifest) -> bool {
    manifest.ids().filter(|&id| manifest.label(id).is_some()).all(|id| {
        let name = manifest.path(id).file_name().unwrap_or_default();
        name.as_bytes().starts_with(manifest.label_as_written(id).as_bytes())
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
        let Place { folder, name, .. } =
            Placement::of(&manifest, &labels, false).place(SampleId(row), new, false);
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
        let placement = Placement::of(&manifest, &BTreeSet::new(), false);
        let places = [0, 1].map(|row| placement.place(SampleId(row), None, false).folder);
        assert_eq!(places, [Path::new("a_b"), Path::new("a_b-2")]);
        assert_eq!(placement.renamed().len(), 2);
        assert!(
            Placement::of(&manifest, &BTreeSet::new(), false).renamed()[0]
                .contains("'a/b' is in the folder a_b")
        );
    }

    #[test]
    fn a_new_class_that_cannot_be_a_folder_is_said_once() {
        let manifest = manifest(&[("cat/1.jpg", "cat")]);
        let new = BTreeSet::from(["..".to_owned()]);
        let placement = Placement::of(&manifest, &new, false);
        let place = placement.place(SampleId(0), Some(".."), false);
        assert_eq!((place.folder, place.spelled), (PathBuf::from("__"), None));
        assert_eq!(placement.renamed(), ["the class '..' is in the folder __"]);
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
