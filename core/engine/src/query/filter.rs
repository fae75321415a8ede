//! Which samples match.

use super::Source;
use super::needle::Needle;
use super::parse::{Comparison, Test, Word};
use crate::atlas::{Atlas, Neighborhoods};
use crate::columns::DetectorResult;
use crate::manifest::NO_LABEL;
use crate::nearest::hint;
use crate::protocol::{Area, Axes};
use crate::sample::SampleId;
use crate::{Error, Result};
use rayon::prelude::*;

/// From this share of all rows on it is quicker to go through all of them in the order they lie in memory.
const FEW: usize = 8;
/// Rows that one thread takes at a time.
const PART: usize = 1 << 14;

/// A filter made ready for one source.
pub(super) struct Filter<'a> {
    tests: Vec<(bool, Ready<'a>)>,
}

/// A test with everything looked up that is the same for all samples.
enum Ready<'a> {
    Path(Needle),
    /// By class: whether it is wanted.
    Class(Vec<bool>),
    /// By class, and the detectors that suggest.
    Suggested(Vec<bool>, Vec<(&'a DetectorResult, f32)>),
    Detector(&'a [f32], f32),
    Split(u8),
    Score(Comparison, f32),
    /// By row.
    Rows(Vec<bool>),
    Unreadable,
    Map(&'a [[f32; 2]], Area),
}

impl<'a> Filter<'a> {
    pub(super) fn new(source: &Source<'a>, words: &[Word]) -> Result<Filter<'a>> {
        let mut tests = Vec::new();
        for word in words {
            tests.push((word.negated, ready(source, &word.test)?));
        }
        Ok(Filter { tests })
    }

    /// The rows that match, in the order given; any rows once they are unwanted.
    pub(super) fn keep(
        &self,
        source: &Source<'_>,
        rows: Vec<u32>,
        unwanted: &(dyn Fn() -> bool + Sync),
    ) -> Vec<u32> {
        // Searching paths is the slowest; the others first leave less of it.
        let (paths, quick): (Vec<_>, Vec<_>) =
            self.tests.iter().partition(|(_, test)| matches!(test, Ready::Path(_)));
        let keep = |rows: Vec<u32>, tests: &[&(bool, Ready<'_>)]| -> Vec<u32> {
            let all = |row: u32| {
                tests.iter().all(|(negated, test)| test.matches(source, SampleId(row)) != *negated)
            };
            if rows.len() > source.manifest.len() / FEW {
                let found = in_order(source.manifest.len(), &all, unwanted);
                return rows.into_par_iter().filter(|&row| found[row as usize]).collect();
            }
            let part = |part: &[u32]| -> Vec<u32> {
                if unwanted() { Vec::new() } else { part.iter().copied().filter(|&row| all(row)).collect() }
            };
            rows.par_chunks(PART).flat_map_iter(part).collect()
        };
        let mut rows = if quick.is_empty() { rows } else { keep(rows, &quick) };
        for test in paths {
            rows = match &test.1 {
                Ready::Path(needle) if rows.len() > source.manifest.len() / FEW => {
                    let found = needle.rows(source.manifest, unwanted);
                    rows.into_par_iter().filter(|&row| found[row as usize] != test.0).collect()
                }
                _ => keep(rows, &[test]),
            };
        }
        rows
    }
}

/// By row whether it matches; anything once it is unwanted.
fn in_order(
    count: usize,
    matches: &(dyn Fn(u32) -> bool + Sync),
    unwanted: &(dyn Fn() -> bool + Sync),
) -> Vec<bool> {
    let mut found = vec![false; count];
    found.par_chunks_mut(PART).enumerate().for_each(|(part, found)| {
        if !unwanted() {
            for (row, found) in ((part * PART) as u32..).zip(found) {
                *found = matches(row);
            }
        }
    });
    found
}

fn ready<'a>(source: &Source<'a>, test: &Test) -> Result<Ready<'a>> {
    Ok(match test {
        Test::Path(text) => Ready::Path(Needle::new(text)),
        Test::Class(name) => Ready::Class(classes(source, name)?),
        Test::Suggested(name) => {
            let results = source.results.iter();
            let suggesting = results.filter(|(_, result)| result.suggests());
            let results =
                suggesting.map(|(name, result)| (result.as_ref(), source.threshold(name))).collect();
            Ready::Suggested(classes(source, name)?, results)
        }
        Test::Detector(name) => {
            let result = source.results.get(name).ok_or_else(|| source.no_detector(name))?;
            Ready::Detector(result.scores(), source.threshold(name))
        }
        Test::Split(split) => Ready::Split(split.code()),
        Test::Choice(word) => {
            let chosen = source.decisions.iter().filter(|(_, decision)| decision.choice.word() == word);
            Ready::Rows(marked(source, chosen.map(|(id, _)| id), true))
        }
        Test::Decided(decided) => {
            Ready::Rows(marked(source, source.decisions.iter().map(|(id, _)| id), *decided))
        }
        Test::Tag(tag) => {
            let tag = tag.to_lowercase();
            let has = |tags: &[String]| tags.iter().any(|other| other.to_lowercase() == tag);
            let tagged = source.decisions.tagged().filter(|(_, tags)| has(tags));
            Ready::Rows(marked(source, tagged.map(|(id, _)| id), true))
        }
        Test::Score(comparison, number) => Ready::Score(*comparison, *number),
        Test::Leak => Ready::Rows(leaks(source)),
        Test::Unreadable => Ready::Unreadable,
        Test::Map(Axes::Components, area) => Ready::Map(atlas(source)?.projection().points(), *area),
        Test::Map(Axes::Neighborhoods, area) => match atlas(source)?.neighborhoods_now() {
            Neighborhoods::Made(points) => Ready::Map(points, *area),
            _ => {
                let message = "'tsne:' needs the map of neighborhoods: show it first, it is made then";
                return Err(Error::Invalid(message.into()));
            }
        },
        Test::Cluster(class, number) => Ready::Rows(cluster(source, class, *number)?),
    })
}

fn atlas<'a>(source: &Source<'a>) -> Result<&'a Atlas> {
    source.atlas.ok_or_else(|| {
        Error::Invalid(
            "'map:', 'tsne:' and 'cluster:' need embeddings: scan first, and look in the interface".into(),
        )
    })
}

/// Members of one cluster of a class of exactly this name, any case.
fn cluster(source: &Source<'_>, class: &str, number: usize) -> Result<Vec<bool>> {
    let atlas = atlas(source)?;
    let name = class.to_lowercase();
    let named = source.manifest.classes().iter().position(|class| class.to_lowercase() == name);
    let Some(class) = named else {
        let hint = hint(class, source.manifest.classes().iter().map(String::as_str));
        return Err(Error::Invalid(format!("no class is called '{class}'{hint}")));
    };
    let clusters = atlas.clusters(class as u32);
    let Some(cluster) = clusters.all.get(number - 1) else {
        return Err(Error::Invalid(format!(
            "the class has {} clusters, no number {number}",
            clusters.all.len()
        )));
    };
    Ok(marked(source, cluster.members.iter().map(|row| SampleId(*row)), true))
}

/// By row `value` for some samples, the opposite for the others.
fn marked(source: &Source<'_>, samples: impl Iterator<Item = SampleId>, value: bool) -> Vec<bool> {
    let mut rows = vec![!value; source.manifest.len()];
    for id in samples {
        rows[id.index()] = value;
    }
    rows
}

/// The classes a name means.
fn classes(source: &Source<'_>, name: &str) -> Result<Vec<bool>> {
    let name = name.to_lowercase();
    let known: Vec<String> = source.manifest.classes().iter().map(|class| class.to_lowercase()).collect();
    let exact: Vec<bool> = known.iter().map(|class| *class == name).collect();
    if exact.contains(&true) {
        return Ok(exact);
    }
    let alike: Vec<bool> = known.iter().map(|class| class.contains(&name)).collect();
    if alike.contains(&true) {
        return Ok(alike);
    }
    let hint = hint(&name, source.manifest.classes().iter().map(String::as_str));
    Err(Error::Invalid(format!("no class is called '{name}'{hint}")))
}

/// Members of groups that reach across splits.
fn leaks(source: &Source<'_>) -> Vec<bool> {
    let count = source.manifest.len();
    let mut leaks = vec![false; count];
    let splits = source.manifest.splits();
    for result in source.results.values().filter(|result| result.len() == count) {
        for group in result.grouped().chunk_by(|a, b| a.0 == b.0) {
            // No split at all is no side of a leak.
            let reached =
                group.iter().fold(0_u8, |reached, &(_, row)| reached | 1 << splits[row as usize]) & !1;
            if reached.count_ones() > 1 {
                for &(_, row) in group {
                    leaks[row as usize] = true;
                }
            }
        }
    }
    leaks
}

impl Ready<'_> {
    fn matches(&self, source: &Source<'_>, id: SampleId) -> bool {
        match self {
            Ready::Path(needle) => needle.is_in(source.manifest.path(id)),
            Ready::Class(wanted) => {
                let label = source.manifest.labels()[id.index()];
                label != NO_LABEL && wanted[label as usize]
            }
            Ready::Suggested(wanted, results) => results.iter().any(|(result, threshold)| {
                let flagged = result.score(id).is_some_and(|score| score < *threshold);
                flagged && result.suggested(id).is_some_and(|label| wanted.get(label as usize) == Some(&true))
            }),
            Ready::Detector(scores, threshold) => {
                scores.get(id.index()).is_some_and(|score| score < threshold)
            }
            Ready::Split(code) => source.manifest.splits()[id.index()] == *code,
            Ready::Score(comparison, number) => {
                let score = source.ranking.score.get(id.index()).copied().unwrap_or(f32::NAN);
                match comparison {
                    Comparison::Below => score < *number,
                    Comparison::AtMost => score <= *number,
                    Comparison::Above => score > *number,
                    Comparison::AtLeast => score >= *number,
                }
            }
            Ready::Rows(rows) => rows[id.index()],
            Ready::Map(points, area) => points.get(id.index()).is_some_and(|[x, y]| area.contains(*x, *y)),
            Ready::Unreadable => !source.facts.decodable(id),
        }
    }
}
