//! The dataset as data: paths, labels, splits.

use crate::columns::Column;
use chaffinch_compute::image::decode::Ground;
use chaffinch_protocol::sample::{LabelId, SampleId, Split};
use rayon::prelude::*;
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// All samples in a fixed order, stored by column, so that ten million of them take little more memory than their
/// paths. The order is that of the dataset (sorted paths of a folder, rows of a table) and never changes.
#[derive(Debug, Clone, Default)]
pub struct Manifest {
    root: PathBuf,
    path_bytes: Column<u8>,
    path_ends: Column<u64>,
    labels: Column<u32>,
    splits: Column<u8>,
    classes: Vec<String>,
    extra: Vec<ExtraColumn>,
    ground: Ground,
}

/// A column of the user's table that Chaffinch does not use but keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExtraColumn {
    /// Its name.
    pub name: String,
    /// One value per sample.
    pub values: Vec<String>,
}

/// One row for a [`Manifest`].
#[derive(Debug, Clone)]
pub struct NewSample {
    /// Relative to the root, or absolute.
    pub path: PathBuf,
    /// The class's name, if it has one.
    pub label: Option<String>,
    /// Its split.
    pub split: Split,
}

/// The input of [`Manifest::from_columns`].
pub(crate) struct ManifestColumns {
    /// All paths concatenated.
    pub(crate) path_bytes: Column<u8>,
    /// Where each path ends.
    pub(crate) path_ends: Column<u64>,
    /// Indices into `classes`, or [`NO_LABEL`].
    pub(crate) labels: Column<u32>,
    /// [`Split::code`]s.
    pub(crate) splits: Column<u8>,
    /// Class names, sorted.
    pub(crate) classes: Vec<String>,
}

/// The value for "no label" in columns.
pub const NO_LABEL: u32 = u32::MAX;

impl Manifest {
    /// Builds a manifest. Classes are the names that occur, sorted by code point.
    pub fn new(root: impl Into<PathBuf>, samples: impl IntoIterator<Item = NewSample>) -> Manifest {
        let (mut path_bytes, mut path_ends, mut splits) = (Vec::new(), Vec::new(), Vec::new());
        let mut names: Vec<Option<String>> = Vec::new();
        for sample in samples {
            path_bytes.extend_from_slice(&sample.path.into_os_string().into_vec());
            path_ends.push(path_bytes.len() as u64);
            splits.push(sample.split.code());
            names.push(sample.label);
        }
        let mut classes: Vec<String> = names.iter().flatten().cloned().collect();
        classes.sort_unstable();
        classes.dedup();
        let labels = names
            .iter()
            .map(|name| {
                let found = name.as_ref().and_then(|name| classes.binary_search(name).ok());
                found.map_or(NO_LABEL, |found| found as u32)
            })
            .collect();
        Manifest {
            root: root.into(),
            path_bytes: path_bytes.into(),
            path_ends: path_ends.into(),
            labels,
            splits: splits.into(),
            classes,
            extra: Vec::new(),
            ground: Ground::default(),
        }
    }

    /// Restores a manifest from stored columns. `None` if they are inconsistent.
    pub(crate) fn from_columns(root: PathBuf, columns: ManifestColumns) -> Option<Manifest> {
        let ManifestColumns { path_bytes, path_ends, labels, splits, classes } = columns;
        let fits = path_ends.len() == labels.len()
            && splits.len() == labels.len()
            && is_sorted(&path_ends)
            && path_ends.last().copied().unwrap_or(0) == path_bytes.len() as u64
            && classes.is_sorted()
            && labels.par_iter().all(|&label| label == NO_LABEL || (label as usize) < classes.len());
        let (extra, ground) = (Vec::new(), Ground::default());
        fits.then(|| Manifest { root, path_bytes, path_ends, labels, splits, classes, extra, ground })
    }

