//! Reads and writes files of other programs: datasets, class probabilities, embeddings, ground truth, earlier results,
//! exports; repairs datasets.
//!
//! Its tests alone: `cargo test --release -p chaffinch-formats`.

mod arrays;
mod arrow_kinds;
mod arrow_text;
#[cfg(test)]
mod broken_tests;
pub mod dataset;
pub mod embeddings;
mod ends;
pub mod export;
mod headings;
pub mod import;
mod joiner;
mod numberings;
pub mod predictions;
pub mod probabilities;
pub mod repair;
mod row_names;
mod row_splits;
mod rows_of;
mod same_headings;
mod side_column;
mod spelled_otherwise;
mod tally;
mod text;
pub mod truth;

pub use chaffinch_data::{Error, Result};
