//! The decisions in force, latest first.

use crate::state::State;
use chaffinch_data::journal::Decisions;
use chaffinch_protocol::PastDecision;
use chaffinch_protocol::display::{safe_path, safe_text};

/// How many are told.
const TOLD: usize = 1_000;

pub(crate) fn history(state: &State, decisions: &Decisions) -> Vec<PastDecision> {
    let manifest = &state.findings.manifest;
    let known = decisions.iter().filter(|(id, _)| id.index() < manifest.len());
    let mut dated: Vec<(String, u32)> = known
        .filter_map(|(id, _)| {
            let at = decisions.review(id)?.at();
            // Without its last letter, a time with fractions of a second stands behind the one without.
            Some((at.trim_end_matches('Z').to_owned(), id.0))
        })
        .collect();
    dated.sort_by(|a, b| b.cmp(a));
    dated.truncate(TOLD);
    let told = dated.into_iter().filter_map(|(at, row)| {
        let sample = chaffinch_protocol::sample::SampleId(row);
        let review = decisions.review(sample)?;
        Some(PastDecision {
            sample,
            path: safe_path(manifest.path(sample)),
            label: manifest.label(sample).map(|label| label.0),
            choice: review.decision?.choice.clone(),
            reviewer: safe_text(review.reviewer).into_owned(),
            at: format!("{at}Z"),
        })
    });
    told.collect()
}
