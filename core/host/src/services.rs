//! What detectors can ask of a dataset: computed once, and lent to every run.

use super::worker::SharedData;
use crate::{Error, Result};
use chaffinch_compute::cut_texts;
use chaffinch_compute::embedding::Embedder;
use chaffinch_compute::hamming;
use chaffinch_compute::image::{RgbImage, source, thumbnail};
use chaffinch_compute::job::Job;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_compute::neighbors;
use chaffinch_compute::neighbors::{NeighborLists, OnDevice};
use chaffinch_compute::out_of_sample;
use chaffinch_compute::out_of_sample::OutOfSample;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::pictures::{self, Unread};
use chaffinch_data::prompts::PromptSet;
use chaffinch_plugin::host::{Dataset, Memo, NO_EMBEDDINGS};
use chaffinch_plugin::{GIVEN_FOLD, HashKind, HashPair, Needs, Pixels, Source};
use chaffinch_protocol::display::counted;
use chaffinch_protocol::sample::{LabelId, SampleId};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Takes a detector's log lines: level (0 debug, 1 info, 2 warning, 3 error) and text.
pub type DetectorLog<'a> = &'a (dyn Fn(u32, &str) + Sync);

/// Locks; a poisoned lock only means that another thread panicked, and its data stays valid.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Vectors of texts by one model.
pub type TextCache = Arc<Mutex<BTreeMap<String, Vec<f32>>>>;

/// The dataset and everything detectors ask of the host. Shared results are computed once and kept until this is
/// dropped, so that they can be lent to every run.
pub struct DatasetServices {
    manifest: Arc<Manifest>,
    file_metadata: Arc<FileMetadata>,
    matrix: Option<Arc<EmbeddingMatrix>>,
    embedder: Option<Arc<dyn Embedder>>,
    decodable: Vec<u8>,
    /// 1 where a sample has an embedding.
    embedded: Vec<u8>,
    /// Probabilities from elsewhere, or why they cannot be used.
    given: Option<std::result::Result<OutOfSample, String>>,
    decisions: Vec<u8>,
    relabels: Vec<u32>,
    prompts: PromptSet,
    /// The prompts of each class, followed by those of the alternatives.
    prompt_texts: Vec<OnceLock<Vec<String>>>,
    /// Why there is nothing to ask about the classes, if so.
    nameless: Option<String>,
    on_device: OnceLock<Option<OnDevice>>,
    neighbors: Memo<usize, NeighborLists>,
    pairs: Memo<(HashKind, u32), Vec<HashPair>>,
    texts: TextCache,
    probabilities: Memo<(), OutOfSample>,
    /// The dataset's arrays as workers get them.
    lent: Memo<(), SharedData>,
}

impl DatasetServices {
    /// Lends a dataset. `matrix` and `embedder` are absent when no detector needs them. Decisions are given as
    /// (sample, code, relabel class) with the codes of the contract.
    pub fn new(
        manifest: Arc<Manifest>,
        file_metadata: Arc<FileMetadata>,
        matrix: Option<Arc<EmbeddingMatrix>>,
        embedder: Option<Arc<dyn Embedder>>,
        prompts: PromptSet,
        decided: impl IntoIterator<Item = (SampleId, u8, u32)>,
    ) -> DatasetServices {
        let mut decodable = vec![1; manifest.len()];
        for id in file_metadata.unreadable.keys() {
            decodable[id.index()] = 0;
        }
        let mut embedded = decodable.clone();
        if let Some(matrix) = matrix.as_deref().filter(|matrix| matrix.rows() == embedded.len()) {
            for (row, embedded) in embedded.iter_mut().enumerate() {
                *embedded &= u8::from(matrix.row(row).iter().any(|&x| x != 0.0));
            }
        }
        let mut decisions = vec![0; manifest.len()];
        let mut relabels = vec![u32::MAX; manifest.len()];
        for (id, code, relabel) in decided {
            decisions[id.index()] = code;
            relabels[id.index()] = relabel;
        }
        let prompt_texts = (0..=manifest.classes().len()).map(|_| OnceLock::new()).collect();
        // Vectors of texts that were computed elsewhere may go by the names of classes, whatever these are.
        let named = |embedder: &Arc<dyn Embedder>| {
            !embedder.sees() && manifest.classes().iter().all(|class| embedder.reads(class))
        };
        let nameless =
            if embedder.as_ref().is_some_and(named) { None } else { prompts.nameless(manifest.classes()) };
        DatasetServices {
            manifest,
            file_metadata,
            matrix,
            embedder,
            decodable,
            embedded,
            given: None,
            decisions,
            relabels,
            prompts,
            prompt_texts,
            nameless,
            on_device: OnceLock::new(),
            neighbors: Memo::default(),
            pairs: Memo::default(),
            texts: TextCache::default(),
            probabilities: Memo::default(),
            lent: Memo::default(),
        }
    }

