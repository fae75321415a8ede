//! How likely chance alone is: the normal and the chi-square distribution, density estimates, seeded permutations.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use statrs::function::gamma::checked_gamma_ur;

/// All random numbers here come from this seed and the number of the trial.
const SEED: u64 = 0x0dab_1ab0;

/// The random numbers of a trial, the same whatever thread runs it.
pub(super) fn random(trial: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(SEED ^ trial.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The numbers below `count` in a random order.
pub(super) fn shuffled(count: usize, trial: u64) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count as u32).collect();
    order.shuffle(&mut random(trial));
    order
}

/// The share of trials that reach what was observed, with the observation as one of them: never 0.
pub(super) fn share_reaching(observed: f64, trials: &[f64]) -> f64 {
    let reaching = trials.iter().filter(|trial| **trial >= observed).count();
    (1 + reaching) as f64 / (1 + trials.len()) as f64
}

/// The probability that a normal number exceeds `z`.
pub(super) fn normal_above(z: f64) -> f64 {
    0.5 * libm::erfc(z / std::f64::consts::SQRT_2)
}

/// The probability that a chi-square number of so many degrees of freedom exceeds `x`.
pub(super) fn chi_square_above(x: f64, degrees: f64) -> f64 {
    if degrees <= 0.0 || x <= 0.0 || x.is_nan() {
        return 1.0;
    }
    // An error is a number without an end.
    checked_gamma_ur(degrees / 2.0, x / 2.0).map_or(0.0, |p| p.clamp(0.0, 1.0))
}

/// The probability above `observed` by a Gaussian density estimate of some trials with Scott's bandwidth, as SciPy's
/// `gaussian_kde` gives it; `None` where all trials are alike.
pub(super) fn density_above(observed: f64, trials: &[f64]) -> Option<f64> {
    let n = trials.len() as f64;
    let mean = trials.iter().sum::<f64>() / n;
    let variance = trials.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let width = variance.sqrt() * n.powf(-0.2);
    if width.is_nan() || width <= 0.0 {
        return None;
    }
    Some(trials.iter().map(|x| normal_above((observed - x) / width)).sum::<f64>() / n)
}

/// A table of counts against independence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Association {
    /// Pearson's chi-square.
    pub(super) chi_square: f64,
    /// Its degrees of freedom.
    pub(super) degrees: f64,
    /// The probability of a larger one by chance.
    pub(super) p: f64,
    /// Cramér's V: 0 = independent, 1 = one decides the other.
    pub(super) v: f64,
}

/// How much the rows of a table (each a list of counts by column) differ in their proportions. Empty rows and columns do
/// not count.
pub(super) fn association(table: &[Vec<u64>]) -> Association {
    let columns = table.first().map_or(0, Vec::len);
    let of_row: Vec<u64> = table.iter().map(|row| row.iter().sum()).collect();
    let of_column: Vec<u64> = (0..columns).map(|column| table.iter().map(|row| row[column]).sum()).collect();
    let total = of_row.iter().sum::<u64>() as f64;
    let mut chi_square = 0.0;
    for (row, &in_row) in table.iter().zip(&of_row) {
        for (&count, &in_column) in row.iter().zip(&of_column) {
            let expected = in_row as f64 * in_column as f64 / total;
            if expected > 0.0 {
                chi_square += (count as f64 - expected).powi(2) / expected;
            }
        }
    }
    let filled = |sums: &[u64]| sums.iter().filter(|sum| **sum > 0).count().saturating_sub(1) as f64;
    let (rows, columns) = (filled(&of_row), filled(&of_column));
    let degrees = rows * columns;
    let most = rows.min(columns);
    let v = if most > 0.0 { (chi_square / (total * most)).sqrt().min(1.0) } else { 0.0 };
    Association { chi_square, degrees, p: chi_square_above(chi_square, degrees), v }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_are_those_of_scipy() {
        // scipy.stats.norm.sf and chi2.sf
        for (z, p) in [
            (0.0, 0.5),
            (1.0, 0.158_655_253_931_457_05),
            (-2.5, 0.993_790_334_674_224),
            (6.0, 9.865_876_450_376_946e-10),
        ] {
            assert!((normal_above(z) - p).abs() < 1e-13, "{z}: {}", normal_above(z));
        }
        for (x, degrees, p) in [
            (3.84, 1.0, 0.050_043_521_248_705_19),
            (10.0, 4.0, 0.040_427_681_994_512_8),
            (250.0, 200.0, 0.009_379_131_668_826),
            (0.0, 3.0, 1.0),
        ] {
            assert!((chi_square_above(x, degrees) - p).abs() < 1e-6, "{x}: {}", chi_square_above(x, degrees));
        }
    }

    #[test]
    fn a_table_that_one_side_decides_has_an_association_of_one() {
        let decided = association(&[vec![20, 0], vec![0, 30], vec![0, 0]]);
        assert!((decided.v - 1.0).abs() < 1e-12 && decided.degrees == 1.0 && decided.p < 1e-9, "{decided:?}");
        let free = association(&[vec![20, 40], vec![10, 20]]);
        assert!(free.v < 1e-9 && free.p > 0.999);
    }

    #[test]
    fn trials_that_all_fall_short_leave_the_share_of_one_trial() {
        assert_eq!(share_reaching(2.0, &[1.0; 99]), 0.01);
        assert_eq!(share_reaching(0.5, &[1.0; 99]), 1.0);
    }
}
