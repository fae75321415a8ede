//! The command line: what is asked for, and the status it ends with.
//!
//! `args` are the words, `setup` turns them into an engine's setup, `drive` runs a scan, `listing` reads what a scan
//! left, `output` and `progress` write. The other files are one command each.

mod args;
mod bench;
mod check_plugin;
mod config_cmd;
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
mod listing;
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
mod setup;
mod stages;

use anyhow::Result;
use args::{Cli, Command, Models, Plugins};
use chaffinch_protocol::display::safe_text;
use clap::{CommandFactory, Parser};
use std::process::ExitCode;

/// The status of an error.
const ERROR: u8 = 2;

/// Runs what the arguments of this process ask for.
pub fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(code) => code,
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::remark(&format!("error: {}", safe_text(&format!("{error:#}"))));
            ExitCode::from(ERROR)
        }
    }
}

fn run(cli: &Cli) -> Result<ExitCode> {
    let global = &cli.global;
    match &cli.command {
        Command::Demo(args) => demo::run(args, global),
        Command::Scan(args) => scan::run(args, global),
        Command::Open(args) => open::run(args, global),
        Command::Engine(args) => engine_process::run(&args.open, &args.socket, global),
        Command::Rank(args) => rank::run(args, global),
        Command::Evaluate(args) => evaluate::run(args, global),
        Command::Leaks(args) => leaks::run(args, global),
        Command::Pollute(args) => pollute::run(args, global),
        Command::LabelQuality(args) => label_quality::run(args).map(done),
        Command::Select(args) => select::run(args, global),
        Command::Export(args) => export::run(args, global),
        Command::Plugins(Plugins::List { plugins, json }) => plugins::list(plugins, *json, global).map(done),
        Command::Plugins(Plugins::Check { file, limit, unguarded }) => match unguarded {
            true => check_plugin::unguarded(file),
            false => check_plugin::guarded(file, *limit),
        },
        Command::Plugins(Plugins::New { name, path, contract }) => {
            new_plugin::run(name, path.as_deref(), contract.as_deref()).map(done)
        }
        Command::Models(Models::List { json }) => models::list(*json).map(done),
        Command::Models(Models::Check { model, device, json }) => {
            models::check(model.as_deref(), device.as_deref(), *json, global)
        }
        Command::Doctor(args) => doctor::run(args, global),
        Command::Completions { shell } => completions(*shell).map(done),
        Command::Config(args) => config_cmd::run(args, global),
        Command::Keys { keymap } => keys::run(keymap.as_deref(), global).map(done),
        Command::Bench(what) => bench::run(what).map(done),
    }
}

fn done((): ()) -> ExitCode {
    ExitCode::SUCCESS
}

fn completions(shell: clap_complete::Shell) -> Result<()> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "chaffinch", &mut text);
    output::results(|out| Ok(out.write_all(&text)?))
}
