//! Matches entries to samples of the manifest.

use super::book::Book;
use super::claim::{Class, Copies, claim};
use super::entry::{Apart, Key, ORPHAN, Place};
use crate::file_metadata::FileMetadata;
use crate::manifest::Manifest;
use crate::same_path::{Marked, RowMark};
use bytes::Bytes;
use chaffinch_compute::content::ContentHash;
use chaffinch_protocol::sample::SampleId;
use jiff::Timestamp;
use rayon::prelude::*;
use smallvec::SmallVec;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::os::unix::ffi::OsStrExt;

/// Twins whose paths are written down with an entry.
const NAMED: usize = 64;

/// The current mapping between samples and entries.
#[derive(Debug, Default)]
pub(super) struct Binding {
    /// Samples that entries know under a different path.
    was: BTreeMap<u32, Box<[u8]>>,
    orphans: usize,
}

impl Binding {
    /// Finds the rows of all entries. Memory depends on the number of entries, not of samples.
    pub(super) fn new(
        books: &mut [&mut Book],
        manifest: &Manifest,
        file_metadata: Option<&FileMetadata>,
    ) -> Binding {
        let mut finder = Finder::default();
        for book in books.iter() {
            for entry in &book.entries {
                book.keys(entry).for_each(|key| finder.note(key, entry.at));
            }
        }
        finder.resolve(manifest, file_metadata);
        let mut binding = finder.binding(manifest);
        let mut rows_of_paths = RowsOfPaths { manifest, file_metadata, known: HashMap::new() };
        let mut lost: HashSet<(u32, Option<&RowMark>)> = HashSet::new();
        let mut rows: Vec<Vec<SmallVec<[u32; 4]>>> = Vec::with_capacity(books.len());
        for book in books.iter() {
            let mut found = Vec::with_capacity(book.entries.len());
            for entry in &book.entries {
                let twice = named_twice(book.keys(entry));
                let rows: SmallVec<[u32; 4]> = book
                    .keys(entry)
                    .map(|key| match is_one_of_several(key, &twice) {
                        true => ORPHAN,
                        false => rows_of_paths.find(key, finder.row_of(key)),
                    })
                    .collect();
                for (key, row) in book.keys(entry).zip(&rows) {
                    if *row == ORPHAN {
                        lost.insert((finder.root_of(key), key.row()));
                    }
                }
                found.push(rows);
            }
            rows.push(found);
        }
        binding.orphans = lost.len();
        for (book, rows) in books.iter_mut().zip(rows) {
            for (entry, rows) in book.entries.iter_mut().zip(rows) {
                entry.rows = rows;
            }
        }
        binding
    }

    /// What an entry says about a sample; `copied` is whether others have the same content, `twins` are those of them that
    /// it is not about, and `row` tells it from others of the same path.
    pub(super) fn key(
        &self,
        id: SampleId,
        manifest: &Manifest,
        file_metadata: Option<&FileMetadata>,
        (copied, twins): (bool, &[SampleId]),
        row: Option<RowMark>,
    ) -> Key {
        let bytes = |id: SampleId| manifest.path(id).as_os_str().as_bytes();
        let hash = file_metadata
            .map(|file_metadata| file_metadata.hashes[id.index()])
            .filter(|hash| *hash != ContentHash::default());
        let was = self.was.get(&id.0).cloned();
        let copies = u32::try_from(twins.len()).unwrap_or(u32::MAX);
        let twins = twins.iter().take(NAMED).map(|&twin| bytes(twin).into()).collect();
        let place = copied.then(|| Box::new(Place::of(manifest, id)));
        let apart = Apart { was, copies, twins, row: row.map(Box::new), place };
        Key::new(hash, Bytes::copy_from_slice(bytes(id)), apart)
    }

    /// Entries about these samples are on disk with their paths.
    pub(super) fn written(&mut self, samples: &[SampleId]) {
        for id in samples {
            self.was.remove(&id.0);
        }
    }

    pub(super) fn orphans(&self) -> usize {
        self.orphans
    }
}

/// The rows of paths that entries are about.
struct RowsOfPaths<'m> {
    manifest: &'m Manifest,
    file_metadata: Option<&'m FileMetadata>,
    /// By the row that stands for the path.
    known: HashMap<u32, Marked>,
}

