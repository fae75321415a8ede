//! What all scores of one detector look like, and what that makes of a score below its threshold.

use super::bulk::{BINS, Bulk, bin};
use super::chance::{Shape, sureness};
use super::ensemble::Member;
use rayon::prelude::*;

/// Scores per thread at a time.
const PART: usize = 1 << 15;
/// The share of the bulk's model in the log-odds; the rest is the regression's. Any from a quarter to a half orders much alike.
const APART: f64 = 1.0 / 3.0;

/// Both models of a detector's scores, counted in one pass over them.
pub(super) struct Profile {
    shape: Shape,
    bulk: Bulk,
}

/// What a detector says of a sample that it flags.
#[derive(Clone, Copy)]
pub(super) struct Says {
    /// How sure it is, 0 at the threshold to 1.
    sure: f64,
    /// The log-odds that the sample does not belong to the bulk.
    apart: f64,
}

/// Counts of calibrated scores. Integers: the sum does not depend on how the work was split.
struct Counts {
    near: [u64; 4],
    bins: Vec<u64>,
}

impl Counts {
    fn none() -> Counts {
        Counts { near: [0; 4], bins: vec![0; BINS] }
    }

    fn and(mut self, other: &Counts) -> Counts {
        self.near.iter_mut().zip(other.near).for_each(|(one, more)| *one += more);
        self.bins.iter_mut().zip(&other.bins).for_each(|(one, more)| *one += more);
        self
    }
}

impl Profile {
    /// Of all scores of a detector; those that are missing (NaN) count for nothing.
    pub(super) fn of(member: &Member<'_>) -> Profile {
        let count = |scores: &[f32]| {
            let mut counts = Counts::none();
            for c in scores.iter().map(|&score| member.calibration.of(score)).filter(|c| !c.is_nan()) {
                Shape::count(&mut counts.near, c);
                counts.bins[bin(c)] += 1;
            }
            counts
        };
        let parts = member.scores.par_chunks(PART).map(count);
        let all = parts.reduce(Counts::none, |one, other| one.and(&other));
        Profile { shape: Shape::from_counts(all.near), bulk: Bulk::from_counts(&all.bins) }
    }

    /// Of a flagged sample with this calibrated score.
    pub(super) fn says(&self, c: f32) -> Says {
        Says { sure: sureness(c), apart: self.bulk.log_odds(c) }
    }
}

/// The log-odds that a sample is bad by all that detectors say of it, and the index of the detector they come from; of several
/// detectors the one with the highest, as those that look for the same thing must not count twice.
pub(super) fn log_odds(says: &[(usize, Says)], profiles: &[Profile]) -> (f64, usize) {
    let (mut surest, mut second, mut sum) = (0.0_f64, 0.0_f64, 0.0);
    let mut apart = f64::NEG_INFINITY;
    for (_, one) in says {
        (surest, second) =
            if one.sure > surest { (one.sure, surest) } else { (surest, second.max(one.sure)) };
        sum += one.sure;
        apart = apart.max(one.apart);
    }
    let mut best = (f64::NEG_INFINITY, 0);
    for &(member, Says { sure, .. }) in says {
        let next = if sure == surest { second } else { surest };
        let odds = profiles[member].shape.log_odds(sure, next, sum - sure);
        if odds > best.0 {
            best = (odds, member);
        }
    }
    (best.0 + APART * (apart - best.0), best.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranking::Calibration;

    fn member(scores: &[f32]) -> Member<'_> {
        let threshold = 0.4;
        let calibration = Calibration::new(threshold);
        Member { scores, threshold, calibration, weight: 1.0, check: false, ranks: &[] }
    }

    #[test]
    fn both_models_are_those_of_every_score_once() {
        // More than one part, with gaps.
        let scores: Vec<f32> = (0..PART * 2 + 77)
            .map(|n| if n % 50 == 3 { f32::NAN } else { (n * 37 % 1009) as f32 / 1009.0 })
            .collect();
        let found = Profile::of(&member(&scores));
        let mut near = [0; 4];
        let mut bins = vec![0; BINS];
        let known: Vec<f32> = scores.iter().copied().filter(|score| !score.is_nan()).collect();
        for c in known.iter().map(|&score| Calibration::new(0.4).of(score)) {
            Shape::count(&mut near, c);
            bins[bin(c)] += 1;
        }
        assert_eq!(near[0], known.iter().filter(|score| **score < 0.4).count() as u64);
        assert_eq!(bins.iter().sum::<u64>(), known.len() as u64);
        assert_eq!(found.shape, Shape::from_counts(near));
        assert_eq!(found.bulk, Bulk::from_counts(&bins));
    }

    #[test]
    fn a_second_detector_makes_a_sample_likelier_whichever_comes_first() {
        let scores: Vec<f32> = (0..2000).map(|n| if n < 40 { 0.1 } else { 0.9 }).collect();
        let profiles = [Profile::of(&member(&scores)), Profile::of(&member(&scores))];
        let says = |c: f32| profiles[0].says(c);
        let (alone, _) = log_odds(&[(0, says(0.1))], &profiles);
        let (one, other) = ((0, says(0.3)), (1, says(0.1)));
        let (both, from) = log_odds(&[one, other], &profiles);
        assert!(both > alone, "{both} {alone}");
        assert_eq!(log_odds(&[other, one], &profiles), (both, from));
    }
}
