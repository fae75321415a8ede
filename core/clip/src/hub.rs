//! Models by name: first from the local hub cache, which is shared with the Python libraries, then from the hub.
//!
//! As usual, `HF_HUB_CACHE`, `HF_HOME`, `HF_ENDPOINT`, `HF_TOKEN` and `HF_HUB_OFFLINE` are honored. Only the files that
//! Chaffinch reads are downloaded, all from the same commit.

use crate::error::ClipError;
use crate::weights::shard_names;
use hf_hub::api::sync::{Api, ApiBuilder, ApiError, ApiRepo};
use hf_hub::{Cache, Repo, RepoType};
use std::path::{Path, PathBuf};

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
const TOKENIZER: &str = "tokenizer.json";
const VOCABULARY: [&str; 2] = ["vocab.json", "merges.txt"];
const PREPROCESSOR: &str = "preprocessor_config.json";

/// Download progress of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchProgress<'a> {
    /// Its name in the repository.
    pub file: &'a str,
    /// Bytes downloaded.
    pub done: u64,
    /// Total bytes.
    pub total: u64,
}

/// Ensures that a model from the hub is on this machine, and returns its folder. Cached files are not requested again;
/// `progress` is called for downloads.
///
/// # Errors
/// When it is not in the cache and `HF_HUB_OFFLINE` is set, when the hub does not have it, or has it only in formats
/// that Chaffinch does not read, or when the connection fails. Every message has the cache folder or the address.
pub fn fetch(
    repo: &str,
    revision: &str,
    progress: &mut dyn FnMut(FetchProgress),
) -> Result<PathBuf, ClipError> {
    Hub::from_env()?.snapshot(repo, revision, progress)
}

/// The cache and the hub to use.
struct Hub {
    cache: PathBuf,
    endpoint: String,
    token: Option<String>,
    offline: bool,
}

impl Hub {
    fn from_env() -> Result<Hub, ClipError> {
        let text = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let path = |name: &str| text(name).map(PathBuf::from);
        let home = || {
            let cache = path("XDG_CACHE_HOME").or_else(|| Some(std::env::home_dir()?.join(".cache")));
            path("HF_HOME").or_else(|| Some(cache?.join("huggingface")))
        };
        let cache = path("HF_HUB_CACHE").or_else(|| Some(home()?.join("hub"))).ok_or(ClipError::NoCache)?;
        let token_file = path("HF_TOKEN_PATH").or_else(|| Some(home()?.join("token")));
        let stored = || token_file.and_then(|path| std::fs::read_to_string(path).ok());
        let token = text("HF_TOKEN").or_else(stored).map(|token| token.trim().to_owned());
        let endpoint = text("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".into());
        let yes =
            |value: String| ["1", "true", "yes", "on"].contains(&value.trim().to_ascii_lowercase().as_str());
        Ok(Hub {
            cache,
            endpoint: endpoint.trim().trim_end_matches('/').into(),
            token: token.filter(|token| !token.is_empty()),
            offline: text("HF_HUB_OFFLINE").is_some_and(yes),
        })
    }

    fn snapshot(
        &self,
        repo: &str,
        revision: &str,
        progress: &mut dyn FnMut(FetchProgress),
    ) -> Result<PathBuf, ClipError> {
        let asked = Asked { hub: self, repo, revision };
        let cached = asked.cached().filter(|folder| usable(folder));
        match cached {
            Some(folder) if complete(&folder) => Ok(folder),
            Some(folder) if self.offline => Ok(folder),
            None if self.offline => Err(ClipError::Offline {
                repo: repo.into(),
                revision: revision.into(),
                folder: asked.folder(),
            }),
            // A model without a text tower has no tokenizer, and an incomplete cache looks the same.
            cached => asked.fetch(progress).or_else(|error| cached.ok_or(error)),
        }
    }
}

/// One model at one revision.
struct Asked<'a> {
    hub: &'a Hub,
    repo: &'a str,
    revision: &'a str,
}

