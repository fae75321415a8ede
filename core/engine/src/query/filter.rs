//! Which samples match.

use super::Source;
use super::needle::Needle;
use super::parse::{Comparison, Test, Word};
use super::rows::{Bits, Unwanted, gather};
use crate::atlas::{Atlas, Neighborhoods};
use crate::columns::DetectorResult;
use crate::manifest::NO_LABEL;
use crate::nearest::hint;
use crate::protocol::{Area, Axes};
use crate::sample::SampleId;
use crate::{Error, Result};
use std::borrow::Cow;

/// From this share of all rows on it is quicker to go through all of them than to single them out.
const FEW: usize = 8;

/// A filter made ready for one source.
pub(super) struct Filter<'a> {
    tests: Vec<(bool, Ready<'a>)>,
}

/// A test with everything looked up that is the same for all samples.
enum Ready<'a> {
    Path(Box<Needle>),
    /// By class: whether it is wanted.
    Class(Vec<bool>),
    /// By class, and the detectors that suggest.
    Suggested(Vec<bool>, Vec<(&'a DetectorResult, f32)>),
    Detector(&'a [f32], f32),
    Split(u8),
    Score(Comparison, f32),
    /// By row.
    Rows(Vec<bool>),
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

    /// The rows that match, in the order given.
    ///
    /// # Errors
    /// [`Error::Stopped`] once they are unwanted.
    pub(super) fn keep(&self, source: &Source<'_>, rows: &[u32], unwanted: Unwanted<'_>) -> Result<Vec<u32>> {
        // Searching paths is the slowest; the others first leave less of it.
        let (paths, quick): (Vec<_>, Vec<_>) =
            self.tests.iter().partition(|(_, test)| matches!(test, Ready::Path(_)));
        let mut kept = Cow::Borrowed(rows);
        if !quick.is_empty() {
            let all = |row: u32| {
                quick.iter().all(|(negated, test)| test.matches(source, SampleId(row)) != *negated)
            };
            let mark = |first: usize, marks: &mut [bool]| {
                marks.fill(true);
                quick.iter().for_each(|(negated, test)| test.narrow(source, first, *negated, marks));
            };
            let found = match many(source, rows) {
                true => Bits::new(source.manifest.len(), unwanted, mark)?,
                false => Bits::listed(rows, source.manifest.len()).that(unwanted, all)?,
            };
            kept = Cow::Owned(gather(&kept, unwanted, |_, row| found.has(row).then_some(row))?);
        }
        for (negated, test) in paths {
            let each = |row: u32| test.matches(source, SampleId(row)) != *negated;
            let found = match test {
                Ready::Path(needle) if many(source, &kept) => {
                    needle.rows(source.manifest, *negated, unwanted)?
                }
                _ => Bits::listed(&kept, source.manifest.len()).that(unwanted, each)?,
            };
            kept = Cow::Owned(gather(&kept, unwanted, |_, row| found.has(row).then_some(row))?);
        }
        Ok(kept.into_owned())
    }
}

/// Whether it is quicker to go through all rows.
fn many(source: &Source<'_>, rows: &[u32]) -> bool {
    rows.len() > source.manifest.len() / FEW
}

fn ready<'a>(source: &Source<'a>, test: &Test) -> Result<Ready<'a>> {
    Ok(match test {
        Test::Path(text) => Ready::Path(Box::new(Needle::new(text))),
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
        Test::Unreadable => Ready::Rows(marked(source, source.facts.unreadable.keys().copied(), true)),
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
    /// Takes out of the rows from `first` on those that do not match, or with `negated` those that do. What kind of test
    /// it is is asked once for all of them.
    fn narrow(&self, source: &Source<'_>, first: usize, negated: bool, marks: &mut [bool]) {
        fn each<'a, T: 'a>(
            values: impl IntoIterator<Item = T>,
            negated: bool,
            marks: &mut [bool],
            matches: impl Fn(T) -> bool,
        ) {
            marks.iter_mut().zip(values).for_each(|(mark, value)| *mark &= matches(value) != negated);
        }
        let rows = first..first + marks.len();
        match self {
            Ready::Class(wanted) => each(&source.manifest.labels()[rows], negated, marks, |label| {
                // No label is no class.
                wanted.get(*label as usize) == Some(&true)
            }),
            Ready::Detector(scores, threshold) if scores.len() >= rows.end => {
                each(&scores[rows], negated, marks, |score| score < threshold);
            }
            Ready::Split(code) => {
                each(&source.manifest.splits()[rows], negated, marks, |split| split == code);
            }
            Ready::Score(Comparison::Below, number) if source.ranking.score.len() >= rows.end => {
                each(&source.ranking.score[rows], negated, marks, |score| score < number);
            }
            Ready::Rows(marked) => each(&marked[rows], negated, marks, |marked| *marked),
            _ => each(rows, negated, marks, |row| self.matches(source, SampleId(row as u32))),
        }
    }

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
        }
    }
}
