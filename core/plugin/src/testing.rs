//! An in-memory host, so that a detector can be tested without files, models or a library.
//!
//! ```
//! use chaffinch_plugin::prelude::*;
//! use chaffinch_plugin::testing::MemoryHost;
//!
//! /// Finds samples whose class has only one member.
//! struct Lonely;
//!
//! impl Detector for Lonely {
//!     const INFO: Info = Info::new("lonely", "The class has one member only");
//!
//!     fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
//!         for class in view.members().iter().filter(|class| class.len() == 1) {
//!             report.issue(Issue::new(class[0], Score::WORST).reason("is alone in its class"))?;
//!         }
//!         Ok(())
//!     }
//! }
//!
//! let outcome = MemoryHost::new().classes(&["cat", "dog"]).labels(&[0, 0, 1]).run(&Lonely);
//! assert_eq!(outcome.issue(2).unwrap().reason, "is alone in its class");
//! assert!(outcome.issue(0).is_none());
//! ```
//!
//! It does everything by brute force and refuses what the real host refuses: a score that is none, a sample or
//! class that does not exist, and services whose need the detector has not declared.

mod noise;
mod npy;
mod table;

pub use noise::Noise;
pub use npy::npy;

use crate::abi::{DatasetTable, DimensionsRecord, Slice, Str};
use crate::{Decided, Detector, Dimensions, Info, NO_LABEL, Needs, Source, Split};
use std::collections::BTreeMap;

/// Turns a text into an embedding; `None` where there is no text tower.
type TextTower = Box<dyn Fn(&str) -> Option<Vec<f32>> + Send + Sync>;

/// One decoded image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `width * height * 3` bytes, RGB, row by row.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// An image from a function of x and y.
    pub fn from_fn(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) -> Picture {
        let pixel = &pixel;
        let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect();
        Picture { width, height, rgb }
    }
}

/// What a detector said of one sample.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnedIssue {
    /// The sample.
    pub sample: usize,
    /// 0 = surely an issue, 1 = surely fine.
    pub score: f32,
    /// The label it should have.
    pub suggested: Option<u32>,
    /// Its group within the detector.
    pub group: Option<u32>,
    /// Evidence: other samples and how alike they are.
    pub related: Vec<(usize, f32)>,
    /// Why, in words.
    pub reason: String,
}

/// Everything one run left behind.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The last score of each sample, `None` where it has none.
    pub scores: Vec<Option<f32>>,
    /// The last issue written for each sample, in sample order.
    pub issues: Vec<OwnedIssue>,
    /// Name and text of each note, in the order of writing.
    pub notes: Vec<(String, String)>,
    /// Bytes kept by name, where the run went well.
    pub kept: BTreeMap<String, Vec<u8>>,
    /// Lines written to the log.
    pub log: Vec<String>,
    /// Why the run failed, by the detector's own word or because the host refused what it wrote.
    pub error: Option<String>,
    /// Whether the detector obeyed a stop.
    pub stopped: bool,
}

impl Outcome {
    /// The issue of one sample.
    pub fn issue(&self, sample: usize) -> Option<&OwnedIssue> {
        self.issues.iter().find(|issue| issue.sample == sample)
    }

    /// The text of one note.
    pub fn note(&self, name: &str) -> Option<&str> {
        self.notes.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    /// The samples with a score below the threshold.
    pub fn flagged(&self, threshold: f32) -> Vec<usize> {
        let below =
            |(sample, score): (usize, &Option<f32>)| score.is_some_and(|s| s < threshold).then_some(sample);
        self.scores.iter().enumerate().filter_map(below).collect()
    }
}

/// A small dataset in memory and everything a host does for a detector.
///
/// The number of samples is the length of the longest array given; arrays that are not given get defaults
/// (no label, no split, decodable, distinct contents, 32 × 32 pixels), arrays of another length panic in
/// [`MemoryHost::run`].
#[derive(Default)]
pub struct MemoryHost {
    classes: Vec<String>,
    labels: Option<Vec<u32>>,
    splits: Option<Vec<Split>>,
    decodable: Option<Vec<bool>>,
    contents: Option<Vec<[u8; 32]>>,
    dimensions: Option<Vec<Dimensions>>,
    decisions: BTreeMap<usize, Decided>,
    embeddings: Option<(Vec<f32>, usize)>,
    probabilities: Option<Vec<f32>>,
    folds: Option<Vec<u32>>,
    hashes: [Option<Vec<u64>>; 2],
    pictures: Option<Vec<Picture>>,
    sources: Option<Vec<Source>>,
    prompts: BTreeMap<u32, Vec<String>>,
    texts: Option<TextTower>,
    logit_scale: Option<f32>,
    params: BTreeMap<String, f64>,
    stop_after: Option<usize>,
    kept: BTreeMap<String, Vec<Vec<u8>>>,
}

impl MemoryHost {
    /// A host without samples.
    pub fn new() -> MemoryHost {
        MemoryHost::default()
    }

