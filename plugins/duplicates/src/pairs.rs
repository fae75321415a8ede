//! All pairs of samples that are alike, and how alike they are.

use crate::groups::{Link, Pair};
use crate::{Duplicates, quality, semantic};
use chaffinch_likeness::{BYTES, Look, compare, compare_turned};
use chaffinch_plugin::prelude::*;
use chaffinch_plugin::{Orientation, is_flat};
use std::collections::BTreeMap;

/// The surest link of each pair.
pub(crate) struct Pairs {
    pub(crate) all: BTreeMap<(u32, u32), Pair>,
    /// Why there was no second look, if there was none.
    pub(crate) unseen: Option<String>,
}

impl Pairs {
    pub(crate) fn find(detector: &Duplicates, view: &View<'_>, near: &semantic::Pairs) -> Result<Pairs> {
        let mut links = BTreeMap::new();
        add_exact(view, &mut links);
        add_perceptual(view, &mut links)?;
        for &(a, b, cosine) in &near.all {
            links.entry((a, b)).or_insert(Link::Semantic { cosine });
        }
        if links.values().all(|link| *link == Link::Exact) {
            let all = links.into_keys().map(|key| (key, Pair::EXACT)).collect();
            return Ok(Pairs { all, unseen: None });
        }
        let (records, unseen) = match view.measures(detector) {
            Ok(records) => (records.collect::<Vec<_>>(), None),
            Err(error) if error.is_stopped() => return Err(error),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        let record = |sample: u32| records.get(sample as usize).copied().unwrap_or_default();
        let mut all = BTreeMap::new();
        for (number, ((a, b), link)) in links.into_iter().enumerate() {
            if number % 4096 == 0 {
                view.checkpoint()?;
            }
            let look = match link {
                Link::Exact => None,
                _ if record(a).len() < BYTES => Some(Look::Alike),
                Link::Turned { .. } => Some(compare_turned(record(a), record(b))),
                _ => Some(compare(record(a), record(b))),
            };
            let likeness = match look {
                None => Likeness::SameBytes,
                Some(Look::SamePixels) => Likeness::SamePixels,
                Some(Look::SamePicture) => Likeness::SamePicture,
                Some(Look::Alike) => Likeness::Alike,
            };
            all.insert((a, b), Pair { link, likeness });
        }
        Ok(Pairs { all, unseen })
    }

    /// What two samples are to each other. Two files with the same bytes are only linked through a third.
    pub(crate) fn of(&self, view: &View<'_>, a: usize, b: usize) -> Option<Pair> {
        let hashes = view.content_hashes();
        if hashes[a] == hashes[b] { Some(Pair::EXACT) } else { self.all.get(&pair(a, b)).copied() }
    }

    /// The surest pair of a sample with other members of a group.
    pub(crate) fn nearest(&self, view: &View<'_>, sample: usize, members: &[usize]) -> Option<Pair> {
        let others = members.iter().filter(|&&other| other != sample);
        let pairs = others.filter_map(|&other| self.of(view, sample, other));
        pairs.min_by(|a, b| a.likeness.cmp(&b.likeness).then(a.score().total_cmp(&b.score())))
    }

    /// All that each of some samples is paired with.
    pub(crate) fn partners(&self, samples: &[usize]) -> BTreeMap<usize, Vec<usize>> {
        let mut partners: BTreeMap<usize, Vec<usize>> =
            samples.iter().map(|&sample| (sample, Vec::new())).collect();
        for &(a, b) in self.all.keys() {
            for (one, other) in [(a as usize, b as usize), (b as usize, a as usize)] {
                if let Some(others) = partners.get_mut(&one) {
                    others.push(other);
                }
            }
        }
        partners
    }
}

/// Links every file to the first with the same bytes: a star, so that many copies make few links.
fn add_exact(view: &View<'_>, links: &mut BTreeMap<(u32, u32), Link>) {
    let hashes = view.content_hashes();
    let mut order: Vec<usize> = (0..view.len()).filter(|&sample| view.decodable(sample)).collect();
    order.sort_by_key(|&sample| (hashes[sample], quality(view, sample)));
    for same in order.chunk_by(|&a, &b| hashes[a] == hashes[b]) {
        for &other in &same[1..] {
            links.insert(pair(same[0], other), Link::Exact);
        }
    }
}

fn add_perceptual(view: &View<'_>, links: &mut BTreeMap<(u32, u32), Link>) -> Result<()> {
    let radius = view.count("radius")? as u32;
    let wide = view.count("wide-radius")? as u32;
    let dhash_radius = view.count("dhash-radius")? as u32;
    let phash = view.hashes(HashKind::Phash)?;
    let dhash = view.hashes(HashKind::Dhash)?;
    let contents = view.content_hashes();
    for near in view.near_hashes(HashKind::Phash, radius.max(wide))? {
        let (a, b) = (near.first as usize, near.second as usize);
        if is_flat(phash[a], dhash[a]) || is_flat(phash[b], dhash[b]) || contents[a] == contents[b] {
            continue;
        }
        let differing = (dhash[a] ^ dhash[b]).count_ones();
        if near.distance <= radius || (near.distance <= wide && differing <= dhash_radius) {
            links.entry(pair(a, b)).or_insert(Link::Perceptual { phash: near.distance, dhash: differing });
        }
    }
    if view.flag("turned")? {
        for near in view.near_hashes(HashKind::TurnedPhash, radius.max(wide))? {
            let (a, b) = (near.first as usize, near.second as usize);
            if is_flat(phash[a], dhash[a]) || is_flat(phash[b], dhash[b]) || contents[a] == contents[b] {
                continue;
            }
            // Seven more comparisons find seven times as many pairs by chance, so the bounds are halved.
            let link = Orientation::ALL[1..].iter().filter_map(|&orientation| {
                let distance = (orientation.of_phash(phash[a]) ^ phash[b]).count_ones();
                let near = match orientation.of_dhash(dhash[a]) {
                    Some(turned) => distance <= wide && (turned ^ dhash[b]).count_ones() <= dhash_radius / 2,
                    None => distance <= radius / 2,
                };
                near.then_some((distance, orientation))
            });
            if let Some((distance, orientation)) = link.min_by_key(|&(distance, _)| distance) {
                links.entry(pair(a, b)).or_insert(Link::Turned { phash: distance, orientation });
            }
        }
    }
    Ok(())
}

/// Two samples as a key.
pub(crate) fn pair(a: usize, b: usize) -> (u32, u32) {
    (a.min(b) as u32, a.max(b) as u32)
}
