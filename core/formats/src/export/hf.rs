//! A folder that `datasets.load_dataset("imagefolder")` reads: pictures, and beside them what is known of each.

use super::other_cells::OtherCells;
use super::pictures::{self, Pictures, text};
use super::placement::WITHOUT_SPLIT;
use super::sample_table::free_name;
use super::{Export, Format, Request, Target, Written};
use crate::Result;
use crate::dataset::is_known_column;
use crate::text::json_numbers;
use chaffinch_compute::job::Job;
use chaffinch_data::output::Tree;
use chaffinch_data::{class_names, manifest::Manifest};
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::sample::SampleId;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

pub(super) const FORMAT: Format = Format {
    name: "hf",
    summary: "The cleaned dataset for `imagefolder` of Hugging Face: SPLIT/CLASS/FILE with `metadata.jsonl`",
    file_name: "hf",
    target: Target::NewFolder,
    stage: Some("copy"),
    guards: false,
    write,
};

const TABLE: &str = "metadata.jsonl";

fn write(export: &Export<'_>, request: &Request, job: &Job<'_>) -> Result<Written> {
    pictures::described(export, request, job, &|_| PathBuf::new(), |pictures, tree, written| {
        describe(export, pictures, tree, written)
    })
}

fn describe(export: &Export<'_>, pictures: &Pictures, tree: &mut Tree, written: &mut Written) -> Result<()> {
    let names = names(export.source.manifest, written);
    let others = OtherCells::of(export);
    let mut tables: BTreeMap<&Path, Vec<u8>> = BTreeMap::new();
    for (id, split, path) in &pictures.placed {
        let table = tables.entry(split).or_default();
        let row = Value::from(row(export, *id, path, (&names, &others)));
        table.extend(json_numbers::json(&row).into_bytes());
        table.push(b'\n');
    }
    for (split, table) in &tables {
        tree.put_bytes(table, split, OsStr::new(TABLE))?;
    }
    written.warning = others.contradictions();
    if tables.len() > 1 && tables.contains_key(Path::new(WITHOUT_SPLIT)) {
        written.notes.push(format!(
            "pictures without a split are in {WITHOUT_SPLIT}, which `datasets` does not read beside splits"
        ));
    }
    Ok(())
}

fn row(
    export: &Export<'_>,
    id: SampleId,
    path: &Path,
    (names, others): (&[String], &OtherCells<'_>),
) -> Map<String, Value> {
    let (manifest, decisions) = (export.source.manifest, export.source.decisions);
    let label = export.label(id);
    let mut row = Map::new();
    let class = if label.is_empty() { Value::Null } else { Value::from(label.into_owned()) };
    row.insert("file_name".into(), Value::from(text(path)));
    row.insert("label".into(), class);
    row.insert("decision".into(), Value::from(export.decision(id)));
    row.insert("tags".into(), Value::from(decisions.tags(id).join(",")));
    row.insert("original_label".into(), Value::from(manifest.label_name(id)));
    let original = class_names::of_bytes(manifest.path(id).as_os_str().as_bytes());
    row.insert("original_path".into(), Value::from(original));
    for (column, name) in names.iter().enumerate() {
        row.insert(name.clone(), others.value(column, id));
    }
    row
}

/// What the dataset's other columns are called: not like those that mean something to a reader.
fn names(manifest: &Manifest, written: &mut Written) -> Vec<String> {
    let own = ["file_name", "label", "decision", "tags", "original_label", "original_path"];
    let mut taken: BTreeSet<String> = own.map(String::from).into();
    let mut names = Vec::new();
    for column in manifest.extra() {
        let low = column.name.trim().to_lowercase();
        let means = is_known_column(&low) || low.ends_with("file_name");
        let wanted = if means { format!("{low}_column") } else { column.name.clone() };
        let name = free_name(&wanted, &mut taken);
        if name != column.name {
            let (old, new) = (safe_text(&column.name), safe_text(&name));
            let text =
                format!("the column '{old}' of the dataset is '{new}', because that name has a meaning");
            written.renamed.push(text);
        }
        names.push(name);
    }
    names
}
