//! Rounding that keeps sums.

/// Rounds to whole numbers whose sum is the rounded sum of `values`: half to even first, then one is added where
/// most was lost, or taken where most was won, until the sum is right. Of those that lost equally much the choice is
/// that of [`sorted_as_numpy`].
pub(crate) fn preserving_sum(values: &[f64]) -> Vec<i64> {
    let mut whole: Vec<i64> = values.iter().map(|value| value.round_ties_even() as i64).collect();
    let wanted = values.iter().sum::<f64>().round_ties_even() as i64;
    loop {
        let missing = wanted - whole.iter().sum::<i64>();
        if missing == 0 {
            return whole;
        }
        let lost: Vec<f64> = values.iter().zip(&whole).map(|(value, whole)| value - *whole as f64).collect();
        let mut order = sorted_as_numpy(&lost);
        if missing > 0 {
            order.reverse();
        }
        for &index in order.iter().take(missing.unsigned_abs() as usize) {
            whole[index] += missing.signum();
        }
    }
}

/// So many numbers are sorted by a network.
const NETWORK: usize = 256;

/// Places in ascending order of the numbers, and of equal numbers in the order in which numpy leaves them, which decides
/// what a filter flags: with the vectors of x86-64 it sorts up to 256 numbers by a bitonic network (K. E. Batcher, *Sorting
/// networks and their applications*, 1968) that exchanges what is out of order and nothing that is equal. Of more
/// numbers equal ones stay as they stand.
fn sorted_as_numpy(numbers: &[f64]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..numbers.len()).collect();
    if numbers.len() > NETWORK {
        places.sort_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
        return places;
    }
    let width = numbers.len().next_power_of_two();
    // What is not there is larger than everything.
    let number = |index: usize| numbers.get(index).copied().unwrap_or(f64::INFINITY);
    places.extend(numbers.len()..width);
    let mut exchange = |a: usize, b: usize| {
        if number(places[a]) > number(places[b]) {
            places.swap(a, b);
        }
    };
    let mut size = 2;
    while size <= width {
        for start in (0..width).step_by(size) {
            (0..size / 2).for_each(|index| exchange(start + index, start + size - 1 - index));
        }
        let mut stride = size / 4;
        while stride > 0 {
            let lower = (0..width).filter(|index| index / stride % 2 == 0);
            lower.for_each(|index| exchange(index, index + stride));
            stride /= 2;
        }
        size *= 2;
    }
    places.truncate(numbers.len());
    places
}

#[cfg(test)]
mod tests {
    use super::{preserving_sum, sorted_as_numpy};
    use proptest::prelude::*;

    #[test]
    fn sums_are_kept() {
        assert_eq!(preserving_sum(&[0.5, 1.5, 2.0]), [0, 2, 2]);
        assert_eq!(preserving_sum(&[0.4, 0.4, 0.2]).iter().sum::<i64>(), 1);
        assert_eq!(preserving_sum(&[1.5, 1.5, 1.5, 1.5]).iter().sum::<i64>(), 6);
        assert_eq!(preserving_sum(&[]), [0_i64; 0]);
    }

    #[test]
    fn equal_numbers_are_left_as_numpy_leaves_them() {
        // `numpy.argsort` of numpy 2.4.6 on a processor with AVX2.
        for (numbers, order) in [
            (&[2.0, 0.0, 0.0][..], &[1, 2, 0][..]),
            (&[0.0, 0.0, 2.0, 2.0][..], &[0, 1, 2, 3][..]),
            (&[1.0, 0.0, 0.0, 0.0, 1.0][..], &[1, 2, 3, 0, 4][..]),
            (&[1.0, 1.0, 0.0, 0.0, 2.0, 2.0, 0.0][..], &[3, 2, 6, 1, 0, 4, 5][..]),
            (&[0.0, 1.0, 1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0][..], &[0, 9, 2, 1, 6, 5, 7, 4, 8, 3][..]),
            (
                &[3.0, 3.0, 4.0, 3.0, 1.0, 1.0, 3.0, 3.0, 3.0, 4.0, 1.0, 4.0, 0.0, 0.0, 4.0, 4.0, 1.0][..],
                &[12, 13, 5, 4, 10, 16, 0, 6, 3, 7, 8, 1, 11, 9, 14, 2, 15][..],
            ),
        ] {
            assert_eq!(sorted_as_numpy(numbers), order);
        }
    }

    proptest! {
        #[test]
        fn numbers_are_sorted(numbers in prop::collection::vec(0_u8..20, 0..300)) {
            let numbers: Vec<f64> = numbers.into_iter().map(f64::from).collect();
            let order = sorted_as_numpy(&numbers);
            prop_assert!(order.windows(2).all(|pair| numbers[pair[0]] <= numbers[pair[1]]));
            let mut places = order;
            places.sort_unstable();
            prop_assert!(places.into_iter().eq(0..numbers.len()));
        }
    }
}
