//! Samples and results as columns in Arrow IPC files: the samples in one file, each detector's result in another.
//!
//! The files are in pandas' Feather format: `pandas.read_feather`, `polars.read_ipc` and DuckDB read them directly.
//! They are derived and can be rebuilt; the same input gives the same bytes. Anything that is not a column is stored as
//! JSON under the key `chaffinch` in the schema metadata.

mod builder;
mod column;
pub mod file;
mod plain;
mod result;
mod said;

pub use builder::ResultBuilder;
pub use column::Column;
pub use file::{map, release_mapped};
pub use result::DetectorResult;
pub use result::check_name;

/// The format version; files of another version are rebuilt by a scan.
pub const FORMAT: u32 = 1;
