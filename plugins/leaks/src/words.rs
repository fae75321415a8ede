//! Describes what has leaked.

use crate::copies::{Copies, Match, rank};
use crate::likeness::Likeness;
use chaffinch_likeness::Look;
use chaffinch_plugin::Orientation;
use chaffinch_plugin::prelude::*;
use std::collections::BTreeMap;

/// The sentence for one sample.
pub(crate) fn reason(view: &View<'_>, sample: usize, copies: &[Match]) -> String {
    let what = match copies[0].likeness {
        Likeness::Exact => "the same file is".to_owned(),
        Likeness::Near { look: Look::SamePixels, .. } => "a picture with the same pixels is".to_owned(),
        Likeness::Near { look: Look::SamePicture, orientation, .. } => {
            format!("the same picture{} is", turned(orientation))
        }
        Likeness::Near { look: Look::Alike, .. } => {
            "a picture that looks alike at a glance, but is not the same, is".to_owned()
        }
        Likeness::Part { more, border, orientation, .. } => {
            let what = match (more, border) {
                (true, true) => "the same picture without the border",
                (false, true) => "the same picture with a border around it",
                (true, false) => "a crop of it",
                (false, false) => "a picture that it is a crop of",
            };
            format!("{what}{} is", turned(orientation))
        }
        Likeness::Semantic { cosine, .. } => {
            format!("a picture with nearly the same embedding (cosine {cosine:.3}) is")
        }
    };
    let mut text = format!("in {}, and {what} in {}", view.split(sample).name(), named(view, copies));
    let own = view.labels()[sample];
    let others = copies.iter().map(|copy| view.labels()[copy.other as usize]);
    if let Some(other) =
        others.into_iter().find(|&label| label != NO_LABEL && own != NO_LABEL && label != own)
    {
        text +=
            &format!("; it is labeled {} here and {} there", view.class_name(own), view.class_name(other));
    }
    text
}

/// How a picture is turned, after a comma.
fn turned(orientation: Orientation) -> String {
    match orientation.name() {
        "" => String::new(),
        turned => format!(", {turned},"),
    }
}

/// The sets that hold the copies.
fn named(view: &View<'_>, copies: &[Match]) -> String {
    let mut counts: BTreeMap<Split, usize> = BTreeMap::new();
    for copy in copies {
        *counts.entry(view.split(copy.other as usize)).or_default() += 1;
    }
    let parts = counts.iter().map(|(&split, &count)| match count {
        1 => split.name().to_owned(),
        2 => format!("{} twice", split.name()),
        _ => format!("{} {count} times", split.name()),
    });
    parts.collect::<Vec<_>>().join(" and in ")
}

/// A line about files that could not be compared, if there are any.
pub(crate) fn unknown(view: &View<'_>) -> String {
    match (0..view.len()).filter(|&sample| !view.decodable(sample)).count() {
        0 => String::new(),
        1 => "\n1 file could not be read and was not checked".into(),
        files => format!("\n{files} files could not be read and were not checked"),
    }
}

/// A line for each set that was examined.
pub(crate) fn summary(view: &View<'_>, copies: &Copies) -> String {
    let mut sizes: BTreeMap<Split, usize> = BTreeMap::new();
    for sample in (0..view.len()).filter(|&sample| view.decodable(sample)) {
        *sizes.entry(view.split(sample)).or_default() += 1;
    }
    let mut leaked: BTreeMap<Split, usize> = BTreeMap::new();
    for (sample, _) in copies.by_sample() {
        *leaked.entry(view.split(sample)).or_default() += 1;
    }
    let later = sizes.iter().filter(|(split, _)| rank(**split) > Some(0));
    let lines = later.map(|(split, &size)| {
        let count = leaked.get(split).copied().unwrap_or(0);
        let percent = 100.0 * count as f64 / size as f64;
        format!("{count} of {size} in {} ({percent:.2} %) are also in an earlier set", split.name())
    });
    lines.collect::<Vec<_>>().join("\n")
}
