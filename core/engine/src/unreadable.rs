//! Files that could not be decoded, as one more detector's result.

use chaffinch_data::columns::{DetectorResult, ResultBuilder};
use chaffinch_data::faults::Fault;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::issue::{Issue, RunRecord, UNREADABLE};
use chaffinch_protocol::sample::SampleId;

/// Files that could not be decoded, as one more detector's result. It is computed from the file metadata on demand and
/// not stored.
pub fn unreadable(file_metadata: &FileMetadata, classes: &[String]) -> DetectorResult {
    unreadable_with(file_metadata, classes, String::new())
}

/// The same, with a digest of its input.
pub(crate) fn unreadable_with(
    file_metadata: &FileMetadata,
    classes: &[String],
    input_digest: String,
) -> DetectorResult {
    let mut result = ResultBuilder::new(file_metadata.len());
    let scores: Vec<f32> = (0..file_metadata.len() as u32)
        .map(|row| if file_metadata.decodable(SampleId(row)) { 1.0 } else { 0.0 })
        .collect();
    result.scores(&scores);
    for (&id, reason) in &file_metadata.unreadable {
        let fault = Fault::of(file_metadata, id);
        let reason = fault.map_or_else(|| reason.clone(), |fault| fault.sentence(reason));
        result.issue(id, Issue { reason, ..Issue::default() });
    }
    let record = RunRecord {
        name: UNREADABLE.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        summary: "The file is missing or cannot be read as a picture".into(),
        threshold: 0.5,
        input_digest,
        ..RunRecord::default()
    };
    result.finish(record, classes)
}
