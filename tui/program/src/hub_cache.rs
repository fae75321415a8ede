//! Models in the local cache of the Hugging Face Hub, listed without network access.

use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};

/// One downloaded repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Cached {
    /// `openai/clip-vit-base-patch32`
    pub(super) name: String,
    /// `model_type` in its config.json, or empty.
    pub(super) kind: String,
    /// Whether its weights are complete.
    pub(super) weights: bool,
    /// Folder of the snapshot.
    #[serde(skip)]
    pub(super) folder: PathBuf,
}

/// The cache folder: `HF_HUB_CACHE`, `HF_HOME/hub` or `~/.cache/huggingface/hub`.
pub(super) fn folder() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home =
        || Some(set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?.join("huggingface"));
    set("HF_HUB_CACHE").or_else(|| Some(set("HF_HOME").or_else(home)?.join("hub")))
}

/// The models in the cache, by name.
pub(super) fn models(folder: &Path) -> Vec<Cached> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<Cached> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let name = entry.file_name().to_str()?.strip_prefix("models--")?.replace("--", "/");
            let snapshot = snapshot(&entry.path())?;
            Some(Cached { name, kind: kind(&snapshot), weights: weights(&snapshot), folder: snapshot })
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// The snapshot of `main`, or else the first one by name.
fn snapshot(repository: &Path) -> Option<PathBuf> {
    let snapshots = repository.join("snapshots");
    let main = fs::read_to_string(repository.join("refs/main")).unwrap_or_default();
    let named = snapshots.join(main.trim());
    if !main.trim().is_empty() && named.is_dir() {
        return Some(named);
    }
    let mut all: Vec<PathBuf> =
        fs::read_dir(snapshots).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    all.sort_unstable();
    all.into_iter().next()
}

fn kind(snapshot: &Path) -> String {
    let text = fs::read_to_string(snapshot.join("config.json")).unwrap_or_default();
    let config: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    config["model_type"].as_str().unwrap_or_default().to_owned()
}

fn weights(snapshot: &Path) -> bool {
    let Ok(entries) = fs::read_dir(snapshot) else { return false };
    // `metadata` follows links to the cache's blobs, so an incomplete download does not count.
    entries.filter_map(Result::ok).any(|entry| {
        let path = entry.path();
        path.extension().is_some_and(|extension| extension == "safetensors") && fs::metadata(&path).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let found = models(temp.path());
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].name.as_str(), found[0].kind.as_str()),
            ("openai/clip-vit-base-patch32", "clip")
        );
        assert!(!found[0].weights, "a dangling link does not count as weights");
        fs::create_dir_all(repository.join("blobs")).unwrap();
        fs::write(repository.join("blobs/gone"), b"x").unwrap();
        assert!(models(temp.path())[0].weights);
    }
}
