//! Search by meaning: the direction that an expression over texts and samples points in, and how near samples are to it.
//!
//! The parts of an expression are vectors of unit length, weighted and added up; the sum at unit length is a [`Direction`],
//! and the similarity of a sample is the cosine of its vector with that. Numbers are added in an order that depends on
//! neither threads nor the order of parts, so a list never changes between runs.

mod direction;
mod expression;
mod sample;

pub use direction::{Direction, Towers};
pub use expression::{Expression, Part, Term, quoted};
pub use sample::{at_path, names_samples, sample_at};
