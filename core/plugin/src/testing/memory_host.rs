//! The in-memory host: how a test describes its dataset.

use super::services::{Arrays, Run};
use super::{Outcome, Picture, normalize};
use crate::abi::{HostTable, Status};
use crate::export::run_caught;
use crate::host::{resolve_params, run_detector};
use crate::{Decided, Detector, Dimensions, NO_LABEL, Source, Split};
use std::collections::BTreeMap;

/// Turns a text into an embedding; `None` without a text tower.
type TextTower = Box<dyn Fn(&str) -> Option<Vec<f32>> + Send + Sync>;

/// A small dataset in memory and everything a host does for a detector.
///
/// The number of samples is the length of the longest array; missing arrays get defaults (no label, no split, decodable,
/// distinct contents, 32 × 32 pixels), and arrays of another length make [`MemoryHost::run`] panic.
#[derive(Default)]
pub struct MemoryHost {
    pub(super) classes: Vec<String>,
    labels: Option<Vec<u32>>,
    splits: Option<Vec<Split>>,
    decodable: Option<Vec<bool>>,
    contents: Option<Vec<[u8; 32]>>,
    dimensions: Option<Vec<Dimensions>>,
    decisions: BTreeMap<usize, Decided>,
    pub(super) embeddings: Option<(Vec<f32>, usize)>,
    pub(super) probabilities: Option<Vec<f32>>,
    folds: Option<Vec<u32>>,
    pub(super) inverse_temperature: Option<f32>,
    pub(super) hashes: [Option<Vec<u64>>; 2],
    pub(super) pictures: Option<Vec<Picture>>,
    pub(super) sources: Option<Vec<Source>>,
    prompts: BTreeMap<u32, Vec<String>>,
    pub(super) texts: Option<TextTower>,
    pub(super) logit_scale: Option<f32>,
    params: BTreeMap<String, f64>,
    pub(super) stop_after: Option<usize>,
    pub(super) kept: BTreeMap<String, Vec<Vec<u8>>>,
    pub(super) paths: Option<Vec<String>>,
    /// By name, in the order of the dataset.
    pub(super) columns: Vec<(String, Vec<String>)>,
    pub(super) scores: BTreeMap<String, Vec<f32>>,
}

impl MemoryHost {
    /// A host without samples.
    pub fn new() -> MemoryHost {
        MemoryHost::default()
    }

    /// Sets the class names.
    #[must_use]
    pub fn classes<S: AsRef<str>>(mut self, names: &[S]) -> Self {
        self.classes = names.iter().map(|name| name.as_ref().to_owned()).collect();
        self
    }

    /// Sets the labels; [`NO_LABEL`] for none.
    #[must_use]
    pub fn labels(mut self, labels: &[u32]) -> Self {
        self.labels = Some(labels.to_vec());
        self
    }

    /// Sets the split of each sample.
    #[must_use]
    pub fn splits(mut self, splits: &[Split]) -> Self {
        self.splits = Some(splits.to_vec());
        self
    }

    /// Sets which samples can be decoded.
    #[must_use]
    pub fn decodable(mut self, decodable: &[bool]) -> Self {
        self.decodable = Some(decodable.to_vec());
        self
    }

    /// Sets the content hash of each file.
    #[must_use]
    pub fn contents(mut self, hashes: &[[u8; 32]]) -> Self {
        self.contents = Some(hashes.to_vec());
        self
    }

    /// Sets the size of each image.
    #[must_use]
    pub fn dimensions(mut self, dimensions: &[Dimensions]) -> Self {
        self.dimensions = Some(dimensions.to_vec());
        self
    }

    /// Sets the decision about one sample.
    #[must_use]
    pub fn decide(mut self, sample: usize, decision: Decided) -> Self {
        self.decisions.insert(sample, decision);
        self
    }

    /// Sets the embeddings, `dim` numbers each; they are normalized here.
    #[must_use]
    pub fn embeddings(mut self, data: &[f32], dim: usize) -> Self {
        let mut data = data.to_vec();
        data.chunks_exact_mut(dim.max(1)).for_each(normalize);
        self.embeddings = Some((data, dim));
        self
    }