    /// The same with vectors of texts that this model gave before, which takes those that it gives now.
    #[must_use]
    pub fn knowing_texts(self, texts: TextCache) -> DatasetServices {
        DatasetServices { texts, ..self }
    }

    /// The same with class probabilities from elsewhere in place of those computed here, or with the reason why there are
    /// none.
    #[must_use]
    pub fn with_probabilities(
        mut self,
        given: Option<std::result::Result<OutOfSample, String>>,
    ) -> DatasetServices {
        self.given = given;
        self
    }

    /// For a detector with these needs: 1 where a sample has everything, and notes on those that do not. What has no
    /// vector and no probabilities is not judged, rather than judged by zeros.
    pub(super) fn judged(&self, needs: Needs) -> (Vec<u8>, Vec<(String, String)>) {
        let (mut judged, mut notes) = (self.decodable.clone(), Vec::new());
        let mut leave = |has: &dyn Fn(usize) -> bool, name: &str, what: &str| {
            let mut left = 0;
            for (row, judged) in judged.iter_mut().enumerate().filter(|(_, judged)| **judged == 1) {
                if !has(row) {
                    (*judged, left) = (0, left + 1);
                }
            }
            if left > 0 {
                let are = if left == 1 { "is" } else { "are" };
                let samples = counted(left, "sample without", "samples without");
                notes.push((name.to_owned(), format!("{samples} {what} {are} not judged")));
            }
        };
        let vectors = [Needs::EMBEDDINGS, Needs::NEIGHBORS, Needs::TEXTS, Needs::PROBABILITIES];
        if self.matrix.is_some() && vectors.iter().any(|need| needs.contains(*need)) {
            leave(&|row| self.embedded[row] == 1, "no embedding", "an embedding");
        }
        if let Some(Ok(given)) = self.given.as_ref().filter(|_| needs.contains(Needs::PROBABILITIES)) {
            leave(&|row| given.folds[row] == GIVEN_FOLD, "no probabilities", "probabilities");
        }
        (judged, notes)
    }

    /// The dataset's arrays in memory that workers share.
    ///
    /// # Errors
    /// When there is no memory.
    pub(super) fn lent(&self) -> std::io::Result<&SharedData> {
        self.lent.get_or_compute((), || SharedData::new(&self.dataset()))
    }

