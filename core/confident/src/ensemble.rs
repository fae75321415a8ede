//! Several models' probabilities of the same samples joined into one judgment of each label.

use crate::score::{Method, scores};
use crate::table::{InputError, Real, Table};

/// The exponents that weights by log-loss are tried with; the best for the joined probabilities is taken.
const EXPONENTS: [f64; 8] = [1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 200.0];

/// How several models are joined: what is averaged, and what a model's weight is. The six of J. Kuan and J. Mueller,
/// *Model-agnostic label quality scoring to detect real-world label errors* (2022), under their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ensemble {
    /// Probabilities, all models alike.
    Probabilities,
    /// Probabilities, models by the share of given labels that they predict.
    ProbabilitiesByAccuracy,
    /// Probabilities, models by `exp(-t * log-loss)` on the given labels, with the exponent `t` of
    /// [`Weights::exponent`].
    ProbabilitiesByLogLoss,
    /// Label quality scores, all models alike.
    Scores,
    /// Label quality scores, models by accuracy.
    ScoresByAccuracy,
    /// Label quality scores, models by log-loss.
    ScoresByLogLoss,
}

impl Ensemble {
    /// All ensembles.
    pub const ALL: [Ensemble; 6] = [
        Ensemble::Probabilities,
        Ensemble::ProbabilitiesByAccuracy,
        Ensemble::ProbabilitiesByLogLoss,
        Ensemble::Scores,
        Ensemble::ScoresByAccuracy,
        Ensemble::ScoresByLogLoss,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Ensemble::Probabilities => "avg_pred_probs",
            Ensemble::ProbabilitiesByAccuracy => "avg_pred_probs_acc",
            Ensemble::ProbabilitiesByLogLoss => "avg_pred_probs_ll",
            Ensemble::Scores => "avg_scores",
            Ensemble::ScoresByAccuracy => "avg_scores_acc",
            Ensemble::ScoresByLogLoss => "avg_scores_ll",
        }
    }

    /// Whether scores are averaged, and not probabilities.
    fn of_scores(self) -> bool {
        matches!(self, Ensemble::Scores | Ensemble::ScoresByAccuracy | Ensemble::ScoresByLogLoss)
    }
}

/// The models' weights, and what they came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// One a model, in order; they sum to one.
    pub weights: Vec<f64>,
    /// Share of given labels that each model predicts.
    pub accuracies: Vec<f64>,
    /// Mean negative logarithm of the given label's probability of each model.
    pub log_losses: Vec<f64>,
    /// The exponent of weights by log-loss: the one of 1e-4, 1e-3, 0.01, 0.1, 1, 10, 100 and 200 with the least
    /// log-loss of the weighted mean; `None` for other weights.
    pub exponent: Option<f64>,
}

