//! Models by name: first from the local cache, which is shared with the Python libraries, then from the hub.
//!
//! Only the files that Chaffinch reads are downloaded, all from one commit, the configuration first: a model that is not
//! supported costs one small file. Where a model is complete in the cache, nothing is requested.
//!
//! The client is our own, on ureq. The crate hf-hub has no time limits, takes commits and entity tags as paths without a
//! check, compares no digest, sends the token wherever the hub redirects, and its next version needs an async runtime.

mod cache;
mod client;
mod listed;
mod place;

pub(crate) use cache::{Missing, Repository};
pub use listed::{CachedModel, cached_models};
use place::cache_folder;

use crate::config::ModelConfig;
use crate::error::{ClipError, Refusal};
use crate::files::{
    CONFIG, FileSet, INDEX, Layout, OPEN_CLIP_CONFIG, OPEN_CLIP_WEIGHTS, PREPROCESSOR, PROCESSOR, TOKENIZER,
    TOKENIZER_CONFIG, VOCABULARY, pickle, shard_names,
};
use cache::{Found, short};
use client::{Client, Expected, RequestError, is_plain, is_sha256};
use place::Place;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The account that adds safetensors to repositories that lack them, as the Python libraries trust it.
const CONVERTER: &str = "SFconvertbot";

/// Pull requests that are searched for converted weights, the newest first.
const MOST_CONVERSIONS: usize = 20;

/// Bytes of the largest file with weights, and of any other; the largest tokenizers have 35 MB.
const LARGEST_WEIGHTS: u64 = 64 << 30;
const LARGEST_TEXT: u64 = 256 << 20;

/// Download progress of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchProgress<'a> {
    /// Its name in the repository.
    pub file: &'a str,
    /// Bytes downloaded.
    pub done: u64,
    /// Total bytes; 0 if the hub does not say.
    pub total: u64,
}

/// A model from the hub on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) files: FileSet,
    /// The cache's folder for this model, for messages.
    pub(crate) folder: PathBuf,
    /// The commit of the weights.
    pub(crate) commit: String,
    /// What is worth saying about where the files are from.
    pub(crate) notes: Vec<String>,
}

impl From<(Found, PathBuf)> for Snapshot {
    fn from((found, folder): (Found, PathBuf)) -> Snapshot {
        Snapshot { files: found.files, folder, commit: found.commit, notes: found.notes }
    }
}

/// Finds a model in the cache or downloads it; `progress` is called for downloads.
///
/// # Errors
/// When it is not in the cache and nothing may be requested, when the hub does not have it, or has it only in formats or
/// architectures that Chaffinch does not read, or when the connection fails. Every message has the cache folder or the
/// address.
pub(crate) fn snapshot(
    repo: &str,
    revision: &str,
    offline: bool,
    progress: &mut dyn FnMut(FetchProgress),
) -> Result<Snapshot, ClipError> {
    let place = Place::from_env(offline).ok_or(ClipError::NoCache)?;
    Asked { place: &place, repo, revision }.snapshot(progress)
}

/// Whether a model is complete in the cache, so that nothing would be requested.
pub(crate) fn is_cached(repo: &str, revision: &str) -> bool {
    Place::from_env(true).is_some_and(|place| {
        let found = Repository::new(place.repository(repo)).find(revision);
        found.is_ok_and(|found| found.complete)
    })
}

/// One model at one revision.
struct Asked<'a> {
    place: &'a Place,
    repo: &'a str,
    revision: &'a str,
}

/// What the hub says about a commit.
struct Commit {
    sha: String,
    files: BTreeMap<String, Sibling>,
}

/// A file of a commit.
#[derive(Clone, Debug, Default)]
struct Sibling {
    sha256: Option<String>,
    size: Option<u64>,
}

impl Commit {
    fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    fn layout(&self) -> Layout {
        Layout::of(&|name| self.has(name))
    }

    fn has_weights(&self) -> bool {
        self.layout().has_weights(&|name| self.has(name))
    }
}

