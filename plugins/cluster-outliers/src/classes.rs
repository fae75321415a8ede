//! The model of one class: its medoids, and the other references a sample can be compared with.

use crate::fasterpam::{self, Clustering, Distances};
use crate::fence::{Fence, quantile};
use crate::{BLOCK_ROWS, Settings};
use chaffinch_plugin::prelude::*;
use std::collections::HashSet;

/// Samples per draw, and the number of draws, for a class too large for one matrix.
const DRAW: usize = 3000;
const DRAWS: usize = 3;
/// Samples of a class used for the elbow, and the maximum number of medoids to try.
const ELBOW_SAMPLES: usize = 500;
const ELBOW_MAX: usize = 12;
/// How much more the nearest medoid counts than the others, per spread of similarity.
const SHARPNESS: f32 = 0.5;
/// The minimum share of a class that a cluster must hold to count as typical.
const TYPICAL: f32 = 0.02;

/// The medoids of one class.
pub(crate) struct Model {
    /// Medoids of clusters large enough to be typical, largest cluster first.
    pub(crate) medoids: Vec<u32>,
    /// The share of the class that each stands for.
    pub(crate) shares: Vec<f32>,
    /// How much more the nearest medoid counts than the others.
    sharpness: f32,
    /// Mean distance to the nearest medoid for 1, 2, … medoids.
    pub(crate) elbow: Vec<f32>,
}

impl Model {
    /// Clusters one class. Of equally good medoids the earlier of `ids` is taken.
    pub(crate) fn fit(view: &View<'_>, settings: &Settings, ids: &[u32]) -> Result<Model> {
        let elbow = elbow(view, ids)?;
        let wanted = if settings.clusters == 0 { knee(&elbow) } else { settings.clusters };
        // At most one medoid per eight samples; otherwise each would only stand for itself.
        let k = wanted.clamp(1, (ids.len() / 8).max(1));
        let medoids = if ids.len() <= settings.max_matrix {
            whole(view, ids, k)?
        } else {
            drawn(view, ids, k, settings)?
        };
        let mut sizes = vec![0_usize; medoids.len()];
        let mut nearness = Vec::with_capacity(ids.len());
        for_nearest(view, ids, &medoids, |index, similarity| {
            sizes[index] += 1;
            nearness.push(similarity);
        })?;
        let least = ((TYPICAL * ids.len() as f32).ceil() as usize).max(2);
        let largest = sizes.iter().copied().max().unwrap_or(0);
        let mut order: Vec<usize> =
            (0..medoids.len()).filter(|&index| sizes[index] >= least.min(largest)).collect();
        let position = |index: usize| ids.iter().position(|&id| id == medoids[index]);
        order.sort_by_cached_key(|&index| (std::cmp::Reverse(sizes[index]), position(index)));
        Ok(Model {
            medoids: order.iter().map(|&index| medoids[index]).collect(),
            shares: order.iter().map(|&index| sizes[index] as f32 / ids.len() as f32).collect(),
            sharpness: SHARPNESS / Fence::robust(&nearness).spread(),
            elbow,
        })
    }

    /// The similarity of each sample to the class.
    pub(crate) fn similarities(&self, view: &View<'_>, ids: &[u32]) -> Result<Vec<f32>> {
        let mut all = Vec::with_capacity(ids.len());
        for rows in ids.chunks(BLOCK_ROWS) {
            view.checkpoint()?;
            all.extend(
                view.block(rows, &self.medoids)?
                    .chunks_exact(self.medoids.len())
                    .map(|row| self.likeness(row)),
            );
        }
        Ok(all)
    }

    /// The similarity of a sample to a class, from its cosines to the medoids: the nearest counts most, but a medoid
    /// that stands for few samples counts less than one that stands for many.
    pub(crate) fn likeness(&self, cosines: &[f32]) -> f32 {
        // Relative to the nearest, so that nothing underflows.
        let nearest = cosines.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let weigh = |(&cosine, &share): (&f32, &f32)| share * ((cosine - nearest) * self.sharpness).exp();
        nearest + cosines.iter().zip(&self.shares).map(weigh).sum::<f32>().ln() / self.sharpness
    }
}

