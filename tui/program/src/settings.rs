//! The configuration of a command, and where it comes from.

use super::args::Global;
use super::ask;
use super::output::warning;
use anyhow::{Result, bail};
use chaffinch_data::config;
use chaffinch_data::config::{Config, Offered};
use chaffinch_data::session::Session;
use chaffinch_protocol::display::{safe_path, safe_text};
use std::path::{Path, PathBuf};
use std::sync::Once;

/// Loads the configuration of the user, or from `--config`, with that of the session on top. A session that was scanned
/// with `--config` goes on with that file.
pub(super) fn config(global: &Global, session: Option<&Path>) -> Result<Config> {
    let config = layered(global, session)?;
    match config.untrusted().cloned() {
        Some(offered) => {
            if agreed(offered)? {
                layered(global, session)
            } else {
                Ok(config)
            }
        }
        None => Ok(config),
    }
}

/// Asks once about settings that came with data, and says so if they do not count. Returns whether they do from now on.
fn agreed(mut offered: Offered) -> Result<bool> {
    static TOLD: Once = Once::new();
    if TOLD.is_completed() {
        return Ok(false);
    }
    let (folder, files) = (safe_path(&offered.folder), safe_text(&offered.files.join(", ")).into_owned());
    let answer = match offered.answer {
        None => ask::yes(
            &format!("{folder} has settings ({files}) that may have come with the data. Use them?"),
            false,
        ),
        known => known,
    };
    TOLD.call_once(|| {});
    match answer {
        Some(answer) if offered.answer.is_none() => {
            offered.remember(answer)?;
            Ok(answer)
        }
        Some(answer) => Ok(answer),
        None => {
            let words =
                "is ignored because it may have come with the data; read it, then run chaffinch config trust";
            warning("configuration", &format!("{folder} ({files}) {words}"));
            Ok(false)
        }
    }
}

/// The configuration as far as it is trusted; asks nothing.
pub(super) fn layered(global: &Global, session: Option<&Path>) -> Result<Config> {
    if let Some(file) = &global.config {
        return Ok(Config::load_with(file, session)?);
    }
    if let Some(dir) = session
        && let Some(file) = kept(dir)
    {
        match Config::load_kept(&file, dir) {
            Ok(config) => return Ok(config),
            Err(error) => {
                let words = "this session was scanned with another configuration, which cannot be used now";
                warning("configuration", &format!("{words}: {error}"));
            }
        }
    }
    Ok(Config::load(session)?)
}

/// The configuration that a session was scanned with, if it was named.
pub(super) fn kept(session: &Path) -> Option<PathBuf> {
    Session::open_to_read(session).ok()?.uses().config
}

/// Prints warnings about ignored keys of the configuration.
pub(super) fn warn(config: &Config) {
    for text in config.warnings().iter().chain(config.outdated()) {
        warning("configuration", text);
    }
}

/// Describes where the configuration comes from, for `doctor` and `config check`.
pub(super) fn config_words(global: &Global) -> Result<String> {
    let config = config(global, None)?;
    let users = config::config_home().map(|home| home.join("config.toml"));
    let files: Vec<String> = config.files().iter().rev().map(|file| safe_path(file)).collect();
    let set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let variables = config::SETTINGS.iter().filter_map(|setting| setting.variable);
    let mut layers: Vec<String> = variables.filter(set).map(str::to_owned).collect();
    layers.extend(files);
    Ok(match users {
        _ if !layers.is_empty() => format!("{} over the defaults", layers.join(" over ")),
        Some(file) => format!("the defaults ({} does not exist)", safe_path(&file)),
        None => "the defaults (no home folder)".to_owned(),
    })
}

/// The folder for sessions.
pub(super) fn sessions_folder(global: &Global) -> Result<PathBuf> {
    match (&global.session, config::state_home()) {
        (Some(folder), _) => Ok(folder.clone()),
        (None, Some(home)) => Ok(home.join("sessions")),
        (None, None) => {
            bail!("no home folder for sessions; set HOME, or choose a folder with --session")
        }
    }
}
