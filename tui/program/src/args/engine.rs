//! Model, detectors and rule of a scan.

use super::detectors;
use chaffinch_protocol::EnsembleRule;
use chaffinch_protocol::ensemble::RULES;
use clap::Args;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Model, detectors and rule of a scan.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Scan")]
pub(crate) struct EngineArgs {
    /// Model: `bundled`, `bundled-photo`, `bundled-small`, a name on the Hugging Face Hub, or a folder [default: that of the last scan, or else
    /// from the configuration]
    #[arg(long, value_name = "NAME|DIR")]
    pub(crate) model: Option<String>,
    /// Embeddings from your own model, instead of a model: .npy, .safetensors, .parquet, FiftyOne's .json or a folder of
    /// clip-retrieval; the session keeps them
    #[arg(long, value_name = "FILE|DIR", conflicts_with = "model")]
    pub(crate) embeddings: Option<PathBuf>,
    /// What each row of --embeddings is about: a path, a stem or a content hash on each line [default: as the file says, or
    /// else the dataset's samples in order, which is that of the bytes of their paths: `cat big` before `cat/`]
    #[arg(long, value_name = "FILE", requires = "embeddings", conflicts_with = "model")]
    pub(crate) embedding_ids: Option<PathBuf>,
    /// Vectors of prompts or class names from the same model as --embeddings: .safetensors, .parquet, or .npy beside a .txt
    #[arg(long, value_name = "FILE", requires = "embeddings", conflicts_with = "model")]
    pub(crate) text_embeddings: Option<PathBuf>,
    /// Out-of-sample class probabilities from your own model, instead of computed ones: .npy or .safetensors, or .parquet or
    /// .csv with the columns `path` and one for each class; repeat to average several models, `none` to drop them; the
    /// session keeps them
    #[arg(long, value_name = "FILE")]
    pub(crate) pred_probs: Vec<PathBuf>,
    /// Class names in the order of the columns of --pred-probs, for arrays and columns that are numbers: one per line,
    /// or with their numbers, as in `0 dog` or `class_to_idx.json`
    #[arg(long, value_name = "FILE", requires = "pred_probs")]
    pub(crate) classes: Option<PathBuf>,
    /// What each row of --pred-probs is about, like --embedding-ids
    #[arg(long, value_name = "FILE", requires = "pred_probs")]
    pub(crate) pred_probs_ids: Option<PathBuf>,
    /// Device that runs the model: auto, cpu, cpu:bf16, cuda, or GPUs by number as cuda:0,1 [default: from the session
    /// or the configuration]
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<String>,
    /// GPU memory to use on a shared GPU, such as 6GiB [default: from the configuration, or else all]
    #[arg(long, value_name = "BYTES")]
    pub(crate) vram_budget: Option<String>,
    /// Detectors to run, or `default` for all enabled ones [default: those named in the last scan, or else all enabled ones]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) detectors: Vec<String>,
    /// How to combine detectors: or, and, 2-of-n, majority, mean-rank, average, consensus, weighted, stacking, recall
    /// or precision [default: from the session or the configuration]
    #[arg(long, value_name = "RULE", value_parser = rule)]
    pub(crate) ensemble: Option<String>,
    /// Additional folder of detector libraries; can be repeated
    #[arg(long, value_name = "DIR", value_parser = detectors())]
    pub(crate) plugins: Vec<PathBuf>,
    /// Run detectors whose code has changed since they were first used
    #[arg(long)]
    pub(crate) allow_changed: bool,
    /// The reviewer that was named to a command with [`ReviewerArgs`](super::ReviewerArgs).
    #[arg(skip)]
    pub(crate) reviewer: Option<String>,
}

impl EngineArgs {
    /// The same with the reviewer that was named.
    pub(crate) fn by(&self, reviewer: &super::ReviewerArgs) -> EngineArgs {
        EngineArgs { reviewer: reviewer.reviewer.clone(), ..self.clone() }
    }
}

/// Parses the name of a rule that combines detectors.
pub(crate) fn rule(name: &str) -> Result<String, String> {
    match EnsembleRule::parse(name, &BTreeMap::new()) {
        Some(rule) => Ok(rule.name()),
        None => Err(format!("unknown rule (expected {}, or 2-of-n with any number)", RULES.join(", "))),
    }
}