impl Weights {
    /// Weighs models. Where all models are equally useless (none predicts any label) they weigh alike.
    ///
    /// # Errors
    /// [`InputError::NoModels`] without any, [`InputError::OtherSamples`] when two are not about the same labels.
    pub fn of<T: Real>(tables: &[Table<'_, T>], ensemble: Ensemble) -> Result<Weights, InputError> {
        let first = tables.first().ok_or(InputError::NoModels)?;
        let other =
            |table: &Table<'_, T>| table.classes() != first.classes() || table.labels() != first.labels();
        if let Some(model) = tables.iter().position(other) {
            return Err(InputError::OtherSamples { model });
        }
        let accuracies: Vec<f64> = tables.iter().map(accuracy).collect();
        let log_losses: Vec<f64> = tables.iter().map(|table| log_loss(own(table), table.len())).collect();
        let (weights, exponent) = match ensemble {
            Ensemble::Probabilities | Ensemble::Scores => (vec![1.0; tables.len()], None),
            Ensemble::ProbabilitiesByAccuracy | Ensemble::ScoresByAccuracy => (accuracies.clone(), None),
            Ensemble::ProbabilitiesByLogLoss | Ensemble::ScoresByLogLoss => {
                let (weights, exponent) = by_log_loss(tables, &log_losses);
                (weights, Some(exponent))
            }
        };
        Ok(Weights { weights: shares(weights), accuracies, log_losses, exponent })
    }
}

/// The weighted mean of several models' probabilities, row by row.
///
/// # Panics
/// When there is not one weight a table, or tables differ in size.
pub fn mean_probabilities<T: Real>(tables: &[Table<'_, T>], weights: &[f64]) -> Vec<f64> {
    assert_eq!(tables.len(), weights.len(), "there must be one weight a model");
    let Some(first) = tables.first() else { return Vec::new() };
    let mut mean = vec![0.0; first.len() * first.classes()];
    for (table, weight) in tables.iter().zip(weights) {
        assert_eq!((table.len(), table.classes()), (first.len(), first.classes()), "models differ in size");
        let numbers = (0..table.len()).flat_map(|sample| table.row(sample));
        mean.iter_mut().zip(numbers).for_each(|(sum, p)| *sum += weight * p.wide());
    }
    mean
}

/// One label quality score a sample: the score of the joined probabilities, or the joined scores, as the ensemble
/// says.
///
/// # Errors
/// As [`Weights::of`].
pub fn ensemble_scores<T: Real>(
    tables: &[Table<'_, T>],
    ensemble: Ensemble,
    method: Method,
    adjusted: bool,
) -> Result<Vec<f64>, InputError> {
    let weights = Weights::of(tables, ensemble)?.weights;
    if !ensemble.of_scores() {
        let first = tables.first().ok_or(InputError::NoModels)?;
        let mean = mean_probabilities(tables, &weights);
        return Ok(scores(&Table::new(&mean, first.classes(), first.labels())?, method, adjusted));
    }
    let mut mean: Vec<f64> = Vec::new();
    for (table, weight) in tables.iter().zip(weights) {
        let scores = scores(table, method, adjusted);
        mean.resize(scores.len(), 0.0);
        mean.iter_mut().zip(scores).for_each(|(sum, score)| *sum += weight * score);
    }
    Ok(mean)
}

fn own<'a, T: Real>(table: &'a Table<'_, T>) -> impl Iterator<Item = f64> + 'a {
    (0..table.len()).map(|sample| table.own(sample))
}

fn accuracy<T: Real>(table: &Table<'_, T>) -> f64 {
    let right = (0..table.len()).filter(|&sample| table.argmax(sample) == table.given(sample)).count();
    right as f64 / table.len() as f64
}

fn log_loss(own: impl Iterator<Item = f64>, count: usize) -> f64 {
    own.map(|p| -p.max(f64::EPSILON).ln()).sum::<f64>() / count as f64
}

/// Tries all exponents and keeps the first of the best.
fn by_log_loss<T: Real>(tables: &[Table<'_, T>], losses: &[f64]) -> (Vec<f64>, f64) {
    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let mut best = (f64::INFINITY, Vec::new(), 0.0);
    for exponent in EXPONENTS {
        // Against the least, so that not all of them vanish; shares are the same.
        let weights = shares(losses.iter().map(|loss| (-exponent * (loss - least)).exp()).collect());
        let count = tables.first().map_or(1, Table::len);
        let joined = (0..count)
            .map(|sample| tables.iter().zip(&weights).map(|(table, w)| w * table.own(sample)).sum::<f64>());
        let loss = log_loss(joined, count);
        if loss < best.0 {
            best = (loss, weights, exponent);
        }
    }
    (best.1, best.2)
}

/// Weights that sum to one; all alike where they sum to nothing.
fn shares(weights: Vec<f64>) -> Vec<f64> {
    let sum: f64 = weights.iter().sum();
    let alike = 1.0 / weights.len() as f64;
    weights.into_iter().map(|weight| if sum > 0.0 { weight / sum } else { alike }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: [u32; 3] = [0, 1, 0];
    const GOOD: [f64; 6] = [0.9, 0.1, 0.2, 0.8, 0.7, 0.3];
    const BAD: [f64; 6] = [0.4, 0.6, 0.5, 0.5, 0.3, 0.7];

    fn tables() -> [Table<'static, f64>; 2] {
        [&GOOD, &BAD].map(|numbers| Table::new(numbers, 2, &LABELS).unwrap())
    }

    #[test]
    fn weights_follow_accuracy_and_log_loss() {
        let alike = Weights::of(&tables(), Ensemble::Scores).unwrap();
        assert_eq!((alike.weights, alike.exponent), (vec![0.5, 0.5], None));
        let by_accuracy = Weights::of(&tables(), Ensemble::ProbabilitiesByAccuracy).unwrap();
        // The second model predicts none of the labels: its tie goes to the first class.
        assert_eq!((by_accuracy.accuracies, by_accuracy.weights), (vec![1.0, 0.0], vec![1.0, 0.0]));
        let by_loss = Weights::of(&tables(), Ensemble::ProbabilitiesByLogLoss).unwrap();
        // The good one alone is best, so a large exponent is, the first that leaves nothing of the other.
        assert_eq!(by_loss.exponent, Some(100.0));
        assert!(by_loss.weights[0] > 0.999_999);
        let useless = [tables()[1].clone(), tables()[1].clone()];
        assert_eq!(Weights::of(&useless, Ensemble::ScoresByAccuracy).unwrap().weights, [0.5, 0.5]);
    }

    #[test]
    fn probabilities_or_scores_are_averaged() {
        let mean = mean_probabilities(&tables(), &[0.5, 0.5]);
        assert!((mean[0] - 0.65).abs() < 1e-12 && (mean[3] - 0.65).abs() < 1e-12);
        let by = |ensemble, method| ensemble_scores(&tables(), ensemble, method, false).unwrap();
        // The probability of the label is linear, the entropy is not.
        assert_eq!(
            by(Ensemble::Scores, Method::SelfConfidence),
            by(Ensemble::Probabilities, Method::SelfConfidence)
        );
        let entropy = Method::ConfidenceWeightedEntropy;
        assert_ne!(by(Ensemble::Scores, entropy), by(Ensemble::Probabilities, entropy));
        // One model alone is itself.
        for ensemble in Ensemble::ALL {
            let alone = ensemble_scores(&tables()[..1], ensemble, entropy, false).unwrap();
            assert_eq!(alone, scores(&tables()[0], entropy, false), "{}", ensemble.name());
        }
    }

    #[test]
    fn models_of_other_samples_are_refused() {
        let other = [1, 1, 0];
        let tables = [tables()[0].clone(), Table::new(&BAD, 2, &other).unwrap()];
        assert_eq!(Weights::of(&tables, Ensemble::Scores), Err(InputError::OtherSamples { model: 1 }));
        assert_eq!(Weights::of::<f64>(&[], Ensemble::Scores), Err(InputError::NoModels));
    }
}
