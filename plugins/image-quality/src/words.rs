//! Describes what is wrong with a picture.

use crate::kinds::{Kind, Settings};
use crate::measure::Measures;
use crate::property::KINDS;
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
        Kind::MotionBlur => {
            format!("motion blur: along one direction only {} as fine as across it", percent(seen.direction))
        }
        Kind::Soft => {
            format!(
                "soft: out of focus, moved or enlarged; blur effect {:.2}, above {:.2}",
                seen.soft, set.soft
            )
        }
        Kind::Noisy => format!("noisy: noise of {:.0} of 255 levels, more than {}", seen.noise, set.noise),
        Kind::Specks => {
            format!(
                "salt and pepper: {} of its pixels are single black or white ones",
                share(seen.specks.into())
            )
        }
        Kind::Blocks => {
            format!("JPEG blocks: steps between blocks are {:.1} times those beside them", seen.blocks)
        }
        Kind::LowContrast => format!(
            "low contrast: 98 % of its pixels lie within {} of the range of brightness",
            percent(seen.contrast)
        ),
        Kind::Cut => format!("cut off: {} at the bottom is missing and filled with gray", percent(seen.cut)),
        Kind::Bars => format!("bars of one color at the edges: {} of the picture", percent(seen.bars)),
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

/// The same with a tenth where it tells shares of a dataset apart.
fn share(share: f64) -> String {
    let tenths = (1000.0 * share).round() / 10.0;
    if share > 0.0 && tenths == 0.0 { "under 0.1 %".into() } else { format!("{tenths} %") }
}

fn article(format: Option<&str>) -> String {
    let article = |name: &str| if name.starts_with('A') || name.starts_with("SV") { "an" } else { "a" };
    format.map_or_else(|| "something else".into(), |name| format!("{} {name}", article(name)))
}

/// What a run found.
pub(crate) struct Found {
    /// Pictures that were judged, and those flagged.
    pub(crate) samples: usize,
    pub(crate) flagged: usize,
    /// Samples with each kind of fault, the kinds that are a property of the dataset, and the samples flagged for each.
    pub(crate) counts: [usize; KINDS],
    pub(crate) property: [bool; KINDS],
    pub(crate) said: [usize; KINDS],
}

impl Found {
    /// Samples with each kind of fault, and kinds that are a property of the dataset.
    pub(crate) fn summary(&self) -> String {
        let kinds = |counts: &[usize; KINDS], wanted: fn(bool) -> bool| -> String {
            let kinds = Kind::ALL.iter().zip(counts).zip(self.property);
            let named = kinds
                .filter(|((_, count), property)| **count > 0 && wanted(*property))
                .map(|((kind, count), _)| format!("{} {count}", kind.name()));
            named.collect::<Vec<_>>().join(", ")
        };
        let found = kinds(&self.said, |_| true);
        let mut text = match self.flagged {
            0 => "no poor pictures found".into(),
            1 => format!("1 poor picture: {found}"),
            flagged => format!("{flagged} poor pictures: {found}"),
        };
        let usual = kinds(&self.counts, |property| property);
        if !usual.is_empty() {
            let pictures = self.samples;
            text += &format!("; a property of these {pictures} pictures and not flagged as such: {usual}");
        }
        text
    }

    /// Faults that are a property of the dataset, as notes: those that make pictures useless under `warning`, those that may
    /// well be intended under `remark`.
    pub(crate) fn of_the_dataset(&self, set: &Settings) -> Vec<(&'static str, String)> {
        let usual = |kind: Kind| {
            matches!(
                kind,
                Kind::Grayscale
                    | Kind::NoColor
                    | Kind::OddSize
                    | Kind::OddAspectRatio
                    | Kind::Rotated
                    | Kind::Bars
            )
        };
        let lines = |wanted: bool| -> Vec<String> {
            let kinds = Kind::ALL.into_iter().filter(|kind| self.property[*kind as usize]);
            kinds
                .filter(|kind| self.counts[*kind as usize] > 0 && usual(*kind) == wanted)
                .map(|kind| self.line(kind, set))
                .collect()
        };
        [("warning", lines(false)), ("remark", lines(true))]
            .into_iter()
            .filter(|(_, lines)| !lines.is_empty())
            .map(|(name, lines)| (name, lines.join("\n")))
            .collect()
    }

    fn line(&self, kind: Kind, set: &Settings) -> String {
        let (count, said, samples) = (self.counts[kind as usize], self.said[kind as usize], self.samples);
        let flagged = match said {
            said if said > 0 && !kind.has_degrees() => {
                format!("only the {said} in classes that have hardly any are flagged for it")
            }
            0 => "none is flagged for it".into(),
            1 => "only the most extreme one is flagged for it".into(),
            said => format!("only the {said} most extreme ones are flagged for it"),
        };
        let limit = format!(
            "more than the {} of the setting {}: {flagged}",
            share(set.prevalence_of(kind)),
            kind.prevalence_name()
        );
        // Gray pictures are odd only among colored ones, however they are stored.
        let gray = count + self.counts[Kind::Grayscale as usize];
        if kind == Kind::NoColor && gray > count {
            let all = share(gray as f64 / samples.max(1) as f64);
            return format!(
                "{gray} of {samples} pictures ({all}) are gray, of which {count} {} the fault '{}', {limit}",
                if count == 1 { "has" } else { "have" },
                kind.name()
            );
        }
        format!(
            "{count} of {samples} pictures ({}) have the fault '{}', {limit}",
            share(count as f64 / samples.max(1) as f64),
            kind.name()
        )
    }
}

/// What to add about files that were not looked at.
pub(crate) fn unknown(files: usize) -> String {
    match files {
        0 => String::new(),
        1 => "; 1 file could not be read and was not checked".into(),
        _ => format!("; {files} files could not be read and were not checked"),
    }
}
