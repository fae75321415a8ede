//! Properties of pictures that tell the label: Datalab's `spurious_correlations`.

use super::bayes;
use super::counts::percent;
use super::look::Look;
use super::properties::properties;
use super::{Found, Kind, Unchecked, because, calibrated};
use chaffinch_compute::job::Job;
use rayon::prelude::*;

pub(super) const KIND: Kind = Kind { name: "spurious_correlations", title: "Spurious correlations", find };

/// Datalab's threshold.
const THRESHOLD: f64 = 0.3;
/// Folds of the accuracy, as in Datalab.
const FOLDS: usize = 5;
/// With fewer samples a property tells labels by chance.
const LEAST: usize = 50;
/// Samples of each class that are shown.
const SHOWN: usize = 10;

/// The accuracy of naive Bayes by one property, over five folds.
pub(super) fn accuracy(values: &[f64], labels: &[u32]) -> f64 {
    bayes::accuracy(values, labels, FOLDS)
}

/// The share of the most common label, which is right without looking. Datalab takes the index of the most common
/// label where it means its count, so that its baseline is close to 0 for most datasets.
pub(super) fn majority(labels: &[u32]) -> f64 {
    let mut counts = vec![0_usize; labels.iter().max().map_or(0, |label| *label as usize + 1)];
    labels.iter().for_each(|label| counts[*label as usize] += 1);
    counts.iter().max().map_or(0.0, |most| *most as f64 / labels.len() as f64)
}

/// Datalab's score: what is left of the errors of a baseline.
pub(super) fn room(baseline: f64, accuracy: f64) -> f64 {
    let left = if baseline >= 1.0 { 1e-8 } else { 1.0 - baseline };
    ((1.0 - accuracy) / left).min(1.0)
}

fn find(look: &Look<'_>, job: &Job<'_>) -> Result<Vec<Found>, Unchecked> {
    let labels = look.inputs.manifest.labels();
    let classes = look.class_count();
    let labeled: Vec<usize> = (0..labels.len()).filter(|&row| (labels[row] as usize) < classes).collect();
    if labeled.len() < LEAST {
        return because(format!("fewer than {LEAST} samples have a label"));
    }
    let all = properties(&look.inputs, job)?;
    let judged: Vec<Option<Found>> =
        all.par_iter().map(|one| of_property(look, &one.name, &one.values, &labeled)).collect();
    Ok(judged.into_iter().flatten().collect())
}

fn of_property(look: &Look<'_>, name: &str, values: &[f64], labeled: &[usize]) -> Option<Found> {
    let all = look.inputs.manifest.labels();
    let rows: Vec<usize> = labeled.iter().copied().filter(|&row| values[row].is_finite()).collect();
    let (own, labels): (Vec<f64>, Vec<u32>) = rows.iter().map(|&row| (values[row], all[row])).unzip();
    let differ = own.iter().any(|x| *x != own[0]);
    if own.len() < LEAST || !differ {
        return None;
    }
    let (baseline, accuracy) = (majority(&labels), accuracy(&own, &labels));
    let score = room(baseline, accuracy);
    if score >= THRESHOLD || baseline >= 1.0 {
        return None;
    }
    let text = format!(
        "The property {name} alone tells the label of {} of the samples, where the most common label is right for {}: a model \
         may learn it instead of what the pictures show",
        percent(accuracy),
        percent(baseline)
    );
    let (classes, samples) = extremes(&rows, values, all);
    Some(
        Found::new(calibrated(score, THRESHOLD), text)
            .figure("datalab_score", score)
            .figure("accuracy", accuracy)
            .figure("baseline", baseline)
            .classes(classes)
            .samples(samples),
    )
}

/// The classes with the lowest and the highest mean, and the samples of each nearest to that end.
fn extremes(rows: &[usize], values: &[f64], labels: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut sums: std::collections::BTreeMap<u32, (f64, f64)> = std::collections::BTreeMap::new();
    for &row in rows {
        let sum = sums.entry(labels[row]).or_default();
        *sum = (sum.0 + values[row], sum.1 + 1.0);
    }
    let mut means: Vec<(f64, u32)> =
        sums.into_iter().map(|(label, (sum, count))| (sum / count, label)).collect();
    means.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (Some(low), Some(high)) = (means.first(), means.last()) else { return Default::default() };
    let of = |label: u32, high: bool| -> Vec<u32> {
        let mut own: Vec<usize> = rows.iter().copied().filter(|&row| labels[row] == label).collect();
        own.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
        if high {
            own.reverse();
        }
        own.into_iter().take(SHOWN).map(|row| row as u32).collect()
    };
    let samples = [of(low.1, false), of(high.1, true)].concat();
    (vec![low.1, high.1], samples)
}
