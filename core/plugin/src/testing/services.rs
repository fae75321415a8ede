//! The services of the in-memory host, by brute force.

use super::memory_host::MemoryHost;
use super::{Outcome, OwnedFinding, OwnedIssue, OwnedRegion, dot, normalize};
use crate::abi::Status;
use crate::export::caught;
use crate::host::{
    Dataset, HostServices, Look, Memo, NO_EMBEDDINGS, OutOfSample, Reported, no_column, no_scores,
    standard_column,
};
use crate::{
    Detector, Dimensions, Error, HashKind, HashPair, Matrix, Neighbors, Orientation, Pixels, Region, Result,
    Severity,
};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The dataset's arrays, complete: given ones and defaults.
pub(super) struct Arrays {
    pub(super) labels: Vec<u32>,
    pub(super) splits: Vec<u8>,
    pub(super) decodable: Vec<u8>,
    pub(super) contents: Vec<[u8; 32]>,
    pub(super) dimensions: Vec<Dimensions>,
    pub(super) decisions: Vec<u8>,
    pub(super) relabels: Vec<u32>,
    pub(super) folds: Vec<u32>,
    /// Those of each class, and last those of the alternatives.
    pub(super) prompts: Vec<Vec<String>>,
}

/// A run: the dataset, what was computed for the detector, and what it wrote.
pub(super) struct Run<'a, D> {
    host: &'a MemoryHost,
    detector: &'a D,
    arrays: Arrays,
    neighbors: Memo<usize, (Vec<u32>, Vec<f32>)>,
    pairs: Memo<(HashKind, u32), Vec<HashPair>>,
    measures: Memo<(), Vec<u8>>,
    standard: Memo<String, Vec<String>>,
    written: Mutex<Written>,
}

#[derive(Default)]
struct Written {
    outcome: Outcome,
    issues: BTreeMap<usize, OwnedIssue>,
    /// How often the detector checked for a stop.
    looks: usize,
}

impl<'a, D: Detector> Run<'a, D> {
    pub(super) fn new(host: &'a MemoryHost, detector: &'a D) -> Run<'a, D> {
        let arrays = host.arrays();
        let outcome = Outcome { scores: vec![None; arrays.labels.len()], ..Outcome::default() };
        Run {
            host,
            detector,
            arrays,
            neighbors: Memo::default(),
            pairs: Memo::default(),
            measures: Memo::default(),
            standard: Memo::default(),
            written: Mutex::new(Written { outcome, ..Written::default() }),
        }
    }

    /// The results of the run, with the reason if it failed or was stopped.
    pub(super) fn into_outcome(self, ended: Option<Error>) -> Outcome {
        let Written { mut outcome, issues, .. } =
            self.written.into_inner().unwrap_or_else(PoisonError::into_inner);
        // An issue takes precedence over the list of all scores, whichever was written first.
        for (&sample, issue) in &issues {
            outcome.scores[sample] = Some(issue.score);
        }
        outcome.issues = issues.into_values().collect();
        outcome.stopped = ended.as_ref().is_some_and(Error::is_stopped);
        outcome.error = ended.filter(|error| !error.is_stopped()).map(|error| error.to_string());
        if outcome.error.is_some() || outcome.stopped {
            outcome.kept.clear();
        }
        outcome
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The samples that can be decoded.
    fn usable(&self) -> impl Iterator<Item = usize> + Clone + '_ {
        (0..self.arrays.decodable.len()).filter(|&sample| self.arrays.decodable[sample] == 1)
    }

    fn nearest(&self, rows: Matrix<'_>, k: usize) -> (Vec<u32>, Vec<f32>) {
        let (mut indices, mut near) = (vec![u32::MAX; rows.rows() * k], vec![-1.0; rows.rows() * k]);
        for sample in self.usable() {
            let others = self.usable().filter(|&other| other != sample);
            let mut all: Vec<(f32, usize)> =
                others.map(|other| (dot(rows.row(sample), rows.row(other)), other)).collect();
            all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            for (rank, &(similarity, other)) in all.iter().take(k).enumerate() {
                indices[sample * k + rank] = other as u32;
                near[sample * k + rank] = similarity;
            }
        }
        (indices, near)
    }

    fn near_pairs(&self, kind: HashKind, radius: u32) -> Result<Vec<HashPair>> {
        let turned = kind == HashKind::TurnedPhash;
        let hashes = self.hashes(if turned { HashKind::Phash } else { kind })?;
        let mut pairs = Vec::new();
        for first in self.usable() {
            for second in self.usable().filter(|&second| second > first) {
                let distance = match turned {
                    true => Orientation::nearest(hashes[first], hashes[second]).1,
                    false => (hashes[first] ^ hashes[second]).count_ones(),
                };
                if distance <= radius {
                    pairs.push(HashPair { first: first as u32, second: second as u32, distance });
                }
            }
        }
        Ok(pairs)
    }

    fn measure_all(&self) -> Result<Vec<u8>> {
        let mut records = vec![0; self.arrays.labels.len() * D::MEASURE_BYTES];
        for sample in self.usable() {
            let record = Mutex::new(&mut records[sample * D::MEASURE_BYTES..][..D::MEASURE_BYTES]);
            self.pixels(sample, D::MEASURE_SIDE, &|_, pixels| {
                let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
                let mut reason = String::from("failed to measure a picture without saying why");
                let measured =
                    caught(|| self.detector.measure(pixels, &mut record), |said| reason = said.to_owned());
                if measured == Status::OK { Ok(()) } else { Err(Error::new(reason)) }
            })?;
        }
        Ok(records)
    }
}

