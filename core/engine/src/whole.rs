//! What a session has to find what is wrong with its dataset as a whole, for the command, reports and the interface.

use crate::Result;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::probabilities::GivenProbabilities;
use chaffinch_data::session::Session;
use chaffinch_host::class_vectors::ClassVectors;
use chaffinch_review::dataset::Beside;

/// Probabilities from elsewhere, and the vectors of the names of classes.
///
/// # Errors
/// When the probabilities cannot be read, or lack a class.
pub fn beside(session: &Session, manifest: &Manifest, file_metadata: &FileMetadata) -> Result<Beside> {
    let given = match GivenProbabilities::load(&session.probabilities_path())? {
        Some(given) if !file_metadata.is_empty() => Some(given.bind(manifest, file_metadata)?.found),
        _ => None,
    };
    let loaded = session.uses().loaded;
    // A file that cannot be read is made again by the next scan.
    let vectors = ClassVectors::load(&session.class_vectors_path()).ok();
    let fits = |vectors: &ClassVectors| {
        loaded.as_ref().is_some_and(|loaded| vectors.fits(&loaded.fingerprint, manifest.classes()))
    };
    let names = vectors.filter(fits).map_or(Vec::new(), |vectors| vectors.vectors().to_vec());
    Ok(Beside { given, names })
}
