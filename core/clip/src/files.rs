//! The files of a checkpoint: which layout a set of names is in, and which of them are needed.

use crate::error::ClipError;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub(crate) const CONFIG: &str = "config.json";
pub(crate) const WEIGHTS: &str = "model.safetensors";
pub(crate) const INDEX: &str = "model.safetensors.index.json";
pub(crate) const TOKENIZER: &str = "tokenizer.json";
pub(crate) const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
pub(crate) const VOCABULARY: [&str; 2] = ["vocab.json", "merges.txt"];
pub(crate) const PREPROCESSOR: &str = "preprocessor_config.json";
pub(crate) const PROCESSOR: &str = "processor_config.json";
pub(crate) const OPEN_CLIP_CONFIG: &str = "open_clip_config.json";
pub(crate) const OPEN_CLIP_WEIGHTS: &str = "open_clip_model.safetensors";

/// Names of weights in formats that are not read: pickles, which can run code.
const PICKLES: [&str; 4] = [
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.pth",
];

/// How a checkpoint is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `config.json` and `model.safetensors`, as transformers writes them.
    HuggingFace,
    /// `open_clip_config.json` and `open_clip_model.safetensors`, as OpenCLIP and timm write them.
    OpenClip,
}

impl Layout {
    /// That of a set of names: transformers' layout if both are complete.
    pub(crate) fn of(has: &dyn Fn(&str) -> bool) -> Layout {
        let ours = has(CONFIG) && (has(WEIGHTS) || has(INDEX));
        let open_clip = has(OPEN_CLIP_CONFIG) && (has(OPEN_CLIP_WEIGHTS) || !has(CONFIG));
        if !ours && open_clip { Layout::OpenClip } else { Layout::HuggingFace }
    }

    /// The file that describes the model.
    pub(crate) fn config(self) -> &'static str {
        match self {
            Layout::HuggingFace => CONFIG,
            Layout::OpenClip => OPEN_CLIP_CONFIG,
        }
    }

    /// The file with the weights, if they are in one.
    pub(crate) fn weights(self) -> &'static str {
        match self {
            Layout::HuggingFace => WEIGHTS,
            Layout::OpenClip => OPEN_CLIP_WEIGHTS,
        }
    }

    /// Whether a set of names has the weights, or the index of weights in several files.
    pub(crate) fn has_weights(self, has: &dyn Fn(&str) -> bool) -> bool {
        has(self.weights()) || (self == Layout::HuggingFace && has(INDEX))
    }

    /// The small files that describe pictures to it, the first of which counts.
    pub(crate) fn preprocessors(self) -> &'static [&'static str] {
        match self {
            Layout::HuggingFace => &[PREPROCESSOR, PROCESSOR],
            // It is part of the configuration.
            Layout::OpenClip => &[],
        }
    }
}

/// The first file with weights that cannot be read, for messages.
pub(crate) fn pickle(has: &dyn Fn(&str) -> bool) -> Option<&'static str> {
    PICKLES.into_iter().find(|name| has(name))
}

/// Files of a checkpoint by their names, wherever they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileSet {
    files: BTreeMap<String, PathBuf>,
}

impl FileSet {
    /// The files of a folder; links that lead nowhere do not count. Empty if it cannot be read.
    pub(crate) fn of_folder(folder: &Path) -> FileSet {
        let entries = folder.read_dir().into_iter().flatten().filter_map(Result::ok);
        let named = entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())));
        FileSet { files: named.filter(|(_, path)| path.is_file()).collect() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Path> {
        self.files.get(name).map(PathBuf::as_path)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    pub(crate) fn insert(&mut self, name: &str, path: PathBuf) {
        self.files.insert(name.into(), path);
    }

    /// Files in the order of their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.files.iter().map(|(name, path)| (name.as_str(), path.as_path()))
    }

    /// The layout; OpenCLIP's also where `config.json` is timm's, which describes the image tower alone.
    pub(crate) fn layout(&self) -> Layout {
        let layout = Layout::of(&|name| self.has(name));
        let both = self.has(OPEN_CLIP_CONFIG) && self.has(OPEN_CLIP_WEIGHTS);
        if layout == Layout::HuggingFace && both && !self.has_model_type() {
            Layout::OpenClip
        } else {
            layout
        }
    }

    /// Whether `config.json` is in transformers' form.
    pub(crate) fn has_model_type(&self) -> bool {
        let text = self.get(CONFIG).and_then(|path| std::fs::read_to_string(path).ok());
        text.is_some_and(|text| text.contains("\"model_type\""))
    }

    /// Whether the configuration is there.
    pub(crate) fn has_config(&self, layout: Layout) -> bool {
        self.has(layout.config())
    }

    /// Names of the files with weights; `None` if one of them is missing.
    pub(crate) fn weights(&self, layout: Layout) -> Option<Vec<String>> {
        if self.has(layout.weights()) {
            return Some(vec![layout.weights().into()]);
        }
        let index = self.get(INDEX).filter(|_| layout == Layout::HuggingFace)?;
        let names = shard_names(index).ok()?;
        names.iter().all(|name| self.has(name)).then_some(names)
    }

    /// Whether there is a tokenizer.
    pub(crate) fn has_tokenizer(&self) -> bool {
        self.has(TOKENIZER) || VOCABULARY.iter().all(|name| self.has(name))
    }
}

/// Names of the files that the index of a sharded checkpoint refers to, in alphabetical order.
///
/// # Errors
/// When the index cannot be read, or refers to anything but files in the same folder.
pub(crate) fn shard_names(index: &Path) -> Result<Vec<String>, ClipError> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let text =
        std::fs::read_to_string(index).map_err(|source| ClipError::Read { path: index.into(), source })?;
    let wrong = |reason: String| ClipError::Config { path: index.into(), reason };
    let read: Index = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let names: BTreeSet<String> = read.weight_map.into_values().collect();
    if let Some(name) =
        names.iter().find(|name| name.contains(['/', '\\']) || !name.ends_with(".safetensors"))
    {
        return Err(wrong(format!("{name:?} is not the name of a safetensors file in the same folder")));
    }
    if names.is_empty() {
        return Err(wrong("it lists no files".into()));
    }
    Ok(names.into_iter().collect())
}
