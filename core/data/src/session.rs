//! A session: everything about one dataset that is stored between runs, in one folder.
//!
//! ```text
//! session.toml      which dataset, since when, and what it was scanned with
//! samples.arrow     the manifest and the file metadata
//! detectors/        one result per detector
//! imported/         results of other programs, by content, from which those in `detectors` are made
//! previous/         the result of each detector's run before the last, to compare the two
//! costs.json        what the last run of each detector took
//! earlier/          results of models used before, by fingerprint
//! rank.arrow        the cached rank, and
//! unreadable.arrow  the cached result for undecodable files: only in large sessions, to open faster
//! measures/         what detectors measured for each picture
//! index.unfinished  progress of an interrupted reading of all files
//! depths.unfinished what it found of 16-bit pictures
//! index.shard       the rows of a shard of the dataset, if the session holds one, and
//! shard.toml        which shard it is, once all of it is read
//! models/           models trained by detectors, versioned
//! embeddings/       the embedding store
//! probabilities.safetensors   class probabilities from elsewhere
//! rows/             whose the rows of given files without names are, by the files' digests
//! decisions/        the journals: the only files here that cannot be rebuilt
//! ledger.json       what reading the dataset left out, guessed or found doubtful
//! settings.toml     changed thresholds, ensemble rule and parameters
//! prompts.toml      prompts of classes that were edited in the session, in the place of those of the configuration
//! views/            the state of the client, by reviewer
//! chaffinch.toml    settings of this session, written by hand
//! lock              which process is using it
//! ```
//!
//! Only its owner can access the folder. Every file except the journals is written under a temporary name and then
//! renamed, so that there is never half a file.

mod blind;
mod carry_over;
mod catalog;
mod contents;
mod costs;
mod earlier;
mod head;
mod imports;
mod ledger;
mod likeness;
mod loaded;
mod lock;
mod outline;
mod place;
mod previous;
mod prompts;
mod removed;
mod settings;
mod vectors;

pub use carry_over::Carried;
pub use catalog::{SessionInfo, folders, inspect};
pub(crate) use contents::OWN;
pub use contents::is_session;
pub use costs::Cost;
pub use likeness::{Here, Likeness, known_likeness, likeness};
pub use outline::Outline;
pub use place::{SessionLocation, default_dir, resolve, same};
pub use settings::Settings;

use crate::columns;
use crate::columns::DetectorResult;
use crate::dataset::DatasetOptions;
use crate::file_metadata::FileMetadata;
use crate::journal::Journal;
use crate::manifest::Manifest;
use crate::packing::{Written, is_address};
use crate::samples;
use crate::uses::Uses;
use crate::{Error, Result, atomic};
use head::Head;
use lock::Lock;
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// The folder of the clients' states.
const VIEWS: &str = "views";

/// The file that makes a folder a session.
pub const MARK: &str = "session.toml";

/// The folder that says whose the rows of files without names are.
pub(crate) const ROWS: &str = "rows";

/// The folder of maps that were computed.
const MAPS: &str = "maps";

/// The folder of the journals.
const DECISIONS: &str = "decisions";

/// An open session.
#[derive(Debug)]
pub struct Session {
    dir: PathBuf,
    head: Mutex<Head>,
    lock: Option<Lock>,
    /// Why it is only looked at although it was to be written to.
    read_only: Option<String>,
}

impl Session {
    /// Opens the session in `dir` for writing, or creates one there for `dataset`.
    ///
    /// # Errors
    /// When another program is using it, when it belongs to another dataset, or when the folder cannot be used.
    pub fn open_or_create(dir: &Path, dataset: &Path) -> Result<Session> {
        let dataset = canonical(dataset)?;
        if dir.join(MARK).exists() {
            let session = Session::open(dir)?;
            place::belongs(dir, &session.dataset(), &dataset)?;
            return Ok(session);
        }
        let inside = std::path::absolute(dir).map_err(Error::io("find", dir))?;
        if dataset.is_dir() && inside.starts_with(&dataset) {
            let message = "the session would be inside the dataset; choose another folder with --session";
            return Err(Error::Dataset { path: dataset, message: message.into() });
        }
        if fs::read_dir(dir).is_ok_and(|mut entries| {
            entries.any(|entry| entry.is_ok_and(|entry| !contents::is_remnant(&entry)))
        }) {
            return Err(Error::format(
                dir,
                "this folder is not empty and is not a session; choose another folder with --session",
            ));
        }
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(Error::io("create", dir))?;
        let lock = Lock::take(dir)?;
        let head = Head::new(&dataset);
        let session =
            Session { dir: dir.to_path_buf(), head: Mutex::new(head), lock: Some(lock), read_only: None };
        session.write_head()?;
        Ok(session)
    }

