//! What comes out: decisions in forms that other programs read, and a cleaned copy of the dataset.
//!
//! Nothing is ever written into the dataset, single files are replaced as a whole or not at all, and a cleaned
//! copy is only made where there is nothing yet. A path that is no UTF-8 is written to CSV files byte by byte,
//! and to JSON with `\xff` for such a byte.

mod cleaned;
mod lists;
mod table;

pub use chaffinch_data::output::CopyMode;
pub use cleaned::CleanReport;

use crate::Result;
use chaffinch_data::output;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use chaffinch_review::query::Source;
use std::path::Path;

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
