//! Classes that overlap, which could be merged or need a better definition.

use super::counts::{percent, plural};
use super::look::{Look, NEIGHBORS};
use super::{Found, Kind, Unchecked, because, rising};
use chaffinch_compute::job::Job;
use chaffinch_compute::linear::matmul_transposed;
use chaffinch_confident::{ConfidentJoint, Table};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const KIND: Kind = Kind { name: "overlapping_classes", title: "Overlapping classes", find };

/// The share of the samples of both classes that are taken for the other, at which the score is 0.5, and at which it is 0.
const THRESHOLD: f64 = 0.15;
const WORST: f64 = 0.5;
/// A smaller share is no overlap.
const TOLD: f64 = 0.05;
/// The least share that counts without other evidence.
const ALONE: f64 = 0.5;
/// Samples of both classes together, at least.
const LEAST: f64 = 10.0;
/// Pairs that are told of.
const PAIRS: usize = 10;

/// Counts of samples by label and by what they are taken for: those that occur, since most pairs of many classes have
/// nothing to do with each other.
type Counts = BTreeMap<(u32, u32), f64>;

fn find(look: &Look<'_>, _job: &Job<'_>) -> Result<Vec<Found>, Unchecked> {
    look.several(2 * NEIGHBORS)?;
    let classes = look.class_count();
    if classes < 2 {
        return because("there are fewer than two classes");
    }
    let evidence = [by_probabilities(look, classes), by_neighbors(look, classes), by_names(look, classes)];
    let mut pairs: Vec<(f64, u32, u32, [f64; 3])> = Vec::new();
    let crossed = evidence.iter().flat_map(BTreeMap::keys).filter(|(given, taken)| given != taken);
    let crossed: BTreeSet<(u32, u32)> = crossed.map(|&(a, b)| (a.min(b), a.max(b))).collect();
    for (a, b) in crossed {
        let shares = evidence.each_ref().map(|counts| share(counts, a, b));
        let strength = strength(shares);
        if strength >= TOLD || shares[2] >= ALONE {
            pairs.push((strength, a, b, shares));
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    pairs.truncate(PAIRS);
    Ok(pairs.into_iter().map(|(strength, a, b, shares)| of_pair(look, strength, (a, b), shares)).collect())
}

/// What the samples themselves say. The names of classes are not evidence about the dataset: a model that confuses two words
/// confuses any pictures of them. Probabilities and neighbors count as far as both agree, or half.
fn strength([probabilities, neighbors, _]: [f64; 3]) -> f64 {
    probabilities.min(neighbors).max(ALONE * probabilities.max(neighbors))
}

/// The share of the samples of two classes that are taken for the other one, among those taken for either.
fn share(counts: &Counts, a: u32, b: u32) -> f64 {
    let at = |given, taken| counts.get(&(given, taken)).copied().unwrap_or(0.0);
    let (crossed, all) = (at(a, b) + at(b, a), at(a, a) + at(b, b) + at(a, b) + at(b, a));
    if all < LEAST { 0.0 } else { crossed / all }
}

/// The calibrated confident joint of out-of-sample probabilities.
fn by_probabilities(look: &Look<'_>, classes: usize) -> Counts {
    let known = look.known();
    let labels: Vec<u32> = known.iter().map(|&at| look.labels[at]).collect();
    let rows: Vec<f32> =
        known.iter().flat_map(|&at| &look.probabilities[at * classes..(at + 1) * classes]).copied().collect();
    match Table::new(&rows, classes, &labels) {
        Ok(table) if !known.is_empty() => {
            let joint = ConfidentJoint::new(&table);
            let joint = joint.calibrated();
            let pair = |at: usize| ((at / classes) as u32, (at % classes) as u32);
            let counts = joint.iter().enumerate().filter(|(_, count)| **count != 0);
            counts.map(|(at, count)| (pair(at), *count as f64)).collect()
        }
        _ => Counts::new(),
    }
}

/// The labels of neighbors, each weighing a tenth of a sample; an even chance of each class would give equal counts, so
/// that a large class does not swallow a small one.
fn by_neighbors(look: &Look<'_>, classes: usize) -> Counts {
    let mut sizes = vec![0.0_f64; classes];
    for &label in look.labels.iter().filter(|label| (**label as usize) < classes) {
        sizes[label as usize] += 1.0;
    }
    let mut counts = Counts::new();
    for at in 0..look.len() {
        let own = look.labels[at] as usize;
        for (other, _) in look.neighbors.of(at) {
            let label = look.labels[other] as usize;
            if own < classes && label < classes {
                *counts.entry((own as u32, label as u32)).or_default() +=
                    (sizes[own] / sizes[label]).min(1.0) / NEIGHBORS as f64;
            }
        }
    }
    counts
}

/// The class whose name is nearest to each sample by the model.
fn by_names(look: &Look<'_>, classes: usize) -> Counts {
    let cols = look.matrix.cols();
    if look.inputs.beside.names.len() != classes * cols {
        return Counts::new();
    }
    let mut products = vec![0.0; look.len() * classes];
    matmul_transposed(
        look.matrix.as_slice(),
        look.len(),
        &look.inputs.beside.names,
        classes,
        cols,
        &mut products,
    );
    let mut counts = Counts::new();
    for (row, &own) in products.chunks_exact(classes).zip(&look.labels) {
        let mut best = 0;
        (1..classes).for_each(|class| {
            if row[class] > row[best] {
                best = class
            }
        });
        if (own as usize) < classes {
            *counts.entry((own, best as u32)).or_default() += 1.0;
        }
    }
    counts
}

fn of_pair(look: &Look<'_>, strength: f64, (a, b): (u32, u32), shares: [f64; 3]) -> Found {
    let [probabilities, neighbors, names] = shares;
    let both = format!("{} and {}", look.class(a), look.class(b));
    let weak = strength < TOLD;
    let text = match weak {
        true => format!(
            "The model confuses the names of {both} ({} of their samples), which the samples do not confirm: weak evidence, \
             no reason to merge them",
            percent(names)
        ),
        false => format!(
            "The classes {both} overlap: {} of their samples look like the other one by out-of-sample probabilities, and {} by \
             their neighbors; merge them, or say better what tells them apart",
            percent(probabilities),
            percent(neighbors)
        ),
    };
    let samples = if weak { Vec::new() } else { crossed(look, a, b) };
    let text = if samples.is_empty() {
        text
    } else {
        format!("{text} ({} named)", plural(samples.len().min(super::NAMED) as u64, "sample", "samples"))
    };
    Found::new(if weak { 0.9 } else { rising(strength, THRESHOLD, WORST) }, text)
        .figure("share_by_probabilities", probabilities)
        .figure("share_by_neighbors", neighbors)
        .figure("share_by_names", names)
        .figure("strength", strength)
        .classes([a, b])
        .samples(samples)
}

/// Samples of one class that look more like the other, the surest first.
fn crossed(look: &Look<'_>, a: u32, b: u32) -> Vec<u32> {
    let classes = look.class_count();
    let doubt = |at: usize, other: u32| {
        let row = at * classes;
        match look.judged[at] {
            true => {
                look.probabilities[row + other as usize] - look.probabilities[row + look.labels[at] as usize]
            }
            false => 0.0,
        }
    };
    let mut all: Vec<(f32, u32)> = Vec::new();
    for at in 0..look.len() {
        let other = match look.labels[at] {
            label if label == a => b,
            label if label == b => a,
            _ => continue,
        };
        let doubt = doubt(at, other);
        if doubt > 0.0 {
            all.push((doubt, look.rows[at]));
        }
    }
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    all.into_iter().map(|(_, row)| row).collect()
}
