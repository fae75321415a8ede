//! The input: probabilities and given labels that go together.

/// A number that probabilities may be stored as. Everything is computed in 64 bits.
pub trait Real: Copy {
    /// The number in 64 bits.
    fn wide(self) -> f64;
}

impl Real for f32 {
    fn wide(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    fn wide(self) -> f64 {
        self
    }
}

/// How far outside 0..=1 a probability may lie: what 32-bit sums leave over.
const SLACK: f64 = 1e-6;

/// What is wrong with probabilities or labels. Samples and classes are counted from 0.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// There is nothing to look at.
    #[error("there are no samples")]
    NoSamples,
    /// Fewer than two columns.
    #[error("there is only {0} class; label quality needs two or more")]
    FewClasses(usize),
    /// The numbers are not whole rows, one for each label.
    #[error("{numbers} probabilities are not {samples} rows (one for each label) of {classes} classes")]
    Shape {
        /// Probabilities given.
        numbers: usize,
        /// Labels given.
        samples: usize,
        /// Columns.
        classes: usize,
    },
    /// A label that has no column.
    #[error("row {sample} has the label {label}, but there are only {classes} classes (0 to {})", classes - 1)]
    Label {
        /// The row.
        sample: usize,
        /// Its label.
        label: u32,
        /// Columns.
        classes: usize,
    },
    /// NaN, infinite, negative or above one.
    #[error("row {sample}, class {class}: {value} is no probability")]
    Probability {
        /// The row.
        sample: usize,
        /// The column.
        class: usize,
        /// What stands there.
        value: f64,
    },
    /// A row that does not sum to one.
    #[error("row {sample} sums to {sum:.6}, not to 1; are these probabilities and not logits?")]
    Sum {
        /// The row.
        sample: usize,
        /// Its sum.
        sum: f64,
    },
    /// No model at all.
    #[error("there is no model's probabilities to join")]
    NoModels,
    /// A model that is not about the samples of the first one.
    #[error("model {model} (from 0) is not about the same labels and classes as the first one")]
    OtherSamples {
        /// The model's place.
        model: usize,
    },
    /// All samples have the same label, so no class can be taken for another.
    #[error("all samples have the same label; at least two classes must occur")]
    OneClass,
}

/// Probabilities and given labels of the same samples, checked.
#[derive(Debug, Clone, Copy)]
pub struct Table<'a, T> {
    probabilities: &'a [T],
    classes: usize,
    labels: &'a [u32],
}

impl<'a, T: Real> Table<'a, T> {
    /// Takes `labels.len()` rows of `classes` probabilities, row by row, and the given label of each. Rows need
    /// not sum to one; see [`Table::check_sums`].
    ///
    /// # Errors
    /// When sizes do not agree, a label has no column, or a number is no probability.
    pub fn new(probabilities: &'a [T], classes: usize, labels: &'a [u32]) -> Result<Table<'a, T>, Problem> {
        if labels.is_empty() {
            return Err(Problem::NoSamples);
        }
        if classes < 2 {
            return Err(Problem::FewClasses(classes));
        }
        if labels.len().checked_mul(classes) != Some(probabilities.len()) {
            return Err(Problem::Shape { numbers: probabilities.len(), samples: labels.len(), classes });
        }
        if let Some(sample) = labels.iter().position(|&label| label as usize >= classes) {
            return Err(Problem::Label { sample, label: labels[sample], classes });
        }
        let impossible = |value: &T| !(-SLACK..=1.0 + SLACK).contains(&value.wide());
        if let Some(place) = probabilities.iter().position(impossible) {
            let value = probabilities[place].wide();
            return Err(Problem::Probability { sample: place / classes, class: place % classes, value });
        }
        Ok(Table { probabilities, classes, labels })
    }

    /// Checks that every row sums to one, give or take `tolerance`.
    ///
    /// # Errors
    /// [`Problem::Sum`] for the first row that does not.
    pub fn check_sums(&self, tolerance: f64) -> Result<(), Problem> {
        for sample in 0..self.len() {
            let sum: f64 = self.row(sample).iter().map(|p| p.wide()).sum();
            if (sum - 1.0).abs() > tolerance {
                return Err(Problem::Sum { sample, sum });
            }
        }
        Ok(())
    }

    /// Number of samples, at least 1.
    #[allow(clippy::len_without_is_empty, reason = "a table is never empty")]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Number of classes, at least 2.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The given label of each sample.
    pub fn labels(&self) -> &'a [u32] {
        self.labels
    }

    /// The probabilities of one sample.
    ///
    /// # Panics
    /// When there is no such sample.
    pub fn row(&self, sample: usize) -> &'a [T] {
        &self.probabilities[sample * self.classes..(sample + 1) * self.classes]
    }

    /// The given label of a sample as a column.
    pub(crate) fn given(&self, sample: usize) -> usize {
        self.labels[sample] as usize
    }

    /// The probability of a sample's given label.
    pub(crate) fn own(&self, sample: usize) -> f64 {
        self.row(sample)[self.given(sample)].wide()
    }

    /// The most likely class of a sample, the first of equal ones.
    pub(crate) fn argmax(&self, sample: usize) -> usize {
        argmax(self.row(sample).iter().map(|p| p.wide()))
    }

    /// How many samples have each label.
    pub(crate) fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes];
        self.labels.iter().for_each(|&label| counts[label as usize] += 1);
        counts
    }

    /// The samples of each class, in order.
    pub(crate) fn members(&self) -> Vec<Vec<u32>> {
        let mut members = vec![Vec::new(); self.classes];
        (0_u32..).zip(self.labels).for_each(|(sample, &label)| members[label as usize].push(sample));
        members
    }
}

/// The place of the largest number, the first of equal ones.
pub(crate) fn argmax(values: impl Iterator<Item = f64>) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (place, value) in values.enumerate() {
        if value > best.1 {
            best = (place, value);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_refused() {
        let new = |p: &[f64], k: usize, y: &[u32]| Table::new(p, k, y).map(|_| ()).unwrap_err();
        assert_eq!(new(&[], 2, &[]), Problem::NoSamples);
        assert_eq!(new(&[1.0], 1, &[0]), Problem::FewClasses(1));
        assert_eq!(new(&[1.0, 0.0, 1.0], 2, &[0]), Problem::Shape { numbers: 3, samples: 1, classes: 2 });
        assert_eq!(new(&[1.0, 0.0], 2, &[2]), Problem::Label { sample: 0, label: 2, classes: 2 });
        let low = Problem::Probability { sample: 1, class: 0, value: -0.1 };
        assert_eq!(new(&[0.5, 0.5, -0.1, 1.0], 2, &[0, 0]), low);
        assert!(new(&[0.5, f64::NAN], 2, &[0]).to_string().contains("row 0, class 1: NaN"));
        assert!(new(&[0.5, f64::INFINITY], 2, &[0]).to_string().contains("no probability"));
    }

    #[test]
    fn sums_are_checked_when_asked() {
        let table = Table::new(&[0.5_f32, 0.5, 0.6, 0.5], 2, &[0, 1]).unwrap();
        assert_eq!(table.check_sums(0.2), Ok(()));
        assert!(matches!(table.check_sums(1e-3), Err(Problem::Sum { sample: 1, .. })));
    }
}
