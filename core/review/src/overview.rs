//! Counts over a whole dataset: classes, confusions of labels, scores of a detector, progress of the review. The interface
//! and reports show the same ones.

mod classes;
mod confusion;
mod histogram;
mod statistics;

pub use classes::classes;
pub use confusion::confusion;
pub use histogram::histogram;
pub use statistics::statistics;
