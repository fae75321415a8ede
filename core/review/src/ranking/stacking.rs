//! A small logistic regression that learns from the reviewer's decisions how much to trust each detector.

use linfa::Dataset;
use linfa::traits::Fit;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};

/// Minimum number of decisions, in total and of each kind.
pub const LEAST_DECISIONS: usize = 20;
const LEAST_OF_A_KIND: usize = 5;
/// Strength of the penalty on the weights, which belong to standardised scores.
const PENALTY: f64 = 1.0;
const STEPS: u64 = 200;
/// Scores are clamped this far from 0 and 1 before taking log-odds: the resolution of 32-bit floats near 1.
const MARGIN: f64 = 1e-6;
/// The value for a missing score: undecided.
const UNKNOWN: f64 = 0.5;

/// A trained model.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stack {
    weights: Vec<f64>,
    intercept: f64,
    means: Vec<f64>,
    spreads: Vec<f64>,
}

impl Stack {
    /// Trains on decided samples: the calibrated scores of all detectors, and whether the sample was found bad. `Err`
    /// says why training failed.
    pub(super) fn learn(decided: &[(Vec<f32>, bool)]) -> Result<Stack, String> {
        let bad = decided.iter().filter(|(_, bad)| *bad).count();
        let good = decided.len() - bad;
        if decided.len() < LEAST_DECISIONS || bad.min(good) < LEAST_OF_A_KIND {
            return Err(format!(
                "stacking is trained on decisions and needs {LEAST_DECISIONS}, at least {LEAST_OF_A_KIND} to keep and \
                 {LEAST_OF_A_KIND} to remove or relabel; there are {good} to keep and {bad} others"
            ));
        }
        let rows: Vec<Vec<f64>> = decided.iter().map(|(scores, _)| features(scores)).collect();
        let width = rows.first().map_or(0, Vec::len);
        let count = rows.len() as f64;
        let column = |index: usize| rows.iter().map(move |row| row[index]);
        let means: Vec<f64> = (0..width).map(|index| column(index).sum::<f64>() / count).collect();
        let spread = |index: usize| {
            let square = |x: f64| (x - means[index]) * (x - means[index]);
            let spread = (column(index).map(square).sum::<f64>() / count).sqrt();
            // A constant column carries no information.
            if spread > 1e-9 { spread } else { f64::INFINITY }
        };
        let spreads: Vec<f64> = (0..width).map(spread).collect();
        let table = Array2::from_shape_fn((rows.len(), width), |(row, index)| {
            (rows[row][index] - means[index]) / spreads[index]
        });
        let targets: Array1<bool> = decided.iter().map(|(_, bad)| *bad).collect();
        let model = LogisticRegression::default()
            .alpha(PENALTY)
            .max_iterations(STEPS)
            .gradient_tolerance(1e-6)
            .fit(&Dataset::new(table, targets))
            .map_err(|error| format!("stacking could not be trained: {error}"))?;
        // The library reports the class its weights favor.
        let sign = if model.labels().pos.class { 1.0 } else { -1.0 };
        let weights: Vec<f64> = model.params().iter().map(|w| sign * w).collect();
        let intercept = sign * model.intercept();
        if weights.iter().chain([&intercept]).all(|w| w.is_finite()) {
            Ok(Stack { weights, intercept, means, spreads })
        } else {
            Err("stacking could not be trained: the weights diverged".into())
        }
    }

    /// The probability that a sample is fine.
    pub(super) fn score(&self, scores: &[f32]) -> f32 {
        let terms = features(scores).into_iter().zip(&self.means).zip(&self.spreads).zip(&self.weights);
        let sum: f64 = terms.map(|(((x, mean), spread), weight)| weight * (x - mean) / spread).sum();
        (1.0 / (1.0 + (sum + self.intercept).exp())) as f32
    }
}

/// The log-odds of each score. Adding the score itself was tried: it needs more decisions and gains nothing.
fn features(scores: &[f32]) -> Vec<f64> {
    let odds = |&score: &f32| {
        let p = if score.is_nan() { UNKNOWN } else { f64::from(score).clamp(MARGIN, 1.0 - MARGIN) };
        (p / (1.0 - p)).ln()
    };
    scores.iter().map(odds).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first detector is right, the second is uninformative, the third is inverted.
    fn decided(count: usize) -> Vec<(Vec<f32>, bool)> {
        (0..count)
            .map(|n| {
                let bad = n % 3 == 0;
                let shade = (n * 37 % 100) as f32 / 500.0;
                let scores = vec![
                    if bad { 0.2 + shade } else { 0.8 - shade },
                    0.3 + shade,
                    if bad { 0.7 } else { 0.4 },
                ];
                (scores, bad)
            })
            .collect()
    }

    #[test]
    fn decisions_teach_what_a_detector_is_worth() {
        let stack = Stack::learn(&decided(60)).unwrap();
        assert!(stack.score(&[0.2, 0.4, 0.7]) < 0.2 && stack.score(&[0.8, 0.4, 0.4]) > 0.8);
        assert!(
            stack.score(&[0.5, 0.4, 0.7]) < stack.score(&[0.5, 0.4, 0.4]),
            "the contrary one was turned round"
        );
        let unknown = stack.score(&[f32::NAN; 3]);
        assert!((0.0..=1.0).contains(&unknown));
        assert_eq!(Stack::learn(&decided(60)).unwrap(), stack);
    }

    #[test]
    fn too_few_decisions_are_said() {
        let error = Stack::learn(&decided(19)).unwrap_err();
        assert!(error.contains("needs 20") && error.contains("there are 12 to keep and 7 others"), "{error}");
        let alike: Vec<_> = decided(90).into_iter().filter(|(_, bad)| *bad).collect();
        assert!(Stack::learn(&alike).unwrap_err().contains("there are 0 to keep and 30 others"));
        // Constant detectors add nothing and break nothing.
        let flat: Vec<_> = (0..30).map(|n| (vec![0.5, f32::NAN], n % 2 == 0)).collect();
        let stack = Stack::learn(&flat).unwrap();
        assert!((stack.score(&[0.1, 0.9]) - 0.5).abs() < 1e-3);
    }
}
