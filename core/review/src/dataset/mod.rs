//! What is wrong with a dataset as a whole. [`KINDS`] is the table of what is looked for, one file each.
//!
//! Where Datalab (cleanlab 2.9.0) has a type, the statistic is its: class imbalance, order that is not random,
//! underperforming groups, data valuation, missing values, identifier columns, spurious correlations. Its threshold is at
//! 0.5 on the scale of our scores, and its own number stands among the figures.
//!
//! Nothing here depends on threads, and random numbers have fixed seeds. What compares samples with each other looks at no
//! more than [`MOST`] of them, evenly spaced over the dataset.
//!
//! # How to add a kind
//!
//! Write a file with `pub(super) const KIND: Kind` and add it to [`KINDS`]; commands, reports and the interface list it. Its
//! section in `docs/dataset-findings.md` has the same headings as the others.

mod bayes;
mod chance;
mod columns;
mod counts;
mod drift;
mod flat;
mod groups;
mod imbalance;
mod look;
mod order;
mod overlap;
mod partition;
mod properties;
mod regions;
mod shift;
mod sources;
mod spurious;
mod valuation;

pub use look::{Beside, Inputs, MOST};

use crate::{Error, Result};
use chaffinch_compute::job::Job;
use chaffinch_protocol::dataset::{CheckedKind, DatasetFinding, DatasetFindings, Figure, Severity};
use chaffinch_protocol::sample::SampleId;
use look::Look;

/// Samples that a finding names.
pub const NAMED: usize = 1000;

/// All kinds; findings of the same score are in this order.
pub const KINDS: &[Kind] = &[
    imbalance::KIND,
    drift::KIND,
    overlap::KIND,
    groups::KIND,
    spurious::KIND,
    columns::KIND,
    shift::KIND,
    sources::KIND,
    order::KIND,
    valuation::KIND,
    regions::KIND,
    flat::KIND,
];

/// A kind of finding.
pub struct Kind {
    /// Its name: words with `_`, as Datalab names them.
    pub name: &'static str,
    /// Its name as a title.
    pub title: &'static str,
    /// Looks for it.
    find: fn(&Look<'_>, &Job<'_>) -> std::result::Result<Vec<Found>, Unchecked>,
}

/// Why a kind was not looked for.
enum Unchecked {
    /// The dataset does not have what it takes.
    Because(String),
    /// It failed, or was stopped.
    Failed(Error),
}

impl From<Error> for Unchecked {
    fn from(error: Error) -> Unchecked {
        Unchecked::Failed(error)
    }
}

impl From<chaffinch_compute::Error> for Unchecked {
    fn from(error: chaffinch_compute::Error) -> Unchecked {
        Unchecked::Failed(error.into())
    }
}

fn because<T>(why: impl Into<String>) -> std::result::Result<T, Unchecked> {
    Err(Unchecked::Because(why.into()))
}

/// A finding before it knows its kind.
struct Found {
    score: f64,
    text: String,
    figures: Vec<Figure>,
    classes: Vec<u32>,
    samples: Vec<u32>,
}

impl Found {
    fn new(score: f64, text: impl Into<String>) -> Found {
        let score = if score.is_nan() { 0.5 } else { score.clamp(0.0, 1.0) };
        Found { score, text: text.into(), figures: Vec::new(), classes: Vec::new(), samples: Vec::new() }
    }

    /// Adds a number; one that is not finite says nothing, and JSON has no word for it.
    fn figure(mut self, name: impl Into<String>, value: f64) -> Found {
        if value.is_finite() {
            self.figures.push(Figure { name: name.into(), value });
        }
        self
    }

    fn classes(mut self, classes: impl IntoIterator<Item = u32>) -> Found {
        self.classes.extend(classes);
        self
    }

    fn samples(mut self, samples: impl IntoIterator<Item = u32>) -> Found {
        self.samples.extend(samples.into_iter().take(NAMED));
        self
    }
}

/// Rescales a score so that its threshold is at 0.5: two straight lines, through 0 and 1.
fn calibrated(score: f64, threshold: f64) -> f64 {
    if score < threshold {
        0.5 * score / threshold
    } else if threshold < 1.0 {
        0.5 + 0.5 * (score - threshold) / (1.0 - threshold)
    } else {
        1.0
    }
}

/// The score of what is worse the larger it is: 1 for none, 0.5 at the threshold, 0 from `worst` on.
fn rising(measured: f64, threshold: f64, worst: f64) -> f64 {
    if measured < threshold {
        1.0 - 0.5 * measured / threshold
    } else {
        (0.5 - 0.5 * (measured - threshold) / (worst - threshold)).max(0.0)
    }
}

/// The steps before the kinds: neighbors and probabilities.
const LOOKING: u64 = 2;

/// Looks for everything.
///
/// # Errors
/// When stopped, or when results do not fit the dataset.
pub fn find(inputs: &Inputs<'_>, job: &Job<'_>) -> Result<DatasetFindings> {
    let steps = LOOKING + KINDS.len() as u64;
    let look = Look::new(*inputs, steps, job)?;
    let mut all = DatasetFindings { compared: look.len() as u64, ..DatasetFindings::default() };
    for (done, kind) in (0..).zip(KINDS) {
        job.checkpoint()?;
        let mut not_checked = String::new();
        match job.step(LOOKING + done, steps, |job| (kind.find)(&look, job)) {
            Ok(found) => all.findings.extend(found.into_iter().map(|found| named(kind, found))),
            Err(Unchecked::Because(why)) => not_checked = why,
            Err(Unchecked::Failed(error)) => return Err(error),
        }
        all.kinds.push(CheckedKind { name: kind.name.into(), title: kind.title.into(), not_checked });
    }
    // Stable: equal ones stay in the order of the kinds.
    all.findings.sort_by(|a, b| a.score.total_cmp(&b.score));
    Ok(all)
}

fn named(kind: &Kind, found: Found) -> DatasetFinding {
    DatasetFinding {
        kind: kind.name.into(),
        severity: Severity::of(found.score),
        score: found.score,
        text: found.text,
        figures: found.figures,
        classes: found.classes,
        samples: found.samples.into_iter().map(SampleId).collect(),
    }
}

#[cfg(test)]
mod datalab_tests;
#[cfg(test)]
mod tests;
