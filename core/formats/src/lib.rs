//! Reads and writes files of other programs: datasets, class probabilities, ground truth, exports.
//!
//! Its tests alone: `cargo test --release -p chaffinch-formats`.

pub mod dataset;
pub mod export;
pub mod probabilities;
mod text;
pub mod truth;

pub use chaffinch_data::{Error, Result};
