//! The command line: parses arguments, runs commands, and returns the exit status.
//!
//! Each command is one file with its arguments, help and implementation. The other files are shared: `args` has groups of
//! arguments; `place` finds the session; `settings`, `memory_budget`, `uses`, `libraries` and `model_loader` resolve configuration, detectors
//! and model; `prompt_set` finds the prompts; `setup` combines them into an engine's setup; `ask` asks; `drive` runs a scan; `listing` reads its results; `gates` compares its counts; `output`, `progress` and `stages` print.
//!
//! Run only its tests with `cargo test --release -p chaffinch`. With `CHAFFINCH_UPDATE=1` in the environment they update
//! the tables in `docs/command-line.md` and the schemas in `configs/schema`.
//!
//! # How to add a command
//!
//! It takes one file and two lines. Help, completions and man pages are generated from its arguments.
//!
//! 1. Write `src/NAME.rs` with `pub(super) struct Name`, which derives `clap::Args` and has its line of help as its doc
//!    comment, and `pub(super) fn run(args: &Name, global: &Global) -> Result<ExitCode>`. `keys.rs` is a short example.
//! 2. Add `mod name;` below.
//! 3. Add `name::Name,` to the table in `commands!`, at its position in the help.
//! 4. Add a section `## name` to `docs/command-line.md`; a test reports missing options.

mod agreement;
mod apply;
mod args;
mod ask;
mod attach;
mod bench;
mod bundled;
mod check_plugin;
mod classify;
mod completions;
mod config;
mod conflicts;
mod dataset;
mod demo;
mod detector_results;
mod diff;
mod doctor;
mod drive;
mod engine_process;
mod entries;
mod evaluate;
mod events;
mod explain;
mod export;
mod finders;
mod gates;
mod import;
mod interrupt;
mod keys;
mod label_quality;
mod leaks;
mod libraries;
mod listing;
mod looks;
mod man;
mod mcp;
mod memory_budget;
mod merge;
mod model_loader;
mod models;
mod new_plugin;
mod open;
mod output;
mod panics;
mod place;
mod plan;
mod plot;
mod plugins;
mod pollute;
mod probe;
mod progress;
mod prompt_set;
mod prompts;
mod rank;
mod reading;
mod replay;
mod report;
mod represent;
mod rollback;
mod rows;
mod sample_pictures;
mod sample_set;
mod scan;
mod schema;
mod search;
mod select;
mod session;
mod session_model;
mod settings;
mod setup;
mod stages;
mod table;
mod targets;
mod threshold;
mod uses;
mod worker;

use anyhow::{Result, bail};
use args::{Global, ProgressFormat};
use chaffinch_compute::vector;
use chaffinch_protocol::display::safe_text;
use clap::{CommandFactory, Parser, Subcommand};
use rustix::fs::Mode;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::LazyLock;

/// The exit status of an error.
const ERROR: u8 = 2;

/// The program's name.
const NAME: &str = "chaffinch";

/// The version, and what else tells builds apart.
static LONG_VERSION: LazyLock<String> = LazyLock::new(|| {
    let commit = match env!("CHAFFINCH_COMMIT") {
        "" => String::new(),
        commit => format!(" ({commit})"),
    };
    let cuda = if cfg!(feature = "cuda") { "with" } else { "without" };
    format!(
        "{}{commit}\nbuilt {cuda} CUDA\ndetector ABI {}",
        env!("CARGO_PKG_VERSION"),
        chaffinch_plugin::abi::ABI_VERSION
    )
});

/// Find and review the bad samples of an image-classification dataset in the terminal.
#[derive(Debug, Parser)]
#[command(name = NAME, version, long_version = LONG_VERSION.as_str(), propagate_version = true, arg_required_else_help = true)]
#[command(
    after_help = "Start with `chaffinch demo`. Exit status: 0 success, 1 a --fail-on gate failed, 2 error, \
                        130 interrupted."
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Generates the enum of all commands from their modules and arguments.
macro_rules! commands {
    ($($module:ident::$name:ident,)*) => {
        #[derive(Debug, Subcommand)]
        enum Command {
            $($name($module::$name),)*
        }

        impl Command {
            fn run(&self, global: &Global) -> Result<ExitCode> {
                match self {
                    $(Command::$name(args) => $module::run(args, global),)*
                }
            }
        }
    };
}

