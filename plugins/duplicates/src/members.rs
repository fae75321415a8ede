//! The members of a group and what links them. Nothing here looks at every two of them: a dataset may hold a hundred thousand
//! copies of one picture.

use crate::MAX_RELATED;
use crate::groups::{Link, Pair};
use crate::pairs::Pairs;
use chaffinch_plugin::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

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
}

/// The members of a group by their perceptual hashes. Copies share few hashes, so that what is most similar is found by comparing
/// hashes and not members.
pub(crate) struct Evidence<'m, 'a, 'v> {
    members: &'m Members<'a, 'v>,
    phash: &'a [u64],
    /// Members by their hash, in the order of the dataset.
    by_hash: BTreeMap<u64, Vec<usize>>,
}

impl<'m, 'a, 'v> Evidence<'m, 'a, 'v> {
    pub(crate) fn new(members: &'m Members<'a, 'v>) -> Result<Evidence<'m, 'a, 'v>> {
        let phash = members.view.hashes(HashKind::Phash)?;
        let mut by_hash: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for &sample in members.place.keys() {
            by_hash.entry(phash[sample]).or_default().push(sample);
        }
        Ok(Evidence { members, phash, by_hash })
    }

    /// The other members that are most similar to one, the most similar first.
    pub(crate) fn of(&self, sample: usize) -> Vec<Related> {
        let mut linked = self.members.linked(sample);
        let mut excluded = linked.clone();
        excluded.push(sample);
        excluded.sort_unstable();
        linked.extend(self.nearest_by_hash(self.phash[sample], &excluded));
        let mut related: Vec<Related> = linked.into_iter().map(|other| self.related(sample, other)).collect();
        related.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.sample.cmp(&b.sample)));
        related.truncate(MAX_RELATED);
        related
    }

    fn related(&self, sample: usize, other: usize) -> Related {
        let by_hash = 1.0 - (self.phash[sample] ^ self.phash[other]).count_ones() as f32 / 64.0;
        let pair = self.members.pairs.of(self.members.view, sample, other);
        Related { sample: other as u32, similarity: pair.map_or(by_hash, |pair| pair.link.similarity()) }
    }

    /// Members among which are the [`MAX_RELATED`] with the nearest hashes that are not excluded. Files with the same bytes have
    /// the same hash.
    fn nearest_by_hash(&self, hash: u64, excluded: &[usize]) -> Vec<usize> {
        let wanted = MAX_RELATED + excluded.len();
        let near = match self.by_hash.get(&hash) {
            Some(same) if same.len() >= wanted => vec![same],
            _ => self.within_reach(hash, wanted),
        };
        let free = |members: &'_ Vec<usize>| {
            let free = members.iter().copied().filter(|other| excluded.binary_search(other).is_err());
            free.take(MAX_RELATED).collect::<Vec<usize>>()
        };
        near.into_iter().flat_map(free).collect()
    }

    /// Members of the nearest hashes: of so many bits that differ that there are at least `wanted` members, if there are.
    fn within_reach(&self, hash: u64, wanted: usize) -> Vec<&Vec<usize>> {
        let bits = |other: &u64| (hash ^ other).count_ones() as usize;
        let mut counts = [0_usize; 65];
        for (other, members) in &self.by_hash {
            counts[bits(other)] += members.len();
        }
        let mut found = 0;
        let enough = |count: &usize| {
            found += count;
            found >= wanted
        };
        let reach = counts.iter().position(enough).unwrap_or(64);
        self.by_hash.iter().filter(|(other, _)| bits(other) <= reach).map(|(_, members)| members).collect()
    }
}
