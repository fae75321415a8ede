//! The memory budget of a command, and where it comes from.

use super::args::Global;
use super::settings;
use anyhow::{Error, Result, bail};
use chaffinch_compute::memory::{self, Budget};
use chaffinch_data::config::Origin;

/// The name of the setting.
const SETTING: &str = "memory";

/// Chooses the budget of this process: of `--memory`, of the setting, or else of the machine.
///
/// # Errors
/// If an amount is none, or too small to work with.
pub(super) fn choose(global: &Global) -> Result<()> {
    if let Some(budget) = named(global)? {
        memory::choose(budget);
    }
    Ok(())
}

fn named(global: &Global) -> Result<Option<Budget>> {
    if let Some(text) = &global.memory {
        return Budget::parse(text, "--memory").map(Some).map_err(Error::msg);
    }
    // What is wrong with the configuration is said by the command itself.
    let Ok(config) = settings::layered(global, None) else { return Ok(None) };
    let Some(text) = config.memory() else { return Ok(None) };
    let origin = config.effective().into_iter().find(|one| one.name == SETTING).map(|one| one.origin);
    let place = match origin {
        Some(Origin::File(_)) | None => format!("{SETTING} in {}", origin.unwrap_or_default()),
        Some(origin) => origin.to_string(),
    };
    Budget::parse(text, &place).map(Some).map_err(Error::msg)
}

/// Refuses to begin work that the machine allows too little memory for.
///
/// # Errors
/// A sentence that says what is needed.
pub(super) fn check() -> Result<()> {
    match memory::shares().budget().check() {
        Ok(()) => Ok(()),
        Err(sentence) => bail!(sentence),
    }
}
