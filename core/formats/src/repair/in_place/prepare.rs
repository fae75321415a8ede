//! Writes what is intended and all new contents, before anything of the dataset is changed.

use super::journal::{Held, Log, Placed, VERSION};
use super::rehearse::{LABELS, REHEARSAL};
use super::work::{DONE, JOURNAL, PLACING, UNDOING, UNPLACED, Work, is_there};
use super::{found, require_whole};
use crate::repair::edits::{Edits, Rewrite};
use crate::repair::output::Output;
use crate::repair::refusal::refused;
use crate::{Error, Result};
use chaffinch_compute::content::{ContentHash, ContentHasher};
use chaffinch_compute::job::Job;
use chaffinch_data::atomic::{self, sync_folder};
use chaffinch_data::renaming;
use chaffinch_protocol::display::safe_path;
use chaffinch_review::repair::{PathText, Plan};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

impl Work {
    /// Prepares a plan that was not begun yet.
    pub(super) fn begin(&self, plan: &Plan, job: &Job<'_>) -> Result<()> {
        let dataset = plan.dataset.path();
        require_whole(&dataset)?;
        if plan.changes.is_empty() {
            return Err(refused(&dataset, "the plan changes nothing"));
        }
        // What a killed program left behind before it had changed anything.
        for name in ["kept", "new", REHEARSAL, LABELS] {
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
        // Shards are large, and each is on its own. Twice as many at a time as there are threads: while one is synced, another one is
        // written.
        let numbered: Vec<(usize, &Rewrite)> = (new..).zip(&edits.rewrites).collect();
        let write = || -> Result<Vec<(bool, ContentHash)>> {
            let one = |(number, rewrite)| self.write_new(Held::New(number), rewrite, job);
            numbered.into_par_iter().map(one).collect()
        };
        let threads = 2 * rayon::current_num_threads();
        let written = match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
            Ok(pool) => pool.install(write)?,
            Err(_) => write()?,
        };
        for (rewrite, (known, hash)) in edits.rewrites.iter().zip(written) {
            if known {
                log.taken.push(PathText::new(&rewrite.path));
            }
            log.placed.push(Placed { from: Held::New(new), to: PathText::new(&rewrite.path), hash });
            new += 1;
        }
        may_be_renamed(&edits.dataset, &log)?;
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

    /// Writes the new contents of a file; whether it is there already, and their hash.
    fn write_new(&self, held: Held, rewrite: &Rewrite, job: &Job<'_>) -> Result<(bool, ContentHash)> {
        job.checkpoint()?;
        let path = self.held(held);
        let out = OpenOptions::new().write(true).create_new(true).open(&path);
        let mut out = out.map_err(Error::io("create", &path))?;
        let mut hasher = ContentHasher::default();
        rewrite.contents.write(&rewrite.path, &mut Output::hashed(&mut out, &mut hasher), job)?;
        // A file that comes with its picture to another folder is new there.
        let known = is_there(&rewrite.path);
        let same = match known {
            true => fs::metadata(&rewrite.path).and_then(|old| out.set_permissions(old.permissions())),
            false => Ok(()),
        };
        same.and_then(|()| out.sync_all()).map_err(Error::io("write", &path))?;
        Ok((known, hasher.finish()))
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
}

/// Refuses what cannot be moved out of its folder or into it, while nothing is changed yet.
fn may_be_renamed(dataset: &Path, log: &Log) -> Result<()> {
    let wrong = |path: &Path, why: &str| {
        let message =
            format!("{} {why}, so the plan cannot be carried out; nothing was changed", safe_path(path));
        refused(dataset, message)
    };
    let mut folders = BTreeSet::new();
    for from in &log.taken {
        let from = from.path();
        if let Some(why) = renaming::obstacle_of_file(&from).map_err(Error::io("read", &from))? {
            return Err(wrong(&from, why));
        }
        folders.extend(from.parent().map(Path::to_path_buf));
    }
    for placed in &log.placed {
        let to = placed.to.path();
        folders.extend(to.ancestors().skip(1).find(|folder| folder.exists()).map(Path::to_path_buf));
    }
    for folder in folders {
        if let Some(why) = renaming::obstacle_of_folder(&folder).map_err(Error::io("read", &folder))? {
            return Err(wrong(&folder, why));
        }
    }
    Ok(())
}
