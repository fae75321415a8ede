//! The source of a model, and its files.

use crate::bundled::Bundled;
use crate::config::{self, Family, ModelConfig, TextConfig};
use crate::error::ClipError;
use crate::files::{
    CONFIG, FileSet, Layout, PREPROCESSOR, PROCESSOR, TOKENIZER, TOKENIZER_CONFIG, VOCABULARY,
};
use crate::hub::{self, FetchProgress};
use crate::preprocess::Preprocessing;
use crate::tokenizer::{ClipTokenizer, Padding};
use crate::weights::Weights;
use std::fmt;
use std::path::{Path, PathBuf};

/// A model by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelSource {
    /// A model inside the program.
    Bundled(Bundled),
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

/// The bundled model whose name is so near that it was probably meant.
fn hint(text: &str) -> String {
    let names = Bundled::ALL.map(Bundled::name).into_iter().chain([Bundled::EITHER]);
    let text = text.trim().to_lowercase();
    let rated = names.map(|name| (strsim::jaro_winkler(name, &text), name));
    let best = rated.filter(|(alike, _)| *alike > 0.8).max_by(|a, b| a.0.total_cmp(&b.0));
    best.map(|(_, name)| format!("; did you mean `{name}`?")).unwrap_or_default()
}

impl ModelSource {
    /// Reads `bundled-photo`, `bundled-small`, `bundled` (which is the first of them: nothing is known of the pictures here;
    /// see [`Bundled::for_side`]), a folder that exists, or `owner/name` with an optional `@revision`, also as people paste it: the
    /// address of a model's page, or with `hf-hub:` or `hf://` in front. A folder wins over a repository of the same
    /// name.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn parse(text: &str) -> Result<ModelSource, ClipError> {
        let unknown = || ClipError::UnknownSource { text: text.into(), hint: hint(text) };
        if let Some(model) = Bundled::parse(text) {
            return Ok(ModelSource::Bundled(model));
        }
        if Path::new(text).is_dir() {
            return Ok(ModelSource::Folder(text.into()));
        }
        let (name, page) = pasted(text);
        let (repo, revision) = match (page, name.split_once('@')) {
            (_, Some((repo, revision))) => (repo.to_owned(), revision.to_owned()),
            (false, None) => (name.to_owned(), "main".to_owned()),
            (true, None) => {
                let parts: Vec<&str> = name.split('/').collect();
                match parts.as_slice() {
                    [owner, name] => (format!("{owner}/{name}"), "main".into()),
                    [owner, name, "tree" | "commit", revision @ ..] => {
                        (format!("{owner}/{name}"), revision.join("/").replace("%2F", "/"))
                    }
                    [owner, name, "blob" | "resolve", revision, ..] => {
                        (format!("{owner}/{name}"), (*revision).to_owned())
                    }
                    [owner, name, "discussions", number] => {
                        (format!("{owner}/{name}"), format!("refs/pr/{number}"))
                    }
                    _ => return Err(unknown()),
                }
            }
        };
        let word = |text: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            !text.is_empty()
                && text.chars().all(allowed)
                && !text.starts_with(['.', '-'])
                && !text.contains("..")
        };
        let revision_ok = !revision.is_empty() && revision.split('/').all(word);
        match repo.split_once('/') {
            Some((owner, name)) if word(owner) && word(name) && !name.contains("--") && revision_ok => {
                Ok(ModelSource::Hub { repo, revision })
            }
            _ => Err(unknown()),
        }
    }

    /// Whether loading it would request something from the hub.
    pub fn needs_download(&self) -> bool {
        match self {
            ModelSource::Bundled(_) | ModelSource::Folder(_) => false,
            ModelSource::Hub { repo, revision } => !hub::is_cached(repo, revision),
        }
    }

    /// Brings a model from the hub to this machine; `progress` is called for downloads. Returns sentences about where its
    /// files are from that are worth showing. Does nothing for other models.
    ///
    /// # Errors
    /// When it is not in the cache and `offline`, when the hub does not have it, or has it only in formats or
    /// architectures that Chaffinch does not read, or when the connection fails. Every message has the cache folder or
    /// the address.
    pub fn fetch(
        &self,
        offline: bool,
        progress: &mut dyn FnMut(FetchProgress),
    ) -> Result<Vec<String>, ClipError> {
        match self {
            ModelSource::Bundled(_) | ModelSource::Folder(_) => Ok(Vec::new()),
            ModelSource::Hub { repo, revision } => {
                Ok(hub::snapshot(repo, revision, offline, progress)?.notes)
            }
        }
    }
}

