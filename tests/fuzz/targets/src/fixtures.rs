//! Files of the repository's fixtures.

use std::fs;
use std::path::{Path, PathBuf};

/// A file of a dataset by its path, and its bytes.
pub(crate) type Named = (String, Vec<u8>);

fn core() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../core")
}

/// A file below `core`.
pub(crate) fn file(path: &str) -> Vec<u8> {
    let path = core().join(path);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files of a folder below `core`, in the order of their names.
pub(crate) fn folder(path: &str) -> Vec<Named> {
    below(&core().join(path))
}

/// All files of a folder, in the order of their names.
pub(crate) fn below(root: &Path) -> Vec<Named> {
    let mut all = Vec::new();
    collect(root, root, &mut all);
    all.sort();
    all
}

fn collect(root: &Path, folder: &Path, all: &mut Vec<Named>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => collect(root, &path, all),
            false => {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                all.push((name, fs::read(&path).unwrap()));
            }
        }
    }
}

/// Files written here.
pub(crate) fn named(files: &[(&str, &[u8])]) -> Vec<Named> {
    files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect()
}
