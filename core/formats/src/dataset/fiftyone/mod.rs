//! Datasets that FiftyOne exported: `labels.json` of image classification, and `samples.json` of whole datasets.

mod labels;
mod samples;

use super::annotated::Annotated;
use super::around::Around;
use super::json::{Outer, Shape};
use super::{ClassNames, DatasetOptions, Format};
use crate::Result;
use std::ffi::OsStr;
use std::path::Path;

pub(super) const FORMAT: Format = Format {
    name: "a FiftyOne labels.json or samples.json",
    summary: "a FiftyOne export",
    details: "a FiftyOneDataset (`metadata.json`, `samples.json`, `data/`), an image classification directory (`labels.json`, \
              `data/` or `data.json`), or one of these files; the label is the field `ground_truth`, else the only \
              classification; splits come from a field `split` or from tags; other plain fields are kept",
    written: "`fiftyone` writes a FiftyOneDataset; `cleaned` writes class folders, `cleaned-table` a CSV table",
    lost: "boxes, masks, embeddings, saved views",
    class_names: ClassNames::Written,
    elsewhere: false,
    detect: |candidate| {
        candidate.has_extension(&["json"])
            && Shape::of_file(candidate.path()).is_some_and(|shape| kind(candidate.path(), &shape).is_some())
    },
    read: |candidate, options| {
        let file = candidate.path();
        let home = file.parent().unwrap_or(Path::new("/"));
        let shape = Shape::of_file(file);
        let kind = shape.and_then(|shape| kind(file, &shape)).unwrap_or(Kind::Samples);
        kind.read(file, home, options)?.into_rows()
    },
};

const WHOSE: &str = "FiftyOne";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Labels,
    Samples,
}

impl Kind {
    fn read(self, file: &Path, home: &Path, options: &DatasetOptions) -> Result<Annotated> {
        match self {
            Kind::Labels => labels::read(file, home, options),
            Kind::Samples => samples::read(file, home, options),
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
    Ok(all)
}

#[cfg(test)]
mod tests;
