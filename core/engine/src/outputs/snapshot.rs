//! The session of a running engine, as something to write about.

use super::{Outputs, about};
use crate::answers::rows;
use crate::state::State;
use crate::{Error, Result, Setup};
use chaffinch_compute::job::Job;
use chaffinch_data::journal::Journal;
use chaffinch_report::Subject;
use chaffinch_review::atlas::Atlas;
use chaffinch_review::query::Source;
use std::sync::Arc;

/// What is known at a moment. Decisions are read from their files, where everything is that the screen calls saved.
pub(crate) struct Snapshot {
    pub(crate) state: Arc<State>,
    pub(crate) setup: Arc<Setup>,
    /// The reviewer who asks: own decisions take precedence.
    pub(crate) reviewer: String,
}

impl Snapshot {
    /// Works with the outputs of this moment; `embeddings` if they are needed.
    ///
    /// # Errors
    /// When the dataset has not been scanned, a journal cannot be read, the work fails, or the job is stopped.
    pub(crate) fn with<T>(
        &self,
        embeddings: bool,
        job: &Job<'_>,
        work: impl FnOnce(&Outputs<'_>, &dyn Fn() -> Option<Atlas>) -> Result<T>,
    ) -> Result<T> {
        let (state, setup) = (&self.state, &self.setup);
        let (findings, session) = (&state.findings, &setup.session);
        if findings.file_metadata.is_empty() {
            return Err(Error::Invalid("the dataset has not been read yet; wait for the scan".into()));
        }
        let mut journal = Journal::open_for(&session.decisions_dir(), &self.reviewer, job)?;
        job.checkpoint()?;
        journal.bind(&findings.manifest, Some(&findings.file_metadata));
        let reading = session.load_reading()?.unwrap_or_default();
        let about = about(&session.dataset(), setup.program.clone(), session.uses());
        let atlas = || self.atlas();
        let own = if embeddings { atlas() } else { None };
        let ledger = state.reading();
        let source = Source { atlas: own.as_ref(), ..state.source(journal.decisions()) };
        let subject =
            Subject { source, journal: &journal, ledger: &ledger, rule: &state.rule, about: &about };
        work(&Outputs::new(subject, &setup.dataset, &reading, setup.finders, job)?, &atlas)
    }

    /// The embeddings of the last scan, if there are any.
    fn atlas(&self) -> Option<Atlas> {
        let findings = &self.state.findings;
        let matrix = match &findings.matrix {
            Some(matrix) => matrix.clone(),
            None => Arc::new(rows::open_matrix(&self.setup.session, findings)?.0),
        };
        Some(Atlas::new(matrix, findings.manifest.clone(), findings.file_metadata.clone()))
    }
}
