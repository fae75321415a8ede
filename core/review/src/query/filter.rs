//! Which samples match.

use super::glob::Glob;
use super::needle::Needle;
use super::parse::{Comparison, Run, Test, Text, Word};
use super::rows::{Bits, gather};
use super::{Source, attribute};
use crate::atlas::Atlas;
use crate::groups::across_splits;
use crate::verdict::is_flagged;
use crate::{Error, Result};
use chaffinch_compute::sorting::Unwanted;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::nearest::hint;
use chaffinch_protocol::Area;
use chaffinch_protocol::sample::SampleId;
use std::borrow::Cow;

/// Above this share of all rows, scanning all of them is faster than visiting single ones.
const FEW: usize = 8;

/// A filter prepared for one source.
pub(super) struct Filter<'a> {
    tests: Vec<(bool, Ready<'a>)>,
}

/// A test with everything resolved that is the same for all samples.
enum Ready<'a> {
    Path(Box<Needle>),
    PathLike(Glob),
    /// By class, whether it matches.
    Class(Vec<bool>),
    /// By class, and the detectors that suggest labels.
    Suggested(Vec<bool>, Vec<(&'a DetectorResult, f32)>),
    Detector(&'a [f32], f32),
    /// Flagged by the first scores and not by the second.
    Only(&'a [f32], &'a [f32], f32),
    Split(u8),
    /// Scores by row.
    Score(&'a [f32], Comparison, f32),
    /// Values of an attribute.
    Attribute(&'a DetectorResult, String, Comparison, f32),
    /// By row.
    Rows(Vec<bool>),
    Map(&'a [[f32; 2]], Area),
    /// At least one of these lists of tests.
    Any(Vec<Vec<(bool, Ready<'a>)>>),
}

impl<'a> Filter<'a> {
    pub(super) fn new(source: &Source<'a>, words: &[Word]) -> Result<Filter<'a>> {
        Ok(Filter { tests: all_ready(source, words)? })
    }

    /// The matching rows, in the given order.
    ///
    /// # Errors
    /// [`Error::Stopped`] once they are no longer wanted.
    pub(super) fn keep(&self, source: &Source<'_>, rows: &[u32], unwanted: Unwanted<'_>) -> Result<Vec<u32>> {
        // Searching paths is slowest; running the other tests first leaves fewer of them.
        let (paths, quick): (Vec<_>, Vec<_>) = self.tests.iter().partition(|(_, test)| test.reads_paths());
        let groups = std::iter::once(&quick[..]).chain(paths.chunks(1)).filter(|group| !group.is_empty());
        let mut kept = Cow::Borrowed(rows);
        for group in groups {
            let found = found(source, &kept, group, unwanted)?;
            kept = Cow::Owned(gather(&kept, unwanted, |_, row| found.has(row).then_some(row))?);
        }
        Ok(kept.into_owned())
    }
}

/// Which rows match, at least for those in a list.
fn found(
    source: &Source<'_>,
    rows: &[u32],
    tests: &[&(bool, Ready<'_>)],
    unwanted: Unwanted<'_>,
) -> Result<Bits> {
    let count = source.manifest.len();
    let narrow = |first: usize, marks: &mut [bool]| {
        marks.fill(true);
        tests.iter().for_each(|(negated, test)| test.narrow(source, first, *negated, marks));
    };
    match tests {
        _ if rows.len() <= count / FEW => Bits::listed(rows, count).that(unwanted, |row| {
            let mut mark = [true];
            narrow(row as usize, &mut mark);
            mark[0]
        }),
        [(negated, Ready::Path(needle))] => needle.rows(source.manifest, *negated, unwanted),
        _ => Bits::new(count, unwanted, narrow),
    }
}

fn all_ready<'a>(source: &Source<'a>, words: &[Word]) -> Result<Vec<(bool, Ready<'a>)>> {
    let one = |word: &Word| {
        let test = ready(source, &word.test).map_err(|error| match error {
            Error::Invalid(message) => Error::Filter { message, at: word.at },
            other => other,
        });
        Ok((word.negated, test?))
    };
    words.iter().map(one).collect()
}

fn ready<'a>(source: &Source<'a>, test: &Test) -> Result<Ready<'a>> {
    Ok(match test {
        Test::Any(lists) => {
            Ready::Any(lists.iter().map(|list| all_ready(source, list)).collect::<Result<_>>()?)
        }
        Test::Path(text) => Ready::Path(Box::new(Needle::new(text))),
        Test::PathLike(glob) => Ready::PathLike(glob.clone()),
        Test::Class(name) => Ready::Class(classes(source, name)?),
        Test::Suggested(name) => {
            let results = source.results.iter();
            let suggesting = results.filter(|(_, result)| result.suggests());
            let results =
                suggesting.map(|(name, result)| (result.as_ref(), source.threshold(name))).collect();
            Ready::Suggested(classes(source, name)?, results)
        }
        Test::Detector(name) => {
            let named = |known: &str| match name {
                Text::Plain(name) => known == name,
                Text::Like(glob) => glob.is(known),
            };
            let results = source.results.iter().filter(|(known, _)| named(known));
            let mut found: Vec<Ready<'_>> = results
                .map(|(name, result)| Ready::Detector(result.scores(), source.threshold(name)))
                .collect();
            match (found.len(), name) {
                (0, Text::Plain(name)) => return Err(source.no_detector(name)),
                (0, Text::Like(_)) => return Err(source.no_detector_like()),
                (1, _) => found.remove(0),
                _ => Ready::Any(found.into_iter().map(|test| vec![(false, test)]).collect()),
            }
        }
        Test::Run(name, run) => {
            let (now, before) = source
                .results
                .get(name)
                .zip(source.previous.get(name))
                .ok_or_else(|| source.no_runs(name))?;
            let (only, not) = if *run == Run::Last { (now, before) } else { (before, now) };
            Ready::Only(only.scores(), not.scores(), source.threshold(name))
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
            let has = |tags: &[String]| tags.iter().any(|other| is(tag, other));
            let tagged = source.decisions.tagged().filter(|(_, tags)| has(tags));
            Ready::Rows(marked(source, tagged.map(|(id, _)| id), true))
        }
        Test::Note(text) => {
            let has = |note: &str| match text {
                Text::Plain(text) => note.to_lowercase().contains(&text.to_lowercase()),
                Text::Like(glob) => glob.is(note),
            };
            let said =
                ids(source).filter(|id| source.decisions.notes(*id).into_iter().any(|(_, note)| has(note)));
            Ready::Rows(marked(source, said, true))
        }
        Test::Reviewer(name) => {
            let by = |id: &SampleId| source.decisions.review(*id).map_or("", |review| review.reviewer);
            let decided: Vec<SampleId> = source.decisions.iter().map(|(id, _)| id).collect();
            let mut reviewers: Vec<&str> = decided.iter().map(by).collect();
            reviewers.sort_unstable();
            reviewers.dedup();
            if let Text::Plain(name) = name
                && !reviewers.iter().any(|known| known.to_lowercase() == name.to_lowercase())
            {
                let hint = hint(name, reviewers.iter().copied());
                return Err(Error::Invalid(format!("no decision in this session is by '{name}'{hint}")));
            }
            Ready::Rows(marked(source, decided.into_iter().filter(|id| is(name, by(id))), true))
        }
        Test::Score(comparison, number) => Ready::Score(source.ranking.scores(), *comparison, *number),
        Test::ScoreOf(name, comparison, number) => {
            let result = source.results.get(name).or_else(|| {
                let lower = name.to_lowercase();
                source
                    .results
                    .iter()
                    .find(|(known, _)| known.to_lowercase() == lower)
                    .map(|(_, result)| result)
            });
            let result = result.ok_or_else(|| {
                let known = source.results.keys().map(String::as_str).chain(std::iter::once("score"));
                let hint = hint(name, known);
                Error::Invalid(format!(
                    "'{name}' has no score: compare 'score', or a detector by its name{hint}"
                ))
            })?;
            Ready::Score(result.scores(), *comparison, *number)
        }
        Test::Attribute(name, comparison, number) => {
            let (result, name) = attribute(source.results, name).ok_or_else(|| source.no_attribute(name))?;
            Ready::Attribute(result, name.to_owned(), *comparison, *number)
        }
        Test::Leak => Ready::Rows(across_splits(source.results, source.manifest.splits()).0),
        Test::Disputed => Ready::Rows(marked(source, source.decisions.disputed_samples(), true)),
        Test::Unreadable => {
            Ready::Rows(marked(source, source.file_metadata.unreadable.keys().copied(), true))
        }
        Test::Map(axes, area) => match atlas(source)?.points(*axes) {
            Some(points) => Ready::Map(points, *area),
            None => {
                let key = axes.key();
                let message =
                    format!("'{key}:' needs its map of neighborhoods: open that map first to compute it");
                return Err(Error::Invalid(message));
            }
        },
        Test::Cluster(class, number) => Ready::Rows(cluster(source, class, *number)?),
        Test::Samples(ranges) => {
            let count = source.manifest.len() as u32;
            let named = ranges.iter().flat_map(|&(first, last)| first..(last + 1).min(count));
            Ready::Rows(marked(source, named.map(SampleId), true))
        }
    })
}

fn atlas<'a>(source: &Source<'a>) -> Result<&'a Atlas> {
    source.atlas.ok_or_else(|| {
        Error::Invalid(
            "'map:', 'tsne:', 'umap:' and 'cluster:' need embeddings and work only in the interface: scan first, then open the session".into(),
        )
    })
}

/// Members of one cluster of the class with exactly this name, ignoring case.
fn cluster(source: &Source<'_>, class: &str, number: usize) -> Result<Vec<bool>> {
    let atlas = atlas(source)?;
    let name = class.to_lowercase();
    let named = source.manifest.classes().iter().position(|class| class.to_lowercase() == name);
    let Some(class) = named else {
        let hint = hint(class, source.manifest.classes().iter().map(String::as_str));
        return Err(Error::Invalid(format!("there is no class '{class}'{hint}")));
    };
    let clusters = atlas.clusters(class as u32);
    let Some(cluster) = clusters.all.get(number - 1) else {
        return Err(Error::Invalid(format!(
            "there is no cluster {number}, the class has {}",
            clusters.all.len()
        )));
    };
    Ok(marked(source, cluster.members.iter().map(|row| SampleId(*row)), true))
}

/// Whether a text is this one, or like this pattern; case does not matter.
fn is(wanted: &Text, text: &str) -> bool {
    match wanted {
        Text::Plain(wanted) => wanted.to_lowercase() == text.to_lowercase(),
        Text::Like(glob) => glob.is(text),
    }
}

fn ids(source: &Source<'_>) -> impl Iterator<Item = SampleId> {
    (0..source.manifest.len() as u32).map(SampleId)
}

/// By row, `value` for some samples, the opposite for the others.
fn marked(source: &Source<'_>, samples: impl Iterator<Item = SampleId>, value: bool) -> Vec<bool> {
    let mut rows = vec![!value; source.manifest.len()];
    for id in samples {
        rows[id.index()] = value;
    }
    rows
}

/// The classes that a name or a pattern matches.
fn classes(source: &Source<'_>, name: &Text) -> Result<Vec<bool>> {
    let name = match name {
        Text::Plain(name) => name.to_lowercase(),
        Text::Like(glob) => {
            let alike: Vec<bool> = source.manifest.classes().iter().map(|class| glob.is(class)).collect();
            return match alike.contains(&true) {
                true => Ok(alike),
                false => Err(Error::Invalid("no class matches this pattern".into())),
            };
        }
    };
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
    Err(Error::Invalid(format!("there is no class '{name}'{hint}")))
}

impl Ready<'_> {
    /// Whether it looks at paths, which is slow.
    fn reads_paths(&self) -> bool {
        match self {
            Ready::Path(_) | Ready::PathLike(_) => true,
            Ready::Any(lists) => lists.iter().flatten().any(|(_, test)| test.reads_paths()),
            _ => false,
        }
    }

    /// Removes the rows from `first` on that do not match, or with `negated` those that do. Dispatches on the kind of
    /// test once for all of them.
    fn narrow(&self, source: &Source<'_>, first: usize, negated: bool, marks: &mut [bool]) {
        fn each(first: usize, negated: bool, marks: &mut [bool], matches: impl Fn(usize) -> bool) {
            (first..).zip(marks).for_each(|(row, mark)| *mark &= matches(row) != negated);
        }
        match self {
            Ready::Path(needle) => {
                each(first, negated, marks, |row| needle.is_in(source.manifest.path(SampleId(row as u32))))
            }
            Ready::PathLike(glob) => {
                each(first, negated, marks, |row| glob.is_path(source.manifest.path(SampleId(row as u32))))
            }
            Ready::Any(lists) => {
                let mut any = vec![false; marks.len()];
                let mut all = vec![true; marks.len()];
                for list in lists {
                    all.fill(true);
                    list.iter().for_each(|(negated, test)| test.narrow(source, first, *negated, &mut all));
                    any.iter_mut().zip(&all).for_each(|(any, all)| *any |= *all);
                }
                marks.iter_mut().zip(any).for_each(|(mark, any)| *mark &= any != negated);
            }
            Ready::Class(wanted) => {
                let labels = source.manifest.labels();
                // A sample without a label has no class.
                each(first, negated, marks, |row| wanted.get(labels[row] as usize) == Some(&true));
            }
            Ready::Suggested(wanted, results) => each(first, negated, marks, |row| {
                let id = SampleId(row as u32);
                results.iter().any(|(result, threshold)| {
                    let flagged = result.score(id).is_some_and(|score| is_flagged(score, *threshold));
                    flagged
                        && result.suggested(id).is_some_and(|label| wanted.get(label as usize) == Some(&true))
                })
            }),
            Ready::Detector(scores, threshold) => each(first, negated, marks, |row| {
                scores.get(row).is_some_and(|score| is_flagged(*score, *threshold))
            }),
            Ready::Only(scores, others, threshold) => each(first, negated, marks, |row| {
                let flags =
                    |scores: &[f32]| scores.get(row).is_some_and(|score| is_flagged(*score, *threshold));
                flags(scores) && !flags(others)
            }),
            Ready::Split(code) => {
                let splits = source.manifest.splits();
                each(first, negated, marks, |row| splits[row] == *code);
            }
            Ready::Score(scores, comparison, number) => {
                each(first, negated, marks, |row| {
                    comparison.holds(scores.get(row).copied().unwrap_or(f32::NAN), *number)
                });
            }
            Ready::Attribute(result, name, comparison, number) => {
                each(first, negated, marks, |row| {
                    let value = result.attribute(name, SampleId(row as u32));
                    value.is_some_and(|value| comparison.holds(value, *number))
                });
            }
            Ready::Rows(marked) => each(first, negated, marks, |row| marked[row]),
            Ready::Map(points, area) => {
                each(first, negated, marks, |row| points.get(row).is_some_and(|[x, y]| area.contains(*x, *y)))
            }
        }
    }
}
