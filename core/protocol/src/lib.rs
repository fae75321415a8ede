//! What the interface and the engine say to each other: samples and decisions, queries and rows, commands and events.
//!
//! Everything here is plain serialisable data, so that the same messages pass over a channel inside one program and
//! over a socket between two. Nothing here reads a file or computes a score.
//!
//! Tests: `cargo test --release -p chaffinch-protocol`.

pub mod decision;
pub mod display;
pub mod ensemble;
mod messages;
pub mod sample;

pub use messages::*;
