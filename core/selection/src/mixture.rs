//! Two groups in a list of numbers.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_clustering::GaussianMixtureModel;
use ndarray::Array2;

/// What is added to variances, as in scikit-learn, and what is tried after it: with narrow groups far apart the
/// density of a number between them vanishes, which the fit refuses.
const REGULARISATION: [f64; 4] = [1e-6, 1e-5, 1e-4, 1e-3];
/// What numbers are multiplied by for the fit: the k-means it starts from ends at steps of 1e-4, which is early for
/// numbers within 0..=1. Densities change by a constant factor, groups do not.
const SCALE: f64 = 1000.0;
/// Numbers a fit looks at, at most; of more, evenly spaced ones in order of size.
const FITTED: usize = 100_000;

/// For each number within 0..=1 the probability that it belongs to the group of the higher mean. All ones where the
/// numbers are of one size, since then there are no two groups.
///
/// The mixture is fitted as scikit-learn's `GaussianMixture(2)` is: from a division by k-means, until the mean log
/// likelihood gains less than 1e-3. That early end is part of the method: run further, the groups move.
pub(crate) fn of_better_group(numbers: &[f64]) -> Vec<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.first(), sorted.last()) {
        (Some(least), Some(most)) if least < most => {}
        _ => return vec![1.0; numbers.len()],
    }
    // Few enough are taken in their own order: sums in another order end on other bits.
    let fitted = if numbers.len() <= FITTED {
        numbers.to_vec()
    } else {
        (0..FITTED).map(|place| sorted[place * (sorted.len() - 1) / (FITTED - 1)]).collect()
    };
    let scaled: Vec<f64> = fitted.into_iter().map(|x| x * SCALE).collect();
    let Ok(fitted) = Array2::from_shape_vec((scaled.len(), 1), scaled) else {
        return vec![1.0; numbers.len()];
    };
    let fitted = DatasetBase::from(fitted);
    let model = REGULARISATION.iter().find_map(|&added| {
        let fit = GaussianMixtureModel::params(2)
            .reg_covariance(added * SCALE * SCALE)
            .max_n_iterations(1000)
            .fit(&fitted);
        fit.ok().map(Groups::of).filter(Groups::usable)
    });
    // Not even with wide groups: there is one.
    model.map_or_else(
        || vec![1.0; numbers.len()],
        |groups| numbers.iter().map(|&x| groups.better(x)).collect(),
    )
}

/// Two normal distributions, the lower mean first.
struct Groups {
    /// Share, mean and variance.
    parts: [(f64, f64, f64); 2],
}

impl Groups {
    fn of(model: GaussianMixtureModel<f64>) -> Groups {
        let part = |place: usize| {
            (model.weights()[place], model.means()[[place, 0]], model.covariances()[[place, 0, 0]])
        };
        let parts = [part(0), part(1)];
        Groups { parts: if parts[0].1 <= parts[1].1 { parts } else { [parts[1], parts[0]] } }
    }

    fn usable(&self) -> bool {
        self.parts.iter().all(|&(share, mean, variance)| share > 0.0 && mean.is_finite() && variance > 0.0)
    }

    /// The probability of the second group. In logarithms, so that far from both it is still a number.
    fn better(&self, x: f64) -> f64 {
        let [low, high] = self.parts.map(|(share, mean, variance)| {
            share.ln() - 0.5 * (variance.ln() + (x - mean) * (x - mean) / variance)
        });
        1.0 / (1.0 + (low - high).exp())
    }
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
