//! Confident learning: which given labels contradict a model's class probabilities.
//!
//! Given one row of probabilities a sample (from a model that was **not** trained on that sample) and the given
//! labels, this crate computes label quality scores ([`scores`]), decides which labels are likely wrong
//! ([`filter`]), counts how often each class is taken for each other one ([`ConfidentJoint`]),
//! and says which label a sample should have ([`suggested`]). Several models are joined by an [`Ensemble`]. Samples that
//! may have several labels are [`LabelSets`].
//!
//! The methods are those of C. Northcutt, L. Jiang and I. Chuang, *Confident Learning: Estimating Uncertainty in
//! Dataset Labels* (JAIR 2021) and of C. Northcutt and others' cleanlab, and give what cleanlab 2.9.0 gives,
//! except where that is known to be wrong (see [`Method::ConfidenceWeightedEntropy`]) or to pass over
//! input that cannot be (NaN is refused). [`Cut`], [`ratio`], [`posteriors`] and [`Pool`] are
//! Chaffinch's own.
//!
//! Pure mathematics: no files, no threads, no printing. Sums are made in 64 bits and in sample order, so that the
//! same input always gives the same output.
//!
//! ```
//! use chaffinch_confident::{Filter, Method, Table, filter, scores, suggested};
//!
//! // Five pictures, two classes; the last one's label goes against its probabilities.
//! let probabilities = [0.9, 0.1, 0.8, 0.2, 0.2, 0.8, 0.1, 0.9, 0.05, 0.95];
//! let table = Table::new(&probabilities, 2, &[0, 0, 1, 1, 0])?;
//! assert_eq!(scores(&table, Method::SelfConfidence, false), [0.9, 0.8, 0.8, 0.9, 0.05]);
//! assert_eq!(filter(&table, Filter::ConfidentLearning)?, [false, false, false, false, true]);
//! assert_eq!(suggested(&table)[4], 1);
//! # Ok::<(), chaffinch_confident::InputError>(())
//! ```
//!
//! Run its tests: `cargo test --release -p chaffinch-confident`.

mod cut;
mod ensemble;
mod filter;
mod inverse_temperature;
mod joint;
mod label_sets;
mod noise;
mod pool;
mod round;
mod score;
mod stratified_subsample;
mod suggest;
mod table;

pub use cut::{Cut, most_f1, ratio};
pub use ensemble::{Ensemble, Weights, ensemble_scores, mean_probabilities};
pub use filter::{Filter, Filters, filter};
pub use inverse_temperature::inverse_temperature;
pub use joint::ConfidentJoint;
pub use label_sets::{Aggregation, LabelSets, SetIssues, aggregate, class_scores, ranked, set_issues};
pub use noise::{Posterior, expected_confusions, posteriors};
pub use pool::Pool;
pub use score::{Method, scores, thresholds};
pub use stratified_subsample::stratified_subsample;
pub use suggest::{Rule, Verdict, apply_rule, suggested};
pub use table::{InputError, Real, Table, TopK};
