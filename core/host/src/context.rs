//! What one run of one detector may see and say.

use super::LoadedDetector;
use super::kept::{self, KeepFolder};
use super::measuring::Records;
use super::params::resolve_params;
use super::table;
use crate::{Error, Result};
use chaffinch_compute::embedding::Embedder;
use chaffinch_compute::hamming;
use chaffinch_compute::image::{RgbImage, decode, source, thumbnail};
use chaffinch_compute::job::Job;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_compute::neighbors;
use chaffinch_compute::neighbors::{NeighborLists, OnDevice};
use chaffinch_compute::out_of_sample;
use chaffinch_compute::out_of_sample::OutOfSample;
use chaffinch_data::columns::{DetectorResult, ResultBuilder};
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::issue::{Issue, RunRecord};
use chaffinch_data::manifest::Manifest;
use chaffinch_data::prompts::PromptSet;
use chaffinch_plugin::abi::{DimensionsRecord, IssueRecord, PixelsTable, Slice, Status, Str};
use chaffinch_plugin::{HashPair, Scope, Source};
use chaffinch_protocol::sample::{LabelId, SampleId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

/// Takes a detector's log lines: level (0 debug, 1 info, 2 warning, 3 error) and text.
pub type DetectorLog<'a> = &'a (dyn Fn(u32, &str) + Sync);

/// Locks; a poisoned lock only means that another thread panicked, and the caches stay valid.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Strings with their views, kept together so that the views stay valid.
pub(super) struct Texts {
    owned: Vec<String>,
    pub(super) views: Vec<Str>,
}

impl Texts {
    fn new(owned: Vec<String>) -> Texts {
        let views = owned.iter().map(|text| Str::new(text)).collect();
        Texts { owned, views }
    }
}

/// The dataset and everything detectors ask of the host. What several ask for is computed once and kept until
/// this is dropped, so that borrowed slices stay valid for every run made with it.
pub struct Shared {
    pub(super) manifest: Arc<Manifest>,
    pub(super) file_metadata: Arc<FileMetadata>,
    pub(super) matrix: Option<Arc<EmbeddingMatrix>>,
    pub(super) embedder: Option<Arc<dyn Embedder>>,
    pub(super) decodable: Vec<u8>,
    pub(super) classes: Texts,
    pub(super) decisions: Vec<u8>,
    pub(super) relabels: Vec<u32>,
    prompts: PromptSet,
    prompt_texts: Mutex<BTreeMap<u32, Arc<Texts>>>,
    on_device: OnceLock<Option<OnDevice>>,
    neighbors: Mutex<BTreeMap<usize, Arc<NeighborLists>>>,
    pairs: Mutex<BTreeMap<(u32, u32), Arc<Vec<HashPair>>>>,
    texts: Mutex<BTreeMap<String, Vec<f32>>>,
    probabilities: Mutex<Option<Arc<OutOfSample>>>,
}

impl Shared {
    /// Lends a dataset. `matrix` and `embedder` are absent when no detector needs them. Decisions are given as
    /// (sample, code, relabel class) with the codes of the contract.
    pub fn new(
        manifest: Arc<Manifest>,
        file_metadata: Arc<FileMetadata>,
        matrix: Option<Arc<EmbeddingMatrix>>,
        embedder: Option<Arc<dyn Embedder>>,
        prompts: PromptSet,
        decided: impl IntoIterator<Item = (SampleId, u8, u32)>,
    ) -> Shared {
        let mut decodable = vec![1; manifest.len()];
        for id in file_metadata.unreadable.keys() {
            decodable[id.index()] = 0;
        }
        let mut decisions = vec![0; manifest.len()];
        let mut relabels = vec![u32::MAX; manifest.len()];
        for (id, code, relabel) in decided {
            decisions[id.index()] = code;
            relabels[id.index()] = relabel;
        }
        let classes = Texts::new(manifest.classes().to_vec());
        Shared {
            manifest,
            file_metadata,
            matrix,
            embedder,
            decodable,
            classes,
            decisions,
            relabels,
            prompts,
            prompt_texts: Mutex::default(),
            on_device: OnceLock::new(),
            neighbors: Mutex::default(),
            pairs: Mutex::default(),
            texts: Mutex::default(),
            probabilities: Mutex::default(),
        }
    }

    pub(super) fn matrix(&self) -> Result<&EmbeddingMatrix> {
        self.matrix
            .as_deref()
            .ok_or_else(|| Error::Invalid("it asks for embeddings but has not declared the need".into()))
    }

    pub(super) fn embedder(&self) -> Result<&dyn Embedder> {
        self.embedder
            .as_deref()
            .ok_or_else(|| Error::Invalid("it asks for the model but has not declared the need".into()))
    }

    fn usable(&self, index: usize) -> bool {
        self.decodable[index] == 1
    }

    /// The `k` nearest neighbours of every sample. Lists are computed once for the largest `k` asked for so far
    /// and cut for smaller ones. They are searched on the model's device where it is not the processor; when it cannot, it
    /// is said and the processor does it.
    ///
    /// # Errors
    /// Without embeddings, or when stopped.
    pub fn neighbors(&self, k: usize, job: &Job<'_>, log: DetectorLog<'_>) -> Result<Arc<NeighborLists>> {
        let matrix = self.matrix()?;
        let mut cache = lock(&self.neighbors);
        if let Some(lists) = cache.get(&k) {
            return Ok(lists.clone());
        }
        let larger = cache.range(k..).next().map(|(_, lists)| lists.clone());
        let lists = Arc::new(match larger {
            Some(lists) => lists.truncated(k),
            None => match self.neighbors_on_device(matrix, k, job, log)? {
                Some(lists) => lists,
                None => neighbors::nearest(matrix, &|index| self.usable(index), k, job)?,
            },
        });
        cache.insert(k, lists.clone());
        Ok(lists)
    }

    /// `None` where there is no device but the processor, or it failed.
    fn neighbors_on_device(
        &self,
        matrix: &EmbeddingMatrix,
        k: usize,
        job: &Job<'_>,
        log: DetectorLog<'_>,
    ) -> Result<Option<NeighborLists>> {
        let failed = |error: &dyn std::fmt::Display| {
            log(2, &format!("neighbours are searched on the processor, since the device failed: {error}"));
        };
        let on_device = self.on_device.get_or_init(|| {
            let embedder = self.embedder.as_deref()?;
            OnDevice::new(embedder, matrix, &|index| self.usable(index)).unwrap_or_else(|error| {
                failed(&error);
                None
            })
        });
        let Some(on_device) = on_device else { return Ok(None) };
        match on_device.nearest(k, job) {
            Ok(lists) => Ok(Some(lists)),
            Err(chaffinch_compute::Error::Embed(error)) => {
                failed(&error);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Class probabilities of every sample by a model that was not trained on it, computed once.
    ///
    /// # Errors
    /// Without embeddings, with fewer than two classes to tell apart, or when stopped.
    pub fn probabilities(&self, job: &Job<'_>) -> Result<Arc<OutOfSample>> {
        let matrix = self.matrix()?;
        let mut cache = lock(&self.probabilities);
        if let Some(found) = &*cache {
            return Ok(found.clone());
        }
        let usable = |index: usize| self.usable(index);
        let (labels, classes) = (self.manifest.labels(), self.manifest.classes().len());
        let found = out_of_sample::compute_cleaned(
            matrix,
            labels,
            classes,
            &self.file_metadata.hashes,
            &usable,
            job,
        )?;
        let found = Arc::new(found);
        *cache = Some(found.clone());
        Ok(found)
    }

    /// All pairs with hashes (0 pHash, 1 dHash, 2 pHash in any orientation) within `radius`.
    ///
    /// # Errors
    /// For an unknown hash or a radius above 16, or when stopped.
    pub fn near_hashes(&self, kind: u32, radius: u32, job: &Job<'_>) -> Result<Arc<Vec<HashPair>>> {
        let mut cache = lock(&self.pairs);
        if let Some(pairs) = cache.get(&(kind, radius)) {
            return Ok(pairs.clone());
        }
        let find = if kind == 2 { hamming::near_turned_pairs } else { hamming::near_pairs };
        let pairs = Arc::new(find(self.hashes(kind)?, &|index| self.usable(index), radius, job)?);
        cache.insert((kind, radius), pairs.clone());
        Ok(pairs)
    }

    pub(super) fn hashes(&self, kind: u32) -> Result<&[u64]> {
        match kind {
            0 | 2 => Ok(&self.file_metadata.phash),
            1 => Ok(&self.file_metadata.dhash),
            _ => Err(Error::Invalid(format!("there is no perceptual hash number {kind}"))),
        }
    }

    pub(super) fn dimensions(&self) -> &[DimensionsRecord] {
        self.file_metadata.dimensions.joined()
    }

    pub(super) fn prompts(&self, label: u32) -> Result<Arc<Texts>> {
        let mut cache = lock(&self.prompt_texts);
        if let Some(texts) = cache.get(&label) {
            return Ok(texts.clone());
        }
        let owned = if label == u32::MAX {
            self.prompts.alternatives()
        } else if (label as usize) < self.manifest.classes().len() {
            self.prompts.for_class(self.manifest.class(LabelId(label)))
        } else {
            return Err(Error::Invalid(format!("there is no class number {label}")));
        };
        let texts = Arc::new(Texts::new(owned));
        cache.insert(label, texts.clone());
        Ok(texts)
    }

    /// The prompts of a class, or of the alternatives where the label is `u32::MAX`.
    ///
    /// # Errors
    /// When there is no such class.
    pub fn class_prompts(&self, label: u32) -> Result<Vec<String>> {
        Ok(self.prompts(label)?.owned.clone())
    }

    /// Text embeddings, each text computed once for all detectors.
    ///
    /// # Errors
    /// When the model has no text tower or the device fails.
    pub fn embed_texts(&self, texts: &[&str]) -> Result<Vec<f32>> {
        let embedder = self.embedder()?;
        let mut cache = lock(&self.texts);
        let mut missing: Vec<&str> =
            texts.iter().copied().filter(|text| !cache.contains_key(*text)).collect();
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            let vectors = embedder.embed_texts(&missing)?;
            for (text, vector) in missing.iter().zip(vectors.chunks_exact(embedder.dim())) {
                cache.insert((*text).to_owned(), vector.to_vec());
            }
        }
        Ok(texts.iter().filter_map(|text| cache.get(*text)).flatten().copied().collect())
    }

    /// Reads and decodes one sample, made to fit `max_side` (0 = full size).
    pub(super) fn picture(&self, id: SampleId, max_side: u32) -> Result<Seen> {
        let path = self.manifest.full_path(id);
        let bytes = std::fs::read(&path).map_err(Error::io("read", &path))?;
        let decoded = decode::decode(&bytes).map_err(|error| Error::format(&path, error.to_string()))?;
        let source = source::record(decoded.format, &path, decoded.stored);
        let full = decoded.image.dimensions();
        let picture = thumbnail::smaller(&decoded.image, max_side).unwrap_or(decoded.image);
        Ok(Seen { picture, full, source })
    }
}

/// What a detector sees of one sample.
pub(super) struct Seen {
    pub(super) picture: RgbImage,
    /// Width and height before it was made smaller.
    pub(super) full: (u32, u32),
    pub(super) source: Source,
}

/// What is lent to a detector of a picture, which is `full` pixels wide and high in its file.
pub(super) fn pixels_of(picture: &RgbImage, full: (u32, u32), source: Source) -> PixelsTable {
    PixelsTable {
        rgb: Slice::new(picture.as_raw()),
        width: picture.width(),
        height: picture.height(),
        full_width: full.0,
        full_height: full.1,
        source,
    }
}

/// How a run ended without a result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunFailure {
    /// The person asked to stop.
    #[error("stopped")]
    Stopped,
    /// The detector failed, panicked or wrote nonsense; the sentence says which.
    #[error("{0}")]
    Failed(String),
}

/// One run: the shared dataset, this detector's parameters, and what it has written so far.
pub struct RunContext<'a> {
    pub(super) shared: &'a Shared,
    pub(super) job: Job<'a>,
    pub(super) log: DetectorLog<'a>,
    pub(super) detector: &'a LoadedDetector,
    params: BTreeMap<String, f64>,
    result: Mutex<ResultBuilder>,
    notes: Mutex<Vec<(String, String)>>,
    failure: Mutex<Option<String>>,
    folder: Option<KeepFolder>,
    /// What the detector measured of each sample.
    pub(super) measures: OnceLock<Records>,
    /// What was lent of earlier runs, alive until this one is over.
    lent: Mutex<Vec<Arc<Vec<u8>>>>,
    /// What is to be kept when this run ends well.
    kept: Mutex<BTreeMap<String, (u32, Vec<u8>)>>,
}

impl<'a> RunContext<'a> {
    /// Prepares a run. Parameters that are not given take the detector's defaults.
    ///
    /// # Errors
    /// For a parameter the detector does not have, or a value outside its bounds.
    pub fn new(
        shared: &'a Shared,
        detector: &'a LoadedDetector,
        given: &BTreeMap<String, f64>,
        job: Job<'a>,
        log: DetectorLog<'a>,
    ) -> Result<RunContext<'a>> {
        Ok(RunContext {
            shared,
            job,
            log,
            detector,
            params: resolve_params(detector, given)?,
            result: Mutex::new(ResultBuilder::new(shared.manifest.len())),
            notes: Mutex::default(),
            failure: Mutex::default(),
            folder: None,
            measures: OnceLock::new(),
            lent: Mutex::default(),
            kept: Mutex::default(),
        })
    }

    /// The same with a place for what the detector keeps between runs; without one it starts anew every time.
    #[must_use]
    pub fn keeping(mut self, folder: KeepFolder) -> RunContext<'a> {
        self.folder = Some(folder);
        self
    }

    /// Runs the detector and takes its result.
    ///
    /// # Errors
    /// When it was stopped, failed, panicked, or wrote anything that cannot be.
    pub fn run(self, input_digest: String) -> std::result::Result<DetectorResult, RunFailure> {
        let started = Instant::now();
        let status = table::call(&self, self.detector);
        let failure = self.failure.into_inner().unwrap_or_else(PoisonError::into_inner);
        match (status, failure) {
            (Status::STOPPED, _) => return Err(RunFailure::Stopped),
            (_, _) if self.job.stopped() => return Err(RunFailure::Stopped),
            (_, Some(reason)) => return Err(RunFailure::Failed(reason)),
            (Status::OK, None) => {}
            (Status::ERROR | Status::PANIC, None) => {
                return Err(RunFailure::Failed("failed without saying why".into()));
            }
            (Status(other), None) => {
                return Err(RunFailure::Failed(format!("returned the unknown status {other}")));
            }
        }
        let kept = self.kept.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = &self.folder {
            for (name, (version, bytes)) in &kept {
                folder
                    .write(name, *version, bytes)
                    .map_err(|error| RunFailure::Failed(format!("its model was not kept: {error}")))?;
            }
        }
        let info = self.detector.info();
        let record = RunRecord {
            name: info.name().into(),
            version: info.version_text().into(),
            summary: info.summary().into(),
            groups: info.judged() == Scope::Group,
            threshold: info.default_threshold(),
            params: self.params,
            seconds: started.elapsed().as_secs_f64(),
            notes: self.notes.into_inner().unwrap_or_else(PoisonError::into_inner),
            input_digest,
        };
        let result = self.result.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(result.finish(record, self.shared.manifest.classes()))
    }

    /// Keeps the first reason why this run cannot be trusted.
    pub(super) fn refuse(&self, reason: String) -> Error {
        lock(&self.failure).get_or_insert_with(|| reason.clone());
        Error::Invalid(reason)
    }

    pub(super) fn number(&self, name: &str) -> Result<f64> {
        self.params
            .get(name)
            .copied()
            .ok_or_else(|| Error::Invalid(format!("the parameter '{name}' is not declared")))
    }

    pub(super) fn note(&self, name: &str, text: &str) {
        let mut notes = lock(&self.notes);
        notes.retain(|(known, _)| known != name);
        notes.push((name.to_owned(), text.to_owned()));
    }

    /// Bytes kept by an earlier run of this detector, with their version.
    pub(super) fn kept(&self, name: &str, version: u32) -> Result<Option<(u32, Arc<Vec<u8>>)>> {
        kept::check_name(name)?;
        let Some(folder) = &self.folder else { return Ok(None) };
        let found = folder.read(name, (version > 0).then_some(version))?;
        Ok(found.map(|(version, bytes)| {
            let bytes = Arc::new(bytes);
            lock(&self.lent).push(bytes.clone());
            (version, bytes)
        }))
    }

    /// Takes bytes that are to be kept when this run ends well, and says as which version.
    pub(super) fn keep(&self, name: &str, bytes: &[u8]) -> Result<u32> {
        kept::check_name(name)?;
        let version = self.folder.as_ref().map_or(Ok(1), |folder| folder.version_of(name, bytes))?;
        lock(&self.kept).insert(name.to_owned(), (version, bytes.to_vec()));
        Ok(version)
    }

    /// Checks and keeps one issue. What cannot be refuses the whole report: a detector that is wrong about one
    /// sample's number may be wrong about all.
    pub(super) fn issue(&self, record: &IssueRecord, related: &[(u32, f32)], reason: &str) -> Result<()> {
        let count = self.shared.manifest.len();
        let classes = self.shared.manifest.classes().len();
        if record.sample as usize >= count {
            return Err(self.refuse(format!("names sample {} of {count}", record.sample)));
        }
        if !(0.0..=1.0).contains(&record.score) {
            return Err(self.refuse(format!("gives sample {} the score {}", record.sample, record.score)));
        }
        if record.suggested != u32::MAX && record.suggested as usize >= classes {
            return Err(self.refuse(format!("suggests class {} of {classes}", record.suggested)));
        }
        if let Some((other, _)) = related.iter().find(|(other, _)| *other as usize >= count) {
            return Err(self.refuse(format!("names sample {other} of {count} as evidence")));
        }
        if self.shared.decodable[record.sample as usize] == 0 {
            return Ok(()); // Undecodable files have an issue of their own.
        }
        let issue = Issue {
            score: record.score,
            suggested: (record.suggested != u32::MAX).then_some(record.suggested),
            group: (record.group != u32::MAX).then_some(record.group),
            related: related.iter().map(|&(other, similarity)| (SampleId(other), similarity)).collect(),
            reason: reason.to_owned(),
        };
        lock(&self.result).issue(SampleId(record.sample), issue);
        Ok(())
    }

    pub(super) fn scores(&self, scores: &[f32]) -> Result<()> {
        let count = self.shared.manifest.len();
        if scores.len() != count {
            return Err(self.refuse(format!("wrote {} scores for {count} samples", scores.len())));
        }
        if let Some((sample, score)) =
            scores.iter().enumerate().find(|(_, s)| !(s.is_nan() || (0.0..=1.0).contains(*s)))
        {
            return Err(self.refuse(format!("gives sample {sample} the score {score}")));
        }
        let mut scores = scores.to_vec();
        for (score, &decodable) in scores.iter_mut().zip(&self.shared.decodable) {
            if decodable == 0 {
                *score = f32::NAN;
            }
        }
        lock(&self.result).scores(&scores);
        Ok(())
    }
}