    /// All paths concatenated, and where each ends.
    pub fn path_columns(&self) -> (&[u8], &[u64]) {
        (&self.path_bytes, &self.path_ends)
    }

    /// Adds extra columns; each must have one value per sample.
    #[must_use]
    pub fn with_extra(mut self, extra: Vec<ExtraColumn>) -> Manifest {
        debug_assert!(extra.iter().all(|column| column.values.len() == self.len()));
        self.extra = extra;
        self
    }

    /// The same, whose pictures are put on a ground.
    #[must_use]
    pub fn with_ground(mut self, ground: Ground) -> Manifest {
        self.ground = ground;
        self
    }

    /// What is put in the place of its pictures' transparency.
    pub fn ground(&self) -> Ground {
        self.ground
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// All samples in order.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = SampleId> + use<> {
        (0..self.len() as u32).map(SampleId)
    }

    /// The base folder of relative paths.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The path as in the dataset: relative to the root, or absolute. May contain any bytes but NUL.
    ///
    /// # Panics
    /// When there is no such sample.
    pub fn path(&self, id: SampleId) -> &Path {
        let start = if id.0 == 0 { 0 } else { self.path_ends[id.index() - 1] as usize };
        Path::new(OsStr::from_bytes(&self.path_bytes[start..self.path_ends[id.index()] as usize]))
    }

    /// The full path of the file.
    pub fn full_path(&self, id: SampleId) -> PathBuf {
        self.root.join(self.path(id))
    }

    /// The given label.
    pub fn label(&self, id: SampleId) -> Option<LabelId> {
        match self.labels[id.index()] {
            NO_LABEL => None,
            label => Some(LabelId(label)),
        }
    }

    /// The given label's name, empty if it has none.
    pub fn label_name(&self, id: SampleId) -> &str {
        self.label(id).map_or("", |label| self.class(label))
    }

    /// All labels as numbers, [`NO_LABEL`] if there is none.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The split.
    pub fn split(&self, id: SampleId) -> Split {
        Split::from_code(self.splits[id.index()])
    }

    /// All splits as [`Split::code`]s.
    pub fn splits(&self) -> &[u8] {
        &self.splits
    }

    /// Class names, sorted.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The name of a class, empty if there is no such class.
    pub fn class(&self, label: LabelId) -> &str {
        self.classes.get(label.index()).map_or("", String::as_str)
    }

    /// The class with exactly this name.
    pub fn find_class(&self, name: &str) -> Option<LabelId> {
        self.classes
            .binary_search_by(|class| class.as_str().cmp(name))
            .ok()
            .map(|found| LabelId(found as u32))
    }

    /// Columns kept from the user's table.
    pub fn extra(&self) -> &[ExtraColumn] {
        &self.extra
    }
}

/// Whether numbers are sorted, checked in parallel.
fn is_sorted(numbers: &[u64]) -> bool {
    const CHUNK: usize = 1 << 16;
    let borders = (CHUNK..numbers.len()).step_by(CHUNK).all(|start| numbers[start - 1] <= numbers[start]);
    borders && numbers.par_chunks(CHUNK).all(<[u64]>::is_sorted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(path: &str, label: Option<&str>) -> NewSample {
        NewSample { path: path.into(), label: label.map(Into::into), split: Split::Train }
    }

    #[test]
    fn classes_are_sorted_and_labels_bound_by_name() {
        let manifest = Manifest::new(
            "/data",
            [sample("b.jpg", Some("dog")), sample("a.jpg", Some("cat")), sample("c.jpg", None)],
        );
        assert_eq!(manifest.classes(), ["cat", "dog"]);
        assert_eq!(manifest.label_name(SampleId(0)), "dog");
        assert_eq!(manifest.label(SampleId(2)), None);
        assert_eq!(manifest.full_path(SampleId(1)), Path::new("/data/a.jpg"));
        assert_eq!(manifest.find_class("dog"), Some(LabelId(1)));
    }
}
