//! Options of every command.

use clap::Args;
use std::path::PathBuf;

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// The session's folder [default: one for each dataset, under the XDG state folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) session: Option<PathBuf>,
    /// Configuration to read instead of $XDG_CONFIG_HOME/chaffinch/config.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// No progress and no remarks on stderr, warnings and errors only
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// What the engine logs, on stderr
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
}
