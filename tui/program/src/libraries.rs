//! Finds and loads detectors.

use super::output::warning;
use anyhow::{Result, bail};
use chaffinch_data::config::{Config, data_home, state_home};
use chaffinch_host::{Aside, Limits, PluginFolder, Registry, Workers};
use chaffinch_protocol::display::{safe_path, safe_text};
use std::time::Duration;

/// The folders to search for detectors: the program's own, the user's, those in the configuration, then those given with
/// `--plugins`, which are part of a configuration with flags.
pub(super) fn folders(config: &Config) -> Vec<PluginFolder> {
    let users = data_home().map(|home| PluginFolder::users(home.join("detectors")));
    let named = config.plugin_folders().iter().map(PluginFolder::named);
    PluginFolder::own().into_iter().chain(users).chain(named).collect()
}

/// How detectors that do not ship with the program are run.
pub(super) fn workers(config: &Config) -> Workers {
    let time = config.detector_time_limit().map(|seconds| Duration::from_secs(seconds.into()));
    let memory = config.detector_memory_limit().and_then(|amount| {
        let bytes = Limits::bytes(amount);
        if bytes.is_none() {
            warning(
                "configuration",
                &format!("memory-limit '{}' is not an amount such as 8GiB", safe_text(amount)),
            );
        }
        bytes
    });
    let limits = Limits { time, memory, ..Limits::default() };
    Workers::default().within(limits).remembering(aside()).for_all(config.detectors_in_processes())
}

/// The memory of detectors that were set aside.
pub(super) fn aside() -> Aside {
    state_home().map_or_else(Aside::default, |home| Aside::in_file(home.join("set-aside.json")))
}

/// Loads everything that there is.
pub(super) fn load(config: &Config) -> Registry {
    Registry::load_with(&folders(config), workers(config))
}

/// Loads all detectors. Refused libraries are warnings; having no detector at all is an error.
pub(super) fn registry(config: &Config, wanted: &[String]) -> Result<Registry> {
    let folders = folders(config);
    let registry = Registry::load_with(&folders, workers(config));
    for refused in registry.refused() {
        warning("refused", &refused.error.to_string());
    }
    let names: Vec<&str> = registry.detectors().iter().map(|detector| detector.info().name()).collect();
    if names.is_empty() {
        let searched: Vec<String> = folders.iter().map(|folder| safe_path(folder.path())).collect();
        bail!("no detectors found. {}", looked_in(&searched));
    }
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(&name.as_str())) {
        bail!("unknown detector '{}' (available: {})", safe_text(unknown), names.join(", "));
    }
    Ok(registry)
}

/// A sentence about the folders that were searched.
pub(super) fn looked_in(folders: &[String]) -> String {
    format!("Searched for detectors in {}; add another folder with --plugins DIR.", folders.join(", "))
}
