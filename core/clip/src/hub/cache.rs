//! The cache of the hub as the Python libraries leave it: `models--OWNER--NAME` with `refs`, `snapshots` and `blobs`,
//! where a snapshot's files are links to blobs or real files, and one model may be spread over several snapshots.

use super::client::is_plain;
use crate::config::ModelConfig;
use crate::files::{FileSet, Layout, PREPROCESSOR, TOKENIZER, VOCABULARY, pickle};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Files that describe a model to its weights.
const ABOUT: [&str; 5] =
    ["tokenizer_config.json", "special_tokens_map.json", PREPROCESSOR, "processor_config.json", TOKENIZER];

/// One repository in the cache.
pub(crate) struct Repository {
    folder: PathBuf,
}

/// A checkpoint that was found in the cache.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) files: FileSet,
    /// The commit of the weights.
    pub(crate) commit: String,
    /// What is worth saying about where the files are from, one sentence each, without a period.
    pub(crate) notes: Vec<String>,
    /// Whether nothing else could be downloaded that would matter.
    pub(crate) complete: bool,
}

/// Why there is no checkpoint in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// It is not there, or lacks its weights.
    Nothing,
    /// Several could be meant: their commits.
    Ambiguous(Vec<String>),
}

impl Repository {
    pub(crate) fn new(folder: PathBuf) -> Repository {
        Repository { folder }
    }

    /// Whether a folder is laid out like one.
    pub(crate) fn is_one(folder: &Path) -> bool {
        folder.join("snapshots").is_dir() && !folder.join("config.json").exists()
    }

    /// The commit that a revision pointed to when it was downloaded, or that it names itself.
    fn commit(&self, revision: &str) -> Option<String> {
        let stored = std::fs::read_to_string(self.folder.join("refs").join(revision)).ok();
        let stored = stored.map(|text| text.trim().to_owned()).filter(|text| is_plain(text));
        let named = || (is_plain(revision) && self.snapshot(revision).is_dir()).then(|| revision.to_owned());
        stored.or_else(named)
    }

    fn snapshot(&self, commit: &str) -> PathBuf {
        self.folder.join("snapshots").join(commit)
    }

    /// Files by commit.
    fn snapshots(&self) -> BTreeMap<String, FileSet> {
        let entries = self.folder.join("snapshots").read_dir().into_iter().flatten().filter_map(Result::ok);
        let commits = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let commits = commits.filter(|commit| is_plain(commit));
        commits.map(|commit| (commit.clone(), FileSet::of_folder(&self.snapshot(&commit)))).collect()
    }

