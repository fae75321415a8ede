//! Pictures that the model has no finite vector for.

use super::EmbeddingStore;
use crate::file_metadata::FileMetadata;
use crate::manifest::Manifest;
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_protocol::sample::SampleId;

/// A sentence about the pictures that were read and given to the model, and have no vector; `None` if there are none.
pub fn undefined(
    store: &EmbeddingStore,
    manifest: &Manifest,
    file_metadata: &FileMetadata,
) -> Option<String> {
    let lacks = |id: &SampleId| {
        let hash = &file_metadata.hashes[id.index()];
        !file_metadata.unreadable.contains_key(id) && store.knows(hash) && store.get(hash).is_none()
    };
    let mut lacking = manifest.ids().filter(lacks);
    let first = lacking.next()?;
    let count = 1 + lacking.count();
    Some(format!(
        "the model has no finite vector for {}, which {} not compared with others (first: {}); --device cpu has more precision",
        counted(count as u64, "picture", "pictures"),
        if count == 1 { "is" } else { "are" },
        safe_path(manifest.path(first))
    ))
}
