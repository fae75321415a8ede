//! Splits that are not alike: the energy test (Székely and Rizzo 2013) on embeddings, and class proportions.

use super::chance::{association, random, share_reaching};
use super::counts::{crossed, percent};
use super::look::Look;
use super::shift::farthest;
use super::{Found, Kind, Unchecked, because, rising};
use chaffinch_compute::job::Job;
use chaffinch_compute::neighbors;
use chaffinch_protocol::sample::Split;
use rand::seq::SliceRandom;
use rayon::prelude::*;

pub(super) const KIND: Kind = Kind { name: "split_drift", title: "Drift between splits", find };

/// Samples of each side, drawn with a fixed seed; the test compares all pairs of them.
const SIDE: usize = 500;
/// Fewer on a side say nothing.
const LEAST: usize = 20;
const TRIALS: u64 = 199;
/// The probability of chance, before it is divided by the number of pairs of splits.
const CHANCE: f64 = 0.05;
/// The energy coefficient at which the score is 0.5, and at which it is 0.
const THRESHOLD: f64 = 0.03;
const WORST: f64 = 0.2;
/// Cramér's V of the class proportions, the same.
const V: f64 = 0.1;
const WORST_V: f64 = 0.4;
/// Samples that are shown.
const SHOWN: usize = 100;

const SPLITS: [Split; 3] = [Split::Train, Split::Validation, Split::Test];

fn find(look: &Look<'_>, job: &Job<'_>) -> Result<Vec<Found>, Unchecked> {
    let manifest = look.inputs.manifest;
    let present: Vec<Split> =
        SPLITS.into_iter().filter(|split| manifest.splits().contains(&split.code())).collect();
    if present.len() < 2 {
        return because("the dataset has fewer than two splits");
    }
    let mut found: Vec<Found> = proportions(look, &present).into_iter().collect();
    let pairs: Vec<(Split, Split)> = (0..present.len())
        .flat_map(|b| (0..b).map(move |a| (a, b)))
        .map(|(a, b)| (present[a], present[b]))
        .collect();
    for &(a, b) in &pairs {
        job.checkpoint()?;
        found.extend(of_pair(look, a, b, pairs.len()));
    }
    Ok(found)
}

fn members(look: &Look<'_>, split: Split) -> Vec<u32> {
    let splits = look.inputs.manifest.splits();
    (0..look.len() as u32).filter(|&at| splits[look.rows[at as usize] as usize] == split.code()).collect()
}

fn of_pair(look: &Look<'_>, a: Split, b: Split, pairs: usize) -> Option<Found> {
    let drawn = |split: Split| {
        let mut all = members(look, split);
        all.shuffle(&mut random(u64::from(split.code())));
        all.truncate(SIDE);
        all.sort_unstable();
        all
    };
    let (left, right) = (drawn(a), drawn(b));
    if left.len().min(right.len()) < LEAST {
        return None;
    }
    let all = [left.as_slice(), right.as_slice()].concat();
    let distances = distances(look, &all);
    let n = all.len();
    let of = |order: &[u32]| energy(&distances, n, order, left.len());
    let observed = of(&(0..n as u32).collect::<Vec<u32>>());
    let permuted: Vec<f64> =
        (0..TRIALS).into_par_iter().map(|trial| of(&super::chance::shuffled(n, trial)).0).collect();
    let p = share_reaching(observed.0, &permuted);
    // What chance alone gives is no effect.
    let usual = permuted.iter().sum::<f64>() / permuted.len() as f64;
    let effect = ((observed.0 - usual) / observed.1).max(0.0);
    if p * pairs as f64 > CHANCE {
        return None;
    }
    let text = format!(
        "The pictures of {} and {} are not drawn alike: their embeddings differ by an energy coefficient of {effect:.3} \
         (p = {p:.3})",
        a.name(),
        b.name()
    );
    let farthest = farthest_members(&distances, n, left.len());
    Some(
        Found::new(rising(effect, THRESHOLD, WORST), text)
            .figure("energy_coefficient", effect)
            .figure("energy_distance", observed.0)
            .figure("p_value", p)
            .figure("permutations", TRIALS as f64)
            .figure(format!("compared_of_{}", a.name()), left.len() as f64)
            .figure(format!("compared_of_{}", b.name()), right.len() as f64)
            .samples(farthest.into_iter().take(SHOWN).map(|at| look.rows[all[at] as usize])),
    )
}

