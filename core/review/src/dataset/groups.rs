//! Groups of alike samples whose labels a model doubts: Datalab's `underperforming_group`.

use super::counts::percent;
use super::look::{Look, NEIGHBORS};
use super::{Found, Kind, Unchecked, because, calibrated};
use chaffinch_compute::job::Job;
use std::collections::BTreeMap;

pub(super) const KIND: Kind = Kind { name: "underperforming_group", title: "Underperforming groups", find };

/// Datalab's threshold on the ratio; groups below [`WORTH`] are told of, too.
const THRESHOLD: f64 = 0.1;
/// The ratio below which our score is at 0.5: half as sure of its labels as the dataset.
const WORTH: f64 = 0.5;
/// Members of a group, at least.
const LEAST: usize = 5;
/// The radius of clusters as a cosine distance, and the samples within it, as in Datalab.
const RADIUS: f32 = 0.5;
const DENSE: usize = 5;
/// Groups that are told of.
const TOLD: usize = 3;

/// A group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Group {
    /// Its cluster.
    pub(super) cluster: u32,
    /// Its members.
    pub(super) size: usize,
    /// The mean probability of its labels, divided by that of all groups; Datalab's score.
    pub(super) ratio: f64,
}

/// Datalab's score of each cluster, the worst first: how sure a model is of its labels, compared with all clusters. A
/// cluster of [`u32::MAX`] is none, and clusters of fewer than five do not count.
///
/// Datalab compares the mean of a cluster with the ratio of the worst one so far, so that a better cluster can pass for the
/// worst. Here the lowest ratio is the worst.
pub(super) fn groups(clusters: &[u32], confidence: &[f64]) -> Vec<Group> {
    let mut sums: BTreeMap<u32, (usize, f64)> = BTreeMap::new();
    for (&cluster, confidence) in clusters.iter().zip(confidence).filter(|(cluster, _)| **cluster != u32::MAX)
    {
        let sum = sums.entry(cluster).or_default();
        *sum = (sum.0 + 1, sum.1 + confidence);
    }
    sums.retain(|_, (size, _)| *size >= LEAST);
    let (size, sum) = sums.values().fold((0, 0.0), |(size, sum), one| (size + one.0, sum + one.1));
    let mean = sum / size as f64;
    let ratio = |sum: f64, size: usize| if mean > 0.0 { sum / size as f64 / mean } else { 1.0 };
    let mut all: Vec<Group> = sums
        .into_iter()
        .map(|(cluster, (size, sum))| Group { cluster, size, ratio: ratio(sum, size) })
        .collect();
    all.sort_by(|a, b| a.ratio.total_cmp(&b.ratio));
    all
}

/// The clusters of DBSCAN on neighbor lists as scikit-learn finds them on a graph of neighbors; [`u32::MAX`] for none.
/// `neighbors` has `k` for each sample, [`u32::MAX`] for none, with their cosines.
pub(super) fn dbscan(neighbors: &[u32], cosines: &[f32], k: usize) -> Vec<u32> {
    let near: Vec<Vec<u32>> = neighbors
        .chunks_exact(k)
        .zip(cosines.chunks_exact(k))
        .map(|(list, cosines)| {
            let near =
                list.iter().zip(cosines).filter(|(at, cosine)| **at != u32::MAX && 1.0 - **cosine <= RADIUS);
            near.map(|(at, _)| *at).collect()
        })
        .collect();
    // A sample is within its own radius.
    let is_core = |at: usize| near[at].len() + 1 >= DENSE;
    let mut clusters = vec![u32::MAX; near.len()];
    let mut count = 0;
    for first in 0..near.len() {
        if clusters[first] != u32::MAX || !is_core(first) {
            continue;
        }
        let mut open = vec![first];
        while let Some(at) = open.pop() {
            if clusters[at] != u32::MAX {
                continue;
            }
            clusters[at] = count;
            if is_core(at) {
                open.extend(near[at].iter().map(|at| *at as usize).filter(|at| clusters[*at] == u32::MAX));
            }
        }
        count += 1;
    }
    clusters
}

fn find(look: &Look<'_>, _job: &Job<'_>) -> Result<Vec<Found>, Unchecked> {
    look.several(2 * LEAST)?;
    let known = look.known();
    if known.is_empty() {
        return because("there are no class probabilities: it takes two classes with several samples each");
    }
    let dense = dbscan(&look.neighbors.indices, &look.neighbors.similarities, NEIGHBORS);
    let mut found: Vec<Found> = Vec::new();
    let mut told: Vec<bool> = vec![false; look.len()];
    // Embeddings of most models are so near each other that Datalab's radius makes one cluster of all.
    for (by, clusters) in [("density", &dense), ("means", &look.clusters)] {
        let of: Vec<u32> = known.iter().map(|&at| clusters[at]).collect();
        let confidence: Vec<f64> = known.iter().map(|&at| look.confidence(at)).collect();
        for group in groups(&of, &confidence).into_iter().filter(|group| group.ratio < WORTH) {
            let mut members: Vec<usize> =
                known.iter().copied().filter(|&at| clusters[at] == group.cluster).collect();
            if found.len() == TOLD || 2 * members.iter().filter(|&&at| told[at]).count() > members.len() {
                continue;
            }
            members.iter().for_each(|&at| told[at] = true);
            members.sort_by(|&a, &b| look.confidence(a).total_cmp(&look.confidence(b)));
            found.push(of_group(look, by, group, &members));
        }
    }
    Ok(found)
}

fn of_group(look: &Look<'_>, by: &str, group: Group, members: &[usize]) -> Found {
    let mut labels: BTreeMap<u32, usize> = BTreeMap::new();
    members.iter().for_each(|&at| *labels.entry(look.labels[at]).or_default() += 1);
    let mut labels: Vec<(u32, usize)> = labels.into_iter().collect();
    labels.sort_by_key(|(label, count)| (std::cmp::Reverse(*count), *label));
    let named: Vec<String> = labels.iter().take(3).map(|(label, _)| look.class(*label)).collect();
    let text = format!(
        "A group of {} alike samples, labeled mostly {}, gets {} of the usual probability for its labels",
        group.size,
        named.join(", "),
        percent(group.ratio)
    );
    Found::new(calibrated(group.ratio, WORTH), text)
        .figure("datalab_score", group.ratio)
        .figure("datalab_threshold", THRESHOLD)
        .figure("samples", group.size as f64)
        .figure("share_of_samples", group.size as f64 / look.len() as f64)
        .figure(format!("clusters_by_{by}"), 1.0)
        .classes(labels.iter().take(3).map(|(label, _)| *label))
        .samples(members.iter().map(|&at| look.rows[at]))
}
