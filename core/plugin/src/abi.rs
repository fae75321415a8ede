//! Every type that crosses between host and detector, all of it `repr(C)`.
//!
//! Nothing here is a Rust enum or a trait object, because a number from the other side may have any value. Memory is
//! never freed across the boundary: what the host lends belongs to the host and stays valid until `run` returns, and a
//! detector writes its output through the host's callbacks. `tests/layout.rs` checks every size and offset
//! next to [`ABI_VERSION`].
#![allow(unsafe_code)] // The boundary itself: raw views are created here and nowhere else.

use std::ffi::c_void;

mod host;
pub mod v6;

pub use host::{HostTable, PixelSink};

/// The version of the contract. A service that is appended to the end of [`HostTable`] increments it, and nothing else
/// changes for libraries that were built before; a change to any other type moves what it was to a module of its own,
/// such as [`v6`], from which the host reads older libraries.
pub const ABI_VERSION: u32 = 7;

/// The oldest version that the host still loads.
pub const OLDEST_ABI: u32 = 6;

/// The one symbol a detector library exports: a [`PluginTable`].
pub const SYMBOL: &str = "CHAFFINCH_PLUGIN";

/// A borrowed UTF-8 string.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Str {
    /// First byte; may be dangling when `len` is 0.
    pub ptr: *const u8,
    /// Length in bytes.
    pub len: usize,
}

// SAFETY: a `Str` is a shared view of immutable bytes; it is read only while its owner keeps them alive.
unsafe impl Send for Str {}
// SAFETY: as above, reading from several threads is fine.
unsafe impl Sync for Str {}

impl Str {
    /// Views a string.
    pub const fn new(text: &str) -> Str {
        Str { ptr: text.as_ptr(), len: text.len() }
    }

    /// The text, or the empty string if the bytes are null or not valid UTF-8.
    ///
    /// # Safety
    /// The bytes must be alive for `'a`.
    pub unsafe fn as_str<'a>(&self) -> &'a str {
        if self.ptr.is_null() || self.len == 0 {
            return "";
        }
        // SAFETY: not null, and the caller guarantees the lifetime.
        let bytes = unsafe { std::slice::from_raw_parts(self.ptr, self.len) };
        std::str::from_utf8(bytes).unwrap_or("")
    }

    /// The text of a string made by [`Str::new`] from a constant.
    pub(crate) fn as_static(&self) -> &'static str {
        // SAFETY: only called on fields of `Info` and `Param`, whose constructors take `&'static str`, in a
        // library that is never unloaded.
        unsafe { self.as_str() }
    }
}

/// A borrowed slice of plain data.
#[derive(Debug)]
#[repr(C)]
pub struct Slice<T> {
    /// First element; may be dangling when `len` is 0.
    pub ptr: *const T,
    /// Number of elements.
    pub len: usize,
}

impl<T> Clone for Slice<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Slice<T> {}

// SAFETY: a shared view of immutable data, read only while its owner keeps it alive.
unsafe impl<T: Sync> Send for Slice<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Slice<T> {}

impl<T> Slice<T> {
    /// Views a slice.
    pub const fn new(data: &[T]) -> Slice<T> {
        Slice { ptr: data.as_ptr(), len: data.len() }
    }

    /// An empty slice, to be filled in by the other side.
    pub const fn empty() -> Slice<T> {
        Slice { ptr: std::ptr::null(), len: 0 }
    }

    /// The elements; empty where the pointer is null.
    ///
    /// # Safety
    /// The elements must be initialized and alive for `'a`.
    pub unsafe fn as_slice<'a>(&self) -> &'a [T] {
        if self.ptr.is_null() || self.len == 0 {
            return &[];
        }
        // SAFETY: not null, and the caller guarantees the rest.
        unsafe { std::slice::from_raw_parts(self.ptr, self.len) }
    }

    pub(crate) fn as_static(&self) -> &'static [T] {
        // SAFETY: only called on fields of `Info` and `Param`, whose constructors take `&'static` slices, in a
        // library that is never unloaded.
        unsafe { self.as_slice() }
    }
}

/// How a call across the boundary ended. A wrapped number, because an unknown value must not be undefined
/// behavior.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Status(pub u32);

