//! Whether anything has changed in folders of detectors: names, sizes and times, without reading a file. Looking again and
//! again works on every file system; a home folder on a network gives no notice of what another machine put there.

use super::described;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

/// A number for what is in these folders now, and in the list of what is let in. A folder that is not there counts as empty.
pub(super) fn of(folders: &[PathBuf], pins: Option<&Path>) -> u64 {
    let mut hasher = DefaultHasher::new();
    if let Some(pins) = pins {
        file(pins, &mut hasher);
    }
    for folder in folders {
        folder.hash(&mut hasher);
        if folder.join(described::FILE).is_file() {
            project(folder, &mut hasher);
            continue;
        }
        let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        paths.sort_unstable();
        for path in paths {
            if path.join(described::FILE).is_file() {
                project(&path, &mut hasher);
            } else if path.to_string_lossy().ends_with(std::env::consts::DLL_SUFFIX) {
                file(&path, &mut hasher);
            }
        }
    }
    hasher.finish()
}

fn project(folder: &Path, hasher: &mut DefaultHasher) {
    described::files(folder).unwrap_or_default().iter().for_each(|path| file(path, hasher));
}

fn file(path: &Path, hasher: &mut DefaultHasher) {
    path.hash(hasher);
    if let Ok(meta) = std::fs::metadata(path) {
        meta.len().hash(hasher);
        meta.modified().ok().hash(hasher);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_comes_changes_and_goes_shows() {
        let temp = tempfile::tempdir().unwrap();
        let folders = [temp.path().join("detectors")];
        let pins = temp.path().join("pins.json");
        let mut seen = vec![of(&folders, Some(&pins))];
        let mut look = || {
            let now = of(&folders, Some(&pins));
            let new = seen.last() != Some(&now);
            seen.push(now);
            new
        };
        assert!(!look());
        fs::create_dir_all(folders[0].join("odd")).unwrap();
        assert!(!look(), "a folder without a description is not a detector");
        fs::write(folders[0].join("odd/detector.toml"), "name = 'odd'").unwrap();
        assert!(look());
        fs::write(folders[0].join("odd/odd.py"), "1").unwrap();
        assert!(look());
        fs::write(folders[0].join("odd/odd.py"), "12").unwrap();
        assert!(look());
        fs::write(folders[0].join("libx.so"), "x").unwrap();
        assert!(look());
        fs::remove_dir_all(folders[0].join("odd")).unwrap();
        assert!(look());
        fs::write(&pins, "{}").unwrap();
        assert!(look(), "another program has let one in");
        assert!(!look());
    }
}
