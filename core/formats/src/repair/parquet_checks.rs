//! The pictures in a Parquet file that a plan is about: they must be those that were decided about. They are compared while the
//! file is rewritten, when their pages are in memory anyway.

use super::parquet_fault::Fault;
use chaffinch_compute::content::ContentHash;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

/// What pictures must be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Checks {
    /// The dataset, for messages.
    pub(super) dataset: PathBuf,
    /// The column of the pictures.
    pub(super) column: String,
    /// The path and the content of each, by row.
    pub(super) rows: BTreeMap<u64, (PathBuf, ContentHash)>,
}

/// Those of one column chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChunkChecks<'c> {
    /// `None` for a column of something else.
    checks: Option<&'c Checks>,
    /// The row of the file that is the first of the chunk, and how many it has.
    first: u64,
    rows: u64,
}

impl Checks {
    /// Those of a chunk of this column.
    pub(super) fn of(&self, column: &str, first: u64, rows: u64) -> ChunkChecks<'_> {
        ChunkChecks { checks: Some(self).filter(|checks| checks.column == column), first, rows }
    }
}

impl ChunkChecks<'_> {
    /// Whether there are any in these rows of the chunk.
    pub(super) fn any_in(&self, rows: Range<u64>) -> bool {
        let rows = self.first + rows.start..self.first + rows.end;
        self.checks.is_some_and(|checks| checks.rows.range(rows).next().is_some())
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.any_in(0..self.rows)
    }

    /// Compares the picture of a row.
    ///
    /// # Errors
    /// When it is another one.
    pub(super) fn look(&self, row: u64, picture: Option<&[u8]>) -> Result<(), Fault> {
        let Some((path, hash)) = self.checks.and_then(|checks| checks.rows.get(&(self.first + row))) else {
            return Ok(());
        };
        match picture {
            Some(bytes) if ContentHash::of(bytes) == *hash => Ok(()),
            _ => Err(Fault::Changed(path.clone())),
        }
    }
}
