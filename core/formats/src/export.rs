//! Exports: decisions in formats that other programs read, and a cleaned copy of the dataset.
//!
//! Nothing is ever written into the dataset, single files are replaced atomically, and a cleaned copy is only made in
//! an empty place. A path that is not valid UTF-8 is written to CSV files byte by byte, and to JSON with `\xff` for
//! each such byte, and `\x5c` for a backslash that would read like that.
//!
//! # How to add a format
//!
//! One file and two lines. The values of `export --format` and their help, the completions, the man page, the format
//! `all` and the table in `docs/command-line.md` are generated from [`FORMATS`].
//!
//! 1. Write `export/NAME.rs` with `pub(super) const FORMAT: Format`, as in `removal_list.rs`; a file is written by
//!    [`chaffinch_data::atomic::write`] after `Export::outside`.
//! 2. Add `mod NAME;` below.
//! 3. Add `NAME::FORMAT,` to [`FORMATS`]; its position there is its position in the help.
//! 4. `CHAFFINCH_UPDATE=1 cargo test -p chaffinch --lib` writes the table in `docs/command-line.md`.

mod all;
mod class_folders;
mod cleaned;
mod cleaned_table;
mod cleaning_summary;
mod cleanlab;
mod cleanvision;
mod clusters;
mod coco;
mod concluded;
mod csv_table;
mod cvat;
mod embedding_atlas;
mod fiftyone;
mod final_manifest;
mod formulas;
mod hf;
mod indices;
mod issues;
mod json_lines;
mod label_studio;
mod leak_report;
mod manifest;
mod multi_label;
mod odd_paths;
mod other_cells;
mod other_files;
mod parquet_table;
mod pictures;
pub(crate) mod placement;
mod projector;
mod relabel_map;
mod removal_list;
mod sample_table;
pub(crate) mod tables_beside;
mod versions;
mod webdataset;

pub use chaffinch_data::output::CopyMode;
pub use cleaned::CleanReport;
pub use formulas::Formulas;

use crate::{Error, Result};
use chaffinch_compute::job::Job;
use chaffinch_data::class_names;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::output;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use chaffinch_review::atlas::Atlas;
use chaffinch_review::query::Source;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// All formats, in the order of the help.
pub const FORMATS: &[Format] = &[
    manifest::FORMAT,
    final_manifest::FORMAT,
    removal_list::FORMAT,
    relabel_map::FORMAT,
    indices::FORMAT,
    leak_report::FORMAT,
    multi_label::FORMAT,
    cleaning_summary::FORMAT,
    versions::FORMAT,
    cleaned::FORMAT,
    cleaned_table::FORMAT,
    csv_table::FORMAT,
    json_lines::FORMAT,
    parquet_table::FORMAT,
    hf::FORMAT,
    webdataset::FORMAT,
    fiftyone::FORMAT,
    coco::FORMAT,
    cvat::FORMAT,
    label_studio::FORMAT,
    embedding_atlas::FORMAT,
    projector::FORMAT,
    cleanlab::FORMAT,
    cleanvision::FORMAT,
    all::FORMAT,
];

/// An export format.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Its name for `--format`.
    pub name: &'static str,
    /// What is written, in one line.
    pub summary: &'static str,
    /// The default name of its file or folder, as in the folder of `all`.
    pub file_name: &'static str,
    /// What it writes to.
    pub target: Target,
    /// The name of its progress stage; `None` if it finishes at once.
    pub stage: Option<&'static str>,
    /// Whether it is a table for people, whose cells that a spreadsheet would run as formulas are guarded. What programs read
    /// back is not: a path or a class with an apostrophe in front is another one.
    pub guards: bool,
    write: fn(&Export<'_>, &Request, &Job<'_>) -> Result<Written>,
}

/// What a format writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A file, which replaces an older one.
    File,
    /// Files in a folder, which replace older ones.
    Folder,
    /// A folder of its own, which must be empty or not exist yet.
    NewFolder,
    /// A folder that each export adds to; nothing in it is replaced.
    Versions,
}

/// What to write, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The file or folder.
    pub output: PathBuf,
    /// Whether to include samples that are neither flagged nor reviewed, in formats that skip them.
    pub all: bool,
    /// How files get into a copy.
    pub copy: CopyMode,
    /// What becomes of cells that look like formulas, in tables for people.
    pub formulas: Formulas,
    /// Which detectors find what other programs have a name for.
    pub finders: Finders,
}

/// The names of detectors by what they find, the best first. Nothing here knows a detector by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Finders {
    /// Wrong labels.
    pub labels: &'static [&'static str],
    /// Pictures unlike the others.
    pub outliers: &'static [&'static str],
    /// Copies.
    pub copies: &'static [&'static str],
    /// Pictures that are in training, too; they name these as related.
    pub leaks: &'static [&'static str],
    /// Several faults of pictures, each in a part of its own of the reasons, the worst first.
    pub quality: &'static [&'static str],
    /// Labels that prompts of classes contradict. It is tried with prompts that are edited, and has a parameter `temperature`.
    pub prompts: &'static str,
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// The files, or the folder that contains them.
    pub paths: Vec<PathBuf>,
    /// A summary in words, where the number of decisions is not enough.
    pub summary: Option<String>,
    /// Samples that had to be skipped, each with the reason.
    pub left_out: Vec<String>,
    /// Files that got another name, each with the reason.
    pub renamed: Vec<String>,
    /// What was chosen where there was a choice.
    pub notes: Vec<String>,
    /// What to know before using it.
    pub warning: Option<String>,
}

impl Written {
    fn file(path: &Path) -> Written {
        Written { paths: vec![path.to_path_buf()], ..Written::default() }
    }
}

