//! Describes what is wrong with a picture.

use crate::kinds::{Kind, Settings};
use crate::measure::Measures;
use crate::sizes::Sizes;

/// One fault with its measured value.
pub(crate) fn fault(kind: Kind, seen: &Measures, sizes: &Sizes, set: &Settings) -> String {
    let (width, height) = (seen.width, seen.height);
    match kind {
        Kind::Flat => format!("one flat color: its pixels vary by {:.1} of 255 levels", seen.variation),
        Kind::Dark => {
            format!("dark: 99 % of its pixels have at most {} of full brightness", percent(seen.dark))
        }
        Kind::Light => {
            format!(
                "almost white: 95 % of its pixels have at least {} of full brightness",
                percent(1.0 - seen.light)
            )
        }
        Kind::LowInformation => {
            format!(
                "hardly any information: {:.1} bits, fewer than {:.1}",
                seen.entropy,
                10.0 * set.information
            )
        }
        Kind::Blurry => {
            format!("blurry: sharpness {:.3}, below {:.3}", seen.sharpness, set.blurry)
        }
        Kind::OddSize => odd_size(seen, sizes),
        Kind::OddAspectRatio if width > height => {
            format!("odd shape: {width} x {height}, {:.1} times as wide as high", ratio(width, height))
        }
        Kind::OddAspectRatio => {
            format!("odd shape: {width} x {height}, {:.1} times as high as wide", ratio(height, width))
        }
        Kind::Huge => format!("huge: {width} x {height}, {:.0} megapixels", seen.megapixels()),
        Kind::Grayscale => "gray: stored without color, unlike most others".into(),
        Kind::NoColor if seen.colored == 0.0 => {
            "gray: stored as color but has none, unlike most others".into()
        }
        Kind::NoColor => format!(
            "gray: stored as color but {} of its pixels have any, unlike most others",
            percent(seen.colored)
        ),
        Kind::WrongExtension => format!(
            "wrong extension: named as {} but it is {}",
            article(seen.source.extension_name()),
            article(seen.source.format_name())
        ),
        Kind::Animated => "animated: only its first frame was checked".into(),
        Kind::Rotated => format!(
            "not stored upright: EXIF orientation {}, which programs may ignore",
            seen.source.orientation
        ),
    }
}

fn odd_size(seen: &Measures, sizes: &Sizes) -> String {
    let times = sizes.times(seen);
    let how = match times {
        times if times >= 2.0 => "much larger",
        times if times > 1.0 => "larger",
        times if times >= 0.5 => "smaller",
        _ => "much smaller",
    };
    let (width, height) = sizes.typical;
    let among = if sizes.threshold() < 1.0 { "of about" } else { "of" };
    format!(
        "{how} than the others: {} x {} among pictures {among} {width} x {height}",
        seen.width, seen.height
    )
}

fn ratio(long: u32, short: u32) -> f64 {
    f64::from(long) / f64::from(short.max(1))
}

fn percent(share: f32) -> String {
    let percent = 100.0 * share;
    if percent > 0.0 && percent < 1.0 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

fn article(format: Option<&str>) -> String {
    let article = |name: &str| if name.starts_with('A') || name.starts_with("SV") { "an" } else { "a" };
    format.map_or_else(|| "something else".into(), |name| format!("{} {name}", article(name)))
}

/// What the run found: samples with each kind of fault, and kinds that are a property of the dataset.
pub(crate) fn summary(flagged: usize, samples: usize, counts: &[usize], property: &[bool]) -> String {
    let named = |wanted: bool| -> Vec<String> {
        let kinds = Kind::ALL.iter().zip(counts).zip(property);
        kinds
            .filter(|((_, count), property)| **count > 0 && **property == wanted)
            .map(|((kind, count), _)| format!("{} {count}", kind.name()))
            .collect()
    };
    let found = named(false);
    let mut text = match flagged {
        0 => "no poor pictures found".into(),
        1 => format!("1 poor picture: {}", found.join(", ")),
        _ => format!("{flagged} poor pictures: {}", found.join(", ")),
    };
    let usual = named(true);
    if !usual.is_empty() {
        text += &format!("; a property of these {samples} pictures and not flagged: {}", usual.join(", "));
    }
    text
}

/// Faults that are a property of the dataset, as notes: those that make pictures useless under `warning`, those that may
/// well be intended under `remark`.
pub(crate) fn of_the_dataset(
    samples: usize,
    counts: &[usize],
    property: &[bool],
) -> Vec<(&'static str, String)> {
    let usual = |kind: Kind| {
        matches!(kind, Kind::Grayscale | Kind::NoColor | Kind::OddSize | Kind::OddAspectRatio | Kind::Rotated)
    };
    let lines = |wanted: bool| -> Vec<String> {
        let kinds = Kind::ALL.into_iter().zip(counts).zip(property);
        kinds
            .filter(|((kind, count), property)| **property && **count > 0 && usual(*kind) == wanted)
            .map(|((kind, count), _)| {
                format!(
                    "{count} of {samples} pictures have the fault '{}': so many that none of them is flagged for it",
                    kind.name()
                )
            })
            .collect()
    };
    [("warning", lines(false)), ("remark", lines(true))]
        .into_iter()
        .filter(|(_, lines)| !lines.is_empty())
        .map(|(name, lines)| (name, lines.join("\n")))
        .collect()
}

/// What to add about files that were not looked at.
pub(crate) fn unknown(files: usize) -> String {
    match files {
        0 => String::new(),
        1 => "; 1 file could not be read and was not checked".into(),
        _ => format!("; {files} files could not be read and were not checked"),
    }
}
