//! Clean-sample selection: the samples whose labels a classifier can be trained on.
//!
//! The method is in `chaffinch-selection`. This module has its sources of probabilities in a scanned session, a
//! text-image model with described classes ([`zero_shot`]) and a regression on the embeddings ([`regression`]), and the
//! report.

mod report;
mod sources;
mod zero_shot;

pub use chaffinch_selection::{Evidence, InputError, Limits};
pub use report::{Classes, Figures, Report, Three, Truth};
pub use sources::regression;
pub use zero_shot::{ClassPrompts, Pooling, zero_shot};

use chaffinch_selection::{Filled, Scores, fill_empty_classes, intersection};

/// One source of probabilities with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Its name in the report.
    pub name: String,
    /// What it says about each sample.
    pub evidence: Evidence,
}

/// Which samples were selected, and by which criteria.
#[derive(Debug, Clone, PartialEq)]
pub struct Selected {
    /// By source, in the order given: by mixture, by consistency.
    pub sources: Vec<(String, chaffinch_selection::Selection)>,
    /// By mixture in all sources.
    pub mixture: Vec<bool>,
    /// By consistency in all sources.
    pub consistency: Vec<bool>,
    /// By both in all sources, plus samples filled in for classes that would be empty.
    pub clean: Vec<bool>,
    /// The classes that were filled in.
    pub filled: Vec<Filled>,
}

/// Selects what all sources call clean by both criteria. A class that would have no samples gets its best ones
/// according to the first source.
///
/// # Errors
/// When there is no source, no sample, or a source does not match the samples.
pub fn select(
    sources: &[Source],
    labels: &[u32],
    classes: usize,
    limits: Limits,
) -> Result<Selected, InputError> {
    let scored: Vec<Scores> =
        sources.iter().map(|source| source.evidence.scores(labels)).collect::<Result<_, _>>()?;
    let first = scored.first().ok_or(InputError::NoSamples)?;
    let selections: Vec<_> = scored.iter().map(|scores| scores.select(limits)).collect();
    let mixture = intersection(&selections.iter().map(|one| one.mixture.as_slice()).collect::<Vec<_>>());
    let consistency =
        intersection(&selections.iter().map(|one| one.consistency.as_slice()).collect::<Vec<_>>());
    let mut clean = intersection(&[&mixture, &consistency]);
    let filled = fill_empty_classes(&mut clean, labels, classes, first.stretched());
    let names = sources.iter().map(|source| source.name.clone());
    Ok(Selected { sources: names.zip(selections).collect(), mixture, consistency, clean, filled })
}

#[cfg(test)]
mod tests;
