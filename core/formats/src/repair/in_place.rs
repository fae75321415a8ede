//! A plan carried out in the dataset itself, with a way back.
//!
//! Files are only renamed. What goes and what gets another path or other contents is first taken to a folder beside the
//! dataset, and what comes is then put from there into its place; new contents are written there before. What is intended is
//! written and synced before the first of these steps, and each step shows by itself whether it was done: its file is in the
//! folder, or no longer. So a program that is killed goes on where it was, and the same steps backwards restore every file
//! with its name, its bytes and its time.
//!
//! ```text
//! .NAME.chaffinch-rollback-ID/
//!   journal.json   what is intended; without it, nothing was changed yet, or everything was restored
//!   kept/N         what was taken
//!   new/N          new contents
//!   placing        everything is taken
//!   done           everything is in its place
//!   undoing        it is being rolled back
//!   unplaced       everything is back in kept/N and new/N
//! ```

use super::edits::{Edits, hash_of};
use super::refusal::refused;
use super::verify::verify;
use crate::{Error, Result};
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::job::Job;
use chaffinch_data::atomic::{self, sync_folder};
use chaffinch_data::packing::{Written, is_address};
use chaffinch_protocol::display::safe_path;
use chaffinch_review::repair::{PathText, Plan};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

/// The version of journals that is written and read.
const VERSION: u32 = 1;
const JOURNAL: &str = "journal.json";
const PLACING: &str = "placing";
const DONE: &str = "done";
const UNDOING: &str = "undoing";
const UNPLACED: &str = "unplaced";

/// What is intended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Log {
    version: u32,
    /// [`Plan::id`].
    plan: String,
    dataset: PathText,
    /// Of several plans that were applied to a dataset, the last one has the highest number.
    number: u64,
    /// Folders that are made, outer ones first.
    made: Vec<PathText>,
    /// Files that are taken to `kept/N`.
    taken: Vec<PathText>,
    placed: Vec<Placed>,
    /// For the words at the end.
    removed: u64,
    moved: u64,
    rewritten: u64,
}

/// A file that is put into its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Placed {
    from: Held,
    to: PathText,
    /// The hash of its contents; zero if it is not known.
    hash: ContentHash,
}

/// Where a file is before it is put into its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Held {
    Kept(usize),
    New(usize),
}

/// How far a plan was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Some of its steps were made: `apply` goes on, `rollback` goes back.
    Unfinished,
    /// All of it.
    Applied,
    /// It is being rolled back: `rollback` goes on.
    Undoing,
}

/// A plan that was applied in place, as far as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The folder with the way back.
    pub folder: PathBuf,
    /// The dataset.
    pub dataset: PathBuf,
    /// [`Plan::id`].
    pub plan: String,
    /// How far.
    pub state: State,
    number: u64,
}

/// What was changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// The folder with the way back.
    pub folder: PathBuf,
    /// Files that were taken out of the dataset.
    pub removed: u64,
    /// Files that got another path.
    pub moved: u64,
    /// Files that got other contents.
    pub rewritten: u64,
    /// Whether an earlier run had begun it.
    pub resumed: bool,
}

/// Changes a dataset as a plan says. An unfinished run of the same plan is finished.
///
/// # Errors
/// When the dataset is not what it was when the plan was made, its folder or the one above cannot be written, they are on
/// several file systems, or the plan was applied already. Nothing has been changed then. When stopped, or when a file cannot
/// be moved: the same call goes on, and [`rollback`] goes back.
pub fn apply_in_place(plan: &Plan, job: &Job<'_>) -> Result<Applied> {
    let dataset = plan.dataset.path();
    if Written::of(&dataset).is_some() {
        return Err(refused(
            &dataset,
            "files chosen by a pattern cannot be changed; scan and plan their folder instead",
        ));
    }
    if is_address(&dataset) {
        return Err(refused(&dataset, "a bucket cannot be changed in place"));
    }
    let work = Work::of(&dataset, &plan.id())?;
    let _held = work.hold()?;
    let resumed = match work.state() {
        None => false,
        Some(State::Unfinished) => true,
        Some(State::Applied) => {
            let message = "this plan was applied already; chaffinch rollback undoes it";
            return Err(refused(&dataset, message));
        }
        Some(State::Undoing) => {
            let message = "this plan is being rolled back; run chaffinch rollback again to finish that first";
            return Err(refused(&dataset, message));
        }
    };
    if !resumed && let Err(error) = work.begin(plan, job) {
        // Nothing was changed yet.
        work.discard()?;
        return Err(error);
    }
    let log = work.log()?;
    work.carry_out(&log, job)?;
    Ok(log.applied(&work.folder, resumed))
}

