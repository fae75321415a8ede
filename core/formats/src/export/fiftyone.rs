//! FiftyOne's own format, `FiftyOneDataset`: `data/`, `samples.json` and `metadata.json`.

use super::pictures::{self, Pictures, text};
use super::sample_table::json_number;
use super::{Export, Format, Request, Target, Written};
use crate::{Error, Result};
use chaffinch_compute::job::Job;
use chaffinch_data::output::Tree;
use chaffinch_protocol::sample::SampleId;
use chaffinch_review::verdict::is_flagged;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;

pub(super) const FORMAT: Format = Format {
    name: "fiftyone",
    summary: "The cleaned dataset as a FiftyOneDataset: labels, tags, and the detectors' scores as fields",
    file_name: "fiftyone",
    target: Target::NewFolder,
    stage: Some("copy"),
    guards: false,
    write,
};

fn write(export: &Export<'_>, request: &Request, job: &Job<'_>) -> Result<Written> {
    pictures::described(export, request, job, &|_| "data".into(), |pictures, tree, _| {
        describe(export, pictures, tree)
    })
}

fn describe(export: &Export<'_>, pictures: &Pictures, tree: &mut Tree) -> Result<()> {
    let fields = fields(export);
    let placed = pictures.placed.iter();
    let samples: Vec<Value> =
        placed.map(|(id, split, path)| sample(export, *id, &split.join(path), &fields).into()).collect();
    let metadata = json!({
        "name": export.dataset, "media_type": "image", "info": {}, "default_classes": export.classes_left(),
    });
    for (name, value) in [("metadata.json", metadata), ("samples.json", json!({ "samples": samples }))] {
        let mut bytes = serde_json::to_vec(&value)
            .map_err(|error| Error::Invalid(format!("cannot write {name}: {error}")))?;
        bytes.push(b'\n');
        tree.put_bytes(&bytes, Path::new(""), OsStr::new(name))?;
    }
    Ok(())
}

/// The names of fields for the detectors, in their order: letters, digits and underscores.
fn fields(export: &Export<'_>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let free = |name: &String| {
        let name: String = name.chars().map(plain).collect();
        let name = name.trim_matches('_').to_owned();
        let mut free = name.clone();
        let mut number = 1;
        while !taken.insert(free.clone()) {
            number += 1;
            free = format!("{name}_{number}");
        }
        free
    };
    export.source.results.keys().map(free).collect()
}

fn sample(export: &Export<'_>, id: SampleId, path: &Path, fields: &[String]) -> Map<String, Value> {
    let (manifest, decisions) = (export.source.manifest, export.source.decisions);
    let class = |label: &str| json!({"_cls": "Classification", "tags": [], "label": label});
    let mut tags: Vec<&str> = vec![manifest.split_as_written(id).trim(), export.decision(id)];
    tags.extend(decisions.tags(id).iter().map(String::as_str));
    let mut seen = BTreeSet::new();
    tags.retain(|tag| !tag.is_empty() && seen.insert(*tag));
    let mut sample = Map::new();
    let mut add = |name: &str, value: Value| {
        sample.insert(name.to_owned(), value);
    };
    add("filepath", Value::from(text(path)));
    add("tags", Value::from(tags));
    if let Some((width, height)) = export.size(id) {
        add("metadata", json!({"_cls": "ImageMetadata", "width": width, "height": height}));
    }
    let label = export.label(id);
    if !label.is_empty() {
        add("ground_truth", class(&label));
    }
    if export.new_label(id).is_some() && !manifest.label_name(id).is_empty() {
        add("original_label", class(manifest.label_name(id)));
    }
    if let Some(suggested) = export.suggested(id) {
        add("suggestion", class(suggested));
    }
    if let Some(score) = export.source.ranking.score(id.index()) {
        add("score", json_number(score));
    }
    let verdicts = export.source.verdicts();
    for ((name, result), field) in export.source.results.iter().zip(fields) {
        let Some(score) = result.score(id) else { continue };
        add(&format!("{field}_score"), json_number(score));
        add(&format!("{field}_issue"), Value::from(is_flagged(score, verdicts.threshold(name, result))));
    }
    let note = decisions.note(id);
    if !note.is_empty() {
        add("note", Value::from(note));
    }
    sample
}