/// A name without what stands around it where it is copied from, and whether it is the address of a page.
fn pasted(text: &str) -> (&str, bool) {
    let text = text.trim();
    let (rest, page) = match text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) {
        Some(rest) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            if !["huggingface.co", "www.huggingface.co", "hf.co"].contains(&host) {
                return (text, false);
            }
            let path = path.split(['?', '#']).next().unwrap_or_default();
            (path.strip_prefix("models/").unwrap_or(path), true)
        }
        None => {
            let prefixes = ["hf-hub:", "hf_hub:", "hf://"];
            (prefixes.iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text), false)
        }
    };
    (rest.trim_end_matches('/'), page)
}

impl fmt::Display for ModelSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ModelSource::Bundled(model) => model.fmt(f),
            ModelSource::Folder(folder) => write!(f, "{}", folder.display()),
            ModelSource::Hub { repo, revision } if revision == "main" => f.write_str(repo),
            ModelSource::Hub { repo, revision } => write!(f, "{repo}@{revision}"),
        }
    }
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
    /// The commit of a model from the hub.
    pub(crate) revision: Option<String>,
    /// Sentences about where the files are from.
    pub(crate) notes: Vec<String>,
}

/// Where the files are.
enum Files {
    Embedded(Bundled),
    /// Anywhere; the folder is for messages.
    Listed {
        files: FileSet,
        layout: Layout,
        folder: PathBuf,
    },
}

impl Checkpoint {
    pub(crate) fn open(
        source: &ModelSource,
        offline: bool,
        progress: &mut dyn FnMut(FetchProgress),
    ) -> Result<Checkpoint, ClipError> {
        let listed = |files: FileSet, folder: &Path| {
            let layout = files.layout();
            Files::Listed { files, layout, folder: folder.into() }
        };
        match source {
            ModelSource::Bundled(model) => Checkpoint::read(&Files::Embedded(*model)),
            ModelSource::Folder(folder) => {
                let Some(repository) = hub::cached_folder(folder) else {
                    return Checkpoint::read(&listed(FileSet::of_folder(folder), folder));
                };
                // The folder of a repository in the hub's cache.
                let found = repository.find("main").map_err(|missing| match missing {
                    hub::Missing::Nothing => ClipError::NoFile {
                        folder: folder.clone(),
                        wanted: "snapshot with config.json and weights".into(),
                    },
                    hub::Missing::Ambiguous(commits) => ClipError::Config {
                        path: folder.clone(),
                        reason: format!(
                            "it has several snapshots; pass the folder of one of them: {}",
                            commits.join(", ")
                        ),
                    },
                })?;
                let checkpoint = Checkpoint::read(&listed(found.files, folder))?;
                Ok(Checkpoint { revision: Some(found.commit), notes: found.notes, ..checkpoint })
            }
            ModelSource::Hub { repo, revision } => {
                let snapshot = hub::snapshot(repo, revision, offline, progress)?;
                let checkpoint = Checkpoint::read(&listed(snapshot.files, &snapshot.folder))?;
                Ok(Checkpoint { revision: Some(snapshot.commit), notes: snapshot.notes, ..checkpoint })
            }
        }
    }

