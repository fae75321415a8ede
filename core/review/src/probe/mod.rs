//! What cleaning buys: linear probes, trained on the labels as given and on what cleaning makes of them, and their accuracy on
//! samples whose labels are trusted.

mod accuracy;
mod labels;
mod parts;

#[cfg(test)]
mod tests;

pub use accuracy::{Accuracy, Gain};
pub use labels::{Cleaned, Cleaning, absorbed, accepted, by_time, decided, first_decided, selected};
pub use parts::{Parts, Trusted, merged};

use crate::Result;
use accuracy::Answers;
use chaffinch_compute::job::Job;
use chaffinch_compute::linear::most_likely;
use chaffinch_compute::probe::{Probe, Trainer};
use chaffinch_data::manifest::NO_LABEL;

/// What a probe that was trained on some labels makes of the trusted samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// How the labels were cleaned.
    pub cleaning: Cleaning,
    /// The samples that it was trained on; with several parts, all that are trained on in any.
    pub trained: usize,
    /// How many of them have another label than the given one.
    pub changed: usize,
    /// How many samples are left out that have a given label.
    pub left_out: usize,
    /// How often it is right.
    pub accuracy: Accuracy,
    /// How much more often than the probe of the given labels; nothing for that one itself.
    pub gain: Option<Gain>,
}

/// A point of a learning curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// How many decisions the labels have, in the order in which they were made.
    pub decisions: usize,
    /// How often a probe of these labels is right.
    pub accuracy: Accuracy,
}

/// Trains a probe on each of these labels and compares them with the first.
///
/// # Errors
/// When fewer than two classes have labels to train on, or when stopped.
pub fn compare(
    trainer: &Trainer<'_>,
    parts: &Parts,
    given: &[u32],
    all: &[Cleaned],
    job: &Job<'_>,
) -> Result<Vec<Row>> {
    let mut first: Option<Answers> = None;
    let mut rows = Vec::new();
    for (number, cleaned) in (0..).zip(all) {
        let answers =
            job.step(number, all.len() as u64, |job| answers(trainer, parts, &cleaned.labels, job))?;
        let trained = |row: &usize| parts.trains(*row) && cleaned.labels[*row] != NO_LABEL;
        let was = |row: &usize| parts.trains(*row) && given[*row] != NO_LABEL;
        let count = given.len();
        rows.push(Row {
            cleaning: cleaned.cleaning,
            trained: (0..count).filter(trained).count(),
            changed: (0..count).filter(trained).filter(|&row| cleaned.labels[row] != given[row]).count(),
            left_out: (0..count).filter(was).filter(|&row| cleaned.labels[row] == NO_LABEL).count(),
            accuracy: answers.accuracy(),
            gain: first.as_ref().map(|first| answers.gain_over(first)),
        });
        first.get_or_insert(answers);
    }
    Ok(rows)
}

/// The accuracy with the given labels and the first decisions of some, at up to `points` numbers of them, none and all included.
/// `apply` makes the labels of a number of decisions.
///
/// # Errors
/// As [`compare`].
pub fn curve(
    trainer: &Trainer<'_>,
    parts: &Parts,
    (decided, points): (usize, usize),
    apply: impl Fn(usize) -> Vec<u32>,
    job: &Job<'_>,
) -> Result<Vec<Point>> {
    let last = points.max(2) - 1;
    let mut at: Vec<usize> = (0..=last).map(|point| decided * point / last).collect();
    at.dedup();
    let count = at.len() as u64;
    (0..)
        .zip(at)
        .map(|(number, decisions)| {
            let answers = job.step(number, count, |job| answers(trainer, parts, &apply(decisions), job))?;
            Ok(Point { decisions, accuracy: answers.accuracy() })
        })
        .collect()
}

/// Trains a probe for each part and asks it about the part's trusted samples.
fn answers(trainer: &Trainer<'_>, parts: &Parts, labels: &[u32], job: &Job<'_>) -> Result<Answers> {
    let mut answers = Answers::new(parts.classes());
    let mut start: Option<Probe> = None;
    for (number, part) in (0..).zip(parts.all()) {
        let training: Vec<u32> = labels
            .iter()
            .zip(&part.trains)
            .map(|(&label, &trains)| if trains { label } else { NO_LABEL })
            .collect();
        let probe =
            job.step(number, parts.all().len() as u64, |job| trainer.train(&training, start.as_ref(), job))?;
        trainer.predict(&probe, &part.asks, |sample, row| {
            answers.put(sample, parts.truth(sample), most_likely(row));
        });
        start = Some(probe);
    }
    Ok(answers)
}
