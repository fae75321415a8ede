//! Two groups in a list of numbers.
//!
//! linfa-clustering's mixture is not used: its starting point cannot be set, and the published figures depend on
//! where k-means ends and on stopping the fit early; and it takes logarithms of sums of vanishing densities, so a
//! number far from both groups makes it fail.

/// Added to variances, as in scikit-learn.
const REGULARISATION: f64 = 1e-6;
/// The fit ends when the mean log likelihood gains less than this. This is part of the method: run further, the groups move.
const GAIN: f64 = 1e-3;
/// k-means ends when the squares of its steps sum to less than this share of the variance.
const STEP: f64 = 1e-4;
/// Maximum number of rounds.
const ROUNDS: usize = 1000;
/// Maximum number of values in a fit; of more, evenly spaced ones in order of size.
const FITTED: usize = 100_000;

/// For each number within 0..=1 the probability that it belongs to the group of the higher mean. All ones if the
/// numbers are equal, because then there are no two groups.
///
/// The mixture is fitted as scikit-learn's `GaussianMixture(2)` is, from a division by k-means; that one begins one
/// standard deviation to each side of the mean, where scikit-learn's draws two of the numbers.
pub(crate) fn of_better_group(numbers: &[f64]) -> Vec<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.first(), sorted.last()) {
        (Some(least), Some(most)) if least < most => {}
        _ => return vec![1.0; numbers.len()],
    }
    if sorted.len() > FITTED {
        let last = sorted.len() - 1;
        sorted = (0..FITTED).map(|index| sorted[index * last / (FITTED - 1)]).collect();
    }
    let groups = Groups::fit(&sorted);
    numbers.iter().map(|&x| groups.upper(x)).collect()
}

/// Two normal distributions, the lower mean first: share, mean and variance of each.
struct Groups([(f64, f64, f64); 2]);

impl Groups {
    /// Fits to numbers that are not all equal.
    fn fit(numbers: &[f64]) -> Groups {
        let border = divide(numbers);
        let mut groups = Groups::of(numbers, |x| if x > border { 1.0 } else { 0.0 });
        let mut reached = f64::NEG_INFINITY;
        for _ in 0..ROUNDS {
            let likelihood =
                numbers.iter().map(|&x| groups.likelihood(x)).sum::<f64>() / numbers.len() as f64;
            let next = Groups::of(numbers, |x| groups.upper(x));
            groups = next;
            if (likelihood - reached).abs() < GAIN {
                break;
            }
            reached = likelihood;
        }
        if groups.0[0].1 > groups.0[1].1 {
            groups.0.swap(0, 1);
        }
        groups
    }

    /// The distributions of two parts; `upper` is the share of a number in the second.
    fn of(numbers: &[f64], upper: impl Fn(f64) -> f64) -> Groups {
        let part = |share: &dyn Fn(f64) -> f64| {
            // An empty part keeps a trace, as in scikit-learn.
            let weight = numbers.iter().map(|&x| share(x)).sum::<f64>() + 10.0 * f64::EPSILON;
            let mean = numbers.iter().map(|&x| share(x) * x).sum::<f64>() / weight;
            let square = |x: f64| share(x) * (x - mean) * (x - mean);
            let variance = numbers.iter().map(|&x| square(x)).sum::<f64>() / weight + REGULARISATION;
            (weight / numbers.len() as f64, mean, variance)
        };
        Groups([part(&|x| 1.0 - upper(x)), part(&upper)])
    }

    /// Logarithms of both weighted densities, without the constant that they share.
    fn densities(&self, x: f64) -> [f64; 2] {
        self.0.map(|(share, mean, variance)| {
            share.ln() - 0.5 * (variance.ln() + (x - mean) * (x - mean) / variance)
        })
    }

    /// The logarithm of their sum; in logarithms all the way, so that far from both it is still a number.
    fn likelihood(&self, x: f64) -> f64 {
        let [low, high] = self.densities(x);
        low.max(high) + (-(low - high).abs()).exp().ln_1p()
    }

    /// The probability of the second one.
    fn upper(&self, x: f64) -> f64 {
        let [low, high] = self.densities(x);
        1.0 / (1.0 + (low - high).exp())
    }
}

/// The boundary between two groups by k-means.
fn divide(numbers: &[f64]) -> f64 {
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let variance = numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
    let mut centers = [mean - variance.sqrt(), mean + variance.sqrt()];
    for _ in 0..ROUNDS {
        let border = (centers[0] + centers[1]) / 2.0;
        let mean_of = |upper: bool, before: f64| {
            let members = || numbers.iter().filter(|&&x| (x > border) == upper);
            let size = members().count();
            if size == 0 { before } else { members().sum::<f64>() / size as f64 }
        };
        let next = [mean_of(false, centers[0]), mean_of(true, centers[1])];
        let moved: f64 = next.iter().zip(centers).map(|(to, from)| (to - from) * (to - from)).sum();
        centers = next;
        if moved <= STEP * variance {
            break;
        }
    }
    (centers[0] + centers[1]) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_apart_are_told_apart() {
        let numbers: Vec<f64> = (0..100)
            .map(|n| if n < 70 { 0.9 + 0.001 * f64::from(n) } else { 0.01 * f64::from(n - 70) })
            .collect();
        let better = of_better_group(&numbers);
        assert!(
            better[..70].iter().all(|&p| p > 0.99) && better[70..].iter().all(|&p| p < 0.01),
            "{better:?}"
        );
    }

    #[test]
    fn degenerate_numbers_have_a_defined_answer() {
        assert_eq!(of_better_group(&[]), [0.0; 0]);
        assert_eq!(of_better_group(&[0.4]), [1.0]);
        assert_eq!(of_better_group(&[0.4; 7]), [1.0; 7]);
        // Two samples are a group each.
        assert_eq!(of_better_group(&[0.0, 1.0]).map_round(), [0, 1]);
        // Two points of no width, and one halfway: its density is zero in both groups.
        let mut far = vec![0.0; 50];
        far.extend([1.0; 50]);
        far.push(0.5);
        let better = of_better_group(&far);
        assert!(better.iter().all(|p| p.is_finite()));
        assert_eq!((better[0].round(), better[99].round()), (0.0, 1.0));
    }

    #[test]
    fn large_classes_are_fitted_on_a_share() {
        let numbers: Vec<f64> =
            (0..FITTED * 2).map(|n| if n % 10 == 0 { 0.1 } else { 0.9 } + 0.05 * (n as f64).sin()).collect();
        let better = of_better_group(&numbers);
        assert!(better.iter().enumerate().all(|(n, &p)| (p > 0.5) == (n % 10 != 0)));
    }

    trait MapRound {
        fn map_round(&self) -> Vec<i64>;
    }

    impl MapRound for Vec<f64> {
        fn map_round(&self) -> Vec<i64> {
            self.iter().map(|p| p.round() as i64).collect()
        }
    }
}
