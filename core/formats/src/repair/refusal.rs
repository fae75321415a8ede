//! Why a dataset is not changed.

use crate::Error;
use std::path::Path;

/// An error about the dataset, with what is wrong and what to do.
pub(super) fn refused(dataset: &Path, message: impl Into<String>) -> Error {
    Error::Dataset { path: dataset.to_path_buf(), message: message.into() }
}
