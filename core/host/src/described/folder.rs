//! Whether the code of a program has changed: a digest of the files in its folder.

use crate::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// The most files that are read; of the others, size and time count.
const FILES: usize = 2000;
/// The same for the bytes of all files.
const BYTES: u64 = 256 << 20;
/// The most files that are remembered one by one, and how many are named in a sentence.
const NAMED: usize = 200;
const SHOWN: usize = 3;
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

/// The digest of the code that a command runs in a folder, and the beginning of the digest of each file, by which one that has
/// changed can be named; of none if there are many.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn digest(folder: &Path, command: &[String]) -> Result<(String, BTreeMap<String, String>)> {
    let (mut hasher, mut files) = (blake3::Hasher::new(), BTreeMap::new());
    let mut left = BYTES;
    let code = code(folder, command)?;
    for (number, path) in code.iter().enumerate() {
        let metadata = std::fs::metadata(path).map_err(Error::io("inspect", path))?;
        let name = path.strip_prefix(folder).unwrap_or(path);
        let mut both = Both(&mut hasher, blake3::Hasher::new());
        both.take(name.as_os_str().as_encoded_bytes());
        both.take(&[0]);
        both.take(&metadata.len().to_le_bytes());
        if number < FILES && metadata.len() <= left {
            left -= metadata.len();
            let file = File::open(path).map_err(Error::io("read", path))?;
            std::io::copy(&mut file.take(metadata.len()), &mut both).map_err(Error::io("read", path))?;
        } else if let Ok(time) = metadata.modified().map(|time| time.duration_since(std::time::UNIX_EPOCH)) {
            both.take(&time.unwrap_or_default().as_nanos().to_le_bytes());
        }
        if code.len() <= NAMED {
            let beginning = both.1.finalize().to_hex().chars().take(16).collect();
            files.insert(name.to_string_lossy().into_owned(), beginning);
        }
    }
    Ok((hasher.finalize().to_hex().to_string(), files))
}

/// The digest of everything, and that of one file.
struct Both<'a>(&'a mut blake3::Hasher, blake3::Hasher);

impl Both<'_> {
    fn take(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
        self.1.update(bytes);
    }
}

impl Write for Both<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.take(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What is different between the files of a folder then and now, as a clause; that of the folder as a whole if that is not
/// known.
pub(crate) fn difference(
    folder: &Path,
    then: &BTreeMap<String, String>,
    now: &BTreeMap<String, String>,
) -> String {
    let path = |name: &String| folder.join(name).display().to_string();
    let of = |all: &BTreeMap<String, String>, wanted: &dyn Fn(&String, &String) -> bool| -> Vec<String> {
        all.iter().filter(|(name, digest)| wanted(name, digest)).map(|(name, _)| path(name)).collect()
    };
    let changed = of(now, &|name, digest| then.get(name).is_some_and(|known| known != digest));
    let added = of(now, &|name, _| !then.contains_key(name));
    let gone = of(then, &|name, _| !now.contains_key(name));
    if then.is_empty() || now.is_empty() || (changed.is_empty() && added.is_empty() && gone.is_empty()) {
        return format!("the code in {} has changed", folder.display());
    }
    let clause = |paths: Vec<String>, one: &str, many: &str| match paths.len() {
        0 => None,
        1 => Some(format!("{} {one}", paths[0])),
        count if count > SHOWN => {
            Some(format!("{} and {} more {many}", paths[..SHOWN].join(", "), count - SHOWN))
        }
        _ => Some(format!("{} {many}", paths.join(", "))),
    };
    let clauses = [
        clause(changed, "has changed", "have changed"),
        clause(added, "is new", "are new"),
        clause(gone, "is gone", "are gone"),
    ];
    clauses.into_iter().flatten().collect::<Vec<String>>().join("; ")
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
            digest(temp.path(), &["python3".into(), "target/run.py".into()]).unwrap().0
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

    #[test]
    fn what_is_different_is_named_by_its_file() {
        let folder = Path::new("/d");
        let files = |all: &[(&str, &str)]| -> BTreeMap<String, String> {
            all.iter().map(|(name, digest)| ((*name).to_owned(), (*digest).to_owned())).collect()
        };
        let then = files(&[("detector.toml", "1"), ("odd.py", "2"), ("old.py", "3")]);
        let script = files(&[("detector.toml", "1"), ("odd.py", "9"), ("old.py", "3")]);
        assert_eq!(difference(folder, &then, &script), "/d/odd.py has changed");
        let more = files(&[("detector.toml", "0"), ("odd.py", "9"), ("new.py", "3")]);
        assert_eq!(
            difference(folder, &then, &more),
            "/d/detector.toml, /d/odd.py have changed; /d/new.py is new; /d/old.py is gone"
        );
        assert_eq!(difference(folder, &files(&[]), &more), "the code in /d has changed");
    }
}
