//! Logistic regression with an L2 penalty on the weights, as scikit-learn's with C = 1: multinomial, or one for each class against
//! the rest.

use crate::Result;
use crate::lbfgs::{Limits, minimize};
use crate::linear::{matmul_transposed, softmax, transposed_matmul};
use crate::matrix::EmbeddingMatrix;
use rayon::prelude::*;

/// Inverse strength of the penalty: the sum of all losses is minimized together with half the squared weights over C.
const C: f64 = 1.0;
/// When training ends. Probabilities change by less than 1e-3 after this.
const LIMITS: Limits = Limits { steps: 150, gradient: 2e-6, decrease: 2e-8 };
/// Rows of one matrix product.
const BLOCK: usize = 256;
/// Number of parts summed in parallel. Fixed, so that results do not depend on the number of threads.
const SHARDS: usize = 16;

/// Sample weights in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Balance {
    /// All alike.
    Samples,
    /// Each class has the same total weight; the mean weight is one.
    Classes,
}

/// What turns sums into probabilities.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Link {
    /// Of all classes together, which sum to one: multinomial regression.
    #[default]
    Softmax,
    /// Of each class by itself: a regression of each class against the rest.
    Sigmoid,
}

impl Link {
    /// Its name in files and reports.
    pub fn name(self) -> &'static str {
        match self {
            Link::Softmax => "softmax",
            Link::Sigmoid => "sigmoid",
        }
    }

    /// Turns logits into probabilities and returns the loss of the target.
    fn loss(self, row: &mut [f32], target: usize) -> f64 {
        match self {
            Link::Softmax => {
                let own = f64::from(row[target]);
                softmax(row) - own
            }
            Link::Sigmoid => {
                let own = f64::from(row[target]);
                sigmoid(row) - own
            }
        }
    }

    fn probabilities(self, row: &mut [f32]) {
        match self {
            Link::Softmax => softmax(row),
            Link::Sigmoid => sigmoid(row),
        };
    }
}

/// A trained model.
#[derive(Debug, Clone)]
pub(crate) struct Logistic {
    classes: usize,
    dim: usize,
    link: Link,
    /// The classes that were trained on; only they get probability.
    pub(crate) present: Vec<u32>,
    /// One row of `dim` numbers for each of them.
    pub(crate) weights: Vec<f32>,
    pub(crate) bias: Vec<f64>,
}

/// How to train.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner<'a> {
    pub(crate) balance: Balance,
    pub(crate) link: Link,
    /// A model of the same classes to start from.
    pub(crate) start: Option<&'a Logistic>,
}

impl Logistic {
    /// Trains on some samples; `None` if they have fewer than two classes. `step` is called at each look at the data with the steps
    /// done and the most there can be.
    pub(crate) fn train(
        matrix: &EmbeddingMatrix,
        samples: &[u32],
        labels: &[u32],
        classes: usize,
        manner: Manner<'_>,
        step: &dyn Fn(u64, u64) -> Result<()>,
    ) -> Result<Option<Logistic>> {
        let Manner { balance, link, start } = manner;
        let (dim, data) = (matrix.cols(), gather(matrix, samples));
        let mut present: Vec<u32> = samples.iter().map(|&sample| labels[sample as usize]).collect();
        present.sort_unstable();
        present.dedup();
        if present.len() < 2 {
            return Ok(None);
        }
        let mut places = vec![0; classes];
        (0_u32..).zip(&present).for_each(|(index, &class)| places[class as usize] = index);
        let targets: Vec<u32> =
            samples.iter().map(|&sample| places[labels[sample as usize] as usize]).collect();
        let shares = shares(&targets, present.len(), balance);
        let training =
            Training { mean: mean(&data, dim), data, targets, shares, dim, classes: present.len(), link };
        let mut x = match start.filter(|start| start.present == present) {
            Some(start) => training.pack(start),
            None => vec![0.0; present.len() * (dim + 1)],
        };
        minimize(&mut x, LIMITS, |done, x, gradient| {
            step(done as u64, LIMITS.steps as u64)?;
            Ok(training.loss(x, gradient))
        })?;
        let (weights, bias) = training.unpack(&x);
        Ok(Some(Logistic { classes, dim, link, present, weights, bias }))
    }

