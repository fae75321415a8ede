//! Which rows are listed, and in what order.

use crate::Ticket;
use serde::{Deserialize, Serialize};

/// Which samples are listed, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// Suspects only, or all samples.
    pub all: bool,
    /// Terms that must all match. Each is searched for in the path, unless it is `class:NAME`, `suggested:NAME`,
    /// `detector:NAME`, `newly:NAME` and `formerly:NAME` (flagged by its last run only, and by the one before only), `split:NAME`, `decision:keep|remove|relabel|unsure|none`, `decided`, `undecided`, `tag:NAME`,
    /// `note:TEXT`, `reviewer:NAME`, `path:TEXT`, `score<0.3` (or `<=`, `>`, `>=`; the ensemble's), `DETECTOR<0.3` (that
    /// detector's), `attr.NAME<0.3` (an attribute's value), `is:leak`, `is:unreadable`, `map:LEFT,TOP,RIGHT,BOTTOM` (an [`Area`](crate::Area)) or
    /// `cluster:CLASS/NUMBER`, or `sample:3,8-12` (numbers in the order of the dataset, from 1). `*` and `?` are wildcards. A leading `-` or `NOT` negates, `or` (or `|`) between terms gives a
    /// choice, parentheses group. Terms with a key that a sample has once, such as two classes, are a choice too.
    pub filter: String,
    /// The order.
    pub sort: Sort,
    /// Reverse the order.
    pub descending: bool,
}

/// The order of a list. Ties are broken by manifest order, so an order never changes between runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Worst first, by the ensemble.
    #[default]
    Rank,
    /// Worst first, by one detector.
    Detector(String),
    /// By class, worst first within one.
    Class,
    /// By path.
    Path,
    /// Shuffled with a fixed seed.
    Random,
    /// The samples first whose score is nearest to 0.5, where they are as likely bad as fine.
    Uncertain,
    /// The worst first, then each time the sample that is least like all before it.
    Diverse,
    /// The worst of each cluster of each class, then the second worst of each, and so on.
    Clusters,
    /// The likeliest to be bad first, by what the reviewer's decisions teach. The number is the client's: the first list with it learns from the
    /// decisions so far, and later lists with the same number keep that order, whatever is decided meanwhile. There is no such list
    /// until it predicts decisions better than the rank.
    Learned(u64),
    /// Duplicate groups together, worst group first.
    Group,
    /// By meaning, the most similar first: an expression over texts and samples, such as `cat + snow - 0.5*indoors` or
    /// `like:path/of/sample.jpg`. Parts are added by `+` and taken away by `-`, `0.5*` before one is its weight, and `file:PATH`
    /// is a picture from outside. Samples without an embedding are last.
    Meaning(String),
    /// By an attribute, the least first: its name, or `DETECTOR.NAME` where several detectors have one of that name.
    Attribute(String),
}

/// Rows of a list by their decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListCounts {
    /// The ticket of the list.
    pub ticket: Ticket,
    /// Rows with a keep, remove, relabel or unsure decision, in this order.
    pub by_choice: [u64; 4],
}
