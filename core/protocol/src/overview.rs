//! What a client is told of the whole dataset at once: scores of a detector, confusions of labels, how far the review
//! is, and what detectors can be told.

use crate::Ticket;
use serde::{Deserialize, Serialize};

/// Bins of a [`Histogram`]: thresholds are moved in thousandths, and each stands on the edge of a bin.
pub const BINS: usize = 1000;

/// Which overview a client asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overview {
    /// The scores of one detector, by its name.
    Histogram(String),
    /// Given against suggested labels.
    Confusion,
    /// How far the review is.
    Statistics,
    /// All detectors with what they can be told.
    Forms,
}

/// The answer to an [`Overview`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overviewed {
    /// To [`Overview::Histogram`].
    Histogram(Histogram),
    /// To [`Overview::Confusion`].
    Confusion(Vec<Confused>),
    /// To [`Overview::Statistics`].
    Statistics(Statistics),
    /// To [`Overview::Forms`].
    Forms(Vec<DetectorForm>),
}

/// The scores of one detector in [`BINS`] bins of one thousandth, and one more for scores of 1. A score lies in bin
/// `k` when it is at least `k / 1000` and below `(k + 1) / 1000` as 32-bit floats. The sum of the first `k` bins is so
/// the number of samples that a threshold of `k / 1000` flags.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// The question's ticket.
    pub ticket: Ticket,
    /// The detector.
    pub detector: String,
    /// Samples by bin.
    pub samples: Vec<u64>,
    /// Of them, those that no other detector flags: they become suspects by this threshold alone.
    pub alone: Vec<u64>,
    /// Of them, those that were removed or relabelled.
    pub faulty: Vec<u64>,
    /// Of them, those that were kept.
    pub fine: Vec<u64>,
    /// Samples that another detector flags, whatever this threshold is.
    pub elsewhere: u64,
    /// Samples that the detector gave no score.
    pub unscored: u64,
    /// The threshold that the detector itself has.
    pub default: f32,
}

impl Histogram {
    /// Samples in the first bins: those that this threshold flags.
    pub fn below(counts: &[u64], threshold: f32) -> u64 {
        counts.iter().take(edge(threshold)).sum()
    }
}

/// The bin that begins at a threshold.
pub fn edge(threshold: f32) -> usize {
    ((threshold.clamp(0.0, 1.0) * BINS as f32).round() as usize).min(BINS)
}

/// Suspects with one given and one suggested label. A sample for which detectors suggest two labels counts for both,
/// so that each count is the length of the list filtered by both labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confused {
    /// The given label, a place in the session's classes.
    pub given: u32,
    /// The suggested label.
    pub suggested: u32,
    /// Suspects.
    pub count: u64,
    /// Of them, decided.
    pub decided: u64,
}

/// How far the review is, over all samples and all reviewers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// Suspects.
    pub suspects: u64,
    /// Of them, with a decision.
    pub suspects_decided: u64,
    /// Samples with a keep, remove, relabel, unsure decision.
    pub by_choice: [u64; 4],
    /// Decided samples, unsure ones left out, for which a label is suggested.
    pub suggested: u64,
    /// Of them, relabelled to what was suggested.
    pub accepted: u64,
    /// Of them, kept as they were.
    pub kept: u64,
    /// By detector, in name order: decided samples that it flags.
    pub detectors: Vec<DetectorReview>,
}

/// What decisions say of one detector.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DetectorReview {
    /// Its name.
    pub name: String,
    /// Samples it flags.
    pub flagged: u64,
    /// Of them, removed or relabelled.
    pub faulty: u64,
    /// Of them, kept.
    pub fine: u64,
}

/// A detector and what it can be told, for a form.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DetectorForm {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// One line that says what it finds.
    pub summary: String,
    /// Whether a scan runs it.
    pub enabled: bool,
    /// Whether there are results of it.
    pub ran: bool,
    /// Its own threshold.
    pub threshold: f32,
    /// Its parameters.
    pub params: Vec<FormParam>,
}

/// One parameter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FormParam {
    /// Its name.
    pub name: String,
    /// One sentence.
    pub help: String,
    /// Its type.
    pub kind: FormKind,
    /// The default: the number, 0 or 1 of a flag, the place of a choice.
    pub default: f64,
    /// What it would run with now.
    pub value: f64,
    /// Lowest value.
    pub min: f64,
    /// Highest value.
    pub max: f64,
    /// The names of a choice.
    pub choices: Vec<String>,
}

/// The type of a parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormKind {
    /// A real number within bounds.
    #[default]
    Number,
    /// A whole number within bounds.
    Integer,
    /// Yes or no.
    Flag,
    /// One of several names.
    Choice,
}
