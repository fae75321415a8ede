//! Evaluates detectors against ground truth.
//!
//! A sample is an error if its given label is not the true one, or if the ground truth says so directly. Only samples
//! with known truth count. Ranking metrics (AUROC, average precision, lift) are over the samples that the detector
//! scored; recall is over all known errors, since an error without a score was not found.
//!
//! Copies count by group: of two samples that show the same, one is too many, and it does not matter which. If the truth
//! says that samples are copies of one another, a detector that finds them so is credited with the error whichever member it ranks
//! worst: one that puts them into one group, or that rates only one of two and names the other as its copy, as `leaks` does. One that
//! does not is held to the truth as it is, because it did not find the copies. If decisions are the truth, samples are copies of one
//! another that the detector itself finds so, as whoever removes one of them agrees with it.

mod bootstrap;
mod curve;
mod metrics;
mod svg;
mod truth;

pub use bootstrap::{Intervals, Resampling};
pub use curve::{Curve, Point};
pub use metrics::{auroc, average_precision, lift_at};
pub use svg::write_svg;
pub use truth::{MAX_KINDS, Truth};

use crate::ranking::{Ranking, Results};
use crate::remaining::Remaining;
use crate::verdict::{Verdicts, is_flagged};
use chaffinch_data::columns::DetectorResult;
use chaffinch_protocol::sample::SampleId;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Cutoffs for precision and recall, in addition to the number of errors.
const PLACES: [usize; 5] = [10, 50, 100, 150, 500];

/// The name of the combined rank, which no library can have.
pub const ENSEMBLE: &str = "ensemble";

/// All metrics.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Samples with known truth.
    pub n: usize,
    /// Errors among them.
    pub n_errors: usize,
    /// Rows of the ground truth that match no sample.
    pub unmatched: usize,
    /// Errors by kind, if the ground truth has kinds.
    pub kinds: BTreeMap<String, usize>,
    /// Number of bootstrap resamples for the intervals; 0 if there are none.
    pub resamples: usize,
    /// By detector.
    pub detectors: BTreeMap<String, Figures>,
    /// For the combined rank.
    pub ensemble: Figures,
    /// What the decisions say about the samples without one, if they are the truth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining: Option<Remaining>,
    /// By rule, if several were compared.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ensembles: BTreeMap<String, Figures>,
}

/// The metrics of one ranking.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Samples with known truth that have a score.
    pub scored: usize,
    /// Area under the ROC curve; `None` if all or none are errors.
    pub auroc: Option<f64>,
    /// Area under the precision-recall curve, as average precision.
    pub auprc: Option<f64>,
    /// Lift: how much more frequent errors are among the first samples than among all, taking as many first samples as
    /// there are errors.
    pub lift_at_errors: Option<f64>,
    /// The same for the first hundred.
    pub lift_at_100: Option<f64>,
    /// Samples flagged at the threshold.
    pub flagged: usize,
    /// Share of errors among the flagged; `None` if nothing is flagged.
    pub precision: Option<f64>,
    /// Share of the flagged among errors.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
    /// Precision at each cutoff.
    pub precision_at: BTreeMap<usize, f64>,
    /// Recall at each cutoff.
    pub recall_at: BTreeMap<usize, f64>,
    /// 95 % intervals.
    pub intervals: Option<Intervals>,
    /// By kind of error.
    pub by_kind: BTreeMap<String, KindFigures>,
}

/// The metrics of one kind of error against all correct samples; errors of other kinds are ignored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KindFigures {
    /// Errors of this kind.
    pub errors: usize,
    /// Those flagged at the threshold.
    pub found: usize,
    /// Area under the ROC curve.
    pub auroc: Option<f64>,
    /// Average precision.
    pub auprc: Option<f64>,
    /// Share of errors of this kind among the flagged that are of this kind or fine; `None` if there are none of these.
    pub precision: Option<f64>,
    /// Share of the flagged among errors of this kind.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
}

/// Compares all results with the ground truth. With `resampling` the metrics have 95 % bootstrap intervals.
pub fn evaluate(
    results: &Results,
    thresholds: &BTreeMap<String, f32>,
    ranking: &Ranking,
    truth: &Truth,
    resampling: Option<Resampling>,
) -> Evaluation {
    let known = truth.known();
    let n_errors = known.iter().filter(|(_, error)| *error).count();
    let orders = orders(results, thresholds, ranking, truth);
    let mut detectors: BTreeMap<String, Figures> = orders
        .iter()
        .map(|(name, rated)| (name.clone(), figures(&rated.rows, n_errors, &rated.truth)))
        .collect();
    let mut resamples = 0;
    if let Some(resampling) = resampling.filter(|resampling| resampling.resamples > 0) {
        let (done, intervals) = bootstrap::intervals(known.len(), &orders, resampling);
        resamples = done;
        for (figures, intervals) in detectors.values_mut().zip(intervals) {
            figures.intervals = Some(intervals);
        }
    }
    Evaluation {
        n: known.len(),
        n_errors,
        unmatched: truth.unmatched(),
        kinds: truth.kinds(),
        resamples,
        ensemble: detectors.remove(ENSEMBLE).unwrap_or_default(),
        detectors,
        remaining: None,
        ensembles: BTreeMap::new(),
    }
}

