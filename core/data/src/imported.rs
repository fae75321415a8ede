//! Results of other programs, stored by the contents of the samples that they are about, so that they stay with these
//! whatever a scan finds: other files, another order, other names.

use crate::columns::{DetectorResult, ResultBuilder, file};
use crate::file_metadata::FileMetadata;
use crate::issue::{Issue, RunRecord};
use crate::keys::{self, Keys};
use crate::manifest::Manifest;
use crate::{Error, Result, moved};
use chaffinch_protocol::sample::SampleId;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A result of another program, with one row for each sample that it is about, and the content and path of each.
#[derive(Debug)]
pub struct Imported {
    result: DetectorResult,
    keys: Keys,
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
        let result = builder.finish_naming(record, manifest.classes(), others);
        let keys = Keys::of(issues.keys().copied(), manifest, file_metadata);
        Imported { result, keys, digest: String::new() }
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
        self.keys.len() == 0
    }

    /// Writes it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let batch = self.result.batch();
        let schema = batch.schema();
        let own = schema.fields().iter().cloned().zip(batch.columns().iter().cloned());
        let columns = own.chain(self.keys.columns()).unzip();
        let batch = keys::batch_of(path, columns, schema.metadata().clone().into())?;
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
        let keys = Keys::read(path, result.batch())?;
        Ok(Imported { result, keys, digest })
    }

    /// The same for the samples of a manifest. A sample is found by its content, of several with the same content by its
    /// path, and of several rows with one path by what they say; one whose content is unknown is found by its path.
    pub fn bind(&self, manifest: &Manifest, file_metadata: &FileMetadata) -> Bound {
        let places = self.keys.places(manifest, file_metadata);
        let lost: HashSet<&[u8]> = (places.iter().zip(&self.keys.keys))
            .filter(|(place, _)| place.is_none())
            .map(|(_, key)| key.1.as_slice())
            .collect();
        let path_of = |id: SampleId| manifest.path(id).as_os_str().as_bytes();
        let there: HashSet<&[u8]> = match lost.is_empty() {
            true => HashSet::new(),
            false => manifest.ids().map(path_of).filter(|path| lost.contains(path)).collect(),
        };
        let (mut changed, mut gone) = (Vec::new(), Vec::new());
        for (place, (_, path)) in places.iter().zip(&self.keys.keys) {
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
    use chaffinch_compute::content::ContentHash;
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
        let places = |labels: &[&str]| imported.keys.places(&manifest(labels), &files(labels.len()));
        assert_eq!(places(&["cat", "dog"]), [Some(SampleId(1))]);
        assert_eq!(places(&["bird", "dog", "cat"]), [Some(SampleId(1))]);
        assert_eq!(places(&["dog"]), [Some(SampleId(0))]);
        assert_eq!(places(&["cat"]), [None]);
        assert_eq!(places(&["cat", "dog", "dog"]), [None], "which dog is not certain");
    }
}
