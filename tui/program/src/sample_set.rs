//! The built-in sample set: images embedded in the program, unpacked into the cache.

use anyhow::{Context, Result};
use chaffinch_compute::content::ContentHash;
use chaffinch_protocol::display::safe_path;
use etcetera::BaseStrategy;
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The relative path and contents of every file.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/demo.rs"));

/// The unpacked set.
pub(super) struct SampleSet {
    /// The dataset: a folder of class folders.
    pub(super) images: PathBuf,
    /// Planted faults by path relative to the dataset.
    pub(super) faults: BTreeMap<String, String>,
}

/// Unpacks the set, unless an earlier run did.
pub(super) fn unpack() -> Result<SampleSet> {
    let cache = etcetera::choose_base_strategy().context("no home folder for the cache; set HOME")?;
    unpack_into(&cache.cache_dir().join("chaffinch"))
}

fn unpack_into(cache: &Path) -> Result<SampleSet> {
    let folder = cache.join(format!("demo-{}", version()));
    if !complete(&folder) {
        // Write to a temporary folder and rename it, so that killed or concurrent runs leave no incomplete set.
        let draft = cache.join(format!(".demo-{}", std::process::id()));
        write_all(&draft)?;
        if folder.exists() {
            repair(&draft, &folder)?;
        } else if let Err(error) = fs::rename(&draft, &folder)
            && !complete(&folder)
        {
            return Err(error).with_context(|| format!("cannot create {}", safe_path(&folder)));
        }
        let _ = fs::remove_dir_all(&draft);
    }
    Ok(SampleSet { images: folder.join("images"), faults: faults() })
}

/// Identifies the contents of the set, so that a different set gets a different folder.
fn version() -> String {
    let mut all = Vec::new();
    for (name, bytes) in FILES {
        all.extend_from_slice(name.as_bytes());
        all.extend_from_slice(&ContentHash::of(bytes).0);
    }
    ContentHash::of(&all).to_string()[..12].to_owned()
}

fn complete(folder: &Path) -> bool {
    FILES.iter().all(|(name, bytes)| {
        fs::metadata(folder.join(name)).is_ok_and(|data| data.is_file() && data.len() == bytes.len() as u64)
    })
}

fn write_all(folder: &Path) -> Result<()> {
    for (name, bytes) in FILES {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).with_context(|| format!("cannot create {}", safe_path(parent)))?;
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", safe_path(&path)))?;
    }
    Ok(())
}

/// Restores deleted and modified files.
fn repair(draft: &Path, folder: &Path) -> Result<()> {
    for (name, _) in FILES {
        let (from, to) = (draft.join(name), folder.join(name));
        let renamed = fs::rename(&from, &to).or_else(|error| match (error.kind(), to.parent()) {
            (ErrorKind::NotFound, Some(parent)) => {
                fs::create_dir_all(parent)?;
                fs::rename(&from, &to)
            }
            _ => Err(error),
        });
        renamed.with_context(|| format!("cannot write {}", safe_path(&to)))?;
    }
    Ok(())
}

/// The planted faults, by path.
fn faults() -> BTreeMap<String, String> {
    let truth = FILES.iter().find(|(name, _)| *name == "truth.csv").map_or(&b""[..], |(_, bytes)| bytes);
    // Our own table, without quotes: path,label,is_error,fault. The fault is empty if nothing was planted.
    let text = String::from_utf8_lossy(truth);
    let lines = text.lines().skip(1).map(|line| line.split(',').collect::<Vec<&str>>());
    lines
        .filter_map(|cells| match cells.as_slice() {
            [path, _, _, fault] if !fault.is_empty() => Some(((*path).to_owned(), (*fault).to_owned())),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacks_once_and_repairs_what_is_missing() {
        let cache = tempfile::tempdir().unwrap();
        let first = unpack_into(cache.path()).unwrap();
        let image = first.images.join("cat/001.jpg");
        fs::remove_file(&image).unwrap();
        let second = unpack_into(cache.path()).unwrap();
        assert_eq!(first.images, second.images);
        assert!(image.is_file());
        assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 1, "no draft stays behind");
    }

    #[test]
    fn every_planted_fault_is_a_file_of_the_set() {
        let faults = faults();
        assert!(faults.len() >= 20, "{}", faults.len());
        for path in faults.keys() {
            assert!(FILES.iter().any(|(name, _)| *name == format!("images/{path}")), "{path}");
        }
    }
}
