//! The dataset as data: paths, labels, splits.

use crate::as_written::{TableBeside, TableForm, Texts};
use crate::class_names;
use crate::class_numbers::ClassNumbers;
use crate::columns::Column;
use crate::packing::Packing;
use crate::same_path::SamePath;
use chaffinch_compute::image::decode::{Depths, Ground, Rendering};
use chaffinch_protocol::sample::{LabelId, SampleId, Split};
use chaffinch_sources::Source;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

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
    /// The names of those extra columns whose values are not texts.
    typed: BTreeSet<String>,
    /// The numbers that the dataset gives to its classes.
    class_numbers: ClassNumbers,
    /// The labels as written, where they differ from the class names.
    written_labels: Option<Texts>,
    /// The splits as written, where they differ from the names of splits.
    written_splits: Option<Texts>,
    table: Option<TableForm>,
    /// The files beside the pictures that were read.
    beside: Vec<TableBeside>,
    /// Where its samples are, if they are not files of their own.
    packing: Option<Packing>,
    /// See [`Manifest::places`]; computed on first use.
    places: Arc<OnceLock<Places>>,
    /// See [`Manifest::rows_of_path`]; computed on first use.
    same_path: Arc<OnceLock<SamePath>>,
    rendering: Rendering,
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

/// The place of each row among the sorted paths; see [`Manifest::places`].
#[derive(Debug, Clone, Default)]
pub struct Places(Option<Arc<[u32]>>);

impl Places {
    /// The place of a row.
    pub fn of(&self, row: u32) -> u32 {
        self.0.as_ref().and_then(|places| places.get(row as usize).copied()).unwrap_or(row)
    }

