//! What is known, as columns in Arrow IPC files: the samples in one file, each detector's result in another.
//!
//! The files are what pandas calls Feather: `pandas.read_feather`, `polars.read_ipc` and DuckDB read them as they
//! are. They are derived and can be rebuilt; the same input gives the same bytes. What is not a column stands as
//! JSON under the key `chaffinch` of the schema's metadata.

mod builder;
mod column;
pub mod file;
mod plain;
mod result;

pub use builder::ResultBuilder;
pub use column::Column;
pub use file::{map, release_mapped};
pub use result::DetectorResult;
pub use result::check_name;

/// The version of the layout; another one is rebuilt by a scan.
pub const FORMAT: u32 = 1;
