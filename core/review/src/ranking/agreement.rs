//! Finds detectors that look for the same thing, based on the samples they flag.

use rayon::prelude::*;

/// Maximum number of detectors; the flags of one sample are bits.
const MOST: usize = 64;
/// Minimum loading of a detector in the consensus.
const LOADING: f64 = 0.6;
/// Rounds of estimating communalities, and steps per round.
const ROUNDS: usize = 100;
const STEPS: usize = 50;
/// Maximum communality of a detector.
const MOST_COMMON: f64 = 0.96;

/// Whether each detector belongs to the largest group that agrees: one factor is fitted to the correlations of their
/// flags (principal axis factoring), and detectors that load on it with 0.6 or more are in. Samples not scored by both
/// do not count for a pair. If fewer than two are in, all are.
///
/// `flags` returns two bits for each detector and sample: whether it scored the sample, and whether it flags it.
pub(super) fn consensus(
    detectors: usize,
    samples: usize,
    flags: impl Fn(usize, usize) -> (bool, bool) + Sync,
) -> Vec<bool> {
    if !(3..=MOST).contains(&detectors) {
        return vec![true; detectors];
    }
    let counts = (0..samples)
        .into_par_iter()
        .fold(
            || vec![Pair::default(); detectors * detectors],
            |mut pairs, sample| {
                let mut seen = [(false, false); MOST];
                (0..detectors).for_each(|detector| seen[detector] = flags(detector, sample));
                for one in 0..detectors {
                    for other in 0..one {
                        pairs[one * detectors + other].add(seen[one], seen[other]);
                    }
                }
                pairs
            },
        )
        // Integers: the sum does not depend on how the work was split.
        .reduce(
            || vec![Pair::default(); detectors * detectors],
            |mut a, b| {
                a.iter_mut().zip(b).for_each(|(a, b)| a.join(b));
                a
            },
        );
    let mut correlations = vec![0.0; detectors * detectors];
    for one in 0..detectors {
        for other in 0..one {
            let value = counts[one * detectors + other].correlation();
            correlations[one * detectors + other] = value;
            correlations[other * detectors + one] = value;
        }
    }
    let inside: Vec<bool> = loadings(&mut correlations, detectors).iter().map(|&u| u >= LOADING).collect();
    if inside.iter().filter(|inside| **inside).count() < 2 { vec![true; detectors] } else { inside }
}

/// How often two detectors flag among the samples that both scored.
#[derive(Debug, Clone, Copy, Default)]
struct Pair {
    samples: u64,
    one: u64,
    other: u64,
    both: u64,
}

impl Pair {
    fn add(&mut self, one: (bool, bool), other: (bool, bool)) {
        if one.0 && other.0 {
            self.samples += 1;
            self.one += u64::from(one.1);
            self.other += u64::from(other.1);
            self.both += u64::from(one.1 && other.1);
        }
    }

    fn join(&mut self, more: Pair) {
        self.samples += more.samples;
        self.one += more.one;
        self.other += more.other;
        self.both += more.both;
    }

    /// Correlation of two boolean columns; 0 if one of them is constant.
    fn correlation(self) -> f64 {
        let [n, a, b, both] = [self.samples, self.one, self.other, self.both].map(|count| count as f64);
        let spread = (a * (n - a) * b * (n - b)).sqrt();
        if spread > 0.0 { (n * both - a * b) / spread } else { 0.0 }
    }
}

/// The loadings of a single factor on correlations, whose diagonal is estimated along with it.
fn loadings(correlations: &mut [f64], size: usize) -> Vec<f64> {
    let mut found = vec![0.0; size];
    (0..size).for_each(|index| correlations[index * (size + 1)] = 1.0);
    for _ in 0..ROUNDS {
        let mut vector = vec![1.0 / (size as f64).sqrt(); size];
        let mut value = 0.0;
        for _ in 0..STEPS {
            let next: Vec<f64> = correlations
                .chunks_exact(size)
                .map(|row| row.iter().zip(&vector).map(|(a, b)| a * b).sum())
                .collect();
            value = next.iter().map(|x| x * x).sum::<f64>().sqrt();
            if value == 0.0 {
                return vec![0.0; size];
            }
            vector = next.into_iter().map(|x| x / value).collect();
        }
        for (index, (loading, x)) in found.iter_mut().zip(&vector).enumerate() {
            *loading = x * value.sqrt();
            correlations[index * (size + 1)] = (*loading * *loading).min(MOST_COMMON);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detectors_of_one_kind_are_found_among_others() {
        // Three that mostly agree, one that flags other samples, one that never flags, one that flags at random.
        let flags = |detector: usize, sample: usize| {
            let flag = match detector {
                0 => sample < 100,
                1 => (10..105).contains(&sample),
                2 => (5..115).contains(&sample),
                3 => (500..600).contains(&sample),
                4 => false,
                _ => (sample * 7919).is_multiple_of(13),
            };
            (true, flag)
        };
        assert_eq!(consensus(6, 1000, flags), [true, true, true, false, false, false]);
    }

    #[test]
    fn without_agreement_all_are_in() {
        let apart = |detector: usize, sample: usize| (true, sample / 10 == detector);
        assert_eq!(consensus(4, 100, apart), [true; 4]);
        assert_eq!(consensus(4, 0, apart), [true; 4]);
        assert_eq!(consensus(2, 100, apart), [true; 2]);
        assert_eq!(consensus(65, 100, apart), [true; 65]);
    }
}
