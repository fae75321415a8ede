//! `config`: prints the defaults, checks the configuration, and prints schemas.

use super::args::{Global, ScreenArgs};
use super::output::{count, remark, results, warning};
use super::schema::SchemaOf;
use super::{libraries, open, schema, settings};
use anyhow::Result;
use chaffinch_data::config::DEFAULT_CONFIG;
use chaffinch_host::check_params;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Show the default configuration, or check a file
#[derive(Debug, Args)]
#[command(arg_required_else_help = true, args_conflicts_with_subcommands = true)]
pub(super) struct Config {
    /// Print the default configuration with comments
    #[arg(long)]
    default: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Check the configuration and show which files it comes from
    Check {
        /// File to check [default: the user's config.toml]
        file: Option<PathBuf>,
    },
    /// Print the JSON schema of a configuration file, for editors
    Schema {
        /// The configuration file
        #[arg(value_enum)]
        of: SchemaOf,
    },
}

/// Prints or checks.
pub(super) fn run(args: &Config, global: &Global) -> Result<ExitCode> {
    if args.default {
        results(|out| Ok(out.write_all(DEFAULT_CONFIG.as_bytes())?))?;
        return Ok(ExitCode::SUCCESS);
    }
    match &args.action {
        Some(Action::Check { file }) => check(file.clone(), global),
        Some(Action::Schema { of }) => schema::run(*of).map(|()| ExitCode::SUCCESS),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// Reads everything a command would read, and warns about everything it would ignore.
fn check(file: Option<PathBuf>, global: &Global) -> Result<ExitCode> {
    let global = Global { config: file.or_else(|| global.config.clone()), ..global.clone() };
    let config = settings::config(&global, None)?;
    settings::warn(&config);
    let mut problems = config.warnings().len();
    let registry = libraries::load(&config);
    for name in config.named_detectors() {
        let why = match registry.find(name) {
            None => format!("unknown detector '{name}'; see chaffinch plugins list"),
            Some(detector) => match check_params(detector, &config) {
                Ok(()) => continue,
                Err(error) => error.to_string(),
            },
        };
        problems += 1;
        warning("configuration", &why);
    }
    for file in config.prompt_files() {
        // Loading a file checks it.
        chaffinch_data::prompts::PromptSet::load(&[file])?;
    }
    problems += open::looks(&config, &ScreenArgs::default())?.warnings.len();
    let words = settings::config_words(&global)?;
    if problems > 0 {
        remark(&format!("{}: {words}", count(problems as u64, "problem", "problems")));
        return Ok(ExitCode::from(super::ERROR));
    }
    results(|out| Ok(writeln!(out, "ok: {words}")?))?;
    Ok(ExitCode::SUCCESS)
}
