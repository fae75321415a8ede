//! The order in which samples are listed.

use super::ordered::ordered;
use super::paths;
use super::rows::gather;
use super::{Source, attribute, variety};
use crate::groups::{self, Group};
use crate::{Error, Result};
use chaffinch_compute::sorting;
use chaffinch_compute::sorting::Unwanted;
use chaffinch_data::manifest::NO_LABEL;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Query, Sort};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Sorts rows given in rank order, worst first. Samples without a sort key are last in either direction.
///
/// # Errors
/// For a detector without results, and [`Error::Stopped`](crate::Error::Stopped) once it is no longer wanted.
pub(super) fn sort(
    source: &Source<'_>,
    mut rows: Vec<u32>,
    query: &Query,
    unwanted: Unwanted<'_>,
) -> Result<Vec<u32>> {
    let by_row = |key: &(dyn Fn(u32) -> Option<u32> + Sync)| by_row(&rows, key, unwanted);
    let (mut keyed, rest) = match &query.sort {
        Sort::Rank => {
            // Samples without a score are already last.
            let scored = |row: &u32| source.ranking.score(*row as usize).is_some();
            let split = match source.ranking.len() < source.manifest.len() {
                // They are unordered, so each is checked.
                true => {
                    let scores = source.ranking.scores();
                    let scored = |row: &&u32| scores.get(**row as usize).is_some_and(|score| !score.is_nan());
                    rows.iter().take_while(scored).count()
                }
                false => rows.partition_point(scored),
            };
            let rest = rows.split_off(split);
            (rows, rest)
        }
        Sort::Detector(name) => {
            let result = source.results.get(name).ok_or_else(|| source.no_detector(name))?;
            let scores = result.scores();
            by_row(&|row| {
                scores.get(row as usize).filter(|score| !score.is_nan()).map(|score| score.to_bits())
            })?
        }
        Sort::Attribute(name) => {
            let (result, name) = attribute(source.results, name).ok_or_else(|| source.no_attribute(name))?;
            by_row(&|row| result.attribute(name, SampleId(row)).map(ordered))?
        }
        Sort::Meaning(_) => by_meaning(source, &rows, unwanted)?,
        Sort::Learned(_) => (by_learned(source, &rows, unwanted)?, Vec::new()),
        Sort::Class => {
            let labels = source.manifest.labels();
            let label = |row: u32| Some(labels[row as usize]).filter(|label| *label != NO_LABEL);
            // Classes in reverse, but still worst first within each.
            let directed = |label: u32| if query.descending { NO_LABEL - label } else { label };
            let number = |index, row| Some(u64::from(directed(label(row)?)) << 32 | u64::from(index));
            let sorted = by_place(&rows, gather(&rows, unwanted, number)?, unwanted)?;
            let rest = gather(&rows, unwanted, |_, row| label(row).is_none().then_some(row))?;
            return Ok([sorted, rest].concat());
        }
        Sort::Path => (paths::by_path(source.manifest, &rows, unwanted)?, Vec::new()),
        Sort::Random => by_row(&|row| Some(shuffled(row)))?,
        Sort::Uncertain => variety::uncertain(source, &rows, unwanted)?,
        Sort::Diverse => variety::diverse(source, &rows, unwanted)?,
        Sort::Clusters => variety::of_each_cluster(source, &rows, unwanted)?,
        Sort::Group => by_group(source, &rows, unwanted)?,
    };
    if query.descending {
        keyed.reverse();
    }
    keyed.extend(rest);
    Ok(keyed)
}

