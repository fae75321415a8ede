//! The metrics of a judgment, with or without ground truth.

use super::{Input, JudgeOptions, Judged};
use crate::evaluate::{auroc, average_precision, lift_at};
use serde::Serialize;
use std::collections::BTreeMap;

/// The output of `chaffinch label-quality`. Metrics that need the ground truth are `None` without it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// How labels were scored.
    pub method: &'static str,
    /// Whether probabilities were adjusted first.
    pub adjusted: bool,
    /// How several models were combined; omitted for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ensemble: Option<Joined>,
    /// Number of samples.
    pub n: usize,
    /// Number of wrong labels.
    pub n_errors: Option<usize>,
    /// Area under the ROC curve of errors against low scores.
    pub auroc: Option<f64>,
    /// Average precision.
    pub auprc: Option<f64>,
    /// Lift: how much more frequent errors are among the first samples than among all, taking as many first samples as
    /// there are errors.
    pub lift_at_n_errors: Option<f64>,
    /// The same for the first hundred.
    pub lift_at_100: Option<f64>,
    /// What each filter flags.
    pub filters: BTreeMap<&'static str, FilterFigures>,
}

/// Several models, in the given order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Joined {
    /// How they were combined.
    pub name: &'static str,
    /// Their weights; they sum to one.
    pub weights: Vec<f64>,
    /// Share of given labels that each predicts.
    pub accuracies: Vec<f64>,
    /// Log-loss of each on the given labels.
    pub log_losses: Vec<f64>,
    /// The exponent of weights by log-loss.
    pub exponent: Option<f64>,
}

/// What one filter flags, with its metrics.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FilterFigures {
    /// Samples flagged.
    pub flagged: usize,
    /// Share of errors among the flagged, 0 if there are none.
    pub precision: Option<f64>,
    /// Share of the flagged among errors.
    pub recall: Option<f64>,
    /// Harmonic mean of both.
    pub f1: Option<f64>,
}

impl Report {
    /// Computes the metrics.
    pub fn new(question: &JudgeOptions, input: &Input, judged: &Judged) -> Report {
        let errors = input.errors();
        let n_errors = errors.map(|errors| errors.iter().filter(|error| **error).count());
        let figure = |of: &dyn Fn(&[bool]) -> Option<f64>| errors.and_then(of);
        let filters = judged.flagged.iter().map(|(&name, flagged)| (name, figures(flagged, errors)));
        Report {
            method: question.method.name(),
            adjusted: question.adjusted,
            ensemble: judged.weights.clone().map(|weights| Joined {
                name: question.ensemble.name(),
                weights: weights.weights,
                accuracies: weights.accuracies,
                log_losses: weights.log_losses,
                exponent: weights.exponent,
            }),
            n: input.labels().len(),
            n_errors,
            auroc: figure(&|errors| auroc(errors, &judged.scores)),
            auprc: figure(&|errors| average_precision(errors, &judged.scores)),
            lift_at_n_errors: figure(&|errors| lift_at(errors, &judged.scores, n_errors?)),
            lift_at_100: figure(&|errors| lift_at(errors, &judged.scores, 100)),
            filters: filters.collect(),
        }
    }
}

/// The metrics of a filter.
pub(super) fn figures(flagged: &[bool], errors: Option<&[bool]>) -> FilterFigures {
    let count = flagged.iter().filter(|flag| **flag).count();
    let Some(errors) = errors else {
        return FilterFigures { flagged: count, precision: None, recall: None, f1: None };
    };
    let wrong = errors.iter().filter(|error| **error).count();
    let found = flagged.iter().zip(errors).filter(|(flag, error)| **flag && **error).count();
    let share = |whole: usize| if whole == 0 { 0.0 } else { found as f64 / whole as f64 };
    FilterFigures {
        flagged: count,
        precision: Some(share(count)),
        recall: Some(share(wrong)),
        f1: Some(if count + wrong == 0 { 0.0 } else { 2.0 * found as f64 / (count + wrong) as f64 }),
    }
}
