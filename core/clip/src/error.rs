//! Errors of loading a model.

use std::path::PathBuf;

/// Why a model could not be loaded. Every message says which file or name is affected and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClipError {
    /// The name is neither `bundled`, nor a folder, nor a name on the hub.
    #[error(
        "{text:?} is not a model: use `bundled`, `bundled-photo` or `bundled-small`, a folder with a config.json, or a name such as owner/model{hint}"
    )]
    UnknownSource {
        /// What was given.
        text: String,
        /// The bundled model that was probably meant, as in `; did you mean ...?`, or nothing.
        hint: String,
    },
    /// Not a valid device name.
    #[error(
        "{text:?} is not a device: use auto, cpu, cpu:bf16, cuda for all GPUs, or the numbers of some, as in cuda:0 or cuda:0,1"
    )]
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
    /// The budget, or what is free, is too small for the model.
    #[error(
        "{memory} is too small, the model needs about {needed}: raise --vram-budget, end other programs on the GPU, or use a smaller model or --device cpu"
    )]
    Budget {
        /// The limit, with its amount.
        memory: String,
        /// The memory needed for the driver, the weights and one image.
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
    /// Weights in a format that is not read.
    #[error(
        "{} is a pickle file, which can run code and is not read; convert it to {wanted}, for example with https://huggingface.co/spaces/safetensors/convert",
        path.display()
    )]
    Pickle {
        /// The file.
        path: PathBuf,
        /// The file that would be read.
        wanted: &'static str,
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
    /// A file or folder of the cache cannot be written.
    #[error("cannot write {}: {source}; set HF_HUB_CACHE to another folder, or pass a model folder", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Offline, and the model is not in the cache.
    #[error(
        "{repo} at {revision} is not in {}{only}, and --offline or HF_HUB_OFFLINE forbids downloading it; allow it once, or copy the model there",
        folder.display()
    )]
    Offline {
        /// The name on the hub.
        repo: String,
        /// Branch, tag or commit.
        revision: String,
        /// The cache's folder for this model.
        folder: PathBuf,
        /// What is there instead, if anything.
        only: String,
    },
    /// The cache has several commits and does not say which of them is meant.
    #[error(
        "{} has several commits of {repo} and does not say which of them is {revision}: choose one as {repo}@COMMIT, from {commits}",
        folder.display()
    )]
    Ambiguous {
        /// The name on the hub.
        repo: String,
        /// Branch, tag or commit.
        revision: String,
        /// The cache's folder for this model.
        folder: PathBuf,
        /// The commits.
        commits: String,
    },
    /// The hub does not hand it out.
    #[error("{}", refusal.words(endpoint, repo, revision))]
    Refused {
        /// The address of the hub.
        endpoint: String,
        /// The name on the hub.
        repo: String,
        /// Branch, tag or commit.
        revision: String,
        /// Why.
        refusal: Refusal,
    },
    /// The hub has it only in formats that are not read.
    #[error("cannot use {repo} at {revision} from {endpoint}: {reason}")]
    NotReadable {
        /// The address of the hub.
        endpoint: String,
        /// The name on the hub.
        repo: String,
        /// Branch, tag or commit.
        revision: String,
        /// What it has instead, and what to do.
        reason: String,
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
    /// What was loaded is no longer wanted.
    #[error("loading the model was stopped")]
    Stopped,
}

impl ClipError {
    /// Whether another device may do.
    pub(crate) fn is_of_device(&self) -> bool {
        matches!(self, ClipError::Device { .. } | ClipError::Load { .. } | ClipError::Budget { .. })
    }
}

/// Why a hub does not hand out a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It has no such model, or hides it.
    NotFound,
    /// It has the model, but no such revision.
    Revision,
    /// It wants a token, or hides that there is no such model.
    Login,
    /// It does not accept the token.
    Token,
    /// The model's license must be accepted first, and there is no token.
    GatedWithoutToken,
    /// The token's owner has no access yet.
    Gated,
}

impl Refusal {
    fn words(self, endpoint: &str, repo: &str, revision: &str) -> String {
        let tokens = format!("{endpoint}/settings/tokens");
        match self {
            Refusal::NotFound => format!(
                "the hub at {endpoint} has no {repo} at {revision} (404): check the name; if it is private, set HF_TOKEN"
            ),
            Refusal::Revision => format!(
                "the hub at {endpoint} has {repo}, but no revision {revision} (404): {endpoint}/{repo}/tree/main lists \
                 them"
            ),
            Refusal::Login => format!(
                "the hub at {endpoint} does not show {repo} without a token (401): check the name, or create a token \
                 at {tokens} and set HF_TOKEN"
            ),
            Refusal::Token => format!(
                "the hub at {endpoint} does not accept the token in HF_TOKEN or the token file (401): it is mistyped, \
                 expired or revoked; create one at {tokens}"
            ),
            Refusal::GatedWithoutToken => format!(
                "{repo} is gated: accept its license at {endpoint}/{repo}, then create a token at {tokens} and set \
                 HF_TOKEN"
            ),
            Refusal::Gated => format!(
                "{repo} is gated, and your token has no access to it (403): accept its license at {endpoint}/{repo}, \
                 and if the token is fine-grained, allow it to read gated repositories at {tokens}"
            ),
        }
    }
}