    /// Opens a session for writing.
    ///
    /// # Errors
    /// When it is not a session, has another version, or another program is using it.
    pub fn open(dir: &Path) -> Result<Session> {
        let mut session = Session::open_to_read(dir)?;
        let lock = Lock::take(dir)?;
        if lock.remark().is_none() {
            atomic::sweep(dir);
        }
        session.lock = Some(lock);
        Ok(session)
    }

    /// Tells programs that want this session that this one will release it within seconds: they wait.
    pub fn ends(&self) {
        if let Some(lock) = &self.lock {
            lock.ends();
        }
    }

    /// Opens a session read-only, even if another program is using it.
    ///
    /// # Errors
    /// When it is not a session, has another version, or holds links or pipes.
    pub fn open_to_read(dir: &Path) -> Result<Session> {
        let head = Head::read(dir)?;
        contents::check(dir)?;
        Ok(Session { dir: dir.to_path_buf(), head: Mutex::new(head), lock: None, read_only: None })
    }

    /// Opens a session read-only because it cannot be written to.
    ///
    /// # Errors
    /// As [`Session::open_to_read`].
    pub fn open_to_look(dir: &Path, why: &Error) -> Result<Session> {
        let session = Session::open_to_read(dir)?;
        let why = format!("the session cannot be written to ({why}), so decisions cannot be saved");
        Ok(Session { read_only: Some(why), ..session })
    }

    /// Why it was opened read-only, in one sentence, although it was to be written to.
    pub fn read_only(&self) -> Option<&str> {
        self.read_only.as_deref()
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The dataset's absolute path, even if it is gone.
    pub fn dataset(&self) -> PathBuf {
        self.head().dataset()
    }

    /// The model of the last scan, as shown; empty before one.
    pub fn model_name(&self) -> String {
        self.head().model
    }

    /// When the session was created, ISO 8601.
    pub fn created(&self) -> String {
        self.head().created
    }

    /// What the last scan found, in short; `None` before one.
    pub fn outline(&self) -> Option<Outline> {
        self.head().outline
    }

    /// Whether this program may write to the session.
    pub fn is_writable(&self) -> bool {
        self.lock.is_some()
    }

    /// What the last scan used, which later commands use unless told otherwise.
    pub fn uses(&self) -> Uses {
        self.head().uses
    }

    /// Stores the model's name, as shown, and what the scan used.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_uses(&self, model: &str, uses: &Uses) -> Result<()> {
        self.change_head(|head| {
            model.clone_into(&mut head.model);
            head.uses.clone_from(uses);
        })
    }

    /// Why this session is not locked although it is open for writing, in one sentence: its file system has no locks.
    pub fn lock_remark(&self) -> Option<&str> {
        self.lock.as_ref()?.remark()
    }

