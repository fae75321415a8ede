//! The members of a group and what links them. Nothing here looks at every two of them: a dataset may hold a hundred thousand
//! copies of one picture.

use crate::MAX_RELATED;
use crate::groups::{Link, Pair};
use crate::pairs::Pairs;
use chaffinch_plugin::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Groups up to this size have the most similar of all members as evidence; in larger ones these are sought among the copies, the
/// linked, and the best members.
const COMPARED: usize = 128;

/// A group of samples.
pub(crate) struct Members<'a, 'v> {
    view: &'a View<'v>,
    pairs: &'a Pairs,
    all: &'a [usize],
    place: BTreeMap<usize, usize>,
    /// Members by their content, in the order of the dataset.
    same: BTreeMap<[u8; 32], Vec<usize>>,
}

impl<'a, 'v> Members<'a, 'v> {
    pub(crate) fn new(view: &'a View<'v>, pairs: &'a Pairs, all: &'a [usize]) -> Members<'a, 'v> {
        let place: BTreeMap<usize, usize> =
            all.iter().enumerate().map(|(at, &sample)| (sample, at)).collect();
        let mut same: BTreeMap<[u8; 32], Vec<usize>> = BTreeMap::new();
        for &sample in place.keys() {
            same.entry(view.content_hashes()[sample]).or_default().push(sample);
        }
        Members { view, pairs, all, place, same }
    }

    /// Members with the same bytes as one, and that one.
    fn same(&self, sample: usize) -> &[usize] {
        self.same.get(&self.view.content_hashes()[sample]).map_or(&[], Vec::as_slice)
    }

    /// Members that a pair links to one, in the order of the group.
    fn linked(&self, sample: usize) -> Vec<usize> {
        let partners = self.pairs.partners_of(sample).iter().map(|&other| other as usize);
        let mut linked: Vec<(usize, usize)> =
            partners.filter_map(|other| Some((*self.place.get(&other)?, other))).collect();
        linked.sort_unstable();
        linked.into_iter().map(|(_, other)| other).collect()
    }

    /// The surest pair of a sample with other members.
    pub(crate) fn nearest(&self, sample: usize) -> Option<Pair> {
        if self.same(sample).len() > 1 {
            return Some(Pair::EXACT);
        }
        let linked = self.linked(sample);
        let pairs = linked.into_iter().filter_map(|other| self.pairs.of(self.view, sample, other));
        pairs.min_by(|a, b| a.likeness.cmp(&b.likeness).then(a.score().total_cmp(&b.score())))
    }

    /// Members whose embeddings are near those of redundant members only, not that of the kept one: once those are gone,
    /// nothing duplicates them.
    pub(crate) fn spared(&self) -> BTreeSet<usize> {
        let (best, others) = (self.all[0], &self.all[1..]);
        let spared = others.iter().copied().filter(|&sample| {
            self.pairs.of(self.view, best, sample).is_none()
                && self
                    .linked(sample)
                    .into_iter()
                    .filter_map(|other| self.pairs.of(self.view, sample, other))
                    .filter(|pair| pair.link != Link::Exact)
                    .all(|pair| matches!(pair.link, Link::Semantic { .. }))
        });
        spared.collect()
    }

    /// The other members as evidence, the most similar first.
    pub(crate) fn evidence(&self, sample: usize) -> Result<Vec<Related>> {
        let phash = self.view.hashes(HashKind::Phash)?;
        let shown = MAX_RELATED + 1;
        let mut others: Vec<usize> = match self.all.len() {
            ..=COMPARED => self.all.to_vec(),
            _ => {
                let same = self.same(sample).iter().take(shown).copied();
                let best = self.all.iter().take(shown).copied();
                same.chain(best).chain(self.linked(sample)).collect()
            }
        };
        others.sort_unstable();
        others.dedup();
        let others = others.into_iter().filter(|&other| other != sample).map(|other| {
            let by_hash = 1.0 - (phash[sample] ^ phash[other]).count_ones() as f32 / 64.0;
            let pair = self.pairs.of(self.view, sample, other);
            let similarity = pair.map_or(by_hash, |pair| pair.link.similarity());
            Related { sample: other as u32, similarity }
        });
        let mut related: Vec<Related> = others.collect();
        related.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.sample.cmp(&b.sample)));
        related.truncate(MAX_RELATED);
        Ok(related)
    }
}