/// What there is to say as one text; `None` if there is nothing.
fn joined(said: [Option<String>; 2]) -> Option<String> {
    let said: Vec<String> = said.into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join("; "))
}

impl Format {
    /// The format of this name.
    pub fn find(name: &str) -> Option<&'static Format> {
        FORMATS.iter().find(|format| format.name == name)
    }

    /// Whether this would replace something.
    pub fn would_replace(&self, target: &Path) -> bool {
        match self.target {
            Target::File => target.exists(),
            // An empty folder counts as absent.
            Target::Folder => {
                fs::read_dir(target).map_or(target.exists(), |mut entries| entries.next().is_some())
            }
            // Never replaced, whatever the user forces: writing refuses a folder that is not empty, with whatever is in it.
            Target::NewFolder | Target::Versions => false,
        }
    }

    /// Writes it.
    ///
    /// # Errors
    /// When the target is inside the dataset or cannot be written, or the job is stopped.
    pub fn write(&self, export: &Export<'_>, request: &Request, job: &Job<'_>) -> Result<Written> {
        export.outside(&request.output)?;
        // As for folders, so that all formats can be written to a new place.
        if let Some(folder) = request.output.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        }
        (self.write)(export, request, job)
    }
}

/// Everything that can be exported from a session.
#[derive(Clone, Copy)]
pub struct Export<'a> {
    /// Samples, results and decisions.
    pub source: Source<'a>,
    /// The dataset's name, for tables with a column for it.
    pub dataset: &'a str,
    /// Where the dataset is, if that is known: of a table, everything that does not change is copied from there.
    pub place: Option<&'a Path>,
    /// Loads the embeddings, which only some formats need; `None` if there are none.
    pub embeddings: &'a dyn Fn() -> Option<Atlas>,
}

impl<'a> Export<'a> {
    /// The new label of a sample, in the spelling of classes; `None` if it keeps its own, also where it was relabeled
    /// to that.
    fn new_label(&self, id: SampleId) -> Option<Cow<'a, str>> {
        match self.source.decisions.get(id).map(|decision| &decision.choice) {
            Some(Choice::Relabel(label)) => {
                let label = class_names::clean(label);
                (label != self.source.manifest.label_name(id)).then_some(label)
            }
            _ => None,
        }
    }

    /// What was decided about a sample, in a word; empty if nothing was. Relabeled to its own class, a sample keeps it.
    fn decision(&self, id: SampleId) -> &'static str {
        match self.source.decisions.get(id).map(|decision| &decision.choice) {
            Some(Choice::Relabel(_)) if self.new_label(id).is_none() => Choice::Keep.word(),
            choice => choice.map_or("", Choice::word),
        }
    }

    /// The label of a sample after cleaning; empty if it has none.
    fn label(&self, id: SampleId) -> Cow<'a, str> {
        self.new_label(id).unwrap_or_else(|| self.source.manifest.label_name(id).into())
    }

    /// Whether cleaning removes a sample.
    fn removed(&self, id: SampleId) -> bool {
        self.source.decisions.get(id).is_some_and(|decision| decision.choice == Choice::Remove)
    }

    /// The classes that samples have after cleaning, sorted.
    fn classes_left(&self) -> Vec<String> {
        let manifest = self.source.manifest;
        let mut known = vec![false; manifest.classes().len()];
        let mut classes = BTreeSet::new();
        for id in manifest.ids().filter(|&id| !self.removed(id)) {
            match (self.new_label(id), manifest.label(id)) {
                (Some(new), _) => drop(classes.insert(new.into_owned())),
                (None, Some(label)) => known[label.index()] = true,
                (None, None) => {}
            }
        }
        let known = manifest.classes().iter().zip(known).filter(|(_, is)| *is);
        classes.extend(known.map(|(class, _)| class.clone()));
        classes.retain(|class| !class.is_empty());
        classes.into_iter().collect()
    }

    /// The suggested label of a sample: that of the worst flag that suggests one.
    fn suggested(&self, id: SampleId) -> Option<&'a str> {
        let verdicts = self.source.verdicts();
        let class =
            verdicts.suggested(id).and_then(|label| self.source.manifest.classes().get(label as usize));
        class.map(String::as_str).or_else(|| verdicts.suggested_other(id))
    }

    /// The label that a detector suggests for a sample, whether it flags it or not.
    fn suggested_by(&self, result: &'a DetectorResult, id: SampleId) -> Option<&'a str> {
        let class = result.suggested(id).and_then(|label| self.source.manifest.classes().get(label as usize));
        class.map(String::as_str).or_else(|| result.suggested_other(id))
    }

    /// The embeddings.
    ///
    /// # Errors
    /// When there are none.
    fn atlas(&self) -> Result<Atlas> {
        (self.embeddings)().ok_or_else(|| {
            Error::Invalid("this session has no embeddings; scan the dataset with a model first".into())
        })
    }

    /// Width and height of a picture, if it could be read.
    fn size(&self, id: SampleId) -> Option<(u32, u32)> {
        let metadata = self.source.file_metadata;
        let known = id.index() < metadata.len() && metadata.decodable(id);
        known.then(|| metadata.dimensions.get(id.index())).map(|size| (size.width, size.height))
    }

    fn outside(&self, target: &Path) -> Result<()> {
        output::outside(self.source.manifest.root(), target)
    }
}

#[cfg(test)]
mod identity;
#[cfg(test)]
mod maps_tests;
#[cfg(test)]
mod moves;
#[cfg(test)]
mod other_programs;
#[cfg(test)]
mod repeated_rows_tests;
#[cfg(test)]
mod round_trips;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod written_tables;
