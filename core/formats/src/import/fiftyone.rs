//! FiftyOne: `samples.json` of an exported FiftyOneDataset, with the fields that FiftyOne Brain computes, and tags.

use super::detector::{Detector, FLAGGED};
use super::{Importer, Read, Target, json};
use crate::dataset::{split_named, split_tag};
use crate::row_splits::RowSplits;
use crate::{Error, Result};
use chaffinch_data::issue::Issue;
use chaffinch_data::journal::Said;
use chaffinch_protocol::sample::SampleId;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub(super) const IMPORTER: Importer = Importer {
    name: "fiftyone",
    summary: "FiftyOne's uniqueness, mistakenness, hardness and representativeness, and tags",
    files: "`samples.json` of an exported FiftyOneDataset, or its folder",
    in_folder: &["samples.json"],
    options: &[],
    read,
};

/// Fields of FiftyOne Brain, what a low score here means, and whether a high value is bad.
const FIELDS: [(&str, &str, bool); 4] = [
    ("uniqueness", "Others look like it", false),
    ("mistakenness", "The label is likely wrong", true),
    ("hardness", "The sample is hard to predict", true),
    ("representativeness", "The sample is far from all centers", false),
];

/// How words begin that name a fault, and such words as a whole. A tag with one of them flags.
const FAULTS: [&str; 10] =
    ["duplicate", "mislabel", "mistake", "wrong", "error", "outlier", "leak", "corrupt", "blur", "nois"];
const FAULT_WORDS: [&str; 5] = ["bad", "dark", "bright", "issue", "issues"];

/// The reviewer of tags, which FiftyOne does not name.
const REVIEWER: &str = "fiftyone";

fn read(files: &[PathBuf], target: &Target<'_>) -> Result<Read> {
    let mut read = Read::default();
    for file in files {
        one(file, target, &mut read)?;
    }
    Ok(read)
}

fn one(file: &Path, target: &Target<'_>, read: &mut Read) -> Result<()> {
    let value = json::read(file)?;
    let samples = value.get("samples").unwrap_or(&value).as_array().filter(|all| !all.is_empty());
    let samples = samples.ok_or_else(|| {
        Error::format(file, "it has no list 'samples'; export a FiftyOneDataset and name its samples.json")
    })?;
    let objects: Option<Vec<&Map<String, Value>>> = samples.iter().map(Value::as_object).collect();
    let objects = objects.ok_or_else(|| Error::format(file, "its samples are not objects"))?;
    let mut names = Vec::with_capacity(objects.len());
    for (number, object) in objects.iter().enumerate() {
        let path = object.get("filepath").and_then(Value::as_str);
        let path = path.ok_or_else(|| Error::format(file, format!("sample {number} has no 'filepath'")))?;
        names.push(path.as_bytes().to_vec());
    }
    let tag = |object: &&Map<String, Value>| split_tag(object).and_then(split_named);
    let splits = RowSplits::new(objects.iter().map(|object| tag(object).unwrap_or_default()));
    let ids = target.samples_in_turn(file, (&names, splits.as_ref()), read)?;
    for (field, summary, high_is_bad) in FIELDS {
        let mut detector = Detector::new(field, format!("{summary} (FiftyOne)"));
        for (id, object) in ids.iter().zip(&objects) {
            // Mistakenness may stand with the label.
            let of_label = || object.values().find_map(|value| value.as_object()?.get(field));
            let value = object.get(field).filter(|value| !value.is_null()).or_else(of_label);
            let (Some(id), Some(value)) = (*id, value.and_then(Value::as_f64)) else { continue };
            let score = if high_is_bad { 1.0 - value as f32 } else { value as f32 };
            let reason = format!("FiftyOne gives it a {field} of {value:.4}");
            detector.add(id, Issue { score, reason, ..Issue::default() }, false);
        }
        if !detector.is_empty() {
            detector
                .notes
                .push("FiftyOne has no threshold for it: move the threshold to flag samples".into());
            read.detectors.push(detector);
        }
    }
    tags(&ids, &objects, read);
    if read.detectors.is_empty() && read.said.is_empty() {
        let fields = FIELDS.map(|(name, ..)| name).join(", ");
        return Err(Error::format(file, format!("its samples have no tags and none of {fields}")));
    }
    Ok(())
}

/// Tags other than splits are tags here, and those that name a fault flag.
fn tags(ids: &[Option<SampleId>], objects: &[&Map<String, Value>], read: &mut Read) {
    let mut tagged: BTreeMap<&str, BTreeSet<SampleId>> = BTreeMap::new();
    for (id, object) in ids.iter().zip(objects) {
        let Some(id) = *id else { continue };
        let all =
            object.get("tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let all: Vec<&str> = all.filter(|tag| !is_split(tag) && !tag.trim().is_empty()).collect();
        for tag in &all {
            tagged.entry(tag).or_default().insert(id);
        }
        if !all.is_empty() {
            let tags = all.into_iter().map(str::to_owned).collect();
            read.said.push((Some(REVIEWER.to_owned()), id, Said { tags, ..Said::default() }));
        }
    }
    for (tag, with) in tagged {
        if !names_fault(tag) {
            continue;
        }
        let mut detector = Detector::new(tag, format!("The sample is tagged {tag} (FiftyOne)"));
        for id in &with {
            let reason = format!("it is tagged {tag} in FiftyOne");
            detector.add(*id, Issue { score: FLAGGED, reason, ..Issue::default() }, true);
        }
        detector.rest_is_fine(ids.iter().flatten().copied());
        read.detectors.push(detector);
    }
}

fn names_fault(tag: &str) -> bool {
    let tag = tag.to_lowercase();
    let mut words = tag.split(|c: char| !c.is_alphanumeric());
    words.any(|word| FAULTS.iter().any(|fault| word.starts_with(fault)) || FAULT_WORDS.contains(&word))
}

fn is_split(tag: &str) -> bool {
    matches!(
        tag.to_lowercase().as_str(),
        "train" | "training" | "val" | "valid" | "validation" | "test" | "testing"
    )
}