    /// Passes each sample's probabilities of all classes to `take`, in order.
    pub(crate) fn predict(
        &self,
        matrix: &EmbeddingMatrix,
        samples: &[u32],
        mut take: impl FnMut(u32, &[f32]),
    ) {
        let mut row = vec![0.0; self.classes];
        // Not all at once: with a thousand classes a fold is large.
        for part in samples.chunks(BLOCK * 64) {
            let blocks: Vec<Vec<f32>> = part
                .par_chunks(BLOCK)
                .map(|rows| {
                    let mut block = vec![0.0; rows.len() * self.present.len()];
                    let data = gather(matrix, rows);
                    logits(&data, self.dim, &self.weights, &self.bias, &mut block);
                    block.chunks_exact_mut(self.present.len()).for_each(|row| self.link.probabilities(row));
                    block
                })
                .collect();
            let found = blocks.iter().flat_map(|block| block.chunks_exact(self.present.len()));
            for (&sample, probabilities) in part.iter().zip(found) {
                self.present.iter().zip(probabilities).for_each(|(&class, &p)| row[class as usize] = p);
                take(sample, &row);
            }
        }
    }
}

/// The training problem. The parameters are the weights of each class followed by its bias, for mean-centered
/// embeddings: the same model, reached in fewer steps.
struct Training {
    data: Vec<f32>,
    targets: Vec<u32>,
    /// The weight of a sample of each class.
    shares: Vec<f64>,
    mean: Vec<f64>,
    dim: usize,
    classes: usize,
    link: Link,
}

/// Sums over a part of the samples.
struct Sums {
    loss: f64,
    weights: Vec<f64>,
    bias: Vec<f64>,
}

impl Training {
    /// Weights ready for multiplication, and the bias for embeddings that are not centered.
    fn unpack(&self, x: &[f64]) -> (Vec<f32>, Vec<f64>) {
        let (weights, bias) = x.split_at(self.classes * self.dim);
        let shift = |row: &[f64]| row.iter().zip(&self.mean).map(|(w, m)| w * m).sum::<f64>();
        let bias = weights.chunks_exact(self.dim).zip(bias).map(|(row, b)| b - shift(row)).collect();
        (weights.iter().map(|&w| w as f32).collect(), bias)
    }

    /// The parameters of a model of the same classes.
    fn pack(&self, model: &Logistic) -> Vec<f64> {
        let shift = |row: &[f32]| row.iter().zip(&self.mean).map(|(&w, m)| f64::from(w) * m).sum::<f64>();
        let bias = model.weights.chunks_exact(self.dim).zip(&model.bias).map(|(row, b)| b + shift(row));
        model.weights.iter().map(|&w| f64::from(w)).chain(bias).collect()
    }

    /// Mean loss with the penalty, and its gradient.
    fn loss(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let (weights, bias) = self.unpack(x);
        let count = self.targets.len();
        let length = count.div_ceil(SHARDS).max(1);
        let shards: Vec<Sums> = self
            .targets
            .par_chunks(length)
            .zip(self.data.par_chunks(length * self.dim))
            .map(|(targets, data)| self.part(targets, data, &weights, &bias))
            .collect();
        gradient.fill(0.0);
        let (by_weight, by_bias) = gradient.split_at_mut(self.classes * self.dim);
        let mut loss = 0.0;
        for sums in &shards {
            loss += sums.loss;
            by_weight.iter_mut().zip(&sums.weights).for_each(|(to, from)| *to += from);
            by_bias.iter_mut().zip(&sums.bias).for_each(|(to, from)| *to += from);
        }
        let (scale, penalty) = (1.0 / count as f64, 1.0 / (C * count as f64));
        let mut squares = 0.0;
        for (class, row) in by_weight.chunks_exact_mut(self.dim).enumerate() {
            for (index, to) in row.iter_mut().enumerate() {
                let weight = x[class * self.dim + index];
                *to = (*to - by_bias[class] * self.mean[index]) * scale + penalty * weight;
                squares += weight * weight;
            }
        }
        by_bias.iter_mut().for_each(|to| *to *= scale);
        loss * scale + 0.5 * penalty * squares
    }

