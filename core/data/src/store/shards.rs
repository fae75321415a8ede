//! Takes over what was embedded for the shards of a dataset on other machines.

use super::{CHUNK_ROWS, EmbeddingStore};
use crate::Result;
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::job::Job;
use std::collections::HashSet;

impl EmbeddingStore {
    /// Adds the contents of other stores of this model that it lacks. From stores that hold the shards of a dataset in
    /// their order, it gets the chunks that one machine would have written.
    ///
    /// # Errors
    /// When stopped, or when a chunk cannot be written.
    pub fn take_over(&mut self, stores: &[EmbeddingStore], job: &Job<'_>) -> Result<()> {
        let total = stores.iter().map(|store| store.len() as u64).sum();
        let mut done = 0;
        let (mut hashes, mut rows, mut usable) = (Vec::new(), Vec::new(), Vec::new());
        let mut pending: HashSet<ContentHash> = HashSet::new();
        for chunk in stores.iter().flat_map(|store| store.chunks.values()) {
            job.checkpoint()?;
            for (row, hash) in chunk.hashes().iter().enumerate() {
                done += 1;
                if self.knows(hash) || !pending.insert(*hash) {
                    continue;
                }
                hashes.push(*hash);
                rows.extend_from_slice(chunk.row(row));
                usable.push(chunk.usable(row));
                if hashes.len() == CHUNK_ROWS {
                    self.append(&hashes, &rows, &usable)?;
                    hashes.clear();
                    rows.clear();
                    usable.clear();
                    pending.clear();
                }
            }
            job.progress(done, total);
        }
        self.append(&hashes, &rows, &usable)
    }
}
