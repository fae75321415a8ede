//! Label quality scores: 0 = the given label is surely wrong, 1 = surely right.

use crate::table::{Real, Table};

/// The threshold of a class that no sample has: no probability reaches it.
const NEVER: f64 = 2.0;
/// Thresholds are at least this much, so that a comparison with [`EPSILON`] of slack stays above zero.
const LEAST_THRESHOLD: f64 = 2.0 * EPSILON;
/// The slack of comparisons with thresholds.
pub(crate) const EPSILON: f64 = 1e-6;

/// How a label's quality is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The probability of the given label: the best ranking on most data, and the default everywhere.
    SelfConfidence,
    /// `(p_given - max of the others + 1) / 2`.
    NormalizedMargin,
    /// `ln(x + 1) / x` with `x = H / p_given`, `H` the entropy of the row over that of a uniform one.
    ///
    /// Where `x` is 0 this is 1, which is its limit, if the given label has all the probability, and 0 if another
    /// one has. cleanlab 2.9.0 divides by 1e-6 where `x` is smaller and so calls perfect samples the worst; from
    /// `x` = 1e-6 on both are the same. As there, `p_given` counts as 1e-6 where it is less.
    ConfidenceWeightedEntropy,
}

impl Method {
    /// All methods.
    pub const ALL: [Method; 3] =
        [Method::SelfConfidence, Method::NormalizedMargin, Method::ConfidenceWeightedEntropy];

    /// Its name, as in cleanlab.
    pub fn name(self) -> &'static str {
        match self {
            Method::SelfConfidence => "self_confidence",
            Method::NormalizedMargin => "normalized_margin",
            Method::ConfidenceWeightedEntropy => "confidence_weighted_entropy",
        }
    }

    /// Whether probabilities may be adjusted for it: entropy of adjusted rows has no meaning.
    pub fn can_be_adjusted(self) -> bool {
        self != Method::ConfidenceWeightedEntropy
    }
}

/// The mean probability of each class over the samples that have it as their label: the model's usual confidence
/// in it. 2 for a class that no sample has, and at least 2e-6.
pub fn thresholds<T: Real>(table: &Table<'_, T>) -> Vec<f64> {
    let mut sums = vec![0.0; table.classes()];
    for sample in 0..table.len() {
        sums[table.given(sample)] += table.own(sample);
    }
    let mean = |(sum, count): (f64, usize)| if count == 0 { NEVER } else { sum / count as f64 };
    sums.into_iter().zip(table.counts()).map(mean).map(|mean| mean.max(LEAST_THRESHOLD)).collect()
}

/// One score per sample, in order.
///
/// With `adjusted`, probabilities are first made comparable between classes: each class's threshold is
/// subtracted, the largest threshold added, and the row divided by its sum. Methods that cannot be adjusted are not.
pub fn scores<T: Real>(table: &Table<'_, T>, method: Method, adjusted: bool) -> Vec<f64> {
    let shifts = (adjusted && method.can_be_adjusted()).then(|| {
        let thresholds = thresholds(table);
        let most = thresholds.iter().copied().fold(0.0, f64::max);
        thresholds.into_iter().map(|threshold| (threshold, most)).collect::<Vec<_>>()
    });
    match (method, &shifts) {
        (Method::SelfConfidence, None) => return (0..table.len()).map(|sample| table.own(sample)).collect(),
        (Method::NormalizedMargin, None) => {
            let margin = |sample: usize| (table.own(sample) - table.best_other(sample) + 1.0) / 2.0;
            return (0..table.len()).map(margin).collect();
        }
        _ => {}
    }
    let mut row = Vec::with_capacity(table.classes());
    (0..table.len())
        .map(|sample| {
            row.clear();
            row.extend(table.row(sample).iter().map(|p| p.wide()));
            if let Some(shifts) = &shifts {
                row.iter_mut().zip(shifts).for_each(|(p, (threshold, most))| *p = *p - threshold + most);
                let sum: f64 = row.iter().sum();
                row.iter_mut().for_each(|p| *p /= sum);
            }
            let given = table.given(sample);
            match method {
                Method::SelfConfidence => row[given],
                Method::NormalizedMargin => (row[given] - best_other(&row, given) + 1.0) / 2.0,
                Method::ConfidenceWeightedEntropy => weighted_entropy(&row, given),
            }
        })
        .collect()
}

/// The largest probability except that of one class.
fn best_other(row: &[f64], class: usize) -> f64 {
    let others = row.iter().enumerate().filter(|(other, _)| *other != class);
    others.map(|(_, &p)| p).fold(f64::NEG_INFINITY, f64::max)
}

fn weighted_entropy(row: &[f64], given: usize) -> f64 {
    let entropy: f64 = row.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
    let x = (entropy / (row.len() as f64).ln()).max(0.0) / row[given].max(EPSILON);
    if x > 0.0 {
        // Exact also where `x` is tiny.
        x.ln_1p() / x
    } else if row[given] > best_other(row, given) {
        1.0
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_monotone_at_both_ends() {
        let score = |p: f64| weighted_entropy(&[p, 1.0 - p], 0);
        assert_eq!((score(1.0), score(0.0)), (1.0, 0.0));
        let sure = [1.0 - 1e-12, 1.0 - 1e-9, 1.0 - 1e-6, 0.999, 0.9, 0.6].map(score);
        assert!(sure.windows(2).all(|pair| pair[0] > pair[1]), "{sure:?}");
        assert!(sure[0] > 0.999_999);
    }

    #[test]
    fn a_class_without_samples_is_never_reached() {
        let table = Table::new(&[0.7, 0.3, 0.0, 0.4, 0.6, 0.0], 3, &[0, 1]).unwrap();
        assert_eq!(thresholds(&table), [0.7, 0.6, 2.0]);
    }
}