    /// Sets the class probabilities of each sample, one column per class.
    #[must_use]
    pub fn probabilities(mut self, data: &[f32]) -> Self {
        self.probabilities = Some(data.to_vec());
        self
    }

    /// Sets the fold of each sample; the default is fold 0.
    #[must_use]
    pub fn folds(mut self, folds: &[u32]) -> Self {
        self.folds = Some(folds.to_vec());
        self
    }

    /// Sets the inverse temperature of the probabilities; the default is 1.
    #[must_use]
    pub fn inverse_temperature(mut self, power: f32) -> Self {
        self.inverse_temperature = Some(power);
        self
    }

    /// Sets the pHash and dHash of each sample.
    #[must_use]
    pub fn hashes(mut self, phash: &[u64], dhash: &[u64]) -> Self {
        self.hashes = [Some(phash.to_vec()), Some(dhash.to_vec())];
        self
    }

    /// Sets the pixels of each sample, and its size unless [`MemoryHost::dimensions`] does.
    #[must_use]
    pub fn pictures(mut self, pictures: Vec<Picture>) -> Self {
        self.pictures = Some(pictures);
        self
    }

    /// Sets how each file stores its picture; the default is unknown.
    #[must_use]
    pub fn sources(mut self, sources: &[Source]) -> Self {
        self.sources = Some(sources.to_vec());
        self
    }

    /// Sets the prompts of a class; the default is `a photo of a NAME`.
    #[must_use]
    pub fn prompts<S: AsRef<str>>(mut self, label: u32, prompts: &[S]) -> Self {
        self.prompts.insert(label, prompts.iter().map(|text| text.as_ref().to_owned()).collect());
        self
    }

    /// Sets the alternatives; the default is `a photo of something`.
    #[must_use]
    pub fn alternatives<S: AsRef<str>>(self, prompts: &[S]) -> Self {
        self.prompts(NO_LABEL, prompts)
    }

    /// The text tower; the vectors it gives are made unit length. Without one, texts cannot be embedded.
    #[must_use]
    pub fn texts(mut self, embed: impl Fn(&str) -> Option<Vec<f32>> + Send + Sync + 'static) -> Self {
        self.texts = Some(Box::new(embed));
        self
    }

    /// The model's logit scale, 100 without saying so.
    #[must_use]
    pub fn logit_scale(mut self, scale: f32) -> Self {
        self.logit_scale = Some(scale);
        self
    }

    /// Sets a parameter of the detector under test.
    #[must_use]
    pub fn param(mut self, name: &str, value: f64) -> Self {
        self.params.insert(name.to_owned(), value);
        self
    }

    /// Asks to stop once the detector has looked `checks` times.
    #[must_use]
    pub fn stop_after(mut self, checks: usize) -> Self {
        self.stop_after = Some(checks);
        self
    }

    /// What the detector kept under a name in earlier runs, the oldest first: usually [`Outcome::kept`] of one.
    #[must_use]
    pub fn kept(mut self, name: &str, versions: &[Vec<u8>]) -> Self {
        self.kept.insert(name.to_owned(), versions.to_vec());
        self
    }

    /// Sets the paths of the samples, which are the column `path`; the default is `sample-0` and so on.
    #[must_use]
    pub fn paths<S: AsRef<str>>(mut self, paths: &[S]) -> Self {
        self.paths = Some(paths.iter().map(|path| path.as_ref().to_owned()).collect());
        self
    }

    /// Adds a column of the dataset, with an empty text where a sample has no value.
    #[must_use]
    pub fn column<S: AsRef<str>>(mut self, name: &str, values: &[S]) -> Self {
        let values = values.iter().map(|value| value.as_ref().to_owned()).collect();
        self.columns.push((name.to_owned(), values));
        self
    }

    /// Sets the scores of a detector that ran before, NaN where it has none.
    #[must_use]
    pub fn scores_of(mut self, detector: &str, scores: &[f32]) -> Self {
        self.scores.insert(detector.to_owned(), scores.to_vec());
        self
    }

