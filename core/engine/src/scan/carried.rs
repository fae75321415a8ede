//! What detectors found before the dataset changed: it stays with the contents that it is about.

use crate::findings::Findings;
use crate::unloaded::is_of_detector;
use chaffinch_data::Result;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::moved::Moved;
use chaffinch_data::session::Session;

/// The results of all detectors for the samples as they are now: those that do not run in this scan keep what they found, and
/// those that run replace it. Samples that are new, or have another label or split, have no score.
///
/// # Errors
/// When a result cannot be read.
pub(super) fn carried(
    session: &Session,
    findings: &Findings,
    known: (&Manifest, &FileMetadata),
    (manifest, file_metadata): (&Manifest, &FileMetadata),
) -> Result<Vec<DetectorResult>> {
    let names = findings.results.iter().filter(|(_, result)| is_of_detector(result)).map(|(name, _)| name);
    let names: Vec<&String> = names.collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let moved = Moved::between(known, (manifest, file_metadata));
    let carry = |name: &String| {
        // Read again, as suggested labels are matched to the classes by name.
        let result = DetectorResult::load(&session.result_path(name)?, manifest.classes())?;
        Ok(moved.result(&result, manifest))
    };
    names.into_iter().map(carry).collect()
}
