//! Which samples have the same content.

use crate::file_metadata::FileMetadata;
use chaffinch_compute::content::ContentHash;
use chaffinch_protocol::sample::SampleId;
use rayon::prelude::*;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::OnceLock;

/// The samples of each content that several have; found when first asked for.
#[derive(Debug, Default)]
pub(super) struct Copies {
    known: OnceLock<HashMap<ContentHash, Vec<u32>>>,
}

impl Copies {
    /// Whether others have the same content as this sample, and those of them that are not in `except`.
    pub(super) fn beside(
        &self,
        id: SampleId,
        file_metadata: Option<&FileMetadata>,
        except: &BTreeSet<SampleId>,
    ) -> (bool, Vec<SampleId>) {
        let Some(file_metadata) = file_metadata else { return (false, Vec::new()) };
        let known = self.known.get_or_init(|| shared(&file_metadata.hashes));
        let rows = known.get(&file_metadata.hashes[id.index()]).map_or(&[][..], Vec::as_slice);
        let others = rows.iter().map(|&row| SampleId(row)).filter(|other| *other != id);
        (!rows.is_empty(), others.filter(|other| !except.contains(other)).collect())
    }
}

/// The rows of each content that is there more than once.
fn shared(hashes: &[ContentHash]) -> HashMap<ContentHash, Vec<u32>> {
    // Eight bytes of each suffice to find nearly all that are there once.
    let short = |hash: &ContentHash| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hash.0[..8]);
        u64::from_le_bytes(bytes)
    };
    let mut all: Vec<u64> =
        hashes.par_iter().filter(|hash| **hash != ContentHash::default()).map(short).collect();
    all.par_sort_unstable();
    let twice: HashSet<u64> = all.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    let mut shared: HashMap<ContentHash, Vec<u32>> = HashMap::new();
    if !twice.is_empty() {
        let rows = (0..hashes.len() as u32).into_par_iter();
        let rows: Vec<u32> = rows.filter(|&row| twice.contains(&short(&hashes[row as usize]))).collect();
        for row in rows {
            shared.entry(hashes[row as usize]).or_default().push(row);
        }
        shared.remove(&ContentHash::default());
    }
    shared
}