commands! {
    demo::Demo,
    scan::Scan,
    merge::Merge,
    open::Open,
    engine_process::Engine,
    worker::Worker,
    rank::Rank,
    search::Search,
    classify::Classify,
    explain::Explain,
    prompts::Prompts,
    threshold::Threshold,
    evaluate::Evaluate,
    leaks::Leaks,
    pollute::Pollute,
    label_quality::LabelQuality,
    select::Select,
    probe::Probe,
    represent::Represent,
    import::Import,
    export::Export,
    dataset::Dataset,
    report::Report,
    diff::Diff,
    agreement::Agreement,
    conflicts::Conflicts,
    replay::Replay,
    mcp::Mcp,
    plan::Plan,
    apply::Apply,
    rollback::Rollback,
    session::Session,
    plugins::Plugins,
    models::Models,
    doctor::Doctor,
    completions::Completions,
    man::Man,
    config::Config,
    keys::Keys,
    bench::Bench,
}

/// Runs the command given by the arguments of this process.
pub fn main() -> ExitCode {
    panics::within(run)
}

fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return unparsed(&error),
    };
    if cli.global.progress == ProgressFormat::Json {
        events::begin();
    }
    let code = match begin(&cli.global).and_then(|()| cli.command.run(&cli.global)) {
        Ok(code) => code,
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::failure(&error);
            ExitCode::from(ERROR)
        }
    };
    events::end(code);
    code
}

/// What becomes of a command line that is not run: help and versions are printed; an error is a line of JSON if the rest of
/// the command line asks for that.
fn unparsed(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() || !asks_for_json(std::env::args_os().skip(1)) {
        let printed = error.print().and_then(|()| io::stdout().flush());
        return match printed {
            // A closed pipe leaves nothing to tell.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::from(ERROR),
            _ => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(ERROR)),
        };
    }
    events::begin();
    let text = error.render().to_string();
    // The usage and the hint at the help are for people.
    let text = text.split("\n\nUsage:").next().unwrap_or_default();
    let text = text.split("\n\nFor more information").next().unwrap_or_default();
    let words: Vec<&str> = text.trim_start_matches("error: ").split_whitespace().collect();
    output::failure(&anyhow::anyhow!(words.join(" ")));
    let code = ExitCode::from(ERROR);
    events::end(code);
    code
}

/// Whether `--progress json` is among these arguments.
fn asks_for_json(args: impl Iterator<Item = std::ffi::OsString>) -> bool {
    let args: Vec<_> = args.take_while(|arg| arg != "--").collect();
    let pair = |pair: &[std::ffi::OsString]| pair[0] == "--progress" && pair[1] == "json";
    args.windows(2).any(pair) || args.iter().any(|arg| arg == "--progress=json")
}

/// What is settled before any command runs.
fn begin(global: &Global) -> Result<()> {
    checked_environment()?;
    // Whatever the shell says, nothing that this program makes can be written by everybody.
    let mask = rustix::process::umask(Mode::RWXU | Mode::RWXG | Mode::RWXO);
    rustix::process::umask(mask | Mode::WOTH);
    memory_budget::choose(global)
}

/// Refuses variables of the environment that would be ignored.
fn checked_environment() -> Result<()> {
    match vector::unknown_level() {
        Some(name) => {
            let known = vector::Level::NAMES.map(|(name, _)| name).join(", ");
            bail!("${}: '{}' is not one of {known}", vector::SWITCH, safe_text(&name))
        }
        None => Ok(()),
    }
}

/// The program and its version, for reports.
fn named_version() -> String {
    format!("{NAME} {}", env!("CARGO_PKG_VERSION"))
}

/// The complete command line, for generating help from it.
fn command() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests;
