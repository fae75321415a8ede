//! The columns that every dataset has, and the same columns as numbers and as labels.

use super::Dataset;
use crate::{Error, NO_LABEL};
use std::collections::BTreeMap;

/// Columns that every dataset has, unless it has one of its own with this name.
pub const COLUMNS: [&str; 6] = ["path", "label", "split", "width", "height", "bytes"];

/// One of [`COLUMNS`] as text; `path` gives the path of a sample.
pub fn standard_column(
    name: &str,
    data: &Dataset<'_>,
    path: impl Fn(usize) -> String,
) -> Option<Vec<String>> {
    let split = |code: u8| ["", "train", "validation", "test"].get(usize::from(code)).copied().unwrap_or("");
    let class = |label: u32| data.classes.get(label as usize).cloned().unwrap_or_default();
    let size = |sample: usize| data.dimensions.get(sample).copied().unwrap_or_default();
    let of = |sample: usize| match name {
        "path" => Some(path(sample)),
        "label" => Some(class(data.labels[sample])),
        "split" => Some(split(data.splits[sample]).to_owned()),
        "width" => Some(size(sample).width.to_string()),
        "height" => Some(size(sample).height.to_string()),
        "bytes" => Some(size(sample).bytes.to_string()),
        _ => None,
    };
    COLUMNS.contains(&name).then(|| (0..data.labels.len()).filter_map(of).collect())
}

/// The error for a column that a dataset does not have; `hint` is a correction to suggest, or empty.
pub fn no_column<'a>(name: &str, own: impl IntoIterator<Item = &'a str>, hint: &str) -> Error {
    let known: Vec<&str> = own.into_iter().chain(COLUMNS).collect();
    let known = known.join(", ");
    Error::missing(format!("this dataset has no column '{}' (it has: {known}){hint}", name.escape_debug()))
}

/// Texts as numbers, NaN where they are none.
pub(super) fn numbers(texts: &[String]) -> Vec<f64> {
    let number = |text: &String| text.trim().parse().ok().filter(|number: &f64| number.is_finite());
    texts.iter().map(|text| number(text).unwrap_or(f64::NAN)).collect()
}

/// Texts as labels, [`NO_LABEL`] where they name no class.
pub(super) fn labels(texts: &[String], classes: &[String]) -> Vec<u32> {
    let places: BTreeMap<&str, u32> = classes.iter().map(String::as_str).zip(0..).collect();
    texts.iter().map(|text| places.get(text.trim()).copied().unwrap_or(NO_LABEL)).collect()
}

/// The error for the scores of a detector that has no result.
pub fn no_scores(detector: &str) -> Error {
    Error::missing(format!("the detector {} has no result", detector.escape_debug()))
}
