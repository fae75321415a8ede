//! What becomes of one file.

use super::output::Output;
use super::parquet_file::ParquetEdits;
use super::tar;
use crate::{Error, Result};
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::job::Job;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A file that goes, or gets another path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Move {
    /// Relative to the root.
    pub(super) from: PathBuf,
    /// `None` if it goes.
    pub(super) to: Option<PathBuf>,
    pub(super) hash: ContentHash,
}

/// A file that gets other contents.
pub(super) struct Rewrite {
    /// Its absolute path.
    pub(super) path: PathBuf,
    pub(super) contents: Contents,
}

/// The new contents of a file.
pub(super) enum Contents {
    Bytes(Vec<u8>),
    Tar(tar::Parts),
    Parquet(ParquetEdits),
}

impl Contents {
    /// Writes them; `source` is the file as it is.
    ///
    /// # Errors
    /// When they cannot be read or written, or what is in the file is not what the plan is about.
    pub(super) fn write(&self, source: &Path, out: &mut Output<'_>, job: &Job<'_>) -> Result<()> {
        match self {
            Contents::Bytes(bytes) => out.write_all(bytes).map_err(Error::io("write", source)),
            Contents::Tar(parts) => parts.write(source, out, job),
            Contents::Parquet(edits) => edits.write(source, out, job),
        }?;
        out.flush().map_err(Error::io("write", source))
    }
}
