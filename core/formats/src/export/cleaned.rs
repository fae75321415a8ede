//! A cleaned copy of the dataset, in folders.

use super::other_cells::OtherCells;
use super::other_files::{OtherFiles, ends_the_copy};
use super::pictures::{HARD_LINKS, Original};
use super::placement::{Place, Placement};
use super::tables_beside::{TablesBeside, write_columns};
use super::{Export, Format, Target, Written, joined};
use crate::{Error, Result, dataset};
use chaffinch_compute::job::Job;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::output::{CopyMode, Placed, Tree, whole_folder};
use chaffinch_protocol::display;
use chaffinch_protocol::display::{counted, quoted, safe_text};
use chaffinch_protocol::sample::SampleId;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

pub(super) const FORMAT: Format = Format {
    name: "cleaned",
    summary: "A copy of the dataset without removed samples, relabeled ones in their new class",
    file_name: "cleaned",
    target: Target::NewFolder,
    stage: Some("copy"),
    guards: false,
    write: |export, request, job| {
        let report = export.cleaned(&request.output, request.copy, job)?;
        if let (0, Some(first)) = (report.written, report.missing.first()) {
            // An empty folder is not a copy.
            let _ = fs::remove_dir(&request.output);
            let message = format!("none of the files to copy can be read; the first: {first}");
            return Err(Error::Dataset { path: export.source.manifest.root().to_path_buf(), message });
        }
        let summary = Some(report.words());
        let CleanReport {
            missing: mut left_out, renamed, notes, misread, contradictions, others_left, ..
        } = report;
        left_out.extend(others_left);
        Ok(Written {
            paths: vec![request.output.clone()],
            summary,
            left_out,
            renamed,
            notes,
            warning: joined([contradictions, misread]),
        })
    },
};

/// What a cleaned copy contains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CleanReport {
    /// Files in it.
    pub written: u64,
    /// Samples removed by decision.
    pub removed: u64,
    /// Files under a different class than before.
    pub relabeled: u64,
    /// Files that were renamed because the class already had one of that name, each with its new name.
    pub renamed: Vec<String>,
    /// Samples whose file cannot be read or written, and tables, with the reason.
    pub missing: Vec<String>,
    /// Files that are not samples and came along, such as a README.
    pub others: u64,
    /// Files that are not samples and stay behind, in a sentence.
    pub others_left: Option<String>,
    /// How files were placed.
    pub placed: Placed,
    /// What was chosen where there was a choice, such as the folder of a class that is spelled in several ways.
    pub notes: Vec<String>,
    /// Which columns of its tables contradict new labels, in a sentence.
    pub contradictions: Option<String>,
    /// What a scan of the copy would read in another way than it was written.
    pub misread: Option<String>,
}

impl CleanReport {
    fn words(&self) -> String {
        let files = counted(self.written, "file", "files");
        let placed = match self.placed.words() {
            words if words.is_empty() => words,
            words => format!(" ({words})"),
        };
        let mut text = format!("{files}{placed}, {} removed, {} relabeled", self.removed, self.relabeled);
        if self.others > 0 {
            let others = counted(self.others, "other file", "other files");
            text += &format!(", with {others} of the dataset");
        }
        if !self.renamed.is_empty() {
            text += &format!(", {} renamed", self.renamed.len());
        }
        if !self.missing.is_empty() {
            text += &format!(", {} left out", self.missing.len());
        }
        text
    }
}

