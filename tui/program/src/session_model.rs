//! The model of a session with the embeddings that a scan made with it, for commands that need both.

use super::args::{EngineArgs, Global};
use super::output::count;
use super::{bundled, model_loader, uses};
use anyhow::{Result, bail, ensure};
use chaffinch_clip::{Bundled, ClipEmbedder};
use chaffinch_compute::embedding::Embedder;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_data::config::Config;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::session::{self, Session};
use chaffinch_data::store::EmbeddingStore;
use std::path::{Path, PathBuf};

/// A model that was loaded, and its embeddings.
pub(super) struct SessionModel {
    pub(super) config: Config,
    pub(super) dataset: PathBuf,
    pub(super) embedder: ClipEmbedder,
    /// A row for each sample.
    pub(super) matrix: EmbeddingMatrix,
}

impl SessionModel {
    /// Loads the named model on the named device, or those of the last scan.
    ///
    /// # Errors
    /// When embeddings came from elsewhere, or pictures are not embedded with this model.
    pub(super) fn open(
        target: &Path,
        global: &Global,
        (model, device): (Option<String>, Option<String>),
        file_metadata: &FileMetadata,
    ) -> Result<SessionModel> {
        let location = session::resolve(target, global.session.as_deref())?;
        let session = Session::open_to_read(&location.dir)?;
        let named = EngineArgs { model, device, ..EngineArgs::default() };
        let resolved = uses::resolve(&location, global, &named, &DatasetOptions::default())?;
        if let Some(files) = &resolved.uses.embeddings {
            bail!(
                "this session was scanned with {}, and the model that they are from is needed here to read prompts; name it \
                 with --model, after a scan with it",
                files.name()
            );
        }
        let kept = bundled::kept(&resolved.before);
        let config = resolved.tell_model(global);
        let model = match (config.model(), kept) {
            (Bundled::EITHER, Some(kept)) => kept.name(),
            (named, _) => named,
        };
        let embedder = model_loader::open(model, config.device(), config.vram_budget(), global)?;
        let store = EmbeddingStore::open(&session.embeddings_dir(), embedder.fingerprint(), embedder.dim())?;
        let missing = store.missing(&file_metadata.hashes).len();
        ensure!(
            missing == 0,
            "{} embedded with the model {model}; run chaffinch scan with --model {model} first",
            count(missing as u64, "picture is not", "pictures are not")
        );
        let matrix = store.gather(&file_metadata.hashes)?;
        Ok(SessionModel { config, dataset: location.dataset, embedder, matrix })
    }
}
