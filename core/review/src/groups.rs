//! Groups of copies: their order, the same wherever groups are listed, and how alike their members are.

use crate::ranking::{Ranking, Results};
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_plugin::Likeness as Said;
use chaffinch_protocol::Likeness;
use chaffinch_protocol::sample::SampleId;

/// A group of a detector's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// An index into the results, in name order.
    pub detector: u16,
    /// Its number there.
    pub group: u32,
}

/// All groups, worst first: by the rank of the worst member, whatever a list shows of the group. Groups without a
/// suspect come last, by their lowest score; ties are in the order of detector and number.
pub fn worst_first(results: &Results, ranking: &Ranking) -> Vec<Group> {
    let last = ranking.order.iter().max().map_or(0, |row| *row as usize + 1);
    let mut places = vec![u32::MAX; last];
    for (place, row) in (0_u32..).zip(ranking.order.iter()) {
        places[*row as usize] = place;
    }
    let mut keyed = Vec::new();
    for (detector, result) in (0_u16..).zip(results.values()) {
        if !result.record().groups {
            continue;
        }
        let scores = result.scores();
        for members in result.grouped().chunk_by(|a, b| a.0 == b.0) {
            let rows = || members.iter().map(|(_, row)| *row as usize);
            let rank = rows().filter_map(|row| places.get(row).copied()).min().unwrap_or(u32::MAX);
            let worst = rows().map(|row| scores[row]).fold(f32::NAN, f32::min);
            keyed.push((rank, worst, Group { detector, group: members[0].0 }));
        }
    }
    keyed.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
    keyed.into_iter().map(|(.., group)| group).collect()
}

/// Which samples are in groups that span splits, and how many such groups there are. `splits` are the samples' splits as
/// numbers.
pub fn across_splits(results: &Results, splits: &[u8]) -> (Vec<bool>, u64) {
    let mut leaks = vec![false; splits.len()];
    let mut groups = 0;
    for result in results.values().filter(|result| result.len() == splits.len()) {
        for group in result.grouped().chunk_by(|a, b| a.0 == b.0) {
            // A sample without a split is not a side of a leak.
            let reached =
                group.iter().fold(0_u8, |reached, &(_, row)| reached | 1 << splits[row as usize]) & !1;
            if reached.count_ones() > 1 {
                groups += 1;
                group.iter().for_each(|&(_, row)| leaks[row as usize] = true);
            }
        }
    }
    (leaks, groups)
}

/// How alike the members of a group are, as its detector says; one that does not say is believed about equal files only.
pub fn likeness(result: &DetectorResult, group: u32, files: &FileMetadata, samples: &[SampleId]) -> Likeness {
    let note = result.record().notes.iter().find(|(name, _)| name == Said::NOTE);
    match note.and_then(|(_, text)| Said::of_group(text, group)) {
        Some(Said::SameBytes) => Likeness::SameBytes,
        Some(Said::SamePixels) => Likeness::SamePixels,
        Some(Said::SamePicture) => Likeness::SamePicture,
        Some(Said::Alike) => Likeness::Alike,
        None => {
            let mut hashes = samples.iter().map(|id| files.hashes.get(id.index()));
            let first = hashes.next();
            let equal = first.is_some_and(|first| first.is_some() && hashes.all(|hash| hash == first));
            if equal { Likeness::SameBytes } else { Likeness::Alike }
        }
    }
}
