//! How far the samples of a class usually are from their reference.

/// Median and spread of the similarities of one class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fence {
    median: f32,
    spread: f32,
}

/// The lower quartile of a normal distribution is this many standard deviations below its median.
const QUARTILE: f32 = 0.6745;
/// Equal similarities have no spread; this keeps the scale finite and far below any meaningful difference.
const LEAST: f32 = 1e-4;

impl Fence {
    /// Spread from the lower quartile, which outliers cannot inflate.
    pub(crate) fn robust(similarities: &[f32]) -> Fence {
        let sorted = sorted(similarities);
        let median = quantile(&sorted, 0.5);
        Fence { median, spread: ((median - quantile(&sorted, 0.25)) / QUARTILE).max(LEAST) }
    }

    /// Spread from the standard deviation.
    pub(crate) fn standard(similarities: &[f32]) -> Fence {
        let n = similarities.len().max(1) as f64;
        let mean = similarities.iter().map(|&s| f64::from(s)).sum::<f64>() / n;
        let variance = similarities.iter().map(|&s| (f64::from(s) - mean).powi(2)).sum::<f64>() / n;
        Fence { median: quantile(&sorted(similarities), 0.5), spread: (variance.sqrt() as f32).max(LEAST) }
    }

    /// The spread.
    pub(crate) fn spread(&self) -> f32 {
        self.spread
    }

    /// How many spreads a similarity is below the median.
    pub(crate) fn below(&self, similarity: f32) -> f32 {
        (self.median - similarity) / self.spread
    }
}

fn sorted(values: &[f32]) -> Vec<f32> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted
}

/// The quantile of sorted values, linearly interpolated; 0 if there are none.
pub(crate) fn quantile(sorted: &[f32], q: f32) -> f32 {
    if sorted.is_empty() {
        return 0.0;
    }
    let position = q * (sorted.len() - 1) as f32;
    let low = position.floor() as usize;
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + (sorted[high] - sorted[low]) * (position - low as f32)
}

#[cfg(test)]
mod tests {
    use super::{Fence, quantile};

    #[test]
    fn quantiles_lie_between_neighbors() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.5), 2.0);
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), 3.0);
        assert_eq!(quantile(&[7.0], 0.1), 7.0);
    }

    #[test]
    fn an_outlier_does_not_stretch_the_robust_fence() {
        let values = [0.9, 0.8, 0.85, 0.82, 0.88, 0.86, 0.84, -0.5];
        assert!(Fence::robust(&values).below(-0.5) > 20.0);
        assert!(Fence::standard(&values).below(-0.5) < 4.0);
    }

    #[test]
    fn equal_values_are_not_outliers() {
        assert_eq!(Fence::robust(&[0.7; 9]).below(0.7), 0.0);
        assert_eq!(Fence::standard(&[0.7; 9]).below(0.7), 0.0);
    }
}
