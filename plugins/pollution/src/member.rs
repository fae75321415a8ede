//! One classifier of an ensemble.

use crate::classes::{Class, dot};
use crate::rng::Rng;
use crate::stablelabel::{Mlp, Svc};
use crate::texts::Texts;
use chaffinch_plugin::{Error, Result};
use linfa::traits::Fit;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};

/// Weight of the penalty on the coefficients, for each example.
const ALPHA: f64 = 1e-4;
/// Steps of L-BFGS at most.
const MAX_STEPS: u64 = 200;
/// The weight of an example that the reviewer decided.
const DECIDED: usize = 5;
/// The length that networks and support vectors see vectors at: that of CLIP ViT-B/32's image vectors, for which
/// their rates and scales were chosen.
pub(crate) const LENGTH: f32 = 11.0;

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

/// One example.
pub(crate) struct Example {
    pub(crate) row: Vec<f64>,
    pub(crate) clean: bool,
    /// The sample it is; `None` of a text or a random vector.
    pub(crate) id: Option<u32>,
    /// Whether the reviewer decided it.
    pub(crate) decided: bool,
}

/// How a classifier is trained.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Logistic regression.
    Logistic,
    /// A small neural network.
    Network,
    /// A support vector classifier with a sigmoid kernel.
    Sigmoid,
}

/// The learned parameters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Model {
    /// `bias + weights · features`.
    Linear {
        weights: Vec<f32>,
        bias: f32,
    },
    Network(Mlp),
    Sigmoid(Svc),
}

/// A trained classifier, which gives the logit of being clean.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) features: Features,
    pub(crate) model: Model,
    /// The samples it was trained on, sorted.
    pub(crate) seen: Vec<u32>,
}

impl Member {
    /// Trains a classifier. A logistic regression's logit is for equal priors.
    ///
    /// # Errors
    /// When there are no examples of one kind, or the numbers are not finite.
    pub(crate) fn train<'e>(
        kind: Kind,
        features: Features,
        examples: impl Iterator<Item = &'e Example>,
        rng: &mut Rng,
    ) -> Result<Member> {
        let (mut rows, mut clean, mut seen) = (Vec::new(), Vec::new(), Vec::new());
        for example in examples {
            for _ in 0..if example.decided { DECIDED } else { 1 } {
                rows.extend(&example.row);
                clean.push(example.clean);
            }
            seen.extend(example.id);
        }
        seen.sort_unstable();
        seen.dedup();
        if clean.iter().all(|&clean| clean) || !clean.contains(&true) {
            return Err(Error::new("cannot train a classifier: all examples are of one kind"));
        }
        let cols = rows.len() / clean.len();
        let scaled = || rows.iter().map(|&x| LENGTH * x as f32).collect::<Vec<f32>>();
        let model = match kind {
            Kind::Logistic => logistic(features, rows, cols, clean)?,
            Kind::Network => Model::Network(Mlp::train(&scaled(), cols, &clean, rng)),
            Kind::Sigmoid => Model::Sigmoid(Svc::train(&scaled(), cols, &clean)),
        };
        Ok(Member { features, model, seen })
    }

    /// The classifier whose logit is the mean of theirs, if all are linear in the embedding.
    pub(crate) fn mean(members: &[Member]) -> Option<Member> {
        let share = 1.0 / members.len() as f32;
        let mut mean: Option<(Vec<f32>, f32)> = None;
        for member in members {
            let Model::Linear { weights, bias } = &member.model else { return None };
            if member.features != Features::Embedding {
                return None;
            }
            let (sum, biases) = mean.get_or_insert_with(|| (vec![0.0; weights.len()], 0.0));
            sum.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += share * weight);
            *biases += share * bias;
        }
        let (weights, bias) = mean?;
        Some(Member {
            features: Features::Embedding,
            model: Model::Linear { weights, bias },
            seen: Vec::new(),
        })
    }

    /// Logit of being clean.
    pub(crate) fn logit(&self, space: Space<'_>, vector: &[f32], member: bool) -> f32 {
        if let (Features::Embedding, Model::Linear { weights, bias }) = (self.features, &self.model) {
            return bias + dot(weights, vector);
        }
        let features: Vec<f32> = space.of(vector, member).iter().map(|&x| x as f32).collect();
        self.logit_of(&features)
    }

    /// Logit of being clean of features.
    pub(crate) fn logit_of(&self, features: &[f32]) -> f32 {
        let scaled = || features.iter().map(|x| LENGTH * x).collect::<Vec<f32>>();
        match &self.model {
            Model::Linear { weights, bias } => bias + dot(weights, features),
            Model::Network(net) => net.logit(&scaled()),
            Model::Sigmoid(svc) => svc.decide(&scaled()),
        }
    }

    /// Whether it was trained on a sample.
    pub(crate) fn has_seen(&self, sample: u32) -> bool {
        self.seen.binary_search(&sample).is_ok()
    }
}

fn logistic(features: Features, rows: Vec<f64>, cols: usize, clean: Vec<bool>) -> Result<Model> {
    let count = clean.len();
    let right = clean.iter().filter(|&&clean| clean).count();
    let mut records = Array2::from_shape_vec((count, cols), rows).map_err(failed)?;
    // Engineered features differ in scale by orders of magnitude; embeddings do not.
    let (means, spreads) = if features == Features::Engineered {
        standardise(&mut records)
    } else {
        (vec![0.0; cols], vec![1.0; cols])
    };
    let dataset = linfa::Dataset::new(records, Array1::from(clean));
    let alpha = ALPHA * count as f64;
    let model =
        LogisticRegression::default().alpha(alpha).max_iterations(MAX_STEPS).fit(&dataset).map_err(failed)?;
    // linfa calls the more frequent of the two positive.
    let sign = if model.labels().pos.class { 1.0 } else { -1.0 };
    let weights: Vec<f64> =
        model.params().iter().zip(&spreads).map(|(w, spread)| sign * w / spread).collect();
    let shift: f64 = weights.iter().zip(&means).map(|(w, mean)| w * mean).sum();
    let prior = (right as f64 / (count - right) as f64).ln();
    let bias = sign * model.intercept() - shift - prior;
    if !bias.is_finite() || weights.iter().any(|w| !w.is_finite()) {
        return Err(Error::new("a classifier did not converge to finite numbers"));
    }
    Ok(Model::Linear { weights: weights.iter().map(|&w| w as f32).collect(), bias: bias as f32 })
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(format!("cannot train a classifier: {error}"))
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
