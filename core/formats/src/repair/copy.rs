//! A plan carried out as a copy of the dataset.

use super::edits::{Edits, Form};
use super::in_place::require_whole;
use super::output::Output;
use super::verify::{verify, verify_rows};
use crate::{Error, Result};
use chaffinch_compute::job::Job;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::output::{self, CopyMode, Placed, Tree, whole_folder};
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_review::repair::Plan;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::path::{Component, Path, PathBuf};
use walkdir::WalkDir;

/// What a copy contains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copied {
    /// Files in it.
    pub files: u64,
    /// Files that were written anew: tables and tar files that changed.
    pub rewritten: u64,
    /// How the others were placed.
    pub placed: Placed,
    /// The table of labels in it, relative, if the dataset gets its labels from one that was changed.
    pub labels: Option<PathBuf>,
    /// What could not be copied, each with the reason.
    pub left_out: Vec<String>,
}

/// Writes the dataset with the changes of a plan to `target`: every file as it is, but for those that the plan changes. A
/// dataset that is a table or a tar file goes into the folder under its own name, a table with the pictures of its rows.
///
/// # Errors
/// When the dataset is half changed or not what it was when the plan was made, `target` is not empty, is inside the dataset or cannot be
/// written, or the job is stopped. Nothing is left behind then.
pub fn apply_to(plan: &Plan, target: &Path, mode: CopyMode, job: &Job<'_>) -> Result<Copied> {
    require_whole(&plan.dataset.path())?;
    let edits = Edits::of(plan, job)?;
    output::outside(edits.root(), target)?;
    if let Some(folder) = target.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    }
    whole_folder(target, |half| {
        let copied = fill(&edits, half, mode, job)?;
        let reading = edits.reading(plan, |labels| half.join(edits.beside(labels)));
        let (opened, reading) = match edits.form {
            Form::Annotations => {
                (half.join(edits.beside(&edits.dataset)), DatasetOptions { root: None, ..reading })
            }
            _ => (half.to_path_buf(), reading),
        };
        verify(&opened, &edits.dataset, &reading, &edits.expected)?;
        if edits.in_order {
            let own = if edits.dataset.is_dir() {
                half.to_path_buf()
            } else {
                half.join(edits.beside(&edits.dataset))
            };
            verify_rows(&own, &edits.manifest, plan, &reading)?;
        }
        Ok(copied)
    })
}

