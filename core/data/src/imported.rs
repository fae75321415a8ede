//! Results of other programs, stored by the contents of the samples that they are about, so that they stay with these
//! whatever a scan finds: other files, another order, other names.

use crate::class_names;
use crate::columns::{DetectorResult, ResultBuilder, file};
use crate::file_metadata::FileMetadata;
use crate::issue::{Issue, RunRecord};
use crate::manifest::Manifest;
use crate::moved::{self, Key};
use crate::same_path::{Marks, RowMark};
use crate::{Error, Result};
use arrow_array::{Array, ArrayRef, LargeStringArray, RecordBatch};
use arrow_schema::{Field, Schema};
use chaffinch_compute::content::ContentHash;
use chaffinch_protocol::sample::SampleId;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The columns beside those of a result.
const HASH: &str = "hash";
const PATH: &str = "path";
/// Which row of its path each is, as JSON; only if a path has several.
const ROW: &str = "row";

/// A result of another program, with one row for each sample that it is about, and the content and path of each.
#[derive(Debug)]
pub struct Imported {
    result: DetectorResult,
    keys: Vec<Key>,
    /// For each what tells it from other samples of its path; empty if there were none.
    marks: Vec<Option<RowMark>>,
    digest: String,
}

/// An imported result for the samples of a manifest.
#[derive(Debug)]
pub struct Bound {
    /// One row for each sample, without a score where the file says nothing of it.
    pub result: DetectorResult,
    /// The paths of samples that have other contents now, and lost what was imported about them.
    pub changed: Vec<PathBuf>,
    /// The paths of samples that are no longer there; what was imported about them is kept.
    pub gone: Vec<PathBuf>,
}

impl Imported {
    /// The result about some samples of a manifest, in manifest order. Evidence refers to samples of the manifest, and
    /// suggestions to its classes and to `others`, whose indices follow those of the classes.
    pub fn new(
        record: RunRecord,
        issues: &BTreeMap<SampleId, Issue>,
        others: &[String],
        manifest: &Manifest,
        file_metadata: &FileMetadata,
    ) -> Imported {
        let rows: HashMap<SampleId, SampleId> =
            (0..).zip(issues.keys()).map(|(row, &id)| (id, SampleId(row))).collect();
        let mut builder = ResultBuilder::new(issues.len());
        for (row, issue) in (0..).zip(issues.values()) {
            let related = issue.related.iter();
            let related =
                related.filter_map(|(id, similarity)| Some((*rows.get(id)?, *similarity))).collect();
            builder.issue(SampleId(row), Issue { related, ..issue.clone() });
        }
        let key = |id: &SampleId| {
            let hash = file_metadata.hashes.get(id.index()).copied().unwrap_or_default();
            (hash, manifest.path(*id).as_os_str().as_bytes().to_vec())
        };
        let result = builder.finish_naming(record, manifest.classes(), others);
        let mut known = Marks::default();
        let mut marks: Vec<Option<RowMark>> = issues.keys().map(|&id| known.of(manifest, id)).collect();
        if marks.iter().all(Option::is_none) {
            marks = Vec::new();
        }
        Imported { result, keys: issues.keys().map(key).collect(), marks, digest: String::new() }
    }

    /// The record of the import.
    pub fn record(&self) -> &RunRecord {
        self.result.record()
    }

