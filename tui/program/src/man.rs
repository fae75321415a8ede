//! `man`: manual pages, made from the arguments of the commands.

use super::args::Global;
use super::output::results;
use anyhow::{Context, Result};
use chaffinch_protocol::display::safe_text;
use clap::Args;
use std::process::ExitCode;

/// A manual page, of the program or of a command
#[derive(Debug, Args)]
pub(super) struct Man {
    /// The command, and its part where it has parts, such as `plugins check` [default: the program]
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

/// Prints a page that `man` reads.
pub(super) fn run(args: &Man, _: &Global) -> Result<ExitCode> {
    let mut program = super::command();
    // Gives each command the options of all and the name of its page.
    program.build();
    let mut command = &program;
    for name in &args.command {
        let known = || format!("there is no command '{}'; see chaffinch --help", safe_text(name));
        command = command.find_subcommand(name).with_context(known)?;
    }
    let page = page(command)?;
    results(|out| Ok(out.write_all(&page)?))?;
    Ok(ExitCode::SUCCESS)
}

/// The page of a command that was built.
pub(super) fn page(command: &clap::Command) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}
