//! Rounding that keeps sums.

/// Rounds to whole numbers whose sum is the rounded sum of `values`: half to even first, then one is added where
/// most was lost, or taken where most was won, until the sum is right.
pub(crate) fn preserving_sum(values: &[f64]) -> Vec<i64> {
    let mut whole: Vec<i64> = values.iter().map(|value| value.round_ties_even() as i64).collect();
    let wanted = values.iter().sum::<f64>().round_ties_even() as i64;
    loop {
        let missing = wanted - whole.iter().sum::<i64>();
        if missing == 0 {
            return whole;
        }
        // By what rounding took away. Of equal ones the last is added to first and the first taken from first; the
        // reference sorts unstably here, so that its choice among equal ones differs from machine to machine.
        let lost = |place: usize| values[place] - whole[place] as f64;
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|&a, &b| lost(a).total_cmp(&lost(b)));
        if missing > 0 {
            order.reverse();
        }
        for &place in order.iter().take(missing.unsigned_abs() as usize) {
            whole[place] += missing.signum();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::preserving_sum;

    #[test]
    fn sums_are_kept() {
        assert_eq!(preserving_sum(&[0.5, 1.5, 2.0]), [0, 2, 2]);
        assert_eq!(preserving_sum(&[0.4, 0.4, 0.2]).iter().sum::<i64>(), 1);
        assert_eq!(preserving_sum(&[1.5, 1.5, 1.5, 1.5]).iter().sum::<i64>(), 6);
        assert_eq!(preserving_sum(&[]), [0_i64; 0]);
    }
}
