//! How likely a suspect is bad, before any decision: a logistic regression on what a detector's own scores and the other
//! detectors say, without knowing which detector it is.
//!
//! Two properties of a list matter more than the score itself. A list with few scores just above its threshold has found a
//! group of its own; where the scores run through the threshold, the suspects are the end of what is usual (the
//! two-groups model: B. Efron, *Large-scale simultaneous hypothesis testing*, 2004).

/// The regression, fitted on planted faults of one kind and of several: label swaps from 1 to 60 %, people's wrong labels,
/// foreign, blurred and dark pictures, copies, leaks. See `docs/benchmarks.md` for what it finds where a kind was left out.
const INTERCEPT: f64 = -1.212;
const SURE: f64 = -0.261;
const TAIL: f64 = -0.545;
const SURE_TAIL: f64 = -0.630;
const SLOPE: f64 = 0.122;
const SURE_SLOPE: f64 = -1.447;
const NEXT_SUREST: f64 = 1.587;
const OTHERS: f64 = 0.413;
/// Being surer never counts less than this, so that a detector's own order is kept.
const LEAST_SURE: f64 = 0.5;

/// What the scores of one detector look like around its threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shape {
    /// Logarithm of how many calibrated scores lie in .5 to .75 for each flagged one.
    tail: f64,
    /// Logarithm of how many lie in .4 to .5 for each one in .5 to .6.
    slope: f64,
}

impl Shape {
    /// Counts a calibrated score: flagged, in .5 to .75, in .4 to .5, and in .5 to .6.
    #[inline]
    pub(super) fn count(counts: &mut [u64; 4], c: f32) {
        counts[0] += u64::from(c < 0.5);
        counts[1] += u64::from((0.5..0.75).contains(&c));
        counts[2] += u64::from((0.4..0.5).contains(&c));
        counts[3] += u64::from((0.5..0.6).contains(&c));
    }

    /// The shape of all scores of a detector, by [`Shape::count`].
    pub(super) fn from_counts([flagged, above, just_below, just_above]: [u64; 4]) -> Shape {
        let ratio = |a: u64, b: u64| ((a + 1) as f64 / (b + 1) as f64).ln();
        // Bounded, so that a short list can be as clear as a long one.
        let tail = ((above as f64 + 0.25) / (flagged + 1) as f64).ln().clamp(-3.0, 3.0);
        Shape { tail, slope: ratio(just_below, just_above) }
    }

    /// The log-odds that a suspect of this detector is bad. `sure` is 1 where the detector is certain and 0 at its
    /// threshold, `next` the same for the surest other detector that flags it, and `others` the sum over all others.
    pub(super) fn log_odds(self, sure: f64, next: f64, others: f64) -> f64 {
        INTERCEPT
            + sure * (SURE + SURE_TAIL * self.tail + SURE_SLOPE * self.slope).max(LEAST_SURE)
            + TAIL * self.tail
            + SLOPE * self.slope
            + NEXT_SUREST * next
            + OTHERS * others
    }
}

/// How sure a detector is of a suspect with this calibrated score, 0 at the threshold to 1.
pub(super) fn sureness(c: f32) -> f64 {
    f64::from((1.0 - 2.0 * c).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_of_its_own_is_likelier_than_the_end_of_what_is_usual() {
        let apart = Shape { tail: -4.0, slope: 0.0 };
        let running_through = Shape { tail: 1.5, slope: -1.0 };
        for sure in [0.2, 0.5, 0.9] {
            assert!(apart.log_odds(sure, 0.0, 0.0) > running_through.log_odds(sure, 0.0, 0.0), "{sure}");
            assert!(
                running_through.log_odds(sure, 0.9, 0.9) > running_through.log_odds(sure, 0.0, 0.0),
                "{sure}: agreement counts"
            );
        }
        assert!(running_through.log_odds(0.9, 0.0, 0.0) > running_through.log_odds(0.1, 0.0, 0.0));
        assert_eq!((sureness(0.0), sureness(0.5), sureness(0.25)), (1.0, 0.0, 0.5));
    }
}
