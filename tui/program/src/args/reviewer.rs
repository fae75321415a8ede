//! Who decides.

use chaffinch_data::journal::Journal;
use clap::Args;

/// Who decides.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Interface")]
pub(crate) struct ReviewerArgs {
    /// Your name as a reviewer, under which decisions are saved [default: from $CHAFFINCH_REVIEWER or the
    /// configuration, or else your login name]
    #[arg(long, value_name = "NAME", value_parser = reviewer)]
    pub(crate) reviewer: Option<String>,
}

/// Accepts what can be the name of a journal.
pub(crate) fn reviewer(name: &str) -> Result<String, String> {
    Journal::check_reviewer(name).map(|()| name.to_owned()).map_err(|error| error.to_string())
}