/// Compares one rank of these results with the ground truth.
pub fn evaluate_rank(ranking: &Ranking, results: &Results, truth: &Truth) -> Figures {
    let rated = of_rank(ranking, results, truth);
    figures(&rated.rows, rated.errors(), &rated.truth)
}

/// The precision-recall curve of each detector and, as [`ENSEMBLE`], of the combined rank.
pub fn curves(
    results: &Results,
    thresholds: &BTreeMap<String, f32>,
    ranking: &Ranking,
    truth: &Truth,
) -> BTreeMap<String, Curve> {
    let orders = orders(results, thresholds, ranking, truth);
    orders.iter().map(|(name, rated)| (name.clone(), Curve::new(&rated.rows, rated.errors()))).collect()
}

/// The samples with known truth in one ranking, and the truth by which it is judged.
struct Rated<'t> {
    rows: Vec<Judged>,
    truth: Cow<'t, Truth>,
}

impl<'t> Rated<'t> {
    /// Judges by the truth, with the errors of copies that one of `finders` puts into one group on the worst of the group.
    fn new<'r>(
        truth: &'t Truth,
        finders: impl Iterator<Item = &'r Arc<DetectorResult>>,
        quality: impl Fn(u32) -> f64,
        flagged: impl Fn(u32) -> bool,
    ) -> Rated<'t> {
        let copies = truth.copies();
        let mut own = Cow::Borrowed(truth);
        let worse = |a: u32, b: u32| quality(a).total_cmp(&quality(b));
        if truth.is_decided() {
            for finder in finders {
                for group in found_about(finder, truth) {
                    own.to_mut().exchanged(&group, worse);
                }
            }
        } else {
            for finder in finders.filter(|_| !copies.is_empty()) {
                for found in copies.iter().flat_map(|group| found_among(finder, group)) {
                    own.to_mut().exchanged(&found, worse);
                }
            }
        }
        Rated { rows: judged(&own.known(), quality, flagged), truth: own }
    }

    /// Known errors.
    fn errors(&self) -> usize {
        self.truth.known().iter().filter(|(_, error)| *error).count()
    }
}

/// Those of some copies that a detector finds to be copies, by group.
fn found_among(finder: &DetectorResult, copies: &[u32]) -> Vec<Vec<u32>> {
    let mut found: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for &row in copies {
        if let Some(group) = finder.group(SampleId(row)) {
            found.entry(group).or_default().push(row);
        }
    }
    let mut found: Vec<Vec<u32>> = found.into_values().filter(|members| members.len() > 1).collect();
    for &row in copies {
        let others = one_sided(finder, row).into_iter().filter(|other| copies.contains(other));
        let pair: Vec<u32> = std::iter::once(row).chain(others).collect();
        if pair.len() > 1 {
            found.push(pair);
        }
    }
    found
}

/// All copies that a detector finds, as far as the truth is known.
fn found_about(finder: &DetectorResult, truth: &Truth) -> Vec<Vec<u32>> {
    let grouped: &[(u32, u32)] = if finder.record().groups { finder.grouped() } else { &[] };
    let groups = grouped.chunk_by(|one, other| one.0 == other.0);
    let mut found: Vec<Vec<u32>> = groups.map(|group| group.iter().map(|(_, row)| *row).collect()).collect();
    for (row, _) in truth.known() {
        let others = one_sided(finder, row);
        if !others.is_empty() {
            found.push(std::iter::once(row).chain(others).collect());
        }
    }
    found
}

/// The samples that a detector names beside one that it rates without rating them: what the sample is a copy of, found from one side.
/// What a detector rates itself and names as evidence are neighbors.
fn one_sided(finder: &DetectorResult, row: u32) -> Vec<u32> {
    let scores = finder.scores();
    if scores[row as usize].is_nan() || finder.group(SampleId(row)).is_some() {
        return Vec::new();
    }
    let Some(issue) = finder.issue(SampleId(row)) else { return Vec::new() };
    let others = issue.related.into_iter().map(|(other, _)| other.0);
    others.filter(|other| scores[*other as usize].is_nan()).collect()
}

/// A sample with a score and a known truth.
struct Judged {
    /// Its index among the samples with known truth.
    index: u32,
    /// Its row.
    row: u32,
    quality: f64,
    error: bool,
    flagged: bool,
}

