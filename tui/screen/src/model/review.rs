//! Decisions: their targets, the ones made, and how they are made.

use super::{Journal, Sitting};
use crate::action::Action;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{ListedRow, Ticket};
use std::collections::BTreeSet;

/// Rows that an action waits for: of marked samples, or of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolving {
    /// The ticket of the request.
    pub ticket: Ticket,
    /// Whose rows.
    pub samples: Vec<SampleId>,
    /// What is done once they are known.
    pub action: Action,
    /// When they were requested.
    pub at: u64,
}

/// Rows that have arrived for an action.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// Whose rows were requested.
    pub samples: Vec<SampleId>,
    /// The rows.
    pub rows: Vec<ListedRow>,
}

/// The review.
#[derive(Clone, Debug)]
pub struct Review {
    /// Decisions being saved.
    pub journal: Journal,
    /// Marked samples.
    pub marks: BTreeSet<SampleId>,
    /// The rows that an action waits for.
    pub resolving: Option<Resolving>,
    /// They have arrived.
    pub resolved: Option<Resolved>,
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
            resolving: None,
            resolved: None,
            visual: None,
            advance: true,
            last_choice: None,
            recent: Vec::new(),
            tags: Vec::new(),
            sitting: Sitting::default(),
        }
    }
}
