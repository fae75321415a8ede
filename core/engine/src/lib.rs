//! The engine of Chaffinch: datasets, results and the detector host. It knows no screen, no model code and no
//! detector by name.

pub mod content;
pub mod decision;
pub mod embedding;
mod error;
pub mod facts;
pub mod host;
pub mod image;
pub mod issue;
pub mod job;
pub mod manifest;
pub mod protocol;
pub mod sample;

pub use error::{Error, Result};
