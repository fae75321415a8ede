//! Reads and writes files of other programs: datasets, class probabilities, embeddings, ground truth, exports.
//!
//! Its tests alone: `cargo test --release -p chaffinch-formats`.

mod arrays;
pub mod dataset;
pub mod embeddings;
pub mod export;
mod joiner;
pub mod probabilities;
mod text;
pub mod truth;

pub use chaffinch_data::{Error, Result};
