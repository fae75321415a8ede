//! The targets, one file each.

pub mod annotations;
pub mod archives;
pub mod arrays;
pub mod arrow;
pub mod binaries;
pub mod filter;
pub mod frames;
pub mod imports;
pub mod journal;
pub mod labels;
pub mod listing;
pub mod looks;
pub mod model;
pub mod parquet;
pub mod picture;
pub mod probabilities;
pub mod repair;
pub mod results;
pub mod session;
pub mod tables;
pub mod terminal;
pub mod worker;

mod dataset;
mod pets;

use crate::Target;

/// All of them, in the order of their names.
pub const TARGETS: &[Target] = &[
    annotations::TARGET,
    archives::TARGET,
    arrays::TARGET,
    arrow::TARGET,
    binaries::TARGET,
    filter::TARGET,
    frames::TARGET,
    imports::TARGET,
    journal::TARGET,
    labels::TARGET,
    listing::TARGET,
    looks::TARGET,
    model::TARGET,
    parquet::TARGET,
    picture::TARGET,
    probabilities::TARGET,
    repair::TARGET,
    results::TARGET,
    session::TARGET,
    tables::TARGET,
    terminal::TARGET,
    worker::TARGET,
];
