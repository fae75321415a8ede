//! The engine of Chaffinch: datasets, results and the detector host. It knows no screen, no model code and no
//! detector by name.
//!
//! Its tests alone: `cargo test --release -p chaffinch-core`.

pub mod atlas;
pub mod atomic;
pub mod class_vectors;
pub mod columns;
pub mod config;
pub mod content;
pub mod dataset;
pub mod decision;
pub mod display;
pub mod embedding;
pub mod engine;
mod error;
pub mod evaluate;
pub mod export;
pub mod facts;
mod groups;
pub mod hamming;
pub mod host;
pub mod image;
pub mod index;
pub mod issue;
pub mod job;
pub mod journal;
pub mod label_quality;
pub mod leaks;
pub mod linear;
pub mod manifest;
pub mod measures;
pub mod memory;
mod nearest;
pub mod neighbors;
pub mod out_of_sample;
pub mod pollute;
pub mod prompts;
pub mod protocol;
pub mod query;
pub mod ranking;
pub mod sample;
pub mod selection;
pub mod session;
mod sorting;
pub mod store;
mod toml_table;
pub mod vector;

pub use error::{Error, Result};
