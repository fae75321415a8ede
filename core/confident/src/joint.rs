//! The confident joint: how many samples of each given label confidently look like each class.

use crate::round::preserving_sum;
use crate::score::{EPSILON, thresholds};
use crate::table::{Real, Table, reached};

/// Counts of samples by given label (row) and by the class they confidently look like (column), and what is
/// estimated from them.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfidentJoint {
    classes: usize,
    counts: Vec<usize>,
    raw: Vec<i64>,
    calibrated: Vec<i64>,
    guesses: Vec<u32>,
}

impl ConfidentJoint {
    /// Counts. A sample confidently looks like a class when its probability reaches the class's mean over those
    /// labeled so; with several such classes it counts for its most likely class, with none it is not counted.
    /// The diagonal is at least one.
    pub fn new<T: Real>(table: &Table<'_, T>) -> ConfidentJoint {
        let classes = table.classes();
        let floors: Vec<T> =
            thresholds(table).into_iter().map(|limit| T::from_limit(limit - EPSILON)).collect();
        let mut raw = vec![0_i64; classes * classes];
        let mut guesses = vec![u32::MAX; table.len()];
        for (sample, guess) in guesses.iter_mut().enumerate() {
            let Some((class, several)) = reached(table.row(sample), &floors) else { continue };
            // With several, the most likely of all classes, also when that one is not confident: so the reference.
            let class = if several { table.argmax(sample) } else { class };
            *guess = class as u32;
            raw[table.given(sample) * classes + class] += 1;
        }
        for class in 0..classes {
            let diagonal = &mut raw[class * classes + class];
            *diagonal = (*diagonal).max(1);
        }
        let counts = table.counts();
        let calibrated = calibrate(&raw, &counts);
        ConfidentJoint { classes, counts, raw, calibrated, guesses }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The counts as they are, `[given * classes + guess]`.
    pub fn raw(&self) -> &[i64] {
        &self.raw
    }

    /// The counts scaled so that each row sums to the number of samples with that label, whole numbers.
    pub fn calibrated(&self) -> &[i64] {
        &self.calibrated
    }

    /// The class that each sample was counted for; `None` if it was not counted.
    pub fn guess(&self, sample: usize) -> Option<u32> {
        self.guesses.get(sample).copied().filter(|&guess| guess != u32::MAX)
    }

    /// Share of all samples with each given label (row) and true class (column); sums to one.
    pub fn joint(&self) -> Vec<f64> {
        let total = self.calibrated.iter().sum::<i64>().max(1) as f64;
        self.calibrated.iter().map(|&count| count as f64 / total).collect()
    }

    /// Estimated number of wrong labels: the samples off the calibrated diagonal.
    pub fn estimated_issues(&self) -> usize {
        let samples = self.counts.iter().sum::<usize>() as f64;
        let right: f64 = self.joint().iter().step_by(self.classes + 1).sum();
        ((1.0 - right) * samples).round_ties_even().max(0.0) as usize
    }

    /// How many samples have each given label.
    pub(crate) fn counts(&self) -> &[usize] {
        &self.counts
    }
}

/// Scales rows to the label counts and the whole to the number of samples, in whole numbers.
fn calibrate(raw: &[i64], counts: &[usize]) -> Vec<i64> {
    let classes = counts.len();
    let mut scaled: Vec<f64> = Vec::with_capacity(raw.len());
    for (row, &count) in raw.chunks_exact(classes).zip(counts) {
        // At least one, since the diagonal is.
        let total = row.iter().sum::<i64>() as f64;
        scaled.extend(row.iter().map(|&n| n as f64 / total * count as f64));
    }
    let columns: Vec<f64> =
        (0..raw.len()).map(|index| scaled[index % classes * classes + index / classes]).collect();
    let (sum, samples) = (sum_as_numpy(&columns), counts.iter().sum::<usize>() as f64);
    scaled.iter_mut().for_each(|value| *value = *value / sum * samples);
    scaled.chunks_exact(classes).flat_map(preserving_sum).collect()
}

/// Sums in the order in which numpy does, pair by pair. The last bit of this sum decides which of two entries that
/// lie halfway between whole numbers is rounded up, and so how many samples a filter flags.
fn sum_as_numpy(values: &[f64]) -> f64 {
    match values.len() {
        0..8 => values.iter().sum(),
        8..=128 => {
            let (eights, rest) = values.as_chunks::<8>();
            let mut r = [0.0; 8];
            for eight in eights {
                r.iter_mut().zip(eight).for_each(|(sum, value)| *sum += value);
            }
            let sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
            rest.iter().fold(sum, |sum, value| sum + value)
        }
        many => {
            let (left, right) = values.split_at(many / 2 / 8 * 8);
            sum_as_numpy(left) + sum_as_numpy(right)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_are_distributions() {
        let probabilities = [0.9, 0.1, 0.8, 0.2, 0.2, 0.8, 0.1, 0.9, 0.05, 0.95];
        let table = Table::new(&probabilities, 2, &[0, 0, 1, 1, 0]).unwrap();
        let joint = ConfidentJoint::new(&table);
        assert_eq!((joint.raw(), joint.calibrated()), (&[2, 1, 0, 1][..], &[2, 1, 0, 2][..]));
        assert_eq!(joint.joint(), [0.4, 0.2, 0.0, 0.4]);
        assert_eq!(joint.estimated_issues(), 1);
        assert_eq!((joint.guess(4), joint.guess(2)), (Some(1), None));
    }
}
