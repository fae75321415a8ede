//! Types of what the host lends: sample properties, matrices, neighbors, pixels.

use crate::abi::{DimensionsRecord, HashPairRecord, SourceRecord};

/// The label of a sample that has none.
pub const NO_LABEL: u32 = u32::MAX;

/// The fold of a sample whose class probabilities were given by the user, who alone knows on what their model was trained.
pub const GIVEN_FOLD: u32 = u32::MAX - 1;

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

/// The file formats by their numbers in [`SourceRecord`], counted from 1. The last ones are only known by extension.
pub const FORMATS: [&str; 14] = [
    "JPEG",
    "PNG",
    "GIF",
    "WebP",
    "BMP",
    "TIFF",
    "JPEG XL",
    "HEIC",
    "AVIF",
    "JPEG 2000",
    "SVG",
    "PDF",
    "Photoshop",
    "Targa",
];

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

/// How alike the members of a group are, from surest to vaguest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// Every file has the same bytes.
    SameBytes,
    /// The decoded pixels are the same.
    SamePixels,
    /// The same picture, saved or scaled another way, confirmed by a second look at the pixels.
    SamePicture,
    /// Alike: a template, a burst, a crop. Not to be offered for removal.
    Alike,
}

impl Likeness {
    /// All four, in order.
    pub const ALL: [Likeness; 4] =
        [Likeness::SameBytes, Likeness::SamePixels, Likeness::SamePicture, Likeness::Alike];
    /// The name of the note that says how many groups are how alike; see [`Report::likeness`](crate::Report::likeness).
    pub const NOTE: &'static str = "likeness";

    const fn words(self) -> &'static str {
        match self {
            Likeness::SameBytes => "same bytes",
            Likeness::SamePixels => "same pixels",
            Likeness::SamePicture => "same picture",
            Likeness::Alike => "alike",
        }
    }

    /// The text of the note: the number of groups of each kind.
    pub(crate) fn note(groups: [usize; 4]) -> String {
        let parts =
            Likeness::ALL.iter().zip(groups).map(|(kind, count)| format!("{}: {count}", kind.words()));
        parts.collect::<Vec<_>>().join(", ")
    }

    /// The likeness of a group, from the text of the note; `None` if the text is not that of a note or has no such group.
    pub fn of_group(note: &str, group: u32) -> Option<Likeness> {
        let mut before = 0_u64;
        for (kind, part) in Likeness::ALL.into_iter().zip(note.split(", ")) {
            let (words, count) = part.split_once(": ")?;
            before += u64::from(count.parse::<u32>().ok().filter(|_| words == kind.words())?);
            if u64::from(group) < before {
                return Some(kind);
            }
        }
        None
    }
}

/// How much a finding about the dataset as a whole matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth a look.
    Warning,
    /// Look before trusting the dataset.
    Serious,
}

impl Severity {
    /// All of them, by their codes in [`FindingRecord`](crate::abi::FindingRecord).
    pub const ALL: [Severity; 3] = [Severity::Info, Severity::Warning, Severity::Serious];

    /// Its name: `info`, `warning` or `serious`.
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Serious => "serious",
        }
    }

    /// The one with this code.
    pub fn from_code(code: u32) -> Option<Severity> {
        Severity::ALL.into_iter().find(|severity| *severity as u32 == code)
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Severity> {
        Severity::ALL.into_iter().find(|severity| severity.name() == name)
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

    /// All neighbors and all cosines, `k` for each sample.
    #[cfg(feature = "host")]
    pub fn columns(&self) -> (&'a [u32], &'a [f32]) {
        (self.indices, self.similarities)
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

#[cfg(test)]
mod tests {
    use super::Likeness;

    #[test]
    fn the_likeness_of_a_group_comes_back_from_the_note() {
        let note = Likeness::note([2, 0, 1, 3]);
        assert_eq!(note, "same bytes: 2, same pixels: 0, same picture: 1, alike: 3");
        let of = |group| Likeness::of_group(&note, group);
        assert_eq!([of(0), of(1)], [Some(Likeness::SameBytes); 2]);
        assert_eq!(of(2), Some(Likeness::SamePicture));
        assert_eq!([of(3), of(5), of(6)], [Some(Likeness::Alike), Some(Likeness::Alike), None]);
        assert_eq!(Likeness::of_group("all fine", 0), None);
        assert_eq!(Likeness::of_group("alike: 3, same bytes: 2", 0), None);
    }
}
