//! `keys`: the key card.

use super::args::{Global, ScreenArgs};
use super::output::results;
use super::{open, setup};
use anyhow::Result;

/// Prints the card of the keymap that is in force.
pub(super) fn run(keymap: Option<&str>, global: &Global) -> Result<()> {
    let screen = ScreenArgs { keymap: keymap.map(str::to_owned), ..ScreenArgs::default() };
    let looks = open::looks(&setup::config(global, None)?, &screen)?;
    results(|out| Ok(out.write_all(crate::key_card::card(&looks.keymap).as_bytes())?))
}
