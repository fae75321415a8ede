//! `man`: manual pages, generated from the command-line arguments.

use super::args::Global;
use super::output::results;
use anyhow::{Context, Result};
use chaffinch_protocol::display::safe_text;
use clap::Args;
use std::process::ExitCode;

/// Print the manual page of the program or of a command
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Command, with its subcommand if it has any, such as `plugins check` [default: the program]
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

/// Prints a page for `man`.
pub(super) fn run(args: &Man, _: &Global) -> Result<ExitCode> {
    let mut program = super::command();
    // Adds global options and the name of its page to each command.
    program.build();
    let mut command = &program;
    for name in &args.command {
        let known = || format!("unknown command '{}'; see chaffinch --help", safe_text(name));
        command = command.find_subcommand(name).with_context(known)?;
    }
    let page = page(command)?;
    results(|out| Ok(out.write_all(&page)?))?;
    Ok(ExitCode::SUCCESS)
}

/// The page of a built command.
pub(super) fn page(command: &clap::Command) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}
