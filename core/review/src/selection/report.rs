//! The metrics of a selection, with or without ground truth.

use super::{Limits, Selected};
use serde::Serialize;
use std::collections::BTreeMap;

/// For each sample whether its label is wrong, `None` if unknown.
pub type Truth = Vec<Option<bool>>;

/// The output of `chaffinch select`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Number of samples.
    pub n: usize,
    /// Wrong labels among those with known truth.
    pub n_errors: Option<usize>,
    /// The limit of the mixture.
    pub theta_gmm: f64,
    /// The limit of consistency.
    pub theta_cons: f64,
    /// For all sources combined. `intersection` is the selection.
    #[serde(flatten)]
    pub together: Three,
    /// By source.
    pub sources: BTreeMap<String, Three>,
    /// By class the number of samples, and how many were selected.
    pub classes: BTreeMap<String, Classes>,
}

/// The metrics of both criteria and of their intersection.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Three {
    /// By mixture.
    pub gmm: Figures,
    /// By consistency.
    pub consistency: Figures,
    /// By both.
    pub intersection: Figures,
}

/// How many were selected, with metrics.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figures {
    /// Samples selected.
    pub n: usize,
    /// Share of correct labels among the selected with known truth.
    pub precision: Option<f64>,
    /// Share of the selected among correct labels.
    pub recall: Option<f64>,
}

/// One class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Classes {
    /// Samples with this label.
    pub n: usize,
    /// Selected ones.
    pub selected: usize,
    /// Whether they were filled in as the best of a class that would have been empty.
    pub filled: bool,
}

impl Report {
    /// Computes the metrics.
    pub fn new(
        selected: &Selected,
        labels: &[u32],
        classes: &[String],
        limits: Limits,
        truth: Option<&Truth>,
    ) -> Report {
        let figures = |clean: &[bool]| Figures::of(clean, truth);
        let sources = selected.sources.iter().map(|(name, one)| {
            let three = Three {
                gmm: figures(&one.mixture),
                consistency: figures(&one.consistency),
                intersection: figures(&one.both()),
            };
            (name.clone(), three)
        });
        let by_class = classes.iter().zip(0_u32..).map(|(name, class)| {
            let members = || labels.iter().zip(&selected.clean).filter(move |(label, _)| **label == class);
            let filled = selected.filled.iter().any(|filled| filled.class == class);
            let chosen = members().filter(|(_, clean)| **clean).count();
            (name.clone(), Classes { n: members().count(), selected: chosen, filled })
        });
        Report {
            n: labels.len(),
            n_errors: truth.map(|truth| truth.iter().filter(|wrong| **wrong == Some(true)).count()),
            theta_gmm: limits.mixture,
            theta_cons: limits.consistency,
            together: Three {
                gmm: figures(&selected.mixture),
                consistency: figures(&selected.consistency),
                intersection: figures(&selected.clean),
            },
            sources: sources.collect(),
            classes: by_class.collect(),
        }
    }
}

impl Figures {
    fn of(clean: &[bool], truth: Option<&Truth>) -> Figures {
        let n = clean.iter().filter(|clean| **clean).count();
        let Some(truth) = truth else { return Figures { n, precision: None, recall: None } };
        let (mut right, mut chosen, mut both) = (0, 0, 0);
        for (&clean, wrong) in clean.iter().zip(truth) {
            if let Some(wrong) = *wrong {
                right += usize::from(!wrong);
                chosen += usize::from(clean);
                both += usize::from(clean && !wrong);
            }
        }
        let share = |whole: usize| if whole == 0 { 0.0 } else { both as f64 / whole as f64 };
        Figures { n, precision: Some(share(chosen)), recall: Some(share(right)) }
    }
}
