//! Overviews of the whole dataset: scores of a detector, confusions of labels, review progress, and parameters of the
//! detectors.

use crate::dataset::DatasetFindings;
use crate::decision::Choice;
use crate::sample::SampleId;
use crate::{DetectorAbout, PromptWords, SpokenClass, Ticket};
use serde::{Deserialize, Serialize};

/// Bins of a [`Histogram`]: thresholds move in thousandths, and each one is the edge of a bin.
pub const BINS: usize = 1000;

/// Which overview a client asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overview {
    /// The scores of one detector, by its name.
    Histogram(String),
    /// Given against suggested labels.
    Confusion,
    /// Review progress.
    Statistics,
    /// All detectors with their parameters.
    Forms,
    /// The classes.
    Classes,
    /// The latest decisions.
    History,
    /// What is wrong with the dataset as a whole.
    Findings,
    /// The prompts of classes.
    Prompts,
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
    /// To [`Overview::Classes`].
    Classes(Vec<ClassReview>),
    /// To [`Overview::History`].
    History(Vec<PastDecision>),
    /// To [`Overview::Findings`].
    Findings(DatasetFindings),
    /// To [`Overview::Prompts`].
    Prompts(Box<PromptSheet>),
}

/// One class: how large it is, and what is known of its labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassReview {
    /// The class, an index into the session's classes; `None` for samples without a label.
    pub class: Option<u32>,
    /// Samples with this label.
    pub size: u64,
    /// Suspects among them.
    pub suspects: u64,
    /// Decided ones, by any reviewer.
    pub decided: u64,
    /// Those that were removed or relabeled.
    pub faulty: u64,
    /// Those that were kept.
    pub fine: u64,
}

/// A decision in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PastDecision {
    /// The sample.
    pub sample: SampleId,
    /// Its path, made safe for a terminal.
    pub path: String,
    /// Its given label.
    pub label: Option<u32>,
    /// What was decided.
    pub choice: Choice,
    /// By whom.
    pub reviewer: String,
    /// When: ISO 8601, UTC.
    pub at: String,
}

/// The scores of one detector in [`BINS`] bins of one thousandth, and one more for scores of 1. A score is in bin `k`
/// if it is at least `k / 1000` and below `(k + 1) / 1000` as 32-bit floats. So the sum of the first `k` bins is the
/// number of samples that a threshold of `k / 1000` flags.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// The question's ticket.
    pub ticket: Ticket,
    /// The detector.
    pub detector: String,
    /// Samples by bin.
    pub samples: Vec<u64>,
    /// Those that no other detector flags: only this threshold makes them suspects.
    pub alone: Vec<u64>,
    /// Those that were removed or relabeled.
    pub faulty: Vec<u64>,
    /// Those that were kept.
    pub fine: Vec<u64>,
    /// Samples that another detector flags, regardless of this threshold.
    pub elsewhere: u64,
    /// Samples without a score from this detector.
    pub unscored: u64,
    /// The detector's default threshold.
    pub default: f32,
    /// Decided samples that say something about its threshold: faulty ones, and fine ones.
    #[serde(default)]
    pub examples: (u64, u64),
    /// The threshold that they propose; `None` if there are too few, or if they say nothing about the rest.
    #[serde(default)]
    pub proposal: Option<Proposal>,
    /// Whether nothing is proposed because they are neither a random sample nor most of the samples below any threshold.
    #[serde(default)]
    pub uncovered: bool,
}

/// A threshold that decisions about some samples propose, and what to expect of it for all samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// The threshold, in thousandths.
    pub threshold: f32,
    /// Samples that it flags.
    pub flagged: u64,
    /// The share of faulty ones among those that it flags.
    pub precision: Expected,
    /// The share of the faulty ones that it flags; `None` if it is not known, because no random sample was decided.
    pub recall: Option<Expected>,
    /// Without a random sample: the score past which the decisions say nothing, and no threshold is proposed.
    #[serde(default)]
    pub reach: Option<f32>,
    /// Examples: faulty ones.
    pub faulty: u64,
    /// Examples: fine ones.
    pub fine: u64,
}

/// A share to expect with its 95 % interval, all 0..=1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// The most likely share.
    pub share: f32,
    /// The lower end.
    pub low: f32,
    /// The upper end.
    pub high: f32,
}

impl Histogram {
    /// The number of samples that this threshold flags.
    pub fn below(counts: &[u64], threshold: f32) -> u64 {
        counts.iter().take(edge(threshold)).sum()
    }
}

/// The bin that begins at a threshold.
pub fn edge(threshold: f32) -> usize {
    ((threshold.clamp(0.0, 1.0) * BINS as f32).round() as usize).min(BINS)
}

/// Suspects with one given and one suggested label. A sample for which detectors suggest two labels counts for both, so
/// that each count is the length of the list when filtered by both labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confused {
    /// The given label, an index into the session's classes.
    pub given: u32,
    /// The suggested label.
    pub suggested: u32,
    /// Suspects.
    pub count: u64,
    /// Decided ones.
    pub decided: u64,
}

/// Review progress, over all samples and all reviewers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// Suspects.
    pub suspects: u64,
    /// Suspects with a decision.
    pub suspects_decided: u64,
    /// Samples with a keep, remove, relabel or unsure decision.
    pub by_choice: [u64; 4],
    /// Decided samples, except unsure ones, with a suggested label.
    pub suggested: u64,
    /// Those relabeled to the suggestion.
    pub accepted: u64,
    /// Those kept with their label.
    pub kept: u64,
    /// By detector, in name order: decided samples that it flags.
    pub detectors: Vec<DetectorReview>,
}

/// What decisions say about one detector.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DetectorReview {
    /// Its name.
    pub name: String,
    /// Samples it flags.
    pub flagged: u64,
    /// Flagged samples that were removed or relabeled.
    pub faulty: u64,
    /// Flagged samples that were kept.
    pub fine: u64,
}

/// A detector and its parameters, for a form.
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
    /// Whether it has results.
    pub ran: bool,
    /// Its default threshold; `None` if that is not known, since its code is not loaded and it has no results.
    pub threshold: Option<f32>,
    /// Its parameters.
    pub params: Vec<FormParam>,
    /// Where it comes from, what it needs, and what its last run did.
    #[serde(default)]
    pub about: DetectorAbout,
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
    /// The default: the number, 0 or 1 for a flag, the index of a choice.
    pub default: f64,
    /// The current value.
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
    /// An integer within bounds.
    Integer,
    /// Booleans.
    Flag,
    /// One of several names.
    Choice,
}

/// The set in use, for a form.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PromptSheet {
    /// The detector that is tried with it.
    pub detector: String,
    /// The set.
    pub words: PromptWords,
    /// The classes of the dataset, in their order.
    pub classes: Vec<SpokenClass>,
    /// Where the set is from, in words.
    pub origin: String,
    /// Whether the session has a set of its own, or a temperature.
    pub own: bool,
    /// The temperature in force; `None` if no detector that is loaded has one.
    pub temperature: Option<FormParam>,
    /// Whether the flags of the detector are of another set or temperature.
    pub outdated: bool,
    /// Why there is nothing to edit; empty if there is.
    pub closed: String,
    /// What else should be known about it; empty if there is nothing.
    pub remark: String,
}
