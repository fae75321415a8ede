//! Which plots a session has.

use crate::facts::Facts;
use crate::plots::{Place, Plot, confusion, histogram, map};
use crate::subject::Subject;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;

/// All plots of a report.
pub(crate) fn plots_of(subject: &Subject<'_>, facts: &Facts) -> Vec<Plot> {
    let map = map_of(subject).into_iter();
    map.chain(confusion(&facts.confusions)).chain(histograms(facts)).collect()
}

/// The scores of each detector.
pub(crate) fn histograms(facts: &Facts) -> Vec<Plot> {
    let one = |scores: &chaffinch_protocol::Histogram| {
        let detector = facts.detectors.iter().find(|detector| detector.name == scores.detector)?;
        Some(histogram(scores, detector.threshold, detector.flagged))
    };
    facts.histograms.iter().filter_map(one).collect()
}

/// The map of all suspects, also of those that are not listed; `None` without embeddings.
pub(crate) fn map_of(subject: &Subject<'_>) -> Option<Plot> {
    let source = &subject.source;
    let points = source.atlas?.projection().points();
    let place = |row: &u32| {
        let at = *points.get(*row as usize).filter(|at| !at[0].is_nan())?;
        let faulty = match source.decisions.get(SampleId(*row)).map(|decision| &decision.choice) {
            Some(Choice::Keep) => Some(false),
            Some(Choice::Remove | Choice::Relabel(_)) => Some(true),
            Some(Choice::Unsure) | None => None,
        };
        Some(Place { at, faulty })
    };
    let suspects: Vec<Place> = source.ranking.order.iter().filter_map(place).collect();
    points.iter().any(|at| !at[0].is_nan()).then(|| map(points, &suspects))
}