impl Export<'_> {
    /// Copies the dataset to `target`. Removed samples are left out, relabeled samples go under their new class, and
    /// samples that are kept, unsure or undecided keep their place. Documents, names of classes and pictures in formats that
    /// are not read come along, and other files are listed. Tables beside the pictures come along, without
    /// removed samples and with new labels. Of a table whose paths do not say the class, the copy has `SPLIT/CLASS/FILE`,
    /// or `CLASS/FILE` for samples without a split, and its other columns in a `metadata.csv`. The copy is built beside
    /// `target` and renamed when it is complete.
    ///
    /// # Errors
    /// When `target` is not empty, is inside the dataset, cannot be written, or the job is stopped; nothing is left
    /// behind in that case. A file that is missing, or whose name does not fit, is not an error.
    pub fn cleaned(&self, target: &Path, mode: CopyMode, job: &Job<'_>) -> Result<CleanReport> {
        self.outside(target)?;
        whole_folder(target, |half| self.fill(half, mode, job))
    }

    /// Says how many of the files, with the samples they are of, would be read from the folder with another label or
    /// split, such as those in class folders called like splits.
    pub(super) fn misread(&self, folder: &Path, files: &HashMap<PathBuf, SampleId>) -> Option<String> {
        let advice = "write a cleaned-table beside it and scan that instead";
        let read = match dataset::open(folder, &DatasetOptions::default()) {
            Ok(opened) => opened.manifest,
            Err(error) => return Some(format!("the copy cannot be scanned as a folder ({error}); {advice}")),
        };
        let same = |id: &SampleId| {
            files.get(read.path(*id)).is_some_and(|&sample| {
                self.label(sample) == read.label_name(*id)
                    && self.source.manifest.split(sample) == read.split(*id)
            })
        };
        let right = read.ids().filter(same).count();
        let wrong = files.len().saturating_sub(right) as u64;
        (wrong > 0).then(|| {
            let all = counted(files.len() as u64, "file", "files");
            format!("a scan of the copy would read {wrong} of {all} with another label or split, or not at all; {advice}")
        })
    }

    fn fill(&self, copy: &Path, mode: CopyMode, job: &Job<'_>) -> Result<CleanReport> {
        let manifest = self.source.manifest;
        let mut report = CleanReport::default();
        let mut tree = Tree::new(copy.to_owned());
        let tables = TablesBeside::of(manifest);
        report.missing.clone_from(&tables.lost);
        let in_folders = |id: &SampleId| !self.removed(*id) && !tables.labels(*id);
        let new: BTreeSet<String> = (manifest.ids().filter(in_folders))
            .filter_map(|id| self.new_label(id).map(Cow::into_owned))
            .collect();
        let placement = Placement::of(manifest, &new, tables.are_whole());
        report.renamed = placement.renamed();
        let mut spelled = BTreeSet::new();
        let mut files = HashMap::new();
        // Those that stay first, so that it is a relabeled one that gets another name where both have the same.
        let moves = |id: &SampleId| self.new_label(*id).is_some();
        let order = manifest.ids().filter(|id| !moves(id)).chain(manifest.ids().filter(moves));
        for (done, id) in (0..).zip(order) {
            if done % 256 == 0 {
                job.checkpoint()?;
                job.progress(done, manifest.len() as u64);
            }
            if self.removed(id) {
                report.removed += 1;
                continue;
            }
            let source = manifest.source(id);
            let left_out =
                |reason: &dyn std::fmt::Display| format!("{}: {reason}", display::safe_path(&source.shown()));
            let there = match Original::of_sample(self, id, &source) {
                Ok(there) => there,
                Err(error) => {
                    report.missing.push(left_out(&error));
                    continue;
                }
            };
            let new = self.new_label(id);
            let Place { folder, name, spelled: other } =
                placement.place(id, new.as_deref(), tables.labels(id));
            match there.put(&mut tree, &folder, &name, mode) {
                Ok(path) => {
                    if path.file_name() != Some(&name) {
                        let (old, new) = (display::safe_path(manifest.path(id)), display::safe_path(&path));
                        report.renamed.push(format!("{old} is {new}, because that name was taken"));
                    }
                    report.written += 1;
                    files.insert(path.strip_prefix(copy).unwrap_or(&path).to_owned(), id);
                    report.relabeled += u64::from(new.is_some());
                    spelled.extend(other.zip(new));
                }
                // One file that cannot be copied is no reason to lose the others; a full disk is.
                Err(Error::Io { reason: error, .. }) if !ends_the_copy(&error) => {
                    report.missing.push(left_out(&error));
                }
                Err(error) => return Err(error),
            }
        }
        job.progress(manifest.len() as u64, manifest.len() as u64);
        report.notes.extend(spelled.into_iter().map(|(folder, label)| {
            let (folder, label) = (quoted(&folder), safe_text(&label));
            format!("samples relabeled to '{label}' are in {folder}, the folder that this class has")
        }));
        if report.written > 0 {
            report.missing.extend(tables.write(self, &files, &mut tree, mode)?);
            let mut lost = Vec::new();
            if !tables.are_whole() && !manifest.extra().is_empty() {
                lost = write_columns(self, &files, &mut tree)?;
                report.missing.extend(lost.iter().map(|column| {
                    format!("the column '{}': write a cleaned-table to keep it", safe_text(column))
                }));
            }
            report.contradictions = OtherCells::of(self).without(&lost).contradictions();
            report.placed = tree.placed();
            if placement.keeps_paths() {
                let others = OtherFiles::of(manifest);
                let (put, failed) = others.put(manifest.root(), &mut tree, mode)?;
                report.others = put;
                report.missing.extend(failed);
                report.others_left = others.words();
            }
            if report.placed.hard > 0 {
                report.notes.push(HARD_LINKS.into());
            }
            report.misread = self.misread(copy, &files);
        }
        Ok(report)
    }
}