impl Status {
    /// Done.
    pub const OK: Status = Status(0);
    /// Failed; the message was passed to [`HostTable::fail`] (detector) or is returned by [`HostTable::message`] (host).
    pub const ERROR: Status = Status(1);
    /// The detector panicked; the guard caught it.
    pub const PANIC: Status = Status(2);
    /// The user requested a stop.
    pub const STOPPED: Status = Status(3);
    /// As [`Status::ERROR`], but only because the model or the dataset does not have what was requested.
    pub const MISSING: Status = Status(4);
}

/// Identity, needs, parameters and default threshold of a detector.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Info {
    pub(crate) name: Str,
    pub(crate) version: Str,
    pub(crate) summary: Str,
    pub(crate) docs: Str,
    pub(crate) needs: u64,
    pub(crate) threshold: f32,
    pub(crate) scope: u32,
    pub(crate) params: Slice<Param>,
    /// Since 7: the columns of the dataset that it may request.
    pub(crate) columns: Slice<Str>,
    /// Since 7: the detectors that run before it, whose scores it may request.
    pub(crate) after: Slice<Str>,
}

/// One parameter with its bounds, default and help.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Param {
    pub(crate) name: Str,
    pub(crate) help: Str,
    pub(crate) kind: u32,
    /// Bits of [`Needs`](crate::Needs) that apply if the value is not the default.
    pub(crate) needs: u32,
    pub(crate) default: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) choices: Slice<Str>,
}

/// The exported symbol: who this library is and the detectors in it.
#[derive(Debug)]
#[repr(C)]
pub struct PluginTable {
    /// The [`ABI_VERSION`] of the build that produced it; read before anything else.
    pub abi: u32,
    /// `size_of::<PluginTable>()` of the build that produced it.
    pub size: u32,
    /// The package that was built; used in error messages only.
    pub build: Str,
    /// The detectors.
    pub detectors: Slice<DetectorTable>,
}

/// One detector: its declaration and its function.
#[derive(Debug)]
#[repr(C)]
pub struct DetectorTable {
    /// Its declaration.
    pub info: Info,
    /// Does the work. Null is refused.
    pub run: Option<unsafe extern "C" fn(*const HostTable) -> Status>,
    /// Measures one picture; null if it measures none.
    pub measure: Option<Measure>,
    /// Bytes of a measured record, at most [`MAX_MEASURE_BYTES`]; 0 if `measure` is null.
    pub measure_bytes: u32,
    /// Pictures are scaled to fit this before they are measured; 0 = full size.
    pub measure_side: u32,
}

impl DetectorTable {
    /// A detector that measures nothing.
    pub const fn new(
        info: Info,
        run: Option<unsafe extern "C" fn(*const HostTable) -> Status>,
    ) -> DetectorTable {
        DetectorTable { info, run, measure: None, measure_bytes: 0, measure_side: 0 }
    }
}

/// Maximum length of a record.
pub const MAX_MEASURE_BYTES: u32 = 4096;

/// Measures one picture into `record`, which is `len` bytes long, from any thread and outside any run. On failure it
/// passes the message to `fail` with `sink` before it returns.
pub type Measure = unsafe extern "C" fn(
    pixels: *const PixelsTable,
    record: *mut u8,
    len: usize,
    sink: *mut c_void,
    fail: FailSink,
) -> Status;

/// Receives why a picture could not be measured.
pub type FailSink = unsafe extern "C" fn(sink: *mut c_void, message: Str);

/// The whole dataset as parallel arrays of `count` elements.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct DatasetTable {
    /// Number of samples.
    pub count: usize,
    /// Class of each sample, `u32::MAX` if it has none.
    pub labels: Slice<u32>,
    /// 0 none, 1 train, 2 validation, 3 test.
    pub splits: Slice<u8>,
    /// 1 where the image could be decoded.
    pub decodable: Slice<u8>,
    /// Content hashes.
    pub hashes: Slice<[u8; 32]>,
    /// Pixel sizes and file sizes.
    pub dimensions: Slice<DimensionsRecord>,
    /// Class names by label.
    pub classes: Slice<Str>,
    /// Decisions: 0 nothing, 1 keep, 2 remove, 3 relabel, 4 unsure.
    pub decisions: Slice<u8>,
    /// The new class of relabeled samples, `u32::MAX` elsewhere.
    pub relabels: Slice<u32>,
}

/// Size of one image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct DimensionsRecord {
    /// Width in pixels as shown (after EXIF orientation).
    pub width: u32,
    /// Height in pixels as shown.
    pub height: u32,
    /// File size in bytes.
    pub bytes: u64,
}

