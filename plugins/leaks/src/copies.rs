//! Which pictures of a later set are also in an earlier one.

use crate::likeness::Likeness;
use crate::{Leaks, MAX_RELATED};
use chaffinch_likeness::{Around, Look, Part, compare, compare_turned, distance, parts};
use chaffinch_plugin::prelude::*;
use chaffinch_plugin::{Bounds, Hashes, Nearness, Orientation};
use std::collections::{BTreeMap, BTreeSet};

/// Number of nearest neighbors to look at.
const NEIGHBORS: usize = 10;
/// The rank of a split in the order in which a model sees them.
pub(crate) fn rank(split: Split) -> Option<u8> {
    match split {
        Split::None => None,
        Split::Train => Some(0),
        Split::Validation => Some(1),
        Split::Test => Some(2),
    }
}

/// Whether any two samples can leak.
pub(crate) fn comparable(view: &View<'_>) -> bool {
    let mut places = (0..view.len()).filter_map(|sample| rank(view.split(sample)));
    places.next().is_some_and(|first| places.any(|other| other != first))
}

/// A copy in an earlier set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Match {
    pub(crate) other: u32,
    pub(crate) likeness: Likeness,
}

/// All copies of all leaked samples.
pub(crate) struct Copies {
    by_sample: BTreeMap<u32, Vec<Match>>,
    /// Why there was no second look, if there was none, and something to look at.
    pub(crate) unseen: Option<String>,
    /// Pictures that are near too many others to look for parts among all of these.
    pub(crate) crowded: usize,
}

impl Copies {
    pub(crate) fn find(view: &View<'_>, detector: &Leaks) -> Result<Copies> {
        let mut found: BTreeMap<(u32, u32), Likeness> = BTreeMap::new();
        // Most certain first: a pair keeps the first link it was found by.
        exact(view, &mut found);
        perceptual(view, &mut found)?;
        let (unseen, crowded) = look_twice(view, detector, &mut found)?;
        let least = view.number("semantic")? as f32;
        if least < 1.0 {
            semantic(view, least, &mut found)?;
        }
        let mut copies: BTreeMap<u32, Vec<Match>> = BTreeMap::new();
        for ((sample, other), likeness) in found {
            copies.entry(sample).or_default().push(Match { other, likeness });
        }
        for copies in copies.values_mut() {
            copies.sort_by(|a, b| {
                a.likeness.score().total_cmp(&b.likeness.score()).then(a.other.cmp(&b.other))
            });
        }
        Ok(Copies { by_sample: copies, unseen, crowded })
    }

    /// Each leaked sample with its copies, the most similar first.
    pub(crate) fn by_sample(&self) -> impl Iterator<Item = (usize, &[Match])> {
        self.by_sample.iter().map(|(&sample, copies)| (sample as usize, copies.as_slice()))
    }
}

/// The pair as (later, earlier), if they are in different sets.
fn leak(view: &View<'_>, a: usize, b: usize) -> Option<(u32, u32)> {
    let (first, second) = (rank(view.split(a))?, rank(view.split(b))?);
    match first.cmp(&second) {
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Greater => Some((a as u32, b as u32)),
        std::cmp::Ordering::Less => Some((b as u32, a as u32)),
    }
}

fn exact(view: &View<'_>, found: &mut BTreeMap<(u32, u32), Likeness>) {
    let hashes = view.content_hashes();
    let mut order: Vec<usize> = (0..view.len()).filter(|&sample| view.decodable(sample)).collect();
    let set = |sample: usize| rank(view.split(sample));
    order.sort_by_key(|&sample| (hashes[sample], set(sample), sample));
    for same in order.chunk_by(|&a, &b| hashes[a] == hashes[b]) {
        // Samples without a split come first, then the sets in their order.
        let judged = &same[same.partition_point(|&sample| set(sample).is_none())..];
        for &sample in judged {
            let earlier = &judged[..judged.partition_point(|&other| set(other) < set(sample))];
            for &other in earlier.iter().take(MAX_RELATED) {
                found.insert((sample as u32, other as u32), Likeness::Exact);
            }
        }
    }
}

fn perceptual(view: &View<'_>, found: &mut BTreeMap<(u32, u32), Likeness>) -> Result<()> {
    let bits = |name: &str| Ok::<u32, Error>(view.count(name)? as u32);
    let bounds = Bounds { radius: bits("radius")?, wide: bits("wide-radius")?, dhash: bits("dhash-radius")? };
    let hashes = hashes(view)?;
    let mut add = |kind: HashKind, near: &dyn Fn(Hashes, Hashes) -> Option<Nearness>| -> Result<()> {
        for pair in view.near_hashes(kind, bounds.widest())? {
            let (a, b) = (pair.first as usize, pair.second as usize);
            if let Some((pair, near)) = leak(view, a, b).zip(near(hashes[a], hashes[b])) {
                found.entry(pair).or_insert(as_near(near));
            }
        }
        Ok(())
    };
    add(HashKind::Phash, &|a, b| bounds.upright(a, b))?;
    if view.flag("turned")? {
        add(HashKind::TurnedPhash, &|a, b| bounds.turned(a, b))?;
    }
    Ok(())
}

