//! `keys`: prints the key card.

use super::args::{Global, ScreenArgs};
use super::output::results;
use super::{open, settings};
use anyhow::Result;
use clap::Args;
use std::process::ExitCode;

/// Print the key card: all keys of the current keymap and what they do
#[derive(Debug, Args)]
pub(super) struct Keys {
    /// Keymap: default, vim, prodigy, lightroom or a file [default: from the configuration]
    #[arg(long, value_name = "NAME|FILE")]
    keymap: Option<String>,
}

/// Prints the key card of the current keymap.
pub(super) fn run(args: &Keys, global: &Global) -> Result<ExitCode> {
    let screen = ScreenArgs { keymap: args.keymap.clone(), ..ScreenArgs::default() };
    let looks = open::looks(&settings::config(global, None)?, &screen)?;
    results(|out| Ok(out.write_all(chaffinch_screen::key_card::card(&looks.keymap).as_bytes())?))?;
    Ok(ExitCode::SUCCESS)
}
