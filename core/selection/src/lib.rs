//! Clean-sample selection: which given labels a model's class probabilities support well enough to train a classifier on
//! them unchanged.
//!
//! The method is that of C. Feng, G. Tzimiropoulos and I. Patras, *CLIPCleaner: Cleaning Noisy Labels with CLIP*
//! (ACM Multimedia 2024), without what is known to be wrong in its code: a class that would be left empty gets the samples
//! with the *highest* score, a class in which all scores are equal does not cause a division by zero, and
//! a probability of zero does not become minus infinity.
//!
//! From one source of probabilities a sample is clean
//! - by **mixture**, when among the samples of its label it belongs to the better of two groups: a mixture of two
//!   Gaussians is fitted to the logarithms of the label's probability, rescaled to 0..=1 within the class;
//! - by **consistency**, when the label's probability is not much less than the most likely class's.
//!
//! Several criteria and sources are combined by intersection. Pure mathematics: no files, no threads, no
//! printing; the same input always gives the same output.
//!
//! ```
//! use chaffinch_selection::{Evidence, Limits};
//!
//! // The label's probability and the most likely class's, of three samples of one class.
//! let mut evidence = Evidence::default();
//! [(0.9, 0.9), (0.85, 0.85), (0.02, 0.9)].iter().for_each(|&(own, best)| evidence.push(own, best));
//! let scores = evidence.scores(&[0, 0, 0])?;
//! assert_eq!(scores.select(Limits::default()).both(), [true, true, false]);
//! # Ok::<(), chaffinch_selection::InputError>(())
//! ```
//!
//! Run its tests: `cargo test --release -p chaffinch-selection`.

mod mixture;
mod safeguard;
mod select;

pub use safeguard::{Filled, fill_empty_classes};
pub use select::{Evidence, InputError, Limits, Scores, Selection, intersection};
