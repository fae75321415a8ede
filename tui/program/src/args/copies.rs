//! How files get into a copy of a dataset.

use chaffinch_formats::export;
use clap::ValueEnum;

/// How `export --format cleaned`, `apply` and `pollute` create files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CopyMode {
    /// Hard links, which take no space; symbolic links where hard links are not possible
    Link,
    /// Symbolic links
    Symlink,
    /// Full copies
    Copy,
    /// Reflinks, which take no space and share nothing once a file is changed; hard links or full copies where they are not possible
    Auto,
}

impl From<CopyMode> for export::CopyMode {
    fn from(mode: CopyMode) -> export::CopyMode {
        match mode {
            CopyMode::Link => export::CopyMode::Link,
            CopyMode::Symlink => export::CopyMode::Symlink,
            CopyMode::Copy => export::CopyMode::Copy,
            CopyMode::Auto => export::CopyMode::Auto,
        }
    }
}