/// Calls `found` for each sample in order with its nearest medoid and the cosine to it.
fn for_nearest(
    view: &View<'_>,
    ids: &[u32],
    medoids: &[u32],
    mut found: impl FnMut(usize, f32),
) -> Result<()> {
    for rows in ids.chunks(BLOCK_ROWS) {
        view.checkpoint()?;
        for row in view.block(rows, medoids)?.chunks_exact(medoids.len()) {
            let mut best = (0, f32::NEG_INFINITY);
            for (index, &similarity) in row.iter().enumerate() {
                if similarity > best.1 {
                    best = (index, similarity);
                }
            }
            found(best.0, best.1);
        }
    }
    Ok(())
}

/// All cosine distances between some samples.
fn distances(view: &View<'_>, ids: &[u32]) -> Result<Vec<f32>> {
    let mut matrix = view.block(ids, ids)?;
    matrix.iter_mut().for_each(|value| *value = (1.0 - *value).max(0.0));
    (0..ids.len()).for_each(|index| matrix[index * ids.len() + index] = 0.0);
    Ok(matrix)
}

fn cluster(view: &View<'_>, ids: &[u32], k: usize) -> Result<Vec<u32>> {
    let matrix = distances(view, ids)?;
    let found: Clustering = fasterpam::cluster(Distances::new(&matrix, ids.len()), k, &|| view.checkpoint())?;
    Ok(found.medoids.iter().map(|&index| ids[index]).collect())
}

fn whole(view: &View<'_>, ids: &[u32], k: usize) -> Result<Vec<u32>> {
    cluster(view, ids, k)
}

/// CLARA, for a class too large for one matrix: the best medoids of a few draws, where each draw includes the best
/// of the previous ones.
fn drawn(view: &View<'_>, ids: &[u32], k: usize, settings: &Settings) -> Result<Vec<u32>> {
    let mut best: (f64, Vec<u32>) = (f64::INFINITY, Vec::new());
    for draw in 0..DRAWS {
        let mut taken: HashSet<u32> =
            spread_sample(ids, DRAW.min(settings.max_matrix), draw).into_iter().collect();
        taken.extend(&best.1);
        // In the order of the class, which does not depend on the numbers of the samples.
        let sample: Vec<u32> = ids.iter().copied().filter(|id| taken.contains(id)).collect();
        let medoids = cluster(view, &sample, k)?;
        let mut inertia = 0.0;
        for_nearest(view, ids, &medoids, |_, similarity| inertia += f64::from(1.0 - similarity))?;
        if inertia < best.0 {
            best = (inertia, medoids);
        }
    }
    Ok(best.1)
}

/// About `count` samples, one from each section of the list, at a position that depends on the draw alone.
pub(crate) fn spread_sample(ids: &[u32], count: usize, draw: usize) -> Vec<u32> {
    if ids.len() <= count {
        return ids.to_vec();
    }
    let mut state = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(draw as u64 + 1);
    let pick = |index: usize| {
        let (from, to) = (index * ids.len() / count, (index + 1) * ids.len() / count);
        // SplitMix64, so that files in a regular order are not drawn at a regular distance.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ids[from + ((mixed ^ (mixed >> 31)) % (to - from).max(1) as u64) as usize]
    };
    (0..count).map(pick).collect()
}

/// Mean distance to the nearest medoid for 1, 2, … medoids, on a sample of the class.
fn elbow(view: &View<'_>, ids: &[u32]) -> Result<Vec<f32>> {
    let sample = spread_sample(ids, ELBOW_SAMPLES, 0);
    let matrix = distances(view, &sample)?;
    let ks: Vec<usize> = (1..=ELBOW_MAX.min(sample.len())).collect();
    let all = fasterpam::elbow(Distances::new(&matrix, sample.len()), &ks, &|| view.checkpoint())?;
    Ok(all.iter().map(|clustering| (clustering.inertia / sample.len() as f64) as f32).collect())
}

