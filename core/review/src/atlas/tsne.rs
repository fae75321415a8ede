//! t-distributed stochastic neighbor embedding (L. van der Maaten, G. Hinton 2008) with interpolated repulsion (G.
//! Linderman et al. 2019): similar pictures are close together, while distances between groups mean little.
//!
//! Starts from the principal components, so that nothing is random, and is computed on one thread, since summing in a
//! different order moves points visibly.

use super::drawing::{Method, Placed, nearest};
use crate::{Error, Result};
use bhtsne::{Neighbor, tSNE};
use chaffinch_compute::job::Job;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_protocol::Axes;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Perplexity: the approximate number of neighbors each sample considers.
const PERPLEXITY: f32 = 20.0;
/// Number of iterations.
const EPOCHS: usize = 1000;
/// Factor on similarities at first, which gathers groups, and the divisor of the learning rate.
const EXAGGERATION: f32 = 12.0;
/// The lowest learning rate: that of the original implementation.
const LEAST_RATE: f32 = 200.0;
/// Scale of the starting positions relative to the map: large ones barely change.
const START: f32 = 5e-4;

/// This method.
pub(super) const METHOD: Method = Method { axes: Axes::Neighborhoods, version: 2, place };

/// Positions of rows in the plane, starting from those on another map.
///
/// # Errors
/// When the rows cannot be laid out, or when stopped.
fn place(matrix: &EmbeddingMatrix, input: &[Placed], job: &Job<'_>) -> Result<Vec<f32>> {
    let rows: Vec<u32> = input.iter().map(|&(row, _)| row).collect();
    let perplexity = PERPLEXITY.min(((rows.len() - 1) / 3) as f32);
    let of = |list: Vec<(u32, f32)>| -> Vec<Neighbor<f32>> {
        list.into_iter().map(|(index, distance)| Neighbor { index: index as usize, distance }).collect()
    };
    let neighbors =
        nearest(matrix, &rows, (3.0 * perplexity) as usize, job)?.into_iter().map(of).collect::<Vec<_>>();
    let start: Vec<f32> = input.iter().flat_map(|(_, xy)| xy.map(|share| (share - 0.5) * START)).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let pool = pool.map_err(|error| Error::Invalid(format!("cannot start a thread: {error}")))?;
    pool.install(|| {
        let mut tsne: tSNE<'_, f32, u32> = tSNE::new(&rows);
        tsne.perplexity(perplexity).epochs(EPOCHS).initial_embedding(start);
        tsne.early_exaggeration(EXAGGERATION).learning_rate(learning_rate(rows.len()));
        tsne.epoch_callback(|epoch, _| {
            job.progress(epoch as u64 + 1, EPOCHS as u64);
            if job.stopped() {
                // The library offers no other way out of its loop.
                resume_unwind(Box::new(Stop));
            }
        });
        let fit = AssertUnwindSafe(|| tsne.fit_sne_with_neighbors(&neighbors).embedding());
        catch_unwind(fit).map_err(|payload| match payload.downcast_ref::<Stop>() {
            Some(Stop) => Error::Stopped,
            None => Error::Invalid("these embeddings cannot be laid out as a neighborhood map".into()),
        })
    })
}

/// The learning rate for a number of samples (A. Belkina et al. 2019: samples by exaggeration). The library's own is a quarter of it,
/// after scikit-learn, whose gradient is four times this one; large maps would stop far from their end.
fn learning_rate(samples: usize) -> f32 {
    (samples as f32 / EXAGGERATION).max(LEAST_RATE)
}

/// The panic payload of the callback.
struct Stop;
