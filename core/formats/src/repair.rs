//! Carries out a plan of repair: as a copy, or in place with a way back.
//!
//! All of a plan becomes two lists first (`edits`): files that go or get another path, and files that get other contents
//! (tables, tar files). A copy (`copy`) is the dataset's folder with both lists applied. In place
//! (`in_place`), files are only ever renamed, so that a program that is killed leaves nothing half written, and what is
//! taken away is kept beside the dataset until it is wanted back or deleted.
//!
//! Its tests alone: `cargo test --release -p chaffinch-formats --lib repair`.

mod annotations;
mod check;
mod copy;
mod edits;
mod file_changes;
mod flag_columns;
mod in_place;
mod labels_elsewhere;
mod output;
mod parquet_checks;
mod parquet_chunk;
mod parquet_classes;
mod parquet_fault;
mod parquet_file;
mod parquet_header;
mod parquet_output;
mod parquet_pages;
mod parquet_part;
mod parquet_splice;
mod parquet_values;
mod refusal;
mod tables;
mod tar;
mod tar_classes;
mod targets;
mod verify;

pub use check::check;
pub use copy::{Copied, apply_to};
pub use in_place::{
    Applied, Found, State, apply_in_place, found, remove_leftovers, require_whole, rollback, unfinished,
};

#[cfg(test)]
mod failing_tests;
#[cfg(test)]
mod format_cases;
#[cfg(test)]
mod formats_tests;
#[cfg(test)]
mod list_tests;
#[cfg(test)]
mod parquet_splice_tests;
#[cfg(test)]
mod parquet_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
