//! Decisions as detectors read them, and what tells whether these are still the same.

use super::Decisions;
use crate::manifest::{Manifest, NO_LABEL};
use chaffinch_protocol::decision::{Choice, Decision};
use chaffinch_protocol::sample::SampleId;

/// Sample, code (1 keep, 2 remove, 3 relabel, 4 unsure), and the index of the new label, `u32::MAX` if there is none.
pub type Code = (SampleId, u8, u32);

pub(super) fn codes(decisions: &Decisions, manifest: Option<&Manifest>) -> Vec<Code> {
    let label_index = |label: &str| {
        let class = manifest.and_then(|manifest| manifest.find_class(label));
        class.map_or(NO_LABEL, |class| class.0)
    };
    let code = |(id, decision): (SampleId, &Decision)| match &decision.choice {
        Choice::Keep => (id, 1, NO_LABEL),
        Choice::Remove => (id, 2, NO_LABEL),
        Choice::Relabel(label) => (id, 3, label_index(label)),
        Choice::Unsure => (id, 4, NO_LABEL),
    };
    decisions.iter().map(code).collect()
}

/// A digest of decisions, the same in whatever order they come. It is never empty: nothing decided is known, too.
pub fn digest(codes: &[Code]) -> String {
    let mut sorted = codes.to_vec();
    sorted.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    for (sample, code, label) in sorted {
        hasher.update(&sample.0.to_le_bytes()).update(&[code]).update(&label.to_le_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
