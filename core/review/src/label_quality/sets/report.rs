//! The metrics of a judgment of samples with several labels, with or without ground truth.

use super::{SetInput, SetJudged, SetOptions};
use crate::evaluate::{auroc, average_precision, lift_at};
use crate::label_quality::report::figures;
use chaffinch_confident::Aggregation;
use serde::Serialize;
use std::collections::BTreeMap;

/// The output of `chaffinch label-quality` where samples have several labels. Metrics that need the ground truth are `None`
/// without it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SetReport {
    /// How the classes of a sample were scored.
    pub method: &'static str,
    /// Whether probabilities were adjusted first.
    pub adjusted: bool,
    /// Always: what tells this report from that of samples with one label.
    pub multi_label: bool,
    /// How the scores of classes became one.
    pub aggregation: Averaged,
    /// What was averaged of several models; omitted for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ensemble: Option<&'static str>,
    /// Number of samples.
    pub n: usize,
    /// Number of samples without any label.
    pub n_unlabeled: usize,
    /// Number of samples with wrong labels.
    pub n_errors: Option<usize>,
    /// Area under the ROC curve of errors against low scores.
    pub auroc: Option<f64>,
    /// Average precision.
    pub auprc: Option<f64>,
    /// Lift among as many first samples as there are errors.
    pub lift_at_n_errors: Option<f64>,
    /// Lift among the first hundred.
    pub lift_at_100: Option<f64>,
    /// The filter that determines the issues.
    pub issues_by: &'static str,
    /// What each filter flags.
    pub filters: BTreeMap<&'static str, SetFilterFigures>,
    /// What the deciding filter says of each class, in column order.
    pub classes: Vec<ClassFigures>,
}

/// How the scores of classes became one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Averaged {
    /// Its name.
    pub name: &'static str,
    /// The weight of each next score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    /// The temperature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
}

/// What one filter flags, with its metrics.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SetFilterFigures {
    /// Samples flagged.
    pub flagged: usize,
    /// Classes of samples flagged: a sample may have several.
    pub flagged_classes: usize,
    /// Share of errors among the flagged samples, 0 if there are none.
    pub precision: Option<f64>,
    /// Share of the flagged among samples with errors.
    pub recall: Option<f64>,
    /// Harmonic mean of both.
    pub f1: Option<f64>,
}

/// What is said of one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassFigures {
    /// Its name.
    pub class: String,
    /// Samples that have it.
    pub n: usize,
    /// Samples that likely lack it.
    pub add: usize,
    /// Samples that likely have it wrongly.
    pub remove: usize,
}

impl SetReport {
    /// Computes the metrics.
    pub fn new(options: &SetOptions, input: &SetInput, judged: &SetJudged) -> SetReport {
        let errors = input.errors();
        let n_errors = errors.map(|errors| errors.iter().filter(|error| **error).count());
        let figure = |of: &dyn Fn(&[bool]) -> Option<f64>| errors.and_then(of);
        let filters = options.filters.iter().filter_map(|&filter| {
            let found = figures(judged.issues.samples(filter)?, errors);
            let pairs = (0..input.len()).map(|sample| judged.issues.classes_of(filter, sample).count());
            let figures = SetFilterFigures {
                flagged: found.flagged,
                flagged_classes: pairs.sum(),
                precision: found.precision,
                recall: found.recall,
                f1: found.f1,
            };
            Some((filter.name(), figures))
        });
        let mut classes: Vec<ClassFigures> = (input.classes().iter())
            .map(|class| ClassFigures { class: class.clone(), n: 0, add: 0, remove: 0 })
            .collect();
        for sample in 0..input.len() {
            let given = input.given(sample);
            classes.iter_mut().zip(given).for_each(|(class, has)| class.n += usize::from(*has));
            let change = judged.change(input, sample);
            change.add.into_iter().for_each(|class| classes[class].add += 1);
            change.remove.into_iter().for_each(|class| classes[class].remove += 1);
        }
        let (alpha, temperature) = match options.aggregation {
            Aggregation::MovingAverage { alpha } => (Some(alpha), None),
            Aggregation::SoftMin { temperature } => (None, Some(temperature)),
        };
        SetReport {
            method: options.method.name(),
            adjusted: options.adjusted,
            multi_label: true,
            aggregation: Averaged { name: options.aggregation.name(), alpha, temperature },
            ensemble: (input.models() > 1).then(|| options.ensemble.name()),
            n: input.len(),
            n_unlabeled: (0..input.len()).filter(|&sample| !input.given(sample).contains(&true)).count(),
            n_errors,
            auroc: figure(&|errors| auroc(errors, &judged.scores)),
            auprc: figure(&|errors| average_precision(errors, &judged.scores)),
            lift_at_n_errors: figure(&|errors| lift_at(errors, &judged.scores, n_errors?)),
            lift_at_100: figure(&|errors| lift_at(errors, &judged.scores, 100)),
            issues_by: judged.deciding.name(),
            filters: filters.collect(),
            classes,
        }
    }
}
