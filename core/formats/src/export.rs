//! What comes out: decisions in forms that other programs read, and a cleaned copy of the dataset.
//!
//! Nothing is ever written into the dataset, single files are replaced as a whole or not at all, and a cleaned
//! copy is only made where there is nothing yet. A path that is no UTF-8 is written to CSV files byte by byte,
//! and to JSON with `\xff` for such a byte.
//!
//! # How to add a format
//!
//! One file and two lines. The values of `export --format` with their help, the completions, the man page, the
//! format `all` and the table in `docs/command-line.md` are made from [`FORMATS`].
//!
//! 1. Write `export/NAME.rs` with `pub(super) const FORMAT: Format`, as in `removal_list.rs`; a file is written by
//!    [`chaffinch_data::atomic::write`] after `Export::outside`.
//! 2. Add `mod NAME;` below.
//! 3. Add `NAME::FORMAT,` to [`FORMATS`]; its place there is its place in the help.
//! 4. `CHAFFINCH_UPDATE=1 cargo test -p chaffinch --lib cli` writes the table in `docs/command-line.md`.

mod all;
mod cleaned;
mod cleaned_table;
mod manifest;
mod relabel_map;
mod removal_list;

pub use chaffinch_data::output::CopyMode;
pub use cleaned::CleanReport;

use crate::Result;
use chaffinch_compute::job::Job;
use chaffinch_data::output;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use chaffinch_review::query::Source;
use std::fs;
use std::path::{Path, PathBuf};

/// All formats, in the order of the help.
pub const FORMATS: &[Format] = &[
    manifest::FORMAT,
    removal_list::FORMAT,
    relabel_map::FORMAT,
    cleaned::FORMAT,
    cleaned_table::FORMAT,
    all::FORMAT,
];

/// A form in which decisions are written.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// What `--format` calls it.
    pub name: &'static str,
    /// What is written, in one line.
    pub summary: &'static str,
    /// What its file or folder is called where nobody names one, as in the folder of `all`.
    pub file_name: &'static str,
    /// What is written to.
    pub target: Target,
    /// What its progress is called; `None` for what is done at once.
    pub stage: Option<&'static str>,
    write: fn(&Export<'_>, &Request, &Job<'_>) -> Result<Written>,
}

/// What a format writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A file, which takes the place of an older one.
    File,
    /// Files in a folder, which take the place of older ones.
    Folder,
    /// A folder of its own, in which there may be nothing yet.
    NewFolder,
}

/// What is to be written where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The file or folder.
    pub output: PathBuf,
    /// Whether samples that nobody flagged or reviewed are written as well, where a format leaves them out.
    pub all: bool,
    /// How files come into a copy.
    pub copy: CopyMode,
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Files, or a folder of many.
    pub paths: Vec<PathBuf>,
    /// What is in it, in words, where the number of decisions does not say it.
    pub summary: Option<String>,
    /// Samples that had to be left out, each with the reason.
    pub left_out: Vec<String>,
}

impl Written {
    fn file(path: &Path) -> Written {
        Written { paths: vec![path.to_path_buf()], ..Written::default() }
    }
}

impl Format {
    /// The format of this name.
    pub fn find(name: &str) -> Option<&'static Format> {
        FORMATS.iter().find(|format| format.name == name)
    }

    /// Whether something is there already that this would replace.
    pub fn would_replace(&self, target: &Path) -> bool {
        match self.target {
            Target::File => target.exists(),
            // An empty folder is as good as none.
            Target::Folder => {
                fs::read_dir(target).map_or(target.exists(), |mut entries| entries.next().is_some())
            }
            // It is never replaced: writing refuses a folder with anything in it.
            Target::NewFolder => false,
        }
    }

    /// Writes it.
    ///
    /// # Errors
    /// When the place lies inside the dataset or cannot be written, or the job is stopped.
    pub fn write(&self, export: &Export<'_>, request: &Request, job: &Job<'_>) -> Result<Written> {
        (self.write)(export, request, job)
    }
}

/// Everything that can be exported of a session.
#[derive(Clone, Copy)]
pub struct Export<'a> {
    /// Samples, results and decisions.
    pub source: Source<'a>,
    /// The dataset's name, for tables that have a column of it.
    pub dataset: &'a str,
}

impl<'a> Export<'a> {
    /// The label a sample has after cleaning; empty where it has none.
    fn label(&self, id: SampleId) -> &'a str {
        match self.source.decisions.get(id).map(|decision| &decision.choice) {
            Some(Choice::Relabel(label)) => label,
            _ => self.source.manifest.label_name(id),
        }
    }

    /// Whether a sample is left out after cleaning.
    fn removed(&self, id: SampleId) -> bool {
        self.source.decisions.get(id).is_some_and(|decision| decision.choice == Choice::Remove)
    }

    fn outside(&self, target: &Path) -> Result<()> {
        output::outside(self.source.manifest.root(), target)
    }
}

#[cfg(test)]
mod tests;
