//! One classifier of an ensemble.

use crate::classes::{Class, dot};
use crate::texts::Texts;
use chaffinch_plugin::{Error, Result};
use linfa::traits::Fit;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};

/// Weight of the penalty on the coefficients, for each example.
const ALPHA: f64 = 1e-4;
/// Steps of L-BFGS at most.
const MAX_STEPS: u64 = 200;

/// What a classifier looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Features {
    /// The embedding itself.
    Embedding,
    /// Average similarity to the class, and the probabilities of six prompts.
    Engineered,
}

/// Turns unit vectors into features of one class.
#[derive(Clone, Copy)]
pub(crate) struct Space<'a> {
    pub(crate) features: Features,
    pub(crate) class: &'a Class,
    pub(crate) label: usize,
    pub(crate) texts: Option<&'a Texts>,
}

impl Space<'_> {
    /// The features of a unit vector; `member` where it is one of the class's own samples.
    pub(crate) fn of(&self, vector: &[f32], member: bool) -> Vec<f64> {
        if self.features == Features::Embedding {
            return vector.iter().map(|&x| f64::from(x)).collect();
        }
        let mut features = vec![f64::from(self.class.average(vector, member))];
        if let Some(texts) = self.texts {
            let prompts = &texts.features[self.label];
            let logits: Vec<f32> =
                (0..prompts.rows()).map(|row| texts.scale * dot(vector, prompts.row(row))).collect();
            let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let powers: Vec<f64> = logits.iter().map(|&logit| f64::from(logit - highest).exp()).collect();
            let total: f64 = powers.iter().sum();
            features.extend(powers.iter().map(|power| power / total));
        }
        features
    }
}

/// Examples of one classifier.
#[derive(Default)]
pub(crate) struct Examples {
    rows: Vec<f64>,
    clean: Vec<bool>,
}

impl Examples {
    /// Adds one example.
    pub(crate) fn push(&mut self, features: &[f64], clean: bool) {
        self.rows.extend(features);
        self.clean.push(clean);
    }

    fn count(&self, clean: bool) -> usize {
        self.clean.iter().filter(|&&c| c == clean).count()
    }
}

/// A trained classifier: `bias + weights · features` is the logit of being clean among as many polluted.
pub(crate) struct Member {
    pub(crate) features: Features,
    weights: Vec<f32>,
    bias: f32,
    /// The samples it was trained on, sorted.
    pub(crate) seen: Vec<u32>,
}

impl Member {
    /// Trains a classifier.
    ///
    /// # Errors
    /// When there are no examples of one kind, or the numbers are not finite.
    pub(crate) fn train(features: Features, examples: Examples, mut seen: Vec<u32>) -> Result<Member> {
        seen.sort_unstable();
        let (clean, polluted) = (examples.count(true), examples.count(false));
        let rows = examples.clean.len();
        let cols = examples.rows.len().checked_div(rows).unwrap_or(0);
        let mut records = Array2::from_shape_vec((rows, cols), examples.rows).map_err(failed)?;
        // Engineered features differ in scale by orders of magnitude; embeddings do not.
        let (means, spreads) = if features == Features::Engineered {
            standardise(&mut records)
        } else {
            (vec![0.0; cols], vec![1.0; cols])
        };
        let dataset = linfa::Dataset::new(records, Array1::from(examples.clean));
        let alpha = ALPHA * rows as f64;
        let model = LogisticRegression::default()
            .alpha(alpha)
            .max_iterations(MAX_STEPS)
            .fit(&dataset)
            .map_err(failed)?;
        // linfa calls the more frequent of the two positive.
        let sign = if model.labels().pos.class { 1.0 } else { -1.0 };
        let weights: Vec<f64> =
            model.params().iter().zip(&spreads).map(|(w, spread)| sign * w / spread).collect();
        let shift: f64 = weights.iter().zip(&means).map(|(w, mean)| w * mean).sum();
        let prior = (clean as f64 / polluted as f64).ln();
        let bias = sign * model.intercept() - shift - prior;
        if !bias.is_finite() || weights.iter().any(|w| !w.is_finite()) {
            return Err(Error::new("a classifier did not converge to finite numbers"));
        }
        Ok(Member { features, weights: weights.iter().map(|&w| w as f32).collect(), bias: bias as f32, seen })
    }

    /// The classifier whose logit is the mean of theirs, where all look at embeddings.
    pub(crate) fn mean(members: &[Member]) -> Option<Member> {
        let first = members.first()?;
        if members.iter().any(|member| member.features != Features::Embedding) {
            return None;
        }
        let share = 1.0 / members.len() as f32;
        let mut weights = vec![0.0; first.weights.len()];
        for member in members {
            weights.iter_mut().zip(&member.weights).for_each(|(sum, weight)| *sum += share * weight);
        }
        let bias = members.iter().map(|member| share * member.bias).sum();
        Some(Member { features: Features::Embedding, weights, bias, seen: Vec::new() })
    }

    /// Logit of being clean, had there been as many polluted as clean examples.
    pub(crate) fn logit(&self, space: Space<'_>, vector: &[f32], member: bool) -> f32 {
        if self.features == Features::Embedding {
            return self.bias + dot(&self.weights, vector);
        }
        let features: Vec<f32> = space.of(vector, member).iter().map(|&x| x as f32).collect();
        self.bias + dot(&self.weights, &features)
    }

    /// Whether it was trained on a sample.
    pub(crate) fn has_seen(&self, sample: u32) -> bool {
        self.seen.binary_search(&sample).is_ok()
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(format!("training a classifier failed: {error}"))
}

/// Gives each column mean 0 and spread 1; returns what they were.
fn standardise(records: &mut Array2<f64>) -> (Vec<f64>, Vec<f64>) {
    let rows = records.nrows().max(1) as f64;
    let mut means = Vec::new();
    let mut spreads = Vec::new();
    for mut column in records.columns_mut() {
        let mean = column.sum() / rows;
        let spread = (column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / rows).sqrt().max(1e-9);
        column.mapv_inplace(|x| (x - mean) / spread);
        means.push(mean);
        spreads.push(spread);
    }
    (means, spreads)
}

pub(crate) fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}
