//! Metadata of each file once it has been read, row-aligned with the manifest.

use crate::columns::Column;
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::image::decode::Remark;
use chaffinch_plugin::Dimensions;
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Columns with one value per sample. A file that could not be read or decoded has its reason in
/// [`FileMetadata::unreadable`] and zeros in the columns that need pixels; one that could not even be read has the zero
/// content hash.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FileMetadata {
    /// Content hashes.
    pub hashes: Column<ContentHash>,
    /// Pixel sizes as shown, and file sizes.
    pub dimensions: Sizes,
    /// Modification times in nanoseconds since 1970, to recognize an unchanged file without reading it.
    pub modified: Column<i64>,
    /// ImageHash's `phash`, first bit = most significant.
    pub phash: Column<u64>,
    /// ImageHash's `dhash`, first bit = most significant.
    pub dhash: Column<u64>,
    /// Why a file could not be decoded, in one sentence without its path.
    pub unreadable: BTreeMap<SampleId, String>,
    /// What decoding found that the pixels do not say, of files of which there is something to say.
    pub remarks: BTreeMap<SampleId, Vec<Remark>>,
}

impl FileMetadata {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Whether the image could be decoded.
    pub fn decodable(&self, id: SampleId) -> bool {
        !self.unreadable.contains_key(&id)
    }

    /// Whether the file is a picture in a format that is not read, which is why it could not be decoded.
    pub fn not_read(&self, id: SampleId) -> bool {
        let remarks = self.remarks.get(&id).map_or(&[][..], Vec::as_slice);
        remarks.iter().any(|remark| matches!(remark, Remark::NotRead(_)))
    }
}

/// Pixel and file sizes. A file stores them as three columns, detectors want them interleaved, which is done on demand.
#[derive(Debug, Clone, Default)]
pub struct Sizes {
    width: Column<u32>,
    height: Column<u32>,
    bytes: Column<u64>,
    joined: OnceLock<Vec<Dimensions>>,
}

impl Sizes {
    /// From columns; `None` if their lengths differ.
    pub(crate) fn from_columns(width: Column<u32>, height: Column<u32>, bytes: Column<u64>) -> Option<Sizes> {
        let fits = width.len() == height.len() && width.len() == bytes.len();
        fits.then(|| Sizes { width, height, bytes, joined: OnceLock::new() })
    }

    /// Widths, heights and bytes.
    pub(crate) fn columns(&self) -> (&Column<u32>, &Column<u32>, &Column<u64>) {
        (&self.width, &self.height, &self.bytes)
    }

    /// The sizes of one sample; zeros if there is none.
    pub fn get(&self, row: usize) -> Dimensions {
        match (self.width.get(row), self.height.get(row), self.bytes.get(row)) {
            (Some(&width), Some(&height), Some(&bytes)) => Dimensions { width, height, bytes },
            _ => Dimensions::default(),
        }
    }

    /// Appends the sizes of a sample.
    pub fn push(&mut self, sizes: Dimensions) {
        self.width.push(sizes.width);
        self.height.push(sizes.height);
        self.bytes.push(sizes.bytes);
        self.joined = OnceLock::new();
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Dimensions> {
        (0..self.width.len()).map(|row| self.get(row))
    }

    /// All of them interleaved.
    pub fn joined(&self) -> &[Dimensions] {
        self.joined.get_or_init(|| self.iter().collect())
    }
}

impl FromIterator<Dimensions> for Sizes {
    fn from_iter<I: IntoIterator<Item = Dimensions>>(all: I) -> Sizes {
        let mut sizes = Sizes::default();
        all.into_iter().for_each(|one| sizes.push(one));
        sizes
    }
}

impl PartialEq for Sizes {
    fn eq(&self, other: &Sizes) -> bool {
        self.columns() == other.columns()
    }
}
