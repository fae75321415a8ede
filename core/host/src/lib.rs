//! The detector host: finds detectors, checks and loads them, and runs them.
//!
//! A [`LoadedDetector`] (`detector`) is a library in this process, which ships with the program (`exported`), code in a
//! process of its own (`worker`: any other library, or a program), or a description of what to look for (`described`, which
//! reads `detector.toml`). `place` tells who could replace a file (`groups`: who is in a group), `check` inspects it before it is mapped, `pins` remembers
//! which code the user has agreed to, `let_in` changes that and `named` knows what the user means, `library` does the mapping and the handshake,
//! `declared` is what a detector says of itself, `registry` holds what was loaded and what was refused, `services` is what
//! detectors can ask of a dataset, `run` is one run of one detector, `measuring` measures single pictures, `kept` stores
//! what a detector keeps between runs. How all of this reaches a detector as C functions, and what is checked on the way,
//! is described in [`chaffinch_plugin::host`].
//!
//! Its tests alone: `cargo test --release -p chaffinch-host`.

mod check;
pub mod class_vectors;
mod column;
mod declared;
mod described;
mod detector;
#[cfg(test)]
mod exchanged_tests;
mod exported;
mod gone;
mod groups;
mod kept;
mod let_in;
mod library;
mod measuring;
mod named;
mod order;
mod params;
#[cfg(test)]
mod parity_tests;
mod pins;
mod place;
mod registry;
mod run;
mod services;
mod stamp;
mod state_file;
mod worker;

pub use chaffinch_plugin::host::COLUMNS;
pub use declared::NEEDS;
pub use detector::{LoadedDetector, Origin, Place};
pub use kept::KeepFolder;
pub use let_in::{LetIn, code_at, let_in};
pub use measuring::Measuring;
pub use named::is_named;
pub use order::{Circle, in_order};
pub use params::{InForce, by_name, check_params, needs_of, params_in_force, resolve_params, still_taken};
pub use pins::{Pin, Pins};
pub use registry::{Changed, PluginFolder, Refused, Registry};
pub use run::{CUT_TEXT, RunContext, RunFailure};
pub use services::{DatasetServices, DetectorLog, TextCache};
pub use worker::{
    Aside, AsideEntry, Confinement, Launch, Limits, Rehearsal, Workers, confinement, is_misbehavior, launch,
    message_names,
};

pub use chaffinch_data::{Error, Result};

use chaffinch_plugin::abi::OLDEST_ABI;
use chaffinch_protocol::display::quoted;
use std::path::PathBuf;

/// Why a library or a detector was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// The file or folder cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        reason: std::io::Error,
    },
    /// Anyone could put code there.
    #[error(
        "{} is writable by others (mode {mode:03o}), who could put code there; to use it, run: chmod go-w {}",
        path.display(), quoted(path)
    )]
    Writable {
        /// The file or folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A group with others in it could put code there.
    #[error(
        "{} is writable by the group {group} (mode {mode:03o}), in which others are who could put code there; to use it, run: chmod g-w {}",
        path.display(), quoted(path)
    )]
    GroupWritable {
        /// The file or folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// The group's name, or its number.
        group: String,
    },
    /// It belongs to another user.
    #[error("{} belongs to user {owner}, not to you or root; copy it to a folder of your own", path.display())]
    Foreign {
        /// The file or folder.
        path: PathBuf,
        /// The owner's number.
        owner: u32,
    },
    /// Not a shared library, built for another machine, or incomplete.
    #[error("{} is not a usable library: {reason}", path.display())]
    NotALibrary {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A library, but not one of ours.
    #[error("{} has no symbol {}; does it lack export_detector!?", path.display(), chaffinch_plugin::abi::SYMBOL)]
    NoSymbol {
        /// The file.
        path: PathBuf,
    },
    /// The system's loader refused it.
    #[error("{} could not be loaded: {reason}", path.display())]
    Loader {
        /// The file.
        path: PathBuf,
        /// The loader's message.
        reason: String,
    },
    /// Built for another version of the contract.
    #[error(
        "{} was built for plugin ABI {theirs} ({build}), but this program loads ABI {OLDEST_ABI} to ABI {ours} (chaffinch {}); {}",
        path.display(), env!("CARGO_PKG_VERSION"),
        if theirs > ours { "update chaffinch, or rebuild the detector with the chaffinch-plugin of this version" }
        else { "rebuild the detector with the chaffinch-plugin or the header of this version" }
    )]
    AbiMismatch {
        /// The file.
        path: PathBuf,
        /// Its version.
        theirs: u32,
        /// Ours.
        ours: u32,
        /// What built it, according to the library.
        build: String,
    },
    /// The table has the right version but invalid content.
    #[error("{}: its plugin table is invalid: {reason}", path.display())]
    BadTable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Loading it ended its process.
    #[error("{} could not be loaded: {reason}", path.display())]
    Died {
        /// The file.
        path: PathBuf,
        /// What happened.
        reason: String,
    },
    /// It died before.
    #[error(
        "{} was set aside because it could not be loaded: {reason}; it is loaded again once it has changed, or after: chaffinch plugins let-in {}",
        path.display(), path.file_name().unwrap_or_default().display()
    )]
    Aside {
        /// The file.
        path: PathBuf,
        /// What happened.
        reason: String,
    },
    /// Its code is not the code that ran before.
    #[error(
        "{what} since it was first used (code {} then, {} now), so it does not run; to run it as it is now: chaffinch plugins let-in {}, or if it passes: chaffinch plugins check {}",
        short(was),
        short(now),
        named(names, path),
        quoted(path)
    )]
    Changed {
        /// The library or description.
        path: PathBuf,
        /// The detectors in it, as far as they are known.
        names: Vec<String>,
        /// The digest of the code that ran.
        was: String,
        /// The digest of the code that is there now.
        now: String,
        /// The files that differ, as a clause.
        what: String,
    },
    /// A folder that was named has nothing to load.
    #[error(
        "{} has no detectors: no library and no detector.toml, neither in it nor in the folders in it",
        path.display()
    )]
    Nothing {
        /// The folder.
        path: PathBuf,
    },
    /// What is remembered of detectors cannot be read or written.
    #[error(transparent)]
    Stored(chaffinch_data::Error),
    /// A `detector.toml` is wrong.
    #[error(transparent)]
    Description(chaffinch_data::Error),
    /// Another library has a detector of this name.
    #[error("{} is not used: {} has the name {name}, too, and comes before it; choose another name for one of them", path.display(), first.display())]
    DuplicateName {
        /// The later file.
        path: PathBuf,
        /// The name.
        name: String,
        /// The file that has it.
        first: PathBuf,
    },
}

/// The beginning of a digest, which tells two apart.
fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// By what to let code in.
fn named(names: &[String], path: &std::path::Path) -> String {
    names.first().cloned().unwrap_or_else(|| path.display().to_string())
}
