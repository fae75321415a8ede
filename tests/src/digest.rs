//! Digests of files and folders, to verify that they are equal or unchanged.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// The digest of every file below a folder, by its path in it.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    let entries = WalkDir::new(folder).into_iter().map(|entry| entry.unwrap());
    entries
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let digest = blake3::hash(&std::fs::read(entry.path()).unwrap()).to_hex().to_string();
            (entry.path().strip_prefix(folder).unwrap().to_path_buf(), digest)
        })
        .collect()
}

/// Everything about a folder that writing to it would change: names, contents, modes and modification times.
pub fn untouched(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut all = files(folder);
    for entry in WalkDir::new(folder).into_iter().map(|entry| entry.unwrap()) {
        let meta = entry.path().symlink_metadata().unwrap();
        let file_metadata =
            format!("{:o} {} {}.{}", meta.mode(), meta.size(), meta.mtime(), meta.mtime_nsec());
        let name = entry.path().strip_prefix(folder).unwrap().to_path_buf();
        let digest = all.entry(name).or_default();
        digest.push_str(&file_metadata);
    }
    all
}
