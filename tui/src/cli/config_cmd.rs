//! `config`: the defaults with their comments, and a check of what was written.

use super::args::{Config, ConfigAction, Global};
use super::output::{results, warning};
use super::{plugins, setup};
use anyhow::Result;
use chaffinch_core::config::DEFAULT_CONFIG;
use chaffinch_core::host::Registry;
use std::process::ExitCode;

/// Prints or checks.
pub(super) fn run(args: &Config, global: &Global) -> Result<ExitCode> {
    if args.default {
        results(|out| Ok(out.write_all(DEFAULT_CONFIG.as_bytes())?))?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(ConfigAction::Check { file }) = &args.action else { return Ok(ExitCode::SUCCESS) };
    let global = Global { config: file.clone().or_else(|| global.config.clone()), ..global.clone() };
    let config = setup::config(&global, None)?;
    let registry = Registry::load(&plugins::folders(&config));
    for name in config.named_detectors().into_iter().filter(|name| registry.find(name).is_none()) {
        warning(
            "configuration",
            &format!("it names a detector '{name}', which is not among those that were found"),
        );
    }
    for file in config.prompt_files() {
        // Reading them is the check.
        chaffinch_core::prompts::PromptSet::load(&[file])?;
    }
    let words = setup::config_words(&global)?;
    results(|out| Ok(writeln!(out, "ok: {words}")?))?;
    Ok(ExitCode::SUCCESS)
}
