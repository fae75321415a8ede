//! What the tests across crates share: the built program and libraries, generated datasets, planted faults, and a
//! terminal to drive the program in.
//!
//! These tests use Chaffinch as a user does: through its program, its files and its screen. They build what they
//! need and never silently skip a missing piece.
//!
//! Run one file of tests: `cargo test --release -p chaffinch -p chaffinch-tests --test scan`. Naming the program as well
//! keeps the features of dependencies the same, so they are built only once.
#![allow(clippy::unwrap_used, reason = "helpers of tests: a failed step fails the test")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "figures are part of a test's result")]

pub mod answers;
pub mod artefacts;
pub mod browser;
pub mod bucket;
pub mod digest;
pub mod faults;
pub mod figures;
pub mod folders;
pub mod graphics;
pub mod hostile;
pub mod hub;
pub mod link;
pub mod misbehavior;
pub mod modules;
pub mod network_disk;
pub mod npy;
pub mod pictures;
pub mod planted;
pub mod process;
pub mod protocol_page;
pub mod proxy;
pub mod python;
pub mod random;
pub mod recipe;
pub mod review;
pub mod sandbox;
pub mod schema;
pub mod slurm;
pub mod svg;
pub mod synthetic;
pub mod terminal;
pub mod tokens;
pub mod tools;
