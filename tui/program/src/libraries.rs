//! Finds and loads detector libraries.

use super::output::warning;
use anyhow::{Result, bail};
use chaffinch_data::config::Config;
use chaffinch_host::{PluginFolder, Registry};
use chaffinch_protocol::display::{safe_path, safe_text};

/// The folders to search for libraries: the program's own, those in the configuration, then those given with `--plugins`,
/// which are part of a configuration with flags.
pub(super) fn folders(config: &Config) -> Vec<PluginFolder> {
    PluginFolder::own().into_iter().chain(config.plugin_folders().iter().map(PluginFolder::named)).collect()
}

/// Loads all detectors. Refused libraries are warnings; having no detector at all is an error.
pub(super) fn registry(config: &Config, wanted: &[String]) -> Result<Registry> {
    let folders = folders(config);
    let registry = Registry::load(&folders);
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
    format!("Searched for libraries in {}; add another folder with --plugins DIR.", folders.join(", "))
}
