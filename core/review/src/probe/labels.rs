//! The labels that probes are trained on: as given, and as cleaning makes them.

use crate::Result;
use crate::selection::{self, Limits, Source, regression};
use crate::verdict::Verdicts;
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::job::Job;
use chaffinch_compute::linear::most_likely;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_compute::probe::Trainer;
use chaffinch_data::Error;
use chaffinch_data::journal::Decisions;
use chaffinch_data::manifest::{Manifest, NO_LABEL};
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;

/// How often labels are absorbed and changed at most.
const ROUNDS: u64 = 10;

/// How labels are cleaned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cleaning {
    /// Not at all.
    Given,
    /// Samples whose label a regression on the others does not trust are left out, as `chaffinch select` does with it.
    Selected,
    /// The selection, and round by round what a probe of it says with certainty: labels that it agrees with are taken in, those that
    /// it contradicts are changed (Feng, Ren and Xie, CLIPCleaner, 2024: absorb and relabel).
    Absorbed,
    /// What was decided so far: removed samples are left out, relabeled ones have their new label.
    Decided,
    /// The same, and all suspects that nobody has decided about have the label that is suggested for them.
    Accepted,
}

impl Cleaning {
    /// All, in the order of reports.
    pub const ALL: [Cleaning; 5] =
        [Cleaning::Given, Cleaning::Selected, Cleaning::Absorbed, Cleaning::Decided, Cleaning::Accepted];

    /// Its name in JSON and in options.
    pub fn name(self) -> &'static str {
        match self {
            Cleaning::Given => "given",
            Cleaning::Selected => "selected",
            Cleaning::Absorbed => "absorbed",
            Cleaning::Decided => "decided",
            Cleaning::Accepted => "accepted",
        }
    }

    /// What it is, as a row of a table says.
    pub fn words(self) -> &'static str {
        match self {
            Cleaning::Given => "labels as given",
            Cleaning::Selected => "automatic selection",
            Cleaning::Absorbed => "selection, absorbing and relabeling",
            Cleaning::Decided => "decisions so far",
            Cleaning::Accepted => "decisions, and all suggestions",
        }
    }
}

/// Labels to train on.
#[derive(Debug, Clone, PartialEq)]
pub struct Cleaned {
    /// How they were made.
    pub cleaning: Cleaning,
    /// One for each sample; [`NO_LABEL`] leaves it out.
    pub labels: Vec<u32>,
}

/// The labels with what was decided. Samples that are to be removed have none, nor have those that get a class that the dataset does
/// not have.
pub fn decided(manifest: &Manifest, decisions: &Decisions) -> Vec<u32> {
    let mut labels = manifest.labels().to_vec();
    for (sample, decision) in decisions.iter() {
        match &decision.choice {
            Choice::Keep | Choice::Unsure => {}
            Choice::Remove => labels[sample.index()] = NO_LABEL,
            Choice::Relabel(name) => {
                labels[sample.index()] = manifest.find_class(name).map_or(NO_LABEL, |class| class.0);
            }
        }
    }
    labels
}

/// The labels with the first of the decisions, in the order in which they were made.
pub fn first_decided(
    manifest: &Manifest,
    decisions: &Decisions,
    order: &[SampleId],
    first: usize,
) -> Vec<u32> {
    let all = decided(manifest, decisions);
    let mut labels = manifest.labels().to_vec();
    order.iter().take(first).for_each(|sample| labels[sample.index()] = all[sample.index()]);
    labels
}

/// The decided samples in the order of their decisions.
pub fn by_time(decisions: &Decisions) -> Vec<SampleId> {
    let at = |sample: SampleId| decisions.review(sample).map(|review| review.at()).unwrap_or_default();
    let mut all: Vec<(String, SampleId)> = decisions.iter().map(|(sample, _)| (at(sample), sample)).collect();
    all.sort();
    all.into_iter().map(|(_, sample)| sample).collect()
}

/// What was decided, and what is suggested for suspects about which nothing was.
pub fn accepted(manifest: &Manifest, decisions: &Decisions, verdicts: Verdicts<'_>) -> Vec<u32> {
    let mut labels = decided(manifest, decisions);
    for sample in manifest.ids().filter(|&sample| decisions.get(sample).is_none()) {
        if let Some(label) = verdicts.suggested(sample) {
            labels[sample.index()] = label;
        }
    }
    labels
}

/// The labels that a regression on the others trusts, of those that may be trained on.
///
/// # Errors
/// When there are too few classes, or when stopped.
pub fn selected(
    matrix: &EmbeddingMatrix,
    labels: &[u32],
    classes: usize,
    contents: &[ContentHash],
    trains: &dyn Fn(usize) -> bool,
    job: &Job<'_>,
) -> Result<Vec<u32>> {
    let of = |row: usize| if trains(row) { labels[row] } else { NO_LABEL };
    let known: Vec<u32> = (0..labels.len()).map(of).collect();
    let evidence = regression(matrix, &known, classes, Some(contents), trains, job)?;
    let sources = [Source { name: "regression".into(), evidence }];
    let clean = selection::select(&sources, &known, classes, Limits::default())
        .map_err(|error| Error::Invalid(error.to_string()))?
        .clean;
    Ok(known.into_iter().zip(clean).map(|(label, clean)| if clean { label } else { NO_LABEL }).collect())
}

/// What absorbing and relabeling make of a selection: in each round, a sample that a probe of the last ones puts into its own class with
/// a probability of at least `absorb` has its label, and one that it puts into another one with at least `relabel` has that; the
/// selection stays. It ends when nothing changes any more.
///
/// # Errors
/// When there are too few classes, or when stopped.
pub fn absorbed(
    trainer: &Trainer<'_>,
    (given, selection): (&[u32], &[u32]),
    trains: &dyn Fn(usize) -> bool,
    (absorb, relabel): (f32, f32),
    job: &Job<'_>,
) -> Result<Vec<u32>> {
    let outside: Vec<u32> = (0..given.len())
        .filter(|&row| trains(row) && selection[row] == NO_LABEL && given[row] != NO_LABEL)
        .map(|row| row as u32)
        .collect();
    let mut labels = selection.to_vec();
    let mut start = None;
    for round in 0..ROUNDS {
        let probe = job.step(round, ROUNDS, |job| trainer.train(&labels, start.as_ref(), job))?;
        let mut next = selection.to_vec();
        trainer.predict(&probe, &outside, |sample, row| {
            let (said, own) = (most_likely(row), given[sample as usize]);
            let limit = if said == own { absorb } else { relabel };
            if row[said as usize] >= limit {
                next[sample as usize] = said;
            }
        });
        if next == labels {
            break;
        }
        labels = next;
        start = Some(probe);
    }
    Ok(labels)
}
