//! Joins pairs of copies into groups around the best member of each.

use chaffinch_plugin::{Likeness, Orientation};
use std::collections::BTreeMap;

/// By what a pair was found, strongest first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Link {
    /// The same bytes.
    Exact,
    /// Near hashes: differing bits of each.
    Perceptual { phash: u32, dhash: u32 },
    /// Near hashes after one of the pictures is mirrored or rotated.
    Turned { phash: u32, orientation: Orientation },
    /// Near embeddings.
    Semantic { cosine: f32 },
}

impl Link {
    /// Similarity, 1 = identical.
    pub(crate) fn similarity(self) -> f32 {
        match self {
            Link::Exact => 1.0,
            Link::Perceptual { phash, .. } | Link::Turned { phash, .. } => 1.0 - phash as f32 / 64.0,
            Link::Semantic { cosine } => cosine,
        }
    }
}

/// A pair: by what it was found, and how alike its pictures are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pair {
    pub(crate) link: Link,
    pub(crate) likeness: Likeness,
}

/// The score of a copy with the same bytes: lowest but for copies whose labels differ.
const EXACT_SCORE: f32 = 0.01;

impl Pair {
    /// Two files with the same bytes.
    pub(crate) const EXACT: Pair = Pair { link: Link::Exact, likeness: Likeness::SameBytes };

    /// Whether the pictures are the same one.
    pub(crate) fn is_copy(self) -> bool {
        self.likeness < Likeness::Alike
    }

    /// The score of a redundant member, 0 = surely a copy. The sum of both hashes ranks real copies better than
    /// either alone. What is alike only comes after all copies.
    pub(crate) fn score(self) -> f32 {
        let bits = match self.link {
            Link::Exact => 0.0,
            Link::Perceptual { phash, dhash } => (phash + dhash) as f32 / 128.0,
            Link::Turned { phash, .. } => 0.1 + phash as f32 / 64.0,
            Link::Semantic { cosine } => return 0.2 + 0.2 * ((1.0 - cosine) / 0.5).clamp(0.0, 1.0),
        };
        match self.likeness {
            Likeness::SameBytes => EXACT_SCORE,
            Likeness::SamePixels | Likeness::SamePicture => bits.clamp(2.0 * EXACT_SCORE, 0.19),
            Likeness::Alike => 0.41 + 0.08 * bits.min(1.0),
        }
    }
}

/// Groups of two or more, each with its best member first and the others by number; groups in the order of
/// their best member's number. Smaller `quality` is better.
///
/// The best sample collects its direct copies, then the best that is left does the same. A copy whose every
/// partner was taken joins the group of its nearest partner, so that no pair is lost and nothing is more than two
/// steps from the best.
pub(crate) fn group<Q: Ord>(
    pairs: &BTreeMap<(u32, u32), Pair>,
    quality: impl Fn(usize) -> Q,
) -> Vec<Vec<usize>> {
    let mut partners: BTreeMap<usize, Vec<(usize, f32)>> = BTreeMap::new();
    for (&(a, b), pair) in pairs {
        partners.entry(a as usize).or_default().push((b as usize, pair.score()));
        partners.entry(b as usize).or_default().push((a as usize, pair.score()));
    }
    let mut order: Vec<usize> = partners.keys().copied().collect();
    order.sort_by_key(|&sample| quality(sample));

    // Sample to the best member of its group.
    let mut center: BTreeMap<usize, usize> = BTreeMap::new();
    let mut left = Vec::new();
    for &sample in &order {
        if center.contains_key(&sample) {
            continue;
        }
        let free: Vec<usize> = partners[&sample]
            .iter()
            .map(|&(other, _)| other)
            .filter(|other| !center.contains_key(other))
            .collect();
        if free.is_empty() {
            left.push(sample);
            continue;
        }
        center.insert(sample, sample);
        center.extend(free.into_iter().map(|other| (other, sample)));
    }
    let joined: Vec<(usize, usize)> = left
        .into_iter()
        .filter_map(|sample| {
            let near = partners[&sample]
                .iter()
                .min_by(|a, b| a.1.total_cmp(&b.1).then_with(|| quality(a.0).cmp(&quality(b.0))))?;
            Some((sample, center[&near.0]))
        })
        .collect();
    center.extend(joined);

    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (&sample, &best) in &center {
        let members = groups.entry(best).or_insert_with(|| vec![best]);
        if sample != best {
            members.push(sample);
        }
    }
    groups.into_values().collect()
}
