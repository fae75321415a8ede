//! Orders that help to learn about a dataset from few samples: those that the detectors are least sure of, those that are
//! unlike each other, and one of each cluster in turn.

use super::Source;
use super::ordered::ordered;
use crate::atlas::Atlas;
use crate::{Error, Result};
use chaffinch_compute::neighbors::cosine;
use chaffinch_compute::sorting;
use chaffinch_compute::sorting::Unwanted;
use chaffinch_data::manifest::NO_LABEL;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};

/// How many of the first rows are compared with each other, so that a list of millions waits no longer than one of thousands.
const CONSIDERED: usize = 20_000;
/// How many of them are put in an order of their own.
const CHOSEN: usize = 500;

/// Rows that have a place in the order, and the others.
type Split = (Vec<u32>, Vec<u32>);

/// The rows whose score is nearest to where a sample is as likely bad as fine, as uncertainty sampling asks (Lewis and Gale
/// 1994); ties as they are ranked. Rows without a score are the others.
pub(super) fn uncertain(source: &Source<'_>, rows: &[u32], unwanted: Unwanted<'_>) -> Result<Split> {
    let scores = source.ranking.scores();
    let score = |row: &u32| scores.get(*row as usize).copied().filter(|score| !score.is_nan());
    let (known, rest): (Vec<u32>, Vec<u32>) = rows.iter().partition(|row| score(row).is_some());
    let key = |(place, row): (u64, &u32)| {
        let distance = score(row).map_or(0.0, |score| (score - 0.5).abs());
        u64::from(ordered(distance)) << 32 | place
    };
    let mut keyed: Vec<u64> = (0..).zip(&known).map(key).collect();
    sorting::sort(&mut keyed, unwanted)?;
    Ok((keyed.into_iter().map(|key| known[key as u32 as usize]).collect(), rest))
}

/// The first row, then each time the one that is least like all before it: farthest-first traversal (Gonzalez 1985) of the
/// first [`CONSIDERED`] rows for [`CHOSEN`] steps. Then the others as they are ranked; those without an embedding are last.
pub(super) fn diverse(source: &Source<'_>, rows: &[u32], unwanted: Unwanted<'_>) -> Result<Split> {
    let atlas = atlas(source)?;
    let is_known = |row: u32| atlas.usable(row) && atlas.matrix().row(row as usize).iter().any(|&x| x != 0.0);
    let (known, rest): (Vec<u32>, Vec<u32>) = rows.iter().partition(|&&row| is_known(row));
    let considered = &known[..known.len().min(CONSIDERED)];
    let mut nearest = vec![f32::NEG_INFINITY; considered.len()];
    let mut chosen: Vec<usize> = Vec::new();
    let mut next = (!considered.is_empty()).then_some(0);
    while let Some(place) = next.filter(|_| chosen.len() < CHOSEN) {
        if unwanted() {
            return Err(Error::Stopped);
        }
        chosen.push(place);
        let one = atlas.matrix().row(considered[place] as usize);
        nearest.par_iter_mut().zip(considered).for_each(|(nearest, &row)| {
            *nearest = nearest.max(cosine(one, atlas.matrix().row(row as usize)));
        });
        // It is taken, whatever rounding says.
        nearest[place] = f32::INFINITY;
        let free = nearest.iter().enumerate().filter(|(_, nearest)| nearest.is_finite());
        next = free.min_by(|a, b| a.1.total_cmp(b.1).then(a.0.cmp(&b.0))).map(|(place, _)| place);
    }
    let mut taken = vec![false; known.len()];
    chosen.iter().for_each(|&place| taken[place] = true);
    let others = known.iter().zip(&taken).filter(|(_, taken)| !**taken).map(|(&row, _)| row);
    Ok((chosen.iter().map(|&place| known[place]).chain(others).collect(), rest))
}

/// The first row of each cluster of each class as they are ranked, then the second of each, and so on. Rows without a label or
/// an embedding are the others.
pub(super) fn of_each_cluster(source: &Source<'_>, rows: &[u32], unwanted: Unwanted<'_>) -> Result<Split> {
    let atlas = atlas(source)?;
    let labels = source.manifest.labels();
    let mut clusters: HashMap<u32, u32> = HashMap::new();
    let mut classes: Vec<u32> = rows.iter().map(|&row| labels[row as usize]).collect();
    classes.sort_unstable();
    classes.dedup();
    for class in classes.into_iter().filter(|&class| class != NO_LABEL) {
        if unwanted() {
            return Err(Error::Stopped);
        }
        let found = atlas.clusters(class);
        for (number, cluster) in (0..).zip(&found.all) {
            cluster.members.iter().for_each(|&member| _ = clusters.insert(member, number));
        }
    }
    let (known, rest): (Vec<u32>, Vec<u32>) = rows.iter().partition(|row| clusters.contains_key(row));
    let mut turns: BTreeMap<(u32, u32), u32> = BTreeMap::new();
    let key = |(place, row): (u64, &u32)| {
        let turn = turns.entry((labels[*row as usize], clusters[row])).or_default();
        *turn += 1;
        u64::from(*turn) << 32 | place
    };
    let mut keyed: Vec<u64> = (0..).zip(&known).map(key).collect();
    sorting::sort(&mut keyed, unwanted)?;
    Ok((keyed.into_iter().map(|key| known[key as u32 as usize]).collect(), rest))
}

fn atlas<'a>(source: &Source<'a>) -> Result<&'a Atlas> {
    let none = || Error::Invalid("there are no embeddings to compare; scan with a model first".into());
    source.atlas.ok_or_else(none)
}
