//! How the interface is shown.

use clap::Args;

/// How the interface is shown.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Screen")]
pub(crate) struct ScreenArgs {
    /// Line by line, without a screen: for screen readers and scripts; commands are read from stdin
    #[arg(long)]
    pub(crate) plain: bool,
    /// The theme: a built-in one, one of your own, or a file [default: the configuration's]
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) theme: Option<String>,
    /// The keys: default, vim, prodigy, lightroom, or a file [default: the configuration's]
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) keymap: Option<String>,
}
