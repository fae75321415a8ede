//! Which samples match.

use super::Source;
use super::parse::{Comparison, Test, Word};
use crate::columns::DetectorResult;
use crate::decision::Choice;
use crate::manifest::NO_LABEL;
use crate::nearest::hint;
use crate::sample::SampleId;
use crate::{Error, Result};
use rayon::prelude::*;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

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
    Choice(String),
    Decided(bool),
    Tag(String),
    Score(Comparison, f32),
    Leak(Vec<bool>),
    Unreadable,
}

impl<'a> Filter<'a> {
    pub(super) fn new(source: &Source<'a>, words: &[Word]) -> Result<Filter<'a>> {
        let mut tests = Vec::new();
        for word in words {
            tests.push((word.negated, ready(source, &word.test)?));
        }
        // Searching paths is the slowest; the others first leave less of it.
        tests.sort_by_key(|(_, test)| matches!(test, Ready::Path(_)));
        Ok(Filter { tests })
    }

    /// The rows that match, in the order given.
    pub(super) fn keep(&self, source: &Source<'_>, rows: Vec<u32>) -> Vec<u32> {
        if self.tests.is_empty() {
            return rows;
        }
        rows.into_par_iter()
            .filter(|&row| {
                self.tests.iter().all(|(negated, test)| test.matches(source, SampleId(row)) != *negated)
            })
            .collect()
    }
}

fn ready<'a>(source: &Source<'a>, test: &Test) -> Result<Ready<'a>> {
    Ok(match test {
        Test::Path(text) => Ready::Path(Needle::new(text)),
        Test::Class(name) => Ready::Class(classes(source, name)?),
        Test::Suggested(name) => {
            let results = source.results.iter();
            let results = results.map(|(name, result)| (result.as_ref(), source.threshold(name))).collect();
            Ready::Suggested(classes(source, name)?, results)
        }
        Test::Detector(name) => {
            let result = source.results.get(name).ok_or_else(|| source.no_detector(name))?;
            Ready::Detector(result.scores(), source.threshold(name))
        }
        Test::Split(split) => Ready::Split(split.code()),
        Test::Choice(word) => Ready::Choice(word.clone()),
        Test::Decided(decided) => Ready::Decided(*decided),
        Test::Tag(tag) => Ready::Tag(tag.to_lowercase()),
        Test::Score(comparison, number) => Ready::Score(*comparison, *number),
        Test::Leak => Ready::Leak(leaks(source)),
        Test::Unreadable => Ready::Unreadable,
    })
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
            Ready::Choice(word) => {
                source.decisions.get(id).is_some_and(|decision| Choice::word(&decision.choice) == word)
            }
            Ready::Decided(decided) => source.decisions.get(id).is_some() == *decided,
            Ready::Tag(tag) => source.decisions.tags(id).iter().any(|other| other.to_lowercase() == *tag),
            Ready::Score(comparison, number) => {
                let score = source.ranking.score.get(id.index()).copied().unwrap_or(f32::NAN);
                match comparison {
                    Comparison::Below => score < *number,
                    Comparison::AtMost => score <= *number,
                    Comparison::Above => score > *number,
                    Comparison::AtLeast => score >= *number,
                }
            }
            Ready::Leak(leaks) => leaks[id.index()],
            Ready::Unreadable => !source.facts.decodable(id),
        }
    }
}

/// A text looked for in paths without regard to case.
struct Needle {
    lower: String,
    /// The first byte in both cases, where the text is plain ASCII.
    first: Option<[u8; 2]>,
}

impl Needle {
    fn new(text: &str) -> Needle {
        let lower = text.to_lowercase();
        let first = lower.bytes().next().filter(|_| lower.is_ascii());
        Needle { lower, first: first.map(|byte| [byte, byte.to_ascii_uppercase()]) }
    }

    fn is_in(&self, path: &Path) -> bool {
        let bytes = path.as_os_str().as_bytes();
        let Some(first) = self.first else {
            return path.to_string_lossy().to_lowercase().contains(&self.lower);
        };
        let needle = self.lower.as_bytes();
        let Some(last) = bytes.len().checked_sub(needle.len()) else { return false };
        (0..=last).any(|start| {
            first.contains(&bytes[start]) && bytes[start..start + needle.len()].eq_ignore_ascii_case(needle)
        })
    }
}
