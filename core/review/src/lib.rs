//! Conclusions from detector results and reviewer decisions: verdicts on samples, the ensemble's rank, queries over it,
//! orders learned from decisions, maps and clusters, search by meaning, explanations of pictures, evaluation against ground truth, label quality, leaks, clean-sample selection, planted faults and plans of repair.
//!
//! Its tests alone: `cargo test --release -p chaffinch-review`.

pub mod agreement;
pub mod atlas;
mod bins;
pub mod by_example;
pub mod calibration;
pub mod covered;
pub mod dataset;
pub mod difference;
pub mod evaluate;
pub mod explanation;
pub mod groups;
pub mod label_quality;
pub mod leaks;
pub mod learned;
pub mod meaning;
pub mod overview;
pub mod pollute;
pub mod probe;
pub mod prompt_tallies;
pub mod query;
pub mod ranking;
pub mod remaining;
pub mod repair;
pub mod representatives;
pub mod selection;
pub mod verdict;
pub mod vocabulary;

pub use chaffinch_data::{Error, Result};