    fn part(&self, targets: &[u32], data: &[f32], weights: &[f32], bias: &[f64]) -> Sums {
        let mut sums = Sums { loss: 0.0, weights: vec![0.0; weights.len()], bias: vec![0.0; self.classes] };
        let (mut block, mut product) = (vec![0.0; BLOCK * self.classes], vec![0.0; weights.len()]);
        for (targets, data) in targets.chunks(BLOCK).zip(data.chunks(BLOCK * self.dim)) {
            let block = &mut block[..targets.len() * self.classes];
            logits(data, self.dim, weights, bias, block);
            for (row, &target) in block.chunks_exact_mut(self.classes).zip(targets) {
                let share = self.shares[target as usize];
                sums.loss += share * self.link.loss(row, target as usize);
                row[target as usize] -= 1.0;
                row.iter_mut().for_each(|p| *p *= share as f32);
                sums.bias.iter_mut().zip(row.iter()).for_each(|(to, &from)| *to += f64::from(from));
            }
            transposed_matmul(block, self.classes, data, self.dim, targets.len(), &mut product);
            sums.weights.iter_mut().zip(&product).for_each(|(to, &from)| *to += f64::from(from));
        }
        sums
    }
}

/// `out[row * classes + class]` before the softmax.
fn logits(data: &[f32], dim: usize, weights: &[f32], bias: &[f64], out: &mut [f32]) {
    let classes = bias.len();
    matmul_transposed(data, out.len() / classes, weights, classes, dim, out);
    add_bias(out, bias);
}

fn add_bias(out: &mut [f32], bias: &[f64]) {
    for row in out.chunks_exact_mut(bias.len().max(1)) {
        row.iter_mut().zip(bias).for_each(|(to, &b)| *to += b as f32);
    }
}

/// Turns logits into a probability for each class by itself, and returns the sum of the losses of classes that none of them is, so that
/// the logit of the target, subtracted, makes it the loss.
fn sigmoid(row: &mut [f32]) -> f64 {
    let mut loss = 0.0;
    for z in row.iter_mut() {
        let value = f64::from(*z);
        loss += value.max(0.0) + (-value.abs()).exp().ln_1p();
        *z = (1.0 / (1.0 + (-value).exp())) as f32;
    }
    loss
}

fn gather(matrix: &EmbeddingMatrix, samples: &[u32]) -> Vec<f32> {
    samples.iter().flat_map(|&sample| matrix.row(sample as usize)).copied().collect()
}

/// What a sample of each class weighs; every class has at least one.
fn shares(targets: &[u32], classes: usize, balance: Balance) -> Vec<f64> {
    let mut counts = vec![0_usize; classes];
    targets.iter().for_each(|&target| counts[target as usize] += 1);
    let share = |count: usize| match balance {
        Balance::Samples => 1.0,
        Balance::Classes => targets.len() as f64 / (classes * count) as f64,
    };
    counts.into_iter().map(share).collect()
}

fn mean(data: &[f32], dim: usize) -> Vec<f64> {
    let mut mean = vec![0.0; dim];
    let rows = data.chunks_exact(dim.max(1));
    let count = rows.len().max(1) as f64;
    for row in rows {
        mean.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
    }
    mean.iter_mut().for_each(|sum| *sum /= count);
    mean
}