impl Asked<'_> {
    fn at(&self, revision: &str) -> Repo {
        Repo::with_revision(self.repo.into(), RepoType::Model, revision.into())
    }

    /// The cache's folder for this model.
    fn folder(&self) -> PathBuf {
        self.hub.cache.join(self.at(self.revision).folder_name())
    }

    /// The folder of the commit that the revision pointed to when it was downloaded, or that it names directly.
    fn cached(&self) -> Option<PathBuf> {
        let folder = self.folder();
        let commit = std::fs::read_to_string(folder.join("refs").join(self.revision));
        let commit = commit.map_or(self.revision.to_owned(), |commit| commit.trim().to_owned());
        let folder = folder.join("snapshots").join(commit);
        folder.is_dir().then_some(folder)
    }

    fn fetch(&self, progress: &mut dyn FnMut(FetchProgress)) -> Result<PathBuf, ClipError> {
        let builder = ApiBuilder::from_cache(Cache::new(self.hub.cache.clone()));
        let builder = builder.with_endpoint(self.hub.endpoint.clone()).with_token(self.hub.token.clone());
        let builder = builder
            .with_progress(false)
            .with_retries(3)
            .with_user_agent("chaffinch", env!("CARGO_PKG_VERSION"));
        let api: Api = builder.build().map_err(|error| self.failed("the list of files", &error))?;
        let info = api.repo(self.at(self.revision)).info();
        let info = info.map_err(|error| self.failed("the list of files", &error))?;
        let files: Vec<&str> = info.siblings.iter().map(|file| file.rfilename.as_str()).collect();
        // From here on by commit, so that a push in between cannot mix two versions.
        let remote = Remote { asked: self, repo: api.repo(self.at(&info.sha)) };
        let mut get = |name: &str| remote.get(name, progress);
        let has = |name: &str| files.contains(&name);
        if !has(CONFIG) || !(has(WEIGHTS) || has(INDEX)) {
            return Err(self.unreadable(&files));
        }
        let config = get(CONFIG)?;
        if has(PREPROCESSOR) {
            get(PREPROCESSOR)?;
        }
        if has(TOKENIZER) {
            get(TOKENIZER)?;
        } else if VOCABULARY.iter().all(|name| has(name)) {
            VOCABULARY.iter().try_for_each(|name| get(name).map(drop))?;
        }
        if has(WEIGHTS) {
            get(WEIGHTS)?;
        } else {
            let index = get(INDEX)?;
            shard_names(&index)?.iter().try_for_each(|name| get(name).map(drop))?;
        }
        // Only now point the revision to this commit: an interrupted download continues next time.
        let kept = Cache::new(self.hub.cache.clone()).repo(self.at(self.revision)).create_ref(&info.sha);
        kept.map_err(|source| ClipError::Read { path: self.folder(), source })?;
        Ok(config.parent().unwrap_or(&config).to_path_buf())
    }

    fn unreadable(&self, files: &[&str]) -> ClipError {
        let found = files.iter().find(|name| name.ends_with("pytorch_model.bin") || name.ends_with(".pt"));
        let reason = match found {
            Some(name) => {
                format!("its weights are in {name}, a pickle file; use a revision with {WEIGHTS}")
            }
            None => format!("it lacks {CONFIG} or {WEIGHTS}"),
        };
        self.broken(WEIGHTS, reason)
    }

    fn broken(&self, file: &str, reason: String) -> ClipError {
        ClipError::Hub {
            endpoint: self.hub.endpoint.clone(),
            repo: self.repo.into(),
            file: file.into(),
            folder: self.folder(),
            reason,
        }
    }

    fn failed(&self, file: &str, error: &ApiError) -> ClipError {
        let reason = error.to_string();
        if ["401", "403", "404"].iter().any(|status| reason.contains(&format!("http status: {status}"))) {
            return ClipError::NotOnHub {
                endpoint: self.hub.endpoint.clone(),
                repo: self.repo.into(),
                revision: self.revision.into(),
            };
        }
        self.broken(file, reason)
    }
}

/// A commit on the hub.
struct Remote<'a> {
    asked: &'a Asked<'a>,
    repo: ApiRepo,
}

impl Remote<'_> {
    /// A file's path in the cache, after downloading it if necessary.
    fn get(&self, name: &str, progress: &mut dyn FnMut(FetchProgress)) -> Result<PathBuf, ClipError> {
        let commit = self.repo.url("");
        let commit = commit.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let cached = self.asked.folder().join("snapshots").join(commit).join(name);
        if cached.is_file() {
            return Ok(cached);
        }
        let report = Report { progress, file: String::new(), done: 0, total: 0 };
        self.repo.download_with_progress(name, report).map_err(|error| self.asked.failed(name, &error))
    }
}

struct Report<'a> {
    progress: &'a mut dyn FnMut(FetchProgress),
    file: String,
    done: u64,
    total: u64,
}

impl Report<'_> {
    fn tell(&mut self) {
        (self.progress)(FetchProgress { file: &self.file, done: self.done, total: self.total });
    }
}

impl hf_hub::api::Progress for Report<'_> {
    fn init(&mut self, size: usize, file: &str) {
        (self.file, self.done, self.total) = (file.into(), 0, size as u64);
        self.tell();
    }

    fn update(&mut self, size: usize) {
        self.done += size as u64;
        self.tell();
    }

    fn finish(&mut self) {}
}

/// Whether a folder has the files for an image tower.
fn usable(folder: &Path) -> bool {
    let has = |name: &str| folder.join(name).is_file();
    let shards = || shard_names(&folder.join(INDEX)).is_ok_and(|names| names.iter().all(|name| has(name)));
    has(CONFIG) && (has(WEIGHTS) || shards())
}

/// Whether a folder also has the files for a text tower.
fn complete(folder: &Path) -> bool {
    let has = |name: &&str| folder.join(name).is_file();
    has(&TOKENIZER) || VOCABULARY.iter().all(has)
}

#[cfg(test)]
mod tests;
