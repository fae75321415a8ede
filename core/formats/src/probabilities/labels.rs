//! Which column of a table holds the labels.

use crate::{Error, Result};
use std::path::Path;

/// Column names for labels.
const LABELS: [&str; 7] =
    ["given_label", "label", "labels", "class", "class_name", "true_label", "clean_label"];
/// Column names for flags.
const FLAGS: [&str; 3] = ["is_error", "label_error", "error"];

/// Which column of a table holds the labels.
pub(super) struct LabelColumn {
    /// Its index.
    pub(super) index: usize,
    /// Whether its name says so, which makes the first line a header.
    pub(super) headed: bool,
    /// Whether its name says that it holds flags.
    pub(super) flags: bool,
}

/// Finds the label column by its lower-case name; a single column needs no name.
pub(super) fn label_column(path: &Path, head: &[String]) -> Result<LabelColumn> {
    let index = |names: &[&str]| names.iter().find_map(|name| head.iter().position(|field| field == name));
    match (index(&FLAGS), index(&LABELS)) {
        (Some(index), _) => Ok(LabelColumn { index, headed: true, flags: true }),
        (None, Some(index)) => Ok(LabelColumn { index, headed: true, flags: false }),
        (None, None) if head.len() == 1 => Ok(LabelColumn { index: 0, headed: false, flags: false }),
        (None, None) => {
            let message = format!("it needs one of the columns {} or {}", LABELS.join(", "), FLAGS[0]);
            Err(Error::format(path, message))
        }
    }
}
