//! All available detectors. The folders are the list: no code names a detector.

use super::check::check_owner;
use super::library::load;
use super::{LoadedDetector, PluginError};
use std::fs;
use std::path::{Path, PathBuf};

/// A place to look for libraries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFolder {
    path: PathBuf,
    prefix: &'static str,
    named: bool,
}

impl PluginFolder {
    /// A folder given by the user: every library in it counts, and it must exist.
    pub fn named(path: impl Into<PathBuf>) -> PluginFolder {
        PluginFolder { path: path.into(), prefix: "", named: true }
    }

    /// Where the bundled detectors are: `plugins/` beside the executable in a release, and cargo's `deps/` in a
    /// checkout, where they are recognized among other libraries by their prefix.
    pub fn own() -> Vec<PluginFolder> {
        let Some(home) = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_path_buf))
        else {
            return Vec::new();
        };
        let deps = if home.file_name().is_some_and(|name| name == "deps") {
            home.clone()
        } else {
            home.join("deps")
        };
        vec![
            PluginFolder { path: home.join("plugins"), prefix: "", named: false },
            PluginFolder { path: deps, prefix: "libchaffinch_", named: false },
        ]
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn libraries(&self) -> Result<Vec<PathBuf>, PluginError> {
        let fail = |reason| PluginError::Unreadable { path: self.path.clone(), reason };
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(fail)? {
            let path = entry.map_err(fail)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            // Libraries with a hyphen in cargo's folder are procedural macros with a hash.
            let ours = self.prefix.is_empty() || (name.starts_with(self.prefix) && !name.contains('-'));
            if ours && name.ends_with(std::env::consts::DLL_SUFFIX) {
                found.push(path);
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

/// A library that was refused, and why.
#[derive(Debug)]
pub struct Refused {
    /// The file or folder.
    pub path: PathBuf,
    /// The reason.
    pub error: PluginError,
}

/// The detectors that were loaded, by name, and the libraries that were refused.
#[derive(Debug, Default)]
pub struct Registry {
    detectors: Vec<LoadedDetector>,
    refused: Vec<Refused>,
}

impl Registry {
    /// Loads all libraries from the folders in order. Broken ones are recorded as refused.
    pub fn load(folders: &[PluginFolder]) -> Registry {
        let mut registry = Registry::default();
        for folder in folders {
            if !folder.named && !folder.path.is_dir() {
                continue;
            }
            match check_owner(&folder.path).and_then(|()| folder.libraries()) {
                Ok(libraries) => libraries.iter().for_each(|path| registry.add(path)),
                Err(error) => registry.refused.push(Refused { path: folder.path.clone(), error }),
            }
        }
        registry
    }

    /// Loads one more library.
    pub fn add(&mut self, path: &Path) {
        match check_owner(path).and_then(|()| load(path)) {
            Ok(detectors) => detectors.into_iter().for_each(|detector| self.admit(detector)),
            Err(error) => self.refused.push(Refused { path: path.into(), error }),
        }
    }

    fn admit(&mut self, detector: LoadedDetector) {
        let name = detector.info().name();
        if let Some(first) = self.find(name) {
            // The same bytes in `plugins/` and in `deps/` are one detector, not a clash.
            if first.digest() != detector.digest() {
                let error = PluginError::DuplicateName {
                    path: detector.path().into(),
                    name: name.into(),
                    first: first.path().into(),
                };
                self.refused.push(Refused { path: detector.path().into(), error });
            }
            return;
        }
        let index = self.detectors.partition_point(|known| known.info().name() < name);
        self.detectors.insert(index, detector);
    }

    /// All detectors, by name.
    pub fn detectors(&self) -> &[LoadedDetector] {
        &self.detectors
    }

    /// The detector of this name.
    pub fn find(&self, name: &str) -> Option<&LoadedDetector> {
        self.detectors.iter().find(|detector| detector.info().name() == name)
    }

    /// What was refused.
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }
}
