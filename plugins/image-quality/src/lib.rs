#![doc = include_str!("docs.md")]
//!
//! Run its tests: `cargo test --release -p chaffinch-image-quality`.

mod kinds;
mod measure;
mod shrink;
mod sizes;
mod wide;
mod words;

pub use measure::Measures;
pub use sizes::Sizes;

use chaffinch_plugin::prelude::*;
use kinds::{BORDER, Kind, PARAMS, Settings, score};

/// So many samples may have a fault whatever their share: in a handful of pictures one is soon a tenth.
const FEW: usize = 3;
const KINDS: usize = Kind::ALL.len();

/// Finds pictures that are too dark, too light, blurry, empty, of an odd size or shape, or stored in an odd way.
pub struct ImageQuality;

impl Detector for ImageQuality {
    const INFO: Info = Info::new("image-quality", "Finds pictures that are poor or odd as pictures")
        .version(env!("CARGO_PKG_VERSION"))
        .docs(include_str!("docs.md"))
        .needs(Needs::PIXELS)
        .threshold(BORDER)
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
        let faulty = |kind: Kind, seen: &Measures| score(kind, seen, &sizes, &settings) < BORDER;

        let count = |kind: &Kind| seen.iter().filter(|seen| faulty(*kind, seen)).count();
        let counts = Kind::ALL.each_ref().map(count);
        let property = properties(&counts, seen.len(), &settings);
        view.checkpoint()?;

        let kinds: Vec<Kind> = Kind::ALL
            .into_iter()
            .zip(property)
            .filter(|(_, property)| !property)
            .map(|(kind, _)| kind)
            .collect();
        let mut lowest = vec![f32::NAN; view.len()];
        for (&sample, seen) in samples.iter().zip(&seen) {
            let scores = kinds.iter().map(|&kind| score(kind, seen, &sizes, &settings));
            lowest[sample] = scores.fold(1.0, f32::min);
        }
        report.scores(&lowest)?;

        let mut flagged = 0;
        for (&sample, seen) in samples.iter().zip(&seen).filter(|(sample, _)| lowest[**sample] < BORDER) {
            let mut faults: Vec<(f32, Kind)> = kinds
                .iter()
                .map(|&kind| (score(kind, seen, &sizes, &settings), kind))
                .filter(|&(score, _)| score < BORDER)
                .collect();
            // The worst first; a stable sort leaves equal ones in the order of the kinds.
            faults.sort_by(|a, b| a.0.total_cmp(&b.0));
            let words: Vec<String> =
                faults.iter().map(|&(_, kind)| words::fault(kind, seen, &sizes, &settings)).collect();
            let reason = words.join("; ");
            report.issue(Issue::new(sample, Score::clamp(lowest[sample])?).reason(&reason))?;
            flagged += 1;
        }
        for (name, text) in words::of_the_dataset(seen.len(), &counts, &property) {
            report.note(name, &text)?;
        }
        let mut summary = words::summary(flagged, seen.len(), &counts, &property);
        summary += &words::unknown(view.len() - seen.len());
        report.note("summary", &summary)
    }
}

export_detector!(ImageQuality);

/// Which kinds so many samples have that they are a property of the dataset.
fn properties(counts: &[usize; KINDS], samples: usize, settings: &Settings) -> [bool; KINDS] {
    let many = |count: usize, share: f64| count > FEW && count as f64 > share * samples as f64;
    let gray = |kind: &Kind| matches!(kind, Kind::Grayscale | Kind::NoColor);
    let all_gray = Kind::ALL.iter().zip(counts).filter(|(kind, _)| gray(kind)).map(|(_, count)| count).sum();
    let mut property = counts.map(|count| many(count, settings.prevalence));
    for (kind, property) in Kind::ALL.iter().zip(&mut property) {
        // Odd only among colored pictures, however the other gray ones are stored.
        if *kind == Kind::NoColor {
            *property = many(all_gray, settings.prevalence.min(settings.gray_prevalence));
        }
    }
    property
}

#[cfg(test)]
mod parity_tests;
#[cfg(test)]
mod tests;
