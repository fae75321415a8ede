//! In which order samples are listed.

use super::Source;
use crate::Result;
use crate::protocol::{Query, Sort};
use crate::sample::SampleId;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;

/// Sorts rows that come in rank order, worst first. Samples that an order says nothing about are last in either
/// direction.
pub(super) fn sort(source: &Source<'_>, mut rows: Vec<u32>, query: &Query) -> Result<Vec<u32>> {
    let labels = source.manifest.labels();
    let (keyed, rest): (Vec<u32>, Vec<u32>) = match &query.sort {
        Sort::Rank => {
            let score = &source.ranking.score;
            // Those without a score come last already.
            let scored = |row: &u32| score.get(*row as usize).is_some_and(|score| !score.is_nan());
            let split = match score.len() < source.manifest.len() {
                true => rows.iter().take_while(|row| scored(row)).count(),
                false => rows.partition_point(scored),
            };
            let rest = rows.split_off(split);
            (rows, rest)
        }
        Sort::Detector(name) => {
            let result = source.results.get(name).ok_or_else(|| source.no_detector(name))?;
            let scores = result.scores();
            let key = |row: u32| {
                scores.get(row as usize).filter(|score| !score.is_nan()).map(|score| (score.to_bits(), row))
            };
            by_key(&rows, key)
        }
        Sort::Class => {
            // Places in rank order stand for the rank itself.
            let mut keyed: Vec<(u32, u32, u32)> =
                (0_u32..).zip(&rows).map(|(place, &row)| (labels[row as usize], place, row)).collect();
            keyed.par_sort_unstable();
            let split = keyed.partition_point(|key| key.0 != crate::manifest::NO_LABEL);
            let rest = keyed.split_off(split).into_iter().map(|key| key.2).collect();
            if query.descending {
                // The classes from the last to the first, within each the worst first all the same.
                keyed.sort_by_key(|key| std::cmp::Reverse(key.0));
            }
            return Ok(joined(keyed.into_iter().map(|key| key.2).collect(), rest, false));
        }
        Sort::Path => {
            rows.par_sort_unstable();
            let path = |row: &u32| source.manifest.path(SampleId(*row)).as_os_str().as_bytes();
            // A folder's manifest is in this order already.
            if !rows.par_windows(2).all(|pair| path(&pair[0]) <= path(&pair[1])) {
                rows.par_sort_by(|a, b| path(a).cmp(path(b)));
            }
            (rows, Vec::new())
        }
        Sort::Random => by_key(&rows, |row| Some((shuffled(row), row))),
        Sort::Group => by_group(source, rows),
    };
    Ok(joined(keyed, rest, query.descending))
}

fn joined(mut keyed: Vec<u32>, rest: Vec<u32>, descending: bool) -> Vec<u32> {
    if descending {
        keyed.reverse();
    }
    keyed.extend(rest);
    keyed
}

/// Rows by a key, and those without one in manifest order.
fn by_key<K: Ord + Send>(rows: &[u32], key: impl Fn(u32) -> Option<K> + Sync) -> (Vec<u32>, Vec<u32>) {
    let mut keyed: Vec<(K, u32)> = rows.par_iter().filter_map(|&row| Some((key(row)?, row))).collect();
    keyed.par_sort_unstable();
    let mut rest: Vec<u32> = if keyed.len() == rows.len() {
        Vec::new()
    } else {
        rows.par_iter().copied().filter(|&row| key(row).is_none()).collect()
    };
    rest.par_sort_unstable();
    (keyed.into_iter().map(|(_, row)| row).collect(), rest)
}

/// A fixed shuffle: the same row gives the same number for ever.
fn shuffled(row: u32) -> u64 {
    let mut x = (u64::from(row) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Groups together, each where its worst member stands in rank order, then samples without a group. Of several
/// detectors that judge groups the first that gives a sample one counts.
fn by_group(source: &Source<'_>, rows: Vec<u32>) -> (Vec<u32>, Vec<u32>) {
    let results: Vec<_> = source.results.values().filter(|result| result.record().groups).collect();
    let group = |row: u32| {
        let groups =
            (0_u32..).zip(&results).filter_map(|(place, result)| Some((place, result.group(SampleId(row))?)));
        groups.into_iter().next()
    };
    let grouped: Vec<((u32, u32), u32)> =
        rows.par_iter().filter_map(|&row| Some((group(row)?, row))).collect();
    let mut first: BTreeMap<(u32, u32), u32> = BTreeMap::new();
    let mut keyed: Vec<(u32, u32, u32)> = Vec::with_capacity(grouped.len());
    for (place, &(group, row)) in (0_u32..).zip(&grouped) {
        keyed.push((*first.entry(group).or_insert(place), place, row));
    }
    keyed.par_sort_unstable();
    let rest = if keyed.len() == rows.len() {
        Vec::new()
    } else {
        rows.par_iter().copied().filter(|&row| group(row).is_none()).collect()
    };
    (keyed.into_iter().map(|(_, _, row)| row).collect(), rest)
}
