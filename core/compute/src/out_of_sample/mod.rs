//! Class probabilities of every sample by a model that was not trained on it: stratified folds, and for each fold a
//! multinomial logistic regression on the embeddings of the others.
//!
//! Labels are used as given, including wrong ones: label quality relies on what a model says against a label it has not
//! seen. With [`compute_cleaned`], labels that the first models contradict are left out of a second training. The same
//! input gives the same bytes at any number of threads.

mod doubt;
mod folds;
mod in_sample;
mod inverse_temperature;
pub(crate) mod logistic;

use crate::content::ContentHash;
use crate::job::Job;
use crate::matrix::EmbeddingMatrix;
use crate::{Error, Result};
use folds::{FOLDS, NO_FOLD};
pub use in_sample::in_sample;
use logistic::{Logistic, Manner};
use rayon::prelude::*;

pub use logistic::{Balance, Link};

/// Maximum number of multiplications for one pass over all training samples; above that, training uses a share of each
/// class. This keeps a fold of a million samples with 512 numbers each and a thousand classes to minutes.
const MAX_WORK: usize = 40_000_000_000;
/// The share of it for the first of two trainings, which only finds doubtful labels and a starting point for the second
/// one.
const FIRST: usize = 4;
/// Minimum number of training samples per class.
const LEAST_SHARE: usize = 20;

/// The error for too few classes.
pub(crate) const FEW_CLASSES: &str =
    "class probabilities need at least two classes with several labeled images each";

/// Out-of-sample probabilities of a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct OutOfSample {
    /// `samples * classes` probabilities, row by row. Rows sum to one; rows without an embedding are 0.
    pub matrix: Vec<f32>,
    /// Number of classes.
    pub classes: usize,
    /// The fold of each sample, [`u32::MAX`] if it has no row. Its model was trained on the other folds only.
    pub folds: Vec<u32>,
    /// The inverse temperature that calibrated each row: the power to which it was raised, 1 without calibration.
    pub inverse_temperature: f32,
}

const EQUAL: &str = "the embeddings of all pictures are the same, so nothing can be learned from them";
/// What numbers of the same embedding may differ by, which are rounded as others that were computed with them are.
const SAME: f32 = 1e-5;

/// Trains one model per fold and predicts the fold with it.
///
/// `labels` may be out of range for samples that have none: they are predicted but not trained on. Samples with the
/// same content are always in the same fold. A class without samples in the other folds gets probability 0.
///
/// # Errors
/// When fewer than two classes are left to tell apart, when no two rows differ, or when stopped.
pub fn compute(
    matrix: &EmbeddingMatrix,
    labels: &[u32],
    classes: usize,
    contents: &[ContentHash],
    usable: &dyn Fn(usize) -> bool,
    balance: Balance,
    job: &Job<'_>,
) -> Result<OutOfSample> {
    let folds = folds::assign(labels, classes, contents, usable);
    refuse_equal(matrix, &folds)?;
    let order = content_order(contents);
    let given = Given { matrix, labels, classes, order: &order };
    Ok(given.train(&folds, &|_| true, balance, &[], MAX_WORK, job)?.0)
}

/// As [`compute`] with [`Balance::Samples`], and then once more without training on labels that the first models
/// clearly contradict (confident learning's prune and train again: Northcutt, Jiang and Chuang 2021, section 3.3), and
/// calibrated. Every sample is predicted by models that were not trained on it, both times.
///
/// # Errors
/// As [`compute`].
pub fn compute_cleaned(
    matrix: &EmbeddingMatrix,
    labels: &[u32],
    classes: usize,
    contents: &[ContentHash],
    usable: &dyn Fn(usize) -> bool,
    job: &Job<'_>,
) -> Result<OutOfSample> {
    let order = content_order(contents);
    cleaned_within(MAX_WORK, Given { matrix, labels, classes, order: &order }, contents, usable, job)
}

/// [`compute_cleaned`] with at most `work` multiplications per pass over the samples.
fn cleaned_within(
    work: usize,
    given: Given<'_>,
    contents: &[ContentHash],
    usable: &dyn Fn(usize) -> bool,
    job: &Job<'_>,
) -> Result<OutOfSample> {
    let Given { matrix, labels, classes, order } = given;
    let folds = folds::assign(labels, classes, contents, usable);
    refuse_equal(matrix, &folds)?;
    let first_half = |done: u64, total: u64| job.progress(done, 2 * total);
    let second_half = |done: u64, total: u64| job.progress(total + done, 2 * total);
    let stop = job.stop_flag();
    let (first, models) =
        given.train(&folds, &|_| true, Balance::Samples, &[], work / FIRST, &Job::new(stop, &first_half))?;
    let doubtful = doubt::doubtful(&first, labels);
    let all_seen = labels.len() <= room(work / FIRST, matrix.cols(), classes);
    if all_seen && !doubtful.contains(&true) {
        return Ok(first);
    }
    drop(first);
    let trusted = |row: u32| !doubtful[row as usize];
    let job = Job::new(stop, &second_half);
    let (mut found, _) = given.train(&folds, &trusted, Balance::Samples, &models, work, &job)?;
    // A model that has not seen the doubtful labels is overconfident about them.
    inverse_temperature::calibrate(&mut found, labels, order);
    Ok(found)
}

