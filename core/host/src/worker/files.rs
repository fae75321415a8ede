//! The memory files that a run lends to its worker.

use super::shared::Memory;
use chaffinch_plugin::Error;
use std::io;

/// The files of one run.
pub(super) struct Files {
    /// Answers that stay.
    pub(super) answers: Memory,
    /// Answers that last until the next request.
    pub(super) brief: Memory,
    /// What the worker writes.
    pub(super) out: Memory,
}

impl Files {
    /// Empty ones.
    pub(super) fn new() -> io::Result<Files> {
        Ok(Files {
            answers: Memory::new("chaffinch-answers")?,
            brief: Memory::new("chaffinch-brief")?,
            out: Memory::new("chaffinch-out")?,
        })
    }
}

/// A detector could not be lent memory.
pub(super) fn unlent(error: io::Error) -> Error {
    Error::new(format!("could not be lent memory: {error}"))
}
