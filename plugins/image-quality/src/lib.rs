#![doc = include_str!("docs.md")]
//!
//! Run its tests: `cargo test --release -p chaffinch-image-quality`.

mod bars;
mod counts;
mod focus;
mod frame;
mod grain;
mod green;
mod grid;
mod kinds;
mod measure;
mod property;
mod sharpness;
mod shrink;
mod sizes;
mod wide;
mod words;

pub use measure::Measures;
pub use sizes::Sizes;

use chaffinch_plugin::prelude::*;
use kinds::{BORDER, Kind, PARAMS, Settings};
use property::{KINDS, Usual};

/// The name under which the program reports pictures of which a part is lost.
const DAMAGED: &str = "damaged";

/// Finds pictures that are too dark, too light, blurry, noisy, damaged, empty, of an odd size or shape, or stored in an odd
/// way.
pub struct ImageQuality;

impl Detector for ImageQuality {
    const INFO: Info = Info::new("image-quality", "Finds pictures that are poor or odd as pictures")
        .version(env!("CARGO_PKG_VERSION"))
        .docs(include_str!("docs.md"))
        .needs(Needs::PIXELS)
        .threshold(BORDER)
        .after(&[Str::new(DAMAGED)])
        .params(PARAMS);

    const MEASURE_BYTES: usize = Measures::BYTES;

    fn measure(&self, pixels: &Pixels<'_>, record: &mut [u8]) -> Result<()> {
        Measures::of(pixels).write(record);
        Ok(())
    }

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let settings = Settings::read(view)?;
        let records = view.measures(self)?.enumerate().filter(|(sample, _)| view.decodable(*sample));
        let (samples, seen): (Vec<usize>, Vec<Measures>) =
            records.map(|(sample, record)| (sample, Measures::read(record))).unzip();
        let sizes = Sizes::of(&seen, settings.size_factor);
        let labels: Vec<u32> = samples.iter().map(|&sample| view.labels()[sample]).collect();
        let usual = Usual::of(&seen, &labels, view.class_count(), &sizes, &settings);
        view.checkpoint()?;

        let all =
            || samples.iter().zip(&seen).zip(&labels).map(|((sample, seen), label)| (*sample, seen, *label));
        let damaged = damaged(view)?;
        // How much of a damaged file is lost is said by what read it; the pixels would give it a second number.
        let kinds = |sample: usize| {
            let known = damaged.get(sample).is_some_and(|score| *score < BORDER);
            Kind::ALL.iter().copied().filter(move |kind| !(known && *kind == Kind::Cut))
        };
        let mut lowest = vec![f32::NAN; view.len()];
        for (sample, seen, label) in all() {
            let scores = kinds(sample).map(|kind| usual.score(kind, seen, label));
            lowest[sample] = scores.fold(1.0, f32::min);
        }
        report.scores(&lowest)?;

        let (mut flagged, mut said) = (0, [0; KINDS]);
        for (sample, seen, label) in all().filter(|(sample, ..)| lowest[*sample] < BORDER) {
            let scores = kinds(sample).map(|kind| (usual.score(kind, seen, label), kind));
            let mut faults: Vec<(f32, Kind)> = scores.filter(|&(score, _)| score < BORDER).collect();
            // The worst first; a stable sort leaves equal ones in the order of the kinds.
            faults.sort_by(|a, b| a.0.total_cmp(&b.0));
            faults.iter().for_each(|&(_, kind)| said[kind as usize] += 1);
            let words: Vec<String> =
                faults.iter().map(|&(_, kind)| words::fault(kind, seen, &sizes, &settings)).collect();
            let reason = words.join("; ");
            report.issue(Issue::new(sample, Score::clamp(lowest[sample])?).reason(&reason))?;
            flagged += 1;
        }
        let found = words::Found {
            samples: seen.len(),
            flagged,
            counts: usual.counts,
            property: usual.property,
            said,
        };
        for (name, text) in found.of_the_dataset(&settings) {
            report.note(name, &text)?;
        }
        let mut summary = found.summary();
        summary += &words::unknown(view.len() - seen.len());
        report.note("summary", &summary)
    }
}

/// The scores of the samples as to damage that decoding noticed; empty if there is none.
fn damaged(view: &View<'_>) -> Result<Vec<f32>> {
    match view.scores_of(DAMAGED) {
        Ok(scores) => Ok(scores.to_vec()),
        Err(error) if error.is_missing() => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

export_detector!(ImageQuality);

#[cfg(test)]
mod parity_tests;
#[cfg(test)]
mod tests;
