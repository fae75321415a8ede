//! One score of a sample from those of its classes.

/// The least temperature: colder, and the weights are not numbers.
const COLDEST: f64 = 1e-6;

/// How the scores of a sample's classes become one. Both are near to the lowest: one wrong label is enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aggregation {
    /// From the highest score to the lowest, each one counts `alpha` and the average of those before it the rest.
    MovingAverage {
        /// The weight of each next score, 0..=1: with 1 the lowest counts alone, with 0 the highest.
        alpha: f64,
    },
    /// The mean, weighted by `exp((1 - score) / temperature)`.
    SoftMin {
        /// Above 0: the less, the more the lowest counts.
        temperature: f64,
    },
}

impl Default for Aggregation {
    fn default() -> Aggregation {
        Aggregation::MovingAverage { alpha: 0.8 }
    }
}

impl Aggregation {
    /// Its name, as in cleanlab.
    pub fn name(self) -> &'static str {
        match self {
            Aggregation::MovingAverage { .. } => "exponential_moving_average",
            Aggregation::SoftMin { .. } => "softmin",
        }
    }

    /// One score from several, which are put into descending order.
    fn of(self, scores: &mut [f64]) -> f64 {
        scores.sort_unstable_by(|a, b| b.total_cmp(a));
        let Some((&first, rest)) = scores.split_first() else { return 1.0 };
        match self {
            Aggregation::MovingAverage { alpha } => {
                rest.iter().fold(first, |before, score| alpha * score + (1.0 - alpha) * before)
            }
            Aggregation::SoftMin { temperature } => {
                let lowest = rest.last().copied().unwrap_or(first);
                let weight = |score: f64| ((lowest - score) / temperature.max(COLDEST)).exp();
                let weights: f64 = scores.iter().map(|score| weight(*score)).sum();
                scores.iter().map(|score| score * weight(*score)).sum::<f64>() / weights
            }
        }
    }
}

/// One score per sample from those of its `classes`, which lie row by row.
pub fn aggregate(scores: &[f64], classes: usize, by: Aggregation) -> Vec<f64> {
    let mut row = Vec::with_capacity(classes);
    let one = |scores: &[f64]| {
        row.clear();
        row.extend_from_slice(scores);
        by.of(&mut row)
    };
    scores.chunks_exact(classes.max(1)).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_score_counts_most() {
        let scores = [0.9, 0.3, 0.9, 0.5, 0.5, 0.5];
        let of = |by| aggregate(&scores, 3, by);
        let close = |ours: Vec<f64>, by_hand: [f64; 2]| {
            assert!(
                ours.iter().zip(by_hand).all(|(ours, by_hand)| (ours - by_hand).abs() < 1e-12),
                "{ours:?}"
            );
        };
        close(of(Aggregation::default()), [0.42, 0.5]);
        close(of(Aggregation::MovingAverage { alpha: 1.0 }), [0.3, 0.5]);
        close(of(Aggregation::MovingAverage { alpha: 0.0 }), [0.9, 0.5]);
        let far = (-6.0_f64).exp();
        close(of(Aggregation::SoftMin { temperature: 0.1 }), [(0.3 + 1.8 * far) / (1.0 + 2.0 * far), 0.5]);
        // However cold, it is a number.
        close(of(Aggregation::SoftMin { temperature: 0.0 }), [0.3, 0.5]);
        assert_eq!(aggregate(&[0.25, 0.75], 1, Aggregation::default()), [0.25, 0.75]);
    }
}
