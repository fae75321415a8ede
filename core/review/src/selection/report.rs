//! The figures of a selection, with or without the truth.

use super::{Limits, Selected};
use serde::Serialize;
use std::collections::BTreeMap;

/// For each sample whether its label is wrong, `None` where nobody knows.
pub type Truth = Vec<Option<bool>>;

/// What `chaffinch select` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Number of samples.
    pub n: usize,
    /// Wrong labels among those of known truth.
    pub n_errors: Option<usize>,
    /// The limit of the mixture.
    pub theta_gmm: f64,
    /// The limit of consistency.
    pub theta_cons: f64,
    /// Of all sources together. `intersection` is what is selected.
    #[serde(flatten)]
    pub together: Three,
    /// By source.
    pub sources: BTreeMap<String, Three>,
    /// By class how many samples it has, and how many of them were selected.
    pub classes: BTreeMap<String, Classes>,
}

/// The figures of both criteria and of their intersection.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Three {
    /// By mixture.
    pub gmm: Figures,
    /// By consistency.
    pub consistency: Figures,
    /// By both.
    pub intersection: Figures,
}

/// How many were selected, and how well.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figures {
    /// Samples selected.
    pub n: usize,
    /// Share of right labels among the selected of known truth.
    pub precision: Option<f64>,
    /// Share of the selected among right labels.
    pub recall: Option<f64>,
}

/// One class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Classes {
    /// Samples with this label.
    pub n: usize,
    /// Selected ones.
    pub selected: usize,
    /// Whether they were taken as the best of a class that would have been left empty.
    pub filled: bool,
}

impl Report {
    /// Makes the figures.
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
