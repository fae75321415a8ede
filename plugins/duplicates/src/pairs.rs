//! All pairs of samples that are alike, and how alike they are.

use crate::groups::{Link, Pair};
use crate::known::Known;
use crate::looks::Looks;
use crate::{Duplicates, semantic};
use chaffinch_likeness::{Around, Look, Part, parts};
use chaffinch_plugin::prelude::*;
use chaffinch_plugin::{Bounds, Hashes, Orientation};
use std::collections::{BTreeMap, BTreeSet};

/// The surest link of each pair.
pub(crate) struct Pairs {
    pub(crate) all: BTreeMap<(u32, u32), Pair>,
    /// The samples that each is paired with.
    partners: BTreeMap<u32, Vec<u32>>,
    /// What tells which of several copies to keep.
    pub(crate) known: Known,
    /// Why there was no second look, if there was none, and something to look at.
    pub(crate) unseen: Option<String>,
    /// Pictures that are near too many others to look for parts among all of these.
    pub(crate) crowded: usize,
}

impl Pairs {
    pub(crate) fn find(detector: &Duplicates, view: &View<'_>, near: &semantic::Pairs) -> Result<Pairs> {
        let mut links = BTreeMap::new();
        add_exact(view, &mut links);
        add_perceptual(view, &mut links)?;
        for &(a, b, cosine) in &near.all {
            links.entry((a, b)).or_insert(Link::Semantic { cosine });
        }
        let (records, unseen) = match view.measures(detector) {
            Ok(records) => (records.collect::<Vec<_>>(), None),
            Err(error) if error.is_stopped() => return Err(error),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        let unseen = unseen.filter(|_| links.values().any(|link| *link != Link::Exact));
        let (mut parts, crowded) = find_parts(view, &records)?;
        let (phash, dhash) = (view.hashes(HashKind::Phash)?, view.hashes(HashKind::Dhash)?);
        for (&(a, b), part) in &parts {
            let orientation = Orientation::ALL[usize::from(part.turn) % Orientation::ALL.len()];
            let (whole, inside) = (part.whole as usize, part.part as usize);
            let bits = (phash[whole] ^ orientation.of_phash(phash[inside])).count_ones();
            let link = match (part.around, part.turn) {
                (Around::Nothing, 0) => {
                    Link::Perceptual { phash: bits, dhash: (dhash[whole] ^ dhash[inside]).count_ones() }
                }
                (Around::Nothing, _) => Link::Turned { phash: bits, orientation },
                _ => as_part(part),
            };
            links.entry((a, b)).or_insert(link);
        }
        let mut looks = Looks::new(&records, view.content_hashes());
        let mut all = BTreeMap::new();
        for (number, ((a, b), link)) in links.into_iter().enumerate() {
            if number % 4096 == 0 {
                view.checkpoint()?;
            }
            let look = match link {
                Link::Exact => None,
                link => Some(looks.look(a, b, matches!(link, Link::Turned { .. }))),
            };
            let likeness = match look {
                None => Likeness::SameBytes,
                Some(Look::SamePixels) => Likeness::SamePixels,
                Some(Look::SamePicture) => Likeness::SamePicture,
                Some(Look::Alike) => Likeness::Alike,
            };
            // That one is a part of the other says more than that their hashes are near.
            let link = match parts.remove(&(a, b)) {
                Some(part) if likeness == Likeness::Alike && part.around != Around::Nothing => as_part(&part),
                _ => link,
            };
            let apart = match link {
                Link::Perceptual { .. } => looks.distance(a, b),
                _ => 0.0,
            };
            all.insert((a, b), Pair { link, likeness, apart });
        }
        let mut partners: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for &(a, b) in all.keys() {
            partners.entry(a).or_default().push(b);
            partners.entry(b).or_default().push(a);
        }
        let known = Known::of(view, &records, &all)?;
        Ok(Pairs { all, partners, known, unseen, crowded })
    }

    /// What two samples are to each other. Two files with the same bytes are only linked through a third.
    pub(crate) fn of(&self, view: &View<'_>, a: usize, b: usize) -> Option<Pair> {
        let hashes = view.content_hashes();
        if hashes[a] == hashes[b] { Some(Pair::EXACT) } else { self.all.get(&pair(a, b)).copied() }
    }

    /// All that a sample is paired with.
    pub(crate) fn partners_of(&self, sample: usize) -> &[u32] {
        self.partners.get(&(sample as u32)).map_or(&[], Vec::as_slice)
    }
}

fn as_part(part: &Part) -> Link {
    Link::Part {
        whole: part.whole,
        part: part.part,
        orientation: Orientation::ALL[usize::from(part.turn) % Orientation::ALL.len()],
        border: part.around == Around::Border,
        correlation: part.correlation,
    }
}

/// Pairs of which one is a part of the other, of the first file with the same bytes each.
/// Also returns how many pictures are near too many others to look at all of these.
fn find_parts(view: &View<'_>, records: &[&[u8]]) -> Result<(BTreeMap<(u32, u32), Part>, usize)> {
    if !view.flag("parts")? {
        return Ok((BTreeMap::new(), 0));
    }
    let mut known = BTreeSet::new();
    let mut first = |sample: usize| view.decodable(sample) && known.insert(view.content_hashes()[sample]);
    let samples: Vec<usize> = (0..records.len()).filter(|&sample| first(sample)).collect();
    let firsts: Vec<&[u8]> = samples.iter().map(|&sample| records[sample]).collect();
    let found = parts(&firsts, view.flag("turned")?, &|_, _| true, &|| view.checkpoint())?;
    let row = |at: u32| samples[at as usize];
    let parts = found.parts.into_iter().map(|part| {
        let (whole, inside) = (row(part.whole), row(part.part));
        (pair(whole, inside), Part { whole: whole as u32, part: inside as u32, ..part })
    });
    Ok((parts.collect(), found.crowded))
}

/// Links every file to the first with the same bytes: a star, so that many copies make few links.
fn add_exact(view: &View<'_>, links: &mut BTreeMap<(u32, u32), Link>) {
    let hashes = view.content_hashes();
    let mut order: Vec<usize> = (0..view.len()).filter(|&sample| view.decodable(sample)).collect();
    // What is equal in all else is told apart by its split.
    let known = Known::default();
    order.sort_by_key(|&sample| (hashes[sample], known.quality(view, sample)));
    for same in order.chunk_by(|&a, &b| hashes[a] == hashes[b]) {
        for &other in &same[1..] {
            links.insert(pair(same[0], other), Link::Exact);
        }
    }
}

fn add_perceptual(view: &View<'_>, links: &mut BTreeMap<(u32, u32), Link>) -> Result<()> {
    let bits = |name: &str| Ok::<u32, Error>(view.count(name)? as u32);
    let bounds = Bounds { radius: bits("radius")?, wide: bits("wide-radius")?, dhash: bits("dhash-radius")? };
    let (phash, dhash) = (view.hashes(HashKind::Phash)?, view.hashes(HashKind::Dhash)?);
    let hashes = |sample: usize| Hashes { phash: phash[sample], dhash: dhash[sample] };
    let contents = view.content_hashes();
    let mut add = |kind: HashKind, near: &dyn Fn(Hashes, Hashes) -> Option<Link>| -> Result<()> {
        for found in view.near_hashes(kind, bounds.widest())? {
            let (a, b) = (found.first as usize, found.second as usize);
            if contents[a] != contents[b]
                && let Some(link) = near(hashes(a), hashes(b))
            {
                links.entry(pair(a, b)).or_insert(link);
            }
        }
        Ok(())
    };
    add(HashKind::Phash, &|a, b| {
        let near = bounds.upright(a, b)?;
        Some(Link::Perceptual { phash: near.phash, dhash: near.dhash.unwrap_or(near.phash) })
    })?;
    if view.flag("turned")? {
        add(HashKind::TurnedPhash, &|a, b| {
            let near = bounds.turned(a, b)?;
            Some(Link::Turned { phash: near.phash, orientation: near.orientation })
        })?;
    }
    Ok(())
}

/// Two samples as a key.
pub(crate) fn pair(a: usize, b: usize) -> (u32, u32) {
    (a.min(b) as u32, a.max(b) as u32)
}
