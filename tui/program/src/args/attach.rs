//! How to take part in a session that is open in another terminal.

use clap::Args;

/// How to take part in a session that is open in another terminal.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Interface")]
pub(crate) struct AttachArgs {
    /// Watch what a reviewer decides in another terminal, without deciding: the reviewer named, or whoever came first
    #[arg(
        long,
        value_name = "REVIEWER",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        conflicts_with_all = ["take_over", "blind", "reviewer"]
    )]
    pub(crate) watch: Option<String>,
    /// Go on in the place of another terminal that has the session open; that one ends, and nothing is lost
    #[arg(long)]
    pub(crate) take_over: bool,
}
