//! A scan that several machines share: each reads and embeds a shard of the dataset into a session of its own, and one of
//! them takes all of that over and runs the detectors. What is left then is what one machine would have left.

use super::{Model, Read, Scan};
use crate::Result;
use crate::models::NoModel;
use chaffinch_compute::job::Job;
use chaffinch_data::index::{Passed, Shard, ShardRecord};
use chaffinch_data::manifest::Manifest;
use chaffinch_data::session::Session;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The files with the rows of shards, by their sessions.
pub(super) fn rows(sessions: &[PathBuf]) -> Vec<PathBuf> {
    sessions.iter().map(|dir| Session::shard_rows_in(dir)).collect()
}

impl Scan<'_> {
    /// Ends the scan of a shard: embeds what was not embedded while it was read, and records that the shard is complete.
    pub(super) fn finish_shard(
        &mut self,
        shard: Shard,
        model: Option<std::result::Result<Model, NoModel>>,
        manifest: &Manifest,
        passed: Passed,
        job: &Job<'_>,
    ) -> Result<Read> {
        let session = &self.setup.session;
        let Passed { file_metadata, report, filled, .. } = passed;
        self.count_read(shard.rows(manifest.len()).len(), &file_metadata, report, &filled);
        let mut fingerprint = None;
        if let Some(model) = model {
            let mut model = model?;
            self.fill(&mut model, manifest, &file_metadata, job)?;
            fingerprint = Some(model.embedder.fingerprint().as_str().to_owned());
        }
        let (bytes, ends) = manifest.path_columns();
        let mut paths = blake3::Hasher::new();
        paths.update(bytes).update(bytemuck::cast_slice(ends));
        session.keep_uses("", &self.setup.uses)?;
        let record = ShardRecord {
            shard,
            samples: manifest.len() as u64,
            paths: paths.finalize().to_hex().to_string(),
            model: fingerprint,
        };
        record.save(&session.shard_path())?;
        Ok(Read { model: None, measures: BTreeMap::new(), probabilities: None })
    }
}
