//! Reads and writes files of other programs: datasets, class probabilities, ground truth, earlier results, exports.
//!
//! Its tests alone: `cargo test --release -p chaffinch-formats`.

pub mod dataset;
mod ends;
pub mod export;
pub mod import;
pub mod probabilities;
mod text;
pub mod truth;

pub use chaffinch_data::{Error, Result};
