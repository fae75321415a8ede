//! Whether the code of a program has changed: a digest of the files in its folder.

use crate::{Error, Result};
use std::fs::File;
use std::path::{Path, PathBuf};

/// The most files that are read; of the others, size and time count.
const FILES: usize = 2000;
/// The same for the bytes of all files.
const BYTES: u64 = 256 << 20;
/// Folders with what is built or installed.
const BUILT: [&str; 5] = ["__pycache__", "node_modules", "target", "venv", "build"];

/// The files of a project, sorted, without hidden ones and what is built from others.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).map_err(Error::io("list", &folder))? {
            let entry = entry.map_err(Error::io("list", &folder))?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') || name.ends_with(".pyc") {
                continue;
            }
            let kind = entry.file_type().map_err(Error::io("inspect", &entry.path()))?;
            if kind.is_dir() && !BUILT.contains(&&*name) {
                open.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The digest of everything in a folder.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn digest(folder: &Path) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut left = BYTES;
    for (number, path) in files(folder)?.iter().enumerate() {
        let metadata = std::fs::metadata(path).map_err(Error::io("inspect", path))?;
        let name = path.strip_prefix(folder).unwrap_or(path);
        hasher.update(name.as_os_str().as_encoded_bytes()).update(&[0]).update(&metadata.len().to_le_bytes());
        if number < FILES && metadata.len() <= left {
            left -= metadata.len();
            let file = File::open(path).map_err(Error::io("read", path))?;
            hasher
                .update_reader(std::io::Read::take(file, metadata.len()))
                .map_err(Error::io("read", path))?;
        } else if let Ok(time) = metadata.modified().map(|time| time.duration_since(std::time::UNIX_EPOCH)) {
            hasher.update(&time.unwrap_or_default().as_nanos().to_le_bytes());
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_change_changes_it_and_what_is_built_does_not() {
        let temp = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = temp.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
            digest(temp.path()).unwrap()
        };
        let first = write("a.py", "one");
        assert_eq!(write("__pycache__/a.pyc", "x"), first);
        assert_eq!(write(".hidden", "x"), first);
        let second = write("inside/b.py", "two");
        assert_ne!(second, first);
        assert_eq!(write("inside/b.py", "two"), second);
        assert_ne!(write("inside/b.py", "owt"), second);
    }
}
