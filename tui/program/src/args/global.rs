//! Options accepted by every command.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Options accepted by every command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Folder of the session [default: one per dataset, in $XDG_STATE_HOME/chaffinch]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) session: Option<PathBuf>,
    /// Configuration file to read instead of $XDG_CONFIG_HOME/chaffinch/config.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Do not ask the Hugging Face Hub for anything; use models from its cache, as with HF_HUB_OFFLINE=1
    #[arg(long, global = true)]
    pub(crate) offline: bool,
    /// How much memory to use, such as 8GiB [default: three quarters of what the machine and its limits allow]
    #[arg(long, global = true, value_name = "SIZE")]
    pub(crate) memory: Option<String>,
    /// Print only warnings and errors to stderr, no progress or hints
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// How to report progress on stderr
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "FORMAT")]
    pub(crate) progress: ProgressFormat,
    /// Print the engine's log to stderr
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
}

/// Values of `--progress`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressFormat {
    /// A bar on a terminal, lines elsewhere
    #[default]
    Auto,
    /// JSON for programs: everything on stderr is one object a line
    Json,
}
