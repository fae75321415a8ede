//! All pairs of 64-bit hashes that differ in few bits.
//!
//! Multi-index hashing: hashes are cut into chunks; two hashes that differ in at most `radius` bits nearly agree in at
//! least one chunk, so it suffices to search the buckets near each bucket, chunk by chunk.

use crate::job::Job;
use crate::vector::{Kernel, wide};
use crate::{Error, Result};
use chaffinch_plugin::{HashPair, Orientation};
use rayon::prelude::*;
use std::ops::Range;

/// The largest supported radius.
pub const MAX_RADIUS: u32 = 16;

/// Groups of equal hashes up to this size are paired completely.
pub const FULL_GROUP: usize = 64;

/// More pairs than this are not duplicates; the radius is too large.
const MAX_PAIRS: usize = 50_000_000;

/// All pairs of valid samples whose hashes differ in at most `radius` bits, sorted by (first, second).
///
/// It is exact except for one rule that keeps large groups of equal hashes (thousands of black images) from exploding:
/// in a group of more than [`FULL_GROUP`] equal hashes only the first is paired with each other one, and of two near
/// groups with more than `FULL_GROUP²` pairs between them only those with the first of either. The set of samples with
/// a near one, and the groups they form, are always exact.
///
/// # Errors
/// When the radius is above [`MAX_RADIUS`], when it gives tens of millions of pairs, or when stopped.
pub fn near_pairs(
    hashes: &[u64],
    valid: &dyn Fn(usize) -> bool,
    radius: u32,
    job: &Job<'_>,
) -> Result<Vec<HashPair>> {
    if radius > MAX_RADIUS {
        return Err(Error::Invalid(format!(
            "the radius {radius} is too large: use at most {MAX_RADIUS} bits"
        )));
    }
    let groups = Groups::new(hashes, valid);
    let mut pairs = Vec::new();
    for group in 0..groups.len() {
        groups.pair_within(group, &mut pairs);
    }
    refuse_too_many(pairs.len(), radius)?;
    for near in near_values(&groups.values, radius, job)? {
        groups.pair_between(near, &mut pairs);
        if pairs.len() > MAX_PAIRS {
            refuse_too_many(pairs.len(), radius)?;
        }
    }
    pairs.par_sort_unstable_by_key(|pair| (pair.first, pair.second));
    Ok(pairs)
}

/// As [`near_pairs`], for pHashes of pictures that may be mirrored and rotated: the distance is the minimum over all
/// orientations of one of the two. Takes about fifteen times as long.
///
/// # Errors
/// As [`near_pairs`].
pub fn near_turned_pairs(
    hashes: &[u64],
    valid: &dyn Fn(usize) -> bool,
    radius: u32,
    job: &Job<'_>,
) -> Result<Vec<HashPair>> {
    let mut pairs = near_pairs(hashes, valid, radius, job)?;
    let count = hashes.len();
    for orientation in &Orientation::ALL[1..] {
        // The rotated hashes and the original ones, so that near hashes can be in both halves.
        let rotated = hashes.iter().map(|&hash| orientation.of_phash(hash));
        let both: Vec<u64> = rotated.chain(hashes.iter().copied()).collect();
        let near = near_pairs(&both, &|row| valid(row % count), radius, job)?;
        let across = near.into_iter().filter(|pair| pair.first < count as u32 && pair.second >= count as u32);
        pairs.extend(across.filter_map(|HashPair { first, second, distance }| {
            let second = second - count as u32;
            (first != second).then(|| HashPair {
                first: first.min(second),
                second: first.max(second),
                distance,
            })
        }));
        pairs.par_sort_unstable_by_key(|pair| (pair.first, pair.second, pair.distance));
        pairs.dedup_by_key(|pair| (pair.first, pair.second));
        refuse_too_many(pairs.len(), radius)?;
    }
    Ok(pairs)
}

