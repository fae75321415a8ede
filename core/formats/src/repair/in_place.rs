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

mod journal;
mod prepare;
mod rehearse;
mod steps;
mod unfinished;
mod work;

use super::refusal::refused;
use crate::{Error, Result};
use chaffinch_compute::job::Job;
use chaffinch_data::packing::{Written, is_address};
use chaffinch_protocol::display::{quoted, safe_path};
use chaffinch_review::repair::Plan;
use journal::Log;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
pub use unfinished::{remove_leftovers, require_whole, unfinished};
use work::{UNDOING, Work, place};

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
/// When the dataset is not what it was when the plan was made, a folder or the one above the dataset cannot be written, they
/// are on several file systems, or the plan was applied already. Nothing has been changed then. When a file cannot be moved
/// all the same, everything is put back, and the error says whether that was possible. When stopped: the same call goes on,
/// and [`rollback`] goes back.
pub fn apply_in_place(plan: &Plan, job: &Job<'_>) -> Result<Applied> {
    let dataset = plan.dataset.path();
    if Written::of(&dataset).is_some() {
        return Err(refused(
            &dataset,
            "files chosen by a pattern cannot be changed; scan and plan their folder instead",
        ));
    }
    if is_address(&dataset) || plan.reading.root.as_deref().is_some_and(is_address) {
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
    match work.carry_out(&log, job) {
        Ok(()) => Ok(log.applied(&work.folder, resumed)),
        Err(Error::Stopped) => Err(Error::Stopped),
        Err(error) => Err(work.put_back(&log, &error)),
    }
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

impl Work {
    /// Goes back after a step that failed; returns what to say of it.
    fn put_back(&self, log: &Log, error: &Error) -> Error {
        let dataset = log.dataset.path();
        // Whoever stops it now wants it back all the more.
        let job = Job::unwatched();
        let back = self
            .may_go_back(log, false, &job)
            .and_then(|()| self.mark(UNDOING))
            .and_then(|()| self.go_back(log, &job))
            .and_then(|()| self.discard());
        match back {
            Ok(()) => refused(
                &dataset,
                format!("the plan could not be carried out, so everything was put back as it was: {error}"),
            ),
            Err(also) => {
                let (folder, dataset_shown) = (safe_path(&self.folder), quoted(&dataset));
                let on = match self.state() {
                    Some(State::Unfinished) => "apply the plan again with --in-place, or undo it with",
                    _ => "undo it with",
                };
                refused(
                    &dataset,
                    format!(
                        "it is half changed, and files of it are in {folder}: the plan could not be carried out ({error}), and \
                         it could not be put back ({also}). Remedy that, then {on}: chaffinch rollback {dataset_shown}"
                    ),
                )
            }
        }
    }
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
}
