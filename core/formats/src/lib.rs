//! Files of other programs, read and written: datasets, class probabilities, known truths, exports.
//!
//! Its tests alone: `cargo test --release -p chaffinch-formats`.

pub mod dataset;
pub mod export;
pub mod probabilities;
pub mod truth;

pub use chaffinch_data::{Error, Result};
