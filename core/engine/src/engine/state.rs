//! What the engine knows at one moment: findings, thresholds and the rank made of them. Immutable once made,
//! so that queries on other threads never wait for a decision.

use super::scan::Findings;
use crate::journal::Decisions;
use crate::protocol::{DetectorSummary, EnsembleRule};
use crate::ranking::{self, Ranking};
use std::collections::BTreeMap;

/// A snapshot.
pub(super) struct State {
    pub(super) findings: Findings,
    pub(super) thresholds: BTreeMap<String, f32>,
    pub(super) rule: EnsembleRule,
    pub(super) ranking: Ranking,
    pub(super) detectors: Vec<DetectorSummary>,
}

impl State {
    /// Ranks the findings. `moved` holds thresholds that a person or the configuration moved; the others are the
    /// detectors' own. `decisions` are what the rule Stacking learns from.
    pub(super) fn new(
        findings: Findings,
        moved: &BTreeMap<String, f32>,
        rule: EnsembleRule,
        decisions: &Decisions,
    ) -> State {
        let set: BTreeMap<String, f32> = findings
            .results
            .iter()
            .map(|(name, result)| {
                (name.clone(), moved.get(name).copied().unwrap_or(result.record().threshold))
            })
            .collect();
        let thresholds = ranking::thresholds_under(&rule, set.clone());
        let reviewed = if rule == EnsembleRule::Stacking { ranking::reviewed(decisions) } else { Vec::new() };
        let count = findings.manifest.len();
        let ranking = ranking::rank_reviewed(&findings.results, &thresholds, &rule, count, &reviewed);
        let detectors = findings
            .results
            .iter()
            .map(|(name, result)| {
                let record = result.record();
                let threshold = thresholds.get(name).copied().unwrap_or(record.threshold);
                let (mut scored, mut flagged) = (0, 0);
                for &score in result.scores() {
                    scored += u64::from(!score.is_nan());
                    flagged += u64::from(score < threshold);
                }
                DetectorSummary {
                    name: name.clone(),
                    version: record.version.clone(),
                    summary: record.summary.clone(),
                    groups: record.groups,
                    // As it was set: moving it goes on from there.
                    threshold: set.get(name).copied().unwrap_or(threshold),
                    scored,
                    flagged,
                    seconds: record.seconds,
                    notes: record.notes.clone(),
                }
            })
            .collect();
        State { findings, thresholds, rule, ranking, detectors }
    }

    /// The same rank with more known beside it.
    pub(super) fn with_findings(&self, findings: Findings) -> State {
        State {
            findings,
            thresholds: self.thresholds.clone(),
            rule: self.rule.clone(),
            ranking: self.ranking.clone(),
            detectors: self.detectors.clone(),
        }
    }

    /// Detectors that flag a sample, as places in `detectors`.
    pub(super) fn flags(&self, index: usize) -> Vec<u16> {
        let results = self.findings.results.iter();
        (0_u16..)
            .zip(results)
            .filter(|(_, (name, result))| result.scores()[index] < self.thresholds[*name])
            .map(|(place, _)| place)
            .collect()
    }
}
