//! What a scan has found so far.

use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::session::Session;
use chaffinch_host::class_vectors::ClassVectors;
use chaffinch_protocol::Ledger;
use chaffinch_review::atlas::Atlas;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is known so far, published whenever a stage finishes.
#[derive(Clone, Default)]
pub(crate) struct Findings {
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) file_metadata: Arc<FileMetadata>,
    /// What reading the dataset found, without the remarks of detectors.
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) results: BTreeMap<String, Arc<DetectorResult>>,
    /// The results of each detector's run before the last.
    pub(crate) previous: BTreeMap<String, Arc<DetectorResult>>,
    pub(crate) matrix: Option<Arc<EmbeddingMatrix>>,
    pub(crate) class_vectors: Option<Arc<ClassVectors>>,
    pub(crate) atlas: Option<Arc<Atlas>>,
    pub(crate) model: String,
}

impl Findings {
    /// Stores the embeddings of a session, and prepares what is derived from them.
    pub(crate) fn set_matrix(&mut self, matrix: EmbeddingMatrix, session: &Session) {
        let matrix = Arc::new(matrix);
        let atlas = Atlas::new(matrix.clone(), self.manifest.clone(), self.file_metadata.clone());
        self.atlas = Some(Arc::new(atlas.kept_in(session.maps_dir())));
        self.matrix = Some(matrix);
    }
}
