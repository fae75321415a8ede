//! The engine behind the protocol: holds a session, does all slow work on its own threads, and answers commands.
//! Clients talk to it over channels; the messages are those of `chaffinch-protocol`.
//!
//! - `setup` is what an engine starts from, `detectors` the detectors that there are while it runs, `client` starts one and talks to it, `remote` connects to one in another
//!   process.
//! - `scan` brings a session up to date stage by stage and publishes `findings`; `digest` tells what need not run
//!   again; `given` takes embeddings and probabilities from elsewhere; `imports` finds the samples of other programs'
//!   results; `models` keeps the results of several models apart; `built_in` reports broken files and damaged pictures like
//!   a detector.
//! - `meaning` has the model for searches by meaning.
//! - `state` is an immutable snapshot of what is known, `kept` caches work for the next opening.
//! - `numbered` names the paths of samples that a detector names by number.
//! - `unloaded` tells which results are of detectors that are not loaded, `outdated` which are from before the dataset, the code or the
//!   decisions that are read changed.
//! - `whole` finds what is wrong with the dataset as a whole.
//! - `outputs` is what a session can write, for the commands and for the dialogs of the interface.
//! - `service` is the command loop, for one terminal or several, `outlet` the way to them; `answers` computes its answers, on separate threads where that could take long.
//!
//! Its tests alone: `cargo test --release -p chaffinch-engine`.

mod answers;
mod built_in;
mod client;
mod decided;
mod detectors;
mod digest;
mod findings;
mod given;
mod imports;
mod kept;
pub mod meaning;
mod models;
mod numbered;
pub mod outdated;
mod outlet;
pub mod outputs;
mod reading;
mod remarks;
pub mod remote;
mod scan;
mod service;
mod setup;
mod state;
pub mod unloaded;
pub mod whole;

pub use built_in::built_in;
pub use chaffinch_data::{Error, Result};
pub use client::{Client, Engine, Stopped, spawn, spawn_as, start};
pub use detectors::{DetectorLoader, Detectors};
pub use reading::reading;
pub use setup::{Given, ModelLoader, ProbabilityWish, Setup};
