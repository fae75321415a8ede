//! What a report is about.

use chaffinch_data::journal::Journal;
use chaffinch_data::uses::Uses;
use chaffinch_protocol::{EnsembleRule, Ledger};
use chaffinch_review::dataset::Beside;
use chaffinch_review::query::Source;

/// A session as a report needs it.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// Samples, results, rank and decisions; the embeddings for the map, if there are any.
    pub source: Source<'a>,
    /// Everybody's decisions.
    pub journal: &'a Journal,
    /// What was left out, guessed or is doubtful about the dataset.
    pub ledger: &'a Ledger,
    /// The rule that combines detectors.
    pub rule: &'a EnsembleRule,
    /// Names.
    pub about: &'a About,
    /// What the dataset as a whole is judged with beside that; `None` if it is not to be judged.
    pub beside: Option<&'a Beside>,
}

/// Where a session is from, as shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The dataset's name.
    pub name: String,
    /// The dataset's path or address.
    pub dataset: String,
    /// The program with its version.
    pub program: String,
    /// What the session was scanned with.
    pub uses: Uses,
}
