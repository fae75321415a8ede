//! A cut that follows the quality of the probabilities.
//!
//! The filters of confident learning flag by counts that grow as the model gets weaker: with strong features they
//! flag too few, with weak ones a quarter of the dataset. A label is really wrong where a *sure* model contradicts
//! it. How sure a contradiction must be is therefore read off the probabilities themselves: a model whose
//! disagreement with the labels is there also where it is surest disagrees because labels are wrong; one that agrees
//! where it is sure, and disagrees elsewhere, disagrees because it does not know.

use crate::table::{Real, Table};

/// The share of surest samples whose disagreement counts as noise of the labels.
const SUREST: usize = 10;
/// How much of the whole disagreement theirs stands for: noise is rarer where a model is sure.
const NOISE: f64 = 1.5;
/// Disagreement that is put down to the labels in any case.
const FREE: f64 = 0.10;
/// The limit without doubt, and how fast it falls with doubt.
const LIMIT: f64 = 0.5;
const FALL: f64 = 15.0;
/// Probabilities below this are the same to a comparison.
const LEAST: f64 = 1e-9;

/// How sure a contradiction must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut {
    /// Share of samples whose most likely class is not their label.
    pub disagreement: f64,
    /// The same among the tenth of samples of which the model is surest.
    pub noise: f64,
    /// The part of the disagreement that is put down to the model, 0..=1.
    pub doubt: f64,
    /// A label is called wrong where its probability is less than this share of the most likely other class's.
    pub limit: f64,
}

impl Cut {
    /// Reads the cut off probabilities and labels.
    ///
    /// The constants were chosen on five models of a roman-numeral dataset, on a network and on two kinds of weak
    /// features of CIFAR-10 with human labels (9 % and 40 % wrong) and with synthetic noise (20 %).
    pub fn of<T: Real>(table: &Table<'_, T>) -> Cut {
        let mut samples: Vec<usize> = (0..table.len()).collect();
        let share = |samples: &[usize]| {
            let against = samples.iter().filter(|&&sample| table.argmax(sample) != table.given(sample));
            against.count() as f64 / samples.len() as f64
        };
        let disagreement = share(&samples);
        let surest = (samples.len() / SUREST).max(1);
        // Equal ones in sample order.
        samples.select_nth_unstable_by(surest - 1, |&a, &b| {
            table.most(b).total_cmp(&table.most(a)).then(a.cmp(&b))
        });
        let noise = share(&samples[..surest]);
        let doubt = (disagreement - NOISE * noise).max(0.0);
        let limit = LIMIT * (-FALL * (doubt - FREE).max(0.0)).exp();
        Cut { disagreement, noise, doubt, limit }
    }

    /// A score from a sample's [`ratio`]: 0 = the label is surely wrong, 1 = surely right, and one half at the cut.
    pub fn score(&self, ratio: f64) -> f64 {
        ratio / (ratio + self.limit)
    }
}

/// The probability of a sample's label over that of the most likely other class; 1 is a tie. It orders samples
/// as the log-odds between the two do.
///
/// # Panics
/// When there is no such sample.
pub fn ratio<T: Real>(table: &Table<'_, T>, sample: usize) -> f64 {
    table.own(sample).max(LEAST) / table.best_other(sample).max(LEAST)
}

/// How many of the most doubtful labels to flag so that the expected F1 is largest, if each of `right` is the probability
/// that a label is right: with `k` flagged, twice the expected number of wrong ones among them over `k` plus the expected
/// number of all (Z. Lipton, C. Elkan and B. Naryanaswamy, *Optimal thresholding of classifiers to maximize F1 measure*, 2014).
/// It follows the share of wrong labels: a contradiction counts where half of the labels are wrong that would be a guess
/// where one in a hundred is.
pub fn most_f1(right: &[f64]) -> usize {
    let mut wrong: Vec<f64> = right.iter().map(|right| 1.0 - right).collect();
    wrong.sort_by(|a, b| b.total_cmp(a));
    let all: f64 = wrong.iter().sum();
    let (mut found, mut best) = (0.0, (0.0, 0));
    for (index, wrong) in wrong.into_iter().enumerate() {
        found += wrong;
        let f1 = 2.0 * found / ((index + 1) as f64 + all);
        if f1 > best.0 {
            best = (f1, index + 1);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_of_flags_follows_the_noise() {
        // Sure of every label: exactly the wrong ones.
        let sure: Vec<f64> = (0..100).map(|sample| f64::from(u8::from(sample % 4 > 0))).collect();
        assert_eq!((most_f1(&sure), most_f1(&[1.0; 9]), most_f1(&[])), (25, 0, 0));
        // By hand: all three as good as any other number is 2 * 1.5 / (3 + 1.5).
        assert_eq!(most_f1(&[0.5, 0.5, 0.5]), 3);
        // Halfway doubtful labels are flagged among many wrong ones only if that finds more than it costs.
        let beside = |wrong: usize| {
            let all: Vec<f64> = (0..1000).map(|sample| if sample < wrong { 0.0 } else { 0.7 }).collect();
            most_f1(&all)
        };
        assert_eq!((beside(10), beside(900)), (1000, 900));
    }

    /// Two classes; `right` of a hundred labels agree with a model that gives its class `sure`.
    fn table(sure: f64, right: usize) -> (Vec<f64>, Vec<u32>) {
        let probabilities = (0..100).flat_map(|_| [sure, 1.0 - sure]).collect();
        (probabilities, (0..100).map(|sample| u32::from(sample >= right)).collect())
    }

    #[test]
    fn noise_leaves_the_limit_high_and_doubt_lowers_it() {
        // Disagreement everywhere alike, also where the model is surest: the labels.
        let (mut probabilities, labels) = table(0.9, 70);
        let labels: Vec<u32> = (0..100).map(|sample| labels[sample * 37 % 100]).collect();
        let noisy = Cut::of(&Table::new(&probabilities, 2, &labels).unwrap());
        assert!(noisy.doubt < 0.1 && noisy.limit == LIMIT, "{noisy:?}");
        // As much disagreement, none of it among the surest: the model.
        for (sample, row) in probabilities.chunks_exact_mut(2).enumerate() {
            if labels[sample] == 0 {
                row.copy_from_slice(&[0.99, 0.01]);
            }
        }
        let weak = Cut::of(&Table::new(&probabilities, 2, &labels).unwrap());
        assert_eq!((weak.disagreement, weak.noise), (noisy.disagreement, 0.0));
        assert!(weak.limit < 0.1 * noisy.limit, "{weak:?}");
    }

    #[test]
    fn the_score_is_one_half_at_the_cut() {
        let cut = Cut { disagreement: 0.2, noise: 0.1, doubt: 0.05, limit: 0.3 };
        assert_eq!(cut.score(0.3), 0.5);
        assert!(cut.score(0.29) < 0.5 && cut.score(1e9) <= 1.0 && cut.score(0.0) == 0.0);
        let table = Table::new(&[0.2, 0.8, 0.0, 1.0, 1.0, 0.0], 2, &[0, 0, 0]).unwrap();
        assert_eq!((ratio(&table, 0), ratio(&table, 1)), (0.25, 1e-9));
        assert!(ratio(&table, 2) > 0.9e9);
    }
}
