//! Which rows are listed, and in what order.

use serde::{Deserialize, Serialize};

/// Which samples are listed, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// Suspects only, or all samples.
    pub all: bool,
    /// Words that must all match. Each is matched against the path, unless it is `class:NAME`,
    /// `suggested:NAME`, `detector:NAME`, `split:NAME`, `decision:keep|remove|relabel|unsure|none`, `decided`,
    /// `undecided`, `tag:NAME`, `score<0.3`, `score>0.3`, `is:leak`, `map:LEFT,TOP,RIGHT,BOTTOM` (an [`Area`](crate::Area)) or
    /// `cluster:CLASS/NUMBER`. A leading `-` negates.
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
    /// Duplicate groups together, worst group first.
    Group,
}
