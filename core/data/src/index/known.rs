//! What earlier reading told, found by path.

use super::row::Row;
use super::unfinished::Recovered;
use crate::facts::Facts;
use crate::manifest::Manifest;
use crate::measures::Measures;
use chaffinch_compute::content::ContentHash;
use chaffinch_protocol::sample::SampleId;
use std::collections::HashMap;
use std::path::Path;

/// What is known of a file that has not changed since.
pub(super) struct KnownRow {
    pub(super) row: Row,
    /// All records of it, one after another; none where one is missing.
    pub(super) measures: Option<Vec<u8>>,
}

/// The last reading, and one that did not come to its end.
pub(super) struct Known<'a> {
    manifest: &'a Manifest,
    previous: Option<Previous<'a>>,
    measures: Option<Vec<Measures>>,
    recovered: Recovered,
}

/// Facts of another time.
struct Previous<'a> {
    facts: &'a Facts,
    /// Old rows by path; absent where old and new rows are the same.
    rows: Option<HashMap<&'a Path, SampleId>>,
}

impl<'a> Known<'a> {
    /// `measures` belong to the previous facts.
    pub(super) fn new(
        manifest: &'a Manifest,
        previous: Option<(&'a Manifest, &'a Facts)>,
        measures: Option<Vec<Measures>>,
        recovered: Recovered,
    ) -> Known<'a> {
        let previous = previous.map(|(before, facts)| Previous::new(manifest, before, facts));
        Known { manifest, previous, measures, recovered }
    }

    /// What is known of a file of this size and time.
    pub(super) fn row(&self, id: SampleId, size: u64, modified: i64) -> Option<KnownRow> {
        let path = self.manifest.path(id);
        let found = self.previous.as_ref().and_then(|previous| previous.row(path, id, size, modified));
        if let Some((row, old)) = found {
            let measures = self.measures.as_ref();
            let measures =
                measures.map(|all| all.iter().flat_map(|one| one.row(old.index()).iter().copied()).collect());
            let again = || Some(self.recovered.row(path, size, modified)?.1.to_vec());
            return Some(KnownRow { row, measures: measures.or_else(again) });
        }
        let (row, measures) = self.recovered.row(path, size, modified)?;
        Some(KnownRow { row, measures: Some(measures.to_vec()) })
    }
}

impl<'a> Previous<'a> {
    fn new(manifest: &Manifest, before: &'a Manifest, facts: &'a Facts) -> Previous<'a> {
        let facts_fit = facts.len() == before.len() && manifest.root() == before.root();
        let same_rows =
            before.len() == manifest.len() && manifest.ids().all(|id| manifest.path(id) == before.path(id));
        let rows = match (facts_fit, same_rows) {
            (true, true) => None,
            (true, false) => Some(before.ids().map(|id| (before.path(id), id)).collect()),
            (false, _) => Some(HashMap::new()),
        };
        Previous { facts, rows }
    }

    /// The old row of a file, where it was read and has not changed since.
    fn row(&self, path: &Path, id: SampleId, size: u64, modified: i64) -> Option<(Row, SampleId)> {
        let old = match &self.rows {
            None => id,
            Some(rows) => *rows.get(path)?,
        };
        let facts = self.facts;
        let (hash, dimensions) = (facts.hashes[old.index()], facts.dimensions.get(old.index()));
        let same = dimensions.bytes == size && facts.modified[old.index()] == modified;
        let row = (same && hash != ContentHash::default()).then(|| Row {
            hash,
            dimensions,
            modified,
            phash: facts.phash[old.index()],
            dhash: facts.dhash[old.index()],
            trouble: facts.unreadable.get(&old).cloned(),
            unchanged: true,
        })?;
        Some((row, old))
    }
}