    /// Names the classes.
    #[must_use]
    pub fn classes<S: AsRef<str>>(mut self, names: &[S]) -> Self {
        self.classes = names.iter().map(|name| name.as_ref().to_owned()).collect();
        self
    }

    /// Labels the samples; [`NO_LABEL`] where one has none.
    #[must_use]
    pub fn labels(mut self, labels: &[u32]) -> Self {
        self.labels = Some(labels.to_vec());
        self
    }

    /// Puts each sample into a split.
    #[must_use]
    pub fn splits(mut self, splits: &[Split]) -> Self {
        self.splits = Some(splits.to_vec());
        self
    }

    /// Says which samples can be decoded.
    #[must_use]
    pub fn decodable(mut self, decodable: &[bool]) -> Self {
        self.decodable = Some(decodable.to_vec());
        self
    }

    /// Gives each file a content hash.
    #[must_use]
    pub fn contents(mut self, hashes: &[[u8; 32]]) -> Self {
        self.contents = Some(hashes.to_vec());
        self
    }

    /// Gives each image a size.
    #[must_use]
    pub fn dimensions(mut self, dimensions: &[Dimensions]) -> Self {
        self.dimensions = Some(dimensions.to_vec());
        self
    }

    /// Decides about one sample.
    #[must_use]
    pub fn decide(mut self, sample: usize, decision: Decided) -> Self {
        self.decisions.insert(sample, decision);
        self
    }

    /// Gives each sample an embedding of `dim` numbers, which is made unit length here.
    #[must_use]
    pub fn embeddings(mut self, data: &[f32], dim: usize) -> Self {
        let mut data = data.to_vec();
        data.chunks_exact_mut(dim.max(1)).for_each(normalise);
        self.embeddings = Some((data, dim));
        self
    }

    /// Gives each sample its class probabilities, one column a class.
    #[must_use]
    pub fn probabilities(mut self, data: &[f32]) -> Self {
        self.probabilities = Some(data.to_vec());
        self
    }

    /// Puts each sample into a fold; without saying so all are in fold 0.
    #[must_use]
    pub fn folds(mut self, folds: &[u32]) -> Self {
        self.folds = Some(folds.to_vec());
        self
    }

    /// Gives each sample a pHash and a dHash.
    #[must_use]
    pub fn hashes(mut self, phash: &[u64], dhash: &[u64]) -> Self {
        self.hashes = [Some(phash.to_vec()), Some(dhash.to_vec())];
        self
    }

    /// Gives each sample its pixels, and its size where [`MemoryHost::dimensions`] does not.
    #[must_use]
    pub fn pictures(mut self, pictures: Vec<Picture>) -> Self {
        self.pictures = Some(pictures);
        self
    }

    /// Says how each file stores its picture; without it nothing is known of that.
    #[must_use]
    pub fn sources(mut self, sources: &[Source]) -> Self {
        self.sources = Some(sources.to_vec());
        self
    }

    /// Sets the prompts of a class; without them a class has `a photo of a NAME`.
    #[must_use]
    pub fn prompts<S: AsRef<str>>(mut self, label: u32, prompts: &[S]) -> Self {
        self.prompts.insert(label, prompts.iter().map(|text| text.as_ref().to_owned()).collect());
        self
    }

    /// Sets the alternatives; without them there is `a photo of something`.
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

    /// Runs a detector. Its panic is an error, as in the real host.
    ///
    /// # Panics
    /// When the arrays given to this host differ in length.
    pub fn run<D: Detector>(&self, detector: &D) -> Outcome {
        let dataset = self.lend();
        match self.resolve(&D::INFO) {
            Ok(params) => {
                let extra = D::INFO.parameters().iter().map(|param| param.needed_at(params[param.name()]));
                let needs = extra.fold(D::INFO.needed(), Needs::and);
                table::run(self, &dataset, needs, params, detector)
            }
            Err(sentence) => Outcome {
                scores: vec![None; dataset.decodable.len()],
                error: Some(sentence),
                ..Outcome::default()
            },
        }
    }

