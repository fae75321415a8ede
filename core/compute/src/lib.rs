//! Computations independent of datasets: pictures and their hashes, vectors and matrices, neighbors, classifiers
//! trained out of sample, and the interface to a model.
//!
//! Its tests alone: `cargo test --release -p chaffinch-compute`; kernels: `cargo bench -p chaffinch-compute`.

pub mod content;
pub mod cut_texts;
pub mod embedding;
mod error;
pub mod free_memory;
pub mod fused;
pub mod hamming;
pub mod image;
pub mod job;
pub mod lbfgs;
pub mod linear;
pub mod mapped;
pub mod matrix;
pub mod memory;
pub mod neighbors;
pub mod out_of_sample;
pub mod probe;
pub mod processor_time;
pub mod ranks;
pub mod sorting;
pub mod vector;

pub use error::{Error, Result};
