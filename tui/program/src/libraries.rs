//! Finds and loads detectors.

use super::ask;
use super::output::{remark, warning};
use anyhow::{Result, bail};
use chaffinch_data::config::{Config, data_home, state_home};
use chaffinch_data::issue::is_built_in;
use chaffinch_data::nearest::hint;
use chaffinch_host::{
    Aside, Changed, Limits, Pins, PluginError, PluginFolder, Refused, Registry, Workers, let_in,
};
use chaffinch_protocol::display::{safe_path, safe_text};
use std::time::Duration;

/// The folders to search for detectors, those that win first: the program's own, those given with `--plugins`, which are the last in a
/// configuration with flags, those in the configuration, and the user's, which is searched without being named.
pub(super) fn folders(config: &Config) -> Vec<PluginFolder> {
    let users = data_home().map(|home| PluginFolder::users(home.join("detectors")));
    let named = config.plugin_folders().iter().rev().map(PluginFolder::named);
    PluginFolder::own().into_iter().chain(named).chain(users).collect()
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
    let workers = Workers::default().within(limits).remembering(aside()).pinning(pins());
    workers.for_all(config.detectors_in_processes())
}

/// The memory of detectors that were set aside.
pub(super) fn aside() -> Aside {
    state_home().map_or_else(Aside::default, |home| Aside::in_file(home.join("set-aside.json")))
}

/// The memory of detectors that have run, by their code.
pub(super) fn pins() -> Pins {
    state_home().map_or_else(Pins::default, |home| Pins::in_file(home.join("pinned-detectors.json")))
}

/// Loads everything that there is.
pub(super) fn load(config: &Config) -> Registry {
    Registry::load_with(&folders(config), workers(config))
}

/// What happens to detectors whose code has changed since they were first used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consent {
    /// They run: that was said on the command line.
    Given,
    /// On a terminal, that is asked; elsewhere they do not run.
    Ask,
    /// They do not run, and the interface says so.
    Later,
}

/// Loads all detectors. Refused libraries are warnings; having no detector at all is an error.
pub(super) fn registry(config: &Config, wanted: &[String], consent: Consent) -> Result<Registry> {
    let folders = folders(config);
    let workers = match consent {
        Consent::Given => pinning_anew(config),
        Consent::Ask | Consent::Later => workers(config),
    };
    let mut registry = Registry::load_with(&folders, workers.clone());
    if consent == Consent::Ask && registry.changed().filter(|changed| agreed(changed, &workers)).count() > 0 {
        registry = Registry::load_with(&folders, workers);
    }
    for (name, words) in registry.remarks() {
        remark(&format!("{}: {words}", safe_text(name)));
    }
    // A scan reports those that have changed with those that failed, by their names.
    let reported =
        |error: &PluginError| matches!(error, PluginError::Changed { names, .. } if !names.is_empty());
    for refused in registry.refused().iter().filter(|refused| !reported(&refused.error)) {
        warning("refused", &refused.error.to_string());
    }
    let names: Vec<&str> = registry.detectors().iter().map(|detector| detector.info().name()).collect();
    if names.is_empty() {
        let searched: Vec<String> = folders.iter().map(|folder| safe_path(folder.path())).collect();
        bail!("no detectors found. {}", looked_in(&searched));
    }
    let has_changed =
        |name: &str| registry.changed().any(|changed| changed.names.iter().any(|one| one == name));
    let unknown = |name: &&String| !names.contains(&name.as_str()) && !has_changed(name);
    if let Some(built_in) = wanted.iter().find(|name| is_built_in(name)) {
        let why = registry.unknown(built_in).unwrap_or_default();
        bail!("{built_in} need not be named in --detectors: {why}");
    }
    let is_wanted = |refused: &&Refused| match &refused.error {
        PluginError::Changed { names, .. } => names.iter().any(|name| wanted.contains(name)),
        _ => false,
    };
    // No scan begins that could report it.
    if consent != Consent::Later
        && wanted.iter().all(|name| has_changed(name))
        && let Some(changed) = registry.refused().iter().find(is_wanted)
    {
        bail!("{}", safe_text(&changed.error.to_string()));
    }
    if let Some((name, path)) =
        wanted.iter().filter(|name| !has_changed(name)).find_map(|name| Some((name, registry.broken(name)?)))
        && registry.find(name).is_none()
    {
        bail!("{} cannot run: the warning about {} says why", safe_text(name), safe_path(path));
    }
    if let Some(unknown) = wanted.iter().find(unknown) {
        let hint = hint(unknown, names.iter().copied());
        bail!("unknown detector '{}' (available: {}){hint}", safe_text(unknown), names.join(", "));
    }
    Ok(registry)
}

/// How detectors are run when those that have changed are pinned as they are now.
fn pinning_anew(config: &Config) -> Workers {
    workers(config).pinning(pins().taking_changes(true))
}

/// Asks whether code that has changed may run, and lets it in if so.
fn agreed(changed: &Changed<'_>, workers: &Workers) -> bool {
    let what = safe_text(changed.what);
    let question = match changed.names {
        [] => format!("{what} since it was first used. Run it as it is now?"),
        names => {
            format!("{}: {what} since it was first used. Run it as it is now?", safe_text(&names.join(", ")))
        }
    };
    if ask::yes(&question, false) != Some(true) {
        return false;
    }
    match let_in(workers, &changed.path.to_string_lossy(), Some(changed.now)) {
        Ok(all) => !all.is_empty(),
        Err(error) => {
            warning("refused", &error.to_string());
            false
        }
    }
}

/// A sentence about the folders that were searched.
pub(super) fn looked_in(folders: &[String]) -> String {
    format!("Searched for detectors in {}; add another folder with --plugins DIR.", folders.join(", "))
}
