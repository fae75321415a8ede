//! The command line: what is asked for, and the status it ends with.
//!
//! A command is one file, with its arguments, its help and what it does. The other files are for several of them:
//! `args` are groups of arguments; `settings`, `libraries` and `model_loader` say what holds, `setup` makes an
//! engine's setup of them, `drive` runs a scan, `listing` reads what a scan left, `output`, `progress` and `stages`
//! write.
//!
//! Its tests alone: `cargo test --release -p chaffinch`.
//!
//! # How to add a command
//!
//! One file and two lines. The help, the completions and the man pages are made from its arguments.
//!
//! 1. Write `src/NAME.rs` with `pub(super) struct Name`, which derives `clap::Args` and whose doc comment is the line
//!    in the help (`keys.rs` is a short one), and `pub(super) fn run(args: &Name, global: &Global) -> Result<ExitCode>`.
//! 2. Add `mod name;` below.
//! 3. Add `name::Name,` to the table below `commands!`; its place there is its place in the help.
//! 4. Add a section `## name` to `docs/command-line.md`; a test says which options are missing there.

mod args;
mod bench;
mod check_plugin;
mod completions;
mod config;
mod demo;
mod doctor;
mod drive;
mod engine_process;
mod evaluate;
mod export;
mod hub_cache;
mod interrupt;
mod keys;
mod label_quality;
mod leaks;
mod libraries;
mod listing;
mod looks;
mod man;
mod model_loader;
mod models;
mod new_plugin;
mod open;
mod output;
mod plot;
mod plugins;
mod pollute;
mod progress;
mod rank;
mod rows;
mod sample_pictures;
mod sample_set;
mod scan;
mod schema;
mod select;
mod settings;
mod setup;
mod stages;

use anyhow::Result;
use args::Global;
use chaffinch_protocol::display::safe_text;
use clap::{CommandFactory, Parser, Subcommand};
use std::process::ExitCode;

/// The status of an error.
const ERROR: u8 = 2;

/// The program's name.
const NAME: &str = "chaffinch";

/// Finds the bad samples of an image-classification dataset and lets you decide about them, in a terminal.
#[derive(Debug, Parser)]
#[command(name = NAME, version, propagate_version = true, arg_required_else_help = true)]
#[command(
    after_help = "Start with `chaffinch demo`. Exit status: 0 done, 1 suspects found where --fail-on asked, \
                        2 error, 130 interrupted."
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Makes the enum of all commands from their modules and arguments.
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
    open::Open,
    engine_process::Engine,
    rank::Rank,
    evaluate::Evaluate,
    leaks::Leaks,
    pollute::Pollute,
    label_quality::LabelQuality,
    select::Select,
    export::Export,
    plugins::Plugins,
    models::Models,
    doctor::Doctor,
    completions::Completions,
    man::Man,
    config::Config,
    keys::Keys,
    bench::Bench,
}

/// Runs what the arguments of this process ask for.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command.run(&cli.global) {
        Ok(code) => code,
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::remark(&format!("error: {}", safe_text(&format!("{error:#}"))));
            ExitCode::from(ERROR)
        }
    }
}

/// The whole command line, for what is made from it.
fn command() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests;
