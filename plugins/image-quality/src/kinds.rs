//! The kinds of fault and how each is scored.

use crate::measure::Measures;
use crate::sizes::Sizes;
use chaffinch_plugin::prelude::*;

/// A kind of fault, in the order in which they are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A single color.
    Flat,
    /// Almost black.
    Dark,
    /// Almost white.
    Light,
    /// Hardly any distinct values.
    LowInformation,
    /// Out of focus.
    Blurry,
    /// Larger or smaller than the others.
    OddSize,
    /// Very wide or very tall.
    OddAspectRatio,
    /// More pixels than programs accept without a warning.
    Huge,
    /// The file has no color channels.
    Grayscale,
    /// Gray, but stored as color.
    NoColor,
    /// The content is in another format than the name says.
    WrongExtension,
    /// Several frames, of which only one is used.
    Animated,
    /// Not stored upright.
    Rotated,
}

impl Kind {
    /// All kinds, in order.
    pub(crate) const ALL: [Kind; 13] = [
        Kind::Flat,
        Kind::Dark,
        Kind::Light,
        Kind::LowInformation,
        Kind::Blurry,
        Kind::OddSize,
        Kind::OddAspectRatio,
        Kind::Huge,
        Kind::Grayscale,
        Kind::NoColor,
        Kind::WrongExtension,
        Kind::Animated,
        Kind::Rotated,
    ];

    /// Its name in the summary.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Flat => "flat",
            Kind::Dark => "dark",
            Kind::Light => "light",
            Kind::LowInformation => "low information",
            Kind::Blurry => "blurry",
            Kind::OddSize => "odd size",
            Kind::OddAspectRatio => "odd aspect ratio",
            Kind::Huge => "huge",
            Kind::Grayscale => "grayscale",
            Kind::NoColor => "gray stored as color",
            Kind::WrongExtension => "wrong extension",
            Kind::Animated => "animated",
            Kind::Rotated => "rotated by EXIF",
        }
    }
}

/// The parameters of a run. Thresholds are in 0..=1; a sample below one has that fault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) dark: f32,
    pub(crate) light: f32,
    pub(crate) information: f32,
    pub(crate) blurry: f32,
    pub(crate) aspect: f32,
    /// Interquartile ranges.
    pub(crate) size_factor: f64,
    /// Levels of 0..=127.5.
    pub(crate) flat: f32,
    /// Share of pixels.
    pub(crate) colored: f32,
    /// Megapixels.
    pub(crate) huge: f32,
    pub(crate) grayscale: bool,
    pub(crate) extension: bool,
    pub(crate) animated: bool,
    pub(crate) rotated: bool,
    /// Share of samples.
    pub(crate) prevalence: f64,
    /// The same for gray stored as color.
    pub(crate) gray_prevalence: f64,
}

/// The declaration of what [`Settings::read`] reads.
pub(crate) const PARAMS: &[Param] = &[
    Param::number("dark", 0.32, 0.0, 1.0, "Minimum brightness of the 99th percentile"),
    Param::number("light", 0.05, 0.0, 1.0, "Minimum darkness of the 5th percentile"),
    Param::number("low-information", 0.3, 0.0, 1.0, "Minimum entropy of the pixels, in tens of bits"),
    Param::number("blurry", 0.29, 0.0, 1.0, "Minimum sharpness"),
    Param::number("odd-aspect-ratio", 0.35, 0.0, 1.0, "Minimum ratio of the shorter side to the longer one"),
    Param::number(
        "odd-size",
        3.0,
        0.0,
        100.0,
        "How many interquartile ranges beyond the quartiles a size may be",
    ),
    Param::number(
        "flat",
        3.0,
        0.0,
        127.5,
        "Minimum standard deviation of the most varied channel, in levels",
    ),
    Param::number("no-color", 0.01, 0.0, 1.0, "Minimum share of colored pixels; 0 = off"),
    Param::number("huge", 89.5, 0.001, 1000.0, "Maximum megapixels"),
    Param::flag("grayscale", true, "Flag files without color channels"),
    Param::flag("wrong-extension", true, "Flag files whose content does not match the extension"),
    Param::flag("animated", true, "Flag animations"),
    Param::flag("rotated", true, "Flag pictures that are not stored upright"),
    Param::number(
        "prevalence",
        0.1,
        0.0,
        1.0,
        "Share of the pictures above which a fault is a property of the dataset",
    ),
    Param::number("gray-prevalence", 0.01, 0.0, 1.0, "The same for gray pictures stored as color"),
];

