//! Scores of the two criteria, and what they select.

use crate::mixture::of_better_group;
use std::collections::BTreeMap;

/// Probabilities below this are the same: the logarithm of less would leave no room for the rest of a class.
const LEAST: f64 = 1e-9;

/// Invalid input.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// There are no samples.
    #[error("there are no samples")]
    NoSamples,
    /// Not one label per sample.
    #[error("there are {labels} labels for {samples} samples")]
    Count {
        /// Labels given.
        labels: usize,
        /// Samples known.
        samples: usize,
    },
    /// NaN, negative, above one, or a label more likely than the most likely class.
    #[error(
        "sample {sample}: {own} and {best} are not probabilities of a label and of the most likely class"
    )]
    Probability {
        /// The sample.
        sample: usize,
        /// The label's.
        own: f64,
        /// The most likely class's.
        best: f64,
    },
}

/// One source's probabilities for each sample: of its label and of the most likely class. A sample that cannot be judged
/// (without a label or a picture) has neither.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    own: Vec<f64>,
    best: Vec<f64>,
}

impl Evidence {
    /// Adds a sample.
    pub fn push(&mut self, own: f64, best: f64) {
        self.own.push(own);
        self.best.push(best);
    }

    /// Adds a sample that cannot be judged: it is never selected.
    pub fn skip(&mut self) {
        self.push(f64::NAN, f64::NAN);
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.own.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.own.is_empty()
    }

    /// Scores both criteria. Samples of one label are compared among themselves.
    ///
    /// # Errors
    /// When there are no samples, not one label per sample, or numbers that are not probabilities.
    pub fn scores(&self, labels: &[u32]) -> Result<Scores, InputError> {
        if self.is_empty() {
            return Err(InputError::NoSamples);
        }
        if labels.len() != self.len() {
            return Err(InputError::Count { labels: labels.len(), samples: self.len() });
        }
        let mut classes: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (sample, (&own, &best)) in self.own.iter().zip(&self.best).enumerate() {
            if own.is_nan() && best.is_nan() {
                continue;
            }
            // A little slack for sums in 32 bits.
            if !(0.0..=best).contains(&own) || best > 1.0 + 1e-3 || best <= 0.0 {
                return Err(InputError::Probability { sample, own, best });
            }
            classes.entry(labels[sample]).or_default().push(sample);
        }
        let judged = |sample: usize| !self.own[sample].is_nan();
        let consistency =
            |sample: usize| if judged(sample) { self.own[sample] / self.best[sample] } else { f64::NAN };
        let mut scores = Scores {
            stretched: vec![f64::NAN; self.len()],
            mixture: vec![f64::NAN; self.len()],
            consistency: (0..self.len()).map(consistency).collect(),
        };
        for members in classes.values() {
            let logs: Vec<f64> = members.iter().map(|&sample| self.own[sample].max(LEAST).ln()).collect();
            let stretched = stretch(&logs);
            for ((&sample, x), better) in members.iter().zip(&stretched).zip(of_better_group(&stretched)) {
                scores.stretched[sample] = *x;
                scores.mixture[sample] = better;
            }
        }
        Ok(scores)
    }
}

/// Numbers brought to 0..=1; all ones where they are equal.
fn stretch(numbers: &[f64]) -> Vec<f64> {
    let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let most = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let width = most - least;
    numbers.iter().map(|x| if width > 0.0 { (x - least) / width } else { 1.0 }).collect()
}

/// The limits from which a sample counts as clean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Minimum probability of the better group, 0..=1.
    pub mixture: f64,
    /// Minimum ratio of the label's probability to that of the most likely class, 0..=1.
    pub consistency: f64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { mixture: 0.5, consistency: 0.8 }
    }
}

/// One source's scores, 1 = surely clean, NaN for samples that cannot be judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    stretched: Vec<f64>,
    mixture: Vec<f64>,
    consistency: Vec<f64>,
}

impl Scores {
    /// The logarithm of the label's probability, rescaled to 0..=1 among the samples of that label.
    pub fn stretched(&self) -> &[f64] {
        &self.stretched
    }

