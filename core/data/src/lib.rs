//! The dataset as data, its session, and everything that is stored of it: manifest and file metadata, columns of
//! results, the embedding store, the decision journal, configuration and prompts.
//!
//! Its tests alone: `cargo test --release -p chaffinch-data`.

pub mod as_written;
pub mod atomic;
pub mod class_names;
pub mod class_numbers;
pub mod columns;
pub mod config;
pub mod dataset;
mod error;
pub mod faults;
pub mod file_metadata;
mod frames;
mod groups;
pub mod imported;
pub mod index;
pub mod issue;
pub mod journal;
mod keys;
pub mod manifest;
pub mod map_places;
pub mod measures;
pub mod moved;
pub mod nearest;
pub mod output;
pub mod packing;
pub mod pictures;
pub mod probabilities;
pub mod prompts;
mod regular_file;
mod remarks;
mod remote;
pub mod renaming;
pub mod reserved;
pub mod row_keys;
pub mod row_order;
mod same_path;
pub mod samples;
pub mod session;
pub mod set_value;
pub mod store;
pub mod toml_table;
pub mod uses;

pub use error::{Error, Result};
