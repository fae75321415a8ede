//! The input: probabilities and given labels of the same samples.

use std::sync::Arc;

/// A number type for storing probabilities. Everything is computed in 64 bits.
pub trait Real: Copy + PartialOrd {
    /// Nothing.
    const ZERO: Self;
    /// Certainty.
    const ONE: Self;
    /// Less than every probability.
    const NONE: Self;

    /// The number in 64 bits.
    fn wide(self) -> f64;

    /// The least number of this kind that is not below `limit`, so that comparing with it is comparing with `limit` in
    /// 64 bits.
    fn from_limit(limit: f64) -> Self;
}

impl Real for f32 {
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;
    const NONE: f32 = f32::NEG_INFINITY;

    fn wide(self) -> f64 {
        f64::from(self)
    }

    fn from_limit(limit: f64) -> f32 {
        let near = limit as f32;
        if f64::from(near) < limit { near.next_up() } else { near }
    }
}

impl Real for f64 {
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;
    const NONE: f64 = f64::NEG_INFINITY;

    fn wide(self) -> f64 {
        self
    }

    fn from_limit(limit: f64) -> f64 {
        limit
    }
}

/// How far outside 0..=1 a probability may be, to allow for 32-bit sums.
const SLACK: f64 = 1e-6;

/// What is wrong with probabilities or labels. Samples and classes are counted from 0.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// There are no samples.
    #[error("there are no samples")]
    NoSamples,
    /// No columns.
    #[error("there are no classes")]
    NoClasses,
    /// Fewer than two columns.
    #[error("there is only {0} class; label quality needs two or more")]
    FewClasses(usize),
    /// The numbers are not whole rows, one for each label.
    #[error("{numbers} probabilities do not make {samples} rows (one per label) of {classes} classes")]
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
    #[error("row {sample}, class {class}: {value} is not a probability")]
    Probability {
        /// The row.
        sample: usize,
        /// The column.
        class: usize,
        /// The value.
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
    #[error("there are no probabilities to combine; give those of at least one model")]
    NoModels,
    /// A model for other samples than the first one.
    #[error("model {model} (counted from 0) has other labels or classes than the first one")]
    OtherSamples {
        /// The model's index.
        model: usize,
    },
    /// All samples have the same label, so no classes can be confused.
    #[error("all samples that can be judged have the same label; at least two classes must occur")]
    OneClass,
}

/// Numbers that are compared at once.
const LANES: usize = 16;

/// Probabilities and given labels of the same samples, checked.
#[derive(Debug, Clone)]
pub struct Table<'a, T> {
    probabilities: &'a [T],
    classes: usize,
    labels: &'a [u32],
    top_k: TopK<T>,
}

/// The precomputed values of all samples of a [`Table`].
#[derive(Debug, Clone, PartialEq)]
pub struct TopK<T>(Arc<[Top<T>]>);

/// The quantities that most computations on a sample need. Precomputed, because with many classes going through all
/// probabilities dominates the time.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Top<T> {
    /// The probability of the given label.
    own: T,
    /// The largest one of the classes before it, and of those behind it.
    before: T,
    behind: T,
    /// The most likely class, the first of equal ones.
    class: u32,
}

