//! `completions`: shell completions.

use super::args::Global;
use super::output::results;
use anyhow::Result;
use clap::Args;
use clap_complete::Shell;
use std::process::ExitCode;

/// Generate shell completions
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

/// Prints the completion script of a shell.
pub(super) fn run(args: &Completions, _: &Global) -> Result<ExitCode> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), super::NAME, &mut text);
    results(|out| Ok(out.write_all(&text)?))?;
    Ok(ExitCode::SUCCESS)
}