impl RowsOfPaths<'_> {
    /// Which of the rows of a path a key means, of which `row` is one; none if that is not certain.
    fn find(&mut self, key: &Key, row: u32) -> u32 {
        if row == ORPHAN {
            return ORPHAN;
        }
        let id = SampleId(row);
        if key.row().is_none() {
            return if self.manifest.rows_of_path(id).is_empty() { row } else { ORPHAN };
        }
        let marked = self.known.entry(row).or_insert_with(|| Marked::of(self.manifest, id));
        let found = marked.find(key.row());
        // Rows of one path are different pictures in some containers.
        let same = |row: &u32| match (key.hash, self.file_metadata) {
            (Some(hash), Some(known)) => {
                let now = known.hashes[*row as usize];
                now == hash || now == ContentHash::default()
            }
            _ => true,
        };
        found.filter(same).unwrap_or(ORPHAN)
    }
}

/// The paths that an entry names more than once without saying which row it means.
pub(super) fn named_twice<'k>(keys: impl ExactSizeIterator<Item = &'k Key>) -> HashSet<&'k [u8]> {
    let mut seen = HashSet::new();
    let several = keys.len() > 1;
    let unmarked = keys.filter(|key| several && key.row().is_none());
    unmarked.filter(|key| !seen.insert(&*key.path)).map(|key| &*key.path).collect()
}

/// Whether a key is that of one of several rows and does not say which: it comes from a version that did not tell them
/// apart. `twice` is what its entry names more than once.
pub(super) fn is_one_of_several(key: &Key, twice: &HashSet<&[u8]>) -> bool {
    key.row().is_none()
        && (key.apart().twins.iter().any(|twin| **twin == *key.path) || twice.contains(&*key.path))
}

