//! What a scan counts for its report, of all samples or of a shard.

use super::{Model, Scan};
use crate::{Result, remarks};
use chaffinch_compute::embedding::Embedder;
use chaffinch_compute::job::Job;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::index::IndexReport;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::store::{self, FillReport};

impl Scan<'_> {
    /// Counts what reading so many samples brought.
    pub(super) fn count_read(
        &mut self,
        samples: usize,
        file_metadata: &FileMetadata,
        read: IndexReport,
        filled: &FillReport,
    ) {
        let not_read =
            file_metadata.unreadable.keys().filter(|id| file_metadata.not_read(**id)).count() as u64;
        self.report.samples = samples as u64;
        self.report.unreadable = file_metadata.unreadable.len() as u64 - not_read;
        self.report.not_read = not_read;
        self.report.damaged = remarks::damaged(file_metadata);
        self.report.indexed = read.read;
        self.report.embedded = filled.embedded;
    }

    /// Embeds what was not embedded while it was read, and counts it.
    pub(super) fn fill(
        &mut self,
        model: &mut Model,
        manifest: &Manifest,
        file_metadata: &FileMetadata,
        job: &Job<'_>,
    ) -> Result<()> {
        let filled = store::fill(&mut model.store, manifest, file_metadata, model.embedder.as_ref(), job);
        self.tell_of_devices(model.embedder.as_ref());
        let filled = filled?;
        self.report.reused = filled.reused.saturating_sub(self.report.embedded);
        self.report.embedded += filled.embedded;
        Ok(())
    }

    /// Says what happened to the devices of a model while it embedded.
    pub(super) fn tell_of_devices(&self, embedder: &dyn Embedder) {
        for sentence in embedder.happened() {
            (self.reporter.trouble)("model", &sentence);
        }
    }
}
