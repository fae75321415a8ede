//! What is known from an earlier reading, by path.

use super::row::Row;
use super::unfinished::Recovered;
use crate::file_metadata::FileMetadata;
use crate::manifest::Manifest;
use crate::measures::Measures;
use chaffinch_compute::content::ContentHash;
use chaffinch_protocol::sample::SampleId;
use chaffinch_sources::Stamp;
use std::collections::HashMap;
use std::path::Path;

/// What is known about a file that has not changed since.
pub(super) struct KnownRow {
    pub(super) row: Row,
    /// All its records, concatenated; `None` if one is missing.
    pub(super) measures: Option<Vec<u8>>,
}

/// The last reading, and an unfinished one.
pub(super) struct Known<'a> {
    manifest: &'a Manifest,
    previous: Option<Previous<'a>>,
    measures: Option<Vec<Measures>>,
    recovered: Recovered,
}

/// File metadata from an earlier reading.
struct Previous<'a> {
    file_metadata: &'a FileMetadata,
    /// Old rows by path; `None` if old and new rows are the same.
    rows: Option<HashMap<&'a Path, SampleId>>,
}

impl<'a> Known<'a> {
    /// `measures` belong to the previous file metadata.
    pub(super) fn new(
        manifest: &'a Manifest,
        previous: Option<(&'a Manifest, &'a FileMetadata)>,
        measures: Option<Vec<Measures>>,
        recovered: Recovered,
    ) -> Known<'a> {
        let previous = previous.map(|(before, file_metadata)| Previous::new(manifest, before, file_metadata));
        Known { manifest, previous, measures, recovered }
    }

    /// What is known about a sample with this size and time.
    pub(super) fn row(&self, id: SampleId, stamp: Stamp) -> Option<KnownRow> {
        let path = self.manifest.path(id);
        let found = self.previous.as_ref().and_then(|previous| previous.row(path, id, stamp));
        if let Some((row, old)) = found {
            let measures = self.measures.as_ref();
            let measures =
                measures.map(|all| all.iter().flat_map(|one| one.row(old.index()).iter().copied()).collect());
            let again = || Some(self.recovered.row(path, stamp)?.1.to_vec());
            return Some(KnownRow { row, measures: measures.or_else(again) });
        }
        let (row, measures) = self.recovered.row(path, stamp)?;
        Some(KnownRow { row, measures: Some(measures.to_vec()) })
    }
}

impl<'a> Previous<'a> {
    fn new(manifest: &Manifest, before: &'a Manifest, file_metadata: &'a FileMetadata) -> Previous<'a> {
        let facts_fit = file_metadata.len() == before.len()
            && manifest.root() == before.root()
            && manifest.ground() == before.ground();
        let rows = match (facts_fit, before.has_paths_of(manifest)) {
            (true, true) => None,
            (true, false) => Some(before.ids().map(|id| (before.path(id), id)).collect()),
            (false, _) => Some(HashMap::new()),
        };
        Previous { file_metadata, rows }
    }

    /// The old row of a file, if it was read and has not changed since.
    fn row(&self, path: &Path, id: SampleId, stamp: Stamp) -> Option<(Row, SampleId)> {
        let old = match &self.rows {
            None => id,
            Some(rows) => *rows.get(path)?,
        };
        let file_metadata = self.file_metadata;
        let (hash, dimensions) =
            (file_metadata.hashes[old.index()], file_metadata.dimensions.get(old.index()));
        let same = stamp.is_same(dimensions.bytes, file_metadata.modified[old.index()]);
        let row = (same && hash != ContentHash::default()).then(|| Row {
            hash,
            dimensions,
            modified: stamp.modified,
            phash: file_metadata.phash[old.index()],
            dhash: file_metadata.dhash[old.index()],
            trouble: file_metadata.unreadable.get(&old).cloned(),
            remarks: file_metadata.remarks.get(&old).cloned().unwrap_or_default(),
            unchanged: true,
        })?;
        Some((row, old))
    }
}
