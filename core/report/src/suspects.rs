//! Suspects as rows.

use crate::subject::Subject;
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::sample::{LabelId, SampleId};
use serde::Serialize;
use std::collections::BTreeMap;

/// A suspect. All texts are as shown: what acts on a terminal or the direction of writing is escaped.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Suspect {
    /// Its place in the ranking, from 1.
    pub rank: u64,
    /// Its path.
    pub path: String,
    /// Its label, empty if it has none.
    pub label: String,
    /// The suggested label, empty if there is none.
    pub suggested_label: String,
    /// Its split, empty if it has none.
    pub split: &'static str,
    /// The ensemble's score, 0 = surely an issue.
    pub score: Option<f32>,
    /// The scores of the detectors that flag it.
    pub detectors: BTreeMap<String, f32>,
    /// `keep`, `remove`, `relabel`, `unsure`, or empty.
    pub decision: &'static str,
    /// The new label, empty if there is none.
    pub new_label: String,
    /// Who decided; empty without a decision.
    pub reviewer: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// The notes on it.
    pub note: String,
    /// Why it is a suspect.
    pub reason: String,
}

/// The suspects that are listed, worst first: at most `most`, all if that is `None`.
pub(crate) fn listed(subject: &Subject<'_>, most: Option<usize>) -> Vec<SampleId> {
    let order = subject.source.ranking.order.iter();
    order.take(most.unwrap_or(usize::MAX)).map(|row| SampleId(*row)).collect()
}

/// One row.
pub(crate) fn suspect(subject: &Subject<'_>, rank: u64, id: SampleId) -> Suspect {
    let source = &subject.source;
    let verdicts = source.verdicts();
    let safe = |text: &str| safe_text(text).into_owned();
    let suggested = match verdicts.suggested(id) {
        Some(label) => source.manifest.class(LabelId(label)),
        None => verdicts.suggested_other(id).unwrap_or_default(),
    };
    let review = source.decisions.review(id);
    let choice = review.and_then(|review| review.decision).map(|decision| &decision.choice);
    let new_label = match choice {
        Some(chaffinch_protocol::decision::Choice::Relabel(label)) => safe(label),
        _ => String::new(),
    };
    let notes: Vec<String> = source.decisions.notes(id).iter().map(|(_, note)| safe(note)).collect();
    Suspect {
        rank,
        path: safe_path(source.manifest.path(id)),
        label: safe(source.manifest.label_name(id)),
        suggested_label: safe(suggested),
        split: source.manifest.split(id).name(),
        score: source.ranking.score(id.index()),
        detectors: verdicts.flags(id).map(|flag| (flag.detector.to_owned(), flag.score)).collect(),
        decision: choice.map_or("", |choice| choice.word()),
        new_label,
        reviewer: safe(review.map_or("", |review| review.reviewer)),
        tags: source.decisions.tags(id).iter().map(|tag| safe(tag)).collect(),
        note: notes.join("; "),
        reason: safe(&verdicts.reason(id)),
    }
}