fn refuse_too_many(pairs: usize, radius: u32) -> Result<()> {
    if pairs <= MAX_PAIRS {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "more than {MAX_PAIRS} pairs of images have hashes within {radius} bits of each other: use a smaller radius"
    )))
}

/// Samples by equal hash, in the order of the hashes.
struct Groups {
    values: Vec<u64>,
    starts: Vec<usize>,
    members: Vec<u32>,
}

/// Two different hashes, by their index among the sorted ones, and how many bits differ.
#[derive(Clone, Copy)]
struct Near {
    a: u32,
    b: u32,
    distance: u32,
}

impl Groups {
    fn new(hashes: &[u64], valid: &dyn Fn(usize) -> bool) -> Groups {
        let mut members: Vec<u32> =
            (0..hashes.len()).filter(|&row| valid(row)).map(|row| row as u32).collect();
        members.par_sort_unstable_by_key(|&row| (hashes[row as usize], row));
        let mut groups = Groups { values: Vec::new(), starts: Vec::new(), members: Vec::new() };
        for (index, &row) in members.iter().enumerate() {
            let hash = hashes[row as usize];
            if groups.values.last() != Some(&hash) {
                groups.values.push(hash);
                groups.starts.push(index);
            }
        }
        groups.starts.push(members.len());
        groups.members = members;
        groups
    }

    fn len(&self) -> usize {
        self.values.len()
    }

    fn of(&self, group: usize) -> &[u32] {
        &self.members[self.starts[group]..self.starts[group + 1]]
    }

    fn pair_within(&self, group: usize, out: &mut Vec<HashPair>) {
        let rows = self.of(group);
        let firsts = if rows.len() <= FULL_GROUP { rows.len() } else { 1 };
        for (index, &first) in rows.iter().enumerate().take(firsts) {
            out.extend(rows[index + 1..].iter().map(|&second| HashPair { first, second, distance: 0 }));
        }
    }

    fn pair_between(&self, near: Near, out: &mut Vec<HashPair>) {
        let (left, right) = (self.of(near.a as usize), self.of(near.b as usize));
        let mut push = |a: u32, b: u32| {
            out.push(HashPair { first: a.min(b), second: a.max(b), distance: near.distance })
        };
        if left.len() * right.len() <= FULL_GROUP * FULL_GROUP {
            for &a in left {
                right.iter().for_each(|&b| push(a, b));
            }
        } else {
            right.iter().for_each(|&b| push(left[0], b));
            left[1..].iter().for_each(|&a| push(a, right[0]));
        }
    }
}

/// All pairs of different values within a radius. The values are sorted and unique.
fn near_values(values: &[u64], radius: u32, job: &Job<'_>) -> Result<Vec<Near>> {
    if radius == 0 || values.len() < 2 {
        return Ok(Vec::new());
    }
    let plan = Plan::choose(values.len(), radius);
    let mut found = Vec::new();
    let total = plan.chunks.len().max(1) as u64;
    if plan.chunks.is_empty() {
        found = every_pair(values, radius, job)?;
    }
    for index in 0..plan.chunks.len() {
        job.progress(index as u64, total);
        found.append(&mut plan.search(index, values, radius, job)?);
        refuse_too_many(found.len(), radius)?;
    }
    job.progress(total, total);
    Ok(found)
}

/// Compares all pairs: best for few hashes, and the reference in tests.
fn every_pair(values: &[u64], radius: u32, job: &Job<'_>) -> Result<Vec<Near>> {
    let near = |(a, &hash): (usize, &u64)| -> Vec<Near> {
        if job.stopped() {
            return Vec::new();
        }
        wide(Others { a: a as u32, hash, others: &values[a + 1..], radius })
    };
    let found: Vec<Vec<Near>> = values.par_iter().enumerate().with_min_len(64).map(near).collect();
    job.checkpoint()?;
    Ok(found.concat())
}

/// One value against those after it.
struct Others<'a> {
    a: u32,
    hash: u64,
    others: &'a [u64],
    radius: u32,
}

