//! How well detectors do where the truth is known.
//!
//! A sample is an error when its given label is not the true one, or when the truth says so itself. Only samples
//! of known truth count. Figures about an order (AUROC, average precision, lift) are over the samples that the
//! detector scored; recall is over all known errors, since an error without a score is one not found.

mod metrics;
mod truth;

pub use metrics::{auroc, average_precision, lift_at};
pub use truth::Truth;

use crate::ranking::{Ranking, Results};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Places at which precision and recall are told, beside the number of errors.
const PLACES: [usize; 5] = [10, 50, 100, 150, 500];

/// All figures.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Samples of known truth.
    pub n: usize,
    /// Errors among them.
    pub n_errors: usize,
    /// Rows of the truth that belong to no sample.
    pub unmatched: usize,
    /// By detector.
    pub detectors: BTreeMap<String, Figures>,
    /// For the rank made of all.
    pub ensemble: Figures,
    /// By rule, where several were compared.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ensembles: BTreeMap<String, Figures>,
}

/// The figures of one order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Samples of known truth that have a score.
    pub scored: usize,
    /// Area under the ROC curve; `None` where there are only errors, or none.
    pub auroc: Option<f64>,
    /// Area under the precision-recall curve, as average precision.
    pub auprc: Option<f64>,
    /// How many times more errors are among the first than among all, the first being as many as there are errors.
    pub lift_at_errors: Option<f64>,
    /// The same among the first hundred.
    pub lift_at_100: Option<f64>,
    /// Samples flagged at the threshold.
    pub flagged: usize,
    /// Share of errors among the flagged.
    pub precision: f64,
    /// Share of the flagged among errors.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
    /// Precision and recall of the first so many.
    pub at: Vec<AtPlace>,
}

/// Precision and recall of the first `k`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct AtPlace {
    /// How many.
    pub k: usize,
    /// Share of errors among them.
    pub precision: f64,
    /// Share of them among errors.
    pub recall: f64,
}

/// Compares all results with the truth.
pub fn evaluate(
    results: &Results,
    thresholds: &BTreeMap<String, f32>,
    ranking: &Ranking,
    truth: &Truth,
) -> Evaluation {
    let known: Vec<(u32, bool)> = truth.known();
    let n_errors = known.iter().filter(|(_, error)| *error).count();
    let detectors = results
        .iter()
        .filter(|(_, result)| result.len() == truth.len())
        .map(|(name, result)| {
            let threshold = thresholds.get(name).copied().unwrap_or(result.record().threshold);
            let scores = result.scores();
            let rows: Vec<Judged> = known
                .iter()
                .filter(|(row, _)| !scores[*row as usize].is_nan())
                .map(|&(row, error)| {
                    let score = scores[row as usize];
                    Judged { quality: f64::from(score), error, flagged: score < threshold }
                })
                .collect();
            (name.clone(), figures(&rows, n_errors))
        })
        .collect();
    Evaluation {
        n: known.len(),
        n_errors,
        unmatched: truth.unmatched(),
        detectors,
        ensemble: evaluate_rank(ranking, truth),
        ensembles: BTreeMap::new(),
    }
}

/// Compares one rank with the truth.
pub fn evaluate_rank(ranking: &Ranking, truth: &Truth) -> Figures {
    let known = truth.known();
    // The rank has no ties: a sample's place in it is its quality.
    let mut place = vec![f64::NAN; truth.len()];
    for (position, &row) in ranking.full_order().iter().enumerate() {
        if !ranking.score[row as usize].is_nan() {
            place[row as usize] = position as f64;
        }
    }
    let rows: Vec<Judged> = known
        .iter()
        .filter(|(row, _)| !place[*row as usize].is_nan())
        .map(|&(row, error)| Judged {
            quality: place[row as usize],
            error,
            flagged: ranking.flags[row as usize] > 0,
        })
        .collect();
    figures(&rows, known.iter().filter(|(_, error)| *error).count())
}

/// A sample with a score and a known truth.
struct Judged {
    quality: f64,
    error: bool,
    flagged: bool,
}

fn figures(rows: &[Judged], n_errors: usize) -> Figures {
    let errors: Vec<bool> = rows.iter().map(|row| row.error).collect();
    let quality: Vec<f64> = rows.iter().map(|row| row.quality).collect();
    let order = metrics::worst_first(&quality);
    let flagged = rows.iter().filter(|row| row.flagged).count();
    let found = rows.iter().filter(|row| row.flagged && row.error).count();
    let (precision, recall) = (share(found, flagged), share(found, n_errors));
    let mut places: Vec<usize> =
        PLACES.into_iter().chain([n_errors]).filter(|&k| k > 0 && k <= rows.len()).collect();
    places.sort_unstable();
    places.dedup();
    let at = |k: usize| {
        let found = order[..k].iter().filter(|&&row| errors[row]).count();
        AtPlace { k, precision: share(found, k), recall: share(found, n_errors) }
    };
    Figures {
        scored: rows.len(),
        auroc: auroc(&errors, &quality),
        auprc: average_precision(&errors, &quality),
        lift_at_errors: lift_at(&errors, &quality, errors.iter().filter(|error| **error).count()),
        lift_at_100: lift_at(&errors, &quality, 100),
        flagged,
        precision,
        recall,
        f1: if found == 0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) },
        at: places.into_iter().map(at).collect(),
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests;
