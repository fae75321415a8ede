//! The words about looks and settings.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// How the interface is shown.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Screen")]
pub(in crate::cli) struct ScreenArgs {
    /// Line by line, without a screen: for screen readers and scripts; commands are read from stdin
    #[arg(long)]
    pub(in crate::cli) plain: bool,
    /// The theme: a built-in one, one of your own, or a file [default: the configuration's]
    #[arg(long, value_name = "NAME|FILE")]
    pub(in crate::cli) theme: Option<String>,
    /// The keys: default, vim, prodigy, lightroom, or a file [default: the configuration's]
    #[arg(long, value_name = "NAME|FILE")]
    pub(in crate::cli) keymap: Option<String>,
}

#[derive(Debug, Args)]
#[command(arg_required_else_help = true, args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct Config {
    /// Print the defaults with their comments
    #[arg(long)]
    pub(in crate::cli) default: bool,
    #[command(subcommand)]
    pub(in crate::cli) action: Option<ConfigAction>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ConfigAction {
    /// Check the configuration and say which files it came from
    Check {
        /// The file [default: the user's]
        file: Option<PathBuf>,
    },
    /// Print the JSON schema of a file, for editors
    Schema {
        /// Of which
        #[arg(value_enum)]
        of: SchemaOf,
    },
}

/// Files that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SchemaOf {
    /// config.toml
    Config,
    /// keymap.toml
    Keymap,
    /// theme.toml
    Theme,
}
