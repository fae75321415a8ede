//! What detectors found before the dataset changed: it stays with the contents that it is about.

use crate::unloaded::is_of_detector;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::moved::Moved;
use chaffinch_data::session::Session;
use chaffinch_protocol::sample::SampleId;
use std::time::SystemTime;

/// A result for other samples than it was found for.
pub(super) struct Carried {
    pub(super) result: DetectorResult,
    /// When it was found.
    pub(super) found: Option<SystemTime>,
}

/// The results of all detectors for the samples as they are now, those of disabled ones among them: those that do not run in this
/// scan keep what they found, and those that run replace it. `places` are where the known samples are now. Samples that are new, or have another label or split, have no score.
pub(super) fn carried(
    session: &Session,
    known: &Manifest,
    manifest: &Manifest,
    places: &[Option<SampleId>],
) -> Vec<Carried> {
    // With the new classes, to which suggested labels are matched by name. One that cannot be read was said when it was opened.
    let (results, _) = session.load_results(known.len(), manifest.classes());
    let results: Vec<DetectorResult> = results.into_values().filter(is_of_detector).collect();
    if results.is_empty() {
        return Vec::new();
    }
    let moved = Moved::between(known, manifest, places);
    let carry = |result: DetectorResult| Carried {
        found: session.result_modified(&result.record().name),
        result: moved.result(&result, manifest),
    };
    results.into_iter().map(carry).collect()
}