    /// Runs a detector. Its panic is an error, as in the real host.
    ///
    /// # Panics
    /// When the arrays given to this host differ in length.
    pub fn run<D: Detector>(&self, detector: &D) -> Outcome {
        self.run_by_hand(detector, |table| run_caught(detector, table))
    }

    /// Runs a function that calls the table directly, as a library may, instead of a detector.
    ///
    /// # Panics
    /// When the arrays given to this host differ in length.
    pub fn run_by_hand<D: Detector>(&self, detector: &D, call: impl FnOnce(&HostTable) -> Status) -> Outcome {
        let run = Run::new(self, detector);
        let params = resolve_params(&D::INFO, &self.params);
        let ended = params.and_then(|params| run_detector(&run, &D::INFO, &params, call));
        run.into_outcome(ended.err())
    }

    fn prompts_of(&self, label: u32) -> Vec<String> {
        match (self.prompts.get(&label), self.classes.get(label as usize)) {
            (Some(texts), _) => texts.clone(),
            (None, Some(class)) => vec![format!("a photo of a {class}")],
            (None, None) => vec!["a photo of something".into()],
        }
    }

    fn count(&self) -> usize {
        [
            self.labels.as_ref().map(Vec::len),
            self.splits.as_ref().map(Vec::len),
            self.decodable.as_ref().map(Vec::len),
            self.contents.as_ref().map(Vec::len),
            self.dimensions.as_ref().map(Vec::len),
            self.embeddings.as_ref().map(|(data, dim)| data.len() / dim.max(&1)),
            self.probabilities.as_ref().map(|data| data.len() / self.classes.len().max(1)),
            self.folds.as_ref().map(Vec::len),
            self.hashes[0].as_ref().map(Vec::len),
            self.hashes[1].as_ref().map(Vec::len),
            self.pictures.as_ref().map(Vec::len),
            self.paths.as_ref().map(Vec::len),
            self.columns.iter().map(|(_, values)| values.len()).max(),
        ]
        .into_iter()
        .flatten()
        .max()
        .unwrap_or(0)
    }

    /// The dataset's arrays, complete.
    pub(super) fn arrays(&self) -> Arrays {
        let count = self.count();
        let pictures = self.pictures.as_ref();
        let size = |sample: usize| {
            let (width, height) = pictures.map_or((32, 32), |all| (all[sample].width, all[sample].height));
            Dimensions { width, height, bytes: u64::from(width) * u64::from(height) * 3 }
        };
        let distinct = |sample: usize| {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&(sample as u64 + 1).to_le_bytes());
            hash
        };
        let splits = filled(self.splits.as_deref(), count, |_| Split::None);
        let decodable = filled(self.decodable.as_deref(), count, |_| true);
        let mut decisions = vec![0; count];
        let mut relabels = vec![u32::MAX; count];
        for (&sample, &decision) in &self.decisions {
            decisions[sample] = match decision {
                Decided::Keep => 1,
                Decided::Remove => 2,
                Decided::Relabel(label) => {
                    relabels[sample] = label;
                    3
                }
                Decided::Unsure => 4,
            };
        }
        Arrays {
            labels: filled(self.labels.as_deref(), count, |_| NO_LABEL),
            splits: splits.into_iter().map(|split| split as u8).collect(),
            decodable: decodable.into_iter().map(u8::from).collect(),
            contents: filled(self.contents.as_deref(), count, distinct),
            dimensions: filled(self.dimensions.as_deref(), count, size),
            decisions,
            relabels,
            folds: filled(self.folds.as_deref(), count, |_| 0),
            prompts: (0..self.classes.len() as u32)
                .chain([NO_LABEL])
                .map(|label| self.prompts_of(label))
                .collect(),
        }
    }
}

/// The given array, or `count` times the default.
///
/// # Panics
/// When the array has another length.
fn filled<T: Clone>(given: Option<&[T]>, count: usize, default: impl Fn(usize) -> T) -> Vec<T> {
    match given {
        Some(given) => {
            assert_eq!(given.len(), count, "the arrays of this host differ in length");
            given.to_vec()
        }
        None => (0..count).map(default).collect(),
    }
}
