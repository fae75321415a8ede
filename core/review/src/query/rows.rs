//! Visits many rows on all cores; canceled soon after the answer is no longer wanted.

use crate::Result;
use chaffinch_compute::sorting::{PART, Unwanted, wanted};
use rayon::prelude::*;

/// What `pick` returns for positions and their rows, in the given order.
///
/// # Errors
/// [`Error::Stopped`](crate::Error::Stopped) once it is no longer wanted.
pub(super) fn gather<T: Send>(
    rows: &[u32],
    unwanted: Unwanted<'_>,
    pick: impl Fn(u32, u32) -> Option<T> + Sync,
) -> Result<Vec<T>> {
    let part = |(part, rows): (usize, &[u32])| -> Vec<T> {
        if unwanted() {
            return Vec::new();
        }
        ((part * PART) as u32..).zip(rows).filter_map(|(index, &row)| pick(index, row)).collect()
    };
    let parts: Vec<Vec<T>> = rows.par_chunks(PART).enumerate().map(part).collect();
    wanted(unwanted)?;
    let mut all = Vec::with_capacity(parts.iter().map(Vec::len).sum());
    parts.into_iter().for_each(|part| all.extend(part));
    Ok(all)
}

/// One bit per row: the bits of ten million rows fit into a core's cache, bytes would not.
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// `mark` gets the first row of a part, and a cleared flag for each of its rows.
    ///
    /// # Errors
    /// [`Error::Stopped`](crate::Error::Stopped) once it is no longer wanted.
    pub(super) fn new(
        count: usize,
        unwanted: Unwanted<'_>,
        mark: impl Fn(usize, &mut [bool]) + Sync,
    ) -> Result<Bits> {
        let mut words = vec![0_u64; count.div_ceil(64)];
        words.par_chunks_mut(PART / 64).enumerate().for_each(|(part, words)| {
            if unwanted() {
                return;
            }
            let first = part * PART;
            let mut marks = vec![false; PART.min(count - first)];
            mark(first, &mut marks);
            for (word, marks) in words.iter_mut().zip(marks.chunks(64)) {
                *word = marks.iter().rev().fold(0, |word, &mark| word << 1 | u64::from(mark));
            }
        });
        wanted(unwanted)?;
        Ok(Bits(words))
    }

    /// Rows of a list.
    pub(super) fn listed(rows: &[u32], count: usize) -> Bits {
        let mut words = vec![0; count.div_ceil(64)];
        rows.iter().for_each(|row| words[*row as usize / 64] |= 1 << (row % 64));
        Bits(words)
    }

    /// The rows that match, tested in memory order.
    ///
    /// # Errors
    /// [`Error::Stopped`](crate::Error::Stopped) once it is no longer wanted.
    pub(super) fn that(
        mut self,
        unwanted: Unwanted<'_>,
        matches: impl Fn(u32) -> bool + Sync,
    ) -> Result<Bits> {
        self.0.par_chunks_mut(PART / 64).enumerate().for_each(|(part, words)| {
            if unwanted() {
                return;
            }
            for (word, first) in words.iter_mut().zip(((part * PART) as u32..).step_by(64)) {
                let mut left = *word;
                while left != 0 {
                    let bit = left.trailing_zeros();
                    left &= left - 1;
                    *word &= !(u64::from(!matches(first + bit)) << bit);
                }
            }
        });
        wanted(unwanted)?;
        Ok(self)
    }

    pub(super) fn has(&self, row: u32) -> bool {
        self.0[row as usize / 64] >> (row % 64) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn every_row_has_its_own_bit() {
        for count in [0, 1, 63, 64, 65, PART, PART + 1, 3 * PART + 77] {
            let third = |row: usize| row.is_multiple_of(3);
            let bits = Bits::new(count, &|| false, |first, marks| {
                marks.iter_mut().enumerate().for_each(|(n, mark)| *mark = third(first + n));
            });
            let bits = bits.unwrap();
            assert!((0..count).all(|row| bits.has(row as u32) == third(row)), "{count}");
            let rows: Vec<u32> = (0..count as u32).rev().filter(|row| row.is_multiple_of(5)).collect();
            let both = Bits::listed(&rows, count).that(&|| false, |row| third(row as usize)).unwrap();
            assert!((0..count as u32).all(|row| both.has(row) == row.is_multiple_of(15)), "{count}");
        }
    }

    #[test]
    fn what_is_gathered_stays_in_order_and_what_is_unwanted_is_given_up() {
        let rows: Vec<u32> = (0..2 * PART as u32 + 9).rev().collect();
        let even = |index: u32, row: u32| row.is_multiple_of(2).then_some((index, row));
        let found = gather(&rows, &|| false, even).unwrap();
        let expected: Vec<(u32, u32)> =
            (0_u32..).zip(rows.iter().copied()).filter(|pair| pair.1.is_multiple_of(2)).collect();
        assert_eq!(found, expected);
        assert!(matches!(gather(&rows, &|| true, even), Err(Error::Stopped)));
    }
}
