//! Where the vectors of a scan are kept, and which ones are there already.

use super::Scan;
use crate::{Error, Result};
use chaffinch_compute::embedding::Embedder;
use chaffinch_compute::job::Job;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::session::Session;
use chaffinch_data::store::EmbeddingStore;
use std::path::PathBuf;

impl Scan<'_> {
    /// The store of a model's vectors: that which sessions share, with what this one has already, or else its own. Vectors from
    /// elsewhere are only its own.
    pub(super) fn open_store(
        &self,
        embedder: &dyn Embedder,
        manifest: &Manifest,
        job: &Job<'_>,
    ) -> Result<EmbeddingStore> {
        let session = &self.setup.session;
        let open = |mut folder: PathBuf| {
            folder.extend(manifest.rendering().folders());
            EmbeddingStore::open(&folder, embedder.fingerprint(), embedder.dim())
        };
        let mut own = session.own_embeddings_dir();
        let Some(shared) = session.store().filter(|_| embedder.sees()) else { return open(own) };
        if !shared.is_dir() {
            let message = "the embedding store of this session is gone, or on a disk that is not mounted; --store DIR names \
                           another one, and --store none keeps vectors in the session";
            return Err(Error::format(shared, message));
        }
        let mut store = open(shared)?;
        own.extend(manifest.rendering().folders());
        if own.join(embedder.fingerprint().as_str()).is_dir() {
            let known = EmbeddingStore::open(&own, embedder.fingerprint(), embedder.dim())?;
            store.take_over(&[known], job)?;
        }
        store.unfinished_in(&own)
    }

    /// Fills a store with what was embedded for the shards.
    pub(super) fn take_over_shards(
        &self,
        store: &mut EmbeddingStore,
        manifest: &Manifest,
        job: &Job<'_>,
    ) -> Result<()> {
        let mut stores = Vec::new();
        for dir in &self.setup.given.shards {
            let session = Session::open_to_read(dir);
            let mut folder =
                session.map_or_else(|_| Session::embeddings_in(dir), |session| session.embeddings_dir());
            folder.extend(manifest.rendering().folders());
            if !folder.join(store.fingerprint().as_str()).is_dir() {
                continue;
            }
            let shard = EmbeddingStore::open(&folder, store.fingerprint(), store.dim())?;
            for note in shard.notes() {
                (self.reporter.trouble)("embedding store", note);
            }
            stores.push(shard);
        }
        store.take_over(&stores, job)
    }
}
