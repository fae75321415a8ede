//! What the engine knows at one moment: findings, thresholds and the resulting rank. Immutable, so that queries on
//! other threads never wait for a decision.

use crate::Setup;
use crate::findings::Findings;
use crate::kept;
use crate::numbered::with_paths;
use crate::reading::reading;
use chaffinch_data::issue::is_built_in;
use chaffinch_data::journal::Decisions;
use chaffinch_data::session::Session;
use chaffinch_protocol::ensemble::thresholds_under;
use chaffinch_protocol::{DetectorSummary, EnsembleRule, Ledger};
use chaffinch_review::query::Source;
use chaffinch_review::ranking;
use chaffinch_review::ranking::Ranking;
use chaffinch_review::verdict::{self, Verdicts};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A snapshot.
pub(crate) struct State {
    pub(crate) findings: Findings,
    pub(crate) thresholds: BTreeMap<String, f32>,
    pub(crate) rule: EnsembleRule,
    pub(crate) ranking: Ranking,
    pub(crate) detectors: Vec<DetectorSummary>,
    /// Whether the rank came from the cache.
    pub(crate) found: bool,
    /// What the rank learned from, as a digest; `None` if it learned nothing.
    learned: Option<String>,
}

impl State {
    /// Ranks the findings, unless their rank is cached. `moved` holds thresholds changed by the user or the
    /// configuration; the others are the detectors' defaults. Some rules learn from `decisions`.
    pub(crate) fn new(
        findings: Findings,
        moved: &BTreeMap<String, f32>,
        rule: EnsembleRule,
        decisions: &Decisions,
        session: Option<&Session>,
    ) -> State {
        let set = verdict::thresholds(&findings.results, moved);
        let thresholds = thresholds_under(&rule, set.clone());
        let count = findings.manifest.len();
        let reviewed = ranking::reviewed(&rule, decisions);
        let learned = kept::learned(&reviewed);
        let key = session.and_then(|session| {
            Some((session, kept::key(session, &thresholds, &rule, count, learned.as_deref())?))
        });
        let kept = key.and_then(|(session, key)| kept::rank(session, &key, count));
        let kept = kept.filter(|kept| kept.counts.len() == findings.results.len());
        let found = kept.is_some();
        let ranking = kept.unwrap_or_else(|| {
            ranking::rank_reviewed(
                &findings.results,
                &thresholds,
                &rule,
                count,
                &reviewed,
                &findings.manifest.places(),
            )
        });
        let detectors = findings
            .results
            .iter()
            .zip(&ranking.counts)
            .map(|((name, result), counts)| {
                let record = result.record();
                DetectorSummary {
                    name: name.clone(),
                    version: record.version.clone(),
                    summary: record.summary.clone(),
                    groups: record.groups,
                    built_in: is_built_in(name),
                    // As it was set: further changes start from there.
                    threshold: verdict::threshold(&set, name, result),
                    default: record.threshold,
                    scored: counts.scored,
                    flagged: counts.flagged,
                    seconds: record.seconds,
                    notes: record
                        .notes
                        .iter()
                        .map(|(note, text)| (note.clone(), with_paths(text, &findings.manifest)))
                        .collect(),
                    attributes: result.attributes().map(str::to_owned).collect(),
                    regions: result.has_regions(),
                }
            })
            .collect();
        State { findings, thresholds, rule, ranking, detectors, found, learned }
    }

    /// A snapshot of what is known now, ranked again only if something changed that the rank depends on.
    pub(crate) fn renewed(
        &self,
        findings: Findings,
        moved: &BTreeMap<String, f32>,
        rule: &EnsembleRule,
        decisions: &Decisions,
    ) -> State {
        let set = verdict::thresholds(&findings.results, moved);
        let (old, new) = (&self.findings.results, &findings.results);
        let same = self.rule == *rule
            && !(rule.learns() && decisions.iter().next().is_some())
            && self.findings.manifest.len() == findings.manifest.len()
            && self.thresholds == thresholds_under(rule, set)
            && old.len() == new.len()
            && old.iter().zip(new).all(|(old, new)| old.0 == new.0 && Arc::ptr_eq(old.1, new.1));
        match same {
            true => self.with_findings(findings),
            false => State::new(findings, moved, rule.clone(), decisions, None),
        }
    }

    /// The same rank with new findings.
    pub(crate) fn with_findings(&self, findings: Findings) -> State {
        State {
            findings,
            thresholds: self.thresholds.clone(),
            rule: self.rule.clone(),
            ranking: self.ranking.clone(),
            detectors: self.detectors.clone(),
            found: self.found,
            learned: self.learned.clone(),
        }
    }

    /// Caches the rank with the session, where that is worthwhile.
    pub(crate) fn keep_rank(&self, setup: &Arc<Setup>) {
        kept::keep(setup, &self.thresholds, &self.rule, &self.ranking, self.learned.as_deref());
    }

    /// What was left out, guessed or is doubtful about the dataset.
    pub(crate) fn reading(&self) -> Ledger {
        reading(&self.findings.ledger, &self.findings.results, &self.findings.manifest)
    }

    /// Everything, as input for queries and counts.
    pub(crate) fn source<'a>(&'a self, decisions: &'a Decisions) -> Source<'a> {
        let findings = &self.findings;
        Source {
            manifest: &findings.manifest,
            file_metadata: &findings.file_metadata,
            results: &findings.results,
            previous: &findings.previous,
            thresholds: &self.thresholds,
            ranking: &self.ranking,
            decisions,
            atlas: findings.atlas.as_deref(),
            direction: None,
            learned: None,
        }
    }

    /// What the detectors say about each sample.
    pub(crate) fn verdicts(&self) -> Verdicts<'_> {
        Verdicts::new(&self.findings.results, &self.thresholds)
    }
}
