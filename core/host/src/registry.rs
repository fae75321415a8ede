//! All available detectors. The folders are the list: no code names a detector.

use super::check::{check_library, same_build};
use super::declared;
use super::described::{self, Kind, Project};
use super::detector::{Away, Code, Origin};
use super::library::load;
use super::pins::Pin;
use super::place::{check_own, check_owner, check_place};
use super::stamp;
use super::worker::{AsideEntry, Job, Limits, Undescribed, Workers, describe};
use super::{LoadedDetector, PluginError};
use chaffinch_data::issue::is_built_in;
use chaffinch_data::nearest::hint;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A place to look for detectors. Of two detectors with one name, that of the earlier place is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFolder {
    path: PathBuf,
    prefix: &'static str,
    kind: FolderKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FolderKind {
    /// Of the program: its libraries are loaded into the engine.
    Own,
    /// Of the user, if there is one.
    Users,
    /// Given by the user: it must exist.
    Named,
}

impl PluginFolder {
    /// A folder given by the user: every library and every `detector.toml` in it counts, and it must exist.
    pub fn named(path: impl Into<PathBuf>) -> PluginFolder {
        PluginFolder { path: path.into(), prefix: "", kind: FolderKind::Named }
    }

    /// The user's own folder, which need not exist.
    pub fn users(path: impl Into<PathBuf>) -> PluginFolder {
        PluginFolder { path: path.into(), prefix: "", kind: FolderKind::Users }
    }

    /// Where the bundled detectors are: `plugins/` beside the executable in a release, `../lib/chaffinch` where packages
    /// put them, and cargo's `deps/` in a checkout, where they are recognized among other libraries by their prefix.
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
        let own = |path, prefix| PluginFolder { path, prefix, kind: FolderKind::Own };
        let mut folders = vec![own(home.join("plugins"), "")];
        if let Some(above) = home.parent() {
            folders.push(own(above.join("lib/chaffinch"), ""));
        }
        folders.push(own(deps, "libchaffinch_"));
        folders
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

    /// Descriptions in it and in the folders in it.
    fn descriptions(&self) -> Result<Vec<PathBuf>, PluginError> {
        let own = self.path.join(described::FILE);
        if own.is_file() {
            return Ok(vec![own]);
        }
        let fail = |reason| PluginError::Unreadable { path: self.path.clone(), reason };
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(fail)? {
            let file = entry.map_err(fail)?.path().join(described::FILE);
            if file.is_file() {
                found.push(file);
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

/// Code that is not loaded because it is not the code that ran before.
#[derive(Debug, Clone, Copy)]
pub struct Changed<'a> {
    /// The library or description.
    pub path: &'a Path,
    /// The detectors in it.
    pub names: &'a [String],
    /// The digest of the code that ran.
    pub was: &'a str,
    /// The digest of the code that is there now.
    pub now: &'a str,
    /// The files that differ, as a clause.
    pub what: &'a str,
}

/// Code as it is now.
pub(crate) struct Now {
    pub(crate) digest: String,
    /// The beginning of the digest of each file of a program.
    files: BTreeMap<String, String>,
    /// Whether it is all that is in the folder of its description.
    folder: bool,
}

impl Now {
    fn of(project: &Project) -> Now {
        let folder = matches!(project.kind, Kind::Command(_));
        Now { digest: project.digest.clone(), files: project.files.clone(), folder }
    }

    /// A pin of it.
    pub(crate) fn pin(&self, names: Vec<String>) -> Pin {
        Pin::new(self.digest.clone(), names).of_files(self.files.clone())
    }

    /// What is different since it was pinned, as a clause.
    pub(crate) fn different(&self, path: &Path, pin: &Pin) -> String {
        match path.parent().filter(|_| self.folder) {
            Some(folder) => described::difference(folder, &pin.files, &self.files),
            None => format!("{} has changed", path.display()),
        }
    }
}

/// The detectors that were loaded, by name, and the libraries that were refused.
#[derive(Debug, Default)]
pub struct Registry {
    detectors: Vec<LoadedDetector>,
    refused: Vec<Refused>,
    /// Where it looked for detectors of others, which may come and go.
    folders: Vec<PathBuf>,
    /// Names of descriptions that were refused, and where they are.
    broken: Vec<(String, PathBuf)>,
    remarks: Vec<(String, String)>,
    workers: Workers,
}

impl Registry {
    /// Loads everything from the folders in order, with workers of this program. Broken ones are recorded as refused.
    pub fn load(folders: &[PluginFolder]) -> Registry {
        Registry::load_with(folders, Workers::default())
    }

    /// The same with these workers.
    pub fn load_with(folders: &[PluginFolder], workers: Workers) -> Registry {
        let mut registry = Registry::with(workers);
        registry.add_all(folders);
        registry
    }

    /// Loads more folders; names that are taken stay with the detectors that have them.
    pub fn add_all(&mut self, folders: &[PluginFolder]) {
        let others = folders.iter().filter(|folder| folder.kind != FolderKind::Own);
        self.folders.extend(others.map(|folder| folder.path.clone()));
        for folder in folders.iter().filter(|folder| folder.kind == FolderKind::Named || folder.path.is_dir())
        {
            if let Err(error) = self.add_folder(folder) {
                self.refused.push(Refused { path: folder.path.clone(), error });
            }
        }
    }

    /// An empty one with these workers.
    pub fn with(workers: Workers) -> Registry {
        Registry { workers, ..Registry::default() }
    }

    fn add_folder(&mut self, folder: &PluginFolder) -> Result<(), PluginError> {
        if folder.kind == FolderKind::Own {
            check_own(&folder.path)?;
            for path in folder.libraries()? {
                // Beside the program, only what was built with it is the program's own.
                if !same_build(&path) {
                    self.add_file(&path, Origin::Beside);
                    continue;
                }
                let loaded = check_own(&path).and_then(|()| match self.workers.are_for_all() {
                    true => self.away(&path, &self.workers.limits().clone(), false),
                    false => here(&path),
                });
                self.take(&path, loaded, Origin::Program);
            }
            return Ok(());
        }
        check_place(&folder.path)?;
        let origin = if folder.kind == FolderKind::Users { Origin::Users } else { Origin::Named };
        // A project describes its library itself, which may be beside the description.
        let described = folder.descriptions()?;
        let libraries = folder.libraries()?;
        if folder.kind == FolderKind::Named && described.is_empty() && libraries.is_empty() {
            return Err(PluginError::Nothing { path: folder.path.clone() });
        }
        if !described.contains(&folder.path.join(described::FILE)) {
            libraries.iter().for_each(|path| self.add_file(path, origin));
        }
        described.iter().for_each(|path| self.add_file(path, origin));
        Ok(())
    }

    /// Loads one more library, `detector.toml`, or folder with detectors.
    pub fn add(&mut self, path: &Path) {
        if path.is_dir() {
            if let Err(error) = self.add_folder(&PluginFolder::named(path)) {
                self.refused.push(Refused { path: path.into(), error });
            }
            return;
        }
        self.add_file(path, Origin::Named);
    }

    fn add_file(&mut self, path: &Path, origin: Origin) {
        let described = path.extension().is_some_and(|extension| extension == "toml");
        let loaded = check_place(path).and_then(|()| match described {
            true => self.described(path),
            false => self.away(path, &self.workers.limits().clone(), true),
        });
        self.take(path, loaded, origin);
    }

    fn take(&mut self, path: &Path, loaded: Result<Vec<LoadedDetector>, PluginError>, origin: Origin) {
        match loaded {
            Ok(detectors) => detectors.into_iter().for_each(|detector| self.admit(detector.found(origin))),
            Err(PluginError::Changed { names, .. }) if self.has_all(&names) => {
                names.iter().for_each(|name| self.refuse_second(path, name));
            }
            Err(error) => {
                self.broken.extend(described::name_in(path).map(|name| (name, path.to_path_buf())));
                self.refused.push(Refused { path: path.into(), error });
            }
        }
    }

    /// The description of this name that was refused.
    pub fn broken(&self, name: &str) -> Option<&Path> {
        self.broken.iter().find(|(known, _)| known == name).map(|(_, path)| path.as_path())
    }

    /// Whether other code has all of these names already: nothing is to be let in then.
    fn has_all(&self, names: &[String]) -> bool {
        !names.is_empty() && names.iter().all(|name| self.holder(name).is_some())
    }

    /// What has a name: a detector that is loaded, or code that would be had it not changed, or were it not refused. That code does
    /// not run is no reason to run other code in its place.
    fn holder(&self, name: &str) -> Option<&Path> {
        let changed = || self.changed().find(|changed| changed.names.iter().any(|known| known == name));
        self.find(name)
            .map(LoadedDetector::path)
            .or_else(|| changed().map(|changed| changed.path))
            .or_else(|| self.broken(name))
    }

    fn refuse_second(&mut self, path: &Path, name: &str) {
        let error = self.second(path, name);
        self.refused.extend(error.map(|error| Refused { path: path.into(), error }));
    }

    /// That code at a path comes second with this name; `None` if nothing has the name.
    fn second(&self, path: &Path, name: &str) -> Option<PluginError> {
        let first = self.holder(name)?.to_path_buf();
        Some(PluginError::DuplicateName { path: path.into(), name: name.into(), first })
    }

    /// Why a detector would not be used where these come before it: other code has its name.
    pub fn clash(&self, detector: &LoadedDetector) -> Option<PluginError> {
        let name = detector.info().name();
        // The same bytes in `plugins/` and in `deps/` are one detector, not a clash.
        match self.find(name) {
            Some(first) if first.digest() == detector.digest() => None,
            _ => self.second(detector.path(), name),
        }
    }

    /// Refuses code that is not the code that ran before, unless the user has agreed to it. Code that was set aside was
    /// not to run again until it has changed, and now it has.
    fn check_pin(&mut self, path: &Path, now: &Now) -> Result<(), PluginError> {
        let pins = self.workers.pins();
        let Some(pin) = pins.of(path).map_err(PluginError::Stored)? else { return Ok(()) };
        if pin.digest == now.digest {
            return Ok(());
        }
        let aside = self.workers.aside().of(&pin.digest).is_some();
        let what = now.different(path, &pin);
        if !aside && !pins.takes_changes() {
            let (names, was) = (pin.names, pin.digest);
            let now = now.digest.clone();
            return Err(PluginError::Changed { path: path.into(), names, was, now, what });
        }
        let name = pin.names.first().cloned().unwrap_or_else(|| path.display().to_string());
        pins.set(path, now.pin(pin.names)).map_err(PluginError::Stored)?;
        let since = if aside { "it was set aside" } else { "it was first used" };
        self.remarks.push((name, format!("{what} since {since}; it is let in as it is now")));
        Ok(())
    }

    /// The detectors of a library that runs in workers; of one that does not ship with the program if `pinned`.
    fn away(
        &mut self,
        path: &Path,
        limits: &Limits,
        pinned: bool,
    ) -> Result<Vec<LoadedDetector>, PluginError> {
        let digest = check_library(path)?;
        let now = Now { digest: digest.clone(), files: BTreeMap::new(), folder: false };
        if pinned {
            self.check_pin(path, &now)?;
        }
        let aside = self.workers.aside();
        // One that died while it was loaded has no name to be listed under.
        if let Some(entry) = aside.of(&digest).filter(|entry| entry.name.is_empty()) {
            return Err(PluginError::Aside { path: path.into(), reason: entry.reason });
        }
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        // Loading runs its code already.
        let pins = self.workers.pins();
        let pin = |names| pins.first_use(&path, now.pin(names)).map_err(PluginError::Stored);
        if pinned {
            pin(Vec::new())?;
        }
        let declared = describe(&self.workers, &path).map_err(|why| match why {
            Undescribed::Refused(error) => error,
            Undescribed::Died(death) => {
                if death.to_blame {
                    let (name, reason) = (String::new(), death.sentence.clone());
                    // Without a memory, it is tried again.
                    let _ = aside.add(&digest, AsideEntry { name, path: path.clone(), reason });
                }
                PluginError::Died { path: path.clone(), reason: death.sentence }
            }
        })?;
        if pinned {
            pin(declared.iter().map(|one| one.name.clone()).collect())?;
        }
        let broken = |reason: String| PluginError::BadTable { path: path.clone(), reason };
        let away = |declared: &declared::Declared| {
            let info = declared::info(declared);
            declared::check(info).map_err(|wrong| broken(wrong.why))?;
            let code = self.code(Job::Library(path.clone()), limits);
            Ok(LoadedDetector::new(info, code, &path, &digest).for_abi(declared.abi))
        };
        declared.iter().map(away).collect()
    }

    /// The detectors that a file describes.
    fn described(&mut self, path: &Path) -> Result<Vec<LoadedDetector>, PluginError> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let folder = path.parent().unwrap_or(Path::new("/"));
        check_owner(folder)?;
        let project = described::read(&path).map_err(PluginError::Description)?;
        let limits = project.limits.or(self.workers.limits());
        // A description alone has no code; what it allows its library is pinned as well as that.
        let now = Now::of(&project);
        if !matches!(project.kind, Kind::Host(_)) {
            self.check_pin(&path, &now)?;
        }
        let code = match project.kind {
            Kind::Library(library) => {
                check_place(&library)?;
                let names = vec![project.info.name().to_owned()];
                let pins = self.workers.pins();
                pins.first_use(&path, now.pin(names)).map_err(PluginError::Stored)?;
                let loaded = self.away(&library, &limits, true)?;
                check_named(&path, project.info.name(), &loaded)?;
                return Ok(loaded);
            }
            Kind::Command(command) => {
                let files = described::code(folder, &command).map_err(PluginError::Description)?;
                files.iter().try_for_each(|file| check_place(file))?;
                self.code(Job::Program { command, folder: folder.into() }, &limits)
            }
            Kind::Host(described) => Code::Host(Arc::new(described)),
        };
        Ok(vec![LoadedDetector::new(project.info, code, &path, &project.digest)])
    }

    fn code(&self, job: Job, limits: &Limits) -> Code {
        Code::Worker(Arc::new(Away { job, limits: limits.clone(), workers: self.workers.clone() }))
    }

    /// What was set aside.
    pub fn workers(&self) -> &Workers {
        &self.workers
    }

    fn admit(&mut self, detector: LoadedDetector) {
        let name = detector.info().name();
        if let Some(error) = self.clash(&detector) {
            return self.refused.push(Refused { path: detector.path().into(), error });
        }
        if self.find(name).is_some() {
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

    /// Whether there is a detector of this name whose code has changed: it is not loaded, and not gone.
    pub fn has_changed(&self, name: &str) -> bool {
        self.changed().any(|changed| changed.names.iter().any(|known| known == name))
    }

    /// That no detector of this name is loaded, as a clause with the nearest name; `None` if there is one.
    pub fn unknown(&self, name: &str) -> Option<String> {
        if self.find(name).is_some() {
            return None;
        }
        if is_built_in(name) {
            return Some(
                "it is not a detector but what reading the files finds, which is part of every scan".into(),
            );
        }
        let hint = hint(name, self.detectors.iter().map(|detector| detector.info().name()));
        Some(format!("no detector of this name is loaded{hint}"))
    }

    /// What is not loaded because its code has changed.
    pub fn changed(&self) -> impl Iterator<Item = Changed<'_>> {
        self.refused.iter().filter_map(|refused| match &refused.error {
            PluginError::Changed { path, names, was, now, what } => {
                Some(Changed { path, names, was, now, what })
            }
            _ => None,
        })
    }

    /// What is worth saying about detectors that were loaded: name and sentence.
    pub fn remarks(&self) -> &[(String, String)] {
        &self.remarks
    }

    /// What is in the folders of others' detectors and which of it is let in, as a number that changes with it.
    pub fn stamp(&self) -> u64 {
        stamp::of(&self.folders, self.workers.pins().file())
    }

    /// What was refused.
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }
}

/// The detectors of a library that is loaded into this process.
fn here(path: &Path) -> Result<Vec<LoadedDetector>, PluginError> {
    let digest = check_library(path)?;
    let of = |exported: crate::exported::Exported| {
        LoadedDetector::new(exported.info(), Code::Here(exported), path, &digest)
    };
    Ok(load(path)?.into_iter().map(of).collect())
}

/// Refuses a description whose name is not that of a detector in its library: one of them would be ignored, and whoever names the
/// other one is told that it is unknown.
fn check_named(path: &Path, name: &str, loaded: &[LoadedDetector]) -> Result<(), PluginError> {
    let names: Vec<&str> = loaded.iter().map(|detector| detector.info().name()).collect();
    if names.contains(&name) {
        return Ok(());
    }
    let library = loaded.first().map_or(path, LoadedDetector::path).display();
    let message = format!(
        "the name is '{name}', but the library {library} calls its detector '{}'; give both the same name",
        names.join("', '")
    );
    Err(PluginError::Description(chaffinch_data::Error::format(path, message)))
}

/// The code at a path, as it is pinned.
pub(crate) fn now_at(path: &Path) -> Result<Now, PluginError> {
    check_place(path)?;
    match path.extension().is_some_and(|extension| extension == "toml") {
        true => described::read(path).map(|project| Now::of(&project)).map_err(PluginError::Description),
        false => Ok(Now { digest: check_library(path)?, files: BTreeMap::new(), folder: false }),
    }
}