impl<D: Detector> HostServices for Run<'_, D> {
    fn dataset(&self) -> Dataset<'_> {
        Dataset {
            labels: &self.arrays.labels,
            splits: &self.arrays.splits,
            decodable: &self.arrays.decodable,
            hashes: &self.arrays.contents,
            dimensions: &self.arrays.dimensions,
            classes: &self.host.classes,
            decisions: &self.arrays.decisions,
            relabels: &self.arrays.relabels,
        }
    }

    fn log(&self, _level: u32, text: &str) {
        self.written().outcome.log.push(text.to_owned());
    }

    fn progress(&self, _done: u64, _total: u64) {}

    fn stopped(&self) -> bool {
        let mut written = self.written();
        written.looks += 1;
        self.host.stop_after.is_some_and(|limit| written.looks > limit)
    }

    fn embeddings(&self) -> Result<Matrix<'_>> {
        let (data, cols) = self.host.embeddings.as_ref().ok_or_else(|| Error::new(NO_EMBEDDINGS))?;
        Ok(Matrix::new(data, data.len() / cols.max(&1), *cols))
    }

    fn neighbors(&self, k: usize) -> Result<Neighbors<'_>> {
        let rows = self.embeddings()?;
        let lists = self.neighbors.get_or_compute(k, || Ok::<_, Error>(self.nearest(rows, k)))?;
        Ok(Neighbors::new(&lists.0, &lists.1, k))
    }

    fn similarities(&self, vectors: &[f32], _count: usize) -> Result<Vec<f32>> {
        let rows = self.embeddings()?;
        let vectors = || vectors.chunks_exact(rows.cols().max(1));
        Ok((0..rows.rows()).flat_map(|row| vectors().map(move |vector| dot(rows.row(row), vector))).collect())
    }

    fn block(&self, rows: &[u32], cols: &[u32]) -> Result<Vec<f32>> {
        let all = self.embeddings()?;
        let row = |sample: u32| all.row(sample as usize);
        Ok(rows.iter().flat_map(|&r| cols.iter().map(move |&c| dot(row(r), row(c)))).collect())
    }

    fn model(&self) -> Result<(usize, f32)> {
        Ok((self.embeddings()?.cols(), self.host.logit_scale.unwrap_or(100.0)))
    }

    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<f32>> {
        let (dim, _) = self.model()?;
        let none = "the model MemoryHost has no text tower, so it cannot read prompts";
        let embed = self.host.texts.as_ref().ok_or_else(|| Error::missing(none))?;
        let mut values = Vec::with_capacity(texts.len() * dim);
        for text in texts {
            let vector = embed(text);
            let mut vector =
                vector.ok_or_else(|| Error::new(format!("the text tower does not know '{text}'")))?;
            assert_eq!(vector.len(), dim, "a text is not as wide as the images");
            normalize(&mut vector);
            values.extend(vector);
        }
        Ok(values)
    }

    fn prompts(&self, class: Option<u32>) -> Result<&[String]> {
        Ok(&self.arrays.prompts[class.map_or(self.host.classes.len(), |class| class as usize)])
    }

    fn hashes(&self, kind: HashKind) -> Result<&[u64]> {
        let hashes = &self.host.hashes[usize::from(kind == HashKind::Dhash)];
        hashes.as_deref().ok_or_else(|| Error::new("this dataset has no perceptual hashes"))
    }

    fn near_hashes(&self, kind: HashKind, radius: u32) -> Result<&[HashPair]> {
        let pairs = self.pairs.get_or_compute((kind, radius), || self.near_pairs(kind, radius))?;
        Ok(pairs)
    }

    fn probabilities(&self) -> Result<OutOfSample<'_>> {
        let data = self.host.probabilities.as_ref();
        let data = data.ok_or_else(|| Error::new("this dataset has no class probabilities"))?;
        let matrix = Matrix::new(data, self.arrays.labels.len(), self.host.classes.len());
        Ok(OutOfSample {
            matrix,
            folds: &self.arrays.folds,
            inverse_temperature: self.host.inverse_temperature.unwrap_or(1.0),
        })
    }

    fn pixels(&self, sample: usize, max_side: u32, look: Look<'_>) -> Result<()> {
        let pictures = self.host.pictures.as_ref();
        let pictures = pictures.ok_or_else(|| Error::new("this dataset has no pixels"))?;
        let (full, small) = (&pictures[sample], pictures[sample].shrunk(max_side));
        let pixels = Pixels {
            rgb: &small.rgb,
            width: small.width as usize,
            height: small.height as usize,
            full_width: full.width as usize,
            full_height: full.height as usize,
            source: self.host.sources.as_ref().and_then(|all| all.get(sample)).copied().unwrap_or_default(),
        };
        look(sample, &pixels)
    }

    fn each_pixels(&self, max_side: u32, look: Look<'_>) -> Result<()> {
        self.usable().try_for_each(|sample| self.pixels(sample, max_side, look))
    }

    fn measures(&self) -> Result<&[u8]> {
        if D::MEASURE_BYTES == 0 {
            return Err(Error::new("it asks for measures but measures nothing"));
        }
        Ok(self.measures.get_or_compute((), || self.measure_all())?)
    }

    fn kept(&self, name: &str, version: Option<u32>) -> Result<Option<(u32, &[u8])>> {
        let versions = self.host.kept.get(name).map_or(&[][..], Vec::as_slice);
        let version = version.unwrap_or(versions.len() as u32);
        let found = (version as usize).checked_sub(1).and_then(|index| versions.get(index));
        Ok(found.map(|bytes| (version, bytes.as_slice())))
    }

    fn keep(&self, name: &str, bytes: &[u8]) -> Result<u32> {
        let versions = self.host.kept.get(name).map_or(&[][..], Vec::as_slice);
        let same = versions.last().is_some_and(|newest| newest == bytes);
        self.written().outcome.kept.insert(name.to_owned(), bytes.to_vec());
        Ok((versions.len() + usize::from(!same)) as u32)
    }

    fn issue(&self, issue: Reported<'_>) {
        let Reported { sample, score, suggested, group, related, reason } = issue;
        let related = related.iter().map(|other| (other.sample as usize, other.similarity)).collect();
        let owned = OwnedIssue { sample, score, suggested, group, related, reason: reason.to_owned() };
        self.written().issues.insert(sample, owned);
    }

    fn scores(&self, scores: &[f32]) {
        self.written().outcome.scores =
            scores.iter().map(|&score| (!score.is_nan()).then_some(score)).collect();
    }

    fn note(&self, name: &str, text: &str) {
        let (note, notes) = ((name.to_owned(), text.to_owned()), &mut self.written().outcome.notes);
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    fn column(&self, name: &str) -> Result<&[String]> {
        let own = &self.host.columns;
        if let Some((_, values)) = own.iter().find(|(known, _)| known == name) {
            return Ok(values);
        }
        let path = |sample: usize| match &self.host.paths {
            Some(paths) => paths[sample].clone(),
            None => format!("sample-{sample}"),
        };
        let find = || {
            let found = standard_column(name, &self.dataset(), path);
            found.ok_or_else(|| no_column(name, own.iter().map(|(known, _)| known.as_str()), ""))
        };
        Ok(self.standard.get_or_compute(name.to_owned(), find)?)
    }

    fn scores_of(&self, detector: &str) -> Result<&[f32]> {
        let scores = self.host.scores.get(detector).map(Vec::as_slice);
        scores.ok_or_else(|| no_scores(detector))
    }

    fn attribute(&self, name: &str, unit: &str, values: &[f32]) {
        self.written().outcome.attributes.insert(name.to_owned(), (unit.to_owned(), values.to_vec()));
    }

    fn finding(&self, severity: Severity, text: &str, evidence: &[u32]) {
        let finding = OwnedFinding { severity, text: text.to_owned(), evidence: evidence.to_vec() };
        self.written().outcome.findings.push(finding);
    }

    fn regions(&self, sample: usize, regions: &[Region<'_>]) {
        let owned = |region: &Region<'_>| OwnedRegion {
            edges: [region.left, region.top, region.right, region.bottom],
            label: region.label.to_owned(),
        };
        self.written().outcome.regions.entry(sample).or_default().extend(regions.iter().map(owned));
    }
}
