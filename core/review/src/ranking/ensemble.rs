//! Detectors and a rule, with everything needed to judge samples; owned, so that scores can be computed later.

use super::stacking::Stack;
use super::{Calibration, Results};
use crate::verdict::{self, is_flagged};
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::issue::is_built_in;
use chaffinch_protocol::EnsembleRule;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One detector as the rules see it.
pub(super) struct Member<'a> {
    pub(super) scores: &'a [f32],
    pub(super) threshold: f32,
    pub(super) calibration: Calibration,
    pub(super) weight: f32,
    /// Whether it only reports whether the file is readable.
    pub(super) check: bool,
    /// Relative ranks, if the rule needs them.
    pub(super) ranks: &'a [f32],
}

impl Member<'_> {
    pub(super) fn flags(&self, row: usize) -> bool {
        is_flagged(self.scores[row], self.threshold)
    }
}

/// A sample's calibrated scores by detector, NaN if there is none.
pub(super) fn calibrated<'a>(row: usize, members: &'a [Member<'_>]) -> impl Iterator<Item = f32> + 'a {
    members.iter().map(move |member| member.calibration.of(member.scores[row]))
}

/// Like [`Member`], but shares ownership of its result.
#[derive(Debug)]
struct OwnedMember {
    result: Arc<DetectorResult>,
    threshold: f32,
    weight: f32,
    check: bool,
}

/// All detectors and a rule.
#[derive(Debug)]
pub(super) struct Ensemble {
    members: Vec<OwnedMember>,
    pub(super) rule: EnsembleRule,
    /// The trained model of the rule Stacking.
    pub(super) stack: Option<Stack>,
}

impl Ensemble {
    /// The detectors with a result for `count` samples. One without a threshold uses its own.
    pub(super) fn new(
        results: &Results,
        thresholds: &BTreeMap<String, f32>,
        rule: &EnsembleRule,
        count: usize,
    ) -> Ensemble {
        let fitting = results.iter().filter(|(_, result)| result.len() == count);
        let member = |(name, result): (&String, &Arc<DetectorResult>)| OwnedMember {
            result: result.clone(),
            threshold: verdict::threshold(thresholds, name, result),
            weight: match rule {
                EnsembleRule::Weighted(weights) => weights.get(name).copied().unwrap_or(1.0).max(0.0),
                _ => 1.0,
            },
            check: is_built_in(name),
        };
        Ensemble { members: fitting.map(member).collect(), rule: rule.clone(), stack: None }
    }

    /// Assigns a weight to every detector.
    pub(super) fn weigh(&mut self, weights: impl IntoIterator<Item = f32>) {
        self.members.iter_mut().zip(weights).for_each(|(member, weight)| member.weight = weight);
    }

    /// The detectors as members.
    pub(super) fn members(&self) -> Vec<Member<'_>> {
        let member = |member| {
            let &OwnedMember { ref result, threshold, weight, check } = member;
            Member {
                scores: result.scores(),
                threshold,
                calibration: Calibration::new(threshold),
                weight,
                check,
                ranks: if self.rule == EnsembleRule::MeanRank { result.ranks() } else { &[] },
            }
        };
        self.members.iter().map(member).collect()
    }

    /// Whether the rule only needs sums, which are computed for many samples at once.
    pub(super) fn by_sums(&self) -> bool {
        use EnsembleRule::{And, AtLeast, MeanRank, Stacking};
        !matches!(self.rule, And | AtLeast(_) | MeanRank | Stacking)
    }

    /// Whether unflagged samples are ordered by the mean of all detectors instead of the rule's score: the lowest of
    /// many scores that all say "fine" means nothing.
    pub(super) fn by_mean(&self) -> bool {
        use EnsembleRule::{Majority, Or, Precision, Recall};
        matches!(self.rule, Or | Recall | Precision | Majority)
    }
}
