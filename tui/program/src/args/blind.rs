//! A second review that nothing sways.

use chaffinch_protocol::{BlindWish, Share};
use clap::Args;

/// A second review that nothing sways.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Interface")]
pub(crate) struct BlindArgs {
    /// Hide what other reviewers decided, for a second review: of everything, or of so many samples (50, 10%) drawn from those
    /// that others have decided
    #[arg(long, value_name = "N|N%", num_args = 0..=1, default_missing_value = "all", value_parser = wish)]
    pub(crate) blind: Option<Wish>,
    /// Which samples --blind draws: the same number draws the same ones
    #[arg(long, value_name = "SEED", default_value_t = 0, requires = "blind")]
    pub(crate) blind_seed: u64,
}

/// Values of `--blind`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Wish {
    /// All samples.
    All,
    /// Some of them.
    Some(Share),
}

impl BlindArgs {
    /// What the blind review is of, if there is one.
    pub(crate) fn wish(&self) -> Option<BlindWish> {
        let sample = match self.blind? {
            Wish::All => None,
            Wish::Some(share) => Some(share),
        };
        Some(BlindWish { sample, seed: self.blind_seed })
    }
}

fn wish(text: &str) -> Result<Wish, String> {
    match text {
        "all" => Ok(Wish::All),
        text => text.parse().map(Wish::Some).map_err(|why| format!("{why}; name the dataset before --blind")),
    }
}
