//! `config`: prints the defaults, shows what is in force, checks the configuration, and prints schemas.

use super::args::{EngineArgs, Global, ReviewerArgs, ScreenArgs};
use super::output::{Align, Table, count, json, remark, results, terminal_width, warning};
use super::schema::SchemaOf;
use super::{libraries, open, place, schema, settings, uses};
use anyhow::{Result, bail};
use chaffinch_compute::memory;
use chaffinch_data::config::{DEFAULT_CONFIG, Effective, Offered, Origin};
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::issue::is_built_in;
use chaffinch_data::session::Session;
use chaffinch_host::check_params;
use chaffinch_protocol::display::{safe_path, safe_text};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Show the configuration in force or the default one, or check a file
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
    /// Show every setting with its value and where the value comes from
    Show {
        /// Dataset or session whose settings to show, with what it was scanned with
        #[arg(value_name = "DATASET|SESSION")]
        target: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        engine: Box<EngineArgs>,
        #[command(flatten)]
        reviewer: ReviewerArgs,
    },
    /// Use the settings of the project here from now on, as they are now
    Trust,
    /// Print the JSON schema of a configuration file, for editors, or of what other commands print, for scripts
    Schema {
        /// What it is a schema of
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
        Some(Action::Show { target, json, engine, reviewer }) => {
            show(target.as_deref(), *json, &engine.by(reviewer), global)
        }
        Some(Action::Trust) => trust(),
        Some(Action::Schema { of }) => schema::run(*of).map(|()| ExitCode::SUCCESS),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// A setting for scripts.
#[derive(Serialize)]
struct Shown {
    name: String,
    value: Option<String>,
    from: String,
}

/// Lists the settings in force.
fn show(target: Option<&Path>, as_json: bool, engine: &EngineArgs, global: &Global) -> Result<ExitCode> {
    let (config, session) = match target {
        Some(target) => {
            let location = place::find(target, global)?;
            let resolved = uses::resolve(&location, global, engine, &DatasetOptions::default())?;
            (resolved.config, Session::open_to_read(&location.dir).ok())
        }
        None => (settings::config(global, None)?.with_flags(uses::flags(engine)), None),
    };
    settings::warn(&config);
    let mut all: Vec<Shown> = (config.effective().into_iter())
        .map(|Effective { name, value, origin }| Shown { from: from(&name, &value, &origin), name, value })
        .collect();
    if let Some(moved) = session.map(|session| session.load_settings()).transpose()? {
        over(&mut all, moved);
    }
    results(|out| {
        if as_json {
            return json(out, &all);
        }
        let mut table =
            Table::new(&[("setting", Align::Left), ("value", Align::Left), ("from", Align::Left)]);
        for Shown { name, value, from } in &all {
            table.row(vec![name.clone(), value.clone().unwrap_or_else(|| "-".to_owned()), from.clone()]);
        }
        table.write(out, terminal_width())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Where a value comes from, in words.
fn from(name: &str, value: &Option<String>, origin: &Origin) -> String {
    match (name, value, origin) {
        // Not a default of ours.
        ("reviewer", Some(_), Origin::Default) => "your login name".to_owned(),
        ("memory", None, _) => format!("default: {}", memory::shares().budget()),
        ("vram-budget", None, _) => "default: all memory".to_owned(),
        ("ui.list-width", None, _) => "default: depends on the screen".to_owned(),
        _ => origin.to_string(),
    }
}

/// Puts in what was changed in a session's interface, which overrides the configuration.
fn over(all: &mut Vec<Shown>, moved: chaffinch_data::session::Settings) {
    const MOVED: &str = "changed in this session";
    let mut put = |name: String, value: String| {
        let shown = Shown { name, value: Some(value), from: MOVED.to_owned() };
        match all.iter_mut().find(|known| known.name == shown.name) {
            Some(known) if known.from == Origin::Flag.to_string() => {}
            Some(known) => *known = shown,
            None => all.push(shown),
        }
    };
    if let Some(rule) = moved.ensemble {
        put("ensemble.rule".to_owned(), format!("\"{}\"", rule.name()));
    }
    for (detector, threshold) in moved.thresholds {
        put(format!("detectors.{detector}.threshold"), threshold.to_string());
    }
    for (detector, params) in moved.params {
        params
            .into_iter()
            .for_each(|(param, value)| put(format!("detectors.{detector}.{param}"), value.to_string()));
    }
}

/// Keeps that the user agrees to the settings of the project.
fn trust() -> Result<ExitCode> {
    let Some(mut offered) = Offered::here()? else {
        bail!("neither this folder nor one above it has a .chaffinch folder with settings");
    };
    offered.remember(true)?;
    let files = safe_text(&offered.files.join(", ")).into_owned();
    results(|out| {
        Ok(writeln!(out, "{} ({files}) is used from now on, until it changes", safe_path(&offered.folder))?)
    })?;
    Ok(ExitCode::SUCCESS)
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
            // What reading the files finds has a threshold, too.
            None if is_built_in(name) && config.thresholds().contains_key(name) => continue,
            None => {
                let why = registry.unknown(name).unwrap_or_default();
                format!("unknown detector '{name}': {why}; see chaffinch plugins list")
            }
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
