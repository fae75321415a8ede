//! The host's side of the contract: [`HostServices`] is what a host does for a detector, in safe Rust, and
//! [`run_detector`] is the only bridge from it to the C table.
//!
//! The bridge does everything that is the same in every host: it refuses a service unless the detector has declared the
//! need for it, checks arguments before they get here, checks what the detector writes before passing it on, and turns
//! errors and panics into a status with a message.

mod checked;
mod columns;
mod memo;
mod params;
mod table;

pub use checked::{NO_EMBEDDINGS, NOT_SCORED, undeclared};
pub use columns::{COLUMNS, no_column, no_scores, standard_column};
pub use memo::Memo;
pub use params::{needs_of, resolve_params};
pub use table::{run_detector, run_here};

use crate::{Dimensions, HashKind, HashPair, Matrix, Neighbors, Pixels, Region, Related, Result, Severity};

/// What a host does during one run of one detector. Lent slices are valid as long as the borrow of the host, that is,
/// until the run ends; [`Memo`] keeps what is computed on demand.
///
/// Everything may be called from several threads. An [`Error`](crate::Error) reaches the detector with its message and
/// its kind: missing, stopped, or failed.
pub trait HostServices: Sync {
    /// The dataset.
    fn dataset(&self) -> Dataset<'_>;

    /// Writes a line to the log; level 0 debug, 1 info, 2 warning, 3 error.
    fn log(&self, level: u32, text: &str);

    /// Reports the progress of the detector's own loop.
    fn progress(&self, done: u64, total: u64);

    /// Whether the user requested a stop.
    fn stopped(&self) -> bool;

    /// One unit-length row per sample; zeros if the image could not be decoded.
    ///
    /// # Errors
    /// With [`NO_EMBEDDINGS`] if there are none.
    fn embeddings(&self) -> Result<Matrix<'_>>;

    /// The `k` nearest neighbors of each sample, padded with `u32::MAX` and -1.
    ///
    /// # Errors
    /// Without embeddings, or when stopped.
    fn neighbors(&self, k: usize) -> Result<Neighbors<'_>>;

    /// Cosines of all samples with unit-length vectors of the embeddings' dimension.
    ///
    /// # Errors
    /// Without embeddings.
    fn similarities(&self, vectors: &[f32], count: usize) -> Result<Vec<f32>>;

    /// Cosines of some samples with others, all of which exist.
    ///
    /// # Errors
    /// Without embeddings.
    fn block(&self, rows: &[u32], cols: &[u32]) -> Result<Vec<f32>>;

    /// Dimension of an embedding, and the model's logit scale.
    ///
    /// # Errors
    /// Without a model.
    fn model(&self) -> Result<(usize, f32)>;

    /// Unit-length text embeddings, one after another.
    ///
    /// # Errors
    /// Without a model, if it has no text tower (counts as missing), or if the device fails.
    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<f32>>;

    /// The prompts of a class that exists, or of the alternatives.
    ///
    /// # Errors
    /// If there is nothing to ask about the classes: their names are not words.
    fn prompts(&self, class: Option<u32>) -> Result<&[String]>;

    /// One perceptual hash per sample: pHash or dHash.
    ///
    /// # Errors
    /// If there are none.
    fn hashes(&self, kind: HashKind) -> Result<&[u64]>;

    /// All pairs of decodable samples within `radius` bits, at most [`MAX_RADIUS`], sorted.
    ///
    /// # Errors
    /// Without hashes, with too many pairs, or when stopped.
    fn near_hashes(&self, kind: HashKind, radius: u32) -> Result<&[HashPair]>;

    /// Class probabilities for each sample from a model not trained on it.
    ///
    /// # Errors
    /// Without embeddings, with fewer than two classes to separate, or when stopped.
    fn probabilities(&self) -> Result<OutOfSample<'_>>;

