//! Where the cache and the hub are, from the same environment variables that the Python libraries read.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Limit for a connection, the first byte of an answer and a pause within one, unless the environment says otherwise:
/// that of the Python libraries.
const PATIENCE: Duration = Duration::from_secs(10);

/// The cache and the hub to use.
pub(crate) struct Place {
    /// The folder with `models--OWNER--NAME` in it.
    pub(crate) cache: PathBuf,
    /// The address of the hub, without a slash at its end.
    pub(crate) endpoint: String,
    /// Sent to the endpoint only.
    pub(crate) token: Option<String>,
    /// Whether nothing may be requested.
    pub(crate) offline: bool,
    /// How long to wait for an answer about a model.
    pub(crate) answer_limit: Duration,
    /// How long a download may pause.
    pub(crate) pause_limit: Duration,
}

impl Place {
    /// From the environment of this process; `None` if there is no folder for a cache.
    pub(crate) fn from_env(offline: bool) -> Option<Place> {
        Place::new(&|name| std::env::var(name).ok(), std::env::home_dir(), offline)
    }

    /// From variables and a home folder.
    pub(crate) fn new(
        variable: &dyn Fn(&str) -> Option<String>,
        home: Option<PathBuf>,
        offline: bool,
    ) -> Option<Place> {
        let set = |name: &str| {
            variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let path = |name: &str| set(name).map(|value| expanded(&value, home.as_deref()));
        let xdg = || path("XDG_CACHE_HOME").or_else(|| Some(home.clone()?.join(".cache")));
        let library = || path("HF_HOME").or_else(|| Some(xdg()?.join("huggingface")));
        let cache = path("HF_HUB_CACHE")
            .or_else(|| path("HUGGINGFACE_HUB_CACHE"))
            .or_else(|| Some(library()?.join("hub")))?;
        let token_file = path("HF_TOKEN_PATH").or_else(|| Some(library()?.join("token")));
        let stored = || std::fs::read_to_string(token_file?).ok();
        let token = set("HF_TOKEN").or_else(|| set("HUGGING_FACE_HUB_TOKEN")).or_else(stored);
        let yes = |name: &str| {
            set(name).is_some_and(|value| {
                ["1", "true", "yes", "on"].contains(&value.to_ascii_lowercase().as_str())
            })
        };
        let limit = |name: &str| {
            let seconds = set(name).and_then(|value| value.parse().ok()).filter(|&seconds| seconds > 0);
            seconds.map_or(PATIENCE, Duration::from_secs)
        };
        let endpoint = set("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".into());
        Some(Place {
            cache,
            endpoint: endpoint.trim_end_matches('/').into(),
            // Anything else could not stand in a header.
            token: token
                .map(|token| token.trim().to_owned())
                .filter(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())),
            offline: offline || yes("HF_HUB_OFFLINE") || yes("TRANSFORMERS_OFFLINE"),
            answer_limit: limit("HF_HUB_ETAG_TIMEOUT"),
            pause_limit: limit("HF_HUB_DOWNLOAD_TIMEOUT"),
        })
    }

    /// The folder of a repository in the cache.
    pub(crate) fn repository(&self, repo: &str) -> PathBuf {
        self.cache.join(format!("models--{}", repo.replace('/', "--")))
    }
}

/// The cache of the Hugging Face Hub on this machine: `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE`, `HF_HOME/hub`,
/// `XDG_CACHE_HOME/huggingface/hub` or `~/.cache/huggingface/hub`. `None` without a home folder.
pub(super) fn cache_folder() -> Option<PathBuf> {
    Place::from_env(true).map(|place| place.cache)
}

/// A path with `~` in front replaced by the home folder.
fn expanded(text: &str, home: Option<&Path>) -> PathBuf {
    match (text.strip_prefix('~'), home) {
        (Some(""), Some(home)) => home.into(),
        (Some(rest), Some(home)) if rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(variables: &[(&str, &str)]) -> Place {
        let find = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Place::new(&find, Some("/home/me".into()), false).unwrap()
    }

    #[test]
    fn the_cache_is_where_python_has_it() {
        let cache = |variables: &[(&str, &str)]| place(variables).cache.display().to_string();
        assert_eq!(cache(&[]), "/home/me/.cache/huggingface/hub");
        let mut variables = vec![("XDG_CACHE_HOME", "/x")];
        assert_eq!(cache(&variables), "/x/huggingface/hub");
        variables.push(("HF_HOME", "~/hf"));
        assert_eq!(cache(&variables), "/home/me/hf/hub");
        variables.push(("HUGGINGFACE_HUB_CACHE", "/old"));
        assert_eq!(cache(&variables), "/old");
        variables.push(("HF_HUB_CACHE", "/new"));
        assert_eq!(cache(&variables), "/new");
        assert_eq!(cache(&[("HF_HUB_CACHE", " ")]), "/home/me/.cache/huggingface/hub", "blank is not set");
    }

    #[test]
    fn limits_and_offline_are_read() {
        let usual = place(&[("HF_HUB_DOWNLOAD_TIMEOUT", "0"), ("HF_HUB_OFFLINE", "0")]);
        assert!(!usual.offline && usual.pause_limit == PATIENCE, "no limit at all is not a limit");
        let changed = place(&[("HF_HUB_DOWNLOAD_TIMEOUT", "3"), ("HF_HUB_OFFLINE", "YES")]);
        assert!(changed.offline && changed.pause_limit == Duration::from_secs(3));
        assert_eq!(place(&[("HF_TOKEN", " hf_x\n")]).token.as_deref(), Some("hf_x"));
        assert_eq!(place(&[("HF_TOKEN", "a\r\nb")]).token, None);
        assert_eq!(place(&[("HF_ENDPOINT", "http://h:1//")]).endpoint, "http://h:1");
    }
}
