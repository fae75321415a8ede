//! What is known of each file once it has been read: row-aligned with the manifest.

use crate::content::ContentHash;
use crate::sample::SampleId;
use chaffinch_plugin::Dimensions;
use std::collections::BTreeMap;

/// Columns of one value a sample. A file that could not be read or decoded has its reason in
/// [`Facts::unreadable`] and zeros in the columns that need pixels; one that could not even be read has the
/// zero content hash.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Content hashes.
    pub hashes: Vec<ContentHash>,
    /// Pixel sizes as shown, and file sizes.
    pub dimensions: Vec<Dimensions>,
    /// Modification times in nanoseconds since 1970, to tell an unchanged file without reading it.
    pub modified: Vec<i64>,
    /// ImageHash's `phash`, first bit = most significant.
    pub phash: Vec<u64>,
    /// ImageHash's `dhash`, first bit = most significant.
    pub dhash: Vec<u64>,
    /// Why a file could not be decoded, in one sentence without its path.
    pub unreadable: BTreeMap<SampleId, String>,
}

impl Facts {
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
}
