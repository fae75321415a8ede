//! Where libraries of detectors are looked for, and what is loaded of them.

use super::output::warning;
use anyhow::{Result, bail};
use chaffinch_data::config::Config;
use chaffinch_host::{PluginFolder, Registry};
use chaffinch_protocol::display::{safe_path, safe_text};

/// The folders libraries are looked for in: the program's own, the configuration's, then those of `--plugins`.
/// The flag's are among the configuration's when that was made with flags.
pub(super) fn folders(config: &Config) -> Vec<PluginFolder> {
    PluginFolder::own().into_iter().chain(config.plugin_folders().iter().map(PluginFolder::named)).collect()
}

/// All detectors; refused libraries are named, and having none at all is an error.
pub(super) fn registry(config: &Config, wanted: &[String]) -> Result<Registry> {
    let folders = folders(config);
    let registry = Registry::load(&folders);
    for refused in registry.refused() {
        warning("refused", &refused.error.to_string());
    }
    let names: Vec<&str> = registry.detectors().iter().map(|detector| detector.info().name()).collect();
    if names.is_empty() {
        let places: Vec<String> = folders.iter().map(|folder| safe_path(folder.path())).collect();
        bail!("no detector was found, so nothing could be looked for. {}", looked_in(&places));
    }
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(&name.as_str())) {
        bail!("there is no detector '{}' (there are: {})", safe_text(unknown), names.join(", "));
    }
    Ok(registry)
}

/// Where libraries were looked for, as a sentence.
pub(super) fn looked_in(folders: &[String]) -> String {
    format!("Libraries were looked for in {}; name another folder with --plugins DIR.", folders.join(", "))
}
