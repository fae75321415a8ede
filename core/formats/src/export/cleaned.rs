//! A cleaned copy of the dataset, as folders of classes.

use super::{Export, Format, Target, Written};
use crate::Result;
use chaffinch_compute::job::Job;
use chaffinch_data::output::{CopyMode, Tree, sample_folder, whole_folder};
use chaffinch_protocol::display;
use chaffinch_protocol::display::counted;
use std::fs;
use std::io;
use std::path::Path;

pub(super) const FORMAT: Format = Format {
    name: "cleaned",
    summary: "A copy of the dataset without removed samples, relabeled ones in their new class",
    file_name: "cleaned",
    target: Target::NewFolder,
    stage: Some("copy"),
    write: |export, request, job| {
        let report = export.cleaned(&request.output, request.copy, job)?;
        let summary = Some(report.words());
        Ok(Written { paths: vec![request.output.clone()], summary, left_out: report.missing })
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
    pub relabelled: u64,
    /// Files that were renamed because the class already had one of that name.
    pub renamed: u64,
    /// Samples whose file cannot be read, with the reason.
    pub missing: Vec<String>,
}

impl CleanReport {
    fn words(&self) -> String {
        let files = counted(self.written, "file", "files");
        let mut text = format!("{files}, {} removed, {} relabeled", self.removed, self.relabelled);
        if self.renamed > 0 {
            text += &format!(", {} renamed", self.renamed);
        }
        if !self.missing.is_empty() {
            text += &format!(", {} unreadable and skipped", self.missing.len());
        }
        text
    }
}

impl Export<'_> {
    /// Copies the dataset to `target` as `SPLIT/CLASS/FILE`, or `CLASS/FILE` for samples without a split. Removed
    /// samples are left out, relabeled samples go under their new class, and samples that are kept, unsure or undecided
    /// stay. The copy is built beside `target` and renamed when it is complete.
    ///
    /// # Errors
    /// When `target` is not empty, is inside the dataset, cannot be written, or the job is stopped; nothing is left
    /// behind in that case. A sample whose file is missing is not an error.
    pub fn cleaned(&self, target: &Path, mode: CopyMode, job: &Job<'_>) -> Result<CleanReport> {
        self.outside(target)?;
        whole_folder(target, |half| self.fill(half, mode, job))
    }

    fn fill(&self, folder: &Path, mode: CopyMode, job: &Job<'_>) -> Result<CleanReport> {
        let manifest = self.source.manifest;
        let mut report = CleanReport::default();
        let mut tree = Tree::new(folder.to_owned());
        for id in manifest.ids() {
            if id.0 % 256 == 0 {
                job.checkpoint()?;
                job.progress(u64::from(id.0), manifest.len() as u64);
            }
            if self.removed(id) {
                report.removed += 1;
                continue;
            }
            let source = manifest.full_path(id);
            // The real file: a link to a link would break along with it.
            let real = fs::canonicalize(&source).and_then(|real| match fs::metadata(&real)?.is_file() {
                true => Ok(real),
                false => Err(io::Error::other("not a regular file")),
            });
            match real {
                Ok(real) => {
                    let name = source.file_name().unwrap_or_default();
                    let folder = sample_folder(manifest.split(id), self.label(id));
                    let path = tree.put(&real, &folder, name, mode)?;
                    report.renamed += u64::from(path.file_name() != Some(name));
                    report.written += 1;
                    report.relabelled += u64::from(self.label(id) != manifest.label_name(id));
                }
                Err(error) => report.missing.push(format!("{}: {error}", display::safe_path(&source))),
            }
        }
        job.progress(manifest.len() as u64, manifest.len() as u64);
        Ok(report)
    }
}