impl<'a, T: Real> Table<'a, T> {
    /// Takes `labels.len()` rows of `classes` probabilities, row by row, and the given label of each. Rows need
    /// not sum to one; see [`Table::check_sums`].
    ///
    /// # Errors
    /// When sizes do not agree, a label has no column, or a number is not a probability.
    pub fn new(
        probabilities: &'a [T],
        classes: usize,
        labels: &'a [u32],
    ) -> Result<Table<'a, T>, InputError> {
        if labels.is_empty() {
            return Err(InputError::NoSamples);
        }
        if classes < 2 {
            return Err(InputError::FewClasses(classes));
        }
        if labels.len().checked_mul(classes) != Some(probabilities.len()) {
            return Err(InputError::Shape { numbers: probabilities.len(), samples: labels.len(), classes });
        }
        if let Some(sample) = labels.iter().position(|&label| label as usize >= classes) {
            return Err(InputError::Label { sample, label: labels[sample], classes });
        }
        let mut top_k = Vec::with_capacity(labels.len());
        for (sample, (row, &label)) in probabilities.chunks_exact(classes).zip(labels).enumerate() {
            if let Some(class) = impossible(row) {
                return Err(InputError::Probability { sample, class, value: row[class].wide() });
            }
            top_k.push(top(row, label as usize));
        }
        Ok(Table { probabilities, classes, labels, top_k: TopK(top_k.into()) })
    }

    /// A table of probabilities that were checked before.
    pub(crate) fn of_checked(probabilities: &'a [T], classes: usize, labels: &'a [u32]) -> Table<'a, T> {
        let rows = probabilities.chunks_exact(classes).zip(labels);
        let top_k = TopK(rows.map(|(row, &label)| top(row, label as usize)).collect());
        Table { probabilities, classes, labels, top_k }
    }

    /// The table that `top_k` came from, without going through all its numbers again; they must be the same.
    ///
    /// # Panics
    /// When sizes do not agree.
    pub fn again(probabilities: &'a [T], classes: usize, labels: &'a [u32], top_k: TopK<T>) -> Table<'a, T> {
        assert_eq!(
            top_k.0.len(),
            labels.len(),
            "the precomputed values are not for {} samples",
            labels.len()
        );
        assert_eq!(
            probabilities.len(),
            labels.len() * classes,
            "there must be {classes} probabilities per sample"
        );
        Table { probabilities, classes, labels, top_k }
    }

    /// The precomputed values, for [`Table::again`].
    pub fn top_k(&self) -> TopK<T> {
        self.top_k.clone()
    }

    /// Checks that every row sums to one within `tolerance`.
    ///
    /// # Errors
    /// [`InputError::Sum`] for the first row that does not.
    pub fn check_sums(&self, tolerance: f64) -> Result<(), InputError> {
        for sample in 0..self.len() {
            let sum = sum(self.row(sample));
            if (sum - 1.0).abs() > tolerance {
                return Err(InputError::Sum { sample, sum });
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
        self.top_k.0[sample].own.wide()
    }

    /// The most likely class of a sample, the first of equal ones.
    pub(crate) fn argmax(&self, sample: usize) -> usize {
        self.top_k.0[sample].class as usize
    }

    /// The probability of a sample's most likely class.
    pub(crate) fn most(&self, sample: usize) -> f64 {
        self.own(sample).max(self.best_other(sample))
    }

    /// The largest probability beside that of a sample's given label.
    pub(crate) fn best_other(&self, sample: usize) -> f64 {
        let Top { before, behind, .. } = self.top_k.0[sample];
        before.wide().max(behind.wide())
    }

    /// Whether the given label is the most likely class, with this much added in its favor.
    pub(crate) fn predicted(&self, sample: usize, favor: f64) -> bool {
        let Top { own, before, behind, .. } = self.top_k.0[sample];
        let own = own.wide() + favor;
        before.wide() < own && behind.wide() <= own
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

/// The first number that is not a probability.
pub(crate) fn impossible<T: Real>(row: &[T]) -> Option<usize> {
    let certain = row.iter().fold(true, |all, value| all & (*value >= T::ZERO) & (*value <= T::ONE));
    if certain {
        return None;
    }
    row.iter().position(|value| !(-SLACK..=1.0 + SLACK).contains(&value.wide()))
}

fn top<T: Real>(row: &[T], given: usize) -> Top<T> {
    let (own, before, behind) = (row[given], largest(&row[..given]), largest(&row[given + 1..]));
    let first = |most: T| row.iter().position(|value| *value == most).unwrap_or(given);
    let class = if before >= own && before >= behind {
        first(before)
    } else if own >= behind {
        given
    } else {
        first(behind)
    };
    Top { own, before, behind, class: class as u32 }
}

/// The largest of some probabilities, [`Real::NONE`] if there are none.
fn largest<T: Real>(values: &[T]) -> T {
    let larger = |a: T, b: T| if b > a { b } else { a };
    let (many, rest) = values.as_chunks::<LANES>();
    let mut most = [T::NONE; LANES];
    for lanes in many {
        most.iter_mut().zip(lanes).for_each(|(most, value)| *most = larger(*most, *value));
    }
    most.iter().chain(rest).fold(T::NONE, |most, value| larger(most, *value))
}

/// Sums a row in 64 bits.
fn sum<T: Real>(row: &[T]) -> f64 {
    let (many, rest) = row.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for lanes in many {
        sums.iter_mut().zip(lanes).for_each(|(sum, value)| *sum += value.wide());
    }
    sums.iter().sum::<f64>() + rest.iter().map(|value| value.wide()).sum::<f64>()
}

/// The first class whose probability is not below its floor, and whether there is another one.
pub(crate) fn reached<T: Real>(row: &[T], floors: &[T]) -> Option<(usize, bool)> {
    let mut first = None;
    let (many, rest) = row.as_chunks::<LANES>();
    let (floors_many, floors_rest) = floors.as_chunks::<LANES>();
    let lanes = many.iter().zip(floors_many).map(|(row, floors)| (&row[..], &floors[..]));
    for (part, (row, floors)) in lanes.chain([(rest, floors_rest)]).enumerate() {
        let any = row.iter().zip(floors).fold(false, |any, (p, floor)| any | (p >= floor));
        if !any {
            continue;
        }
        for (place, _) in row.iter().zip(floors).enumerate().filter(|(_, (p, floor))| p >= floor) {
            match first {
                None => first = Some(part * LANES + place),
                Some(class) => return Some((class, true)),
            }
        }
    }
    first.map(|class| (class, false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_cannot_be_is_refused() {
        let new = |p: &[f64], k: usize, y: &[u32]| Table::new(p, k, y).map(|_| ()).unwrap_err();
        assert_eq!(new(&[], 2, &[]), InputError::NoSamples);
        assert_eq!(new(&[1.0], 1, &[0]), InputError::FewClasses(1));
        assert_eq!(new(&[1.0, 0.0, 1.0], 2, &[0]), InputError::Shape { numbers: 3, samples: 1, classes: 2 });
        assert_eq!(new(&[1.0, 0.0], 2, &[2]), InputError::Label { sample: 0, label: 2, classes: 2 });
        let low = InputError::Probability { sample: 1, class: 0, value: -0.1 };
        assert_eq!(new(&[0.5, 0.5, -0.1, 1.0], 2, &[0, 0]), low);
        assert!(new(&[0.5, f64::NAN], 2, &[0]).to_string().contains("row 0, class 1: NaN"));
        assert!(new(&[0.5, f64::INFINITY], 2, &[0]).to_string().contains("not a probability"));
    }

    proptest! {
        #[test]
        fn what_is_found_at_once_is_what_looking_at_each_class_finds(
            row in prop::collection::vec(0_u8..12, 2..70), given in 0_usize..70, limits in prop::collection::vec(0_u8..12, 70),
        ) {
            // Few values, so that many are equal.
            let row: Vec<f32> = row.into_iter().map(|n| f32::from(n) / 16.0).collect();
            let given = given % row.len();
            let labels = [given as u32];
            let table = Table::new(&row, row.len(), &labels).unwrap();
            let most = row.iter().copied().fold(0.0, f32::max);
            let others: Vec<f32> =
                row.iter().enumerate().filter(|(class, _)| *class != given).map(|(_, p)| *p).collect();
            prop_assert_eq!(table.argmax(0), row.iter().position(|p| *p == most).unwrap());
            prop_assert_eq!(table.most(0), f64::from(most));
            prop_assert_eq!(table.best_other(0), f64::from(others.iter().copied().fold(0.0, f32::max)));
            for favor in [0.0, 1e-6, 0.0625] {
                let raised: Vec<f64> = row.iter().enumerate()
                    .map(|(class, p)| f64::from(*p) + if class == given { favor } else { 0.0 }).collect();
                let top = raised.iter().copied().fold(0.0, f64::max);
                let predicted = raised.iter().position(|p| *p == top) == Some(given);
                prop_assert_eq!(table.predicted(0, favor), predicted);
            }
            let floors: Vec<f32> = limits.iter().take(row.len()).map(|n| f32::from(*n) / 16.0).collect();
            let mut all = row.iter().zip(&floors).enumerate().filter(|(_, (p, floor))| p >= floor);
            let expected = all.next().map(|(class, _)| (class, all.next().is_some()));
            prop_assert_eq!(reached(&row, &floors), expected);
        }

        #[test]
        fn a_limit_in_fewer_bits_divides_as_the_limit_does(limit in 0.0_f64..1.0, steps in -3_i32..3) {
            let floor = f32::from_limit(limit);
            let near = f32::from_bits((floor.to_bits() as i32 + steps).max(0) as u32);
            prop_assert_eq!(near >= floor, near.wide() >= limit);
        }
    }

    #[test]
    fn sums_are_checked_when_asked() {
        let table = Table::new(&[0.5_f32, 0.5, 0.6, 0.5], 2, &[0, 1]).unwrap();
        assert_eq!(table.check_sums(0.2), Ok(()));
        assert!(matches!(table.check_sums(1e-3), Err(InputError::Sum { sample: 1, .. })));
    }
}