/// The number of medoids beyond which more help little: the point of the curve farthest below the line from its
/// first to its last.
pub(crate) fn knee(elbow: &[f32]) -> usize {
    let (Some(&first), Some(&last)) = (elbow.first(), elbow.last()) else { return 1 };
    let steps = (elbow.len() - 1).max(1) as f32;
    let gap = |index: usize| first + (last - first) * index as f32 / steps - elbow[index];
    let best = (0..elbow.len()).max_by(|&a, &b| gap(a).total_cmp(&gap(b)).then(b.cmp(&a)));
    best.map_or(1, |index| index + 1)
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Cosines of unit rows to a vector of any norm.
fn to_vector(view: &View<'_>, class: &[usize], vector: &[f32]) -> Result<Vec<f32>> {
    let rows = view.embeddings()?;
    let norm = dot(vector, vector).sqrt().max(f32::MIN_POSITIVE);
    Ok(class.iter().map(|&sample| dot(rows.row(sample), vector) / norm).collect())
}

pub(crate) fn to_mean(view: &View<'_>, class: &[usize]) -> Result<Vec<f32>> {
    let rows = view.embeddings()?;
    let mut sum = vec![0.0; rows.cols()];
    for &sample in class {
        sum.iter_mut().zip(rows.row(sample)).for_each(|(sum, x)| *sum += x);
    }
    to_vector(view, class, &sum)
}

pub(crate) fn to_median(view: &View<'_>, class: &[usize]) -> Result<Vec<f32>> {
    let rows = view.embeddings()?;
    let mut column = vec![0.0; class.len()];
    let median = |dimension: usize| {
        column.iter_mut().zip(class).for_each(|(value, &sample)| *value = rows.row(sample)[dimension]);
        column.sort_by(f32::total_cmp);
        quantile(&column, 0.5)
    };
    let vector: Vec<f32> = (0..rows.cols()).map(median).collect();
    to_vector(view, class, &vector)
}

pub(crate) fn to_text(view: &View<'_>, label: u32, class: &[usize]) -> Result<Vec<f32>> {
    to_vector(view, class, &view.embed_texts(&view.prompts(label)?)?.mean_direction())
}

/// The median similarity of each sample to the others of its class (of a large class, to a sample of them).
pub(crate) fn pairwise(view: &View<'_>, ids: &[u32], max_matrix: usize) -> Result<Vec<f32>> {
    let others = spread_sample(ids, max_matrix, 0);
    let rows = (max_matrix * max_matrix / others.len().max(1)).clamp(1, BLOCK_ROWS);
    let mut all = Vec::with_capacity(ids.len());
    let mut near = Vec::with_capacity(others.len());
    for chunk in ids.chunks(rows) {
        view.checkpoint()?;
        let block = view.block(chunk, &others)?;
        for (&id, row) in chunk.iter().zip(block.chunks_exact(others.len())) {
            near.clear();
            near.extend(row.iter().zip(&others).filter(|&(_, &other)| other != id).map(|(&s, _)| s));
            near.sort_by(f32::total_cmp);
            all.push(quantile(&near, 0.5));
        }
    }
    Ok(all)
}

/// Cosine to the sample whose median similarity to its class is highest.
pub(crate) fn to_most_similar(view: &View<'_>, ids: &[u32], max_matrix: usize) -> Result<Vec<f32>> {
    let medians = pairwise(view, ids, max_matrix)?;
    let best = (0..ids.len()).max_by(|&a, &b| medians[a].total_cmp(&medians[b]).then(b.cmp(&a)));
    let reference = [ids[best.unwrap_or(0)]];
    let mut all = Vec::with_capacity(ids.len());
    for_nearest(view, ids, &reference, |_, similarity| all.push(similarity))?;
    Ok(all)
}
