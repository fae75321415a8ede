//! Rows of a list that have a text.

use super::list_result::ListResult;
use crate::state::State;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::search::SearchText;
use rayon::prelude::*;
use std::os::unix::ffi::OsStrExt;

/// Rows per thread at a time.
const PART: usize = 1 << 14;

/// What a search found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The nearest row in the direction that was asked for.
    pub(crate) row: Option<u64>,
    /// Its number among all, from 1.
    pub(crate) place: u64,
    pub(crate) total: u64,
}

/// Searches the paths and the given and suggested labels of a list, from a row on and around its end.
pub(crate) fn search(state: &State, list: &ListResult, text: &str, from: u64, forward: bool) -> Found {
    let Some(text) = SearchText::new(text) else { return Found::default() };
    let manifest = &state.findings.manifest;
    let has = |name: &str| text.is_in(name);
    let classes: Vec<bool> = manifest.classes().iter().map(|class| has(class)).collect();
    let named = classes.contains(&true);
    let is = |label: Option<u32>| label.is_some_and(|label| classes.get(label as usize) == Some(&true));
    let hit = |row: u32| {
        let id = SampleId(row);
        if named && (is(manifest.label(id).map(|label| label.0)) || is(state.verdicts().suggested(id))) {
            return true;
        }
        let bytes = manifest.path(id).as_os_str().as_bytes();
        has(&String::from_utf8_lossy(bytes))
    };
    let rows = list.rows.par_iter().with_min_len(PART).enumerate();
    let hits: Vec<u64> = rows.filter(|(_, row)| hit(**row)).map(|(index, _)| index as u64).collect();
    nearest(&hits, from, forward)
}

/// The first of some ascending rows from one on, or around the end.
fn nearest(hits: &[u64], from: u64, forward: bool) -> Found {
    let total = hits.len() as u64;
    let place = match forward {
        true => Some(hits.partition_point(|row| *row < from)).filter(|place| *place < hits.len()).or(Some(0)),
        false => hits.partition_point(|row| *row <= from).checked_sub(1).or(hits.len().checked_sub(1)),
    };
    let row = place.and_then(|place| hits.get(place).copied());
    let place = if row.is_some() { place.map_or(0, |place| place as u64 + 1) } else { 0 };
    Found { row, place, total }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_goes_around_the_end() {
        let hits = [3, 7, 20];
        let found = |from, forward| {
            let found = nearest(&hits, from, forward);
            (found.row, found.place, found.total)
        };
        assert_eq!(found(0, true), (Some(3), 1, 3));
        assert_eq!(found(7, true), (Some(7), 2, 3));
        assert_eq!(found(21, true), (Some(3), 1, 3));
        assert_eq!(found(6, false), (Some(3), 1, 3));
        assert_eq!(found(2, false), (Some(20), 3, 3));
        assert_eq!(nearest(&[], 5, true), Found::default());
        assert_eq!(nearest(&[], 5, false), Found::default());
    }
}
