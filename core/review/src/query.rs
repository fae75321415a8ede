//! Lists of samples: which ones, and in which order.
//!
//! The language of filters is described at [`Query::filter`]. Beyond what stands there: a word in quotes may hold
//! blanks (`class:"polar bear"`), a word that is quoted as a whole is always looked for in the path, `\"` and
//! `\\` stand for themselves within quotes, `score` knows `<`, `<=`, `>` and `>=`, `is:unreadable` finds files
//! that could not be decoded, and `is:leak` finds samples of duplicate groups that reach across splits.
//! `map:0.1,0.2,0.5,0.6` finds samples within left, upper, right and lower border on the map of the embeddings,
//! `cluster:cat/2` those of the second largest cluster of a class. Class
//! names are compared without case: a class of that very name, else all classes whose names contain it.

mod filter;
mod needle;
mod parse;
mod paths;
mod rows;
mod sort;

use crate::atlas::Atlas;
use crate::ranking::{Ranking, Results};
use crate::verdict::Verdicts;
use crate::{Error, Result};
use chaffinch_compute::sorting::Unwanted;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::journal::Decisions;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::Query;
use filter::Filter;
use parse::Test;
use std::collections::BTreeMap;

/// What a query looks at.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The samples.
    pub manifest: &'a Manifest,
    /// What is known of their files; may be empty before the first scan.
    pub file_metadata: &'a FileMetadata,
    /// What detectors said.
    pub results: &'a Results,
    /// Thresholds by detector.
    pub thresholds: &'a BTreeMap<String, f32>,
    /// The rank made of it.
    pub ranking: &'a Ranking,
    /// What was decided.
    pub decisions: &'a Decisions,
    /// The embeddings, where they are at hand.
    pub atlas: Option<&'a Atlas>,
}

impl<'a> Source<'a> {
    /// What the detectors say of each sample.
    pub fn verdicts(&self) -> Verdicts<'a> {
        Verdicts::new(self.results, self.thresholds)
    }

    fn threshold(&self, detector: &str) -> f32 {
        let own = || self.results.get(detector).map_or(0.0, |result| result.record().threshold);
        self.thresholds.get(detector).copied().unwrap_or_else(own)
    }

    /// An error for a detector that has no results.
    fn no_detector(&self, name: &str) -> Error {
        let hint = chaffinch_data::nearest::hint(name, self.results.keys().map(String::as_str));
        Error::Invalid(format!("there are no results from a detector '{name}'{hint}"))
    }
}

/// Whether a query can only be answered with embeddings at hand: its filter names a place on the map or a cluster. A
/// filter that cannot be understood needs nothing.
pub fn needs_embeddings(query: &Query) -> bool {
    let asks = |word: &parse::Word| matches!(word.test, Test::Map(..) | Test::Cluster(..));
    parse::words(&query.filter).is_ok_and(|words| words.iter().any(asks))
}

/// The rows of a query, in its order.
///
/// # Errors
/// When the filter or the order cannot be understood; the error says which word, and what may have been meant.
pub fn select(source: &Source<'_>, query: &Query) -> Result<Vec<u32>> {
    select_unless(source, query, &|| false)
}

/// The same, given up with [`Error::Stopped`] soon after nobody wants it any more. That is asked from many threads.
///
/// # Errors
/// As [`select`], and when it was given up.
pub fn select_unless(source: &Source<'_>, query: &Query, unwanted: Unwanted<'_>) -> Result<Vec<u32>> {
    let words = parse::words(&query.filter)?;
    let filter = Filter::new(source, &words)?;
    let ranking = source.ranking;
    let unranked: Vec<u32>;
    let rows = match query.all {
        false => &ranking.order[..],
        // Before the first scan there is no rank, and every sample is as good as another.
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
