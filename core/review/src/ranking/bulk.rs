//! How far a detector's low scores stand out from what is usual, without any decision: the local false discovery rate of the
//! two-groups model (B. Efron, *Large-scale simultaneous hypothesis testing*, 2004), with a logistic null fitted to the
//! better half of the scores and the decreasing density of Grenander in place of a mixture (K. Strimmer, *A unified approach
//! to false discovery rate estimation*, 2008).

/// Log-odds of calibrated scores are counted in this many bins, from `-WIDEST` to `WIDEST`.
pub(super) const BINS: usize = 1024;
const WIDEST: f32 = 8.0;
const WIDTH: f64 = 2.0 * WIDEST as f64 / BINS as f64;
/// Calibrated scores are kept this far from 0 and 1.
const LEAST: f32 = 1e-4;
/// Chances are kept this far from 0 and 1: a tail says no more than that.
const DOUBT: f64 = 0.02;

/// For each bin of a detector's calibrated scores, the log-odds that a sample in it does not belong to the bulk.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bulk {
    odds: Vec<f64>,
}

impl Bulk {
    /// The model of all scores of a detector, counted by [`bin`].
    pub(super) fn from_counts(counts: &[u64]) -> Bulk {
        let all: u64 = counts.iter().sum();
        if all == 0 {
            return Bulk { odds: vec![0.0; counts.len()] };
        }
        // The middle of the bin with the `quarters`-th quarter of the scores.
        let quantile = |quarters: u64| {
            let mut below = 0;
            let at = counts.iter().position(|count| {
                below += count;
                below * 4 >= all * quarters
            });
            (at.unwrap_or(0) as f64 + 0.5) * WIDTH - f64::from(WIDEST)
        };
        let (quarter, median) = (quantile(1), quantile(2));
        // A logistic distribution has a quarter of its mass below `median - ln 3 * scale`.
        let scale = ((median - quarter) / 3.0_f64.ln()).max(WIDTH / 2.0);
        let usual = |bin: usize| match bin + 1 {
            BINS => 1.0,
            edge => 1.0 / (1.0 + ((median + f64::from(WIDEST) - edge as f64 * WIDTH) / scale).exp()),
        };
        // Neighboring bins are joined until the share of the bulk among them only grows: the concave majorant.
        let mut joined: Vec<(f64, f64, usize)> = Vec::new();
        let mut before = 0.0;
        for (bin, &count) in counts.iter().enumerate() {
            let until = usual(bin);
            joined.push((until - before, count as f64 / all as f64, 1));
            before = until;
            while let [.., a, b] = joined[..] {
                if a.1 * b.0 > b.1 * a.0 {
                    break;
                }
                joined.truncate(joined.len() - 2);
                joined.push((a.0 + b.0, a.1 + b.1, a.2 + b.2));
            }
        }
        let odds = joined.into_iter().flat_map(|(expected, found, bins)| {
            let chance = if found > 0.0 { 1.0 - expected / found } else { 0.0 };
            let chance = chance.clamp(DOUBT, 1.0 - DOUBT);
            std::iter::repeat_n((chance / (1.0 - chance)).ln(), bins)
        });
        Bulk { odds: odds.collect() }
    }

    /// The log-odds that a sample with this calibrated score does not belong to the bulk.
    pub(super) fn log_odds(&self, c: f32) -> f64 {
        self.odds[bin(c)]
    }
}

/// The bin of a calibrated score.
pub(super) fn bin(c: f32) -> usize {
    let c = c.clamp(LEAST, 1.0 - LEAST);
    let at = ((c / (1.0 - c)).ln() + WIDEST) * (BINS as f32 / (2.0 * WIDEST));
    (at.max(0.0) as usize).min(BINS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts of `n` scores of a logistic distribution around 3, and of `apart` at -4.
    fn counts(n: usize, apart: u64) -> Vec<u64> {
        let mut counts = vec![0; BINS];
        for step in 0..n {
            let p = (step as f64 + 0.5) / n as f64;
            let z = 3.0 + 0.6 * (p / (1.0 - p)).ln();
            counts[bin((1.0 / (1.0 + (-z).exp())) as f32)] += 1;
        }
        counts[bin(0.018)] += apart;
        counts
    }

    #[test]
    fn a_group_apart_is_likely_and_the_tail_of_the_bulk_is_not() {
        let nothing = Bulk::from_counts(&counts(5000, 0));
        assert!((8..20).all(|step| nothing.log_odds(0.025 * step as f32) < -1.0));
        // The lowest score of all is the only one in its place, which is no more than an even chance.
        assert!(nothing.log_odds(0.0) < 0.5);
        let group = Bulk::from_counts(&counts(5000, 100));
        assert!(group.log_odds(0.018) > 3.0 && group.log_odds(0.9) < -3.0);
        // A lower score never counts less.
        let odds: Vec<f64> = (0..=100).map(|step| group.log_odds(step as f32 / 100.0)).collect();
        assert!(odds.is_sorted_by(|a, b| a >= b));
    }

    #[test]
    fn any_scores_have_finite_odds() {
        let mut all_equal = vec![0; BINS];
        all_equal[BINS - 1] = 9;
        for counts in [vec![0; BINS], vec![1; BINS], all_equal] {
            let bulk = Bulk::from_counts(&counts);
            assert!([0.0, 0.3, 0.5, 1.0, -1.0, 2.0].iter().all(|&c| bulk.log_odds(c).is_finite()));
        }
    }
}