/// Everything that was applied to a dataset in place and not rolled back, the last one first.
pub fn found(dataset: &Path) -> Vec<Found> {
    let Some((parent, begin)) = place(dataset) else { return Vec::new() };
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let mut all = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !name.as_bytes().starts_with(begin.as_bytes()) {
            continue;
        }
        let work = Work { folder: entry.path() };
        if let (Some(state), Ok(log)) = (work.state(), work.log()) {
            let dataset = log.dataset.path();
            all.push(Found { folder: work.folder, dataset, plan: log.plan, state, number: log.number });
        }
    }
    all.sort_by(|a, b| b.number.cmp(&a.number).then_with(|| a.folder.cmp(&b.folder)));
    all
}

/// Restores every file as it was before a plan was applied, and deletes the folder with the way back.
///
/// # Errors
/// When a file that the plan put into its place was changed since, or its old place is taken: nothing has been changed
/// then. When stopped, or when a file cannot be moved: the same call goes on.
pub fn rollback(found: &Found, job: &Job<'_>) -> Result<Applied> {
    let work = Work { folder: found.folder.clone() };
    let _held = work.hold()?;
    let log = work.log()?;
    if work.state() != Some(State::Undoing) {
        work.may_go_back(&log, found.state == State::Applied, job)?;
        work.mark(UNDOING)?;
    }
    work.go_back(&log, job)?;
    work.discard()?;
    Ok(log.applied(&work.folder, false))
}

/// Where the folders of a dataset are, and how their names begin.
fn place(dataset: &Path) -> Option<(PathBuf, OsString)> {
    let (parent, name) = (dataset.parent()?, dataset.file_name()?);
    let mut begin = OsString::from(".");
    begin.push(name);
    begin.push(".chaffinch-rollback-");
    Some((parent.to_path_buf(), begin))
}

impl Log {
    fn applied(&self, folder: &Path, resumed: bool) -> Applied {
        Applied {
            folder: folder.to_path_buf(),
            removed: self.removed,
            moved: self.moved,
            rewritten: self.rewritten,
            resumed,
        }
    }

    fn steps(&self) -> u64 {
        (self.taken.len() + self.placed.len()) as u64
    }
}

/// The folder with the way back.
struct Work {
    folder: PathBuf,
}

impl Work {
    fn of(dataset: &Path, plan: &str) -> Result<Work> {
        let Some((parent, mut name)) = place(dataset) else {
            return Err(refused(dataset, "it has no folder above it to keep files in; use --output"));
        };
        name.push(plan);
        Ok(Work { folder: parent.join(name) })
    }

