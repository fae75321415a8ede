//! What comes out: decisions in forms that other programs read, and a cleaned copy of the dataset.
//!
//! Nothing is ever written into the dataset, single files are replaced as a whole or not at all, and a cleaned
//! copy is only made where there is nothing yet. A path that is no UTF-8 is written to CSV files byte by byte,
//! and to JSON with `\xff` for such a byte.

mod cleaned;
mod lists;
mod place;
mod table;

pub use cleaned::CleanReport;
pub use place::CopyMode;
pub(crate) use place::{Tree, sample_folder, whole_folder};

use crate::decision::Choice;
use crate::query::Source;
use crate::sample::SampleId;
use crate::{Error, Result};
use std::fs;
use std::path::{Path, PathBuf};

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
        outside(self.source.manifest.root(), target)
    }
}

/// Refuses a place inside the dataset at `root`.
///
/// # Errors
/// When `target` lies in it, or cannot be found.
pub fn outside(root: &Path, target: &Path) -> Result<()> {
    let root = fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
    let absolute = std::path::absolute(target).map_err(Error::io("find", target))?;
    // The target need not exist yet: what exists of it counts.
    let real: Option<PathBuf> = absolute.ancestors().find_map(|part| fs::canonicalize(part).ok());
    if real.is_some_and(|real| real.starts_with(&root)) {
        let message = format!(
            "{} lies inside the dataset, which is never written to; choose another place",
            target.display()
        );
        return Err(Error::Invalid(message));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
