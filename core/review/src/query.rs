//! Lists of samples: which ones, and in what order.
//!
//! The language of filters is described at [`Query::filter`]. In addition: a word in quotes may contain spaces
//! (`class:"polar bear"`), a fully quoted word always searches the path, `\"` and `\\` are escapes within quotes,
//! `is:unreadable` finds files that could not be decoded, and `is:leak` finds samples of duplicate groups that span
//! splits. `map:0.1,0.2,0.5,0.6` finds samples between the left, top, right and bottom edges on the map of the embeddings,
//! `cluster:cat/2` those in the second largest cluster of a class. Class names are case-insensitive: the class with exactly
//! that name, or else all classes whose names contain it. A pattern (`*`, `?`) without a slash is compared with each part
//! of a path, one with a slash with its end; elsewhere with the whole name, tag or note.

mod filter;
mod glob;
mod needle;
mod ordered;
mod parse;
mod paths;
mod rows;
mod sort;
mod variety;

use crate::atlas::Atlas;
use crate::learned::{Evidence, Learned};
use crate::meaning::Direction;
use crate::ranking::{Ranking, Results};
use crate::verdict::{self, Verdicts};
use crate::{Error, Result};
use chaffinch_compute::sorting::Unwanted;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::journal::Decisions;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::{Compared, Query, Sort};
use filter::Filter;
use parse::Test;
pub(crate) use sort::shuffled;
use std::collections::BTreeMap;

/// The input of a query.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The samples.
    pub manifest: &'a Manifest,
    /// Their file metadata; may be empty before the first scan.
    pub file_metadata: &'a FileMetadata,
    /// The detectors' results.
    pub results: &'a Results,
    /// Those of their runs before the last; may lack some.
    pub previous: &'a Results,
    /// Thresholds by detector.
    pub thresholds: &'a BTreeMap<String, f32>,
    /// The resulting rank.
    pub ranking: &'a Ranking,
    /// The decision.
    pub decisions: &'a Decisions,
    /// The embeddings, if available.
    pub atlas: Option<&'a Atlas>,
    /// Where a list by meaning points; the same for the whole query.
    pub direction: Option<&'a Direction>,
    /// What a learned order goes by.
    pub learned: Option<&'a Learned>,
}

impl<'a> Source<'a> {
    /// What the detectors say about each sample.
    pub fn verdicts(&self) -> Verdicts<'a> {
        Verdicts::new(self.results, self.thresholds)
    }

    /// What an order can be learned from.
    pub fn evidence(&self) -> Evidence<'a> {
        let Source { manifest, file_metadata, results, thresholds, ranking, .. } = *self;
        Evidence { manifest, file_metadata, results, thresholds, ranking }
    }

    /// The threshold in effect for a detector; 0 for one without results.
    pub fn threshold(&self, detector: &str) -> f32 {
        self.results.get(detector).map_or(0.0, |result| verdict::threshold(self.thresholds, detector, result))
    }

    /// How many samples a detector flags; `None` without results.
    pub fn flagged(&self, detector: &str) -> Option<u64> {
        let (result, threshold) = (self.results.get(detector)?, self.threshold(detector));
        let flagged = result.scores().iter().filter(|score| verdict::is_flagged(**score, threshold));
        Some(flagged.count() as u64)
    }

    /// Samples that the last run of a detector flags and the one before does not, and the other way round; `None` unless
    /// there are two runs.
    pub fn compared(&self, detector: &str) -> Option<Compared> {
        let (now, before) = (self.results.get(detector)?, self.previous.get(detector)?);
        let threshold = self.threshold(detector);
        Some(difference(now.scores(), before.scores(), threshold))
    }

    /// The error for a detector without results.
    fn no_detector(&self, name: &str) -> Error {
        let hint = chaffinch_data::nearest::hint(name, self.results.keys().map(String::as_str));
        Error::Invalid(format!("there are no results from a detector '{name}'{hint}"))
    }

    /// The error for a detector without two runs.
    fn no_runs(&self, name: &str) -> Error {
        match self.results.contains_key(name) {
            true => Error::Invalid(format!(
                "'{name}' has run only once on these samples: there is nothing to compare"
            )),
            false => self.no_detector(name),
        }
    }

    /// The error for an attribute that no detector gives.
    fn no_attribute(&self, name: &str) -> Error {
        let known: Vec<&str> = self.results.values().flat_map(|result| result.attributes()).collect();
        if known.is_empty() {
            return Error::Invalid(format!("no detector gives the attribute '{name}', nor any other"));
        }
        let hint = chaffinch_data::nearest::hint(name, known.iter().copied());
        let known = known.join(", ");
        Error::Invalid(format!("no detector gives the attribute '{name}' (there are {known}){hint}"))
    }

    /// The error for a pattern that no detector has.
    fn no_detector_like(&self) -> Error {
        let names: Vec<&str> = self.results.keys().map(String::as_str).collect();
        Error::Invalid(format!(
            "no detector matches this pattern; there are results from {}",
            names.join(", ")
        ))
    }
}

