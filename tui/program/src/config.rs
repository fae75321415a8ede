//! `config`: the defaults with their comments, a check of what was written, and schemas.

use super::args::{Global, ScreenArgs};
use super::output::{remark, results, warning};
use super::schema::SchemaOf;
use super::{libraries, open, schema, settings};
use anyhow::Result;
use chaffinch_data::config::DEFAULT_CONFIG;
use chaffinch_host::{Registry, check_params};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Show the configuration, or check a file
#[derive(Debug, Args)]
#[command(arg_required_else_help = true, args_conflicts_with_subcommands = true)]
pub(super) struct Config {
    /// Print the defaults with their comments
    #[arg(long)]
    default: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Check the configuration and say which files it came from
    Check {
        /// The file [default: the user's]
        file: Option<PathBuf>,
    },
    /// Print the JSON schema of a file, for editors
    Schema {
        /// Of which
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

/// Reads everything that would be read, and complains of what would be passed over.
fn check(file: Option<PathBuf>, global: &Global) -> Result<ExitCode> {
    let global = Global { config: file.or_else(|| global.config.clone()), ..global.clone() };
    let config = settings::config(&global, None)?;
    settings::complain(&config);
    let mut complaints = config.warnings().len();
    let registry = Registry::load(&libraries::folders(&config));
    for name in config.named_detectors() {
        let why = match registry.find(name) {
            None => format!("it names a detector '{name}', which is not among those that were found"),
            Some(detector) => match check_params(detector, &config) {
                Ok(()) => continue,
                Err(error) => error.to_string(),
            },
        };
        complaints += 1;
        warning("configuration", &why);
    }
    for file in config.prompt_files() {
        // Reading them is the check.
        chaffinch_data::prompts::PromptSet::load(&[file])?;
    }
    complaints += open::looks(&config, &ScreenArgs::default())?.warnings.len();
    let words = settings::config_words(&global)?;
    if complaints > 0 {
        remark(&format!("{complaints} complaints: {words}"));
        return Ok(ExitCode::from(super::ERROR));
    }
    results(|out| Ok(writeln!(out, "ok: {words}")?))?;
    Ok(ExitCode::SUCCESS)
}
