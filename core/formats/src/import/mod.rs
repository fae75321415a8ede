//! Earlier results: what other programs found in the same samples, as detectors' scores, and what people said about them
//! there.
//!
//! # How to add a program
//!
//! One file and two lines. The values of `import`, their help and the table in `docs/command-line.md` are generated from
//! [`IMPORTERS`].
//!
//! 1. Write `import/NAME.rs` with `pub(super) const IMPORTER: Importer`, as in `cleanvision.rs`. `read` makes a
//!    `Detector` of each kind of issue: a score for each sample (0 = surely an issue), whether the program flags it, and
//!    if it says so a label, a group, evidence and a reason. Samples are found by `Target::samples`.
//! 2. Add `mod NAME;` below.
//! 3. Add `NAME::IMPORTER,` to [`IMPORTERS`].
//! 4. `CHAFFINCH_UPDATE=1 cargo test -p chaffinch --lib` writes the table in `docs/command-line.md`.

mod chaffinch;
mod class_numbers;
mod cleanlab;
mod cleanvision;
mod csv;
mod detector;
mod fastdup;
mod fiftyone;
mod groups;
mod imagededup;
mod json;
mod other_labels;
mod pairs;
mod people;
mod rows;
mod target;
mod visual_layer;

use crate::{Error, Result};
use chaffinch_data::imported::Imported;
use chaffinch_data::journal::Said;
use chaffinch_data::row_order::RowOrder;
use chaffinch_protocol::display::safe_path;
use chaffinch_protocol::sample::SampleId;
use detector::Detector;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
pub use target::Target;

/// All programs, in the order of the help.
pub const IMPORTERS: &[Importer] = &[
    cleanlab::IMPORTER,
    cleanvision::IMPORTER,
    fastdup::IMPORTER,
    fiftyone::IMPORTER,
    visual_layer::IMPORTER,
    imagededup::IMPORTER,
    csv::IMPORTER,
    chaffinch::IMPORTER,
];

/// Options that only some programs have a use for: which column names the samples, and what high numbers mean.
pub const PATH_COLUMN: &str = "--path-column";
/// See [`PATH_COLUMN`].
pub const HIGHER_IS_WORSE: &str = "--higher-is-worse";

/// A program whose results can be imported.
#[derive(Debug, Clone, Copy)]
pub struct Importer {
    /// Its name on the command line, with which the names of its detectors begin.
    pub name: &'static str,
    /// What is imported, in one line.
    pub summary: &'static str,
    /// Its files, for the manual.
    pub files: &'static str,
    /// Files that are read where a folder is named.
    in_folder: &'static [&'static str],
    /// The options on the command line that it has a use for, of those that not all have.
    pub options: &'static [&'static str],
    read: fn(&[PathBuf], &Target<'_>) -> Result<Read>,
}

impl Importer {
    /// Whether what it reads are sessions of ours, which may be named by their datasets.
    pub fn reads_sessions(&self) -> bool {
        self.in_folder.contains(&chaffinch_data::session::MARK)
    }
}

/// What an importer read.
#[derive(Debug, Default)]
struct Read {
    detectors: Vec<Detector>,
    /// What people said; `None` for a reviewer who is not named.
    said: Vec<(Option<String>, SampleId, Said)>,
    warnings: Vec<String>,
    notes: Vec<String>,
    /// Whose the rows of files are that number them, by the files' digests.
    orders: Vec<(String, RowOrder)>,
}

/// What was read for a session.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Detectors' results, in the order of their names.
    pub imports: Vec<Imported>,
    /// What people said by reviewer; under `None` what no reviewer is named for.
    pub said: BTreeMap<Option<String>, Vec<(SampleId, Said)>>,
    /// What could not be used and why, one sentence each.
    pub warnings: Vec<String>,
    /// What is worth knowing, one sentence each.
    pub notes: Vec<String>,
    /// Whose the rows of files are that number them, for `Session::keep_row_order`: importing them again binds them alike.
    pub orders: Vec<(String, RowOrder)>,
}

impl Importer {
    /// The program of this name.
    pub fn find(name: &str) -> Option<&'static Importer> {
        IMPORTERS.iter().find(|importer| importer.name == name)
    }

    /// Reads files, or folders with the program's files, for the samples of a session. `prefix` begins the detectors'
    /// names in the place of the program's name.
    ///
    /// # Errors
    /// When a file cannot be read, is malformed, lacks a column, or names none of the samples.
    pub fn read(&self, files: &[PathBuf], target: &Target<'_>, prefix: Option<&str>) -> Result<Outcome> {
        let mut all = Vec::new();
        for file in files {
            match file.is_dir() {
                true => all.extend(self.inside(file)?),
                false => all.push(file.clone()),
            }
        }
        let Read { detectors, said, mut warnings, notes, orders } = (self.read)(&all, target)?;
        let mut outcome = Outcome { notes, orders, ..Outcome::default() };
        let mut names: BTreeSet<String> = BTreeSet::new();
        let detectors: BTreeMap<String, Detector> = detectors
            .into_iter()
            .map(|detector| (detector.full_name(prefix.unwrap_or(self.name)), detector))
            .collect();
        for (name, detector) in detectors {
            if target.own.contains(&name) {
                let message =
                    format!("{name} is a detector of this session; choose another prefix with --as");
                return Err(Error::Invalid(message));
            }
            if detector.is_empty() {
                warnings.push(format!("{name} has no score for any sample and was left out"));
                continue;
            }
            warnings.extend(detector.strangers(&name, target));
            names.insert(name.clone());
            outcome.imports.push(detector.finish(name, self.name, target));
        }
        for (reviewer, sample, said) in said {
            outcome.said.entry(reviewer).or_default().push((sample, said));
        }
        outcome.warnings = warnings;
        Ok(outcome)
    }

    /// The program's files in a folder.
    fn inside(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        let paths = self.in_folder.iter().map(|name| folder.join(name));
        let found: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
        if found.is_empty() {
            let message = match self.in_folder {
                [] => format!("it is a folder; name the file of {}", self.name),
                names => format!("the folder has no {}", names.join(" or ")),
            };
            return Err(Error::format(folder, message));
        }
        Ok(found)
    }
}

/// The name of a file in a sentence.
fn file_name(path: &Path) -> String {
    safe_path(path.file_name().map_or(path, Path::new))
}

#[cfg(test)]
mod tests;
