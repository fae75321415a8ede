//! The embeddings of an earlier scan.

use super::EmbeddingStore;
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::embedding::ModelFingerprint;
use chaffinch_compute::image::decode::Rendering;
use chaffinch_compute::matrix::EmbeddingMatrix;
use std::path::Path;

/// The vectors of these contents in a session's folder of embeddings; `None` if there are none. Unlike
/// [`EmbeddingStore::open`], it makes no folder.
pub fn kept(
    dir: &Path,
    rendering: Rendering,
    (fingerprint, dim): (&str, usize),
    hashes: &[ContentHash],
) -> Option<EmbeddingMatrix> {
    let mut folder = dir.to_path_buf();
    folder.extend(rendering.folders());
    if !folder.join(fingerprint).is_dir() {
        return None;
    }
    let store = EmbeddingStore::open(&folder, &ModelFingerprint::stored(fingerprint), dim).ok()?;
    store.gather(hashes).ok()
}
