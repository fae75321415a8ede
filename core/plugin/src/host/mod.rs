//! The host's side of the contract: [`HostServices`] is what a host does for a detector, in safe Rust, and
//! [`run_detector`] the one bridge from it to the C table.
//!
//! The bridge answers for everything that is the same in every host: a service is refused where the detector has not
//! declared the need for it, arguments are checked before they get here, what the detector writes is checked before it is
//! passed on, and errors and panics become a status with a sentence.

mod checked;
mod memo;
mod params;
mod table;

pub use checked::NO_EMBEDDINGS;
pub use memo::Memo;
pub use params::{needs_of, resolve_params};
pub use table::run_detector;

use crate::{Dimensions, HashKind, HashPair, Matrix, Neighbors, Pixels, Related, Result};

/// What a host does in one run of one detector. Slices that are lent live as long as the borrow of the host, and so
/// until the run is over; [`Memo`] keeps what is only computed when it is asked for.
///
/// Everything may be called from several threads. An [`Error`](crate::Error) reaches the detector with its sentence and
/// its kind: missing, stopped, or failed.
pub trait HostServices: Sync {
    /// The dataset.
    fn dataset(&self) -> Dataset<'_>;

    /// Takes a line for the log; level 0 debug, 1 info, 2 warning, 3 error.
    fn log(&self, level: u32, text: &str);

    /// Takes the progress of the detector's own loop.
    fn progress(&self, done: u64, total: u64);

    /// Whether the person asked to stop.
    fn stopped(&self) -> bool;

    /// One unit-length row a sample; zeros where the image could not be decoded.
    ///
    /// # Errors
    /// With [`NO_EMBEDDINGS`] where there are none.
    fn embeddings(&self) -> Result<Matrix<'_>>;

    /// The `k` nearest neighbors of each sample, padded with `u32::MAX` and -1 where there are fewer.
    ///
    /// # Errors
    /// Without embeddings, or when stopped.
    fn neighbors(&self, k: usize) -> Result<Neighbors<'_>>;

    /// Cosines of all samples with unit-length vectors, which are as wide as the embeddings.
    ///
    /// # Errors
    /// Without embeddings.
    fn similarities(&self, vectors: &[f32], count: usize) -> Result<Vec<f32>>;

    /// Cosines of some samples with some samples, all of which exist.
    ///
    /// # Errors
    /// Without embeddings.
    fn block(&self, rows: &[u32], cols: &[u32]) -> Result<Vec<f32>>;

    /// Width of an embedding, and the model's logit scale.
    ///
    /// # Errors
    /// Without a model.
    fn model(&self) -> Result<(usize, f32)>;

    /// Unit-length text embeddings, one after another.
    ///
    /// # Errors
    /// Without a model, where it has no text tower, which counts as missing, or where the device fails.
    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<f32>>;

    /// The prompts of a class that exists, or of the alternatives.
    fn prompts(&self, class: Option<u32>) -> &[String];

    /// One perceptual hash a sample: pHash or dHash.
    ///
    /// # Errors
    /// Where there are none.
    fn hashes(&self, kind: HashKind) -> Result<&[u64]>;

    /// All pairs of decodable samples within `radius` bits, at most [`MAX_RADIUS`], sorted.
    ///
    /// # Errors
    /// Without hashes, with too many pairs, or when stopped.
    fn near_hashes(&self, kind: HashKind, radius: u32) -> Result<&[HashPair]>;

    /// Class probabilities of each sample by a model that was not trained on it.
    ///
    /// # Errors
    /// Without embeddings, with fewer than two classes to tell apart, or when stopped.
    fn probabilities(&self) -> Result<OutOfSample<'_>>;

    /// Decodes one sample that can be decoded, made to fit `max_side` (0 = full size).
    ///
    /// # Errors
    /// When it cannot be decoded any more, and whatever `look` says.
    fn pixels(&self, sample: usize, max_side: u32, look: Look<'_>) -> Result<()>;

    /// Decodes every decodable sample, on several threads where there are any.
    ///
    /// # Errors
    /// When stopped, and whatever `look` says.
    fn each_pixels(&self, max_side: u32, look: Look<'_>) -> Result<()>;

    /// What the detector measured, one record a sample; zeros where the image could not be decoded.
    ///
    /// # Errors
    /// When a picture could not be measured, or when stopped.
    fn measures(&self) -> Result<&[u8]>;

    /// What this detector kept under a name, with its version; the newest where `version` is `None`.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    fn kept(&self, name: &str, version: Option<u32>) -> Result<Option<(u32, &[u8])>>;

    /// Takes bytes that are to be kept once the run has ended well, and says as which version. Bytes equal to the newest
    /// version's stay that version.
    ///
    /// # Errors
    /// When what was kept so far cannot be read.
    fn keep(&self, name: &str, bytes: &[u8]) -> Result<u32>;

    /// Takes one issue of a decodable sample; a later one replaces an earlier.
    fn issue(&self, issue: Reported<'_>);

    /// Takes the scores of all samples, NaN where a sample has none or could not be decoded.
    fn scores(&self, scores: &[f32]);

    /// Takes a named text about the whole run; a later one of the same name replaces an earlier.
    fn note(&self, name: &str, text: &str);
}

/// Receives a sample and its pixels; may be called from several threads at once.
pub type Look<'a> = &'a (dyn Fn(usize, &Pixels<'_>) -> Result<()> + Sync);

/// The largest radius of [`HostServices::near_hashes`].
pub const MAX_RADIUS: u32 = 16;

/// The dataset as parallel slices, with the codes of [`DatasetTable`](crate::abi::DatasetTable).
#[derive(Clone, Copy, Debug)]
pub struct Dataset<'a> {
    /// Class of each sample, [`NO_LABEL`](crate::NO_LABEL) where it has none.
    pub labels: &'a [u32],
    /// 0 none, 1 train, 2 validation, 3 test.
    pub splits: &'a [u8],
    /// 1 where the image could be decoded.
    pub decodable: &'a [u8],
    /// Content hashes.
    pub hashes: &'a [[u8; 32]],
    /// Pixel sizes and file sizes.
    pub dimensions: &'a [Dimensions],
    /// Class names by label.
    pub classes: &'a [String],
    /// What a person decided: 0 nothing, 1 keep, 2 remove, 3 relabel, 4 unsure.
    pub decisions: &'a [u8],
    /// The class a person relabeled to, `u32::MAX` elsewhere.
    pub relabels: &'a [u32],
}

/// Out-of-sample class probabilities.
#[derive(Clone, Copy, Debug)]
pub struct OutOfSample<'a> {
    /// One row a sample, one column a class; zeros where the image could not be decoded.
    pub matrix: Matrix<'a>,
    /// The fold of each sample, which its model was not trained on; `u32::MAX` where it has no row.
    pub folds: &'a [u32],
    /// The power to which each row was raised; 1 where none was.
    pub inverse_temperature: f32,
}

/// What a detector says of one sample. A host gets it checked: sample, class and evidence exist, and the score is one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reported<'a> {
    /// The sample.
    pub sample: usize,
    /// 0..=1.
    pub score: f32,
    /// The label it should have.
    pub suggested: Option<u32>,
    /// Group within the detector.
    pub group: Option<u32>,
    /// Evidence.
    pub related: &'a [Related],
    /// One English sentence, possibly empty.
    pub reason: &'a str,
}