impl Settings {
    pub(crate) fn read(view: &View<'_>) -> Result<Settings> {
        let number = |name: &str| view.number(name).map(|value| value as f32);
        Ok(Settings {
            dark: number("dark")?,
            light: number("light")?,
            information: number("low-information")?,
            blurry: number("blurry")?,
            aspect: number("odd-aspect-ratio")?,
            size_factor: view.number("odd-size")?,
            flat: number("flat")?,
            colored: number("no-color")?,
            huge: number("huge")?,
            grayscale: view.flag("grayscale")?,
            extension: view.flag("wrong-extension")?,
            animated: view.flag("animated")?,
            rotated: view.flag("rotated")?,
            prevalence: view.number("prevalence")?,
            gray_prevalence: view.number("gray-prevalence")?,
        })
    }
}

/// The boundary between fine and faulty on the detector's own scale.
pub(crate) const BORDER: f32 = 0.5;
/// Scores of faults that are either present or not: real ones, but not as bad as a picture that shows nothing.
const GRAY_SCORE: f32 = 0.35;
const FILE_SCORE: f32 = 0.4;
const TURN_SCORE: f32 = 0.45;
/// Variation that counts as perfect, in multiples of the minimum.
const LIVELY: f32 = 10.0;

/// The score of a sample for one kind of fault: 0..=1; below [`BORDER`] it has that fault.
pub(crate) fn score(kind: Kind, seen: &Measures, sizes: &Sizes, set: &Settings) -> f32 {
    let fact = |is: bool, score: f32| if is { score } else { 1.0 };
    match kind {
        Kind::Flat if set.flat > 0.0 => {
            calibrated((seen.variation / (LIVELY * set.flat)).min(1.0), 1.0 / LIVELY)
        }
        Kind::Flat => 1.0,
        Kind::Dark => calibrated(seen.dark, set.dark),
        Kind::Light => calibrated(seen.light, set.light),
        Kind::LowInformation => calibrated(seen.information(), set.information),
        Kind::Blurry => calibrated(seen.sharpness, set.blurry),
        Kind::OddSize => sizes.ranked(seen),
        Kind::OddAspectRatio => calibrated(seen.aspect(), set.aspect),
        Kind::Huge => calibrated((1.0 - seen.megapixels() / (2.0 * set.huge)).max(0.0), 0.5),
        Kind::Grayscale => fact(set.grayscale && seen.stored_gray(), GRAY_SCORE),
        Kind::NoColor => fact(no_color(seen, set), GRAY_SCORE),
        Kind::WrongExtension => fact(set.extension && wrong_extension(&seen.source), FILE_SCORE),
        Kind::Animated => fact(set.animated && seen.source.frames > 1, FILE_SCORE),
        Kind::Rotated => fact(set.rotated && seen.source.orientation > 1, TURN_SCORE),
    }
}

/// Rescales a score so that its own threshold is at [`BORDER`]: two straight lines, through 0 and 1.
fn calibrated(score: f32, threshold: f32) -> f32 {
    if score < threshold {
        // Rounding must not lift it onto the border.
        (BORDER * score / threshold).min(BORDER.next_down())
    } else if threshold < 1.0 {
        BORDER + (1.0 - BORDER) * (score - threshold) / (1.0 - threshold)
    } else {
        1.0
    }
}

/// Whether a picture stored as color shows none, if enough is visible to say so.
fn no_color(seen: &Measures, set: &Settings) -> bool {
    let visible = seen.dark >= set.dark && seen.light >= set.light && seen.variation >= set.flat;
    visible && !seen.stored_gray() && seen.colored < set.colored
}

fn wrong_extension(source: &Source) -> bool {
    source.format != 0 && source.named != 0 && source.format != source.named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_lie_at_the_border() {
        assert_eq!(calibrated(0.0, 0.3), 0.0);
        assert_eq!(calibrated(0.15, 0.3), 0.25);
        assert_eq!(calibrated(0.3, 0.3), 0.5);
        assert_eq!(calibrated(1.0, 0.3), 1.0);
        assert!(calibrated(0.3_f32.next_down(), 0.3) < 0.5);
        assert_eq!((calibrated(0.0, 0.0), calibrated(1.0, 1.0)), (0.5, 1.0));
        assert!(calibrated(1.0_f32.next_down(), 1.0) < 0.5);
    }
}
