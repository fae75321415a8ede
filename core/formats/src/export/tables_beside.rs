//! The tables of a cleaned copy: those that stood beside the pictures of a folder, without removed samples and with new
//! labels and paths; and one with the columns of a table that folders cannot hold.

use super::Export;
use super::other_cells::OtherCells;
use crate::dataset::{BesideTable, Companions, Edit, RowEdits, is_known_column};
use crate::{Error, Result};
use chaffinch_data::manifest::Manifest;
use chaffinch_data::output::{CopyMode, Tree};
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::sample::SampleId;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// The file with the columns of a table.
const COLUMNS: &str = "metadata.csv";

/// The tables beside the pictures, as they are now.
pub(crate) struct TablesBeside<'a> {
    manifest: &'a Manifest,
    tables: Vec<Table>,
    /// Tables that can no longer be read, each with the reason.
    pub(crate) lost: Vec<String>,
    /// Whether labels come from files that are not written, so that they have to be in the names of folders.
    foreign: bool,
    /// Columns that go with the labels.
    companions: Companions<'a>,
}

/// One table.
struct Table {
    path: PathBuf,
    text: BesideTable,
    /// Its column of labels.
    label: Option<usize>,
    /// Whether its labels are columns of 0 and 1.
    flags: bool,
    /// The sample of each record.
    rows: Vec<Option<SampleId>>,
    /// All of these.
    samples: BTreeSet<SampleId>,
}

impl Table {
    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// The column with a heading that is kept beside paths, labels and splits.
    fn other(&self, heading: &str) -> Option<usize> {
        let column = self.text.headings.iter().position(|own| own == heading)?;
        let taken = [self.text.file_name(), self.label, self.text.column("split")];
        (!self.text.is_annotations() && !taken.contains(&Some(column))).then_some(column)
    }

    /// Whether the label of a sample is the one that this table gives.
    fn labels(&self, manifest: &Manifest, id: SampleId) -> bool {
        (self.label.is_some() || self.flags)
            && manifest.path(id).starts_with(self.folder())
            && (!self.text.is_annotations() || self.samples.contains(&id))
    }
}