    /// Samples that it is about.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether it is about none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Writes it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let hashes = LargeStringArray::from_iter_values(self.keys.iter().map(|(hash, _)| hash.to_string()));
        let paths =
            LargeStringArray::from_iter_values(self.keys.iter().map(|(_, path)| class_names::of_bytes(path)));
        let batch = self.result.batch();
        let schema = batch.schema();
        let mut fields: Vec<Arc<Field>> = schema.fields().iter().cloned().collect();
        let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
        let mut add = |name: &str, column: LargeStringArray, nullable: bool| {
            fields.push(Arc::new(Field::new(name, column.data_type().clone(), nullable)));
            columns.push(Arc::new(column));
        };
        add(HASH, hashes, false);
        add(PATH, paths, false);
        if !self.marks.is_empty() {
            let text =
                |mark: &Option<RowMark>| mark.as_ref().and_then(|mark| serde_json::to_string(mark).ok());
            add(ROW, self.marks.iter().map(text).collect(), true);
        }
        let schema = Schema::new(fields).with_metadata(schema.metadata().clone());
        let batch = RecordBatch::try_new(Arc::new(schema), columns)
            .map_err(|error| Error::format(path, error.to_string()))?;
        file::write(path, &batch)
    }

    /// Reads a file written by [`Imported::save`]. `classes` are the manifest's current ones; suggested labels are matched
    /// to them by name.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or has another version.
    pub fn load(path: &Path, classes: &[String]) -> Result<Imported> {
        let result = DetectorResult::load(path, classes)?;
        let digest = blake3::hash(&fs::read(path).map_err(Error::io("read", path))?).to_hex().to_string();
        let column = |name: &str| -> Result<LargeStringArray> {
            let column = result.batch().column_by_name(name);
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
        let keys: Option<Vec<_>> = (0..result.len()).map(key).collect();
        let keys = keys.ok_or_else(|| file::damaged(path, "a row does not say which sample it is about"))?;
        let marks = match result.batch().column_by_name(ROW) {
            Some(_) => {
                let texts = column(ROW)?;
                let mark = |row: usize| file::text(&texts, row).map(serde_json::from_str).transpose();
                let marks: std::result::Result<Vec<_>, _> = (0..result.len()).map(mark).collect();
                marks.map_err(|error| file::damaged(path, &format!("its column '{ROW}': {error}")))?
            }
            None => Vec::new(),
        };
        Ok(Imported { result, keys, marks, digest })
    }

    /// The same for the samples of a manifest. A sample is found by its content, of several with the same content by its
    /// path, and of several rows with one path by what they say; one whose content is unknown is found by its path.
    pub fn bind(&self, manifest: &Manifest, file_metadata: &FileMetadata) -> Bound {
        let places = moved::places(&self.keys, &self.marks, manifest, file_metadata);
        let lost: HashSet<&[u8]> = (places.iter().zip(&self.keys))
            .filter(|(place, _)| place.is_none())
            .map(|(_, key)| key.1.as_slice())
            .collect();
        let path_of = |id: SampleId| manifest.path(id).as_os_str().as_bytes();
        let there: HashSet<&[u8]> = match lost.is_empty() {
            true => HashSet::new(),
            false => manifest.ids().map(path_of).filter(|path| lost.contains(path)).collect(),
        };
        let (mut changed, mut gone) = (Vec::new(), Vec::new());
        for (place, (_, path)) in places.iter().zip(&self.keys) {
            if place.is_none() {
                let lost = if there.contains(path.as_slice()) { &mut changed } else { &mut gone };
                lost.push(PathBuf::from(OsStr::from_bytes(path)));
            }
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.digest.as_bytes());
        hasher.update(bytemuck::cast_slice(&file_metadata.hashes));
        let (bytes, ends) = manifest.path_columns();
        hasher.update(bytes).update(bytemuck::cast_slice(ends));
        let input_digest = hasher.finalize().to_hex().to_string();
        Bound { result: moved::rebuilt(&self.result, &places, manifest, input_digest), changed, gone }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::NewSample;
    use chaffinch_protocol::sample::Split;

    fn dataset(files: &[(&str, &str)]) -> (Manifest, FileMetadata) {
        let sample = |(path, _): &(&str, &str)| NewSample {
            path: path.into(),
            label: Some("cat".into()),
            split: Split::None,
        };
        let hash = |(_, content): &(&str, &str)| match *content {
            "" => ContentHash::default(),
            content => ContentHash::of(content.as_bytes()),
        };
        let hashes = files.iter().map(hash).collect();
        (Manifest::new("/data", files.iter().map(sample)), FileMetadata { hashes, ..FileMetadata::default() })
    }

    fn imported(files: &[(&str, &str)]) -> Imported {
        let (manifest, file_metadata) = dataset(files);
        let record = RunRecord {
            name: "tool_x".into(),
            imported: "tool".into(),
            threshold: 0.5,
            ..RunRecord::default()
        };
        let issues = manifest.ids().map(|id| {
            let related = vec![(SampleId((id.0 + 1) % manifest.len() as u32), 0.9)];
            (
                id,
                Issue {
                    score: id.0 as f32 / 10.0,
                    related,
                    suggested: (id.0 == 2).then_some(1),
                    reason: format!("row {}", id.0),
                    ..Issue::default()
                },
            )
        });
        let wolf = ["wolf".to_owned()];
        let made = Imported::new(record, &issues.collect(), &wolf, &manifest, &file_metadata);
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("x.arrow");
        made.save(&path).unwrap();
        Imported::load(&path, manifest.classes()).unwrap()
    }

    #[test]
    fn rows_follow_contents_and_changed_samples_lose_them() {
        let imported = imported(&[("a.png", "A"), ("b.png", "B"), ("c.png", "C"), ("d.png", "")]);
        // c was renamed, b changed, e is new, d was never read.
        let (manifest, files) =
            dataset(&[("0/c.png", "C"), ("a.png", "A"), ("b.png", "B2"), ("d.png", "D"), ("e.png", "E")]);
        let Bound { result, changed, gone } = imported.bind(&manifest, &files);
        let scores: Vec<Option<f32>> = manifest.ids().map(|id| result.score(id)).collect();
        assert_eq!(scores, [Some(0.2), Some(0.0), None, Some(0.3), None]);
        assert_eq!((changed, gone), (vec![PathBuf::from("b.png")], vec![]));
        assert_eq!(result.reason(SampleId(0)), "row 2");
        assert_eq!(result.issue(SampleId(0)).unwrap().related, [(SampleId(3), 0.9)], "evidence follows");
        assert_eq!(result.issue(SampleId(1)).unwrap().related, [], "and goes with the sample");
        assert_ne!(result.record().input_digest, "");
        let suggested = |id| (result.suggested(SampleId(id)), result.suggested_other(SampleId(id)));
        assert_eq!((suggested(0), suggested(1)), ((None, Some("wolf")), (None, None)), "no sample is a wolf");
    }

    #[test]
    fn copies_are_told_apart_by_their_paths() {
        let imported = imported(&[("a.png", "A"), ("b.png", "A")]);
        let (manifest, files) = dataset(&[("b.png", "A"), ("c.png", "A")]);
        let bound = imported.bind(&manifest, &files);
        assert_eq!(bound.result.scores(), [0.1, 0.0]);
        let (manifest, files) = dataset(&[("b.png", "A")]);
        let bound = imported.bind(&manifest, &files);
        assert_eq!((bound.result.scores(), bound.gone), (&[0.1][..], vec![PathBuf::from("a.png")]));
    }

    #[test]
    fn results_stay_with_their_rows_of_one_path() {
        let manifest = |labels: &[&str]| {
            let sample = |label: &&str| NewSample {
                path: "a.png".into(),
                label: Some((*label).to_owned()),
                split: Split::None,
            };
            Manifest::new("/data", labels.iter().map(sample))
        };
        let files = |count: usize| FileMetadata {
            hashes: vec![ContentHash::of(b"A"); count].into(),
            ..FileMetadata::default()
        };
        let before = manifest(&["cat", "dog"]);
        let record = RunRecord { name: "tool_x".into(), threshold: 0.5, ..RunRecord::default() };
        let issues = [(SampleId(1), Issue { score: 0.1, ..Issue::default() })].into();
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("x.arrow");
        Imported::new(record, &issues, &[], &before, &files(2)).save(&path).unwrap();
        let imported = Imported::load(&path, before.classes()).unwrap();
        let places = |labels: &[&str]| {
            moved::places(&imported.keys, &imported.marks, &manifest(labels), &files(labels.len()))
        };
        assert_eq!(places(&["cat", "dog"]), [Some(SampleId(1))]);
        assert_eq!(places(&["bird", "dog", "cat"]), [Some(SampleId(1))]);
        assert_eq!(places(&["dog"]), [Some(SampleId(0))]);
        assert_eq!(places(&["cat"]), [None]);
        assert_eq!(places(&["cat", "dog", "dog"]), [None], "which dog is not certain");
    }
}