    /// Decodes one decodable sample, scaled to fit `max_side` (0 = full size).
    ///
    /// # Errors
    /// If it can no longer be decoded, and any error of `look`.
    fn pixels(&self, sample: usize, max_side: u32, look: Look<'_>) -> Result<()>;

    /// Decodes every decodable sample, on several threads if available.
    ///
    /// # Errors
    /// When stopped, and any error of `look`.
    fn each_pixels(&self, max_side: u32, look: Look<'_>) -> Result<()>;

    /// What the detector measured, one record per sample; zeros if the image could not be decoded.
    ///
    /// # Errors
    /// When a picture could not be measured, or when stopped.
    fn measures(&self) -> Result<&[u8]>;

    /// What this detector kept under a name, with its version; the newest if `version` is `None`.
    ///
    /// # Errors
    /// If it exists but cannot be read.
    fn kept(&self, name: &str, version: Option<u32>) -> Result<Option<(u32, &[u8])>>;

    /// Takes bytes to keep if the run succeeds, and returns their version. Bytes equal to those of the newest version do not
    /// create a new one.
    ///
    /// # Errors
    /// If what was kept so far cannot be read.
    fn keep(&self, name: &str, bytes: &[u8]) -> Result<u32>;

    /// A column of the dataset as text, one for each sample, empty where there is none.
    ///
    /// # Errors
    /// With [`no_column`] if there is no such column.
    fn column(&self, name: &str) -> Result<&[String]>;

    /// The scores of a detector that ran before, NaN where it has none.
    ///
    /// # Errors
    /// Counts as missing, if it has no result.
    fn scores_of(&self, detector: &str) -> Result<&[f32]>;

    /// Takes an issue of a decodable sample; a later one replaces an earlier one.
    fn issue(&self, issue: Reported<'_>);

    /// Takes the scores of all samples, NaN if a sample has none or could not be decoded.
    fn scores(&self, scores: &[f32]);

    /// Takes a named note about the whole run; all of one name stay, in their order.
    fn note(&self, name: &str, text: &str);

    /// Takes an attribute: a number or NaN for each sample. No name comes twice.
    fn attribute(&self, name: &str, unit: &str, values: &[f32]);

    /// Takes something about the dataset as a whole, with samples that show it.
    fn finding(&self, severity: Severity, text: &str, evidence: &[u32]);

    /// Takes regions of a decodable sample, beside those that it has.
    fn regions(&self, sample: usize, regions: &[Region<'_>]);
}

/// Receives a sample and its pixels; may be called from several threads at once.
pub type Look<'a> = &'a (dyn Fn(usize, &Pixels<'_>) -> Result<()> + Sync);

/// The largest radius of [`HostServices::near_hashes`].
pub const MAX_RADIUS: u32 = 16;

/// The dataset as parallel slices, with the codes of [`DatasetTable`](crate::abi::DatasetTable).
#[derive(Clone, Copy, Debug)]
pub struct Dataset<'a> {
    /// Class of each sample, [`NO_LABEL`](crate::NO_LABEL) if it has none.
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
    /// Decisions: 0 nothing, 1 keep, 2 remove, 3 relabel, 4 unsure.
    pub decisions: &'a [u8],
    /// The new class of relabeled samples, `u32::MAX` elsewhere.
    pub relabels: &'a [u32],
}

/// Out-of-sample class probabilities.
#[derive(Clone, Copy, Debug)]
pub struct OutOfSample<'a> {
    /// One row per sample, one column per class; zeros if the image could not be decoded.
    pub matrix: Matrix<'a>,
    /// The fold of each sample, which its model was not trained on; `u32::MAX` if it has no row,
    /// [`GIVEN_FOLD`](crate::GIVEN_FOLD) if the row was given by the user.
    pub folds: &'a [u32],
    /// The power to which each row was raised; 1 if not calibrated.
    pub inverse_temperature: f32,
}

/// A detector's result for one sample, already checked: sample, class and evidence exist, and the score is valid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reported<'a> {
    /// The sample.
    pub sample: usize,
    /// 0..=1.
    pub score: f32,
    /// The suggested label.
    pub suggested: Option<u32>,
    /// Its group within the detector.
    pub group: Option<u32>,
    /// Evidence.
    pub related: &'a [Related],
    /// One sentence in English, possibly empty.
    pub reason: &'a str,
}
