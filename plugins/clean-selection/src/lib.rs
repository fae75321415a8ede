#![doc = include_str!("docs.md")]
//!
//! Run its tests: `cargo test --release -p chaffinch-clean-selection`.

mod judge;
mod sources;
mod words;

use chaffinch_plugin::abi::Str;
use chaffinch_plugin::prelude::*;
use chaffinch_selection::Limits;
use judge::Judged;

/// Finds samples whose label has too little support to train on.
pub struct CleanSelection;

impl Detector for CleanSelection {
    const INFO: Info = Info::new(
        "clean-selection",
        "Finds labels that are not borne out well enough to train on them",
    )
    .version(env!("CARGO_PKG_VERSION"))
    .docs(include_str!("docs.md"))
    .needs(Needs::EMBEDDINGS.and(Needs::TEXTS).and(Needs::PROBABILITIES).and(Needs::LABELS))
    .threshold(0.5)
    .params(&[
        Param::choice(
            "sources",
            &[Str::new("both"), Str::new("zero-shot"), Str::new("trained")],
            "Sources that must agree: zero-shot prompts, a model trained on the other samples, or both",
        ),
        Param::number(
            "theta-gmm",
            0.5,
            0.0,
            1.0,
            "Minimum probability of belonging to the better group of the class",
        ),
        Param::number(
            "theta-cons",
            0.8,
            0.0,
            1.0,
            "Minimum ratio of the label's probability to that of the most likely class",
        ),
        Param::number(
            "temperature",
            0.07,
            0.005,
            1.0,
            "Divisor for cosines with prompts; higher is less confident",
        ),
    ]);

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        if !view.members().iter().any(|class| !class.is_empty()) {
            return Err(Error::new("no image has a label, so there is nothing to select"));
        }
        if view.class_count() < 2 {
            return Err(Error::new("there is only one class, so there is no other label to compare with"));
        }
        let choice = view.choice("sources")?;
        let mut sources = Vec::new();
        if choice != 2 {
            sources.push(sources::zero_shot(view, view.number("temperature")?)?);
        }
        if choice != 1 {
            sources.push(sources::trained(view)?);
        }
        let limits = Limits { mixture: view.number("theta-gmm")?, consistency: view.number("theta-cons")? };
        let judged = Judged::new(view, &sources, limits)?;
        view.checkpoint()?;
        report.scores(&judged.scores)?;
        words::notes(view, report, &sources, &judged)?;
        words::issues(view, report, &sources, &judged)
    }
}

export_detector!(CleanSelection);

#[cfg(test)]
mod tests;