/// The result that gives an attribute, and the name that it has there: `name` is that of the attribute, which the first
/// detector that gives it counts for, or `DETECTOR.NAME`.
pub fn attribute<'a, 'n>(results: &'a Results, name: &'n str) -> Option<(&'a DetectorResult, &'n str)> {
    let gives = |result: &DetectorResult, name: &str| result.attributes().any(|known| known == name);
    if let Some((detector, own)) = name.split_once('.') {
        let result = results.get(detector)?;
        return gives(result, own).then_some((result, own));
    }
    results.values().find(|result| gives(result, name)).map(|result| (&**result, name))
}

/// How many samples the scores of one run flag and those of another do not, and the other way round.
pub fn difference(now: &[f32], before: &[f32], threshold: f32) -> Compared {
    let mut compared = Compared::default();
    for (now, before) in now.iter().zip(before) {
        match (verdict::is_flagged(*now, threshold), verdict::is_flagged(*before, threshold)) {
            (true, false) => compared.newly += 1,
            (false, true) => compared.formerly += 1,
            _ => {}
        }
    }
    compared
}

/// Whether a query needs embeddings: its order compares them, or its filter names an area of the map or a cluster. An
/// invalid filter needs nothing.
pub fn needs_embeddings(query: &Query) -> bool {
    let asks = |test: &Test| matches!(test, Test::Map(..) | Test::Cluster(..));
    matches!(query.sort, Sort::Meaning(_) | Sort::Diverse | Sort::Clusters)
        || parse::words(&query.filter).is_ok_and(|words| parse::any_word(&words, &asks))
}

/// The rows of a query, in order.
///
/// # Errors
/// When the filter or the order is invalid; the error names the word and suggests a correction.
pub fn select(source: &Source<'_>, query: &Query) -> Result<Vec<u32>> {
    select_unless(source, query, &|| false)
}

/// The same, canceled with [`Error::Stopped`] soon after the result is no longer wanted. The callback is called from
/// many threads.
///
/// # Errors
/// As [`select`], and when canceled.
pub fn select_unless(source: &Source<'_>, query: &Query, unwanted: Unwanted<'_>) -> Result<Vec<u32>> {
    let words = parse::words(&query.filter)?;
    let filter = Filter::new(source, &words)?;
    let ranking = source.ranking;
    let unranked: Vec<u32>;
    let rows = match query.all {
        false => &ranking.order[..],
        // Before the first scan there is no rank, and all samples are equal.
        true if ranking.len() < source.manifest.len() => {
            unranked = (0..source.manifest.len() as u32).collect();
            &unranked
        }
        true => ranking.full_order(),
    };
    let rows = filter.keep(source, rows, unwanted)?;
    sort::sort(source, rows, query, unwanted)
}

#[cfg(test)]
mod tests;
