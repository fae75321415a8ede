//! Loading detector libraries and running them.

use std::path::PathBuf;

/// Why a library or a detector was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// Placeholder.
    #[error("{0}")]
    Placeholder(PathBuf),
}