/// Euclidean distances of all pairs, each computed once in a fixed order.
fn distances(look: &Look<'_>, all: &[u32]) -> Vec<f64> {
    let n = all.len();
    let mut out = vec![0.0; n * n];
    out.par_chunks_mut(n).enumerate().for_each(|(i, row)| {
        for (j, distance) in row.iter_mut().enumerate() {
            if i != j {
                let (a, b) =
                    (look.matrix.row(all[i.min(j)] as usize), look.matrix.row(all[i.max(j)] as usize));
                let cosine = f64::from(neighbors::cosine(a, b)).min(1.0);
                *distance = (2.0 - 2.0 * cosine).max(0.0).sqrt();
            }
        }
    });
    out
}

/// The energy distance of the first `left` of an order and the rest, and twice the mean distance between them.
fn energy(distances: &[f64], n: usize, order: &[u32], left: usize) -> (f64, f64) {
    let mut is_left = vec![false; n];
    order[..left].iter().for_each(|&at| is_left[at as usize] = true);
    let (mut inside_left, mut inside_right, mut between) = (0.0, 0.0, 0.0);
    for (i, row) in distances.chunks_exact(n).enumerate() {
        let (mut own, mut other) = (0.0, 0.0);
        for (distance, &is) in row.iter().zip(&is_left) {
            if is == is_left[i] { own += distance } else { other += distance }
        }
        if is_left[i] {
            inside_left += own;
            between += other;
        } else {
            inside_right += own;
        }
    }
    let (left, right) = (left as f64, (n - left) as f64);
    let between = 2.0 * between / (left * right);
    (between - inside_left / (left * left) - inside_right / (right * right), between)
}

/// Members of the right side, those first that are nearer to their own side than to the other.
fn farthest_members(distances: &[f64], n: usize, left: usize) -> Vec<usize> {
    let nearer = |at: usize| {
        let row = &distances[at * n..(at + 1) * n];
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        mean(&row[left..]) - mean(&row[..left])
    };
    let mut all: Vec<(f64, usize)> = (left..n).map(|at| (nearer(at), at)).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all.into_iter().map(|(_, at)| at).collect()
}

fn proportions(look: &Look<'_>, present: &[Split]) -> Option<Found> {
    let manifest = look.inputs.manifest;
    let place =
        |code: u8| present.iter().position(|split| split.code() == code).map_or(u32::MAX, |at| at as u32);
    let rows = manifest.splits().iter().map(|code| place(*code)).zip(manifest.labels().iter().copied());
    let table = crossed(rows, present.len(), look.class_count());
    let against = association(&table);
    if against.p >= CHANCE {
        return None;
    }
    let (split, class, own, all) = farthest(&table)?;
    let text = format!(
        "The splits have other proportions of classes: {} is {} of {} and {} of all",
        look.class(class as u32),
        percent(own),
        present[split].name(),
        percent(all)
    );
    let missing = (0..look.class_count() as u32).filter(|&class| {
        let counts = table.iter().map(|row| row[class as usize]);
        counts.clone().any(|count| count == 0) && counts.clone().any(|count| count > 0)
    });
    let missing: Vec<u32> = missing.collect();
    let score = rising(against.v, V, WORST_V);
    let text = match missing.first() {
        Some(&class) => format!("{text}; {} is not in every split", look.class(class)),
        None => text,
    };
    // A class that a split does not have cannot be measured in it.
    let score = if missing.is_empty() { score } else { score.min(0.4) };
    Some(
        Found::new(score, text)
            .figure("cramers_v", against.v)
            .figure("chi_square", against.chi_square)
            .figure("degrees_of_freedom", against.degrees)
            .figure("p_value", against.p)
            .figure("classes_missing_in_a_split", missing.len() as f64)
            .classes(
                std::iter::once(class as u32).chain(missing.into_iter().filter(|one| *one != class as u32)),
            ),
    )
}
