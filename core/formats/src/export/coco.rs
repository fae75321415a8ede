//! COCO: a file of annotations for each split, with one category for each class and one annotation for each picture.

use super::pictures::{self, Pictures, text};
use super::{Export, Format, Request, Target, Written};
use crate::{Error, Result};
use chaffinch_compute::job::Job;
use chaffinch_data::output::Tree;
use chaffinch_protocol::display::counted;
use chaffinch_protocol::sample::SampleId;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub(super) const FORMAT: Format = Format {
    name: "coco",
    summary: "The cleaned dataset as COCO: pictures by split, and `annotations/instances_SPLIT.json`",
    file_name: "coco",
    target: Target::NewFolder,
    stage: Some("copy"),
    guards: false,
    write,
};

/// The folder of pictures where there are no splits.
const IMAGES: &str = "images";

fn write(export: &Export<'_>, request: &Request, job: &Job<'_>) -> Result<Written> {
    let above = |splits: bool| if splits { PathBuf::new() } else { IMAGES.into() };
    pictures::described(export, request, job, &above, |pictures, tree, written| {
        describe(export, pictures, tree, written)
    })
}

fn describe(export: &Export<'_>, pictures: &Pictures, tree: &mut Tree, written: &mut Written) -> Result<()> {
    let names = export.classes_left();
    let numbers: BTreeMap<&str, usize> = names.iter().map(String::as_str).zip(1..).collect();
    let category = |(name, number): (&&str, &usize)| json!({"id": number, "name": name, "supercategory": ""});
    let categories: Vec<Value> = numbers.iter().map(category).collect();
    // Numbers are counted through all files, so that these can be joined.
    let mut splits: BTreeMap<&Path, Vec<(usize, SampleId, &Path)>> = BTreeMap::new();
    for (number, (id, split, path)) in (1..).zip(&pictures.placed) {
        splits.entry(split).or_default().push((number, *id, path));
    }
    let mut unknown = 0_u64;
    for (split, samples) in splits {
        let (mut images, mut annotations) = (Vec::new(), Vec::new());
        for (number, id, path) in samples {
            let size = export.size(id);
            unknown += u64::from(size.is_none());
            let (width, height) = size.unwrap_or_default();
            images.push(json!({
                "id": number, "file_name": text(path), "width": width, "height": height,
                "decision": export.decision(id), "tags": export.source.decisions.tags(id),
            }));
            if let Some(category) = numbers.get(&*export.label(id)) {
                // Box and outline are the whole picture: readers of objects and of masks refuse an annotation without them.
                let outline: Vec<[u32; 8]> = match (width, height) {
                    (0, _) | (_, 0) => Vec::new(),
                    _ => vec![[0, 0, width, 0, width, height, 0, height]],
                };
                annotations.push(json!({
                    "id": number, "image_id": number, "category_id": category,
                    "bbox": [0, 0, width, height], "area": u64::from(width) * u64::from(height),
                    "segmentation": outline, "iscrowd": 0,
                }));
            }
        }
        let whole = json!({
            "info": {"description": export.dataset}, "licenses": [], "categories": categories,
            "images": images, "annotations": annotations,
        });
        let mut bytes = serde_json::to_vec(&whole)
            .map_err(|error| Error::Invalid(format!("cannot write the annotations: {error}")))?;
        bytes.push(b'\n');
        let mut name = OsString::from("instances");
        if split != Path::new(IMAGES) {
            name.push("_");
            name.push(split.as_os_str());
        }
        name.push(".json");
        tree.put_bytes(&bytes, Path::new("annotations"), &name)?;
    }
    if unknown > 0 {
        let pictures = counted(unknown, "picture has", "pictures have");
        written.notes.push(format!("{pictures} no known size, which is written as 0"));
    }
    Ok(())
}
