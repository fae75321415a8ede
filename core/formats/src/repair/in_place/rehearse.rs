//! Reads the dataset as it would be after a plan, before anything of it is changed.

use super::journal::{Held, Log};
use super::work::Work;
use crate::dataset::{files_of_numbers, readmes};
use crate::repair::copy::all_files;
use crate::repair::edits::{Edits, Form};
use crate::repair::verify::{verify, verify_rows};
use crate::{Error, Result};
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_review::repair::Plan;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The dataset as it would be, and the table of labels as it would be, as links.
pub(super) const REHEARSAL: &str = "rehearsal";
pub(super) const LABELS: &str = "labels";

impl Work {
    /// Reads the dataset as it would be, from links to its files.
    pub(super) fn rehearse(&self, plan: &Plan, edits: &Edits, log: &Log) -> Result<()> {
        let folder = self.at(REHEARSAL);
        if edits.in_order {
            return self.rehearse_rows(plan, edits, log, &folder);
        }
        if edits.expected.is_empty() {
            return Ok(());
        }
        if edits.form == Form::Annotations {
            return self.rehearse_annotations(plan, edits, log, &folder);
        }
        let moved: BTreeMap<PathBuf, &Path> =
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
        let mut saying: BTreeSet<PathBuf> = BTreeSet::new();
        for table in edits.manifest.beside() {
            let path = edits.root().join(table.path());
            saying.extend(readmes(&path, edits.root()));
            if !rewritten.contains(path.as_path()) {
                link(table.path(), &path)?;
            }
        }
        // What numbers in a table of labels stand for is said beside the dataset.
        if edits.labels.is_some() {
            saying.extend(files_of_numbers(edits.root()));
        }
        let beside: BTreeSet<PathBuf> =
            edits.manifest.beside().iter().map(|table| edits.root().join(table.path())).collect();
        saying.retain(|path| !edits.annotations.contains(path) && !beside.contains(path));
        for path in &saying {
            link(path.strip_prefix(edits.root()).unwrap_or(path), path)?;
        }
        let gone: BTreeSet<PathBuf> = edits
            .moves
            .iter()
            .filter(|one| one.to.is_none())
            .map(|one| edits.root().join(&one.from))
            .collect();
        for path in edits.annotations.iter().filter(|path| !gone.contains(*path) && !beside.contains(*path)) {
            if let (false, Ok(below)) = (rewritten.contains(path.as_path()), path.strip_prefix(edits.root()))
            {
                link(below, path)?;
            }
        }
        let reading = self.reading(plan, edits, log)?;
        verify(&folder, &edits.dataset, &reading, &edits.expected)?;
        self.remove_rehearsal()
    }

    /// Reads files of many pictures as they would be.
    fn rehearse_rows(&self, plan: &Plan, edits: &Edits, log: &Log, folder: &Path) -> Result<()> {
        let new: BTreeMap<PathBuf, Held> =
            log.placed.iter().map(|placed| (placed.to.path(), placed.from)).collect();
        let files: Vec<PathBuf> = match edits.dataset.is_dir() {
            true => all_files(&edits.dataset, &mut Vec::new())
                .into_iter()
                .map(|below| edits.dataset.join(below))
                .collect(),
            false => vec![edits.dataset.clone()],
        };
        for file in &files {
            let below = file.strip_prefix(&edits.dataset).unwrap_or(file);
            let single = below.as_os_str().is_empty();
            let at =
                folder.join(if single { Path::new(file.file_name().unwrap_or_default()) } else { below });
            if let Some(parent) = at.parent() {
                fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
            }
            let real = new.get(file).map_or_else(|| file.clone(), |held| self.held(*held));
            symlink(real, &at).map_err(Error::io("link", &at))?;
        }
        let own = match edits.dataset.is_dir() {
            true => folder.to_path_buf(),
            false => folder.join(edits.dataset.file_name().unwrap_or_default()),
        };
        verify_rows(&own, &edits.manifest, plan, &self.reading(plan, edits, log)?)?;
        self.remove_rehearsal()
    }

    /// How the rehearsal is read: with the table of labels as it would be, under its own name.
    fn reading(&self, plan: &Plan, edits: &Edits, log: &Log) -> Result<DatasetOptions> {
        let Some(file) = &edits.labels else { return Ok(plan.reading.clone()) };
        let held = log.placed.iter().find(|placed| placed.to.path() == *file).map(|placed| placed.from);
        let folder = self.at(LABELS);
        fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        let link = folder.join(file.file_name().unwrap_or(OsStr::new("labels.csv")));
        if let Some(held) = held {
            symlink(self.held(held), &link).map_err(Error::io("link", &link))?;
        }
        Ok(edits.reading(plan, |_| link))
    }

    fn remove_rehearsal(&self) -> Result<()> {
        for name in [REHEARSAL, LABELS] {
            let folder = self.at(name);
            if folder.exists() {
                fs::remove_dir_all(&folder).map_err(Error::io("remove", &folder))?;
            }
        }
        Ok(())
    }

    /// Reads a file of annotations as it would be, with the pictures where they are.
    fn rehearse_annotations(&self, plan: &Plan, edits: &Edits, log: &Log, folder: &Path) -> Result<()> {
        // The name of the folder that it is in may say its split.
        let above = edits.dataset.parent().and_then(Path::file_name).unwrap_or(OsStr::new("dataset"));
        let folder_of_file = folder.join(above);
        fs::create_dir_all(&folder_of_file).map_err(Error::io("create", &folder_of_file))?;
        let new: BTreeMap<PathBuf, Held> =
            log.placed.iter().map(|placed| (placed.to.path(), placed.from)).collect();
        for path in &edits.annotations {
            let at = folder_of_file.join(path.file_name().unwrap_or(OsStr::new("data")));
            let real = new.get(path).map_or_else(|| path.clone(), |held| self.held(*held));
            symlink(real, &at).map_err(Error::io("link", &at))?;
        }
        let root = Some(edits.root().to_path_buf());
        let reading = DatasetOptions { root, ..self.reading(plan, edits, log)? };
        let opened = folder_of_file.join(edits.dataset.file_name().unwrap_or(OsStr::new("data")));
        verify(&opened, &edits.dataset, &reading, &edits.expected)?;
        self.remove_rehearsal()
    }
}