    /// Whether rows are in the order of their paths.
    pub fn are_rows(&self) -> bool {
        self.0.is_none()
    }
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

pub use crate::as_written::NO_LABEL;

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
        let (classes, labels) = numbered(&names);
        Manifest {
            root: root.into(),
            path_bytes: path_bytes.into(),
            path_ends: path_ends.into(),
            labels,
            splits: splits.into(),
            classes,
            ..Manifest::default()
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
        fits.then(|| Manifest { root, path_bytes, path_ends, labels, splits, classes, ..Manifest::default() })
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

    /// Says which extra columns have numbers, truth values, lists or objects in the dataset: their cells are these as JSON.
    #[must_use]
    pub fn with_typed(mut self, names: impl IntoIterator<Item = String>) -> Manifest {
        self.typed = names.into_iter().collect();
        self
    }

    /// Says which numbers the dataset gives to its classes.
    #[must_use]
    pub fn with_class_numbers(mut self, numbers: ClassNumbers) -> Manifest {
        self.class_numbers = numbers;
        self
    }

    /// The numbers that the dataset gives to its classes; empty if it gives none.
    pub fn class_numbers(&self) -> &ClassNumbers {
        &self.class_numbers
    }

    /// Whether the cells of an extra column are JSON, see [`Manifest::with_typed`]. Empty ones have no value.
    pub fn is_typed(&self, column: &str) -> bool {
        self.typed.contains(column)
    }

    /// The names of extra columns whose cells are JSON.
    pub fn typed(&self) -> impl Iterator<Item = &str> {
        self.typed.iter().map(String::as_str)
    }

    /// Gives every class another name, or none where its samples have no label; classes of one name are merged. The
    /// old names stay as the labels as they were written.
    ///
    /// # Panics
    /// Unless there is one entry per class.
    #[must_use]
    pub fn renamed(mut self, names: &[Option<String>]) -> Manifest {
        assert_eq!(names.len(), self.classes.len(), "one name per class");
        if names.iter().zip(&self.classes).all(|(new, old)| new.as_ref() == Some(old)) {
            return self;
        }
        let mut classes: Vec<String> = names.iter().flatten().cloned().collect();
        classes.sort_unstable();
        classes.dedup();
        let place = |name: &Option<String>| {
            let found = name.as_ref().and_then(|name| classes.binary_search(name).ok());
            found.map_or(NO_LABEL, |found| found as u32)
        };
        let places: Vec<u32> = names.iter().map(place).collect();
        let renamed = |&label: &u32| places.get(label as usize).copied().unwrap_or(NO_LABEL);
        let labels: Column<u32> = self.labels.iter().map(renamed).collect();
        let codes = std::mem::replace(&mut self.labels, labels);
        let texts = std::mem::replace(&mut self.classes, classes);
        self.written_labels.get_or_insert(Texts { codes, texts });
        self
    }

    /// Gives every sample another label, by name; how labels were written before is forgotten.
    ///
    /// # Panics
    /// Unless there is one per sample.
    #[must_use]
    pub fn with_labels(mut self, names: &[Option<String>]) -> Manifest {
        assert_eq!(names.len(), self.len(), "one label a sample");
        (self.classes, self.labels) = numbered(names);
        self.written_labels = None;
        // Columns of 0 and 1 say other labels than these.
        if let Some(table) = &mut self.table {
            table.flags.clear();
        }
        self
    }

    /// Gives every sample another split; how splits were written before is forgotten.
    ///
    /// # Panics
    /// Unless there is one per sample.
    #[must_use]
    pub fn with_splits(mut self, splits: &[Split]) -> Manifest {
        assert_eq!(splits.len(), self.len(), "one split a sample");
        self.splits = splits.iter().map(|split| split.code()).collect();
        self.written_splits = None;
        self
    }

    /// Adds the splits as they were written; kept only if the names of splits do not say the same.
    #[must_use]
    pub fn with_written_splits(mut self, splits: Texts) -> Manifest {
        debug_assert!(splits.len() == self.len());
        let differs = self.ids().any(|id| splits.get(id.index()) != self.split(id).name());
        self.written_splits = differs.then_some(splits);
        self
    }

    /// Adds what the table looked like from which the manifest was read.
    #[must_use]
    pub fn with_table(mut self, table: TableForm) -> Manifest {
        self.table = Some(table);
        self
    }

    /// Adds the files beside the pictures from which labels, splits or other columns were read.
    #[must_use]
    pub fn with_beside(mut self, beside: Vec<TableBeside>) -> Manifest {
        self.beside = beside;
        self
    }

    /// Restores what was stored of how the dataset was written. `None` if it does not fit.
    pub(crate) fn with_written(
        mut self,
        labels: Option<Texts>,
        splits: Option<Texts>,
        table: Option<TableForm>,
    ) -> Option<Manifest> {
        let fits = |texts: &Texts| texts.len() == self.len();
        if !labels.iter().chain(&splits).all(fits) {
            return None;
        }
        (self.written_labels, self.written_splits, self.table) = (labels, splits, table);
        Some(self)
    }

    /// The label as the author wrote it, which may be another spelling of the class or a word for "no label".
    pub fn label_as_written(&self, id: SampleId) -> &str {
        match &self.written_labels {
            Some(labels) => labels.get(id.index()),
            None => self.label_name(id),
        }
    }

    /// The split as the author wrote it, which may be one that Chaffinch does not know.
    pub fn split_as_written(&self, id: SampleId) -> &str {
        match &self.written_splits {
            Some(splits) => splits.get(id.index()),
            None => self.split(id).name(),
        }
    }

    /// The labels as written, where they differ from the class names.
    pub fn written_labels(&self) -> Option<&Texts> {
        self.written_labels.as_ref()
    }

    /// The splits as written, where they differ from the names of splits.
    pub fn written_splits(&self) -> Option<&Texts> {
        self.written_splits.as_ref()
    }

    /// What the table looked like, if the manifest was read from one.
    pub fn table(&self) -> Option<&TableForm> {
        self.table.as_ref()
    }

    /// The files beside the pictures from which labels, splits or other columns were read, in the order in which they
    /// were read.
    pub fn beside(&self) -> &[TableBeside] {
        &self.beside
    }

    /// The same with its files in another folder.
    #[must_use]
    pub fn with_root(mut self, root: impl Into<PathBuf>) -> Manifest {
        let root = root.into();
        self.packing = self.packing.map(|packing| packing.moved(&self.root, &root));
        self.root = root;
        self
    }

    /// The same, whose samples are in containers.
    #[must_use]
    pub fn with_packing(mut self, packing: Packing) -> Manifest {
        debug_assert!(packing.len() == self.len());
        self.packing = Some(packing);
        self
    }

    /// Where its samples are, if they are not files of their own.
    pub fn packing(&self) -> Option<&Packing> {
        self.packing.as_ref()
    }

    /// Replaces all paths.
    #[must_use]
    pub fn with_paths(mut self, path: impl Fn(&Path) -> PathBuf) -> Manifest {
        let (mut path_bytes, mut path_ends) = (Vec::new(), Vec::with_capacity(self.len()));
        for id in self.ids() {
            path_bytes.extend_from_slice(path(self.path(id)).as_os_str().as_bytes());
            path_ends.push(path_bytes.len() as u64);
        }
        (self.path_bytes, self.path_ends) = (path_bytes.into(), path_ends.into());
        (self.places, self.same_path) = (Arc::default(), Arc::default());
        self
    }

    /// The same, whose pictures are put on a ground.
    #[must_use]
    pub fn with_ground(mut self, ground: Ground) -> Manifest {
        self.rendering.ground = ground;
        self
    }

    /// The same, whose 16-bit pictures use these depths.
    #[must_use]
    pub fn with_depths(mut self, depths: Depths) -> Manifest {
        self.rendering.depths = depths;
        self
    }

    /// How its pictures become 8-bit RGB.
    pub fn rendering(&self) -> Rendering {
        self.rendering
    }

    /// What is put in the place of its pictures' transparency.
    pub fn ground(&self) -> Ground {
        self.rendering.ground
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

    /// Whether the samples of both have the same paths, in the same order.
    pub fn has_paths_of(&self, other: &Manifest) -> bool {
        self.len() == other.len() && self.ids().all(|id| self.path(id) == other.path(id))
    }

    /// Where its bytes are.
    pub fn source(&self, id: SampleId) -> Source<'_> {
        let packed = self.packing.as_ref().and_then(|packing| packing.source(id.index(), self.path(id)));
        packed.unwrap_or_else(|| Source::File(self.full_path(id)))
    }

    /// The full path of the file, or what it would be if the sample were one: for names and messages. Its bytes are read
    /// through [`Manifest::source`].
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

    /// The class of this name, in any spelling of it.
    pub fn find_class(&self, name: &str) -> Option<LabelId> {
        let find = |name: &str| self.classes.binary_search_by(|class| class.as_str().cmp(name));
        find(name).or_else(|_| find(&class_names::clean(name))).ok().map(|found| LabelId(found as u32))
    }

    /// All rows with the path of this one, ascending, if there are several; else none. A table may name a picture more
    /// than once, and a path alone does not say which of these samples is meant.
    pub fn rows_of_path(&self, id: SampleId) -> &[u32] {
        self.same_path.get_or_init(|| SamePath::of(self)).rows(id.0)
    }

    /// The place of each row among the sorted paths, which is the order where nothing else decides: it is the same however
    /// the rows come.
    pub fn places(&self) -> Places {
        self.places.get_or_init(|| self.find_places()).clone()
    }

    fn find_places(&self) -> Places {
        let in_order = |row: u32| self.path(SampleId(row)) <= self.path(SampleId(row + 1));
        let last = (self.len() as u32).saturating_sub(1);
        if (0..last).into_par_iter().all(in_order) {
            return Places::default();
        }
        let mut rows: Vec<u32> = (0..self.len() as u32).collect();
        rows.par_sort_unstable_by_key(|&row| (self.path(SampleId(row)), row));
        let mut places = vec![0; rows.len()];
        (0..).zip(rows).for_each(|(place, row)| places[row as usize] = place);
        Places(Some(places.into()))
    }

    /// Columns kept from the user's table.
    pub fn extra(&self) -> &[ExtraColumn] {
        &self.extra
    }
}

/// The names that occur, sorted, and each name's number, [`NO_LABEL`] for none.
fn numbered(names: &[Option<String>]) -> (Vec<String>, Column<u32>) {
    let mut classes: Vec<String> = names.iter().flatten().cloned().collect();
    classes.sort_unstable();
    classes.dedup();
    let number = |name: &Option<String>| {
        let found = name.as_ref().and_then(|name| classes.binary_search(name).ok());
        found.map_or(NO_LABEL, |found| found as u32)
    };
    let labels = names.iter().map(number).collect();
    (classes, labels)
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
        assert_eq!(
            (manifest.find_class("dog"), manifest.find_class(" dog ")),
            (Some(LabelId(1)), Some(LabelId(1)))
        );
    }

