//! What the host does for a detector: the table of its functions.

use super::{
    DatasetTable, FindingRecord, HashPairRecord, IssueRecord, KeptRecord, MatrixTable, NeighborsTable,
    PixelsTable, ProbabilitiesTable, RegionRecord, Slice, Status, Str,
};
use std::ffi::c_void;

/// Receives the pixels of one sample; may be called from several threads at once.
pub type PixelSink =
    unsafe extern "C" fn(sink: *mut c_void, sample: u32, pixels: *const PixelsTable) -> Status;

/// What the host does for a detector. Every function may be called from any thread until `run` returns.
/// If the status is not OK, [`HostTable::message`] has the error message.
///
/// Services are only ever appended: a library that was built for an earlier version sees the beginning of the table.
#[repr(C)]
pub struct HostTable {
    /// The version that the detector was built for, which is at most the host's.
    pub abi: u32,
    /// `size_of::<HostTable>()` of the host's build.
    pub size: u32,
    /// Passed back as the first argument of every function.
    pub ctx: *mut c_void,
    /// Writes a line to the host's log; level 0 debug, 1 info, 2 warning, 3 error.
    pub log: unsafe extern "C" fn(*mut c_void, u32, Str),
    /// Reports why the run failed, before it returns [`Status::ERROR`] or [`Status::PANIC`].
    pub fail: unsafe extern "C" fn(*mut c_void, Str),
    /// The message of the last host error on this thread.
    pub message: unsafe extern "C" fn(*mut c_void) -> Str,
    /// Reports progress: done, total.
    pub progress: unsafe extern "C" fn(*mut c_void, u64, u64),
    /// 1 if the user requested a stop.
    pub stopped: unsafe extern "C" fn(*mut c_void) -> u32,
    /// A parameter's value by name.
    pub number: unsafe extern "C" fn(*mut c_void, Str, *mut f64) -> Status,
    /// The dataset.
    pub dataset: unsafe extern "C" fn(*mut c_void, *mut DatasetTable) -> Status,
    /// One unit-length embedding per sample; a row of zeros if the image could not be decoded.
    pub embeddings: unsafe extern "C" fn(*mut c_void, *mut MatrixTable) -> Status,
    /// The `k` nearest neighbors of each sample by cosine.
    pub neighbors: unsafe extern "C" fn(*mut c_void, usize, *mut NeighborsTable) -> Status,
    /// Cosines of all samples with `count` vectors (row-major, normalized by the host) into
    /// `out[sample * count + vector]`, `out_len` long.
    pub similarities: unsafe extern "C" fn(*mut c_void, *const f32, usize, *mut f32, usize) -> Status,
    /// Cosines of some samples with others into `out[row * cols + col]`, `out_len` long.
    pub block: unsafe extern "C" fn(*mut c_void, Slice<u32>, Slice<u32>, *mut f32, usize) -> Status,
    /// Unit-length text embeddings into `out[text * dim]`, `out_len` long.
    pub embed_texts: unsafe extern "C" fn(*mut c_void, Slice<Str>, *mut f32, usize) -> Status,
    /// Dimension of an embedding and the model's own logit scale (100 for OpenAI's CLIP).
    pub model: unsafe extern "C" fn(*mut c_void, *mut usize, *mut f32) -> Status,
    /// The prompts of a class, or of the alternatives if the label is `u32::MAX`.
    pub prompts: unsafe extern "C" fn(*mut c_void, u32, *mut Slice<Str>) -> Status,
    /// Perceptual hashes: kind 0 pHash, 1 dHash; one per sample, 0 if undecodable.
    pub hashes: unsafe extern "C" fn(*mut c_void, u32, *mut Slice<u64>) -> Status,
    /// All pairs of decodable samples within a radius of 0..=16 bits, sorted.
    pub near_hashes: unsafe extern "C" fn(*mut c_void, u32, u32, *mut Slice<HashPairRecord>) -> Status,
    /// Decodes one sample, scaled to fit `max_side` (0 = full size), and passes it to the sink.
    pub pixels: unsafe extern "C" fn(*mut c_void, u32, u32, *mut c_void, PixelSink) -> Status,
    /// Decodes every decodable sample on the host's threads and passes each to the sink.
    pub each_pixels: unsafe extern "C" fn(*mut c_void, u32, *mut c_void, PixelSink) -> Status,
    /// One issue or score.
    pub issue: unsafe extern "C" fn(*mut c_void, *const IssueRecord) -> Status,
    /// Scores of all samples at once, NaN if a sample has none.
    pub scores: unsafe extern "C" fn(*mut c_void, Slice<f32>) -> Status,
    /// A named note about the whole run, shown to the user (an elbow, representatives).
    pub note: unsafe extern "C" fn(*mut c_void, Str, Str) -> Status,
    /// Out-of-sample class probabilities.
    pub probabilities: unsafe extern "C" fn(*mut c_void, *mut ProbabilitiesTable) -> Status,
    /// What this detector kept under a name; version 0 = the newest. The record is empty if there is none.
    pub kept: unsafe extern "C" fn(*mut c_void, Str, u32, *mut KeptRecord) -> Status,
    /// Keeps bytes under a name if this run succeeds, and returns their version. Bytes equal to those of the newest version
    /// do not create a new one.
    pub keep: unsafe extern "C" fn(*mut c_void, Str, Slice<u8>, *mut u32) -> Status,
    /// What this detector measured for each sample, consecutive records of `measure_bytes`; zeros if the image
    /// could not be decoded.
    pub measures: unsafe extern "C" fn(*mut c_void, *mut Slice<u8>) -> Status,
    /// Since 7: a column of the dataset as text, one for each sample, empty where there is none. It must be declared
    /// under `columns`.
    pub column: unsafe extern "C" fn(*mut c_void, Str, *mut Slice<Str>) -> Status,
    /// Since 7: the same as numbers, NaN where there is none.
    pub column_numbers: unsafe extern "C" fn(*mut c_void, Str, *mut Slice<f64>) -> Status,
    /// Since 7: the same as labels: the class of this name for each sample, `u32::MAX` where there is none.
    pub labels_of: unsafe extern "C" fn(*mut c_void, Str, *mut Slice<u32>) -> Status,
    /// Since 7: the scores of another detector, NaN where it has none. It must be declared under `after`.
    pub scores_of: unsafe extern "C" fn(*mut c_void, Str, *mut Slice<f32>) -> Status,
    /// Since 7: an attribute of all samples: name, unit (possibly empty) and values, NaN where a sample has none.
    pub attribute: unsafe extern "C" fn(*mut c_void, Str, Str, Slice<f32>) -> Status,
    /// Since 7: something about the dataset as a whole.
    pub finding: unsafe extern "C" fn(*mut c_void, *const FindingRecord) -> Status,
    /// Since 7: the parts of one sample's picture that matter; those of several calls for a sample add up.
    pub regions: unsafe extern "C" fn(*mut c_void, u32, Slice<RegionRecord>) -> Status,
}