    /// Keeps other programs from doing the same at the same time.
    fn hold(&self) -> Result<File> {
        fs::create_dir_all(&self.folder).map_err(Error::io("create", &self.folder))?;
        let folder = File::open(&self.folder).map_err(Error::io("open", &self.folder))?;
        match folder.try_lock() {
            Err(fs::TryLockError::WouldBlock) => {
                let folder = safe_path(&self.folder);
                Err(Error::Invalid(format!(
                    "another program is applying this plan or rolling it back ({folder})"
                )))
            }
            // A file system without locks.
            _ => Ok(folder),
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn held(&self, held: Held) -> PathBuf {
        match held {
            Held::Kept(number) => self.folder.join("kept").join(number.to_string()),
            Held::New(number) => self.folder.join("new").join(number.to_string()),
        }
    }

    /// `None` if nothing was changed, or everything was restored.
    fn state(&self) -> Option<State> {
        if !self.at(JOURNAL).is_file() {
            return None;
        }
        Some(match (self.at(UNDOING).exists(), self.at(DONE).exists()) {
            (true, _) => State::Undoing,
            (_, true) => State::Applied,
            _ => State::Unfinished,
        })
    }

    fn log(&self) -> Result<Log> {
        let path = self.at(JOURNAL);
        let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
        let log: Log = serde_json::from_slice(&bytes)
            .map_err(|error| Error::format(&path, format!("it is damaged: {error}")))?;
        match log.version {
            VERSION => Ok(log),
            other => {
                let message = format!("it has version {other}, this program reads version {VERSION}");
                Err(Error::format(&path, message))
            }
        }
    }

    fn mark(&self, name: &str) -> Result<()> {
        atomic::write(&self.at(name), |_| Ok(()))
    }

    /// Deletes the folder. What is intended goes first: without it, the rest is of no use to anybody.
    fn discard(&self) -> Result<()> {
        let journal = self.at(JOURNAL);
        match fs::remove_file(&journal) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io("remove", &journal)(error));
            }
            _ => {}
        }
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io("remove", &self.folder)(error))
            }
            _ => Ok(()),
        }
    }

    /// Prepares a plan that was not begun yet.
    fn begin(&self, plan: &Plan, job: &Job<'_>) -> Result<()> {
        let dataset = plan.dataset.path();
        if let Some(other) = found(&dataset).into_iter().find(|one| one.state != State::Applied) {
            let folder = safe_path(&other.folder);
            let message = format!(
                "another plan was begun and not finished ({folder}); apply that plan again, or undo it with chaffinch \
                 rollback"
            );
            return Err(refused(&dataset, message));
        }
        if plan.changes.is_empty() {
            return Err(refused(&dataset, "the plan changes nothing"));
        }
        // What a killed program left behind before it had changed anything.
        for name in ["kept", "new", "rehearsal"] {
            let folder = self.at(name);
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::io("remove", &folder)(error));
                }
                _ => {}
            }
        }
        for name in [PLACING, DONE, UNDOING, UNPLACED] {
            let _ = fs::remove_file(self.at(name));
        }
        self.prepare(plan, job)
    }

    /// Writes what is intended, and all new contents. Nothing of the dataset is changed.
    fn prepare(&self, plan: &Plan, job: &Job<'_>) -> Result<()> {
        let edits = Edits::of(plan, job)?;
        self.one_file_system(&edits)?;
        for name in ["kept", "new"] {
            let folder = self.at(name);
            fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        }
        let root = edits.root().to_path_buf();
        let mut log = Log {
            version: VERSION,
            plan: plan.id(),
            dataset: plan.dataset.clone(),
            number: 1 + found(&edits.dataset).first().map_or(0, |last| last.number),
            made: Vec::new(),
            taken: Vec::new(),
            placed: Vec::new(),
            removed: 0,
            moved: 0,
            rewritten: edits.rewrites.len() as u64,
        };
        let mut new = 0;
        for one in &edits.moves {
            let from = root.join(&one.from);
            let kept = log.taken.len();
            log.taken.push(PathText::new(&from));
            let Some(to) = one.to.as_ref().map(|to| root.join(to)) else {
                log.removed += 1;
                continue;
            };
            log.moved += 1;
            // A link that starts at another folder leads elsewhere.
            let target = fs::read_link(&from).ok().filter(|target| target.is_relative());
            let held = match target {
                Some(_) if from.parent() != to.parent() => {
                    let real = fs::canonicalize(&from).map_err(Error::io("read", &from))?;
                    let held = Held::New(new);
                    symlink(real, self.held(held)).map_err(Error::io("link", &from))?;
                    new += 1;
                    held
                }
                _ => Held::Kept(kept),
            };
            log.placed.push(Placed { from: held, to: PathText::new(&to), hash: one.hash });
        }
        for rewrite in &edits.rewrites {
            job.checkpoint()?;
            let held = Held::New(new);
            new += 1;
            let path = self.held(held);
            let out = OpenOptions::new().write(true).create_new(true).open(&path);
            let mut out = out.map_err(Error::io("create", &path))?;
            rewrite.contents.write(&rewrite.path, &mut out, job)?;
            let same = fs::metadata(&rewrite.path).and_then(|old| out.set_permissions(old.permissions()));
            same.and_then(|()| out.flush())
                .and_then(|()| out.sync_all())
                .map_err(Error::io("write", &path))?;
            let hash = hash_of(&path).map_err(Error::io("read", &path))?;
            log.taken.push(PathText::new(&rewrite.path));
            log.placed.push(Placed { from: held, to: PathText::new(&rewrite.path), hash });
        }
        self.rehearse(plan, &edits, &log)?;
        let mut made = BTreeSet::new();
        for placed in &log.placed {
            let to = placed.to.path();
            made.extend(to.ancestors().skip(1).take_while(|folder| !folder.exists()).map(Path::to_path_buf));
        }
        log.made = made.iter().map(|folder| PathText::new(folder)).collect();
        sync_folder(&self.at("new"))?;
        atomic::write(&self.at(JOURNAL), |out| serde_json::to_writer(out, &log).map_err(io::Error::from))?;
        match self.folder.parent() {
            Some(parent) => sync_folder(parent),
            None => Ok(()),
        }
    }

    /// Reads the dataset as it would be, from links to its files.
    fn rehearse(&self, plan: &Plan, edits: &Edits, log: &Log) -> Result<()> {
        if edits.expected.is_empty() {
            return Ok(());
        }
        let folder = self.at("rehearsal");
        let moved: std::collections::BTreeMap<PathBuf, &Path> =
            edits.moves.iter().filter_map(|one| Some((one.to.clone()?, one.from.as_path()))).collect();
        let link = |path: &Path, to: &Path| -> Result<()> {
            let at = folder.join(path);
            if let Some(parent) = at.parent() {
                fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
            }
            symlink(to, &at).map_err(Error::io("link", &at))
        };
        for path in edits.expected.keys() {
            link(path, &edits.root().join(moved.get(path).copied().unwrap_or(path)))?;
        }
        let rewritten: BTreeSet<&Path> = edits.rewrites.iter().map(|one| one.path.as_path()).collect();
        for placed in log.placed.iter().filter(|placed| rewritten.contains(placed.to.path().as_path())) {
            if let Ok(path) = placed.to.path().strip_prefix(edits.root()) {
                link(path, &self.held(placed.from))?;
            }
        }
        for table in edits.manifest.beside() {
            let path = edits.root().join(table.path());
            if !rewritten.contains(path.as_path()) {
                link(table.path(), &path)?;
            }
        }
        verify(&folder, &edits.dataset, &plan.reading, &edits.expected)?;
        fs::remove_dir_all(&folder).map_err(Error::io("remove", &folder))
    }

    /// Refuses what cannot be renamed to and from the folder.
    fn one_file_system(&self, edits: &Edits) -> Result<()> {
        let device = |path: &Path| -> Result<u64> {
            let there = path.ancestors().find(|part| part.exists()).unwrap_or(Path::new("/"));
            fs::metadata(there).map(|metadata| metadata.dev()).map_err(Error::io("read", there))
        };
        let own = device(&self.folder)?;
        let root = edits.root();
        let moves = edits.moves.iter().flat_map(|one| [Some(&one.from), one.to.as_ref()]).flatten();
        let paths =
            moves.map(|path| root.join(path)).chain(edits.rewrites.iter().map(|one| one.path.clone()));
        let folders: BTreeSet<PathBuf> =
            paths.filter_map(|path| path.parent().map(Path::to_path_buf)).collect();
        for folder in folders {
            if device(&folder)? != own {
                let (folder, own) = (safe_path(&folder), safe_path(&self.folder));
                let message = format!(
                    "{folder} is on another file system than {own}, where removed files are kept; use --output to write a \
                     copy instead"
                );
                return Err(refused(&edits.dataset, message));
            }
        }
        Ok(())
    }

    fn carry_out(&self, log: &Log, job: &Job<'_>) -> Result<()> {
        let mut step = counted_steps(log, job);
        if !self.at(PLACING).exists() {
            for (number, from) in log.taken.iter().enumerate() {
                step()?;
                let (from, kept) = (from.path(), self.held(Held::Kept(number)));
                match (is_there(&kept), is_there(&from)) {
                    (true, _) => {}
                    (false, true) => rename(&from, &kept)?,
                    (false, false) => return Err(refused(&log.dataset.path(), gone(&from))),
                }
            }
            sync_parents(log.taken.iter())?;
            sync_folder(&self.at("kept"))?;
            step()?;
            self.mark(PLACING)?;
        }
        for placed in &log.placed {
            step()?;
            let (held, to) = (self.held(placed.from), placed.to.path());
            match (is_there(&held), is_there(&to)) {
                (false, true) => {}
                (true, false) => {
                    if let Some(folder) = to.parent() {
                        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
                    }
                    rename(&held, &to)?;
                }
                (true, true) => {
                    let message = format!(
                        "{} is in the way; move it elsewhere and apply the plan again",
                        safe_path(&to)
                    );
                    return Err(refused(&log.dataset.path(), message));
                }
                (false, false) => return Err(refused(&log.dataset.path(), gone(&to))),
            }
        }
        sync_parents(log.placed.iter().map(|placed| &placed.to))?;
        step()?;
        self.mark(DONE)
    }

    /// Checks that everything can be restored before anything is.
    fn may_go_back(&self, log: &Log, applied: bool, job: &Job<'_>) -> Result<()> {
        let dataset = log.dataset.path();
        let wrong = |path: &Path, what: &str| {
            refused(&dataset, format!("{} {what}; nothing was changed", safe_path(path)))
        };
        let mut ours = BTreeSet::new();
        for placed in &log.placed {
            job.checkpoint()?;
            let (held, to) = (self.held(placed.from), placed.to.path());
            if is_there(&held) {
                continue;
            }
            if !is_there(&to) {
                match applied {
                    true => return Err(wrong(&to, "is gone, so it cannot be put back")),
                    false => continue,
                }
            }
            if placed.hash != ContentHash::default() {
                let now = hash_of(&to).map_err(Error::io("read", &to))?;
                if now != placed.hash {
                    return Err(wrong(
                        &to,
                        "was changed since the plan was applied; move it elsewhere to keep it, and put back what was there",
                    ));
                }
            }
            ours.insert(to);
        }
        for (number, from) in log.taken.iter().enumerate() {
            let from = from.path();
            let taken = is_there(&self.held(Held::Kept(number)));
            if taken && is_there(&from) && !ours.contains(&from) {
                return Err(wrong(
                    &from,
                    "is a new file in the place of a removed one; move it elsewhere first",
                ));
            }
        }
        Ok(())
    }

    fn go_back(&self, log: &Log, job: &Job<'_>) -> Result<()> {
        let mut step = counted_steps(log, job);
        if !self.at(UNPLACED).exists() {
            for placed in log.placed.iter().rev() {
                step()?;
                let (held, to) = (self.held(placed.from), placed.to.path());
                // What is in neither place was never taken.
                if !is_there(&held) && is_there(&to) {
                    rename(&to, &held)?;
                }
            }
            sync_parents(log.placed.iter().map(|placed| &placed.to))?;
            step()?;
            self.mark(UNPLACED)?;
        }
        for (number, from) in log.taken.iter().enumerate().rev() {
            step()?;
            let (kept, from) = (self.held(Held::Kept(number)), from.path());
            if is_there(&kept) {
                if is_there(&from) {
                    let message =
                        format!("{} is in the way; move it elsewhere and roll back again", safe_path(&from));
                    return Err(refused(&log.dataset.path(), message));
                }
                if let Some(folder) = from.parent() {
                    fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
                }
                rename(&kept, &from)?;
            }
        }
        sync_parents(log.taken.iter())?;
        for folder in log.made.iter().rev() {
            step()?;
            // One that has something else in it by now stays.
            let _ = fs::remove_dir(folder.path());
        }
        Ok(())
    }
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn gone(path: &Path) -> String {
    format!("{} is gone; chaffinch rollback puts the other files back", safe_path(path))
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(Error::io("move", from))
}

/// Syncs the folders of files.
fn sync_parents<'a>(files: impl Iterator<Item = &'a PathText>) -> Result<()> {
    let folders: BTreeSet<PathBuf> =
        files.filter_map(|file| file.path().parent().map(Path::to_path_buf)).collect();
    folders.iter().filter(|folder| folder.exists()).try_for_each(|folder| sync_folder(folder))
}
/// What is called before each step: it counts, and stops where it should.
fn counted_steps(log: &Log, job: &Job<'_>) -> impl FnMut() -> Result<()> {
    let (total, mut done) = (log.steps(), 0);
    move || {
        job.checkpoint()?;
        done += 1;
        job.progress(done, total);
        Ok(())
    }
}
