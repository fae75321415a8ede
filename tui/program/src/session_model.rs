//! The model of a session with the embeddings that a scan made with it, for commands that need both.

use super::args::{EngineArgs, Global};
use super::output::count;
use super::{bundled, model_loader, uses};
use anyhow::{Result, bail};
use chaffinch_clip::{Bundled, ClipEmbedder};
use chaffinch_compute::embedding::Embedder;
use chaffinch_compute::image::decode::Rendering;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_data::config::Config;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::session::{self, Session};
use chaffinch_data::store;
use chaffinch_protocol::sample::SampleId;
use std::path::{Path, PathBuf};

/// What follows if embeddings came from elsewhere, for commands that compare them with prompts.
const PROMPTS: &str =
    "the model that they are from is needed here to read prompts; name it with --model, after a scan with it";

/// A model that was loaded, and its embeddings.
pub(super) struct SessionModel {
    pub(super) config: Config,
    pub(super) dataset: PathBuf,
    pub(super) session: Session,
    pub(super) embedder: ClipEmbedder,
    /// A row for each sample.
    pub(super) matrix: EmbeddingMatrix,
}

/// A model that was loaded for a session.
pub(super) struct LoadedModel {
    pub(super) config: Config,
    pub(super) dataset: PathBuf,
    pub(super) embedder: ClipEmbedder,
    pub(super) session: Session,
    /// Its name.
    model: String,
}

impl LoadedModel {
    /// Loads the named model on the named device, or those of the last scan. `elsewhere` says what follows if embeddings came from
    /// elsewhere.
    ///
    /// # Errors
    /// When embeddings came from elsewhere, or the model cannot be loaded.
    pub(super) fn open(
        target: &Path,
        global: &Global,
        (model, device): (Option<String>, Option<String>),
        elsewhere: &str,
    ) -> Result<LoadedModel> {
        let location = session::resolve(target, global.session.as_deref())?;
        let session = Session::open_to_read(&location.dir)?;
        let named = EngineArgs { model, device, ..EngineArgs::default() };
        let resolved = uses::resolve(&location, global, &named, &DatasetOptions::default())?;
        if let Some(files) = &resolved.uses.embeddings {
            bail!("this session was scanned with {}, and {elsewhere}", files.name());
        }
        let kept = bundled::kept(&resolved.before);
        let config = resolved.tell_model(global);
        let model = match (config.model(), kept) {
            (Bundled::EITHER, Some(kept)) => kept.name(),
            (named, _) => named,
        };
        let model = model.to_owned();
        let embedder = model_loader::open(&model, config.device(), config.vram_budget(), global)?;
        Ok(LoadedModel { config, dataset: location.dataset, embedder, session, model })
    }
}

impl SessionModel {
    /// Loads the named model on the named device, or those of the last scan.
    ///
    /// # Errors
    /// When embeddings came from elsewhere, or pictures are not embedded with this model.
    pub(super) fn open(
        target: &Path,
        global: &Global,
        named: (Option<String>, Option<String>),
        (file_metadata, rendering): (&FileMetadata, Rendering),
    ) -> Result<SessionModel> {
        let LoadedModel { config, dataset, embedder, session, model } =
            LoadedModel::open(target, global, named, PROMPTS)?;
        let (hashes, known) = (&file_metadata.hashes, (embedder.fingerprint().as_str(), embedder.dim()));
        let matrix = store::kept(&session.embeddings_dir(), rendering, known, hashes);
        let has =
            |row: usize| matrix.as_ref().is_some_and(|matrix| matrix.row(row).iter().any(|x| *x != 0.0));
        let decodable = (0..hashes.len()).filter(|&row| file_metadata.decodable(SampleId(row as u32)));
        let missing = decodable.filter(|&row| !has(row)).count() as u64;
        let Some(matrix) = matrix.filter(|_| missing == 0) else {
            bail!(
                "{} embedded with the model {model}; run chaffinch scan with --model {model} first",
                count(missing, "picture is not", "pictures are not")
            );
        };
        Ok(SessionModel { config, dataset, session, embedder, matrix })
    }
}
