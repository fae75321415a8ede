//! The source of a model, and its files.

use crate::config::{Family, ModelConfig, TextConfig};
use crate::error::ClipError;
use crate::hub;
use crate::preprocess::Preprocessing;
use crate::tokenizer::ClipTokenizer;
use crate::weights::Weights;
use std::fmt;
use std::path::{Path, PathBuf};

/// A model by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelSource {
    /// The small model inside the program.
    Bundled,
    /// A folder in the Hugging Face layout: `config.json`, `*.safetensors`, and related files.
    Folder(PathBuf),
    /// A repository on the hub.
    Hub {
        /// `owner/name`.
        repo: String,
        /// Branch, tag or commit; `main` if none was given.
        revision: String,
    },
}

impl ModelSource {
    /// Reads `bundled`, a folder that exists, or `owner/name` with an optional `@revision`. A folder wins over a
    /// repository of the same name.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn parse(text: &str) -> Result<ModelSource, ClipError> {
        if text == "bundled" {
            return Ok(ModelSource::Bundled);
        }
        if Path::new(text).is_dir() {
            return Ok(ModelSource::Folder(text.into()));
        }
        let (repo, revision) = text.split_once('@').unwrap_or((text, "main"));
        let word = |text: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            !text.is_empty()
                && text.chars().all(allowed)
                && !text.starts_with(['.', '-'])
                && !text.contains("..")
        };
        let revision_ok = !revision.is_empty() && revision.split('/').all(word);
        match repo.split_once('/') {
            Some((owner, name)) if word(owner) && word(name) && revision_ok => {
                Ok(ModelSource::Hub { repo: repo.into(), revision: revision.into() })
            }
            _ => Err(ClipError::UnknownSource { text: text.into() }),
        }
    }
}

impl fmt::Display for ModelSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ModelSource::Bundled => f.write_str("bundled"),
            ModelSource::Folder(folder) => write!(f, "{}", folder.display()),
            ModelSource::Hub { repo, revision } if revision == "main" => f.write_str(repo),
            ModelSource::Hub { repo, revision } => write!(f, "{repo}@{revision}"),
        }
    }
}

/// The files of the model inside the program.
mod bundled {
    pub(super) const CONFIG: &str = include_str!("../models/bundled/config.json");
    pub(super) const PREPROCESSOR: &str = include_str!("../models/bundled/preprocessor_config.json");
    pub(super) const TOKENIZER: &[u8] = include_bytes!("../models/bundled/tokenizer.json");
    pub(super) const WEIGHTS: &[u8] = include_bytes!("../models/bundled/model.safetensors");
}

/// A checkpoint whose files have been read and checked for consistency.
pub(crate) struct Checkpoint {
    pub(crate) config: ModelConfig,
    pub(crate) weights: Weights,
    pub(crate) preprocessing: Preprocessing,
    /// For the text tower, if there is one.
    pub(crate) tokenizer: Option<ClipTokenizer>,
    /// Digest of everything that affects an image's vector.
    pub(crate) digest: String,
}

/// Where the files are.
enum Files<'a> {
    Embedded,
    Folder(&'a Path),
}

impl Checkpoint {
    pub(crate) fn open(source: &ModelSource) -> Result<Checkpoint, ClipError> {
        match source {
            ModelSource::Bundled => Checkpoint::read(&Files::Embedded),
            ModelSource::Folder(folder) => Checkpoint::read(&Files::Folder(folder)),
            ModelSource::Hub { repo, revision } => {
                Checkpoint::read(&Files::Folder(&hub::fetch(repo, revision, &mut |_| ())?))
            }
        }
    }

    fn read(files: &Files) -> Result<Checkpoint, ClipError> {
        let text = files.required("config.json")?;
        let config = ModelConfig::parse(&text, &files.path("config.json"))?;
        let weights = match files {
            Files::Embedded => Weights::embedded(bundled::WEIGHTS, &files.path("model.safetensors"))?,
            Files::Folder(folder) => Weights::open(folder)?,
        };
        let name = "preprocessor_config.json";
        let preprocessor = files.optional(name)?;
        let size = config.vision.image_size;
        let preprocessing =
            Preprocessing::new(preprocessor.as_deref(), &files.path(name), config.family, size)?;
        let tokenizer =
            config.text.as_ref().map(|tower| files.tokenizer(config.family, tower)).transpose()?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(text.as_bytes());
        hasher.update(preprocessing.words().as_bytes());
        weights.digest(&mut hasher);
        Ok(Checkpoint {
            config,
            weights,
            preprocessing,
            tokenizer,
            digest: hasher.finalize().to_hex().to_string(),
        })
    }
}

