//! Errors of loading a model.

use std::path::PathBuf;

/// Why a model could not be loaded. Every message says which file or name is affected and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClipError {
    /// The name is neither `bundled`, nor a folder, nor a name on the hub.
    #[error(
        "{text:?} is not a model: use `bundled`, a folder with a config.json, or a name such as owner/model"
    )]
    UnknownSource {
        /// What was given.
        text: String,
    },
    /// Not a valid device name.
    #[error("{text:?} is not a device: use auto, cpu, cpu:bf16, or cuda:N, where N is the number of the GPU")]
    UnknownDevice {
        /// What was given.
        text: String,
    },
    /// The budget is not an amount of memory.
    #[error("{text:?} is not an amount of memory: use one such as 6GiB")]
    UnknownBudget {
        /// What was given.
        text: String,
    },
    /// The budget is too small for the model.
    #[error(
        "the memory budget of {budget} is too small, the model needs about {needed}: raise --vram-budget, or use a smaller model or --device cpu"
    )]
    Budget {
        /// What was given.
        budget: String,
        /// The memory needed for the weights and the smallest batch.
        needed: String,
    },
    /// The device was explicitly requested but cannot be used.
    #[error("cannot use {device}: {reason}")]
    Device {
        /// The requested device.
        device: String,
        /// Why it cannot be used, and what to do.
        reason: String,
    },
    /// A file or folder cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A required file is missing.
    #[error("{} has no {wanted}; is it a checkpoint in the Hugging Face layout?", folder.display())]
    NoFile {
        /// The checkpoint's folder.
        folder: PathBuf,
        /// The file, or the files of which one is needed.
        wanted: String,
    },
    /// An invalid configuration.
    #[error("{}: {reason}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An unsupported configuration.
    #[error("{}: {what} is not supported; {supported}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The unsupported value.
        what: String,
        /// What is supported.
        supported: &'static str,
    },
    /// A weights file that is damaged, truncated, or not in safetensors format.
    #[error("{} is not a usable safetensors file: {reason}; download or copy it again", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The checkpoint lacks a tensor.
    #[error("{} has no tensor {name}, which its config.json requires", path.display())]
    MissingTensor {
        /// The file, or the index of a sharded checkpoint.
        path: PathBuf,
        /// The tensor.
        name: String,
    },
    /// A tensor's shape does not match the configuration.
    #[error("{}: tensor {name} has shape {found:?}, but config.json requires {expected:?}", path.display())]
    WrongShape {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// By the configuration.
        expected: Vec<usize>,
        /// In the file.
        found: Vec<usize>,
    },
    /// A tokenizer that cannot be used.
    #[error("{}: {reason}", path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no folder for the hub's cache.
    #[error(
        "there is no home folder to store models in; set HF_HOME to a folder, or pass the path of a model folder"
    )]
    NoCache,
    /// Offline, and the model is not in the cache.
    #[error(
        "{repo} at {revision} is not in {} and HF_HUB_OFFLINE forbids downloading it; unset HF_HUB_OFFLINE, or copy the model there",
        folder.display()
    )]
    Offline {
        /// The name on the hub.
        repo: String,
        /// Branch, tag or commit.
        revision: String,
        /// The cache's folder for this model.
        folder: PathBuf,
    },
    /// The hub does not have it, or it is not public.
    #[error(
        "the hub at {endpoint} has no {repo} at {revision}, or it requires a token: check the name, or set HF_TOKEN"
    )]
    NotOnHub {
        /// The address of the hub.
        endpoint: String,
        /// The name on the hub.
        repo: String,
        /// Branch, tag or commit.
        revision: String,
    },
    /// The hub cannot be reached, or the connection was lost.
    #[error(
        "cannot download {file} of {repo} from {endpoint}: {reason}; it is not cached in {} either; try again, or pass a model folder",
        folder.display()
    )]
    Hub {
        /// The address of the hub.
        endpoint: String,
        /// The name on the hub.
        repo: String,
        /// The file.
        file: String,
        /// The cache's folder for this model.
        folder: PathBuf,
        /// The client's message.
        reason: String,
    },
    /// The device failed while the weights were put on it.
    #[error("cannot load {name} on {device}: {reason}")]
    Load {
        /// The model.
        name: String,
        /// The device, for display.
        device: String,
        /// Candle's message.
        reason: String,
    },
}
