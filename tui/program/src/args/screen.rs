//! Appearance of the interface.

use clap::Args;

/// Appearance of the interface.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Interface")]
pub(crate) struct ScreenArgs {
    /// Line-by-line mode for screen readers and scripts; reads commands from stdin
    #[arg(long)]
    pub(crate) plain: bool,
    /// Theme: a built-in one, one of your own, or a file [default: from the configuration]
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) theme: Option<String>,
    /// Keymap: default, vim, prodigy, lightroom or a file [default: from the configuration]
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) keymap: Option<String>,
}
