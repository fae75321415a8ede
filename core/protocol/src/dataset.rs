//! What is wrong with a dataset as a whole.

use crate::sample::SampleId;
use serde::{Deserialize, Serialize};

/// How much a finding matters; follows from its score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Breaks what is trained or measured with the dataset.
    Serious,
    /// Beyond the threshold of its kind.
    Warning,
    /// Worth knowing, or weak evidence.
    Info,
}

impl Severity {
    /// The severity of a score: 0.5 is where a kind's threshold is.
    pub fn of(score: f64) -> Severity {
        match score {
            score if score < 0.2 => Severity::Serious,
            score if score < 0.5 => Severity::Warning,
            _ => Severity::Info,
        }
    }

    /// As shown.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Serious => "serious",
            Severity::Warning => "warning",
            Severity::Info => "info",
        }
    }
}

/// A number with a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// The number.
    pub value: f64,
}

/// One thing that is wrong with the dataset as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetFinding {
    /// The name of its kind.
    pub kind: String,
    /// How much it matters.
    pub severity: Severity,
    /// 0 = surely an issue, 1 = surely fine; the threshold of the kind is at 0.5.
    pub score: f64,
    /// One sentence.
    pub text: String,
    /// The numbers it rests on.
    pub figures: Vec<Figure>,
    /// The classes it is about, by index.
    pub classes: Vec<u32>,
    /// Samples that show it, the clearest first.
    pub samples: Vec<SampleId>,
}

/// Whether a kind was looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedKind {
    /// Its name.
    pub name: String,
    /// Its name as a title.
    pub title: String,
    /// Why it was not looked for; empty if it was.
    pub not_checked: String,
}

/// Everything that is known of a dataset as a whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DatasetFindings {
    /// The findings, worst first.
    pub findings: Vec<DatasetFinding>,
    /// All kinds, in their order.
    pub kinds: Vec<CheckedKind>,
    /// Samples with embeddings that were compared: all, or an even share of a larger dataset.
    pub compared: u64,
}

impl DatasetFindings {
    /// The title of a kind.
    pub fn title<'a>(&'a self, kind: &'a str) -> &'a str {
        self.kinds.iter().find(|one| one.name == kind).map_or(kind, |one| &one.title)
    }
}