    pub(super) fn dataset(&self) -> Dataset<'_> {
        Dataset {
            labels: self.manifest.labels(),
            splits: self.manifest.splits(),
            decodable: &self.decodable,
            hashes: bytemuck::cast_slice(&self.file_metadata.hashes),
            dimensions: self.file_metadata.dimensions.joined(),
            classes: self.manifest.classes(),
            decisions: &self.decisions,
            relabels: &self.relabels,
        }
    }

    pub(super) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The embeddings.
    ///
    /// # Errors
    /// When there are none.
    pub(super) fn matrix(&self) -> Result<&EmbeddingMatrix> {
        self.matrix.as_deref().ok_or_else(|| Error::Invalid(NO_EMBEDDINGS.into()))
    }

    /// The model.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn embedder(&self) -> Result<&dyn Embedder> {
        self.embedder.as_deref().ok_or_else(|| Error::Invalid(NO_EMBEDDINGS.into()))
    }

    fn usable(&self, index: usize) -> bool {
        self.decodable[index] == 1
    }

    fn embedded(&self, index: usize) -> bool {
        self.embedded[index] == 1
    }

    /// The `k` nearest neighbors of every sample. Lists are computed once for the largest `k` asked for so far and cut
    /// for smaller ones. The search runs on the model's device if that is not the CPU; if that fails, it logs a warning
    /// and falls back to the CPU.
    ///
    /// # Errors
    /// Without embeddings, or when stopped.
    pub fn neighbors(&self, k: usize, job: &Job<'_>, log: DetectorLog<'_>) -> Result<&NeighborLists> {
        let matrix = self.matrix()?;
        self.neighbors.get_or_compute(k, || {
            let larger =
                self.neighbors.iter().filter(|(known, _)| **known > k).min_by_key(|(known, _)| **known);
            if let Some((_, lists)) = larger {
                return Ok(lists.truncated(k));
            }
            match self.neighbors_on_device(matrix, k, job, log)? {
                Some(lists) => Ok(lists),
                None => Ok(neighbors::nearest_among(matrix, &self.embedded_in_order(), k, job)?),
            }
        })
    }

    /// The rows with embeddings, in the order of their paths, however the dataset is packed: it decides between equally
    /// near neighbors.
    fn embedded_in_order(&self) -> Vec<u32> {
        let places = self.manifest.places();
        let mut rows: Vec<u32> = (0..self.embedded.len() as u32).collect();
        rows.retain(|&row| self.embedded(row as usize));
        if !places.are_rows() {
            rows.par_sort_unstable_by_key(|&row| places.of(row));
        }
        rows
    }

    /// `None` if there is no device other than the CPU, or it failed.
    fn neighbors_on_device(
        &self,
        matrix: &EmbeddingMatrix,
        k: usize,
        job: &Job<'_>,
        log: DetectorLog<'_>,
    ) -> Result<Option<NeighborLists>> {
        let failed = |error: &dyn std::fmt::Display| {
            log(2, &format!("searching for neighbors on the CPU, because the device failed: {error}"));
        };
        let on_device = self.on_device.get_or_init(|| {
            let embedder = self.embedder.as_deref()?;
            OnDevice::new(embedder, matrix, self.embedded_in_order()).unwrap_or_else(|error| {
                failed(&error);
                None
            })
        });
        let Some(on_device) = on_device else { return Ok(None) };
        match on_device.nearest(matrix, k, job) {
            Ok(lists) => Ok(Some(lists)),
            Err(chaffinch_compute::Error::Embed(error)) => {
                failed(&error);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Class probabilities of every sample: those given, or else from a model that was not trained on it, computed once.
    ///
    /// # Errors
    /// When those given cannot be used; without embeddings, with fewer than two classes to tell apart, or when stopped.
    pub fn probabilities(&self, job: &Job<'_>) -> Result<&OutOfSample> {
        match &self.given {
            Some(Ok(given)) => return Ok(given),
            Some(Err(reason)) => return Err(Error::Invalid(reason.clone())),
            None => {}
        }
        let matrix = self.matrix()?;
        self.probabilities.get_or_compute((), || {
            let usable = |index: usize| self.embedded(index);
            let (labels, classes) = (self.manifest.labels(), self.manifest.classes().len());
            let hashes = &self.file_metadata.hashes;
            Ok(out_of_sample::compute_cleaned(matrix, labels, classes, hashes, &usable, job)?)
        })
    }

    /// All pairs with hashes within `radius`.
    ///
    /// # Errors
    /// For a radius above 16 or one with too many pairs, or when stopped.
    pub fn near_hashes(&self, kind: HashKind, radius: u32, job: &Job<'_>) -> Result<&[HashPair]> {
        let find =
            if kind == HashKind::TurnedPhash { hamming::near_turned_pairs } else { hamming::near_pairs };
        let pairs = self.pairs.get_or_compute((kind, radius), || {
            find(self.hashes(kind), &|index| self.usable(index), radius, job)
        })?;
        Ok(pairs)
    }

    pub(super) fn hashes(&self, kind: HashKind) -> &[u64] {
        match kind {
            HashKind::Dhash => &self.file_metadata.dhash,
            HashKind::Phash | HashKind::TurnedPhash => &self.file_metadata.phash,
        }
    }

    /// The prompts of a class, or of the alternatives.
    ///
    /// # Panics
    /// When there is no such class.
    pub fn prompts(&self, class: Option<LabelId>) -> &[String] {
        let slot = class.map_or(self.manifest.classes().len(), LabelId::index);
        self.prompt_texts[slot].get_or_init(|| match class {
            Some(class) => {
                let name = self.manifest.class(class);
                let all = self.prompts.for_class(name);
                let readable = self.readable(&all);
                let names = self.readable(&[name.to_owned(), name.replace(['_', '-'], " ")]);
                match (readable.is_empty(), names.into_iter().next()) {
                    (true, Some(name)) => vec![name],
                    // Asking for them says what is missing.
                    (true, None) => all,
                    (false, _) => readable,
                }
            }
            None => self.readable(&self.prompts.alternatives()),
        })
    }

    /// The texts for which there is a vector, which are all of them if a model reads them.
    fn readable(&self, texts: &[String]) -> Vec<String> {
        let reads = |text: &&String| self.embedder.as_ref().is_none_or(|embedder| embedder.reads(text));
        texts.iter().filter(reads).cloned().collect()
    }

    /// Why a model cannot be asked about the classes, and what to do: their names are not words. `None` if it can.
    pub fn nameless(&self) -> Option<&str> {
        self.nameless.as_deref()
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

    /// The texts of which the model reads only the beginning, without the prompts of classes and the alternatives.
    pub(super) fn cut<'t>(&self, texts: &[&'t str]) -> Vec<&'t str> {
        let of_classes = |text: &str| {
            self.prompt_texts.iter().filter_map(OnceLock::get).flatten().any(|known| known == text)
        };
        let cut =
            |text: &&str| self.embedder.as_ref().is_some_and(|embedder| embedder.reads_only(text).is_some());
        texts.iter().copied().filter(|text| cut(text) && !of_classes(text)).collect()
    }

    /// Says of these texts that the model reads only the beginning; `None` if it reads all of them to their ends.
    pub(super) fn cut_words(&self, texts: &[String]) -> Option<String> {
        cut_texts::words(self.embedder.as_deref()?, texts.iter().map(String::as_str))
    }

    /// The same of the prompts of classes and of the alternatives, which most detectors that read texts ask about: it is said
    /// once for all of them.
    pub fn cut_prompts(&self) -> Option<String> {
        let classes = if self.nameless.is_some() { 0 } else { self.manifest.classes().len() as u32 };
        let of_classes = (0..classes).flat_map(|label| self.prompts(Some(LabelId(label))));
        let all = of_classes.chain(self.prompts(None)).map(String::as_str);
        cut_texts::words(self.embedder.as_deref()?, all)
    }

    /// Reads and decodes one sample as it was indexed, scaled down to fit `max_side` (0 = full size).
    pub(super) fn picture(&self, id: SampleId, max_side: u32) -> Result<Picture> {
        let source = self.manifest.source(id);
        let path = source.shown();
        let hash = self.file_metadata.hashes[id.index()];
        let decoded = pictures::decode_known(&source, self.manifest.rendering(), hash);
        let decoded = decoded.map_err(|error| match error {
            Unread::Io(error) => Error::io("read", &path)(error),
            Unread::Decode(error) => Error::format(&path, error.to_string()),
        })?;
        let source = source::record(decoded.format, self.manifest.path(id), decoded.stored);
        let full = decoded.image.dimensions();
        let image = thumbnail::smaller(&decoded.image, max_side).unwrap_or(decoded.image);
        Ok(Picture { image, full, source })
    }
}

/// One sample, decoded for a detector.
pub(super) struct Picture {
    pub(super) image: RgbImage,
    /// Width and height before it was scaled down.
    full: (u32, u32),
    pub(super) source: Source,
}

impl Picture {
    pub(super) fn pixels(&self) -> Pixels<'_> {
        pixels_of(&self.image, self.full, self.source)
    }
}

/// A picture as it is lent to a detector; `full` is its size in the file.
pub(super) fn pixels_of(image: &RgbImage, full: (u32, u32), source: Source) -> Pixels<'_> {
    Pixels {
        rgb: image.as_raw(),
        width: image.width() as usize,
        height: image.height() as usize,
        full_width: full.0 as usize,
        full_height: full.1 as usize,
        source,
    }
}
