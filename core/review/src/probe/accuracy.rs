//! How often probes are right, and how sure that is.

use serde::Serialize;

/// The two-sided 95 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// How often a probe is right about trusted samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Accuracy {
    /// Trusted samples.
    pub of: usize,
    /// Those about which it is right.
    pub right: usize,
    /// Their share.
    pub accuracy: f64,
    /// The interval that holds the true share with 95 % (Wilson 1927).
    pub interval: (f64, f64),
    /// The mean of the shares of the classes that have trusted samples.
    pub mean_class: f64,
}

/// How much more often one probe is right than another about the same samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Gain {
    /// The difference of the shares.
    pub gain: f64,
    /// The interval that holds it with 95 %, from the samples about which only one of them is right (Agresti and Min 2005).
    pub interval: (f64, f64),
}

/// What a probe says about trusted samples.
#[derive(Debug, Clone)]
pub(super) struct Answers {
    /// Sample, and whether it is right about it.
    right: Vec<(u32, bool)>,
    /// By class: samples, and those about which it is right.
    classes: Vec<(usize, usize)>,
}

impl Answers {
    pub(super) fn new(classes: usize) -> Answers {
        Answers { right: Vec::new(), classes: vec![(0, 0); classes] }
    }

    pub(super) fn put(&mut self, sample: u32, truth: u32, said: u32) {
        self.right.push((sample, truth == said));
        if let Some(class) = self.classes.get_mut(truth as usize) {
            class.0 += 1;
            class.1 += usize::from(truth == said);
        }
    }

    pub(super) fn accuracy(&self) -> Accuracy {
        let (of, right) = (self.right.len(), self.right.iter().filter(|one| one.1).count());
        let share = |right: usize, of: usize| right as f64 / of.max(1) as f64;
        let seen: Vec<f64> =
            self.classes.iter().filter(|one| one.0 > 0).map(|&(of, right)| share(right, of)).collect();
        Accuracy {
            of,
            right,
            accuracy: share(right, of),
            interval: wilson(right, of),
            mean_class: seen.iter().sum::<f64>() / seen.len().max(1) as f64,
        }
    }

    /// How much more often it is right than another one, which was asked about the same samples in the same order.
    pub(super) fn gain_over(&self, other: &Answers) -> Gain {
        let pairs = || self.right.iter().zip(&other.right);
        let only = pairs().filter(|(own, other)| own.1 && !other.1).count() as f64;
        let others = pairs().filter(|(own, other)| !own.1 && other.1).count() as f64;
        let count = self.right.len() as f64;
        // With half a sample added to each cell of the table of both, which keeps the interval honest where few differ.
        let (b, c, n) = (only + 0.5, others + 0.5, count + 2.0);
        let middle = (b - c) / n;
        let error = ((b + c) / n - middle * middle).max(0.0) / n;
        let half = Z * error.sqrt();
        let gain = if count > 0.0 { (only - others) / count } else { 0.0 };
        Gain { gain, interval: ((middle - half).max(-1.0), (middle + half).min(1.0)) }
    }
}

/// Wilson's interval of a share.
fn wilson(right: usize, of: usize) -> (f64, f64) {
    if of == 0 {
        return (0.0, 1.0);
    }
    let n = of as f64;
    let p = right as f64 / n;
    let z2 = Z * Z;
    let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_formulas() {
        // Wilson (1927), as statsmodels.stats.proportion.proportion_confint(81, 263, method="wilson").
        let (low, high) = wilson(81, 263);
        assert!((low - 0.255_289).abs() < 1e-4 && (high - 0.366_206).abs() < 1e-4, "{low} {high}");
        assert_eq!(wilson(0, 0), (0.0, 1.0));
    }

    #[test]
    fn gains_count_the_samples_about_which_they_differ() {
        let mut before = Answers::new(2);
        let mut after = Answers::new(2);
        for sample in 0..100 {
            before.put(sample, sample % 2, if sample < 80 { sample % 2 } else { 1 - sample % 2 });
            after.put(sample, sample % 2, if sample < 90 { sample % 2 } else { 1 - sample % 2 });
        }
        let gain = after.gain_over(&before);
        assert!(
            (gain.gain - 0.1).abs() < 1e-12 && gain.interval.0 > 0.03 && gain.interval.1 < 0.18,
            "{gain:?}"
        );
        assert_eq!((after.accuracy().right, after.accuracy().of), (90, 100));
        assert!((after.accuracy().mean_class - 0.9).abs() < 1e-12);
        let none = before.gain_over(&before.clone());
        assert!(none.gain == 0.0 && none.interval.0 < 0.0 && none.interval.1 > 0.0, "{none:?}");
    }
}
