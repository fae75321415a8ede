//! What detectors store between runs: trained models and the like, as bytes by name and version.
//!
//! `DIR/NAME-000001` and so on; each file is a BLAKE3 digest and then the bytes, written under another name and
//! renamed. A version never changes. A damaged file counts as absent. Names and sizes are checked in the contract's
//! bridge, where a detector passes them.

use crate::{Error, Result};
use chaffinch_data::atomic;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

/// Number of versions kept per name; older ones are deleted.
const VERSIONS: usize = 20;
/// Number of names that something is kept under.
const NAMES: usize = 100;
const DIGEST: usize = blake3::OUT_LEN;

/// One detector's folder.
#[derive(Debug, Clone)]
pub struct KeepFolder {
    dir: PathBuf,
}

impl KeepFolder {
    /// The folder, which is created when something is first stored.
    pub fn new(dir: impl Into<PathBuf>) -> KeepFolder {
        KeepFolder { dir: dir.into() }
    }

    /// The newest version of a name, if there is one.
    ///
    /// # Errors
    /// When the folder exists but cannot be read.
    pub(super) fn newest(&self, name: &str) -> Result<Option<u32>> {
        Ok(self.versions(name)?.last().copied())
    }

    /// The bytes of a version; `None` if it does not exist or is damaged.
    ///
    /// # Errors
    /// When the file exists but cannot be read.
    pub(super) fn read(&self, name: &str, version: u32) -> Result<Option<Vec<u8>>> {
        let path = self.path(name, version);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", &path)(error)),
        };
        let whole = bytes.len() >= DIGEST && *blake3::hash(&bytes[DIGEST..]).as_bytes() == bytes[..DIGEST];
        Ok(whole.then(|| bytes[DIGEST..].to_vec()))
    }

    /// Whether there is room for this name beside those that are there and those that will be.
    ///
    /// # Errors
    /// A sentence, if not, or if the folder cannot be read.
    pub(super) fn has_room_for<'a>(
        &self,
        name: &'a str,
        pending: impl Iterator<Item = &'a str>,
    ) -> std::result::Result<(), String> {
        let mut names: BTreeSet<String> = pending.map(str::to_owned).collect();
        names.insert(name.to_owned());
        for file in self.files().map_err(|error| error.to_string())? {
            // A hidden file is one that is being written.
            if let Some((name, _)) = file.rsplit_once('-').filter(|_| !file.starts_with('.')) {
                names.insert(name.to_owned());
            }
        }
        match names.len() <= NAMES {
            true => Ok(()),
            false => Err(format!("bytes are kept under {NAMES} names already, the limit; use one of them")),
        }
    }

    /// The version these bytes would get: the newest if they are equal to it, else the next.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(super) fn version_of(&self, name: &str, bytes: &[u8]) -> Result<u32> {
        let Some(newest) = self.newest(name)? else { return Ok(1) };
        match self.read(name, newest)? {
            Some(known) if known == bytes => Ok(newest),
            // The newest may be damaged: its number is still taken.
            _ => Ok(newest + 1),
        }
    }

    /// Writes one version and removes the oldest if there are too many.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write(&self, name: &str, version: u32, bytes: &[u8]) -> Result<()> {
        let path = self.path(name, version);
        if path.exists() {
            return Ok(());
        }
        fs::create_dir_all(&self.dir).map_err(Error::io("create", &self.dir))?;
        atomic::write(&path, |out| {
            out.write_all(blake3::hash(bytes).as_bytes())?;
            out.write_all(bytes)
        })?;
        let versions = self.versions(name)?;
        for old in &versions[..versions.len().saturating_sub(VERSIONS)] {
            let path = self.path(name, *old);
            fs::remove_file(&path).map_err(Error::io("remove", &path))?;
        }
        Ok(())
    }

    fn path(&self, name: &str, version: u32) -> PathBuf {
        self.dir.join(format!("{name}-{version:06}"))
    }

    /// The versions of a name, sorted.
    fn versions(&self, name: &str) -> Result<Vec<u32>> {
        let number = |file: &String| file.strip_prefix(name)?.strip_prefix('-')?.parse().ok();
        let mut versions: Vec<u32> = self.files()?.iter().filter_map(number).collect();
        versions.sort_unstable();
        Ok(versions)
    }

    /// The names of all files.
    fn files(&self) -> Result<Vec<String>> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io("list", &self.dir)(error)),
        };
        let name = |entry: io::Result<fs::DirEntry>| entry.map(|entry| entry.file_name().into_string().ok());
        let names: io::Result<Vec<Option<String>>> = entries.map(name).collect();
        Ok(names.map_err(Error::io("list", &self.dir))?.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_counted_equal_ones_are_one_and_damage_is_absence() {
        let temp = tempfile::tempdir().unwrap();
        let folder = KeepFolder::new(temp.path().join("models/pollution"));
        assert_eq!(folder.newest("model").unwrap(), None);
        assert_eq!(folder.version_of("model", b"one").unwrap(), 1);
        folder.write("model", 1, b"one").unwrap();
        assert_eq!(folder.version_of("model", b"one").unwrap(), 1);
        assert_eq!(folder.version_of("model", b"two").unwrap(), 2);
        folder.write("model", 2, b"two").unwrap();
        assert_eq!(folder.newest("model").unwrap(), Some(2));
        assert_eq!(folder.read("model", 2).unwrap(), Some(b"two".to_vec()));
        assert_eq!(folder.read("model", 1).unwrap(), Some(b"one".to_vec()));
        assert_eq!(folder.read("model", 7).unwrap(), None);
        let newest = folder.path("model", 2);
        let mut bytes = fs::read(&newest).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&newest, bytes).unwrap();
        assert_eq!(folder.read("model", 2).unwrap(), None);
        assert_eq!(folder.version_of("model", b"two").unwrap(), 3);
    }

    #[test]
    fn names_are_bounded() {
        let temp = tempfile::tempdir().unwrap();
        let folder = KeepFolder::new(temp.path());
        (0..NAMES - 1).for_each(|name| folder.write(&format!("of-{name}"), 1, b"x").unwrap());
        let room = |name: &str, pending: &[&str]| folder.has_room_for(name, pending.iter().copied());
        room("another", &["another"]).unwrap();
        room("of-7", &["another"]).unwrap();
        assert!(room("one-more", &["another"]).unwrap_err().contains("100 names"));
    }

    #[test]
    fn old_versions_go() {
        let temp = tempfile::tempdir().unwrap();
        let folder = KeepFolder::new(temp.path());
        for version in 1..=VERSIONS as u32 + 3 {
            folder.write("a", version, &version.to_le_bytes()).unwrap();
        }
        assert_eq!(folder.versions("a").unwrap(), (4..=VERSIONS as u32 + 3).collect::<Vec<_>>());
    }
}