    /// Writes `session.toml` if this changes it.
    fn change_head(&self, change: impl FnOnce(&mut Head)) -> Result<()> {
        let before = self.head();
        let changed = {
            let mut head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut head);
            *head != before
        };
        if changed { self.write_head() } else { Ok(()) }
    }

    fn head(&self) -> Head {
        self.head.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn write_head(&self) -> Result<()> {
        let path = self.dir.join(MARK);
        let text = self.head().to_toml(&path)?;
        self.write(&path, |out| out.write_all(text.as_bytes()))
    }

    /// Makes the folder a session again if another program has removed what makes it one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn restore(&self) -> Result<()> {
        if self.dir.join(MARK).exists() { Ok(()) } else { self.write_head() }
    }

    fn write(
        &self,
        path: &Path,
        fill: impl FnOnce(&mut io::BufWriter<fs::File>) -> io::Result<()>,
    ) -> Result<()> {
        self.writable()?;
        atomic::write(path, fill)
    }

    /// Fails if this program may not write to the session.
    ///
    /// # Errors
    /// If it is open read-only.
    pub fn writable(&self) -> Result<()> {
        match &self.lock {
            Some(_) => Ok(()),
            None => Err(Error::Invalid(
                self.read_only.clone().unwrap_or_else(|| "the session is open read-only".to_owned()),
            )),
        }
    }

    /// The folder of the journals.
    pub fn decisions_dir(&self) -> PathBuf {
        self.dir.join(DECISIONS)
    }

    /// Class probabilities from elsewhere.
    pub fn probabilities_path(&self) -> PathBuf {
        self.dir.join("probabilities.safetensors")
    }

    /// The folder of maps that were computed.
    pub fn maps_dir(&self) -> PathBuf {
        self.dir.join(MAPS)
    }

    /// The samples' file.
    pub fn samples_path(&self) -> PathBuf {
        self.dir.join("samples.arrow")
    }

    /// The file of the cached rank.
    pub fn rank_path(&self) -> PathBuf {
        self.dir.join("rank.arrow")
    }

    /// The file of the cached result for files that could not be decoded.
    pub fn unreadable_path(&self) -> PathBuf {
        self.dir.join("unreadable.arrow")
    }

    fn results_dir(&self) -> PathBuf {
        self.dir.join("detectors")
    }

    /// The file of a detector's result.
    ///
    /// # Errors
    /// When the name cannot be a file name.
    pub fn result_path(&self, detector: &str) -> Result<PathBuf> {
        columns::check_name(detector)?;
        Ok(self.results_dir().join(format!("{detector}.arrow")))
    }

    /// The folder of what detectors measured for each picture.
    pub fn measures_dir(&self) -> PathBuf {
        self.dir.join("measures")
    }

    /// The file with the progress of an interrupted reading.
    pub fn unfinished_path(&self) -> PathBuf {
        self.dir.join("index.unfinished")
    }

    /// The rows of a shard of the dataset.
    pub fn shard_rows_path(&self) -> PathBuf {
        Session::shard_rows_in(&self.dir)
    }

    /// The rows of the shard in the session in `dir`.
    pub fn shard_rows_in(dir: &Path) -> PathBuf {
        dir.join("index.shard")
    }

    /// Which shard of the dataset the session holds, once all of it is read.
    pub fn shard_path(&self) -> PathBuf {
        Session::shard_in(&self.dir)
    }

    /// The same for the session in `dir`.
    pub fn shard_in(dir: &Path) -> PathBuf {
        dir.join("shard.toml")
    }

    /// The file with what an interrupted reading found of 16-bit pictures.
    pub fn unfinished_depths_path(&self) -> PathBuf {
        self.dir.join("depths.unfinished")
    }

    /// The folder of a detector's own files, such as trained models.
    ///
    /// # Errors
    /// When the name cannot be a folder name.
    pub fn kept_dir(&self, detector: &str) -> Result<PathBuf> {
        columns::check_name(detector)?;
        Ok(self.dir.join("models").join(detector))
    }

    /// Stores the samples.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn save_samples(&self, manifest: &Manifest, file_metadata: &FileMetadata) -> Result<()> {
        self.writable()?;
        samples::save_samples(&self.samples_path(), manifest, file_metadata)?;
        let outline = Some(Outline::of(file_metadata));
        self.change_head(|head| head.outline = outline)
    }

    /// The samples, if there are any yet.
    ///
    /// # Errors
    /// When their file cannot be read.
    pub fn load_samples(&self) -> Result<Option<(Manifest, FileMetadata)>> {
        let path = self.samples_path();
        if path.exists() { samples::load_samples(&path).map(Some) } else { Ok(None) }
    }

    /// Stores a detector's result.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_result(&self, result: &DetectorResult) -> Result<()> {
        let path = self.result_path(&result.record().name)?;
        self.writable()?;
        let folder = self.results_dir();
        fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        result.save(&path)?;
        self.forget_removed_of(&result.record().name)
    }

    /// Stores a result that was found at another time than now.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_result_of(&self, result: &DetectorResult, found: Option<SystemTime>) -> Result<()> {
        self.save_result(result)?;
        let path = self.result_path(&result.record().name)?;
        // Where the time cannot be set, it is that of now.
        if let (Some(found), Ok(file)) = (found, fs::File::options().write(true).open(path)) {
            let _ = file.set_modified(found);
        }
        Ok(())
    }

    /// When the file of a detector's result was written; `None` if it has none.
    pub fn result_modified(&self, detector: &str) -> Option<SystemTime> {
        modified(&self.result_path(detector).ok()?)
    }

    /// Deletes a detector's result, if there is one.
    ///
    /// # Errors
    /// When it exists but cannot be removed.
    pub fn remove_result(&self, detector: &str) -> Result<()> {
        let path = self.result_path(detector)?;
        self.writable()?;
        removed(fs::remove_file(&path), &path)
    }

    /// Deletes all results, of whatever model and run: they are about other samples.
    ///
    /// # Errors
    /// When they exist but cannot be removed.
    pub fn forget_results(&self) -> Result<()> {
        self.writable()?;
        for path in result_files(&self.results_dir()) {
            removed(fs::remove_file(&path), &path)?;
        }
        self.forget_all_earlier()?;
        self.forget_previous()?;
        self.forget_removed()
    }

    /// All results for this many samples, by detector, and one sentence for each unusable file.
    pub fn load_results(
        &self,
        count: usize,
        classes: &[String],
    ) -> (BTreeMap<String, DetectorResult>, Vec<String>) {
        load_results(&self.results_dir(), count, classes)
    }

    /// The settings changed in the session.
    ///
    /// # Errors
    /// When the file exists but cannot be read.
    pub fn load_settings(&self) -> Result<Settings> {
        Settings::load(&self.settings_path())
    }

    /// Stores the changed settings.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_settings(&self, settings: &Settings) -> Result<()> {
        let path = self.settings_path();
        let text = settings.to_toml(&path)?;
        self.write(&path, |out| out.write_all(text.as_bytes()))
    }

    fn settings_path(&self) -> PathBuf {
        self.dir.join("settings.toml")
    }

    /// How the dataset was last read, so that a session can be reopened without repeating the options.
    ///
    /// # Errors
    /// When the file exists but cannot be read.
    pub fn load_reading(&self) -> Result<Option<DatasetOptions>> {
        let path = self.reading_path();
        match fs::read_to_string(&path) {
            Ok(text) => {
                serde_json::from_str(&text).map(Some).map_err(|error| Error::format(&path, error.to_string()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("read", &path)(error)),
        }
    }

    /// Stores how the dataset is read.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_reading(&self, options: &DatasetOptions) -> Result<()> {
        let path = self.reading_path();
        let text =
            serde_json::to_string_pretty(options).map_err(|error| Error::format(&path, error.to_string()))?;
        self.write(&path, |out| out.write_all(text.as_bytes()))
    }

    fn reading_path(&self) -> PathBuf {
        self.dir.join("reading.json")
    }

    /// The opaque state of this reviewer's client; empty if it was never set. What one reviewer recorded and where they
    /// were is nobody else's.
    pub fn load_view(&self, reviewer: &str) -> String {
        let path = self.view_path(reviewer);
        path.ok().and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default()
    }

    /// Stores the state of this reviewer's client.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_view(&self, reviewer: &str, state: &str) -> Result<()> {
        self.write_view(&self.view_path(reviewer)?, state.as_bytes())
    }

    fn write_view(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        self.writable()?;
        let folder = self.dir.join(VIEWS);
        // Not what is above it: a session that was moved while it was open would be there twice.
        match fs::create_dir(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(Error::io("create", &folder)(error));
            }
            _ => {}
        }
        self.write(path, |out| out.write_all(bytes))
    }

    fn view_path(&self, reviewer: &str) -> Result<PathBuf> {
        self.views_path(reviewer, "json")
    }

    /// A file of what is kept of this reviewer's review.
    fn views_path(&self, reviewer: &str, extension: &str) -> Result<PathBuf> {
        Ok(self.dir.join(VIEWS).join(format!("{}.{extension}", Journal::stem(reviewer)?)))
    }
}

