//! The folders that hold pictures.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// A folder with pictures in it or below it.
#[derive(Clone, Debug, Default)]
pub(super) struct Folder {
    /// Pictures directly in it.
    pub(super) files: u64,
    /// Its folders that have pictures in them or below them.
    pub(super) folders: BTreeMap<OsString, Folder>,
}

impl Folder {
    /// The folders of these pictures.
    pub(super) fn of(paths: &[PathBuf]) -> Folder {
        let mut root = Folder::default();
        // Neighbors in the list mostly share their folder, so that it is looked up once.
        let mut at = 0;
        while at < paths.len() {
            let parent = paths[at].parent().unwrap_or(Path::new(""));
            let end = paths[at..].iter().position(|path| path.parent() != Some(parent));
            let end = end.map_or(paths.len(), |length| at + length);
            let folder = parent
                .iter()
                .fold(&mut root, |folder, name| folder.folders.entry(name.to_os_string()).or_default());
            folder.files += (end - at) as u64;
            at = end;
        }
        root
    }

    /// Pictures in it and below it.
    pub(super) fn total(&self) -> u64 {
        self.files + self.folders.values().map(Folder::total).sum::<u64>()
    }

    /// Whether all its pictures are directly in it.
    pub(super) fn is_flat(&self) -> bool {
        self.folders.is_empty()
    }

    /// Its only folder, if all its pictures are below that.
    pub(super) fn only(&self) -> Option<(&OsStr, &Folder)> {
        match self.folders.iter().next() {
            Some((name, folder)) if self.files == 0 && self.folders.len() == 1 => Some((name, folder)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_counted_where_they_are() {
        let paths: Vec<PathBuf> = ["a/b/1", "a/b/2", "a/3", "4"].map(PathBuf::from).into();
        let root = Folder::of(&paths);
        assert_eq!((root.files, root.total()), (1, 4));
        assert_eq!(root.folders[OsStr::new("a")].files, 1);
        assert!(root.folders[OsStr::new("a")].folders[OsStr::new("b")].is_flat());
        assert!(root.only().is_none());
    }
}