fn hashes(view: &View<'_>) -> Result<Vec<Hashes>> {
    let (phash, dhash) = (view.hashes(HashKind::Phash)?, view.hashes(HashKind::Dhash)?);
    Ok(phash.iter().zip(dhash).map(|(&phash, &dhash)| Hashes { phash, dhash }).collect())
}

/// Near hashes that have had no second look.
fn as_near(near: Nearness) -> Likeness {
    // After a quarter turn, the dHash is unknown.
    let bits = (near.phash + near.dhash.unwrap_or(near.phash)) as f32 / 128.0;
    Likeness::Near { bits, orientation: near.orientation, look: Look::Alike, apart: 1.0 }
}

/// Looks at the pixels of pictures with near hashes, and for pictures that are parts of others. Returns why the former was not
/// possible, if there are any, and how many pictures are near too many others to look at all of these.
fn look_twice(
    view: &View<'_>,
    detector: &Leaks,
    found: &mut BTreeMap<(u32, u32), Likeness>,
) -> Result<(Option<String>, usize)> {
    let records: Vec<&[u8]> = match view.measures(detector) {
        Ok(records) => records.collect(),
        Err(error) if error.is_stopped() => return Err(error),
        Err(error) => {
            let any = found.values().any(|likeness| matches!(likeness, Likeness::Near { .. }));
            return Ok((any.then(|| error.to_string()), 0));
        }
    };
    let hashes = hashes(view)?;
    let (parts, crowded) = find_parts(view, &records)?;
    let whole = |part: &&Part| part.around == Around::Nothing;
    for part in parts.iter().filter(whole) {
        let Some((later, earlier)) = leak(view, part.whole as usize, part.part as usize) else { continue };
        let (first, second) = (hashes[part.whole as usize], hashes[part.part as usize]);
        let orientation = oriented(part);
        let near = Nearness {
            phash: (first.phash ^ orientation.of_phash(second.phash)).count_ones(),
            dhash: orientation.of_dhash(second.dhash).map(|dhash| (first.dhash ^ dhash).count_ones()),
            orientation,
        };
        found.entry((later, earlier)).or_insert(as_near(near));
    }
    let record = |sample: u32| records.get(sample as usize).copied().unwrap_or_default();
    for (number, (&(a, b), likeness)) in found.iter_mut().enumerate() {
        if number % 4096 == 0 {
            view.checkpoint()?;
        }
        let Likeness::Near { orientation, look, apart, .. } = likeness else { continue };
        if orientation.name().is_empty() {
            (*look, *apart) = (compare(record(a), record(b)), distance(record(a), record(b)));
        } else {
            // How far apart they are is known of upright pictures only.
            (*look, *apart) = (compare_turned(record(a), record(b)), 0.1);
        }
    }
    for part in parts.iter().filter(|part| !whole(part)) {
        let Some((later, earlier)) = leak(view, part.whole as usize, part.part as usize) else { continue };
        let likeness = Likeness::Part {
            more: later == part.whole,
            border: part.around == Around::Border,
            orientation: oriented(part),
            correlation: part.correlation,
        };
        // That one is a part of the other says more than that their hashes are near.
        let known = found.entry((later, earlier)).or_insert(likeness);
        if matches!(known, Likeness::Near { look: Look::Alike, .. }) {
            *known = likeness;
        }
    }
    Ok((None, crowded))
}

fn oriented(part: &Part) -> Orientation {
    Orientation::ALL[usize::from(part.turn) % Orientation::ALL.len()]
}

/// Pairs of different sets of which one is a part of the other, of the first file with the same bytes in each set.
fn find_parts(view: &View<'_>, records: &[&[u8]]) -> Result<(Vec<Part>, usize)> {
    if !view.flag("parts")? {
        return Ok((Vec::new(), 0));
    }
    let mut known = BTreeSet::new();
    let mut first = |&sample: &usize| {
        let set = rank(view.split(sample));
        view.decodable(sample) && set.is_some() && known.insert((view.content_hashes()[sample], set))
    };
    let samples: Vec<usize> = (0..records.len()).filter(|sample| first(sample)).collect();
    let firsts: Vec<&[u8]> = samples.iter().map(|&sample| records[sample]).collect();
    let set = |at: u32| rank(view.split(samples[at as usize]));
    let found = parts(&firsts, view.flag("turned")?, &|a, b| set(a) != set(b), &|| view.checkpoint())?;
    let row = |at: u32| samples[at as usize] as u32;
    let parts = found.parts.into_iter();
    let parts = parts.map(|part| Part { whole: row(part.whole), part: row(part.part), ..part }).collect();
    Ok((parts, found.crowded))
}

fn semantic(view: &View<'_>, least: f32, found: &mut BTreeMap<(u32, u32), Likeness>) -> Result<()> {
    let neighbors = view.neighbors(NEIGHBORS)?;
    for sample in 0..view.len() {
        if sample % 1024 == 0 {
            view.checkpoint()?;
        }
        for (other, cosine) in neighbors.of(sample).filter(|(_, cosine)| *cosine >= least) {
            if let Some(pair) = leak(view, sample, other) {
                found.entry(pair).or_insert(Likeness::Semantic { cosine, least });
            }
        }
    }
    Ok(())
}
