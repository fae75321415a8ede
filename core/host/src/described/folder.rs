//! Whether the code of a program has changed: a digest of the files in its folder.

use crate::{Error, Result};
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

/// The most files that are read; of the others, size and time count.
const FILES: usize = 2000;
/// The same for the bytes of all files.
const BYTES: u64 = 256 << 20;
/// Folders with what is built or installed.
const BUILT: [&str; 5] = ["__pycache__", "node_modules", "target", "venv", "build"];

/// The files of a project, sorted, without hidden ones and what is built from others. What links lead to counts, too.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    let mut seen = BTreeSet::new();
    while let Some(folder) = open.pop() {
        // A link may lead back to where it is.
        if !seen.insert(std::fs::canonicalize(&folder).map_err(Error::io("find", &folder))?) {
            continue;
        }
        for entry in std::fs::read_dir(&folder).map_err(Error::io("list", &folder))? {
            let entry = entry.map_err(Error::io("list", &folder))?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') || name.ends_with(".pyc") || BUILT.contains(&&*name) {
                continue;
            }
            // A link to nothing is nothing.
            let Ok(meta) = std::fs::metadata(entry.path()) else { continue };
            if meta.is_dir() {
                open.push(entry.path());
            } else if meta.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The files of a project and those of its folder that its command names, which may be built ones.
pub(crate) fn code(folder: &Path, command: &[String]) -> Result<Vec<PathBuf>> {
    let mut all = files(folder)?;
    let own = std::fs::canonicalize(folder).map_err(Error::io("find", folder))?;
    for word in command {
        let path = folder.join(word);
        let inside = std::fs::canonicalize(&path).is_ok_and(|path| path.starts_with(&own) && path.is_file());
        if inside {
            all.push(path);
        }
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// The digest of the code that a command runs in a folder.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn digest(folder: &Path, command: &[String]) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut left = BYTES;
    for (number, path) in code(folder, command)?.iter().enumerate() {
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
            digest(temp.path(), &["python3".into(), "target/run.py".into()]).unwrap()
        };
        let first = write("a.py", "one");
        assert_eq!(write("__pycache__/a.pyc", "x"), first);
        assert_eq!(write(".hidden", "x"), first);
        let second = write("inside/b.py", "two");
        assert_ne!(second, first);
        assert_eq!(write("inside/b.py", "two"), second);
        assert_ne!(write("inside/b.py", "owt"), second);
        let third = write("target/other.py", "x");
        assert_ne!(write("target/run.py", "x"), third, "what the command names counts wherever it is");
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("c.py"), "one").unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), temp.path().join("linked")).unwrap();
        std::os::unix::fs::symlink(temp.path(), temp.path().join("round")).unwrap();
        let linked = write("a.py", "one");
        fs::write(elsewhere.path().join("c.py"), "two").unwrap();
        assert_ne!(write("a.py", "one"), linked, "what a link leads to counts");
    }
}
