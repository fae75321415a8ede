//! The memory files that a run lends to its worker.

use super::message::Wanted;
use super::shared::Memory;
use chaffinch_plugin::{Error, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io;

/// The files of one run.
pub(super) struct Files {
    /// Answers that stay.
    pub(super) answers: Memory,
    /// Answers that last until the next request.
    pub(super) brief: Memory,
    /// What the worker writes.
    pub(super) out: Memory,
    /// Answers that stay, by their requests.
    given: BTreeMap<String, Value>,
}

impl Files {
    /// Empty ones.
    pub(super) fn new() -> io::Result<Files> {
        let given = BTreeMap::new();
        Ok(Files {
            answers: Memory::new("chaffinch-answers")?,
            brief: Memory::new("chaffinch-brief")?,
            out: Memory::new("chaffinch-out")?,
            given,
        })
    }

    /// Answers a request. What stays is lent once, however often it is asked for.
    ///
    /// # Errors
    /// Those of `answer`.
    pub(super) fn once(
        &mut self,
        wanted: &Wanted,
        answer: impl FnOnce(&mut Files) -> Result<Value>,
    ) -> Result<Value> {
        let key = serde_json::to_string(wanted).ok().filter(|_| wanted.stays());
        if let Some(value) = key.as_ref().and_then(|key| self.given.get(key)) {
            return Ok(value.clone());
        }
        let value = answer(self)?;
        if let Some(key) = key {
            self.given.insert(key, value.clone());
        }
        Ok(value)
    }
}

/// A detector could not be lent memory.
pub(super) fn unlent(error: io::Error) -> Error {
    Error::new(format!("could not be lent memory: {error}"))
}
