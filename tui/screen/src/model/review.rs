//! Decisions: their targets, the ones made, and how they are made.

use super::{Journal, Sitting};
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeSet;

/// The review.
#[derive(Clone, Debug)]
pub struct Review {
    /// Decisions being saved.
    pub journal: Journal,
    /// Marked samples.
    pub marks: BTreeSet<SampleId>,
    /// The row where a range starts.
    pub visual: Option<u64>,
    /// Whether a decision moves on to the next undecided sample.
    pub advance: bool,
    /// The last decision, for repeating.
    pub last_choice: Option<Choice>,
    /// Classes used for relabeling, last used first.
    pub recent: Vec<String>,
    /// Tags of the reviewer's own.
    pub tags: Vec<String>,
    /// Statistics since the start.
    pub sitting: Sitting,
}

impl Default for Review {
    fn default() -> Review {
        Review {
            journal: Journal::default(),
            marks: BTreeSet::new(),
            visual: None,
            advance: true,
            last_choice: None,
            recent: Vec::new(),
            tags: Vec::new(),
            sitting: Sitting::default(),
        }
    }
}
