//! The engine behind the protocol: holds a session, does all slow work on threads of its own, and answers
//! commands. Clients speak to it over channels here; the messages are those of `chaffinch-protocol`.
//!
//! - `setup` is what an engine starts from, `client` starts one and talks to it, `remote` reaches one in another
//!   process.
//! - `scan` brings a session up to date stage by stage and hands over `findings`; `digest` tells what need not run
//!   again; `unreadable` reports broken files as a detector of its own.
//! - `state` is an immutable snapshot of what is known, `kept` saves opening again some work.
//! - `service` is the loop that takes commands; `answers` has what it answers with, each on a thread of its own where
//!   it could take long.
//!
//! Its tests alone: `cargo test --release -p chaffinch-engine`.

mod answers;
mod client;
mod digest;
mod findings;
mod kept;
pub mod remote;
mod scan;
mod service;
mod setup;
mod state;
mod unreadable;

pub use chaffinch_data::{Error, Result};
pub use client::{Client, spawn};
pub use setup::{ModelLoader, Setup};
pub use unreadable::unreadable;