/// The quality of the samples with known truth according to each detector and the ensemble, by name.
fn orders<'t>(
    results: &Results,
    thresholds: &BTreeMap<String, f32>,
    ranking: &Ranking,
    truth: &'t Truth,
) -> BTreeMap<String, Rated<'t>> {
    let mut orders = BTreeMap::new();
    for (name, result) in results.iter().filter(|(_, result)| result.len() == ranking.len()) {
        let threshold = Verdicts::new(results, thresholds).threshold(name, result);
        let scores = result.scores();
        let rated = Rated::new(
            truth,
            std::iter::once(result),
            |row| f64::from(scores[row as usize]),
            |row| is_flagged(scores[row as usize], threshold),
        );
        orders.insert(name.clone(), rated);
    }
    orders.insert(ENSEMBLE.to_owned(), of_rank(ranking, results, truth));
    orders
}

/// The quality of the samples with known truth according to a rank.
fn of_rank<'t>(ranking: &Ranking, results: &Results, truth: &'t Truth) -> Rated<'t> {
    // The rank has no ties: a sample's position is its quality.
    let scores = ranking.scores();
    let mut index = vec![f64::NAN; ranking.len()];
    for (position, &row) in ranking.full_order().iter().enumerate() {
        if !scores[row as usize].is_nan() {
            index[row as usize] = position as f64;
        }
    }
    let finders = results.values().filter(|result| result.len() == ranking.len());
    Rated::new(truth, finders, |row| index[row as usize], |row| ranking.flags[row as usize] > 0)
}

/// The samples with known truth that have a quality.
fn judged(known: &[(u32, bool)], quality: impl Fn(u32) -> f64, flagged: impl Fn(u32) -> bool) -> Vec<Judged> {
    let rows = (0_u32..).zip(known).map(|(index, &(row, error))| (index, row, error, quality(row)));
    rows.filter(|(.., quality)| !quality.is_nan())
        .map(|(index, row, error, quality)| Judged { index, row, quality, error, flagged: flagged(row) })
        .collect()
}

fn figures(rows: &[Judged], n_errors: usize, truth: &Truth) -> Figures {
    let errors: Vec<bool> = rows.iter().map(|row| row.error).collect();
    let quality: Vec<f64> = rows.iter().map(|row| row.quality).collect();
    let order = metrics::worst_first(&quality);
    let flagged = rows.iter().filter(|row| row.flagged).count();
    let found = rows.iter().filter(|row| row.flagged && row.error).count();
    let (precision, recall) = (precise(found, flagged), share(found, n_errors));
    let mut places: Vec<usize> =
        PLACES.into_iter().chain([n_errors]).filter(|&k| k > 0 && k <= rows.len()).collect();
    places.sort_unstable();
    places.dedup();
    let found_at = |k: usize| order[..k].iter().filter(|&&row| errors[row]).count();
    Figures {
        scored: rows.len(),
        auroc: auroc(&errors, &quality),
        auprc: average_precision(&errors, &quality),
        lift_at_errors: lift_at(&errors, &quality, errors.iter().filter(|error| **error).count()),
        lift_at_100: lift_at(&errors, &quality, 100),
        flagged,
        precision,
        recall,
        f1: harmonic(precision.unwrap_or_default(), recall),
        precision_at: places.iter().map(|&k| (k, share(found_at(k), k))).collect(),
        recall_at: places.iter().map(|&k| (k, share(found_at(k), n_errors))).collect(),
        intervals: None,
        by_kind: truth.kinds().into_iter().map(|(kind, all)| by_kind(rows, truth, kind, all)).collect(),
    }
}

fn by_kind(rows: &[Judged], truth: &Truth, kind: String, all: usize) -> (String, KindFigures) {
    let rows: Vec<&Judged> =
        rows.iter().filter(|row| !row.error || truth.kind(row.row) == Some(kind.as_str())).collect();
    let errors: Vec<bool> = rows.iter().map(|row| row.error).collect();
    let quality: Vec<f64> = rows.iter().map(|row| row.quality).collect();
    let flagged = rows.iter().filter(|row| row.flagged).count();
    let found = rows.iter().filter(|row| row.flagged && row.error).count();
    let (precision, recall) = (precise(found, flagged), share(found, all));
    let figures = KindFigures {
        errors: all,
        found,
        auroc: auroc(&errors, &quality),
        auprc: average_precision(&errors, &quality),
        precision,
        recall,
        f1: harmonic(precision.unwrap_or_default(), recall),
    };
    (kind, figures)
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Of nothing flagged, no share is wrong, and none right.
fn precise(found: usize, flagged: usize) -> Option<f64> {
    (flagged > 0).then(|| share(found, flagged))
}

/// The harmonic mean of precision and recall, 0 where both are 0.
fn harmonic(precision: f64, recall: f64) -> f64 {
    if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 }
}

#[cfg(test)]
mod tests;
