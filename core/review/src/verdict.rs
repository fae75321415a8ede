//! What the detectors say about a sample: which flag it, how bad it is, which label is suggested, and why.
//!
//! Screen, listing, export, statistics and evaluation all use this, so that they never disagree. A detector flags a
//! sample whose score is below its threshold. Flags of different detectors are compared on the calibrated scale, where
//! 0.5 is the threshold of every detector ([`Calibration`](crate::calibration::Calibration)): the worst flag's reason comes
//! first, and the suggested label is that of the worst flag that suggests one.

use crate::calibration::calibrate;
use chaffinch_data::columns::DetectorResult;
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Results by detector name.
pub type Results = BTreeMap<String, Arc<DetectorResult>>;

/// Whether a detector flags a sample. One without a score (NaN) is not flagged.
#[inline(always)]
pub fn is_flagged(score: f32, threshold: f32) -> bool {
    score < threshold
}

/// The threshold in effect for a detector: as set, or its default.
pub fn threshold(set: &BTreeMap<String, f32>, detector: &str, result: &DetectorResult) -> f32 {
    set.get(detector).copied().unwrap_or(result.record().threshold)
}

/// The thresholds in effect for all detectors with results.
pub fn thresholds(results: &Results, set: &BTreeMap<String, f32>) -> BTreeMap<String, f32> {
    results.iter().map(|(name, result)| (name.clone(), threshold(set, name, result))).collect()
}

/// All detectors' results with the thresholds in effect. A detector without a threshold uses its default.
#[derive(Clone, Copy)]
pub struct Verdicts<'a> {
    results: &'a Results,
    thresholds: &'a BTreeMap<String, f32>,
}

/// One detector that flags a sample.
#[derive(Clone, Copy)]
pub struct Flag<'a> {
    /// The detector's index among all results, in name order.
    pub index: u16,
    /// Its name.
    pub detector: &'a str,
    /// Its score, 0 = surely an issue.
    pub score: f32,
    /// The threshold that the score is below.
    pub threshold: f32,
    /// The calibrated score, 0..0.5; the lower, the worse.
    pub severity: f32,
    result: &'a DetectorResult,
    sample: SampleId,
}

impl<'a> Flag<'a> {
    /// The label it suggests, as an index into the manifest's classes.
    pub fn suggested(&self) -> Option<u32> {
        self.result.suggested(self.sample)
    }

    /// Its reason without the final period; score and threshold if the detector gave none.
    pub fn reason(&self) -> String {
        match self.result.reason(self.sample).trim_end_matches('.') {
            "" => {
                let Flag { detector, score, threshold, .. } = self;
                format!("{detector} gives it {score:.2}, below its threshold of {threshold:.2}")
            }
            reason => reason.to_owned(),
        }
    }
}

impl<'a> Verdicts<'a> {
    /// The verdicts of these results under these thresholds.
    pub fn new(results: &'a Results, thresholds: &'a BTreeMap<String, f32>) -> Verdicts<'a> {
        Verdicts { results, thresholds }
    }

    /// The threshold of a detector: as set, or its default.
    pub fn threshold(&self, detector: &str, result: &DetectorResult) -> f32 {
        threshold(self.thresholds, detector, result)
    }

    /// The detectors that flag a sample, in name order.
    pub fn flags(self, sample: SampleId) -> impl Iterator<Item = Flag<'a>> {
        let flag = move |(index, (detector, result)): (u16, (&'a String, &'a Arc<DetectorResult>))| {
            let (score, threshold) = (result.score(sample)?, self.threshold(detector, result));
            is_flagged(score, threshold).then(|| Flag {
                index,
                detector,
                score,
                threshold,
                severity: calibrate(score, threshold),
                result,
                sample,
            })
        };
        (0_u16..).zip(self.results).filter_map(flag)
    }

    /// The same, worst first; ties in name order.
    pub fn worst_first(self, sample: SampleId) -> Vec<Flag<'a>> {
        let mut flags: Vec<Flag<'a>> = self.flags(sample).collect();
        flags.sort_by(|a, b| a.severity.total_cmp(&b.severity));
        flags
    }

    /// The suggested label: that of the worst flag that suggests one. A detector that does not flag the sample
    /// suggests nothing for it.
    pub fn suggested(self, sample: SampleId) -> Option<u32> {
        let suggesting = self.flags(sample).filter_map(|flag| Some((flag.severity, flag.suggested()?)));
        suggesting.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, label)| label)
    }

    /// The suggested label that is none of the manifest's classes: that of the worst flag that suggests one.
    pub fn suggested_other(self, sample: SampleId) -> Option<&'a str> {
        self.worst_first(sample).into_iter().find_map(|flag| flag.result.suggested_other(sample))
    }

    /// Why a sample is a suspect, in one sentence or two: the worst flag's reason first. Empty where no detector flags
    /// it.
    pub fn reason(self, sample: SampleId) -> String {
        let reasons: Vec<String> = self.worst_first(sample).iter().map(Flag::reason).collect();
        match reasons.split_first() {
            None => String::new(),
            Some((first, [])) => first.clone(),
            Some((first, others)) => format!("{first}; also: {}", others.join("; ")),
        }
    }
}

#[cfg(test)]
mod tests;
