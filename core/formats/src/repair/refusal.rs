//! Why a dataset is not changed.

use crate::Error;
use chaffinch_protocol::display::safe_path;
use std::path::Path;

/// An error about the dataset, with what is wrong and what to do.
pub(super) fn refused(dataset: &Path, message: impl Into<String>) -> Error {
    Error::Dataset { path: dataset.to_path_buf(), message: message.into() }
}

/// A sample of the plan is not what it was.
pub(super) fn outdated(dataset: &Path, sample: &Path, what: &str) -> Error {
    refused(dataset, format!("{} {what}; scan the dataset and make a new plan", safe_path(sample)))
}

/// The bytes of a sample are not those that were decided about.
pub(super) fn changed(dataset: &Path, sample: &Path) -> Error {
    outdated(dataset, sample, "has changed since the plan was made")
}
