//! `keys`: the key card.

use super::args::{Global, ScreenArgs};
use super::output::results;
use super::{open, settings};
use anyhow::Result;
use clap::Args;
use std::process::ExitCode;

/// Print the key card: every key and what it does, with the keymap that is in force
#[derive(Debug, Args)]
pub(super) struct Keys {
    /// The keys: default, vim, prodigy, lightroom, or a file [default: the configuration's]
    #[arg(long, value_name = "NAME|FILE")]
    keymap: Option<String>,
}

/// Prints the card of the keymap that is in force.
pub(super) fn run(args: &Keys, global: &Global) -> Result<ExitCode> {
    let screen = ScreenArgs { keymap: args.keymap.clone(), ..ScreenArgs::default() };
    let looks = open::looks(&settings::config(global, None)?, &screen)?;
    results(|out| Ok(out.write_all(chaffinch_screen::key_card::card(&looks.keymap).as_bytes())?))?;
    Ok(ExitCode::SUCCESS)
}
