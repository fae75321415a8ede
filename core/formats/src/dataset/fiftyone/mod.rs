//! Datasets that FiftyOne exported: `labels.json` of image classification, and `samples.json` of whole datasets.

mod labels;
mod rewrite;
mod samples;

use super::annotated::Annotated;
use super::around::Around;
use super::json::{Outer, Shape};
use super::reading_options::OF_FIELDS;
use super::{ClassNames, DatasetOptions, Format};
use crate::Result;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

pub(super) const FORMAT: Format = Format {
    name: "a FiftyOne labels.json or samples.json",
    summary: "a FiftyOne export",
    details: "a FiftyOneDataset (`metadata.json`, `samples.json` or `samples/`, `data/`), an image classification directory (`labels.json`, \
              `data/` or `data.json`), or one of these files; the label is the field `ground_truth`, else the only \
              classification; splits come from a field `split` or from tags; other plain fields are kept",
    written: "`fiftyone` writes a FiftyOneDataset; `cleaned` writes class folders, `cleaned-table` a CSV table",
    lost: "boxes, masks, embeddings, saved views",
    class_names: ClassNames::Written,
    annotated: Some(|candidate, options| single(candidate.path(), options)),
    elsewhere: false,
    options: |_| OF_FIELDS,
    detect: |candidate| {
        candidate.has_extension(&["json"])
            && Shape::of_file(candidate.path()).is_some_and(|shape| kind(candidate.path(), &shape).is_some())
    },
    read: |candidate, options| single(candidate.path(), options)?.into_rows(),
};

/// One file with the pictures that it lists.
fn single(file: &Path, options: &DatasetOptions) -> Result<Annotated> {
    let home = file.parent().unwrap_or(Path::new("/"));
    let shape = Shape::of_file(file);
    let kind = shape.and_then(|shape| kind(file, &shape)).unwrap_or(Kind::Samples);
    kind.read(file, home, options)
}

pub(crate) use samples::{OWN as OF_FILES, split_tag};

const WHOSE: &str = "FiftyOne";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Labels,
    Samples,
}

impl Kind {
    fn read(self, file: &Path, home: &Path, options: &DatasetOptions) -> Result<Annotated> {
        match self {
            Kind::Labels => Ok(Annotated { rewrite: rewrite::labels, ..labels::read(file, home, options)? }),
            Kind::Samples => {
                Ok(Annotated { rewrite: rewrite::samples, ..samples::read(file, home, options)? })
            }
        }
    }
}

/// What an object is, if it is FiftyOne's.
fn kind(file: &Path, shape: &Shape) -> Option<Kind> {
    let is_labels = || {
        // The names of very many classes fill what was looked at.
        let called = file.file_name() == Some(OsStr::new("labels.json"));
        shape.has("labels") || called
    };
    match () {
        () if shape.outer != Outer::Object => None,
        // Others may call a list of pictures like that, too.
        () if shape.has("samples") && (shape.inner.contains("filepath") || shape.inner.is_empty()) => {
            Some(Kind::Samples)
        }
        () if shape.has("classes") && is_labels() && !shape.has("images") => Some(Kind::Labels),
        () => None,
    }
}

/// The files of a folder.
pub(super) fn in_folder(around: &Around<'_>) -> Result<Vec<Annotated>> {
    let mut all = Vec::new();
    for (path, shape) in around.objects() {
        let Some(kind) = kind(path, &shape) else { continue };
        let file = around.root.join(path);
        let home = file.parent().unwrap_or(around.root);
        let options = DatasetOptions { root: None, ..around.options.clone() };
        all.push(kind.read(&file, home, &options)?);
    }
    for (metadata, files) in folders_of_samples(around) {
        let home = metadata.parent().unwrap_or(around.root);
        let options = DatasetOptions { root: None, ..around.options.clone() };
        all.push(samples::read_each(&files, &metadata, home, &options)?);
    }
    Ok(all)
}

/// The files in folders `samples/` beside a `metadata.json` of FiftyOne, one for each sample.
fn folders_of_samples(around: &Around<'_>) -> BTreeMap<PathBuf, Vec<PathBuf>> {
    let mut all: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    for path in around.called(|name| name.ends_with(".json")) {
        let Some(folder) = path.parent().filter(|folder| folder.ends_with("samples")) else { continue };
        let metadata = around.root.join(folder).with_file_name("metadata.json");
        all.entry(metadata).or_default().push(around.root.join(path));
    }
    let is_whole = |metadata: &Path| {
        let shape = Shape::of_file(metadata);
        shape.is_some_and(|shape| shape.has_any(&["sample_collection_name", "sample_fields"]))
            && !metadata.with_file_name("samples.json").is_file()
    };
    all.retain(|metadata, _| is_whole(metadata));
    all
}

#[cfg(test)]
mod tests;
