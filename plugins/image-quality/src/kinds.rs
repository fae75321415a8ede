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
    /// Moved while it was taken.
    MotionBlur,
    /// Out of focus, moved or enlarged.
    Soft,
    /// Noise all over.
    Noisy,
    /// Single black and white pixels all over.
    Specks,
    /// Compressed so much that blocks show.
    Blocks,
    /// Hardly any difference between bright and dark.
    LowContrast,
    /// A part at the bottom is missing.
    Cut,
    /// Bars of one color at the edges.
    Bars,
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
    pub(crate) const ALL: [Kind; 21] = [
        Kind::Flat,
        Kind::Dark,
        Kind::Light,
        Kind::LowInformation,
        Kind::Blurry,
        Kind::MotionBlur,
        Kind::Soft,
        Kind::Noisy,
        Kind::Specks,
        Kind::Blocks,
        Kind::LowContrast,
        Kind::Cut,
        Kind::Bars,
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
            Kind::MotionBlur => "motion blur",
            Kind::Soft => "soft",
            Kind::Noisy => "noisy",
            Kind::Specks => "salt and pepper",
            Kind::Blocks => "JPEG blocks",
            Kind::LowContrast => "low contrast",
            Kind::Cut => "cut off",
            Kind::Bars => "bars at the edges",
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

    /// Whether one sample can have it worse than another.
    pub(crate) fn has_degrees(self) -> bool {
        !matches!(
            self,
            Kind::Grayscale | Kind::NoColor | Kind::WrongExtension | Kind::Animated | Kind::Rotated
        )
    }

    /// The parameter by which it is a property of the dataset.
    pub(crate) fn prevalence_name(self) -> &'static str {
        if self == Kind::NoColor { "gray-prevalence" } else { "prevalence" }
    }
}

/// The parameters of a run. Thresholds are in 0..=1; a sample below one has that fault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) dark: f32,
    pub(crate) light: f32,
    pub(crate) information: f32,
    pub(crate) blurry: f32,
    /// The finer direction's share.
    pub(crate) motion: f32,
    /// Crété's blur effect.
    pub(crate) soft: f32,
    /// Levels.
    pub(crate) noise: f32,
    /// Share of pixels.
    pub(crate) specks: f32,
    /// Multiples of the steps beside.
    pub(crate) blocks: f32,
    /// Share of the range.
    pub(crate) contrast: f32,
    /// Shares of the picture.
    pub(crate) cut: f32,
    pub(crate) bars: f32,
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
    Param::number(
        "motion-blur",
        0.6,
        0.0,
        1.0,
        "Minimum fineness along a direction, as a share of that across it; 0 = off",
    ),
    Param::number("soft", 0.62, 0.0, 1.0, "Maximum softness, by the blur effect; 1 = off"),
    Param::number("noise", 10.0, 0.0, 127.5, "Maximum standard deviation of the noise, in levels; 0 = off"),
    Param::number("salt-and-pepper", 0.003, 0.0, 1.0, "Maximum share of black and white specks; 0 = off"),
    Param::number(
        "jpeg-blocks",
        1.6,
        1.0,
        100.0,
        "Maximum steps between blocks, in steps beside them; 1 = off",
    ),
    Param::number(
        "low-contrast",
        0.2,
        0.0,
        1.0,
        "Minimum range of brightness, without 1 % at either end; 0 = off",
    ),
    Param::number(
        "cut-off",
        0.03,
        0.0,
        1.0,
        "Maximum share of the picture that a decoder filled in; 1 = off",
    ),
    Param::number("bars", 0.05, 0.0, 1.0, "Maximum share of bars of one color at the edges; 1 = off"),
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
            motion: number("motion-blur")?,
            soft: number("soft")?,
            noise: number("noise")?,
            specks: number("salt-and-pepper")?,
            blocks: number("jpeg-blocks")?,
            contrast: number("low-contrast")?,
            cut: number("cut-off")?,
            bars: number("bars")?,
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

    /// The share of samples above which a kind is a property of the dataset.
    pub(crate) fn prevalence_of(&self, kind: Kind) -> f64 {
        if kind == Kind::NoColor { self.prevalence.min(self.gray_prevalence) } else { self.prevalence }
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
        // What is blurry at 64 pixels is said to be that, and the fineness of one direction is that of another by chance.
        Kind::MotionBlur | Kind::Soft if seen.sharpness < set.blurry || !visible(seen, set) => 1.0,
        Kind::MotionBlur => calibrated(seen.direction, set.motion),
        Kind::Soft => calibrated(1.0 - seen.soft, 1.0 - set.soft),
        Kind::Noisy => at_most(seen.noise, set.noise),
        Kind::Specks => at_most(seen.specks, set.specks),
        Kind::Blocks if set.blocks > 1.0 => calibrated((1.0 / seen.blocks).min(1.0), 1.0 / set.blocks),
        Kind::Blocks => 1.0,
        // What is dark, light or flat is said to be that.
        Kind::LowContrast if !visible(seen, set) => 1.0,
        Kind::LowContrast => calibrated(seen.contrast, set.contrast),
        Kind::Cut => calibrated(1.0 - seen.cut, 1.0 - set.cut),
        Kind::Bars => calibrated(1.0 - seen.bars, 1.0 - set.bars),
        Kind::OddSize => sizes.ranked(seen),
        Kind::OddAspectRatio => calibrated(seen.aspect(), set.aspect),
        Kind::Huge => at_most(seen.megapixels(), set.huge),
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

/// The score of what may be at most `limit`: 1 for none, 0 from twice the limit on. No limit is 0.
fn at_most(measured: f32, limit: f32) -> f32 {
    if limit > 0.0 { calibrated((1.0 - measured / (2.0 * limit)).max(0.0), BORDER) } else { 1.0 }
}

/// Whether enough can be seen to judge color and detail.
fn visible(seen: &Measures, set: &Settings) -> bool {
    seen.dark >= set.dark && seen.light >= set.light && seen.variation >= set.flat
}

/// Whether a picture stored as color shows none, if enough is visible to say so.
fn no_color(seen: &Measures, set: &Settings) -> bool {
    visible(seen, set) && !seen.stored_gray() && seen.colored < set.colored
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