/// A borrowed row-major matrix.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct MatrixTable {
    /// `rows * cols` numbers.
    pub data: Slice<f32>,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
}

/// Nearest neighbors of every sample, nearest first, without the sample itself.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct NeighborsTable {
    /// `count * k` samples, padded with `u32::MAX`.
    pub indices: Slice<u32>,
    /// `count * k` cosine similarities, padded with -1.
    pub similarities: Slice<f32>,
    /// Neighbors per sample.
    pub k: usize,
}

/// Two samples with similar hashes, `first < second`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(C)]
pub struct HashPairRecord {
    /// The earlier sample.
    pub first: u32,
    /// The later sample.
    pub second: u32,
    /// Differing bits, 0..=64.
    pub distance: u32,
}

/// Class probabilities of every sample, each row by a model that was not trained on that sample.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ProbabilitiesTable {
    /// One row per sample, one column per class; a row of zeros if the image could not be decoded.
    pub matrix: MatrixTable,
    /// The fold of each sample, which its model was not trained on; `u32::MAX` if it has no row.
    pub folds: Slice<u32>,
    /// The inverse temperature of the calibration: each row was raised to this power and then divided by its sum.
    /// 1 if the probabilities are those of the model itself.
    pub inverse_temperature: f32,
    /// Always 0.
    pub reserved: u32,
}

/// Bytes that a detector kept in an earlier run.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct KeptRecord {
    /// The bytes.
    pub bytes: Slice<u8>,
    /// Their version, counted from 1; 0 if there is none.
    pub version: u32,
    /// Always 0.
    pub reserved: u32,
}

/// Decoded pixels: `height * width * 3` bytes, RGB, row by row.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct PixelsTable {
    /// The bytes.
    pub rgb: Slice<u8>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Width of the file's image before scaling.
    pub full_width: u32,
    /// Height of the file's image before scaling.
    pub full_height: u32,
    /// How the file stores it.
    pub source: SourceRecord,
}

/// How a file stores its picture, before conversion to a single upright 8-bit RGB image. 0 = unknown, in every
/// field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct SourceRecord {
    /// The format by content: 1 JPEG, 2 PNG, 3 GIF, 4 WebP, 5 BMP, 6 TIFF, 7 JPEG XL.
    pub format: u32,
    /// The format implied by the file name extension, by the same numbers, and 8 HEIC, 9 AVIF, 10 JPEG 2000, 11 SVG,
    /// 12 PDF, 13 Photoshop, 14 Targa.
    pub named: u32,
    /// Channels of a pixel: 1 gray, 2 gray and alpha, 3 color, 4 color and alpha, 5 the colors of print (CMYK). Palettes
    /// count as color.
    pub channels: u32,
    /// EXIF orientation, 1..=8; 1 = stored upright.
    pub orientation: u32,
    /// 1 = a single picture, 2 = an animation with two or more frames.
    pub frames: u32,
}

/// Another sample, as evidence.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct RelatedRecord {
    /// The sample.
    pub sample: u32,
    /// Similarity, 1 = identical.
    pub similarity: f32,
}

/// A detector's result for one sample.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct IssueRecord {
    /// The sample.
    pub sample: u32,
    /// 0 = surely an issue, 1 = surely fine.
    pub score: f32,
    /// The suggested label, `u32::MAX` if none.
    pub suggested: u32,
    /// The group it belongs to within this detector, `u32::MAX` if none.
    pub group: u32,
    /// Evidence.
    pub related: Slice<RelatedRecord>,
    /// One sentence in English, possibly empty.
    pub reason: Str,
}

/// A part of a picture, in fractions of its width and height from the left and the top:
/// `0 <= left < right <= 1` and `0 <= top < bottom <= 1`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct RegionRecord {
    /// The left edge.
    pub left: f32,
    /// The top edge.
    pub top: f32,
    /// The right edge.
    pub right: f32,
    /// The bottom edge.
    pub bottom: f32,
    /// What is there, possibly empty.
    pub label: Str,
}

/// Something that a detector found about the dataset as a whole.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct FindingRecord {
    /// One sentence in English.
    pub text: Str,
    /// 0 = worth knowing, 1 = worth a look, 2 = look before trusting the dataset.
    pub severity: u32,
    /// Always 0.
    pub reserved: u32,
    /// Samples that show it, possibly none.
    pub evidence: Slice<u32>,
}