impl Files<'_> {
    fn path(&self, name: &str) -> PathBuf {
        match self {
            Files::Embedded => Path::new("bundled").join(name),
            Files::Folder(folder) => folder.join(name),
        }
    }

    fn optional(&self, name: &str) -> Result<Option<String>, ClipError> {
        match self {
            Files::Embedded => Ok(match name {
                "config.json" => Some(bundled::CONFIG.into()),
                "preprocessor_config.json" => Some(bundled::PREPROCESSOR.into()),
                _ => None,
            }),
            Files::Folder(folder) => {
                let path = folder.join(name);
                match std::fs::read_to_string(&path) {
                    Ok(text) => Ok(Some(text)),
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                    Err(source) => Err(ClipError::Read { path, source }),
                }
            }
        }
    }

    fn required(&self, name: &str) -> Result<String, ClipError> {
        let folder = self.path("");
        self.optional(name)?.ok_or_else(|| ClipError::NoFile { folder, wanted: name.into() })
    }

    fn tokenizer(&self, family: Family, tower: &TextConfig) -> Result<ClipTokenizer, ClipError> {
        let context = tower.max_position_embeddings;
        let padding = (family == Family::Siglip).then_some(tower.pad_token_id);
        let mut path = self.path("tokenizer.json");
        let whole = match self {
            Files::Embedded => Some(bundled::TOKENIZER.to_vec()),
            Files::Folder(_) => self.optional("tokenizer.json")?.map(String::into_bytes),
        };
        let tokenizer = match (whole, family) {
            (Some(whole), _) => ClipTokenizer::from_json(&whole, &path, context, padding)?,
            (None, Family::Clip) => {
                let pair = self.optional("vocab.json")?.zip(self.optional("merges.txt")?);
                let Some((vocabulary, merges)) = pair else {
                    let wanted = "tokenizer.json, nor vocab.json with merges.txt".into();
                    return Err(ClipError::NoFile { folder: self.path(""), wanted });
                };
                path = self.path("vocab.json");
                ClipTokenizer::from_vocabulary(&vocabulary, &merges, &path, context)?
            }
            (None, Family::Siglip | Family::Vit) => {
                return Err(ClipError::NoFile { folder: self.path(""), wanted: "tokenizer.json".into() });
            }
        };
        let wrong = |reason: String| ClipError::Tokenizer { path: path.clone(), reason };
        let largest = tokenizer.largest_id() as usize;
        if largest >= tower.vocab_size {
            let size = tower.vocab_size;
            return Err(wrong(format!("it has token {largest}, but config.json has a vocab_size of {size}")));
        }
        // Pooling uses this token; without it the tower would return the same vector for all texts.
        let empty = tokenizer.encode("").map_err(wrong)?;
        let end = tower.eos_token_id;
        if family == Family::Clip && end != 2 && !empty.contains(&end) {
            return Err(wrong(format!("it never ends a text with {end}, the eos_token_id in config.json")));
        }
        Ok(tokenizer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_from_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        assert_eq!(ModelSource::parse(path).unwrap(), ModelSource::Folder(path.into()));
        assert_eq!(ModelSource::parse("bundled").unwrap(), ModelSource::Bundled);
        let hub =
            |repo: &str, revision: &str| ModelSource::Hub { repo: repo.into(), revision: revision.into() };
        assert_eq!(
            ModelSource::parse("openai/clip-vit-base-patch32").unwrap(),
            hub("openai/clip-vit-base-patch32", "main")
        );
        assert_eq!(ModelSource::parse("a/b@refs/pr/3").unwrap(), hub("a/b", "refs/pr/3"));
        for text in ["openai/clip@v1", "a/b", "bundled"] {
            assert_eq!(ModelSource::parse(text).unwrap().to_string(), text);
        }
        for wrong in
            ["", "clip", "/no/such/folder", "./x/y", "a/b/c", "a/b@", "a/../b", "a/b@../c", "~/model"]
        {
            let error = ModelSource::parse(wrong).unwrap_err().to_string();
            assert!(error.contains("owner/model"), "{wrong}: {error}");
        }
    }
}