    fn read(files: &Files) -> Result<Checkpoint, ClipError> {
        let layout = files.layout();
        let text = files.required(layout.config())?;
        let mut config = ModelConfig::parse_as(layout, &text, &files.path(layout.config()))?;
        let size = config.vision.image_size;
        let (name, described) = files.preprocessor(&text, size)?;
        let preprocessing = Preprocessing::new(described.as_deref(), &files.path(name), config.family, size)?;
        config.vision.image_size = preprocessing.side();
        if config.vision.image_size < config.vision.patch_size {
            let reason =
                format!("it produces images smaller than a patch of {} pixels", config.vision.patch_size);
            return Err(ClipError::Config { path: files.path(name), reason });
        }
        let tokenizer =
            config.text.as_ref().map(|tower| files.tokenizer(config.family, tower)).transpose()?;
        let weights = match files {
            Files::Embedded(model) => {
                Weights::embedded(model.files().weights, &files.path("model.safetensors"))?
            }
            Files::Listed { files, layout, folder } => Weights::open(files, *layout, folder)?,
        };
        let weights = weights.named(config.naming);
        let mut hasher = blake3::Hasher::new();
        hasher.update(text.as_bytes());
        hasher.update(preprocessing.words().as_bytes());
        // Vectors of texts are compared with those of pictures, and these once had another padding.
        if let Some(words) = tokenizer.as_ref().and_then(ClipTokenizer::unusual) {
            hasher.update(words.as_bytes());
        }
        weights.digest(&mut hasher);
        Ok(Checkpoint {
            config,
            weights,
            preprocessing,
            tokenizer,
            digest: hasher.finalize().to_hex().to_string(),
            revision: None,
            notes: Vec::new(),
        })
    }
}