fn fill(edits: &Edits, half: &Path, mode: CopyMode, job: &Job<'_>) -> Result<Copied> {
    let mut copied = Copied::default();
    let mut tree = Tree::new(half.to_owned());
    let (base, files) = match edits.form {
        Form::Table => (edits.root().to_path_buf(), named_files(edits)?),
        Form::Annotations => {
            let own = edits.annotations.iter().filter_map(|file| file.strip_prefix(edits.root()).ok());
            let mut files: BTreeSet<PathBuf> = own.map(Path::to_path_buf).collect();
            files.append(&mut named_files(edits)?);
            (edits.root().to_path_buf(), files)
        }
        Form::Parquet if !edits.dataset.is_dir() => (edits.root().to_path_buf(), paths_of(edits)?),
        _ if edits.dataset.is_dir() => {
            (edits.dataset.clone(), all_files(&edits.dataset, &mut copied.left_out))
        }
        _ => (PathBuf::new(), BTreeSet::new()),
    };
    let moves: BTreeMap<&Path, Option<&Path>> =
        edits.moves.iter().map(|one| (one.from.as_path(), one.to.as_deref())).collect();
    let rewritten: BTreeSet<&Path> = edits.rewrites.iter().map(|one| one.path.as_path()).collect();
    let total = files.len() as u64;
    for (done, path) in (0..).zip(&files) {
        job.checkpoint()?;
        job.progress(done, total);
        let source = base.join(path);
        if rewritten.contains(source.as_path()) {
            continue;
        }
        let Some(to) = moves.get(path.as_path()).copied().unwrap_or(Some(path)) else { continue };
        let real = fs::canonicalize(&source).map_err(Error::io("read", &source))?;
        let (folder, name) = (to.parent().unwrap_or(Path::new("")), to.file_name().unwrap_or_default());
        tree.put(&real, folder, name, mode)?;
        copied.files += 1;
    }
    // A file that is the dataset is copied where nothing in it changes.
    if !edits.dataset.is_dir()
        && edits.form != Form::Annotations
        && !rewritten.contains(edits.dataset.as_path())
    {
        let real = fs::canonicalize(&edits.dataset).map_err(Error::io("read", &edits.dataset))?;
        let name = edits.beside(&edits.dataset);
        tree.put(&real, Path::new(""), name.as_os_str(), mode)?;
        copied.files += 1;
    }
    for rewrite in &edits.rewrites {
        // A table or a tar file that is the dataset has no folder of its own.
        if let Some(folder) = half.join(edits.beside(&rewrite.path)).parent() {
            fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        }
    }
    edits.rewrites.par_iter().try_for_each(|rewrite| {
        let path = half.join(edits.beside(&rewrite.path));
        let out = OpenOptions::new().write(true).create_new(true).open(&path);
        let mut out = out.map_err(Error::io("create", &path))?;
        rewrite.contents.write(&rewrite.path, &mut Output::new(&mut out), job)
    })?;
    copied.files += edits.rewrites.len() as u64;
    copied.rewritten += edits.rewrites.len() as u64;
    job.progress(total, total);
    copied.placed = tree.placed();
    copied.labels = edits.labels.as_deref().map(|labels| edits.beside(labels));
    Ok(copied)
}

/// All files of a folder; a link counts as the file that it leads to.
pub(super) fn all_files(dataset: &Path, left_out: &mut Vec<String>) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    for entry in WalkDir::new(dataset).follow_links(true) {
        match entry {
            Ok(entry) if entry.file_type().is_file() => {
                files.extend(entry.path().strip_prefix(dataset).ok().map(Path::to_path_buf));
            }
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) => left_out.push(format!("{}: not a regular file", safe_path(entry.path()))),
            Err(error) => {
                let path = error.path().unwrap_or(dataset);
                let reason =
                    error.io_error().map_or_else(|| "a loop of links".to_owned(), ToString::to_string);
                left_out.push(format!("{}: {reason}", safe_path(path)));
            }
        }
    }
    files
}

/// The pictures that a Parquet file names; none if they are in it.
fn paths_of(edits: &Edits) -> Result<BTreeSet<PathBuf>> {
    match edits.manifest.packing() {
        Some(_) => Ok(BTreeSet::new()),
        None => named_files(edits),
    }
}

/// The files that the rows of a table name, but for those that only removed rows name.
fn named_files(edits: &Edits) -> Result<BTreeSet<PathBuf>> {
    let manifest = &edits.manifest;
    let mut files = BTreeSet::new();
    for id in manifest.ids() {
        let path = manifest.path(id);
        if path.is_absolute() {
            // It is found wherever the table is.
            continue;
        }
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            let message = format!(
                "{} leads out of the dataset's folder, so that a copy of the table would not find it; use --in-place or \
                 export --format cleaned",
                safe_path(path)
            );
            return Err(Error::Dataset { path: edits.dataset.clone(), message });
        }
        if manifest.full_path(id).is_file() && !edits.dropped.contains(&id) {
            files.insert(path.to_path_buf());
        }
    }
    Ok(files)
}

impl Copied {
    /// The counts in words.
    pub fn words(&self) -> String {
        let files = counted(self.files, "file", "files");
        let placed = match self.placed.words() {
            words if words.is_empty() => words,
            words => format!(" ({words})"),
        };
        let rewritten = match self.rewritten {
            0 => String::new(),
            count => format!(", {} rewritten", counted(count, "file", "files")),
        };
        format!("{files}{placed}{rewritten}")
    }
}