/// Training data.
#[derive(Clone, Copy)]
struct Given<'a> {
    matrix: &'a EmbeddingMatrix,
    labels: &'a [u32],
    classes: usize,
    /// All rows by content: sums are rounded in order, and large datasets are trained on a part of them, neither of which
    /// may depend on the names of the files.
    order: &'a [u32],
}

impl Given<'_> {
    /// Trains one model per fold on the trusted samples of the others, with at most `work` multiplications per pass,
    /// each starting from the model in `start` if there is one, and predicts all samples. Also returns the models by
    /// fold.
    fn train(
        self,
        folds: &[u32],
        trusted: &dyn Fn(u32) -> bool,
        balance: Balance,
        start: &[Option<Logistic>],
        work: usize,
        job: &Job<'_>,
    ) -> Result<(OutOfSample, Vec<Option<Logistic>>)> {
        let Given { matrix, labels, classes, order } = self;
        let mut probabilities = vec![0.0; labels.len() * classes];
        let mut models = Vec::new();
        for fold in 0..FOLDS {
            let inside: Vec<u32> = rows(order, folds, |of| of == fold).collect();
            if inside.is_empty() {
                models.push(None);
                continue;
            }
            let outside = rows(order, folds, |of| of != fold && of != NO_FOLD).filter(|&row| trusted(row));
            let training = sampled(outside, labels, classes, room(work, matrix.cols(), classes));
            let start = start.get(fold as usize).and_then(Option::as_ref);
            let step = |done: u64, total: u64| {
                job.checkpoint()?;
                job.progress(u64::from(fold) * total + done, u64::from(FOLDS) * total);
                Ok(())
            };
            let manner = Manner { balance, link: Link::Softmax, start };
            let model = Logistic::train(matrix, &training, labels, classes, manner, &step)?;
            let model = model.ok_or_else(|| Error::Invalid(FEW_CLASSES.into()))?;
            model.predict(matrix, &inside, |sample, row| {
                let start = sample as usize * classes;
                probabilities[start..start + classes].copy_from_slice(row);
            });
            models.push(Some(model));
            job.checkpoint()?;
        }
        let found =
            OutOfSample { matrix: probabilities, classes, folds: folds.to_vec(), inverse_temperature: 1.0 };
        Ok((found, models))
    }
}

/// Refuses rows that are all the same: what is learned from them says nothing of any.
fn refuse_equal(matrix: &EmbeddingMatrix, folds: &[u32]) -> Result<()> {
    let mut used = (0..folds.len()).filter(|&row| folds[row] != NO_FOLD);
    let Some(first) = used.next() else { return Ok(()) };
    let same = |row: usize| matrix.row(row).iter().zip(matrix.row(first)).all(|(a, b)| (a - b).abs() <= SAME);
    let mut others = used.peekable();
    if others.peek().is_some() && others.all(same) {
        return Err(Error::Invalid(EQUAL.into()));
    }
    Ok(())
}

/// Puts each usable labeled sample into one of five folds: each class in equal parts, samples of the same content together. Samples without
/// a fold have [`u32::MAX`].
pub fn folds(
    labels: &[u32],
    classes: usize,
    contents: &[ContentHash],
    usable: &dyn Fn(usize) -> bool,
) -> Vec<u32> {
    folds::assign(labels, classes, contents, usable)
}

/// All rows in the order of their content, equal contents in order.
pub(crate) fn content_order(contents: &[ContentHash]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..contents.len() as u32).collect();
    order.par_sort_unstable_by_key(|&row| (contents[row as usize], row));
    order
}

/// Samples of the requested fold, in the given order.
fn rows<'a>(
    order: &'a [u32],
    folds: &'a [u32],
    wanted: impl Fn(u32) -> bool + 'a,
) -> impl Iterator<Item = u32> + 'a {
    order.iter().copied().filter(move |&row| wanted(folds[row as usize]))
}

/// As many of these as training has time for, an equal share of each class.
pub(crate) fn within_reach(
    rows: impl Iterator<Item = u32>,
    labels: &[u32],
    classes: usize,
    dim: usize,
) -> Vec<u32> {
    sampled(rows, labels, classes, room(MAX_WORK, dim, classes))
}

/// How many samples can be used with this many multiplications.
fn room(work: usize, dim: usize, classes: usize) -> usize {
    work / (dim * classes).max(1)
}

/// The labeled ones of these samples; an equal share of each class if there is no room for all.
fn sampled(rows: impl Iterator<Item = u32>, labels: &[u32], classes: usize, room: usize) -> Vec<u32> {
    let labeled: Vec<u32> = rows.filter(|&row| (labels[row as usize] as usize) < classes).collect();
    if labeled.len() <= room {
        return labeled;
    }
    let mut counts = vec![0_usize; classes];
    labeled.iter().for_each(|&row| counts[labels[row as usize] as usize] += 1);
    let all = labeled.len();
    let mut seen = vec![0_usize; classes];
    let taken = |row: &u32| {
        let class = labels[*row as usize] as usize;
        let (count, index) = (counts[class], seen[class]);
        seen[class] += 1;
        let wanted = (count * room / all).max(LEAST_SHARE.min(count));
        // Evenly spread over the class.
        (index + 1) * wanted / count > index * wanted / count
    };
    labeled.into_iter().filter(taken).collect()
}

#[cfg(test)]
mod tests;
