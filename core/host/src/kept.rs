//! What detectors store between runs: trained models and the like, as bytes by name and version.
//!
//! `DIR/NAME-000001` and so on; each file is a BLAKE3 digest and then the bytes, written under another name and
//! renamed. A version never changes. A damaged file counts as absent. Names and sizes are checked in the contract's
//! bridge, where a detector passes them.

use crate::{Error, Result};
use chaffinch_data::atomic;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Number of versions kept per name; older ones are deleted.
const VERSIONS: usize = 20;
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

    /// The bytes of a version, or of the newest; `None` if it does not exist or is damaged.
    ///
    /// # Errors
    /// When the folder or the file exists but cannot be read.
    pub(super) fn read(&self, name: &str, version: Option<u32>) -> Result<Option<(u32, Vec<u8>)>> {
        let Some(version) = version.or(self.versions(name)?.last().copied()) else { return Ok(None) };
        let path = self.path(name, version);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", &path)(error)),
        };
        let whole = bytes.len() >= DIGEST && *blake3::hash(&bytes[DIGEST..]).as_bytes() == bytes[..DIGEST];
        Ok(whole.then(|| (version, bytes[DIGEST..].to_vec())))
    }

    /// The version these bytes would get: the newest if they are equal to it, else the next.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(super) fn version_of(&self, name: &str, bytes: &[u8]) -> Result<u32> {
        match self.read(name, None)? {
            Some((version, known)) if known == bytes => Ok(version),
            // The newest may be damaged: its number is still taken.
            _ => Ok(self.versions(name)?.last().map_or(1, |newest| newest + 1)),
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
        let number = |path: &Path| -> Option<u32> {
            path.file_name()?.to_str()?.strip_prefix(name)?.strip_prefix('-')?.parse().ok()
        };
        let mut versions = Vec::new();
        match fs::read_dir(&self.dir) {
            Ok(entries) => {
                for entry in entries {
                    let path = entry.map_err(Error::io("list", &self.dir))?.path();
                    versions.extend(number(&path));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("list", &self.dir)(error)),
        }
        versions.sort_unstable();
        Ok(versions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_counted_equal_ones_are_one_and_damage_is_absence() {
        let temp = tempfile::tempdir().unwrap();
        let folder = KeepFolder::new(temp.path().join("models/pollution"));
        assert_eq!(folder.read("model", None).unwrap(), None);
        assert_eq!(folder.version_of("model", b"one").unwrap(), 1);
        folder.write("model", 1, b"one").unwrap();
        assert_eq!(folder.version_of("model", b"one").unwrap(), 1);
        assert_eq!(folder.version_of("model", b"two").unwrap(), 2);
        folder.write("model", 2, b"two").unwrap();
        assert_eq!(folder.read("model", None).unwrap(), Some((2, b"two".to_vec())));
        assert_eq!(folder.read("model", Some(1)).unwrap(), Some((1, b"one".to_vec())));
        assert_eq!(folder.read("model", Some(7)).unwrap(), None);
        let newest = folder.path("model", 2);
        let mut bytes = fs::read(&newest).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&newest, bytes).unwrap();
        assert_eq!(folder.read("model", None).unwrap(), None);
        assert_eq!(folder.version_of("model", b"two").unwrap(), 3);
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