/// Finds rows. Keys that are the same sample under several names form one class, via `parent`.
#[derive(Default)]
struct Finder<'k> {
    ids: HashMap<(Option<ContentHash>, &'k [u8]), u32>,
    keys: Vec<(Option<ContentHash>, &'k [u8])>,
    parent: Vec<u32>,
    latest: Vec<Timestamp>,
    rows: Vec<u32>,
    /// What was there beside each of `keys`.
    beside: Vec<Copies<'k>>,
    /// Where each of `keys` was, as last said.
    places: Vec<Option<&'k Place>>,
}

impl<'k> Finder<'k> {
    fn note(&mut self, key: &'k Key, at: Timestamp) {
        let id = self.id(key.hash, &key.path, at);
        let beside = &mut self.beside[id as usize];
        let Apart { was, copies, twins, place, .. } = key.apart();
        beside.count = beside.count.max(*copies);
        beside.paths.extend(twins.iter().map(|twin| &**twin));
        if place.is_some() && at >= self.latest[id as usize] {
            self.places[id as usize] = place.as_deref();
        }
        if let Some(was) = was {
            let earlier = self.id(key.hash, was, Timestamp::MIN);
            let (a, b) = (self.root(id), self.root(earlier));
            self.parent[a.max(b) as usize] = a.min(b);
        }
    }

    fn id(&mut self, hash: Option<ContentHash>, path: &'k [u8], at: Timestamp) -> u32 {
        let next = self.keys.len() as u32;
        let id = *self.ids.entry((hash, path)).or_insert(next);
        if id == next {
            self.keys.push((hash, path));
            self.parent.push(id);
            self.latest.push(at);
            self.rows.push(ORPHAN);
            self.beside.push(Copies::default());
            self.places.push(None);
        }
        let latest = &mut self.latest[id as usize];
        *latest = at.max(*latest);
        id
    }

    fn root(&self, mut id: u32) -> u32 {
        while self.parent[id as usize] != id {
            id = self.parent[id as usize];
        }
        id
    }

    /// The class of a key.
    fn root_of(&self, key: &Key) -> u32 {
        self.ids.get(&(key.hash, &*key.path)).map_or(ORPHAN, |&id| self.root(id))
    }

    /// A row of the path of a key.
    fn row_of(&self, key: &Key) -> u32 {
        self.rows.get(self.root_of(key) as usize).copied().unwrap_or(ORPHAN)
    }

    /// In order of first appearance.
    fn classes(&self) -> Vec<Class<'k>> {
        let mut members: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for id in 0..self.keys.len() as u32 {
            members.entry(self.root(id)).or_default().push(id);
        }
        let class = |(root, mut ids): (u32, Vec<u32>)| {
            ids.sort_by_key(|&id| std::cmp::Reverse(self.latest[id as usize]));
            let mut copies = Copies::default();
            for &id in &ids {
                let beside = &self.beside[id as usize];
                copies.count = copies.count.max(beside.count);
                copies.paths.extend(&beside.paths);
            }
            let place = ids.iter().find_map(|&id| self.places[id as usize]);
            Class { root, paths: ids.into_iter().map(|id| self.keys[id as usize].1).collect(), copies, place }
        };
        members.into_iter().map(class).collect()
    }

    fn resolve(&mut self, manifest: &Manifest, file_metadata: Option<&FileMetadata>) {
        let classes = self.classes();
        let candidates = self.candidates(file_metadata);
        let mut groups: BTreeMap<ContentHash, Vec<&Class<'_>>> = BTreeMap::new();
        // Those that only the path identifies.
        let mut by_path = Vec::new();
        for class in &classes {
            match self.keys[class.root as usize].0 {
                Some(hash) if candidates.contains_key(&hash) => groups.entry(hash).or_default().push(class),
                _ => by_path.push(class),
            }
        }
        for (hash, group) in groups {
            for (root, row) in claim(&group, &candidates[&hash], manifest) {
                self.rows[root as usize] = row;
            }
        }
        let wanted: HashSet<&[u8]> = by_path.iter().flat_map(|class| class.paths.iter().copied()).collect();
        if wanted.is_empty() {
            return;
        }
        let path = |row: u32| manifest.path(SampleId(row)).as_os_str().as_bytes();
        let rows = (0..manifest.len() as u32).into_par_iter().filter(|&row| wanted.contains(path(row)));
        let rows: Vec<u32> = rows.collect();
        // The first of each path stands for all.
        let rows: HashMap<&[u8], u32> = rows.into_iter().rev().map(|row| (path(row), row)).collect();
        for Class { root, paths, .. } in by_path {
            // A path with different content is a different sample, unless the content is currently unreadable.
            let fits = |row: &u32| {
                let known = file_metadata.is_some() && self.keys[*root as usize].0.is_some();
                !known
                    || file_metadata.is_some_and(|file_metadata| {
                        file_metadata.hashes[*row as usize] == ContentHash::default()
                    })
            };
            if let Some(row) = paths.iter().filter_map(|path| rows.get(path).copied()).find(fits) {
                self.rows[*root as usize] = row;
            }
        }
    }

    /// Rows by content, for contents in entries.
    fn candidates(&self, file_metadata: Option<&FileMetadata>) -> HashMap<ContentHash, Vec<u32>> {
        let wanted: HashSet<ContentHash> = self.keys.iter().filter_map(|key| key.0).collect();
        let mut candidates: HashMap<ContentHash, Vec<u32>> = HashMap::new();
        if let Some(file_metadata) = file_metadata.filter(|_| !wanted.is_empty()) {
            let rows = (0..file_metadata.len() as u32).into_par_iter();
            let rows: Vec<u32> =
                rows.filter(|&row| wanted.contains(&file_metadata.hashes[row as usize])).collect();
            for row in rows {
                candidates.entry(file_metadata.hashes[row as usize]).or_default().push(row);
            }
        }
        candidates
    }

    fn binding(&self, manifest: &Manifest) -> Binding {
        let mut binding = Binding::default();
        for Class { root, paths, .. } in self.classes() {
            match self.rows[root as usize] {
                ORPHAN => {}
                row => {
                    let path = manifest.path(SampleId(row)).as_os_str().as_bytes();
                    if self.keys[root as usize].0.is_some() && !paths.contains(&path) {
                        let rows = manifest.rows_of_path(SampleId(row));
                        let all = if rows.is_empty() { &[row][..] } else { rows };
                        binding.was.extend(all.iter().map(|&row| (row, paths[0].into())));
                    }
                }
            }
        }
        binding
    }
}