impl Asked<'_> {
    fn snapshot(&self, progress: &mut dyn FnMut(FetchProgress)) -> Result<Snapshot, ClipError> {
        let folder = self.place.repository(self.repo);
        let repository = Repository::new(folder.clone());
        let found = repository.find(self.revision);
        match found {
            Ok(found) if found.complete => Ok((found, folder).into()),
            Ok(found) if self.place.offline => Ok((self.incomplete(found, None), folder).into()),
            Ok(found) => self.fetch(&repository, Some(&found), progress).or_else(|error| match error {
                // What the model needs is wrong, not the connection.
                ClipError::Hub { .. } | ClipError::Refused { .. } => {
                    Ok((self.incomplete(found, Some(&error)), folder).into())
                }
                error => Err(error),
            }),
            Err(missing) if self.place.offline => Err(self.not_cached(&repository, &missing)),
            Err(Missing::Ambiguous(commits)) => {
                self.fetch(&repository, None, progress).map_err(|error| match error {
                    ClipError::Hub { .. } => self.ambiguous(&commits),
                    error => error,
                })
            }
            Err(Missing::Nothing) => self.fetch(&repository, None, progress),
        }
    }

    /// Notes what could not be asked for.
    fn incomplete(&self, mut found: Found, error: Option<&ClipError>) -> Found {
        let why = error.map_or("the hub is not asked".to_owned(), |error| error.to_string());
        let layout = found.files.layout();
        if !layout.preprocessors().is_empty()
            && !layout.preprocessors().iter().any(|name| found.files.has(name))
        {
            found.notes.push(format!(
                "{PREPROCESSOR} is not in the cache, so pictures are prepared as is usual for this kind of model ({why})"
            ));
        }
        found
    }

    fn not_cached(&self, repository: &Repository, missing: &Missing) -> ClipError {
        match missing {
            Missing::Ambiguous(commits) => self.ambiguous(commits),
            Missing::Nothing => {
                let only = repository.pickle().map_or(String::new(), |name| {
                    format!(", only its weights as a pickle ({name}), which are not read")
                });
                ClipError::Offline {
                    repo: self.repo.into(),
                    revision: self.revision.into(),
                    folder: self.place.repository(self.repo),
                    only,
                }
            }
        }
    }

    fn ambiguous(&self, commits: &[String]) -> ClipError {
        ClipError::Ambiguous {
            repo: self.repo.into(),
            revision: self.revision.into(),
            folder: self.place.repository(self.repo),
            commits: commits.join(", "),
        }
    }

    fn fetch(
        &self,
        repository: &Repository,
        found: Option<&Found>,
        progress: &mut dyn FnMut(FetchProgress),
    ) -> Result<Snapshot, ClipError> {
        let client = Client::new(self.place);
        // What is in the cache is completed, not replaced by a newer commit.
        let revision = found.map_or(self.revision, |found| &found.commit);
        let named = self.commit(&client, revision)?;
        let mut notes = Vec::new();
        let mut fetching =
            Fetching { asked: self, client: &client, repository, files: FileSet::default(), progress };
        let kept = found.map(|found| found.files.layout());
        let kept = kept.filter(|kept| named.has(kept.config()) && kept.has_weights(&|name| named.has(name)));
        let layout = kept.unwrap_or(named.layout());
        if !named.has(layout.config()) {
            return Err(self.unreadable(&named));
        }
        // What the model is comes before anything large.
        fetching.get(&named, layout.config())?;
        let both = named.has(OPEN_CLIP_CONFIG) && named.has(OPEN_CLIP_WEIGHTS);
        let layout = if layout == Layout::HuggingFace && both && !fetching.files.has_model_type() {
            // timm's, which describes the image tower alone.
            fetching.get(&named, OPEN_CLIP_CONFIG)?;
            Layout::OpenClip
        } else {
            layout
        };
        let config = ModelConfig::of(layout, &fetching.files)?;
        let (commit, revision) = if named.has_weights() {
            (named, revision.to_owned())
        } else {
            let (commit, revision, note) = self.converted(&client, &named)?;
            notes.push(note);
            fetching.files = FileSet::default();
            (commit, revision)
        };
        let config = match fetching.files.has_config(layout) {
            true => config,
            false => {
                fetching.get(&commit, layout.config())?;
                ModelConfig::of(layout, &fetching.files)?
            }
        };
        let wanted = small_files(layout, &config);
        for name in wanted.iter().filter(|name| commit.has(name)) {
            fetching.get(&commit, name)?;
        }
        if commit.has(layout.weights()) {
            fetching.get(&commit, layout.weights())?;
        } else {
            let index = fetching.get(&commit, INDEX)?;
            for name in shard_names(&index)? {
                fetching.get(&commit, &name)?;
            }
        }
        let files = fetching.files;
        // Only now point the revision to this commit: an interrupted download continues next time.
        let absent: Vec<&str> = wanted.iter().copied().filter(|name| !commit.has(name)).collect();
        repository.remember(&revision, &commit.sha, &absent);
        Ok(Snapshot { files, folder: self.place.repository(self.repo), commit: commit.sha, notes })
    }

    /// What a revision is on the hub.
    fn commit(&self, client: &Client, revision: &str) -> Result<Commit, ClipError> {
        const WHAT: &str = "the list of files";
        let path = format!("/api/models/{}/revision/{}", self.repo, revision.replace('/', "%2F"));
        let answer = match client.json(&format!("{path}?blobs=true")) {
            // Mirrors do not all know the parameter.
            Err(RequestError::Status(400 | 404, code)) if code.is_empty() => client.json(&path),
            answer => answer,
        };
        let answer = answer.map_err(|error| self.failed(WHAT, error))?;
        let sha = answer["sha"].as_str().unwrap_or_default().to_owned();
        if !is_plain(&sha) {
            return Err(self.broken(WHAT, format!("it sent an invalid commit: {sha:?}")));
        }
        let siblings = answer["siblings"].as_array().map(Vec::as_slice).unwrap_or_default();
        let file = |sibling: &Value| {
            let sha256 = sibling["lfs"]["sha256"].as_str().or_else(|| sibling["lfs"]["oid"].as_str());
            let sha256 = sha256.map(|text| text.trim_start_matches("sha256:")).filter(|text| is_sha256(text));
            let size = sibling["size"].as_u64().or_else(|| sibling["lfs"]["size"].as_u64());
            Some((
                sibling["rfilename"].as_str()?.to_owned(),
                Sibling { sha256: sha256.map(str::to_owned), size },
            ))
        };
        Ok(Commit { sha, files: siblings.iter().filter_map(file).collect() })
    }

    /// The commit of a pull request of the conversion bot that adds safetensors to this one, its name, and a sentence.
    fn converted(&self, client: &Client, main: &Commit) -> Result<(Commit, String, String), ClipError> {
        let refs = client.json(&format!("/api/models/{}/refs?include_prs=1", self.repo));
        let refs = refs.map_err(|error| match error {
            RequestError::Status(..) => self.unreadable(main),
            error => self.failed("the list of revisions", error),
        })?;
        let requests = refs["pullRequests"].as_array().map(Vec::as_slice).unwrap_or_default();
        let number = |request: &Value| {
            let name = request["ref"].as_str().or_else(|| request["name"].as_str())?;
            name.strip_prefix("refs/pr/")?.parse::<u64>().ok()
        };
        let mut numbers: Vec<u64> = requests.iter().filter_map(number).collect();
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        numbers.dedup();
        let authors = self.authors(client);
        if let Some(authors) = &authors {
            numbers.retain(|number| authors.get(number).is_some_and(|author| author == CONVERTER));
        }
        for number in numbers.into_iter().take(MOST_CONVERSIONS) {
            let revision = format!("refs/pr/{number}");
            let commit = match self.commit(client, &revision) {
                Ok(commit) => commit,
                Err(ClipError::Refused { .. }) => continue,
                Err(error) => return Err(error),
            };
            let layout = main.layout();
            if commit.has(layout.config()) && commit.layout() == layout && commit.has_weights() {
                let by = match authors {
                    Some(_) => format!("by {CONVERTER}"),
                    None => "the hub does not say by whom".into(),
                };
                let note = format!(
                    "{} has no {} at {}: using the converted weights of {revision} ({by}), commit {}",
                    self.repo,
                    layout.weights(),
                    self.revision,
                    short(&commit.sha)
                );
                return Ok((commit, revision, note));
            }
        }
        Err(self.unreadable(main))
    }

    /// Who opened which pull request; `None` if the hub does not tell.
    fn authors(&self, client: &Client) -> Option<BTreeMap<u64, String>> {
        let mut authors = BTreeMap::new();
        for page in 0..MOST_CONVERSIONS {
            let path = format!("/api/models/{}/discussions?p={page}&type=pull_request&status=all", self.repo);
            let answer = match client.json(&path) {
                Ok(answer) => answer,
                Err(_) if page > 0 => break,
                Err(_) => return None,
            };
            let discussions = answer["discussions"].as_array()?;
            for discussion in discussions {
                if let (Some(number), Some(author)) =
                    (discussion["num"].as_u64(), discussion["author"]["name"].as_str())
                {
                    authors.insert(number, author.to_owned());
                }
            }
            let count = answer["count"].as_u64().unwrap_or(0);
            if discussions.is_empty() || authors.len() as u64 >= count {
                break;
            }
        }
        Some(authors)
    }

    fn unreadable(&self, commit: &Commit) -> ClipError {
        let layout = commit.layout();
        let reason = match pickle(&|name| commit.has(name)) {
            Some(name) if commit.has(layout.config()) => format!(
                "its weights are in {name}, a pickle file, which can run code and is not read, and no pull request of \
                 {CONVERTER} adds {}; convert them with https://huggingface.co/spaces/safetensors/convert, or name a \
                 revision that has them",
                layout.weights()
            ),
            _ if !commit.has(CONFIG) && !commit.has(OPEN_CLIP_CONFIG) => {
                format!("it has neither {CONFIG} nor {OPEN_CLIP_CONFIG}, so Chaffinch cannot read it")
            }
            _ => format!("it has no {}", layout.weights()),
        };
        ClipError::NotReadable {
            endpoint: self.place.endpoint.clone(),
            repo: self.repo.into(),
            revision: self.revision.into(),
            reason,
        }
    }

    fn broken(&self, file: &str, reason: String) -> ClipError {
        ClipError::Hub {
            endpoint: self.place.endpoint.clone(),
            repo: self.repo.into(),
            file: file.into(),
            folder: self.place.repository(self.repo),
            reason,
        }
    }

    fn failed(&self, file: &str, error: RequestError) -> ClipError {
        let refusal = match error {
            RequestError::Failed(reason) => return self.broken(file, reason),
            RequestError::Write(path, source) => return ClipError::Write { path, source },
            RequestError::Status(status, code) => {
                let token = self.place.token.is_some();
                match (status, code.as_str()) {
                    (401 | 403, "GatedRepo") if !token => Refusal::GatedWithoutToken,
                    (403, _) | (401, "GatedRepo") if token => Refusal::Gated,
                    (401, _) if token => Refusal::Token,
                    (401, _) => Refusal::Login,
                    (403, _) => Refusal::GatedWithoutToken,
                    (404, "RevisionNotFound") => Refusal::Revision,
                    (404, _) => Refusal::NotFound,
                    _ => return self.broken(file, format!("the hub answered with status {status}")),
                }
            }
        };
        ClipError::Refused {
            endpoint: self.place.endpoint.clone(),
            repo: self.repo.into(),
            revision: self.revision.into(),
            refusal,
        }
    }
}

