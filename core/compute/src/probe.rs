//! A linear probe: a logistic regression on embeddings, which tells what labels teach.
//!
//! The method of Alain and Bengio, "Understanding intermediate layers using linear classifier probes" (2016), on the last layer
//! only: what a model has learned stays as it is, and a linear classifier on top of it is trained in seconds.

use crate::content::ContentHash;
use crate::job::Job;
use crate::matrix::EmbeddingMatrix;
use crate::out_of_sample::logistic::{Balance, Link, Logistic, Manner};
use crate::out_of_sample::{FEW_CLASSES, content_order, within_reach};
use crate::{Error, Result};

/// A trained probe.
#[derive(Debug, Clone)]
pub struct Probe {
    model: Logistic,
    dim: usize,
}

/// What probes are trained from: embeddings, the number of classes, and the contents of the samples, in whose order sums are
/// rounded, so that names of files change nothing.
#[derive(Debug)]
pub struct Trainer<'a> {
    matrix: &'a EmbeddingMatrix,
    classes: usize,
    order: Vec<u32>,
    link: Link,
}

impl<'a> Trainer<'a> {
    /// For embeddings of samples with these contents, one row each.
    pub fn new(
        matrix: &'a EmbeddingMatrix,
        classes: usize,
        contents: &[ContentHash],
        link: Link,
    ) -> Trainer<'a> {
        Trainer { matrix, classes, order: content_order(contents), link }
    }

    /// Trains a probe on the samples that have a label below the number of classes, all alike, with an L2 penalty as scikit-learn's
    /// `LogisticRegression` with C = 1. Above a bound of work it takes an equal share of each class. A probe of the same classes may be
    /// given to start from: the result is the same but for rounding, and sooner there.
    ///
    /// # Errors
    /// When fewer than two classes have samples, or when stopped.
    pub fn train(&self, labels: &[u32], start: Option<&Probe>, job: &Job<'_>) -> Result<Probe> {
        let dim = self.matrix.cols();
        let rows = within_reach(self.order.iter().copied(), labels, self.classes, dim);
        let start = start.map(|probe| &probe.model);
        let manner = Manner { balance: Balance::Samples, link: self.link, start };
        let step = |done: u64, total: u64| {
            job.checkpoint()?;
            job.progress(done, total);
            Ok(())
        };
        let model = Logistic::train(self.matrix, &rows, labels, self.classes, manner, &step)?;
        let model = model.ok_or_else(|| Error::Invalid(FEW_CLASSES.into()))?;
        Ok(Probe { model, dim })
    }

    /// Passes the probabilities of all classes of each of these samples to `take`, in order. Classes that it was not trained on
    /// have 0.
    pub fn predict(&self, probe: &Probe, samples: &[u32], take: impl FnMut(u32, &[f32])) {
        probe.model.predict(self.matrix, samples, take);
    }
}

impl Probe {
    /// The classes that it was trained on, in order: the rows of [`Probe::weights`].
    pub fn classes(&self) -> &[u32] {
        &self.model.present
    }

    /// Numbers in a row of [`Probe::weights`]: those of an embedding.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// `classes * dim` weights, row by row.
    pub fn weights(&self) -> &[f32] {
        &self.model.weights
    }

    /// What is added to the product with each row.
    pub fn bias(&self) -> Vec<f32> {
        self.model.bias.iter().map(|&bias| bias as f32).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]
    use super::*;

    /// Three classes around three directions, and their labels.
    fn clouds(count: usize) -> (EmbeddingMatrix, Vec<u32>, Vec<ContentHash>) {
        let mut state = 7_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / 16_777_216.0 - 0.5
        };
        let labels: Vec<u32> = (0..count as u32).map(|row| row % 3).collect();
        let mut values = Vec::new();
        for &label in &labels {
            let mut row: Vec<f32> = (0..4).map(|_| 0.6 * next()).collect();
            row[label as usize] += 1.0;
            let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt();
            values.extend(row.iter().map(|x| x / norm));
        }
        let contents = (0..count).map(|row| ContentHash::of(&row.to_le_bytes())).collect();
        (EmbeddingMatrix::from_vec(values, 4), labels, contents)
    }

    #[test]
    fn both_links_learn_and_weights_give_the_predictions() {
        let (matrix, labels, contents) = clouds(90);
        for link in [Link::Softmax, Link::Sigmoid] {
            let trainer = Trainer::new(&matrix, 3, &contents, link);
            let probe = trainer.train(&labels, None, &Job::unwatched()).unwrap();
            assert_eq!((probe.classes(), probe.dim(), probe.weights().len()), (&[0, 1, 2][..], 4, 12));
            let all: Vec<u32> = (0..90).collect();
            let mut right = 0;
            trainer.predict(&probe, &all, |sample, row| {
                let logits: Vec<f32> = (probe.weights().chunks_exact(4).zip(probe.bias()))
                    .map(|(weights, bias)| {
                        let embedding = matrix.row(sample as usize);
                        weights.iter().zip(embedding).map(|(w, x)| w * x).sum::<f32>() + bias
                    })
                    .collect();
                let sum: f32 = logits.iter().map(|z| z.exp()).sum();
                for (p, z) in row.iter().zip(&logits) {
                    let own = match link {
                        Link::Softmax => z.exp() / sum,
                        Link::Sigmoid => 1.0 / (1.0 + (-z).exp()),
                    };
                    assert!((p - own).abs() < 1e-4, "{link:?}: {p} {own}");
                }
                let best = (0..3).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
                right += u32::from(best as u32 == labels[sample as usize]);
            });
            assert!(right > 80, "{link:?}: {right}");
        }
    }

    #[test]
    fn samples_without_a_label_are_not_trained_on() {
        let (matrix, labels, contents) = clouds(60);
        let trainer = Trainer::new(&matrix, 3, &contents, Link::Softmax);
        let two: Vec<u32> = labels.iter().map(|&label| if label == 2 { u32::MAX } else { label }).collect();
        let probe = trainer.train(&two, None, &Job::unwatched()).unwrap();
        assert_eq!(probe.classes(), [0, 1]);
        trainer.predict(&probe, &[2], |_, row| assert_eq!(row[2], 0.0));
        let one: Vec<u32> = labels.iter().map(|&label| if label == 0 { 0 } else { u32::MAX }).collect();
        assert!(trainer.train(&one, None, &Job::unwatched()).is_err());
    }
}
