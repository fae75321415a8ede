//! The models in the cache, listed without the hub.

use super::{Missing, Repository, cache_folder};
use crate::config::ModelConfig;
use crate::error::ClipError;
use crate::files::{CONFIG, FileSet, Layout, OPEN_CLIP_CONFIG};
use std::path::{Path, PathBuf};

/// A repository in the cache of the Hugging Face Hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedModel {
    /// `owner/name`.
    pub name: String,
    /// `model_type` of its configuration, `open_clip`, or empty.
    pub kind: String,
    /// Why it cannot be used; `None` if its configuration is supported and its weights are there.
    pub problem: Option<String>,
    /// The cache's folder for it.
    pub folder: PathBuf,
}

/// The models in the cache, by name.
pub fn cached_models() -> Vec<CachedModel> {
    cache_folder().map(|folder| listed(&folder)).unwrap_or_default()
}

/// Those in a folder.
fn listed(cache: &Path) -> Vec<CachedModel> {
    let entries = cache.read_dir().into_iter().flatten().filter_map(Result::ok);
    let mut models: Vec<CachedModel> = entries
        .filter_map(|entry| {
            let file = entry.file_name();
            let (owner, name) = file.to_str()?.strip_prefix("models--")?.split_once("--")?;
            let folder = entry.path();
            let (kind, problem) = described(&folder);
            Some(CachedModel { name: format!("{owner}/{name}"), kind, problem, folder })
        })
        .collect();
    models.sort_by(|a, b| a.name.cmp(&b.name));
    models
}

fn described(folder: &Path) -> (String, Option<String>) {
    let repository = Repository::new(folder.into());
    match repository.find("main") {
        Ok(found) => {
            let layout = found.files.layout();
            let problem = ModelConfig::of(layout, &found.files).err().map(|error| match error {
                ClipError::Unsupported { what, supported, .. } => {
                    format!("{what} is not supported; {supported}")
                }
                error => error.to_string(),
            });
            (kind(&found.files), problem)
        }
        Err(missing) => {
            let files = repository.any();
            let problem = match (missing, repository.pickle()) {
                (Missing::Ambiguous(commits), _) => format!("several commits: {}", commits.join(", ")),
                (Missing::Nothing, Some(name)) => {
                    format!("only {name}, a pickle file; --model with its name looks for safetensors")
                }
                (Missing::Nothing, None) => "no weights".into(),
            };
            (kind(&files), Some(problem))
        }
    }
}

fn kind(files: &FileSet) -> String {
    if files.layout() == Layout::OpenClip && files.has(OPEN_CLIP_CONFIG) {
        return "open_clip".into();
    }
    let text = files.get(CONFIG).and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    let config: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    config["model_type"].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn finds_what_a_download_leaves() {
        let temp = tempfile::tempdir().unwrap();
        let repository = temp.path().join("models--openai--clip-vit-base-patch32");
        let snapshot = repository.join("snapshots/abc");
        fs::create_dir_all(&snapshot).unwrap();
        fs::create_dir_all(repository.join("refs")).unwrap();
        fs::write(repository.join("refs/main"), "abc").unwrap();
        fs::write(snapshot.join("config.json"), r#"{"model_type": "clip"}"#).unwrap();
        std::os::unix::fs::symlink("../../blobs/gone", snapshot.join("model.safetensors")).unwrap();
        fs::create_dir_all(temp.path().join("datasets--someone--set")).unwrap();
        let found = listed(temp.path());
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].name.as_str(), found[0].kind.as_str()),
            ("openai/clip-vit-base-patch32", "clip")
        );
        assert!(found[0].problem.is_some(), "a dangling link does not count as weights");
        fs::create_dir_all(repository.join("blobs")).unwrap();
        fs::write(repository.join("blobs/gone"), b"x").unwrap();
        assert_eq!(listed(temp.path())[0].problem, None);
        fs::write(snapshot.join("config.json"), r#"{"model_type": "bert"}"#).unwrap();
        let problem = listed(temp.path()).remove(0).problem.unwrap();
        assert!(problem.contains("bert"), "{problem}");
    }
}
