//! The steps of a plan, forward and back. Each shows by itself whether it was done.

use super::journal::{Held, Log};
use super::work::{DONE, PLACING, UNPLACED, Work, is_there};
use crate::repair::edits::hash_of;
use crate::repair::refusal::refused;
use crate::{Error, Result};
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::job::Job;
use chaffinch_data::atomic::sync_folder;
use chaffinch_protocol::display::safe_path;
use chaffinch_review::repair::PathText;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

impl Work {
    /// Takes what goes, and puts what comes into its place.
    ///
    /// # Errors
    /// When stopped, or when a file cannot be moved.
    pub(super) fn carry_out(&self, log: &Log, job: &Job<'_>) -> Result<()> {
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
    pub(super) fn may_go_back(&self, log: &Log, applied: bool, job: &Job<'_>) -> Result<()> {
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

    pub(super) fn go_back(&self, log: &Log, job: &Job<'_>) -> Result<()> {
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