    /// The detector's parameters: defaults, and what this host overrides, checked as the real host does.
    fn resolve(&self, info: &Info) -> Result<BTreeMap<String, f64>, String> {
        let mut params: BTreeMap<String, f64> =
            info.parameters().iter().map(|param| (param.name().to_owned(), param.default())).collect();
        for (name, &value) in &self.params {
            let param = info.parameters().iter().find(|param| param.name() == name);
            let param = param.ok_or_else(|| format!("{} has no parameter '{name}'", info.name()))?;
            let (low, high) = param.bounds();
            if !(low..=high).contains(&value) {
                return Err(format!("{}: {name} = {value} is not within {low}..={high}", info.name()));
            }
            params.insert(name.clone(), value);
        }
        Ok(params)
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
        ]
        .into_iter()
        .flatten()
        .max()
        .unwrap_or(0)
    }

    /// The arrays as they cross the border.
    fn lend(&self) -> Lent<'_> {
        let count = self.count();
        let pictures = self.pictures.as_ref();
        let size = |sample: usize| {
            let (width, height) = pictures.map_or((32, 32), |all| (all[sample].width, all[sample].height));
            DimensionsRecord { width, height, bytes: u64::from(width) * u64::from(height) * 3 }
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
        Lent {
            labels: filled(self.labels.as_deref(), count, |_| NO_LABEL),
            splits: splits.into_iter().map(|split| split as u8).collect(),
            decodable: decodable.into_iter().map(u8::from).collect(),
            contents: filled(self.contents.as_deref(), count, distinct),
            dimensions: filled(self.dimensions.as_deref(), count, size),
            classes: self.classes.iter().map(|name| Str::new(name)).collect(),
            decisions,
            relabels,
            folds: filled(self.folds.as_deref(), count, |_| 0),
            host: self,
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

/// The dataset's arrays, complete.
struct Lent<'a> {
    labels: Vec<u32>,
    splits: Vec<u8>,
    decodable: Vec<u8>,
    contents: Vec<[u8; 32]>,
    dimensions: Vec<DimensionsRecord>,
    classes: Vec<Str>,
    decisions: Vec<u8>,
    relabels: Vec<u32>,
    folds: Vec<u32>,
    host: &'a MemoryHost,
}

impl Lent<'_> {
    fn table(&self) -> DatasetTable {
        DatasetTable {
            count: self.decodable.len(),
            labels: Slice::new(&self.labels),
            splits: Slice::new(&self.splits),
            decodable: Slice::new(&self.decodable),
            hashes: Slice::new(&self.contents),
            dimensions: Slice::new(&self.dimensions),
            classes: Slice::new(&self.classes),
            decisions: Slice::new(&self.decisions),
            relabels: Slice::new(&self.relabels),
        }
    }

    /// The embeddings, where there are any and the detector asked for them.
    fn embeddings(&self, needs: Needs) -> Result<(&[f32], usize), String> {
        let bits = Needs::EMBEDDINGS.and(Needs::NEIGHBORS).and(Needs::TEXTS).bits();
        if needs.bits() & bits == 0 {
            return Err("it asks for embeddings but has not declared the need".into());
        }
        let (data, dim) = self.host.embeddings.as_ref().ok_or("this dataset has no embeddings")?;
        Ok((data, *dim))
    }
}

/// Nearest-pixel shrinking, enough for tests.
fn shrink(picture: &Picture, max_side: u32) -> Picture {
    let longer = picture.width.max(picture.height);
    if max_side == 0 || longer <= max_side {
        return picture.clone();
    }
    let (width, height) =
        ((picture.width * max_side / longer).max(1), (picture.height * max_side / longer).max(1));
    Picture::from_fn(width, height, |x, y| {
        let at = (y * picture.height / height * picture.width + x * picture.width / width) as usize * 3;
        [picture.rgb[at], picture.rgb[at + 1], picture.rgb[at + 2]]
    })
}

fn normalise(vector: &mut [f32]) {
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if norm > 0.0 {
        vector.iter_mut().for_each(|x| *x /= norm);
    }
}

/// A dot product in eight lanes, which the compiler turns into vector instructions.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a8.remainder().iter().zip(b8.remainder()).map(|(x, y)| x * y).sum();
    let mut lanes = [0.0_f32; 8];
    for (x, y) in a8.zip(b8) {
        for lane in 0..8 {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    lanes.iter().sum::<f32>() + rest
}
