//! Probabilities from a regression on the embeddings, with the given labels.

use super::Evidence;
use crate::Result;
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::job::Job;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_compute::out_of_sample;
use chaffinch_compute::out_of_sample::{Balance, in_sample};

/// Trains a multinomial logistic regression on the embeddings, each class with the same weight, and predicts each
/// label. Without `contents` it predicts the samples it was trained on, as in the publication; with them (the content
/// of each sample) each fifth is predicted by a model trained on the others.
///
/// # Errors
/// When there are fewer than two classes, or when stopped.
pub fn regression(
    matrix: &EmbeddingMatrix,
    labels: &[u32],
    classes: usize,
    contents: Option<&[ContentHash]>,
    usable: &dyn Fn(usize) -> bool,
    job: &Job<'_>,
) -> Result<Evidence> {
    let mut pairs = vec![(f64::NAN, f64::NAN); labels.len()];
    let mut take = |sample: u32, row: &[f32]| {
        let own = labels.get(sample as usize).and_then(|&label| row.get(label as usize));
        let best = row.iter().copied().fold(0.0, f32::max);
        if let Some(&own) = own {
            pairs[sample as usize] = (f64::from(own), f64::from(best));
        }
    };
    match contents {
        None => in_sample(matrix, labels, classes, usable, job, take)?,
        Some(contents) => {
            let balance = Balance::Classes;
            let found = out_of_sample::compute(matrix, labels, classes, contents, usable, balance, job)?;
            let rows = found.matrix.chunks_exact(classes.max(1)).zip(0_u32..);
            rows.filter(|(_, sample)| usable(*sample as usize)).for_each(|(row, sample)| take(sample, row));
        }
    }
    let mut evidence = Evidence::default();
    pairs.into_iter().for_each(|(own, best)| evidence.push(own, best));
    Ok(evidence)
}