/// The small files of a checkpoint besides its configuration.
fn small_files(layout: Layout, config: &ModelConfig) -> Vec<&'static str> {
    let mut wanted = match layout {
        Layout::HuggingFace => vec![PREPROCESSOR, PROCESSOR],
        Layout::OpenClip => Vec::new(),
    };
    if config.text.is_some() {
        wanted.extend([TOKENIZER, TOKENIZER_CONFIG]);
        wanted.extend(VOCABULARY);
    }
    wanted
}

/// Files being downloaded from one commit.
struct Fetching<'a> {
    asked: &'a Asked<'a>,
    client: &'a Client<'a>,
    repository: &'a Repository,
    files: FileSet,
    progress: &'a mut dyn FnMut(FetchProgress),
}

impl Fetching<'_> {
    /// A file's path in the cache, after downloading it if necessary.
    fn get(&mut self, commit: &Commit, name: &str) -> Result<PathBuf, ClipError> {
        let pointer = self.repository.pointer(&commit.sha, name);
        let path = if pointer.is_file() { pointer } else { self.download(commit, name)? };
        self.files.insert(name, path.clone());
        Ok(path)
    }

    fn download(&mut self, commit: &Commit, name: &str) -> Result<PathBuf, ClipError> {
        let unwritten = |(path, source): (PathBuf, std::io::Error)| ClipError::Write { path, source };
        self.repository.prepare().map_err(unwritten)?;
        let url = format!("{}/{}/resolve/{}/{name}", self.asked.place.endpoint, self.asked.repo, commit.sha);
        let part = self.repository.part(&commit.sha, name);
        let known = commit.files.get(name);
        let expected = Expected {
            sha256: known.and_then(|file| file.sha256.as_deref()),
            size: known.and_then(|file| file.size),
            limit: if name.ends_with(".safetensors") { LARGEST_WEIGHTS } else { LARGEST_TEXT },
        };
        let progress = &mut self.progress;
        let mut report = |done, total| progress(FetchProgress { file: name, done, total });
        let tag = self.client.download(&url, &part, expected, &mut report);
        let tag = tag.map_err(|error| self.asked.failed(name, error))?;
        // Another program may have finished it while this one waited.
        let pointer = self.repository.pointer(&commit.sha, name);
        if pointer.is_file() && !part.is_file() {
            return Ok(pointer);
        }
        self.repository.keep(&part, &tag, &commit.sha, name).map_err(unwritten)
    }
}

/// The folder of a repository in the cache, if a folder is one: people pass it as a model.
pub(crate) fn cached_folder(folder: &Path) -> Option<Repository> {
    Repository::is_one(folder).then(|| Repository::new(folder.into()))
}

#[cfg(test)]
#[path = "../../../tests/src/hub.rs"]
#[allow(dead_code, unreachable_pub, reason = "the tests of the program use the rest")]
mod stand_in;
#[cfg(test)]
mod tests;
