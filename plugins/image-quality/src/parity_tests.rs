//! The same pixels get CleanVision's scores and flags.

use super::{ImageQuality, Measures, Sizes};
use chaffinch_plugin::prelude::*;
use chaffinch_plugin::testing::{MemoryHost, Picture};
use std::collections::BTreeMap;

/// What CleanVision says of made pictures, by `scripts/fixtures/make_quality_fixtures.py`.
const REFERENCE: &str = include_str!("../fixtures/cleanvision.csv");
const ALLOWED: f64 = 1e-4;

type Row = BTreeMap<&'static str, f64>;

fn rows() -> Vec<Row> {
    let mut lines = REFERENCE.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let numbers = |line: &'static str| line.split(',').map(|number| number.parse().unwrap());
    lines.map(|line| header.iter().copied().zip(numbers(line)).collect()).collect()
}

/// A triangle wave between 0 and 255.
fn wave(position: u32, period: u32) -> u32 {
    let index = position % (2 * period);
    (if index < period { index } else { 2 * period - index }) * 255 / period
}

/// The picture that the script makes of the same numbers.
fn made(row: &Row) -> Picture {
    let number = |name: &str| row[name] as u32;
    let (width, height) = (number("width"), number("height"));
    let (left, added, noise) = (number("left"), number("added"), number("noise"));
    let mut state = number("seed").wrapping_mul(2_654_435_761);
    let mut roll = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    let waves: Vec<[_; 2]> = (0..number("channels"))
        .map(|_| [(); 2].map(|()| (roll() % 7, roll() % 7, 5 + roll() % (width + height), roll() % 500)))
        .collect();
    let mut rgb = Vec::new();
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        let mut value = |channel: &[(u32, u32, u32, u32); 2]| {
            let total: u32 =
                channel.iter().map(|&(a, b, period, start)| wave(x * a + y * b + start, period)).sum();
            (total * left / 512 + added + roll() % (noise + 1)).min(255) as u8
        };
        let values: Vec<u8> = waves.iter().map(&mut value).collect();
        rgb.extend([0, 1, 2].map(|channel| values[channel.min(values.len() - 1)]));
    }
    Picture { width, height, rgb }
}

fn measured(picture: &Picture, channels: u32) -> Measures {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let source = Source { channels, ..Source::default() };
    let pixels = Pixels { rgb: &picture.rgb, width, height, full_width: width, full_height: height, source };
    Measures::of(&pixels)
}

#[test]
fn scores_and_flags_are_those_of_cleanvision() {
    let rows = rows();
    assert!(rows.len() >= 100);
    let pictures: Vec<Picture> = rows.iter().map(made).collect();
    let sources: Vec<Source> =
        rows.iter().map(|row| Source { channels: row["channels"] as u32, ..Source::default() }).collect();
    let all: Vec<Measures> =
        pictures.iter().zip(&sources).map(|(picture, source)| measured(picture, source.channels)).collect();
    let sizes = Sizes::of(&all, 3.0);

    let mut worst = BTreeMap::new();
    for (row, seen) in rows.iter().zip(&all) {
        let own = [
            ("dark_score", seen.dark),
            ("light_score", seen.light),
            ("low_information_score", seen.information()),
            ("blurry_score", seen.sharpness),
            ("odd_aspect_ratio_score", seen.aspect()),
            ("odd_size_score", sizes.score(seen)),
            ("grayscale_score", if seen.stored_gray() { 0.0 } else { 1.0 }),
        ];
        for (name, own) in own {
            let difference = (f64::from(own) - row[name]).abs();
            assert!(difference <= ALLOWED, "{name} is {own}, not {}: {row:?}", row[name]);
            let worst: &mut f64 = worst.entry(name).or_default();
            *worst = worst.max(difference);
        }
    }
    println!("largest differences: {worst:?}");

    // The detector says the same in words, with every fault flagged however many have it.
    let host = MemoryHost::new().pictures(pictures).sources(&sources).param("prevalence", 1.0);
    let outcome = host.run(&ImageQuality);
    let words = [
        ("is_dark_issue", "dark: "),
        ("is_light_issue", "almost white: "),
        ("is_low_information_issue", "hardly any information: "),
        ("is_blurry_issue", "blurry: "),
        ("is_odd_aspect_ratio_issue", "odd shape: "),
        ("is_odd_size_issue", "than the others: "),
        ("is_grayscale_issue", "stored without color"),
    ];
    for (sample, row) in rows.iter().enumerate() {
        let reason = outcome.issue(sample).map_or("", |issue| issue.reason.as_str());
        for (flag, word) in words {
            assert_eq!(reason.contains(word), row[flag] == 1.0, "{flag}: '{reason}' of {row:?}");
        }
    }
}
