//! What samples are known by in any manifest: content, path, and what tells a row from others of its path.

use crate::class_names;
use crate::columns::file;
use crate::file_metadata::FileMetadata;
use crate::manifest::Manifest;
use crate::same_path::{Marked, Marks, RowMark};
use crate::{Error, Result};
use arrow_array::{Array, ArrayRef, LargeStringArray, RecordBatch};
use arrow_schema::Field;
use chaffinch_compute::content::ContentHash;
use chaffinch_protocol::sample::SampleId;
use std::collections::{HashMap, HashSet, VecDeque};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

const HASH: &str = "hash";
const PATH: &str = "path";
/// Which row of its path each is, as JSON; only if a path has several.
const ROW: &str = "row";

/// A content and its path.
pub(crate) type Key = (ContentHash, Vec<u8>);

/// The keys of some samples, in an order of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) keys: Vec<Key>,
    /// For each what tells it from other samples of its path; empty if there were none.
    pub(crate) marks: Vec<Option<RowMark>>,
}

impl Keys {
    /// Those of samples of a manifest.
    pub(crate) fn of(
        ids: impl Iterator<Item = SampleId>,
        manifest: &Manifest,
        file_metadata: &FileMetadata,
    ) -> Keys {
        let key = |id: SampleId| {
            let hash = file_metadata.hashes.get(id.index()).copied().unwrap_or_default();
            (hash, manifest.path(id).as_os_str().as_bytes().to_vec())
        };
        let ids: Vec<SampleId> = ids.collect();
        Keys { keys: ids.iter().map(|&id| key(id)).collect(), marks: marks(&ids, manifest) }
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The columns of a file that say them.
    pub(crate) fn columns(&self) -> Vec<(Arc<Field>, ArrayRef)> {
        let hashes = self.keys.iter().map(|(hash, _)| hash.to_string());
        let paths = self.keys.iter().map(|(_, path)| class_names::of_bytes(path));
        let column = |name: &str, column: LargeStringArray, nullable: bool| {
            let field = Field::new(name, column.data_type().clone(), nullable);
            (Arc::new(field), Arc::new(column) as ArrayRef)
        };
        let mut columns = vec![
            column(HASH, LargeStringArray::from_iter_values(hashes), false),
            column(PATH, LargeStringArray::from_iter_values(paths), false),
        ];
        if !self.marks.is_empty() {
            let text =
                |mark: &Option<RowMark>| mark.as_ref().and_then(|mark| serde_json::to_string(mark).ok());
            columns.push(column(ROW, self.marks.iter().map(text).collect(), true));
        }
        columns
    }

    /// Reads these columns of a file.
    ///
    /// # Errors
    /// When one is missing or damaged.
    pub(crate) fn read(path: &Path, batch: &RecordBatch) -> Result<Keys> {
        let column = |name: &str| -> Result<LargeStringArray> {
            let column = batch.column_by_name(name);
            let texts = column.and_then(|column| column.as_any().downcast_ref::<LargeStringArray>());
            let broken =
                || file::damaged(path, &format!("its column '{name}' is missing or has the wrong type"));
            texts.cloned().ok_or_else(broken)
        };
        let (hashes, paths) = (column(HASH)?, column(PATH)?);
        let key = |row: usize| {
            let hash: ContentHash = file::text(&hashes, row)?.parse().ok()?;
            Some((hash, class_names::bytes(file::text(&paths, row)?).into_owned()))
        };
        let keys: Option<Vec<_>> = (0..batch.num_rows()).map(key).collect();
        let keys = keys.ok_or_else(|| file::damaged(path, "a row does not say which sample it is about"))?;
        let marks = match batch.column_by_name(ROW) {
            Some(_) => {
                let texts = column(ROW)?;
                let mark = |row: usize| file::text(&texts, row).map(serde_json::from_str).transpose();
                let marks: std::result::Result<Vec<_>, _> = (0..batch.num_rows()).map(mark).collect();
                marks.map_err(|error| file::damaged(path, &format!("its column '{ROW}': {error}")))?
            }
            None => Vec::new(),
        };
        Ok(Keys { keys, marks })
    }

    /// The sample that each key means now, as [`places`] finds it.
    pub(crate) fn places(&self, manifest: &Manifest, file_metadata: &FileMetadata) -> Vec<Option<SampleId>> {
        places(&self.keys, &self.marks, manifest, file_metadata)
    }

    /// The same where each key should mean one: rows of one path and content that nothing tells apart any more are taken in turn.
    pub(crate) fn places_in_turn(
        &self,
        manifest: &Manifest,
        file_metadata: &FileMetadata,
    ) -> Vec<Option<SampleId>> {
        let mut places = self.places(manifest, file_metadata);
        if places.iter().all(Option::is_some) {
            return places;
        }
        let mut free = vec![true; manifest.len()];
        places.iter().flatten().for_each(|id| free[id.index()] = false);
        let mut left: HashMap<(ContentHash, &[u8]), VecDeque<SampleId>> = HashMap::new();
        for id in manifest.ids().filter(|id| free[id.index()]) {
            let hash = file_metadata.hashes.get(id.index()).copied().unwrap_or_default();
            left.entry((hash, manifest.path(id).as_os_str().as_bytes())).or_default().push_back(id);
        }
        for (place, (hash, path)) in places.iter_mut().zip(&self.keys).filter(|(place, _)| place.is_none()) {
            *place = left.get_mut(&(*hash, path.as_slice())).and_then(VecDeque::pop_front);
        }
        places
    }

    /// The key of each sample, whose `places` these are; a sample that has none has that of another one with its content, the
    /// last at its path or else the first.
    pub(crate) fn rows(
        &self,
        places: &[Option<SampleId>],
        manifest: &Manifest,
        file_metadata: &FileMetadata,
    ) -> Vec<Option<u32>> {
        let mut rows: Vec<Option<u32>> = vec![None; manifest.len()];
        for (row, place) in (0..).zip(places) {
            if let Some(id) = place {
                rows[id.index()] = Some(row);
            }
        }
        let hash_of = |at: usize| file_metadata.hashes.get(at).copied().unwrap_or_default();
        let wanted = |hash: ContentHash| hash != ContentHash::default();
        if (0..rows.len()).all(|at| rows[at].is_some() || !wanted(hash_of(at))) {
            return rows;
        }
        let mut by_path: HashMap<(ContentHash, &[u8]), u32> = HashMap::new();
        let mut by_content: HashMap<ContentHash, u32> = HashMap::new();
        for (row, (hash, path)) in (0..).zip(&self.keys).filter(|(_, (hash, _))| wanted(*hash)) {
            by_path.insert((*hash, path), row);
            by_content.entry(*hash).or_insert(row);
        }
        for (id, row) in manifest.ids().zip(&mut rows).filter(|(_, row)| row.is_none()) {
            let (hash, path) = (hash_of(id.index()), manifest.path(id).as_os_str().as_bytes());
            *row = by_path.get(&(hash, path)).or_else(|| by_content.get(&hash)).copied();
        }
        rows
    }
}

/// For each key the sample that it is about now: found by its content, of several with the same content by its path, and of several rows
/// with one path by what they say; one whose content is unknown is found by its path.
fn places(
    keys: &[Key],
    marks: &[Option<RowMark>],
    manifest: &Manifest,
    file_metadata: &FileMetadata,
) -> Vec<Option<SampleId>> {
    let unknown = ContentHash::default();
    let hash_of = |id: SampleId| file_metadata.hashes.get(id.index()).copied().unwrap_or_default();
    let path_of = |id: SampleId| manifest.path(id).as_os_str().as_bytes();
    let wanted: HashSet<ContentHash> = keys.iter().map(|key| key.0).collect();
    let paths: HashSet<&[u8]> = keys.iter().map(|key| key.1.as_slice()).collect();
    let mut by_hash: HashMap<ContentHash, Vec<SampleId>> = HashMap::new();
    let mut by_path: HashMap<&[u8], SampleId> = HashMap::new();
    for id in manifest.ids() {
        let hash = hash_of(id);
        if hash != unknown && wanted.contains(&hash) {
            by_hash.entry(hash).or_default().push(id);
        }
        if paths.contains(path_of(id)) {
            by_path.entry(path_of(id)).or_insert(id);
        }
    }
    let mut places = vec![None; keys.len()];
    let mut taken: HashSet<SampleId> = HashSet::new();
    let mut rows: HashMap<SampleId, Marked> = HashMap::new();
    for (at, (hash, path)) in keys.iter().enumerate() {
        let found = by_path.get(path.as_slice()).copied();
        // Of a path that several rows have or had, it is only the one that it was.
        let mark = marks.get(at).and_then(Option::as_ref);
        let found = match found {
            Some(id) if mark.is_some() => {
                let rows = rows.entry(id).or_insert_with(|| Marked::of(manifest, id));
                rows.find(mark).map(SampleId)
            }
            found => found,
        };
        // Another content under the same path is another sample.
        let same = |id: &SampleId| [unknown, hash_of(*id)].contains(hash) || hash_of(*id) == unknown;
        places[at] = found.filter(same).filter(|id| taken.insert(*id));
    }
    // Renamed files, in manifest order; each sample is offered once.
    let mut free: HashMap<ContentHash, std::vec::IntoIter<SampleId>> =
        by_hash.into_iter().map(|(hash, ids)| (hash, ids.into_iter())).collect();
    for (at, (hash, path)) in keys.iter().enumerate() {
        let lost_row = marks.get(at).is_some_and(Option::is_some) && by_path.contains_key(path.as_slice());
        if places[at].is_none()
            && !lost_row
            && let Some(found) = free.get_mut(hash)
        {
            places[at] = found.find(|id| !taken.contains(id));
        }
    }
    places
}

/// What tells samples from others of their paths; empty if none shares its path.
pub(crate) fn marks(ids: &[SampleId], manifest: &Manifest) -> Vec<Option<RowMark>> {
    let mut known = Marks::default();
    let marks: Vec<Option<RowMark>> = ids.iter().map(|&id| known.of(manifest, id)).collect();
    if marks.iter().all(Option::is_none) { Vec::new() } else { marks }
}

/// The batch of these columns, for the file `path`.
///
/// # Errors
/// When they are not of one length.
pub(crate) fn batch_of(
    path: &Path,
    (fields, columns): (Vec<Arc<Field>>, Vec<ArrayRef>),
    metadata: HashMap<String, String>,
) -> Result<RecordBatch> {
    let schema = arrow_schema::Schema::new(fields).with_metadata(metadata);
    RecordBatch::try_new(Arc::new(schema), columns).map_err(|error| Error::format(path, error.to_string()))
}
