//! Everything an engine starts from.

use crate::Detectors;
use chaffinch_compute::embedding::Embedder;
use chaffinch_data::Result;
use chaffinch_data::config::Config;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::index::Shard;
use chaffinch_data::prompts::PromptSet;
use chaffinch_data::session::Session;
use chaffinch_data::uses::{EmbeddingFiles, ProbabilityFiles, Uses};
use chaffinch_formats::export::Finders;
use std::path::PathBuf;
use std::sync::Arc;

/// Loads the model when a scan needs it; the engine itself contains no model code.
pub type ModelLoader = Arc<dyn Fn() -> Result<Arc<dyn Embedder>> + Send + Sync>;

/// Everything an engine starts from.
pub struct Setup {
    /// The dataset.
    pub dataset: PathBuf,
    /// How to read it.
    pub dataset_options: DatasetOptions,
    /// The session, locked by this program.
    pub session: Session,
    /// Thresholds, parameters, enabled detectors, reviewer.
    pub config: Config,
    /// The detectors.
    pub detectors: Detectors,
    /// The prompts of classes and alternatives.
    pub prompts: PromptSet,
    /// The model.
    pub model: ModelLoader,
    /// Embeddings and probabilities that were named for this scan; what the session keeps of earlier ones is used
    /// otherwise.
    pub given: Given,
    /// What the session keeps for later commands once a scan has used it.
    pub uses: Uses,
    /// The program's name and version, for reports.
    pub program: String,
    /// Which detectors find what export formats have a name for.
    pub finders: Finders,
}

impl Setup {
    /// The digest of the prompts in use; empty if they cannot be read, which is said by what uses them.
    pub(crate) fn prompts_digest(&self) -> String {
        self.session.prompts(&self.prompts).map(|set| set.digest()).unwrap_or_default()
    }
}

/// What was named for a scan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// Embeddings to take in place of a model.
    pub embeddings: Option<EmbeddingFiles>,
    /// Class probabilities to take in place of the host's own.
    pub probabilities: Option<ProbabilityWish>,
    /// The only part of the dataset to read, for a machine among several; no detector runs then.
    pub shard: Option<Shard>,
    /// The sessions of all shards, in their order, whose work is taken over.
    pub shards: Vec<PathBuf>,
}

/// What is to be done about class probabilities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbabilityWish {
    /// Take them from files.
    Take(ProbabilityFiles),
    /// Return to those that the host computes.
    Drop,
}
