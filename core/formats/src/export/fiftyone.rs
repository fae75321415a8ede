//! FiftyOne's own format, `FiftyOneDataset`: `data/`, `samples.json` and `metadata.json`.

use super::other_cells::OtherCells;
use super::pictures::{self, Pictures, text};
use super::sample_table::json_number;
use super::{Export, Format, Request, Target, Written};
use crate::Result;
use crate::dataset::{OF_FILES, is_known_column};
use crate::text::json_numbers;
use chaffinch_compute::job::Job;
use chaffinch_data::output::Tree;
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::sample::SampleId;
use chaffinch_review::verdict::is_flagged;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;

pub(super) const FORMAT: Format = Format {
    name: "fiftyone",
    summary: "The cleaned dataset as a FiftyOneDataset: labels, tags, other columns and the detectors' scores as fields",
    file_name: "fiftyone",
    target: Target::NewFolder,
    stage: Some("copy"),
    guards: false,
    write,
};

fn write(export: &Export<'_>, request: &Request, job: &Job<'_>) -> Result<Written> {
    pictures::described(export, request, job, &|_| "data".into(), |pictures, tree, written| {
        describe(export, pictures, tree, written)
    })
}

fn describe(export: &Export<'_>, pictures: &Pictures, tree: &mut Tree, written: &mut Written) -> Result<()> {
    let fields = fields(export);
    let others = Others { cells: OtherCells::of(export), fields: other_fields(export, &fields, written) };
    let placed = pictures.placed.iter();
    let samples: Vec<Value> = placed
        .map(|(id, split, path)| sample(export, *id, &split.join(path), (&fields, &others)).into())
        .collect();
    let metadata = json!({
        "name": export.dataset, "media_type": "image", "info": {}, "default_classes": export.classes_left(),
    });
    for (name, value) in [("metadata.json", metadata), ("samples.json", json!({ "samples": samples }))] {
        // Numbers of the dataset are written as they are in it.
        let mut text = json_numbers::json(&value);
        text.push('\n');
        tree.put_bytes(text.as_bytes(), Path::new(""), OsStr::new(name))?;
    }
    written.warning = others.cells.contradictions();
    Ok(())
}

/// The column of tags, which a FiftyOneDataset has as a list.
const TAGS: &str = "tags";
/// Fields that a sample may have beside those of detectors and of the dataset.
const OWN: [&str; 6] = ["ground_truth", "original_label", "suggestion", "score", "note", "split"];

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

/// The dataset's other columns.
struct Others<'a> {
    cells: OtherCells<'a>,
    /// The field of each; that of tags has none.
    fields: Vec<Option<String>>,
}

impl Others<'_> {
    /// The tags that a sample has in the dataset.
    fn tags(&self, id: SampleId) -> Vec<String> {
        let column = self.fields.iter().position(Option::is_none);
        let text = column.map(|column| self.cells.cell(column, id)).unwrap_or_default();
        text.split(',').map(|tag| tag.trim().to_owned()).collect()
    }

    /// The fields of a sample that are not empty.
    fn of(&self, id: SampleId) -> impl Iterator<Item = (&String, Value)> {
        self.fields.iter().enumerate().filter_map(move |(column, field)| {
            let value = match self.cells.value(column, id) {
                // FiftyOne has no field for any lists and objects.
                Value::Array(_) | Value::Object(_) => Value::from(self.cells.cell(column, id)),
                value => value,
            };
            Some((field.as_ref()?, value)).filter(|(_, value)| !value.is_null() && *value != "")
        })
    }
}

/// What the dataset's other columns are called as fields: letters, digits and underscores, and not like a field that has a
/// meaning.
fn other_fields(export: &Export<'_>, detectors: &[String], written: &mut Written) -> Vec<Option<String>> {
    let detectors =
        detectors.iter().flat_map(|field| ["score", "issue"].map(|what| format!("{field}_{what}")));
    let mut taken: BTreeSet<String> =
        detectors.chain(OWN.iter().chain(OF_FILES).map(|own| (*own).to_owned())).collect();
    let mut tags = false;
    let mut field = |name: &str| {
        if name == TAGS && !std::mem::replace(&mut tags, true) {
            return None;
        }
        let plain = |c: char| if c.is_alphanumeric() { c } else { '_' };
        let mut wanted: String = name.trim().chars().map(plain).collect();
        let means = is_known_column(&wanted.to_lowercase()) || taken.contains(&wanted);
        if means || !wanted.starts_with(char::is_alphabetic) {
            wanted = format!("field_{}", wanted.trim_start_matches('_'));
        }
        let mut free = wanted.clone();
        let mut number = 1;
        while !taken.insert(free.clone()) {
            number += 1;
            free = format!("{wanted}_{number}");
        }
        if free != name {
            let (old, new) = (safe_text(name), safe_text(&free));
            written.renamed.push(format!(
                "the column '{old}' of the dataset is the field '{new}', because FiftyOne cannot have that name or has another \
                 meaning for it"
            ));
        }
        Some(free)
    };
    export.source.manifest.extra().iter().map(|column| field(&column.name)).collect()
}

fn sample(
    export: &Export<'_>,
    id: SampleId,
    path: &Path,
    (fields, others): (&[String], &Others<'_>),
) -> Map<String, Value> {
    let (manifest, decisions) = (export.source.manifest, export.source.decisions);
    let class = |label: &str| json!({"_cls": "Classification", "tags": [], "label": label});
    let own = others.tags(id);
    let mut tags: Vec<&str> = vec![manifest.split_as_written(id).trim(), export.decision(id)];
    tags.extend(decisions.tags(id).iter().chain(&own).map(String::as_str));
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
    others.of(id).for_each(|(field, value)| add(field, value));
    sample
}
