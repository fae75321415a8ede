//! The rules that combine detectors into one rank, and their names.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How detectors are combined into one rank.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnsembleRule {
    /// Any detector decides: finds most. Ordered by how likely a sample is bad.
    #[default]
    Or,
    /// Ranked by the number of detectors that agree, then by the worst score: fewer false alarms.
    Majority,
    /// Mean of the ranks each detector gives.
    MeanRank,
    /// Weighted mean of calibrated scores; detectors not listed have weight 1.
    Weighted(BTreeMap<String, f32>),
    /// Only what all detectors flag.
    And,
    /// Only what at least this many detectors flag.
    AtLeast(u16),
    /// Mean of calibrated scores.
    Average,
    /// Mean of calibrated scores of the detectors that flag the same samples.
    Consensus,
    /// A regression trained on the reviewer's decisions.
    Stacking,
    /// As Or, with wider thresholds: finds more, with more false alarms.
    Recall,
    /// Only what two detectors flag or one is certain of.
    Precision,
}

/// The rules with a fixed name; in addition there is `K-of-n`, with a number for K.
pub const RULES: [&str; 10] = [
    "or",
    "and",
    "majority",
    "mean-rank",
    "average",
    "consensus",
    "weighted",
    "stacking",
    "recall",
    "precision",
];

impl EnsembleRule {
    /// The rule by name: one of [`RULES`], or `2-of-n` with any number from 1. `weights` are for `weighted`.
    pub fn parse(name: &str, weights: &BTreeMap<String, f32>) -> Option<EnsembleRule> {
        Some(match name {
            "or" => EnsembleRule::Or,
            "and" => EnsembleRule::And,
            "majority" => EnsembleRule::Majority,
            "mean-rank" => EnsembleRule::MeanRank,
            "average" => EnsembleRule::Average,
            "consensus" => EnsembleRule::Consensus,
            "weighted" => EnsembleRule::Weighted(weights.clone()),
            "stacking" => EnsembleRule::Stacking,
            "recall" => EnsembleRule::Recall,
            "precision" => EnsembleRule::Precision,
            other => {
                let least = other.strip_suffix("-of-n")?.parse().ok().filter(|&least| least > 0)?;
                EnsembleRule::AtLeast(least)
            }
        })
    }

    /// How the rule orders suspects, in one sentence.
    pub const fn sentence(&self) -> &'static str {
        match self {
            EnsembleRule::Or => {
                "The likelier a sample is bad, the sooner it comes: by how sure the detectors are, how far their \
                 scores stand out from the usual, and whether others agree."
            }
            EnsembleRule::Recall => {
                "As 'or', with every threshold moved a fifth of the way to 1: finds more, with more false alarms."
            }
            EnsembleRule::Precision => "As 'or', but only what two detectors flag or one is certain of.",
            EnsembleRule::Majority => "The more detectors flag a sample, the sooner it comes.",
            EnsembleRule::MeanRank => {
                "The lower the mean of a sample's ranks in all detectors, the sooner it comes."
            }
            EnsembleRule::Weighted(_) => {
                "The lower the weighted mean of all scores, the sooner a sample comes."
            }
            EnsembleRule::And => "Only what all detectors flag, by the score of the least certain one.",
            EnsembleRule::AtLeast(_) => {
                "Only what enough detectors flag, by the score of the last one needed."
            }
            EnsembleRule::Average => "The lower the mean of all scores, the sooner a sample comes.",
            EnsembleRule::Consensus => {
                "The lower the mean score of the detectors that flag the same samples, the sooner a sample comes."
            }
            EnsembleRule::Stacking => "A regression on your decisions says how likely each sample is bad.",
        }
    }

    /// Whether the order follows the reviewer's decisions.
    pub const fn learns(&self) -> bool {
        matches!(self, EnsembleRule::Stacking)
    }

    /// Its name, as accepted by [`EnsembleRule::parse`].
    pub fn name(&self) -> String {
        match self {
            EnsembleRule::Or => "or".into(),
            EnsembleRule::And => "and".into(),
            EnsembleRule::AtLeast(least) => format!("{least}-of-n"),
            EnsembleRule::Majority => "majority".into(),
            EnsembleRule::MeanRank => "mean-rank".into(),
            EnsembleRule::Average => "average".into(),
            EnsembleRule::Consensus => "consensus".into(),
            EnsembleRule::Weighted(_) => "weighted".into(),
            EnsembleRule::Stacking => "stacking".into(),
            EnsembleRule::Recall => "recall".into(),
            EnsembleRule::Precision => "precision".into(),
        }
    }
}

/// How far the rule Recall moves every threshold toward 1.
const WIDER: f32 = 0.2;

/// The thresholds in effect under a rule: Recall moves each a fifth of the way toward 1, the others leave them
/// unchanged.
pub fn thresholds_under(rule: &EnsembleRule, thresholds: BTreeMap<String, f32>) -> BTreeMap<String, f32> {
    if *rule != EnsembleRule::Recall {
        return thresholds;
    }
    // Zero means switched off.
    let wider = |t: f32| if t > 0.0 { t + WIDER * (1.0 - t) } else { t };
    thresholds.into_iter().map(|(name, t)| (name, wider(t))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_name_that_is_read_back() {
        let weights: BTreeMap<String, f32> = [("dup".to_owned(), 2.0)].into();
        for name in RULES.into_iter().chain(["1-of-n", "12-of-n"]) {
            let rule = EnsembleRule::parse(name, &weights).unwrap();
            assert_eq!(rule.name(), name);
            assert!(rule.sentence().ends_with('.') && !rule.sentence().contains("  "), "{name}");
            let text = serde_json::to_string(&rule).unwrap();
            assert_eq!(serde_json::from_str::<EnsembleRule>(&text).unwrap(), rule);
        }
        for wrong in ["0-of-n", "-of-n", "x-of-n", "OR", ""] {
            assert_eq!(EnsembleRule::parse(wrong, &weights), None, "{wrong}");
        }
    }

    #[test]
    fn recall_widens_every_threshold_that_is_on() {
        let of = |rule| thresholds_under(rule, [("a".to_owned(), 0.5), ("b".to_owned(), 0.0)].into());
        assert_eq!(of(&EnsembleRule::Recall), [("a".to_owned(), 0.6), ("b".to_owned(), 0.0)].into());
        assert_eq!(of(&EnsembleRule::Precision)["a"], 0.5);
    }
}
