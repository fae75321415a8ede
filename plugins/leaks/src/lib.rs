#![doc = include_str!("docs.md")]
//!
//! Run its tests: `cargo test --release -p chaffinch-leaks`.

mod copies;
mod likeness;
mod words;

use chaffinch_plugin::prelude::*;
use copies::Copies;

/// Copies listed as evidence.
const MAX_RELATED: usize = 16;

/// Finds samples of test or validation that are also in an earlier set.
pub struct Leaks;

impl Detector for Leaks {
    const INFO: Info = Info::new("leaks", "Finds test and validation pictures that are also in training")
        .version(env!("CARGO_PKG_VERSION"))
        .docs(include_str!("docs.md"))
        .needs(Needs::HASHES.and(Needs::PIXELS))
        .threshold(0.5)
        .params(chaffinch_likeness::params![Param;
            Param::number(
                "semantic",
                1.0,
                0.5,
                1.0,
                "Minimum cosine of the embeddings of two copies; 1 = off",
            )
            .needs(Needs::NEIGHBORS),
        ]);

    const MEASURE_BYTES: usize = chaffinch_likeness::BYTES;

    fn measure(&self, pixels: &Pixels<'_>, record: &mut [u8]) -> Result<()> {
        chaffinch_likeness::sketch(pixels.rgb, pixels.width, pixels.height, record);
        Ok(())
    }

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let mut scores = vec![f32::NAN; view.len()];
        if !copies::comparable(view) {
            report.scores(&scores)?;
            return report.note("summary", "there are no two splits to compare");
        }
        let judged = |sample: usize| view.decodable(sample) && copies::rank(view.split(sample)) > Some(0);
        (0..view.len()).filter(|&sample| judged(sample)).for_each(|sample| scores[sample] = 1.0);
        report.scores(&scores)?;
        let copies = Copies::find(view, self)?;
        if copies.crowded > 0 {
            report.note("parts", &chaffinch_likeness::crowded(copies.crowded))?;
        }
        if let Some(why) = &copies.unseen {
            report.note(
                "second look",
                &format!("no second look at the pixels, so near hashes count only as alike: {why}"),
            )?;
        }
        for (sample, found) in copies.by_sample() {
            let score = Score::clamp(found[0].likeness.score())?;
            let related: Vec<Related> = found
                .iter()
                .take(MAX_RELATED)
                .map(|copy| Related { sample: copy.other, similarity: copy.likeness.similarity() })
                .collect();
            let reason = words::reason(view, sample, found);
            report.issue(Issue::new(sample, score).related(&related).reason(&reason))?;
        }
        report.note("summary", &(words::summary(view, &copies) + &words::unknown(view)))
    }
}

export_detector!(Leaks);

#[cfg(test)]
#[path = "../../../tests/src/scenes.rs"]
mod scenes;
#[cfg(test)]
mod tests;