    #[test]
    fn rows_of_one_path_are_found() {
        let manifest = |paths: &[&str]| Manifest::new("/", paths.iter().map(|path| sample(path, None)));
        let rows = |manifest: &Manifest| -> Vec<Vec<u32>> {
            manifest.ids().map(|id| manifest.rows_of_path(id).to_vec()).collect()
        };
        let several = manifest(&["b", "a", "b", "c", "b", "a"]);
        let (a, b) = (vec![1, 5], vec![0, 2, 4]);
        assert_eq!(rows(&several), [b.clone(), a.clone(), b.clone(), vec![], b, a]);
        assert_eq!(rows(&manifest(&["a", "b"])), vec![Vec::<u32>::new(); 2]);
        assert_eq!(rows(&manifest(&["b", "a"])), vec![Vec::<u32>::new(); 2]);
        // Other paths, other rows.
        assert_eq!(rows(&several.with_paths(|path| path.join("x")))[0], [0, 2, 4]);
        let one = manifest(&["b", "b"]);
        assert_eq!(one.rows_of_path(SampleId(0)), [0, 1]);
        assert!(rows(&one.with_paths(|_| "c".into()))[0] == [0, 1]);
    }

    #[test]
    fn places_are_those_of_paths() {
        let sorted = Manifest::new("/", [sample("a", None), sample("b", None)]).places();
        assert!(sorted.are_rows() && sorted.of(1) == 1);
        let places = Manifest::new("/", ["c", "a", "b", "a"].map(|path| sample(path, None))).places();
        assert_eq!([0, 1, 2, 3].map(|row| places.of(row)), [3, 0, 2, 1]);
    }

    #[test]
    fn renamed_classes_remember_how_they_were_written() {
        let rows = [
            sample("1", Some("cat ")),
            sample("2", Some("cat")),
            sample("3", Some("nan")),
            sample("4", None),
        ];
        let manifest = Manifest::new("/data", rows);
        assert_eq!(manifest.classes(), ["cat", "cat ", "nan"]);
        let cat = Some("cat".to_owned());
        let manifest = manifest.renamed(&[cat.clone(), cat, None]);
        assert_eq!(
            (manifest.classes(), manifest.labels()),
            (&["cat".to_owned()][..], &[0, 0, NO_LABEL, NO_LABEL][..])
        );
        let written: Vec<&str> = manifest.ids().map(|id| manifest.label_as_written(id)).collect();
        assert_eq!(written, ["cat ", "cat", "nan", ""]);
    }
}
