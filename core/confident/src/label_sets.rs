//! Samples that have any number of labels, from none to all classes.
//!
//! Each class is a question of its own: does the sample have it or not? What the rest of this crate says of two
//! classes answers it, with `[1 - p, p]` as the probabilities. What the classes say is then made one score of the sample
//! ([`aggregate`]) and one list of samples with an issue ([`SetIssues`]).
//!
//! The method is that of A. Thyagarajan, E. Snorrason, C. Northcutt and J. Mueller, *Identifying Incorrect Annotations
//! in Multi-Label Classification Data* (2022), and gives what cleanlab 2.9.0 gives. Where that stops, at a class that no
//! sample has or all have, the class is judged like any other.

mod aggregation;
mod issues;

pub use aggregation::{Aggregation, aggregate};
pub use issues::{SetIssues, ranked, set_issues};

use crate::score::{Method, scores};
use crate::table::{InputError, Real, Table, impossible};

/// Probabilities and given labels of samples with any number of labels, checked.
#[derive(Debug, Clone, Copy)]
pub struct LabelSets<'a, T> {
    probabilities: &'a [T],
    classes: usize,
    given: &'a [bool],
}

/// One class against all others: samples without it have the label 0, those with it 1.
pub(crate) struct OneVsRest {
    probabilities: Vec<f64>,
    labels: Vec<u32>,
}

impl<'a, T: Real> LabelSets<'a, T> {
    /// Takes rows of `classes` probabilities, row by row, and whether each sample has each class, in the same order. Each
    /// number is the probability that the sample has the class; rows add up to anything.
    ///
    /// # Errors
    /// When sizes do not agree, or a number is not a probability.
    pub fn new(
        probabilities: &'a [T],
        classes: usize,
        given: &'a [bool],
    ) -> Result<LabelSets<'a, T>, InputError> {
        if classes == 0 {
            return Err(InputError::NoClasses);
        }
        if given.is_empty() {
            return Err(InputError::NoSamples);
        }
        if given.len() != probabilities.len() || !given.len().is_multiple_of(classes) {
            let samples = given.len() / classes;
            return Err(InputError::Shape { numbers: probabilities.len(), samples, classes });
        }
        for (sample, row) in probabilities.chunks_exact(classes).enumerate() {
            if let Some(class) = impossible(row) {
                return Err(InputError::Probability { sample, class, value: row[class].wide() });
            }
        }
        Ok(LabelSets { probabilities, classes, given })
    }

    /// Number of samples, at least 1.
    #[allow(clippy::len_without_is_empty, reason = "there is always a sample")]
    pub fn len(&self) -> usize {
        self.given.len() / self.classes
    }

    /// Number of classes, at least 1.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Which classes each sample has, row by row.
    pub fn given(&self) -> &'a [bool] {
        self.given
    }

    /// One class against the others.
    pub(crate) fn one_vs_rest(&self, class: usize) -> OneVsRest {
        let column = |row: &[T]| row[class].wide().clamp(0.0, 1.0);
        let all = self.probabilities.chunks_exact(self.classes).map(column);
        OneVsRest {
            probabilities: all.flat_map(|p| [1.0 - p, p]).collect(),
            labels: self.given.chunks_exact(self.classes).map(|row| u32::from(row[class])).collect(),
        }
    }
}

impl OneVsRest {
    pub(crate) fn table(&self) -> Table<'_, f64> {
        Table::of_checked(&self.probabilities, 2, &self.labels)
    }
}

/// A score for each sample and class, row by row: 0 = whether the sample has the class is surely wrong, 1 = surely right.
///
/// Of two classes the margin says what the self-confidence says.
pub fn class_scores<T: Real>(sets: &LabelSets<'_, T>, method: Method, adjusted: bool) -> Vec<f64> {
    let mut all = vec![0.0; sets.given.len()];
    for class in 0..sets.classes {
        let own = scores(&sets.one_vs_rest(class).table(), method, adjusted);
        all[class..].iter_mut().step_by(sets.classes).zip(own).for_each(|(cell, score)| *cell = score);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_refused() {
        let new = |p: &[f64], k: usize, y: &[bool]| LabelSets::new(p, k, y).map(|_| ()).unwrap_err();
        assert_eq!(new(&[], 0, &[]), InputError::NoClasses);
        assert_eq!(new(&[], 2, &[]), InputError::NoSamples);
        let shape = InputError::Shape { numbers: 3, samples: 1, classes: 2 };
        assert_eq!(new(&[1.0, 0.0, 1.0], 2, &[true, false]), shape);
        assert!(matches!(new(&[0.5; 3], 2, &[true; 3]), InputError::Shape { .. }));
        let high = InputError::Probability { sample: 1, class: 0, value: 1.5 };
        assert_eq!(new(&[0.5, 0.5, 1.5, 1.0], 2, &[true; 4]), high);
    }

    #[test]
    fn rows_add_up_to_anything_and_one_class_is_enough() {
        let given = [true, true, false, false];
        let sets = LabelSets::new(&[0.9, 0.8, 0.25, 0.0], 2, &given).unwrap();
        assert_eq!(class_scores(&sets, Method::SelfConfidence, false), [0.9, 0.8, 0.75, 1.0]);
        let one = LabelSets::new(&[0.75_f32, 0.5], 1, &given[1..3]).unwrap();
        assert_eq!((one.len(), class_scores(&one, Method::NormalizedMargin, false)), (2, vec![0.75, 0.5]));
    }
}
