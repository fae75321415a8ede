//! The best candidates so far.

use super::{BLOCK, Set};
use crate::vector::{Kernel, wide};
use std::sync::{Mutex, PoisonError};

/// Candidates that are checked together.
const LOOK: usize = 64;
/// Numbers summed in parallel lanes.
const LANES: usize = 32;
/// Maximum error of a fast product for unit vectors: far more than rounding errors.
pub(super) const SLACK: f32 = 1e-4;

/// The nearest so far of some rows. Keeps the top `k` under a total order (cosine, then lower index), so that the order
/// of candidates does not matter.
pub(super) struct Best {
    pub(super) k: usize,
    /// Indices; [`u32::MAX`] if there is none yet.
    pub(super) indices: Vec<u32>,
    pub(super) similarities: Vec<f32>,
}

impl Best {
    pub(super) fn new(rows: usize, k: usize) -> Best {
        Best { k, indices: vec![u32::MAX; rows * k], similarities: vec![f32::NEG_INFINITY; rows * k] }
    }

    /// The lists of [`BLOCK`] rows each, for several threads at once.
    pub(super) fn into_blocks(self) -> Vec<Mutex<Best>> {
        let k = self.k;
        let lists = self.indices.chunks(BLOCK * k).zip(self.similarities.chunks(BLOCK * k));
        lists
            .map(|(indices, similarities)| {
                Mutex::new(Best { k, indices: indices.to_vec(), similarities: similarities.to_vec() })
            })
            .collect()
    }

    /// Joins blocks that were split.
    pub(super) fn from_blocks(k: usize, blocks: Vec<Mutex<Best>>) -> Best {
        Best::joined(
            k,
            blocks.into_iter().map(|block| block.into_inner().unwrap_or_else(PoisonError::into_inner)),
        )
    }

    /// Concatenated lists.
    pub(super) fn joined(k: usize, parts: impl IntoIterator<Item = Best>) -> Best {
        let mut all = Best { k, indices: Vec::new(), similarities: Vec::new() };
        for part in parts {
            all.indices.extend(part.indices);
            all.similarities.extend(part.similarities);
        }
        all
    }

    /// The minimum cosine of a candidate for this row.
    pub(super) fn worst(&self, row: usize) -> f32 {
        self.similarities[(row + 1) * self.k - 1]
    }

    /// Inserts a candidate if it is among the best and not present yet.
    #[inline]
    pub(super) fn offer(&mut self, row: usize, index: u32, similarity: f32) {
        // Rounding gives equal vectors slightly more or less than one; clamp it, so that the earlier of equal ones
        // comes first.
        let similarity = similarity.min(1.0);
        let range = row * self.k..(row + 1) * self.k;
        let (indices, similarities) = (&mut self.indices[range.clone()], &mut self.similarities[range]);
        let mut slot = similarities.len();
        while slot > 0 {
            let (other, with) = (indices[slot - 1], similarities[slot - 1]);
            if !(similarity > with || (similarity == with && index < other)) {
                break;
            }
            slot -= 1;
        }
        if slot < similarities.len() && !indices.contains(&index) {
            similarities[slot..].rotate_right(1);
            indices[slot..].rotate_right(1);
            (similarities[slot], indices[slot]) = (similarity, index);
        }
    }

    /// Offers a row (`own`, at `row` of these lists) those candidates whose fast product gives them a chance.
    pub(super) fn offer_all(
        &mut self,
        set: Set<'_>,
        row: usize,
        own: u32,
        quick: &[f32],
        others: &Places<'_>,
    ) {
        self.offer_within(set, row, own, quick, others, (SLACK, f32::NEG_INFINITY));
    }

    /// The same with products that are as far from the cosine as `slack`, of which those below `floor` have no chance.
    pub(super) fn offer_within(
        &mut self,
        set: Set<'_>,
        row: usize,
        own: u32,
        quick: &[f32],
        others: &Places<'_>,
        (slack, floor): (f32, f32),
    ) {
        wide(ToOne { best: self, set, row, own, quick, others, slack, floor });
    }

    /// Offers rows (`others`, the first at row 0 of these lists) one candidate. `thresholds` are their minimum cosines.
    pub(super) fn offer_to_all(
        &mut self,
        set: Set<'_>,
        others: &Places<'_>,
        candidate: u32,
        quick: &[f32],
        thresholds: &mut [f32],
    ) {
        wide(ToAll { best: self, set, others, candidate, quick, thresholds });
    }
}

/// [`Best::offer_all`].
struct ToOne<'a> {
    best: &'a mut Best,
    set: Set<'a>,
    row: usize,
    own: u32,
    quick: &'a [f32],
    others: &'a Places<'a>,
    slack: f32,
    floor: f32,
}

impl Kernel for ToOne<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let ToOne { best, set, row, own, quick, others, slack, floor } = self;
        let mut worst = (best.worst(row) - slack).max(floor);
        for (part, quick) in quick.chunks(LOOK).enumerate() {
            // Counted instead of searched: nearly always there is none, and counting needs no branches.
            if quick.iter().map(|quick| u32::from(*quick >= worst)).sum::<u32>() == 0 {
                continue;
            }
            for (step, &quick) in quick.iter().enumerate() {
                if quick >= worst {
                    let other = others.at(part * LOOK + step);
                    if other != own {
                        best.offer(row, other, cosine(set.row(own), set.row(other)));
                        worst = (best.worst(row) - slack).max(floor);
                    }
                }
            }
        }
    }
}

/// [`Best::offer_to_all`].
struct ToAll<'a> {
    best: &'a mut Best,
    set: Set<'a>,
    others: &'a Places<'a>,
    candidate: u32,
    quick: &'a [f32],
    thresholds: &'a mut [f32],
}

impl Kernel for ToAll<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let ToAll { best, set, others, candidate, quick, thresholds } = self;
        let parts = quick.chunks(LOOK).zip(thresholds.chunks_mut(LOOK)).enumerate();
        for (part, (quick, thresholds)) in parts {
            let pairs = quick.iter().zip(thresholds.iter());
            if pairs.map(|(quick, worst)| u32::from(quick >= worst)).sum::<u32>() == 0 {
                continue;
            }
            for step in 0..quick.len() {
                if quick[step] >= thresholds[step] {
                    let row = part * LOOK + step;
                    best.offer(row, candidate, cosine(set.row(others.at(row)), set.row(candidate)));
                    thresholds[step] = best.worst(row) - SLACK;
                }
            }
        }
    }
}

/// Indices of the candidates.
pub(super) enum Places<'a> {
    /// Consecutive from here.
    From(u32),
    /// Any.
    These(&'a [u32]),
}

impl Places<'_> {
    #[inline(always)]
    fn at(&self, index: usize) -> u32 {
        match self {
            Places::From(first) => first + index as u32,
            Places::These(places) => places[index],
        }
    }
}

/// [`cosine`] for callers outside of kernels.
pub(super) fn cosine_of(a: &[f32], b: &[f32]) -> f32 {
    wide(OfTwo { a, b })
}

/// [`cosine_of`].
struct OfTwo<'a> {
    a: &'a [f32],
    b: &'a [f32],
}

impl Kernel for OfTwo<'_> {
    type Output = f32;

    #[inline(always)]
    fn call(self) -> f32 {
        cosine(self.a, self.b)
    }
}

/// The cosine of two unit vectors as stored in lists: always summed in the same order.
#[inline(always)]
fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0_f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}