/// Rows by a key, ties in manifest order; and those without a key, in manifest order.
fn by_row(
    rows: &[u32],
    key: &(dyn Fn(u32) -> Option<u32> + Sync),
    unwanted: Unwanted<'_>,
) -> Result<(Vec<u32>, Vec<u32>)> {
    let number = |_, row| Some(u64::from(key(row)?) << 32 | u64::from(row));
    let mut keyed = gather(rows, unwanted, number)?;
    sorting::sort(&mut keyed, unwanted)?;
    let mut rest = Vec::new();
    if keyed.len() < rows.len() {
        rest = gather(rows, unwanted, |_, row| key(row).is_none().then_some(u64::from(row)))?;
        sorting::sort(&mut rest, unwanted)?;
    }
    let row = |key: &u64| *key as u32;
    Ok((keyed.par_iter().map(row).collect(), rest.par_iter().map(row).collect()))
}

/// The most similar first, ties in manifest order; and those without a vector, in manifest order. Each is compared once:
/// that takes longer than sorting.
fn by_meaning(source: &Source<'_>, rows: &[u32], unwanted: Unwanted<'_>) -> Result<(Vec<u32>, Vec<u32>)> {
    /// No similarity has this key.
    const NONE: u32 = u32::MAX;
    let (Some(direction), Some(atlas)) = (source.direction, source.atlas) else {
        return Err(Error::Invalid("there are no embeddings to search by meaning; scan first".into()));
    };
    let key = |row| direction.similarity(atlas.matrix(), row).map_or(NONE, |similarity| !ordered(similarity));
    let number = |_, row| Some(u64::from(key(row)) << 32 | u64::from(row));
    let mut keyed = gather(rows, unwanted, number)?;
    sorting::sort(&mut keyed, unwanted)?;
    let known = keyed.partition_point(|keyed| (keyed >> 32) as u32 != NONE);
    let rows: Vec<u32> = keyed.par_iter().map(|keyed| *keyed as u32).collect();
    Ok((rows[..known].to_vec(), rows[known..].to_vec()))
}

/// The likeliest to be bad first, by what was learned from decisions; ties as they are ranked.
fn by_learned(source: &Source<'_>, rows: &[u32], unwanted: Unwanted<'_>) -> Result<Vec<u32>> {
    let none = || Error::Invalid("nothing was learned from decisions for this list".into());
    let scores = source.learned.ok_or_else(none)?.scores(source.evidence(), rows);
    let number = |place, row| Some(u64::from(!ordered(scores(row))) << 32 | u64::from(place));
    by_place(rows, gather(rows, unwanted, number)?, unwanted)
}

/// Rows by numbers that have the row's index in their lower half.
fn by_place(rows: &[u32], mut keyed: Vec<u64>, unwanted: Unwanted<'_>) -> Result<Vec<u32>> {
    sorting::sort(&mut keyed, unwanted)?;
    Ok(keyed.par_iter().map(|&key| rows[key as u32 as usize]).collect())
}

/// A fixed shuffle: a row always gives the same number.
pub(crate) fn shuffled(row: u32) -> u32 {
    let mut x = (u64::from(row) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 32) as u32
}

/// Groups together, in the order of [`groups::worst_first`], then samples without a group. If several detectors report
/// groups, the first one with a group for a sample counts.
fn by_group(source: &Source<'_>, rows: &[u32], unwanted: Unwanted<'_>) -> Result<(Vec<u32>, Vec<u32>)> {
    let order = groups::worst_first(source.results, source.ranking);
    let places: BTreeMap<Group, u32> = order.into_iter().zip(0..).collect();
    let results: Vec<_> =
        (0_u16..).zip(source.results.values()).filter(|(_, result)| result.record().groups).collect();
    let group = |row: u32| {
        results.iter().find_map(|(detector, result)| {
            let group = result.group(SampleId(row))?;
            places.get(&Group { detector: *detector, group }).copied()
        })
    };
    let number = |index, row| Some(u64::from(group(row)?) << 32 | u64::from(index));
    let keyed = gather(rows, unwanted, number)?;
    let rest = if keyed.len() == rows.len() {
        Vec::new()
    } else {
        gather(rows, unwanted, |_, row| group(row).is_none().then_some(row))?
    };
    Ok((by_place(rows, keyed, unwanted)?, rest))
}
