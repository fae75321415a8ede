//! Review progress.

use crate::state::State;
use chaffinch_data::journal::Decisions;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::{DetectorReview, Statistics};
use chaffinch_review::verdict::Flag;

pub(crate) fn statistics(state: &State, decisions: &Decisions) -> Statistics {
    let findings = &state.findings;
    let mut statistics = Statistics {
        suspects: state.ranking.order.len() as u64,
        by_choice: decisions.by_choice(),
        detectors: state
            .detectors
            .iter()
            .map(|detector| DetectorReview {
                name: detector.name.clone(),
                flagged: detector.flagged,
                ..DetectorReview::default()
            })
            .collect(),
        ..Statistics::default()
    };
    for (id, decision) in decisions.iter().filter(|(id, _)| id.index() < findings.manifest.len()) {
        let flags: Vec<Flag<'_>> = state.verdicts().flags(id).collect();
        statistics.suspects_decided += u64::from(!flags.is_empty());
        let faulty = match &decision.choice {
            Choice::Keep => false,
            Choice::Remove | Choice::Relabel(_) => true,
            Choice::Unsure => continue,
        };
        for flag in &flags {
            let review = &mut statistics.detectors[usize::from(flag.index)];
            review.faulty += u64::from(faulty);
            review.fine += u64::from(!faulty);
        }
        let mut suggested = flags
            .iter()
            .filter_map(Flag::suggested)
            .filter(|label| findings.manifest.label(id).is_none_or(|given| given.0 != *label))
            .peekable();
        if suggested.peek().is_none() {
            continue;
        }
        statistics.suggested += 1;
        let classes = findings.manifest.classes();
        match &decision.choice {
            Choice::Keep => statistics.kept += 1,
            Choice::Relabel(name) if suggested.any(|label| classes.get(label as usize) == Some(name)) => {
                statistics.accepted += 1;
            }
            _ => {}
        }
    }
    statistics
}
