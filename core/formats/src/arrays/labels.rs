//! Which column of a table holds the labels.

use crate::headings::is_unnamed;
use crate::{Error, Result};
use chaffinch_protocol::display::excerpt;
use std::path::Path;

/// Column names for labels.
pub(crate) const LABELS: [&str; 7] =
    ["given_label", "label", "labels", "class", "class_name", "true_label", "clean_label"];
/// Column names for flags.
pub(crate) const FLAGS: [&str; 3] = ["is_error", "label_error", "error"];

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
        // A single column with pandas' index beside it.
        (None, None) if head.len() == 2 && is_unnamed(&head[0]) => {
            Ok(LabelColumn { index: 1, headed: true, flags: false })
        }
        (None, None) => {
            let seen: Vec<String> = head.iter().map(|name| format!("'{}'", excerpt(name))).collect();
            let (labels, seen) = (LABELS.join(", "), seen.join(", "));
            let message = format!("it needs one of the columns {labels} or {}; it has {seen}", FLAGS[0]);
            Err(Error::format(path, message))
        }
    }
}
