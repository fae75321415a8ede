//! Sorts millions of numbers on all cores, and can be canceled within milliseconds: library sorts cannot be stopped,
//! and compare where buckets would do.

use crate::{Error, Result};
use rayon::prelude::*;

/// Numbers per thread at a time; cancellation is checked before each part.
pub const PART: usize = 1 << 15;
/// Numbers are spread over this many buckets by their highest bits that differ.
const BUCKETS: usize = 1 << 10;

/// Up to this many are compared key by key.
const FEW: usize = 16;

/// Whether the answer is no longer wanted. Called from many threads.
pub type Unwanted<'a> = &'a (dyn Fn() -> bool + Sync);

/// The sort key of an item, given by its index.
pub type Key<'a> = &'a (dyn Fn(u32) -> u32 + Sync);

/// `Ok`, or [`Error::Stopped`].
pub fn wanted(unwanted: Unwanted<'_>) -> Result<()> {
    if unwanted() { Err(Error::Stopped) } else { Ok(()) }
}

/// Sorts indices by the first key, ties by the next, and remaining ties by index.
pub fn by_keys(places: Vec<u32>, first: Key<'_>, others: &[Key<'_>]) -> Vec<u32> {
    let mut keyed: Vec<u64> = places.into_par_iter().map(u64::from).collect();
    by_key(&mut keyed, first);
    refine(&mut keyed, others);
    keyed.into_par_iter().map(|keyed| keyed as u32).collect()
}

/// Sorts indices given with their first key, ties by the other keys and then by index.
pub fn by_first_and_keys(places: &[(u32, u32)], others: &[Key<'_>]) -> Vec<(u32, u32)> {
    let keyed = |&(key, index): &(u32, u32)| u64::from(key) << 32 | u64::from(index);
    let mut keyed: Vec<u64> = places.par_iter().with_min_len(PART).map(keyed).collect();
    // It only fails if canceled.
    let _ = sort(&mut keyed, &|| false);
    let keys: Vec<u32> = keyed.par_iter().with_min_len(PART).map(|keyed| (keyed >> 32) as u32).collect();
    refine(&mut keyed, others);
    keys.into_iter().zip(keyed).map(|(key, keyed)| (key, keyed as u32)).collect()
}

/// Sorts indices in the lower halves of numbers by a key, which is left in the upper halves.
fn by_key(places: &mut [u64], key: Key<'_>) {
    let keyed = |index: u32| u64::from(key(index)) << 32 | u64::from(index);
    places.par_iter_mut().with_min_len(PART).for_each(|entry| *entry = keyed(*entry as u32));
    // It only fails if canceled.
    let _ = sort(places, &|| false);
}

/// Sorts indices with equal keys.
fn refine(sorted: &mut [u64], keys: &[Key<'_>]) {
    let Some((key, others)) = keys.split_first() else { return };
    let alike: Vec<&mut [u64]> =
        sorted.chunk_by_mut(|a, b| a >> 32 == b >> 32).filter(|run| run.len() > 1).collect();
    let compare = |a: u32, b: u32| keys.iter().map(|key| key(a).cmp(&key(b))).find(|order| order.is_ne());
    alike.into_par_iter().for_each(|run| {
        if run.len() <= FEW {
            run.sort_unstable_by(|&a, &b| compare(a as u32, b as u32).unwrap_or((a as u32).cmp(&(b as u32))));
        } else {
            by_key(run, key);
            refine(run, others);
        }
    });
}

/// Sorts numbers.
///
/// # Errors
/// [`Error::Stopped`] if canceled; the numbers are in an unspecified order in that case.
pub fn sort(keys: &mut [u64], unwanted: Unwanted<'_>) -> Result<()> {
    if keys.len() <= PART {
        keys.sort_unstable();
        return Ok(());
    }
    let range = |part: &[u64]| part.iter().fold((u64::MAX, 0), |(a, b), &key| (key.min(a), key.max(b)));
    let both = |a: (u64, u64), b: (u64, u64)| (a.0.min(b.0), a.1.max(b.1));
    let (least, most) = keys.par_chunks(PART).map(range).reduce(|| (u64::MAX, 0), both);
    let shift = (u64::BITS - (most - least).leading_zeros()).saturating_sub(BUCKETS.ilog2());
    let bucket = |key: u64| ((key - least) >> shift) as usize;

    let unsorted = keys.to_vec();
    let mut counts = vec![0_usize; BUCKETS];
    unsorted.iter().for_each(|&key| counts[bucket(key)] += 1);
    wanted(unwanted)?;
    let mut next = Vec::with_capacity(BUCKETS);
    counts.iter().fold(0, |start, count| {
        next.push(start);
        start + count
    });
    for part in unsorted.chunks(PART) {
        wanted(unwanted)?;
        for &key in part {
            let index = &mut next[bucket(key)];
            keys[*index] = key;
            *index += 1;
        }
    }
    drop(unsorted);
    if shift == 0 {
        // Numbers in the same bucket are equal.
        return Ok(());
    }
    let mut rest = keys;
    let mut buckets = Vec::with_capacity(BUCKETS);
    for count in counts {
        let (bucket, behind) = rest.split_at_mut(count);
        buckets.push(bucket);
        rest = behind;
    }
    buckets.into_par_iter().try_for_each(|bucket| {
        wanted(unwanted)?;
        sort(bucket, unwanted)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_are_sorted_however_they_are_spread(
            seed: u64, shift in 0_u32..64, count in 0_usize..3 * PART, few in any::<bool>(),
        ) {
            let mut state = seed | 1;
            let mut keys: Vec<u64> = (0..count as u64)
                .map(|n| {
                    state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(n | 1);
                    if few { (state >> 62) << shift.min(60) } else { state >> shift }
                })
                .collect();
            let mut expected = keys.clone();
            expected.sort_unstable();
            sort(&mut keys, &|| false).unwrap();
            prop_assert!(keys == expected);
        }

        #[test]
        fn places_are_sorted_key_by_key(entries in prop::collection::vec((0_u32..4, 0_u32..4), 0..300)) {
            let places: Vec<u32> = (0..entries.len() as u32).collect();
            let mut expected = places.clone();
            expected.sort_by_key(|&index| (entries[index as usize], index));
            let (first, second) = (|p: u32| entries[p as usize].0, |p: u32| entries[p as usize].1);
            let reversed: Vec<u32> = places.into_iter().rev().collect();
            prop_assert_eq!(&by_keys(reversed.clone(), &first, &[&second]), &expected);
            let keyed = |index: u32| (first(index), index);
            let pairs: Vec<(u32, u32)> = reversed.into_iter().map(keyed).collect();
            let expected: Vec<(u32, u32)> = expected.into_iter().map(keyed).collect();
            prop_assert_eq!(by_first_and_keys(&pairs, &[&second]), expected);
        }
    }

    #[test]
    fn what_is_unwanted_is_given_up() {
        let mut keys: Vec<u64> = (0..2 * PART as u64).rev().collect();
        assert!(matches!(sort(&mut keys, &|| true), Err(Error::Stopped)));
    }
}