/// All results in a folder, by detector, and one sentence for each unusable file.
fn load_results(
    folder: &Path,
    count: usize,
    classes: &[String],
) -> (BTreeMap<String, DetectorResult>, Vec<String>) {
    let (mut results, mut damaged) = (BTreeMap::new(), Vec::new());
    for path in result_files(folder) {
        match DetectorResult::load(&path, classes) {
            Ok(result) if result.len() == count => {
                results.insert(result.record().name.clone(), result);
            }
            Ok(result) => {
                let (path, len) = (path.display(), result.len());
                damaged.push(format!("{path}: it has {len} rows for {count} samples; scan again"));
            }
            Err(error) => damaged.push(error.to_string()),
        }
    }
    (results, damaged)
}

/// The files of results in a folder, in the order of their names; none if there is no folder.
fn result_files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = match fs::read_dir(folder) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(_) => Vec::new(),
    };
    let hidden = |path: &Path| path.file_name().is_some_and(|name| name.as_bytes().starts_with(b"."));
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "arrow") && !hidden(path));
    paths.sort_unstable();
    paths
}

/// When a file was written.
fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// What became of removing a file or a folder, which may not have been there.
fn removed(result: io::Result<()>, path: &Path) -> Result<()> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// The dataset's canonical path, the same however it was given.
fn canonical(dataset: &Path) -> Result<PathBuf> {
    if is_address(dataset) {
        return Ok(dataset.to_path_buf());
    }
    if let Some(pattern) = Written::of(dataset) {
        let folder = fs::canonicalize(pattern.folder()).map_err(Error::io("open", pattern.folder()))?;
        return Ok(pattern.below(&folder));
    }
    fs::canonicalize(dataset).map_err(Error::io("open", dataset))
}

#[cfg(test)]
mod tests;