impl Kernel for Others<'_> {
    type Output = Vec<Near>;

    #[inline(always)]
    fn call(self) -> Vec<Near> {
        let mut close = Vec::new();
        for (b, other) in (self.a + 1..).zip(self.others) {
            let distance = (self.hash ^ other).count_ones();
            if distance <= self.radius {
                close.push(Near { a: self.a, b, distance });
            }
        }
        close
    }
}

/// One chunk of the hash: its position, and how many of its bits may differ.
#[derive(Clone, Copy)]
struct Chunk {
    shift: u32,
    bits: u32,
    radius: u32,
}

impl Chunk {
    #[inline(always)]
    fn key(self, hash: u64) -> u64 {
        (hash >> self.shift) & ((1 << self.bits) - 1)
    }
}

/// How a hash is split. No chunks: compare everything.
struct Plan {
    chunks: Vec<Chunk>,
}

impl Plan {
    /// The cheapest of three to eight chunks, or none.
    fn choose(count: usize, radius: u32) -> Plan {
        let n = count as f64;
        let mut best = (0.5 * n * n, Vec::new());
        for pieces in 3..=8 {
            let chunks = Plan::cut(pieces, radius);
            let cost: f64 = chunks.iter().map(|chunk| Plan::cost(*chunk, n)).sum();
            if cost < best.0 {
                best = (cost, chunks);
            }
        }
        Plan { chunks: best.1 }
    }

    /// Cuts into pieces whose radii add up so that a pair within the whole radius is within at least one: were it
    /// outside all of them, it would differ in `sum(radius + 1) = radius + 1` bits. Chunks with a negative radius are
    /// dropped.
    fn cut(pieces: u32, radius: u32) -> Vec<Chunk> {
        let (mut shift, mut chunks) = (0, Vec::new());
        for piece in 0..pieces {
            let bits = 64 / pieces + u32::from(piece < 64 % pieces);
            let share = (radius + 1) / pieces + u32::from(piece < (radius + 1) % pieces);
            if share > 0 {
                chunks.push(Chunk { shift, bits, radius: share - 1 });
            }
            shift += bits;
        }
        chunks
    }

    /// Comparisons, with probing an almost always absent bucket counted as a few of them.
    fn cost(chunk: Chunk, n: f64) -> f64 {
        let buckets = f64::from(chunk.bits).exp2();
        let (mut masks, mut binomial) = (0.0, 1.0);
        for bits in 0..=chunk.radius {
            masks += binomial;
            binomial = binomial * f64::from(chunk.bits - bits) / f64::from(bits + 1);
        }
        let filled = n.min(buckets);
        0.5 * masks * (4.0 * filled + n * n / buckets) + 2.0 * buckets + 20.0 * n
    }

    /// Pairs that are near in this chunk, but in no earlier one, so that each pair appears once.
    fn search(&self, index: usize, values: &[u64], radius: u32, job: &Job<'_>) -> Result<Vec<Near>> {
        let chunk = self.chunks[index];
        let buckets = Buckets::new(values, chunk);
        let masks = masks(chunk);
        let earlier = &self.chunks[..index];
        let pieces = 64 * rayon::current_num_threads();
        let step = buckets.len().div_ceil(pieces).max(1);
        let found: Vec<Vec<Near>> = (0..buckets.len())
            .into_par_iter()
            .step_by(step)
            .map(|start| {
                let keys = start..(start + step).min(buckets.len());
                wide(Within { keys, buckets: &buckets, masks: &masks, earlier, radius, job })
            })
            .collect();
        job.checkpoint()?;
        Ok(found.concat())
    }
}

/// The pairs of some buckets: inside each, and with those near it that have a higher key.
struct Within<'a> {
    keys: Range<usize>,
    buckets: &'a Buckets,
    masks: &'a [u64],
    /// Chunks whose pairs are known.
    earlier: &'a [Chunk],
    radius: u32,
    job: &'a Job<'a>,
}

