//! Which pictures of a later set are also in an earlier one.

use crate::{Leaks, MAX_RELATED};
use chaffinch_likeness::{Look, compare};
use chaffinch_plugin::is_flat;
use chaffinch_plugin::prelude::*;
use std::collections::BTreeMap;

/// Number of nearest neighbors to look at.
const NEIGHBORS: usize = 10;
/// The scores of pictures that are alike only, of equal hashes and of the farthest.
const ALIKE: (f32, f32) = (0.41, 0.49);
/// The score of the least similar semantic copy, and of the most similar one.
const SEMANTIC: (f32, f32) = (0.4, 0.3);

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

/// The kind of similarity, most certain first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Likeness {
    /// The same bytes.
    Exact,
    /// Near hashes, and the same pixels or the same picture at a second look.
    Same {
        /// Bits of the pHash that differ.
        bits: u32,
        /// Whether the decoded pixels are the same.
        pixels: bool,
    },
    /// Near hashes only: bits of the pHash that differ.
    Perceptual(u32),
    /// The cosine of the embeddings, with the minimum that counts.
    Semantic { cosine: f32, least: f32 },
}

/// A copy in an earlier set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Match {
    pub(crate) other: u32,
    pub(crate) likeness: Likeness,
}

impl Match {
    pub(crate) fn score(&self) -> f32 {
        match self.likeness {
            Likeness::Exact => 0.0,
            Likeness::Same { bits, .. } => bits as f32 / 64.0,
            Likeness::Perceptual(bits) => ALIKE.0 + (ALIKE.1 - ALIKE.0) * bits as f32 / 16.0,
            Likeness::Semantic { cosine, least } => {
                let far = ((1.0 - cosine) / (1.0 - least).max(f32::EPSILON)).clamp(0.0, 1.0);
                SEMANTIC.1 + (SEMANTIC.0 - SEMANTIC.1) * far
            }
        }
    }

    pub(crate) fn similarity(&self) -> f32 {
        match self.likeness {
            Likeness::Exact => 1.0,
            Likeness::Same { bits, .. } | Likeness::Perceptual(bits) => 1.0 - bits as f32 / 64.0,
            Likeness::Semantic { cosine, .. } => cosine,
        }
    }
}

/// All copies of all leaked samples.
pub(crate) struct Copies {
    by_sample: BTreeMap<u32, Vec<Match>>,
    /// Why there was no second look, if there was none.
    pub(crate) unseen: Option<String>,
}

impl Copies {
    pub(crate) fn find(view: &View<'_>, detector: &Leaks) -> Result<Copies> {
        let mut found: BTreeMap<(u32, u32), Likeness> = BTreeMap::new();
        // Most certain first: a pair keeps the first link it was found by.
        exact(view, &mut found);
        perceptual(view, view.count("radius")? as u32, &mut found)?;
        let unseen = look_twice(view, detector, &mut found)?;
        let least = view.number("semantic")? as f32;
        if least < 1.0 {
            semantic(view, least, &mut found)?;
        }
        let mut copies: BTreeMap<u32, Vec<Match>> = BTreeMap::new();
        for ((sample, other), likeness) in found {
            copies.entry(sample).or_default().push(Match { other, likeness });
        }
        for copies in copies.values_mut() {
            copies.sort_by(|a, b| a.score().total_cmp(&b.score()).then(a.other.cmp(&b.other)));
        }
        Ok(Copies { by_sample: copies, unseen })
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

fn perceptual(view: &View<'_>, radius: u32, found: &mut BTreeMap<(u32, u32), Likeness>) -> Result<()> {
    let (phash, dhash) = (view.hashes(HashKind::Phash)?, view.hashes(HashKind::Dhash)?);
    for near in view.near_hashes(HashKind::Phash, radius)? {
        let (a, b) = (near.first as usize, near.second as usize);
        if is_flat(phash[a], dhash[a]) || is_flat(phash[b], dhash[b]) {
            continue;
        }
        if let Some(pair) = leak(view, a, b) {
            found.entry(pair).or_insert(Likeness::Perceptual(near.distance));
        }
    }
    Ok(())
}

/// Looks at the pixels of pictures with near hashes. Returns why that was not possible, if so.
fn look_twice(
    view: &View<'_>,
    detector: &Leaks,
    found: &mut BTreeMap<(u32, u32), Likeness>,
) -> Result<Option<String>> {
    if !found.values().any(|likeness| matches!(likeness, Likeness::Perceptual(_))) {
        return Ok(None);
    }
    let records: Vec<&[u8]> = match view.measures(detector) {
        Ok(records) => records.collect(),
        Err(error) if error.is_stopped() => return Err(error),
        Err(error) => return Ok(Some(error.to_string())),
    };
    let record = |sample: u32| records.get(sample as usize).copied().unwrap_or_default();
    for (&(a, b), likeness) in found.iter_mut() {
        if let &mut Likeness::Perceptual(bits) = likeness {
            *likeness = match compare(record(a), record(b)) {
                Look::SamePixels => Likeness::Same { bits, pixels: true },
                Look::SamePicture => Likeness::Same { bits, pixels: false },
                Look::Alike => Likeness::Perceptual(bits),
            };
        }
    }
    Ok(None)
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
