//! What a session's head says of its dataset's contents, so that another dataset can be ruled out without reading more.

use crate::file_metadata::FileMetadata;
use chaffinch_compute::content::ContentHash;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Contents that are kept.
const KEPT: usize = 32;

/// The number of samples, and the contents whose hashes begin with the smallest numbers: two datasets that share most of
/// their contents share some of these, too (bottom-k sampling; Broder, *On the resemblance and containment of documents*,
/// 1997).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outline {
    /// Samples in the last scan.
    pub samples: u64,
    /// Eight digits of each, in order, joined.
    contents: String,
}

impl Outline {
    /// Of what a scan found.
    pub(super) fn of(file_metadata: &FileMetadata) -> Outline {
        let start = |hash: &ContentHash| u32::from_be_bytes([hash.0[0], hash.0[1], hash.0[2], hash.0[3]]);
        let mut smallest: BTreeSet<u32> = BTreeSet::new();
        for hash in file_metadata.hashes.iter().filter(|hash| **hash != ContentHash::default()) {
            let start = start(hash);
            if smallest.len() < KEPT || smallest.last().is_some_and(|last| start < *last) {
                smallest.insert(start);
                if smallest.len() > KEPT {
                    smallest.pop_last();
                }
            }
        }
        let contents = smallest.iter().map(|start| format!("{start:08x}")).collect();
        Outline { samples: file_metadata.len() as u64, contents }
    }

    /// Whether it may be that most files of both datasets are known to the other.
    pub fn may_be_same(&self, other: &Outline) -> bool {
        self.is_comparable(other.samples) && self.parts().any(|part| other.parts().any(|there| there == part))
    }

    /// Whether a dataset of so many samples can be this one with changes.
    pub fn is_comparable(&self, samples: u64) -> bool {
        super::likeness::comparable((self.samples, samples))
    }

    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        self.contents.as_bytes().chunks(8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(contents: impl Iterator<Item = u32>) -> Outline {
        let hashes = contents.map(|number| ContentHash::of(&number.to_le_bytes())).collect();
        Outline::of(&FileMetadata { hashes, ..FileMetadata::default() })
    }

    #[test]
    fn only_what_cannot_be_the_same_is_ruled_out() {
        let all = outline(0..1000);
        assert_eq!((all.samples, all.contents.len()), (1000, 256));
        for (contents, may_be) in [
            (0..1000, true),
            (1..1001, true),
            (400..1400, true),
            (0..520, true),
            (0..400, false),
            (1000..2000, false),
            (0..0, false),
        ] {
            let other = outline(contents.clone());
            assert_eq!([all.may_be_same(&other), other.may_be_same(&all)], [may_be; 2], "{contents:?}");
        }
        assert_eq!(outline((0..1000).rev()), all, "whatever the order");
        assert!(outline(0..3).may_be_same(&outline(2..5)));
    }
}