impl Within<'_> {
    #[inline(always)]
    fn compare(&self, &(a, left): &(u32, u64), &(b, right): &(u32, u64), out: &mut Vec<Near>) {
        let difference = left ^ right;
        let distance = difference.count_ones();
        if distance <= self.radius
            && self.earlier.iter().all(|early| early.key(difference).count_ones() > early.radius)
        {
            out.push(Near { a: a.min(b), b: a.max(b), distance });
        }
    }
}

impl Kernel for Within<'_> {
    type Output = Vec<Near>;

    #[inline(always)]
    fn call(self) -> Vec<Near> {
        let mut out = Vec::new();
        for key in self.keys.clone() {
            let bucket = self.buckets.of(key);
            if bucket.is_empty() {
                continue;
            }
            if self.job.stopped() {
                break;
            }
            for (index, left) in bucket.iter().enumerate() {
                for right in &bucket[index + 1..] {
                    self.compare(left, right, &mut out);
                }
            }
            for mask in self.masks {
                let other = key ^ *mask as usize;
                if other > key {
                    for right in self.buckets.of(other) {
                        for left in bucket {
                            self.compare(left, right, &mut out);
                        }
                    }
                }
            }
        }
        out
    }
}

/// All patterns of one to `radius` set bits of a chunk.
fn masks(chunk: Chunk) -> Vec<u64> {
    let (mut all, mut last) = (Vec::new(), vec![(0_u64, 0)]);
    for _ in 0..chunk.radius {
        let longer =
            |&(mask, from): &(u64, u32)| (from..chunk.bits).map(move |bit| (mask | 1 << bit, bit + 1));
        last = last.iter().flat_map(longer).collect();
        all.extend(last.iter().map(|&(mask, _)| mask));
    }
    all
}

/// Values sorted by one chunk of their bits.
struct Buckets {
    starts: Vec<u32>,
    entries: Vec<(u32, u64)>,
}

impl Buckets {
    fn new(values: &[u64], chunk: Chunk) -> Buckets {
        let mut starts = vec![0_u32; (1 << chunk.bits) + 1];
        for &value in values {
            starts[chunk.key(value) as usize + 1] += 1;
        }
        for bucket in 1..starts.len() {
            starts[bucket] += starts[bucket - 1];
        }
        let mut next = starts.clone();
        let mut entries = vec![(0, 0); values.len()];
        for (index, &value) in values.iter().enumerate() {
            let slot = &mut next[chunk.key(value) as usize];
            entries[*slot as usize] = (index as u32, value);
            *slot += 1;
        }
        Buckets { starts, entries }
    }

    fn len(&self) -> usize {
        self.starts.len() - 1
    }

