#![doc = include_str!("docs.md")]
//!
//! Run its tests: `cargo test --release -p chaffinch-label-quality`.

mod judge;
mod sources;
mod words;

use chaffinch_confident::InputError;
use chaffinch_plugin::abi::Str;
use chaffinch_plugin::prelude::*;
use judge::{Judge, Settings};

/// Finds labels that a model which was not trained on the sample contradicts.
pub struct LabelQuality;

impl Detector for LabelQuality {
    const INFO: Info =
        Info::new("label-quality", "Finds labels that a model trained on the others contradicts")
            .version(env!("CARGO_PKG_VERSION"))
            .docs(include_str!("docs.md"))
            .needs(Needs::PROBABILITIES.and(Needs::EMBEDDINGS).and(Needs::TEXTS).and(Needs::LABELS))
            .threshold(0.5)
            .params(&[
                Param::choice(
                    "method",
                    &[
                        Str::new("posterior"),
                        Str::new("odds"),
                        Str::new("self_confidence"),
                        Str::new("normalized_margin"),
                        Str::new("confidence_weighted_entropy"),
                    ],
                    "How labels are scored",
                ),
                Param::flag(
                    "adjusted",
                    false,
                    "Adjust probabilities for the model's usual confidence in each class",
                ),
                Param::choice(
                    "filter",
                    &[
                        Str::new("follows_quality"),
                        Str::new("prune_by_noise_rate"),
                        Str::new("prune_by_class"),
                        Str::new("both"),
                        Str::new("confident_learning"),
                        Str::new("predicted_neq_given"),
                        Str::new("low_normalized_margin"),
                        Str::new("low_self_confidence"),
                    ],
                    "What is flagged at the default threshold",
                ),
                Param::choice(
                    "sources",
                    &[Str::new("joined"), Str::new("trained")],
                    "Combine zero-shot prompts with what was learned from the labels, or use that alone",
                ),
                Param::integer("min-class", 5, 2, 1000, "Classes with fewer samples are not judged"),
            ]);

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let settings = Settings::read(view)?;
        let judge = Judge::new(view, &settings)?;
        view.checkpoint()?;
        let mut scores = vec![f32::NAN; view.len()];
        for (index, &sample) in judge.samples.iter().enumerate() {
            scores[sample as usize] = judge.scores[index];
        }
        report.scores(&scores)?;
        words::notes(view, report, &judge)?;
        words::small(view, report, settings.min_class)?;
        words::issues(view, report, &judge)
    }
}

export_detector!(LabelQuality);

/// Why the probabilities cannot be used, as the detector's own error.
fn refused(error: InputError) -> Error {
    Error::new(error.to_string())
}

#[cfg(test)]
mod tests;