    /// Numbers of pull requests by commit, the highest of each.
    fn conversions(&self) -> BTreeMap<String, u64> {
        let entries =
            self.folder.join("refs/refs/pr").read_dir().into_iter().flatten().filter_map(Result::ok);
        let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u64>().ok());
        let commits = numbers.filter_map(|number| Some((self.commit(&format!("refs/pr/{number}"))?, number)));
        let mut found = BTreeMap::new();
        for (commit, number) in commits {
            let known = found.entry(commit).or_insert(number);
            *known = number.max(*known);
        }
        found
    }

    /// Whether the Python libraries or we noted that a commit lacks a file.
    fn lacks(&self, commit: &str, file: &str) -> bool {
        self.folder.join(".no_exist").join(commit).join(file).exists()
    }

    /// The checkpoint of a revision, joined from several snapshots if it is spread over them.
    ///
    /// # Errors
    /// When there is none, or it is unclear which one is meant.
    pub(crate) fn find(&self, revision: &str) -> Result<Found, Missing> {
        let snapshots = self.snapshots();
        let mut notes = Vec::new();
        let usable = |files: &FileSet| {
            let layout = files.layout();
            files.has_config(layout) && files.weights(layout).is_some()
        };
        let asked = match self.commit(revision) {
            Some(commit) if snapshots.contains_key(&commit) => commit,
            found => {
                // A download by commit leaves no note of the branch.
                let mut all: Vec<&String> =
                    snapshots.iter().filter(|(_, files)| usable(files)).map(|(c, _)| c).collect();
                let converted = self.conversions();
                if all.len() > 1 && all.iter().any(|commit| converted.contains_key(*commit)) {
                    all.retain(|commit| converted.contains_key(*commit));
                    all.sort_by_key(|commit| std::cmp::Reverse(converted.get(*commit)));
                    all.truncate(1);
                }
                match all.as_slice() {
                    _ if revision != "main" => return Err(Missing::Nothing),
                    [] => return Err(Missing::Nothing),
                    [one] => {
                        if found.is_none() && !converted.contains_key(*one) {
                            notes.push(format!(
                                "the cache does not say which commit is {revision}; it has only {}, which is used",
                                short(one)
                            ));
                        }
                        (*one).clone()
                    }
                    several => {
                        return Err(Missing::Ambiguous(several.iter().map(|c| (*c).clone()).collect()));
                    }
                }
            }
        };
        let joined = self.joined(&asked, &snapshots)?;
        let (files, commit) = joined;
        notes.extend(self.origin(revision, &asked, &commit, &files));
        let layout = files.layout();
        let Ok(config) = ModelConfig::of(layout, &files) else {
            // It is read again where the error can be told.
            return Ok(Found { files, commit, notes, complete: true });
        };
        let complete = self.is_complete(&files, layout, &config, &[&asked, &commit]);
        Ok(Found { files, commit, notes, complete })
    }

    /// The files of a snapshot, with those it lacks from others; and the commit that has the weights.
    fn joined(
        &self,
        asked: &str,
        snapshots: &BTreeMap<String, FileSet>,
    ) -> Result<(FileSet, String), Missing> {
        let own = snapshots.get(asked).ok_or(Missing::Nothing)?;
        let weights_of = |files: &FileSet| {
            let layout = if files.has("open_clip_model.safetensors") && !files.has("model.safetensors") {
                Layout::OpenClip
            } else {
                Layout::HuggingFace
            };
            files.weights(layout).map(|names| (layout, names))
        };
        let main = self.commit("main");
        let (mut files, commit) = if weights_of(own).is_some() {
            (own.clone(), asked.to_owned())
        } else {
            let donor = self.donor(asked, snapshots, &|files| weights_of(files).is_some())?;
            let mut files = own.clone();
            let given = &snapshots[&donor];
            let (layout, names) = weights_of(given).ok_or(Missing::Nothing)?;
            for name in names.iter().map(String::as_str).chain([layout.config(), crate::files::INDEX]) {
                // Its own configuration takes precedence.
                if let Some(path) = given.get(name).filter(|_| !files.has(name)) {
                    files.insert(name, path.into());
                }
            }
            (files, donor)
        };
        // Small files from the commit of the weights, then from main, then from the only other one that has them.
        let layout = if weights_of(&files).is_some_and(|(layout, _)| layout == Layout::OpenClip)
            && !files.has("config.json")
        {
            Layout::OpenClip
        } else {
            files.layout()
        };
        let order = [Some(commit.clone()), main];
        let order: Vec<&FileSet> =
            order.iter().flatten().filter_map(|commit| snapshots.get(commit)).collect();
        let small = ABOUT.into_iter().chain(VOCABULARY).chain([layout.config()]);
        for name in small {
            if files.has(name) {
                continue;
            }
            let near = order.iter().find_map(|files| files.get(name));
            let any = || {
                let donor = self.donor(asked, snapshots, &|files| files.has(name)).ok()?;
                snapshots[&donor].get(name)
            };
            if let Some(path) = near.or_else(any) {
                files.insert(name, path.into());
            }
        }
        let layout = files.layout();
        if !files.has_config(layout) || files.weights(layout).is_none() {
            return Err(Missing::Nothing);
        }
        Ok((files, commit))
    }

    /// The other snapshot that has something: the newest conversion, the only one, or the first of several with the
    /// same contents.
    fn donor(
        &self,
        asked: &str,
        snapshots: &BTreeMap<String, FileSet>,
        has: &dyn Fn(&FileSet) -> bool,
    ) -> Result<String, Missing> {
        let others: Vec<&String> = snapshots
            .iter()
            .filter(|(commit, files)| *commit != asked && has(files))
            .map(|(c, _)| c)
            .collect();
        let conversions = self.conversions();
        let newest = others.iter().filter_map(|commit| Some((conversions.get(*commit)?, *commit))).max();
        match (newest, others.as_slice()) {
            (Some((_, commit)), _) => Ok(commit.clone()),
            (None, []) => Err(Missing::Nothing),
            (None, [one]) => Ok((*one).clone()),
            (None, [first, rest @ ..]) => {
                let blobs = |commit: &str| -> BTreeMap<String, Option<PathBuf>> {
                    let files = snapshots[commit].iter();
                    files.map(|(name, path)| (name.to_owned(), path.canonicalize().ok())).collect()
                };
                let same = rest.iter().all(|commit| blobs(commit) == blobs(first));
                let all = || others.iter().map(|commit| (*commit).clone()).collect();
                if same { Ok((*first).clone()) } else { Err(Missing::Ambiguous(all())) }
            }
        }
    }

    /// A sentence if the weights are from elsewhere than was asked for.
    fn origin(&self, revision: &str, asked: &str, commit: &str, files: &FileSet) -> Option<String> {
        let number = self.conversions().get(commit).copied();
        let from = match number {
            Some(number) => format!("refs/pr/{number} (commit {})", short(commit)),
            None => format!("commit {}", short(commit)),
        };
        let config = files.get(files.layout().config())?;
        let other = config.parent()?.file_name()?.to_str().filter(|other| *other != commit);
        let joined = other.map(|other| format!(", their configuration from commit {}", short(other)));
        let converted =
            revision == "main" && number.is_some() && self.commit("main").as_deref() != Some(commit);
        if asked == commit && joined.is_none() && !converted {
            return None;
        }
        let joined = joined.unwrap_or_default();
        Some(match number {
            Some(_) if revision == "main" => {
                format!("{revision} has no safetensors, so its converted weights are used: {from}{joined}")
            }
            _ => format!("in the cache, the weights of {revision} are from {from}{joined}"),
        })
    }

    fn is_complete(&self, files: &FileSet, layout: Layout, config: &ModelConfig, commits: &[&str]) -> bool {
        let absent = |file: &str| commits.iter().any(|commit| self.lacks(commit, file));
        let described = |files: &FileSet| layout.preprocessors().iter().any(|file| files.has(file));
        let pictures = layout.preprocessors().is_empty() || described(files) || absent(PREPROCESSOR);
        let texts = config.text.is_none() || files.has_tokenizer();
        // SigLIP's padding is written beside its tokenizer.
        let padding = config.text.is_none()
            || config.family != crate::config::Family::Siglip
            || files.has("tokenizer_config.json")
            || absent("tokenizer_config.json")
            || config.text.is_some_and(|text| text.pad_token_id.is_some());
        pictures && texts && padding
    }

    /// The files of the first snapshot with a configuration.
    pub(super) fn any(&self) -> FileSet {
        let mut all = self.snapshots().into_values();
        all.find(|files| files.has_config(files.layout())).unwrap_or_default()
    }

    /// The weights that are there, but in a format that is not read.
    pub(crate) fn pickle(&self) -> Option<&'static str> {
        self.snapshots().values().find_map(|files| pickle(&|name| files.has(name)))
    }

    /// Where a file of a commit belongs.
    pub(super) fn pointer(&self, commit: &str, name: &str) -> PathBuf {
        self.snapshot(commit).join(name)
    }

    /// Where a file is while it is being downloaded.
    pub(super) fn part(&self, commit: &str, name: &str) -> PathBuf {
        let digest = blake3::hash(format!("{commit}/{name}").as_bytes()).to_hex();
        self.folder.join("blobs").join(format!("{}.chaffinch.incomplete", &digest.as_str()[..32]))
    }

    /// Moves a downloaded file to its place: a blob by the hub's identifier, and a link from the snapshot.
    pub(super) fn keep(
        &self,
        part: &Path,
        tag: &str,
        commit: &str,
        name: &str,
    ) -> Result<PathBuf, (PathBuf, std::io::Error)> {
        let pointer = self.pointer(commit, name);
        let blob = self.folder.join("blobs").join(tag);
        let kept = || {
            std::fs::create_dir_all(self.snapshot(commit))?;
            std::fs::rename(part, &blob)?;
            let _ = std::fs::remove_file(&pointer);
            // Not every file system has links; there the file itself stands in the snapshot, as in Python.
            std::os::unix::fs::symlink(Path::new("../../blobs").join(tag), &pointer)
                .or_else(|_| std::fs::rename(&blob, &pointer))
        };
        kept().map_err(|error| (pointer.clone(), error))?;
        Ok(pointer)
    }

    /// Makes the folders for a download.
    pub(super) fn prepare(&self) -> Result<(), (PathBuf, std::io::Error)> {
        let blobs = self.folder.join("blobs");
        std::fs::create_dir_all(&blobs).map_err(|error| (blobs, error))
    }

    /// Notes what a revision pointed to, and which files its commit lacks. That saves asking again; failing to is harmless.
    pub(super) fn remember(&self, revision: &str, commit: &str, absent: &[&str]) {
        let write = |path: PathBuf, text: &str| {
            if let Some(parent) = path.parent()
                && std::fs::create_dir_all(parent).is_ok()
            {
                let _ = std::fs::write(path, text);
            }
        };
        if revision != commit {
            write(self.folder.join("refs").join(revision), commit);
        }
        for file in absent {
            write(self.folder.join(".no_exist").join(commit).join(file), "");
        }
    }
}

/// A commit as people write it.
pub(crate) fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}
