//! What is intended, as it is written before the first step.

use chaffinch_compute::content::ContentHash;
use chaffinch_review::repair::PathText;
use serde::{Deserialize, Serialize};

/// The version of journals that is written and read.
pub(super) const VERSION: u32 = 1;

/// What is intended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Log {
    pub(super) version: u32,
    /// [`Plan::id`].
    pub(super) plan: String,
    pub(super) dataset: PathText,
    /// Of several plans that were applied to a dataset, the last one has the highest number.
    pub(super) number: u64,
    /// Folders that are made, outer ones first.
    pub(super) made: Vec<PathText>,
    /// Files that are taken to `kept/N`.
    pub(super) taken: Vec<PathText>,
    pub(super) placed: Vec<Placed>,
    /// For the words at the end.
    pub(super) removed: u64,
    pub(super) moved: u64,
    pub(super) rewritten: u64,
}

/// A file that is put into its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Placed {
    pub(super) from: Held,
    pub(super) to: PathText,
    /// The hash of its contents; zero if it is not known.
    pub(super) hash: ContentHash,
}

/// Where a file is before it is put into its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Held {
    Kept(usize),
    New(usize),
}

impl Log {
    /// How many steps it has.
    pub(super) fn steps(&self) -> u64 {
        (self.taken.len() + self.placed.len()) as u64
    }
}