    /// The probability of the better group.
    pub fn mixture(&self) -> &[f64] {
        &self.mixture
    }

    /// The label's probability over the most likely class's.
    pub fn consistency(&self) -> &[f64] {
        &self.consistency
    }

    /// Which samples are clean.
    pub fn select(&self, limits: Limits) -> Selection {
        let from = |scores: &[f64], limit: f64| scores.iter().map(|&score| score >= limit).collect();
        Selection {
            mixture: from(&self.mixture, limits.mixture),
            consistency: from(&self.consistency, limits.consistency),
        }
    }
}

/// What one source selects, by criterion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// By mixture.
    pub mixture: Vec<bool>,
    /// By consistency.
    pub consistency: Vec<bool>,
}

impl Selection {
    /// Samples that both criteria select.
    pub fn both(&self) -> Vec<bool> {
        intersection(&[&self.mixture, &self.consistency])
    }
}

/// Samples that all of them select; of none, nothing.
pub fn intersection(selections: &[&[bool]]) -> Vec<bool> {
    let Some((first, others)) = selections.split_first() else { return Vec::new() };
    let all = |(sample, &clean): (usize, &bool)| {
        clean && others.iter().all(|other| other.get(sample) == Some(&true))
    };
    first.iter().enumerate().map(all).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(rows: &[(f64, f64)]) -> Evidence {
        let mut evidence = Evidence::default();
        rows.iter().for_each(|&(own, best)| evidence.push(own, best));
        evidence
    }

    #[test]
    fn a_class_is_compared_within_itself() {
        // What is high in the second class would be low in the first.
        let rows = [(0.9, 0.9), (0.88, 0.9), (0.3, 0.6), (0.31, 0.31), (0.3, 0.33), (0.01, 0.7)];
        let scores = evidence(&rows).scores(&[0, 0, 0, 1, 1, 1]).unwrap();
        let selection = scores.select(Limits::default());
        assert_eq!(selection.mixture, [true, true, false, true, true, false]);
        assert_eq!(selection.consistency, [true, true, false, true, true, false]);
        assert_eq!((scores.stretched()[0], scores.stretched()[2]), (1.0, 0.0));
    }

    #[test]
    fn classes_that_cannot_be_divided_are_left_to_consistency() {
        // A class of one sample, and one of equal ones.
        let scores = evidence(&[(0.1, 0.9), (0.5, 0.5), (0.5, 0.5)]).scores(&[0, 1, 1]).unwrap();
        let selection = scores.select(Limits::default());
        assert_eq!(
            (selection.mixture.as_slice(), selection.both()),
            (&[true; 3][..], vec![false, true, true])
        );
        // Zero is a probability too.
        let scores = evidence(&[(0.0, 1.0), (1.0, 1.0), (0.9, 0.9)]).scores(&[0, 0, 0]).unwrap();
        assert_eq!(scores.select(Limits::default()).both(), [false, true, true]);
    }

    #[test]
    fn what_cannot_be_judged_is_never_selected() {
        let mut evidence = evidence(&[(0.9, 0.9)]);
        evidence.skip();
        let scores = evidence.scores(&[0, u32::MAX]).unwrap();
        let nothing = Limits { mixture: 0.0, consistency: 0.0 };
        assert_eq!(scores.select(nothing).both(), [true, false]);
    }

    #[test]
    fn what_is_no_probability_is_refused() {
        assert_eq!(Evidence::default().scores(&[]), Err(InputError::NoSamples));
        assert_eq!(evidence(&[(0.5, 0.5)]).scores(&[]), Err(InputError::Count { labels: 0, samples: 1 }));
        for (own, best) in [(-0.1, 0.5), (0.6, 0.5), (f64::NAN, 0.5), (0.5, f64::NAN), (2.0, 3.0), (0.0, 0.0)]
        {
            let error = evidence(&[(own, best)]).scores(&[0]).unwrap_err();
            assert!(error.to_string().starts_with("sample 0: "), "{error}");
        }
    }
}