impl Files {
    fn layout(&self) -> Layout {
        match self {
            Files::Embedded(_) => Layout::HuggingFace,
            Files::Listed { layout, .. } => *layout,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        match self {
            Files::Embedded(model) => Path::new(model.name()).join(name),
            Files::Listed { files, folder, .. } => {
                files.get(name).map_or_else(|| folder.join(name), Path::to_path_buf)
            }
        }
    }

    fn optional(&self, name: &str) -> Result<Option<String>, ClipError> {
        match self {
            Files::Embedded(model) => Ok(match name {
                CONFIG => Some(model.files().config.into()),
                PREPROCESSOR => Some(model.files().preprocessor.into()),
                _ => None,
            }),
            Files::Listed { files, .. } => {
                let Some(path) = files.get(name) else { return Ok(None) };
                let read = std::fs::read_to_string(path);
                read.map(Some).map_err(|source| ClipError::Read { path: path.into(), source })
            }
        }
    }

    fn required(&self, name: &str) -> Result<String, ClipError> {
        let folder = self.path("");
        self.optional(name)?.ok_or_else(|| ClipError::NoFile { folder, wanted: name.into() })
    }

    /// How pictures are prepared, in the words of a `preprocessor_config.json`, and the file that says so. `config` is the
    /// text of the configuration, which has it in OpenCLIP's layout.
    fn preprocessor(&self, config: &str, size: usize) -> Result<(&'static str, Option<String>), ClipError> {
        if self.layout() == Layout::OpenClip {
            let name = Layout::OpenClip.config();
            return Ok((name, Some(config::preprocessor(config, &self.path(name), size)?)));
        }
        if let Some(text) = self.optional(PREPROCESSOR)? {
            return Ok((PREPROCESSOR, Some(text)));
        }
        // Later versions of the reference implementation put it there.
        let processor = self.optional(PROCESSOR)?;
        let whole: Option<serde_json::Value> = processor.and_then(|text| serde_json::from_str(&text).ok());
        match whole.as_ref().map(|whole| &whole["image_processor"]) {
            Some(part @ serde_json::Value::Object(_)) => Ok((PROCESSOR, Some(part.to_string()))),
            _ => Ok((PREPROCESSOR, None)),
        }
    }

    fn tokenizer(&self, family: Family, tower: &TextConfig) -> Result<ClipTokenizer, ClipError> {
        let context = tower.max_position_embeddings;
        let mut path = self.path(TOKENIZER);
        let whole = match self {
            Files::Embedded(model) => Some(model.files().tokenizer.to_vec()),
            Files::Listed { .. } => self.optional(TOKENIZER)?.map(String::into_bytes),
        };
        let tokenizer = match (whole, family) {
            (Some(whole), _) => {
                let padding = match family {
                    Family::Siglip => Some(Padding { id: tower.pad_token_id }),
                    Family::Clip | Family::Vit | Family::Dinov2 => None,
                };
                let described = self.optional(TOKENIZER_CONFIG)?;
                ClipTokenizer::from_json(&whole, &path, context, padding, described.as_deref())?
            }
            (None, Family::Clip) => {
                let [vocabulary, merges] = VOCABULARY;
                let pair = self.optional(vocabulary)?.zip(self.optional(merges)?);
                let Some((words, merges)) = pair else {
                    let wanted = "tokenizer.json, nor vocab.json with merges.txt".into();
                    return Err(ClipError::NoFile { folder: self.path(""), wanted });
                };
                path = self.path(vocabulary);
                ClipTokenizer::from_vocabulary(&words, &merges, &path, context)?
            }
            (None, Family::Siglip | Family::Vit | Family::Dinov2) => {
                return Err(ClipError::NoFile { folder: self.path(""), wanted: TOKENIZER.into() });
            }
        };
        let tokenizer = tokenizer.cleaned(tower.cleaning);
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
        for (name, model) in [
            ("bundled", Bundled::Photo),
            ("bundled-photo", Bundled::Photo),
            ("bundled-small", Bundled::Small),
        ] {
            assert_eq!(ModelSource::parse(name).unwrap(), ModelSource::Bundled(model));
        }
        let hub =
            |repo: &str, revision: &str| ModelSource::Hub { repo: repo.into(), revision: revision.into() };
        assert_eq!(
            ModelSource::parse("openai/clip-vit-base-patch32").unwrap(),
            hub("openai/clip-vit-base-patch32", "main")
        );
        assert_eq!(ModelSource::parse("a/b@refs/pr/3").unwrap(), hub("a/b", "refs/pr/3"));
        for (text, revision) in [
            ("https://huggingface.co/a/b", "main"),
            ("https://huggingface.co/a/b/", "main"),
            ("https://huggingface.co/a/b/tree/v1?x=1", "v1"),
            ("https://huggingface.co/a/b/tree/refs%2Fpr%2F3", "refs/pr/3"),
            ("https://huggingface.co/a/b/discussions/3", "refs/pr/3"),
            ("https://huggingface.co/a/b/blob/main/config.json", "main"),
            ("hf-hub:a/b", "main"),
            ("hf://a/b@v1", "v1"),
            (" a/b ", "main"),
        ] {
            assert_eq!(ModelSource::parse(text).unwrap(), hub("a/b", revision), "{text}");
        }
        for text in ["openai/clip@v1", "a/b", "bundled-photo", "bundled-small"] {
            assert_eq!(ModelSource::parse(text).unwrap().to_string(), text);
        }
        for wrong in [
            "",
            "clip",
            "/no/such/folder",
            "./x/y",
            "a/b/c",
            "a/b@",
            "a/../b",
            "a/b@../c",
            "~/model",
            "https://example.org/a/b",
            "https://huggingface.co/a",
            "https://huggingface.co/a/b/tree/../c",
        ] {
            let error = ModelSource::parse(wrong).unwrap_err().to_string();
            assert!(error.contains("owner/model"), "{wrong}: {error}");
        }
        let wrong = |name: &str| ModelSource::parse(name).unwrap_err().to_string();
        assert!(wrong("bundeld").ends_with("; did you mean `bundled`?"), "{}", wrong("bundeld"));
        assert!(wrong("Bundled-Smal").ends_with("; did you mean `bundled-small`?"));
        assert!(!wrong("clip").contains("did you mean"));
    }
}
