//! Class probabilities from one model trained on everything: for clean-sample selection, which asks how well a label
//! can be learned at all.

use super::logistic::{Balance, Link, Logistic, Manner};
use super::{FEW_CLASSES, within_reach};
use crate::job::Job;
use crate::matrix::EmbeddingMatrix;
use crate::{Error, Result};

/// Trains one multinomial logistic regression on all labeled samples, each class having the same weight as a whole, as
/// scikit-learn's `LogisticRegression(class_weight="balanced")`, and passes the probabilities of every usable sample to
/// `take`, in order. Samples without a label are predicted and not trained on.
///
/// # Errors
/// When there are fewer than two classes, or when stopped.
pub fn in_sample(
    matrix: &EmbeddingMatrix,
    labels: &[u32],
    classes: usize,
    usable: &dyn Fn(usize) -> bool,
    job: &Job<'_>,
    take: impl FnMut(u32, &[f32]),
) -> Result<()> {
    let rows: Vec<u32> = (0..labels.len() as u32).filter(|&row| usable(row as usize)).collect();
    let training = within_reach(rows.iter().copied(), labels, classes, matrix.cols());
    let manner = Manner { balance: Balance::Classes, link: Link::Softmax, start: None };
    let model = Logistic::train(matrix, &training, labels, classes, manner, &|done, total| {
        job.checkpoint()?;
        job.progress(done, total);
        Ok(())
    })?;
    let model = model.ok_or_else(|| Error::Invalid(FEW_CLASSES.into()))?;
    model.predict(matrix, &rows, take);
    Ok(())
}
