//! Review progress.

use crate::query::Source;
use crate::verdict::Flag;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::{DetectorReview, Statistics};

/// How far the review is, and what decisions say about each detector.
pub fn statistics(source: &Source<'_>) -> Statistics {
    let Source { manifest, decisions, ranking, .. } = source;
    let verdicts = source.verdicts();
    let detectors = source.results.keys().enumerate();
    let review = |(index, name): (usize, &String)| DetectorReview {
        name: name.clone(),
        flagged: ranking.counts.get(index).map_or(0, |counts| counts.flagged),
        ..DetectorReview::default()
    };
    let mut statistics = Statistics {
        suspects: ranking.order.len() as u64,
        by_choice: decisions.by_choice(),
        detectors: detectors.map(review).collect(),
        ..Statistics::default()
    };
    for (id, decision) in decisions.iter().filter(|(id, _)| id.index() < manifest.len()) {
        let flags: Vec<Flag<'_>> = verdicts.flags(id).collect();
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
        // The label that lists show and a key accepts.
        let suggested = verdicts.suggested(id);
        let differs = |label: &u32| manifest.label(id).is_none_or(|given| given.0 != *label);
        let Some(suggested) = suggested.filter(differs) else { continue };
        statistics.suggested += 1;
        let classes = manifest.classes();
        match &decision.choice {
            Choice::Keep => statistics.kept += 1,
            Choice::Relabel(name) if classes.get(suggested as usize) == Some(name) => {
                statistics.accepted += 1;
            }
            _ => {}
        }
    }
    statistics
}
