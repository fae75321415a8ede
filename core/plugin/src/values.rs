//! Types of what the host lends: sample properties, matrices, neighbors, pixels.

use crate::abi::{DimensionsRecord, HashPairRecord, SourceRecord};

/// The label of a sample that has none.
pub const NO_LABEL: u32 = u32::MAX;

/// Width, height and file size of an image.
pub type Dimensions = DimensionsRecord;

/// Two samples with similar hashes, the earlier one first.
pub type HashPair = HashPairRecord;

/// How a file stores its picture; unknown fields are 0.
pub type Source = SourceRecord;

impl Source {
    /// The format by content, `None` if unknown.
    pub fn format_name(&self) -> Option<&'static str> {
        format_name(self.format)
    }

    /// The format implied by the file extension, `None` if it has none or an unknown one.
    pub fn extension_name(&self) -> Option<&'static str> {
        format_name(self.named)
    }
}

/// The file formats by their numbers in [`SourceRecord`], counted from 1.
pub const FORMATS: [&str; 6] = ["JPEG", "PNG", "GIF", "WebP", "BMP", "TIFF"];

fn format_name(number: u32) -> Option<&'static str> {
    FORMATS.get((number as usize).checked_sub(1)?).copied()
}

/// Whether a picture is too flat for its perceptual hashes to identify it: without edges, every bit of the dHash is
/// 0, and the pHash is the mean and rounding noise.
pub fn is_flat(phash: u64, dhash: u64) -> bool {
    phash.count_ones() <= 2 || dhash == 0
}

/// The part of the dataset a sample belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Split {
    /// The dataset has no splits.
    None,
    /// Training.
    Train,
    /// Validation.
    Validation,
    /// Test.
    Test,
}

impl Split {
    /// Its name in prose.
    pub const fn name(self) -> &'static str {
        match self {
            Split::None => "no split",
            Split::Train => "train",
            Split::Validation => "validation",
            Split::Test => "test",
        }
    }
}

/// The reviewer's decision about a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// Keep it unchanged.
    Keep,
    /// Remove it.
    Remove,
    /// Relabel it to this class.
    Relabel(u32),
    /// The reviewer is unsure.
    Unsure,
}

/// A kind of perceptual hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HashKind {
    /// ImageHash's `phash`, 64 bits.
    Phash,
    /// ImageHash's `dhash`, 64 bits.
    Dhash,
    /// As [`HashKind::Phash`], for pictures that may be mirrored and rotated by quarter turns: the distance is the minimum
    /// over the orientations of one of the two (see [`Orientation::of_phash`](crate::Orientation::of_phash)).
    TurnedPhash,
}

impl HashKind {
    pub(crate) const fn code(self) -> u32 {
        match self {
            HashKind::Phash => 0,
            HashKind::Dhash => 1,
            HashKind::TurnedPhash => 2,
        }
    }
}

/// A borrowed row-major matrix.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) rows: usize,
    pub(crate) cols: usize,
}

impl<'a> Matrix<'a> {
    /// Lends `rows * cols` numbers.
    ///
    /// # Panics
    /// When there are not exactly that many.
    #[cfg(feature = "host")]
    pub fn new(data: &'a [f32], rows: usize, cols: usize) -> Matrix<'a> {
        assert_eq!(data.len(), rows * cols, "a matrix must have {rows} rows of {cols}");
        Matrix { data, rows, cols }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// One row.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn row(&self, index: usize) -> &'a [f32] {
        &self.data[index * self.cols..(index + 1) * self.cols]
    }

    /// All numbers, row by row.
    pub fn as_slice(&self) -> &'a [f32] {
        self.data
    }
}

/// A row-major matrix the detector owns.
#[derive(Clone, Debug)]
pub struct OwnedMatrix {
    /// The numbers, row by row.
    pub data: Vec<f32>,
    /// Number of columns.
    pub cols: usize,
}

impl OwnedMatrix {
    /// One row.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.data[index * self.cols..(index + 1) * self.cols]
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.data.len().checked_div(self.cols).unwrap_or(0)
    }

    /// The normalized mean of all rows; zeros if there are none.
    pub fn mean_direction(&self) -> Vec<f32> {
        let mut sum = vec![0.0_f32; self.cols];
        for row in 0..self.rows() {
            sum.iter_mut().zip(self.row(row)).for_each(|(sum, x)| *sum += x);
        }
        let norm = sum.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        sum.iter_mut().for_each(|x| *x /= norm);
        sum
    }
}

/// Nearest neighbors of every sample.
#[derive(Clone, Copy, Debug)]
pub struct Neighbors<'a> {
    pub(crate) indices: &'a [u32],
    pub(crate) similarities: &'a [f32],
    pub(crate) k: usize,
}

impl<'a> Neighbors<'a> {
    /// Lends lists of `k` neighbors per sample, padded with `u32::MAX` and -1.
    ///
    /// # Panics
    /// When the numbers of cosines and neighbors differ.
    #[cfg(feature = "host")]
    pub fn new(indices: &'a [u32], similarities: &'a [f32], k: usize) -> Neighbors<'a> {
        assert_eq!(indices.len(), similarities.len(), "each neighbor needs a cosine");
        Neighbors { indices, similarities, k }
    }

    /// The number of neighbors requested.
    pub fn k(&self) -> usize {
        self.k
    }

    /// The neighbors of one sample, nearest first, without itself: (sample, cosine).
    pub fn of(&self, sample: usize) -> impl Iterator<Item = (usize, f32)> + 'a {
        let range = sample * self.k..(sample + 1) * self.k;
        let pairs = self.indices[range.clone()].iter().zip(&self.similarities[range]);
        pairs
            .filter(|(index, _)| **index != u32::MAX)
            .map(|(&index, &similarity)| (index as usize, similarity))
    }
}

/// Decoded pixels of one sample.
#[derive(Clone, Copy, Debug)]
pub struct Pixels<'a> {
    /// `height * width * 3` bytes, RGB, row by row.
    pub rgb: &'a [u8],
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in the file, before scaling.
    pub full_width: usize,
    /// Height in the file, before scaling.
    pub full_height: usize,
    /// How the file stores it.
    pub source: Source,
}

#[cfg(feature = "host")]
impl From<Pixels<'_>> for crate::abi::PixelsTable {
    /// The table is valid for as long as the bytes are.
    fn from(pixels: Pixels<'_>) -> Self {
        crate::abi::PixelsTable {
            rgb: crate::abi::Slice::new(pixels.rgb),
            width: pixels.width as u32,
            height: pixels.height as u32,
            full_width: pixels.full_width as u32,
            full_height: pixels.full_height as u32,
            source: pixels.source,
        }
    }
}
