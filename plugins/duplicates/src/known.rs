//! What is known of each sample that tells which of several copies to keep.

use crate::groups::{Link, Pair};
use chaffinch_likeness::Standing;
use chaffinch_plugin::prelude::*;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The name under which the program reports pictures of which a part is lost: what decoding says, and their pixels do not.
pub(crate) const DAMAGED: &str = "damaged";
/// The score below which a picture is damaged: others have 1.
const DAMAGED_BELOW: f32 = 0.5;

/// How good a copy is: smaller is better. Between equals the content decides, so that the order of the files does not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Quality {
    damaged: bool,
    split: u8,
    seen: Seen,
    /// Lower scores mean that more is lost.
    intact: Reverse<u32>,
    bytes: Reverse<u64>,
    content: Option<[u8; 32]>,
    sample: usize,
}

/// What there is to see of a copy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    framed: bool,
    area: Reverse<u64>,
    standing: Reverse<Standing>,
}

/// What decided against a copy that would have been kept for its size and colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// A part of it is lost, and nothing of the one to keep.
    Damaged,
    /// The split of the one to keep.
    Split,
}

impl Quality {
    /// Why a copy is not kept although there is more to see of it than of the best one; also that it is damaged, whatever there is
    /// to see.
    pub(crate) fn why_not(&self, best: &Quality) -> Option<Why> {
        if self.damaged && !best.damaged {
            return Some(Why::Damaged);
        }
        (self.split != best.split && self.seen < best.seen).then_some(Why::Split)
    }
}

/// What is known of the samples that are in pairs.
#[derive(Default)]
pub(crate) struct Known {
    standing: BTreeMap<u32, Standing>,
    /// Samples that are another one with a border around it: larger, and with nothing more to see.
    framed: BTreeSet<u32>,
    /// The scores of the samples as to damage; empty if none is damaged.
    intact: Vec<f32>,
}

impl Known {
    /// Of what [`chaffinch_likeness::examine`] wrote, and of all pairs. Files with the same bytes count for each of them, though
    /// they are linked through the first.
    pub(crate) fn of(
        view: &View<'_>,
        records: &[&[u8]],
        pairs: &BTreeMap<(u32, u32), Pair>,
    ) -> Result<Known> {
        let intact = match view.scores_of(DAMAGED) {
            Ok(scores) => scores.to_vec(),
            Err(error) if error.is_missing() => Vec::new(),
            Err(error) => return Err(error),
        };
        let whole = |pair: &Pair| match pair.link {
            Link::Part { whole, border: true, .. } => Some(whole),
            _ => None,
        };
        let framed = pairs.values().filter_map(whole).collect();
        let mut copies: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for &(a, b) in pairs.iter().filter(|(_, pair)| pair.is_copy()).map(|(key, _)| key) {
            copies.entry(a).or_default().push(b);
            copies.entry(b).or_default().push(a);
        }
        let content = |sample: u32| view.content_hashes().get(sample as usize);
        let mut same: BTreeMap<_, usize> = BTreeMap::new();
        copies
            .keys()
            .filter_map(|&sample| content(sample))
            .for_each(|hash| *same.entry(hash).or_default() += 1);
        let record = |sample: u32| records.get(sample as usize).copied().unwrap_or_default();
        let standing = |(&sample, copies): (&u32, &Vec<u32>)| {
            let own = content(sample);
            let others = copies.iter().filter_map(|&other| Some((content(other)?, other)));
            let others: BTreeMap<_, u32> = others.filter(|(hash, _)| Some(*hash) != own).collect();
            let others =
                others.iter().map(|(hash, other)| (record(*other), same.get(hash).copied().unwrap_or(1)));
            let equal = own.and_then(|own| same.get(own)).map_or(0, |count| count - 1);
            (sample, Standing::among(record(sample), others.chain([(record(sample), equal)])))
        };
        Ok(Known { standing: copies.iter().map(standing).collect(), framed, intact })
    }

    pub(crate) fn quality(&self, view: &View<'_>, sample: usize) -> Quality {
        let split = match view.split(sample) {
            Split::Train => 0,
            Split::None => 1,
            Split::Validation => 2,
            Split::Test => 3,
        };
        let size = view.dimensions()[sample];
        let intact = self.intact.get(sample).copied().filter(|score| !score.is_nan()).unwrap_or(1.0);
        let row = sample as u32;
        Quality {
            damaged: intact < DAMAGED_BELOW,
            split,
            seen: Seen {
                framed: self.framed.contains(&row),
                area: Reverse(u64::from(size.width) * u64::from(size.height)),
                standing: Reverse(self.standing.get(&row).copied().unwrap_or_default()),
            },
            // Of positive numbers, the bits are in the order of the numbers.
            intact: Reverse(intact.max(0.0).to_bits()),
            bytes: Reverse(size.bytes),
            content: view.content_hashes().get(sample).copied(),
            sample,
        }
    }
}