impl<'a> TablesBeside<'a> {
    /// Reads the tables that the dataset was read with, those that can be written into a copy.
    pub(crate) fn of(manifest: &'a Manifest) -> TablesBeside<'a> {
        TablesBeside::read(manifest, false)
    }

    /// The same with Parquet, and with columns of 0 and 1, as they are where they are.
    pub(crate) fn in_their_place(manifest: &'a Manifest) -> TablesBeside<'a> {
        TablesBeside::read(manifest, true)
    }

    fn read(manifest: &'a Manifest, in_their_place: bool) -> TablesBeside<'a> {
        let companions = match manifest.beside() {
            [] => Companions::default(),
            _ => Companions::of(manifest),
        };
        let mut all =
            TablesBeside { manifest, tables: Vec::new(), lost: Vec::new(), foreign: false, companions };
        for beside in manifest.beside() {
            let path = beside.path().to_path_buf();
            match BesideTable::read(&manifest.root().join(&path), manifest.root()) {
                Ok(Some(text)) if !in_their_place && !text.is_written() => all.foreign = true,
                Ok(Some(text)) => {
                    // A label without the name of a column is in several.
                    let flags = in_their_place && beside.label.as_deref() == Some("");
                    let text = if flags { text.with_flags() } else { text };
                    let folder = path.parent().unwrap_or(Path::new(""));
                    let below = || {
                        let all = manifest.ids().map(|id| (id.index(), manifest.path(id)));
                        all.filter(|(_, path)| path.starts_with(folder)).collect()
                    };
                    let found = |place: &Path| find(manifest, place).map(SampleId::index);
                    let named = text.named(folder, found, below).into_iter();
                    let rows: Vec<Option<SampleId>> =
                        named.map(|one| Some(SampleId(one.picture()? as u32))).collect();
                    let samples = rows.iter().flatten().copied().collect();
                    let label = beside.label.as_deref().and_then(|label| text.column(label));
                    let flags = flags && text.is_flags();
                    all.tables.push(Table { path, text, label, flags, rows, samples });
                }
                Ok(None) => all.foreign = true,
                Err(error) => all.lost.push(error.to_string()),
            }
        }
        all
    }

    /// Whether there are any, and all can be read.
    pub(crate) fn are_whole(&self) -> bool {
        !self.tables.is_empty() && self.lost.is_empty() && !self.foreign
    }

    /// Whether a table says the label of a sample.
    pub(crate) fn labels(&self, id: SampleId) -> bool {
        self.tables.iter().any(|table| table.labels(self.manifest, id))
    }

    /// Writes them into the copy. `files` are the samples by their new paths. Returns what could not be written.
    ///
    /// # Errors
    /// When the copy cannot be written.
    pub(super) fn write(
        &self,
        export: &Export<'_>,
        files: &HashMap<PathBuf, SampleId>,
        tree: &mut Tree,
        mode: CopyMode,
    ) -> Result<Vec<String>> {
        let mut left_out = Vec::new();
        let places: HashMap<SampleId, &Path> = files.iter().map(|(path, &id)| (id, path.as_path())).collect();
        let changes = Changes {
            removed: &|id| export.removed(id),
            label: &|id| export.new_label(id).map(Cow::into_owned),
            split: &|_| None,
            place: &|id| places.get(&id).copied(),
        };
        for (path, edited) in self.edited(&changes) {
            let folder = path.parent().unwrap_or(Path::new(""));
            let name = path.file_name().unwrap_or_default();
            let source = self.manifest.root().join(path);
            if let Some(Err(why)) = &edited {
                left_out.push(format!("new labels in {}: {}", safe_path(path), safe_text(why)));
            }
            match edited {
                Some(Ok(bytes)) => tree.put_bytes(&bytes, folder, name)?,
                _ => {
                    let real = fs::canonicalize(&source).map_err(Error::io("read", &source))?;
                    tree.put(&real, folder, name, mode)?
                }
            };
        }
        Ok(left_out)
    }

    /// Each table by its path in the dataset, with its bytes after these changes; `None` if they are the same. An error
    /// says in words why a record cannot be written.
    pub(crate) fn edited(
        &self,
        changes: &Changes<'_, '_>,
    ) -> Vec<(&Path, Option<std::result::Result<Vec<u8>, String>>)> {
        let mut all = Vec::new();
        for table in self.tables.iter().filter(|table| !table.text.is_parquet()) {
            let edit = |index: usize| self.edit(table, index, changes);
            let added = self.added(table, changes);
            let same =
                added.is_empty() && (0..table.rows.len()).all(|index| matches!(edit(index), Edit::Keep));
            all.push((table.path.as_path(), (!same).then(|| table.text.edited(table.label, edit, &added))));
        }
        all
    }

    /// The changes in the Parquet tables among them, by path.
    ///
    /// # Errors
    /// Says in words what cannot be written.
    pub(crate) fn rows_edited(
        &self,
        changes: &Changes<'_, '_>,
    ) -> std::result::Result<Vec<(&Path, RowEdits)>, String> {
        let mut all = Vec::new();
        for table in self.tables.iter().filter(|table| table.text.is_parquet()) {
            if let Some((path, _)) = self.added(table, changes).first() {
                let (path, table) = (safe_path(path), safe_path(&table.path));
                return Err(format!("{path} has no row in {table}, so that it cannot get a label there"));
            }
            let edits = table.text.rows_edited(table.label, |index| self.edit(table, index, changes))?;
            if edits != RowEdits::default() {
                all.push((table.path.as_path(), edits));
            }
        }
        Ok(all)
    }

    /// What becomes of a record.
    fn edit(&self, table: &Table, index: usize, changes: &Changes<'_, '_>) -> Edit {
        let Some(id) = table.rows[index] else { return Edit::Keep };
        if (changes.removed)(id) {
            return Edit::Drop;
        }
        let moved = (changes.place)(id).filter(|place| *place != self.manifest.path(id));
        let name = moved.map(|place| relative(table.folder(), place));
        let mut others: Vec<(usize, String)> =
            table.text.column("split").zip((changes.split)(id)).into_iter().collect();
        if let Some(label) = (changes.label)(id) {
            let cells = &table.text.records[index].cells;
            let new = self.companions.iter().filter_map(|one| {
                let column = table.other(one.heading)?;
                Some((column, one.cell(&label))).filter(|(_, new)| cells[column] != *new)
            });
            others.extend(new);
        }
        match (name, self.new_label(table, id, changes)) {
            (None, None) if others.is_empty() => Edit::Keep,
            (name, label) => Edit::Change { name, label, others },
        }
    }

    fn new_label(&self, table: &Table, id: SampleId, changes: &Changes<'_, '_>) -> Option<String> {
        table.labels(self.manifest, id).then(|| (changes.label)(id)).flatten()
    }

    /// The samples without a record that get one: in a table that gives labels they had none.
    fn added(&self, table: &Table, changes: &Changes<'_, '_>) -> Vec<(PathBuf, String)> {
        let bare = self.manifest.ids().filter(|id| !table.samples.contains(id));
        let mut added = Vec::new();
        for id in bare {
            let wins = self.tables.iter().rfind(|other| other.labels(self.manifest, id));
            if let Some(label) = self.new_label(table, id, changes)
                && wins.is_some_and(|wins| std::ptr::eq(wins, table))
                && let Some(place) = (changes.place)(id)
            {
                added.push((relative(table.folder(), place), label));
            }
        }
        added
    }

    /// The columns that go with the labels and change with them here, by their places among those that are kept.
    pub(crate) fn companions(&self) -> BTreeSet<usize> {
        let is_here = |heading: &str| self.tables.iter().any(|table| table.other(heading).is_some());
        self.companions.iter().filter(|one| is_here(one.heading)).map(|one| one.extra).collect()
    }

    /// Whether a table says the split of a sample.
    pub(crate) fn has_split(&self, id: SampleId) -> bool {
        self.tables.iter().any(|table| table.samples.contains(&id) && table.text.column("split").is_some())
    }
}

/// What changes about samples.
pub(crate) struct Changes<'a, 'p> {
    /// Whether one goes.
    pub(crate) removed: &'a dyn Fn(SampleId) -> bool,
    /// Its new label.
    pub(crate) label: &'a dyn Fn(SampleId) -> Option<String>,
    /// Its new split, where a table says it.
    pub(crate) split: &'a dyn Fn(SampleId) -> Option<String>,
    /// Where it is afterwards; `None` if it is not there.
    pub(crate) place: &'a dyn Fn(SampleId) -> Option<&'p Path>,
}

/// The columns that folders of splits and classes cannot hold, in a table beside the copied pictures. Returns the names
/// of columns that such a table would be read from in another way.
///
/// # Errors
/// When the copy cannot be written.
pub(super) fn write_columns(
    export: &Export<'_>,
    files: &HashMap<PathBuf, SampleId>,
    tree: &mut Tree,
) -> Result<Vec<String>> {
    let extra = export.source.manifest.extra();
    let others = OtherCells::of(export);
    let mut seen = BTreeSet::new();
    let (kept, lost): (Vec<usize>, Vec<usize>) = (0..extra.len()).partition(|&column| {
        let name = extra[column].name.trim().to_lowercase();
        !name.is_empty() && !is_known_column(&name) && seen.insert(name)
    });
    if !kept.is_empty() {
        let mut rows: Vec<(&PathBuf, SampleId)> = files.iter().map(|(path, &id)| (path, id)).collect();
        rows.sort_unstable_by_key(|(_, id)| *id);
        let mut out =
            csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
        let mut record = |fields: &mut dyn Iterator<Item = &[u8]>| out.write_record(fields);
        // Writing to memory cannot fail.
        let _ = record(
            &mut ["file_name"]
                .into_iter()
                .chain(kept.iter().map(|&column| extra[column].name.as_str()))
                .map(str::as_bytes),
        );
        for (path, id) in rows {
            let values: Vec<Cow<'_, str>> = kept.iter().map(|&column| others.cell(column, id)).collect();
            let path = path.as_os_str().as_bytes();
            let _ = record(&mut std::iter::once(path).chain(values.iter().map(|value| value.as_bytes())));
        }
        tree.put_bytes(&out.into_inner().unwrap_or_default(), Path::new(""), OsStr::new(COLUMNS))?;
    }
    Ok(lost.into_iter().map(|column| extra[column].name.clone()).collect())
}

/// The sample at a path of a folder, whose samples are in the order of their bytes.
fn find(manifest: &Manifest, path: &Path) -> Option<SampleId> {
    let wanted = path.as_os_str().as_bytes();
    let bytes = |row: u32| manifest.path(SampleId(row)).as_os_str().as_bytes();
    let (mut low, mut high) = (0, manifest.len() as u32);
    while low < high {
        let middle = low + (high - low) / 2;
        match bytes(middle).cmp(wanted) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Equal => return Some(SampleId(middle)),
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    None
}

/// A path as a table in `folder` names it.
fn relative(folder: &Path, path: &Path) -> PathBuf {
    let shared = folder.components().zip(path.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(path.components().skip(shared)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_table() {
        for (folder, path, expected) in [
            ("", "a/1.jpg", "a/1.jpg"),
            ("a", "a/1.jpg", "1.jpg"),
            ("a/b", "a/c/1.jpg", "../c/1.jpg"),
            ("a/b", "1.jpg", "../../1.jpg"),
        ] {
            assert_eq!(relative(Path::new(folder), Path::new(path)), Path::new(expected));
        }
    }
}