    fn of(&self, key: usize) -> &[(u32, u64)] {
        &self.entries[self.starts[key] as usize..self.starts[key + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::atomic::AtomicBool;
    use std::time::Instant;

    fn find(hashes: &[u64], radius: u32) -> Vec<(u32, u32, u32)> {
        let stop = AtomicBool::new(false);
        let pairs = near_pairs(hashes, &|_| true, radius, &Job::new(&stop, &|_, _| {})).unwrap();
        pairs.iter().map(|pair| (pair.first, pair.second, pair.distance)).collect()
    }

    fn brute(hashes: &[u64], radius: u32) -> Vec<(u32, u32, u32)> {
        let mut out = Vec::new();
        for (a, left) in hashes.iter().enumerate() {
            for (b, right) in hashes.iter().enumerate().skip(a + 1) {
                let distance = (left ^ right).count_ones();
                if distance <= radius {
                    out.push((a as u32, b as u32, distance));
                }
            }
        }
        out
    }

    fn random(count: usize, seed: u64) -> Vec<u64> {
        let mut state = seed;
        let mut next = move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        };
        (0..count).map(|_| next()).collect()
    }

    /// Hashes near a few centers, so that there are pairs at every distance.
    fn clustered() -> impl Strategy<Value = Vec<u64>> {
        let flips = proptest::collection::vec(0_u32..64, 0..20);
        proptest::collection::vec((0_u64..6, flips), 0..150).prop_map(|rows| {
            let center = |seed| random(1, seed)[0];
            rows.into_iter()
                .map(|(seed, flips)| flips.iter().fold(center(seed), |hash, bit| hash ^ (1 << bit)))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn every_way_of_cutting_finds_what_brute_force_finds(hashes in clustered(), radius in 0_u32..=16, pieces in 3_u32..=8) {
            let expected = brute(&hashes, radius);
            prop_assert_eq!(find(&hashes, radius), expected.clone());
            let mut values = hashes;
            values.sort_unstable();
            values.dedup();
            let plan = Plan { chunks: Plan::cut(pieces, radius) };
            let stop = AtomicBool::new(false);
            let job = Job::new(&stop, &|_, _| {});
            let mut found: Vec<(u32, u32, u32)> = (0..plan.chunks.len())
                .flat_map(|index| plan.search(index, &values, radius, &job).unwrap())
                .map(|near| (near.a, near.b, near.distance))
                .collect();
            found.sort_unstable();
            prop_assert_eq!(found, brute(&values, radius));
        }
    }

    #[test]
    fn large_groups_are_stars() {
        let mut hashes = vec![0; 1000];
        hashes.extend([1; 1000]);
        let pairs = find(&hashes, 2);
        assert_eq!(pairs.len(), 999 + 999 + 1999);
        assert_eq!(pairs[0], (0, 1, 0));
        assert!(pairs.contains(&(0, 1999, 1)) && pairs.contains(&(999, 1000, 1)));
        assert_eq!(find(&[5; 64], 0).len(), 64 * 63 / 2);
    }

    proptest! {
        #[test]
        fn turned_pairs_are_those_that_trying_every_orientation_finds(
            hashes in clustered(), turns in proptest::collection::vec(0_usize..8, 150), radius in 0_u32..=8,
        ) {
            let rotated: Vec<u64> =
                hashes.iter().zip(turns).map(|(&hash, turn)| Orientation::ALL[turn].of_phash(hash)).collect();
            let stop = AtomicBool::new(false);
            let job = Job::new(&stop, &|_, _| {});
            let found = near_turned_pairs(&rotated, &|row| row != 3, radius, &job).unwrap();
            let found: Vec<_> = found.iter().map(|pair| (pair.first, pair.second, pair.distance)).collect();
            let mut expected = Vec::new();
            for a in (0..rotated.len()).filter(|&row| row != 3) {
                for b in (a + 1..rotated.len()).filter(|&row| row != 3) {
                    let (_, distance) = Orientation::nearest(rotated[a], rotated[b]);
                    if distance <= radius {
                        expected.push((a as u32, b as u32, distance));
                    }
                }
            }
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn invalid_samples_are_left_out() {
        let stop = AtomicBool::new(false);
        let job = Job::new(&stop, &|_, _| {});
        let pairs = near_pairs(&[0, 0, 0], &|row| row != 1, 0, &job).unwrap();
        assert_eq!((pairs.len(), pairs[0].first, pairs[0].second), (1, 0, 2));
        assert!(near_pairs(&[0], &|_| true, 17, &job).is_err());
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(matches!(near_pairs(&random(10_000, 1), &|_| true, 8, &job), Err(Error::Stopped)));
    }

    #[test]
    fn a_million_hashes_take_seconds() {
        let mut hashes = random(1_000_000, 7);
        let planted: Vec<u64> = hashes[..50_000].iter().map(|hash| hash ^ 0x0101_0000_8000_0080).collect();
        hashes.extend(planted);
        for radius in [4, 8] {
            let start = Instant::now();
            let pairs = find(&hashes, radius);
            eprintln!(
                "{} pairs within {radius} bits among {} in {:.2?}",
                pairs.len(),
                hashes.len(),
                start.elapsed()
            );
            assert!(pairs.len() >= 50_000);
        }
    }
}
