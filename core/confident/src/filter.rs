//! The filters: which samples have a wrong label.

use crate::cut::{Cut, ratio};
use crate::joint::ConfidentJoint;
use crate::score::{EPSILON, Method, scores};
use crate::table::{InputError, Real, Table};
use std::cell::OnceCell;
use std::cmp::Ordering;

/// A class of no more samples than this is left alone by the pruning filters, and this many of each stay.
const KEEP: i64 = 1;

/// How wrong labels are chosen. All but the last are cleanlab's, by name and by result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// For each pair of classes as many as the confident joint counts, those of the largest margin.
    PruneByNoiseRate,
    /// For each class as many as the confident joint counts, those of the lowest self-confidence.
    PruneByClass,
    /// What the two above agree on.
    Both,
    /// What the confident joint counts off its diagonal.
    ConfidentLearning,
    /// All whose most likely class is another one.
    PredictedNeqGiven,
    /// As many as [`Filter::ConfidentLearning`] finds, those of the lowest normalized margin.
    LowNormalizedMargin,
    /// As many as [`Filter::ConfidentLearning`] finds, those of the lowest self-confidence.
    LowSelfConfidence,
    /// Those contradicted as surely as the probabilities are good: see [`Cut`].
    FollowsQuality,
}

impl Filter {
    /// All filters: the five of the method, the two that cut an order at the same count, and our own.
    pub const ALL: [Filter; 8] = [
        Filter::PruneByNoiseRate,
        Filter::PruneByClass,
        Filter::Both,
        Filter::ConfidentLearning,
        Filter::PredictedNeqGiven,
        Filter::LowNormalizedMargin,
        Filter::LowSelfConfidence,
        Filter::FollowsQuality,
    ];

    /// Its name, as in cleanlab.
    pub fn name(self) -> &'static str {
        match self {
            Filter::PruneByNoiseRate => "prune_by_noise_rate",
            Filter::PruneByClass => "prune_by_class",
            Filter::Both => "both",
            Filter::ConfidentLearning => "confident_learning",
            Filter::PredictedNeqGiven => "predicted_neq_given",
            Filter::LowNormalizedMargin => "low_normalized_margin",
            Filter::LowSelfConfidence => "low_self_confidence",
            Filter::FollowsQuality => "follows_quality",
        }
    }
}

/// For each sample whether its label is wrong in the filter's eyes. Except for the two that cut an order, no
/// filter names a sample whose most likely class is its given label (a tie counts as that).
///
/// # Errors
/// [`InputError::OneClass`] when all samples have the same label.
pub fn filter<T: Real>(table: &Table<'_, T>, filter: Filter) -> Result<Vec<bool>, InputError> {
    Ok(Filters::new(table)?.apply(filter))
}

/// Several filters of one table: what they have in common is counted once.
pub struct Filters<'t, 'a, T> {
    table: &'t Table<'a, T>,
    joint: OnceCell<ConfidentJoint>,
    by_rate: OnceCell<Vec<bool>>,
    by_class: OnceCell<Vec<bool>>,
    cut: OnceCell<Cut>,
}

impl<'t, 'a, T: Real> Filters<'t, 'a, T> {
    /// Filters of a table.
    ///
    /// # Errors
    /// [`InputError::OneClass`] when all samples have the same label.
    pub fn new(table: &'t Table<'a, T>) -> Result<Filters<'t, 'a, T>, InputError> {
        if table.counts().iter().filter(|count| **count > 0).count() < 2 {
            return Err(InputError::OneClass);
        }
        Ok(Filters::of_any(table))
    }

    /// Filters of a table whose samples may all have the same label.
    pub(crate) fn of_any(table: &'t Table<'a, T>) -> Filters<'t, 'a, T> {
        let (joint, by_rate, by_class, cut) = Default::default();
        Filters { table, joint, by_rate, by_class, cut }
    }

    /// The confident joint of the table.
    pub fn joint(&self) -> &ConfidentJoint {
        self.joint.get_or_init(|| ConfidentJoint::new(self.table))
    }

    /// How sure a contradiction must be by [`Filter::FollowsQuality`].
    pub fn cut(&self) -> Cut {
        *self.cut.get_or_init(|| Cut::of(self.table))
    }

    /// What [`filter`] says.
    pub fn apply(&self, filter: Filter) -> Vec<bool> {
        let table = self.table;
        let mut mask = match filter {
            Filter::PruneByNoiseRate => self.by_rate().to_vec(),
            Filter::PruneByClass => self.by_class().to_vec(),
            Filter::Both => {
                self.by_rate().iter().zip(self.by_class()).map(|(rate, class)| *rate && *class).collect()
            }
            Filter::ConfidentLearning => off_diagonal(table, self.joint()),
            Filter::PredictedNeqGiven => vec![true; table.len()],
            Filter::LowNormalizedMargin => return self.lowest(Method::NormalizedMargin),
            Filter::LowSelfConfidence => return self.lowest(Method::SelfConfidence),
            Filter::FollowsQuality => {
                let limit = self.cut().limit;
                return (0..table.len()).map(|sample| ratio(table, sample) < limit).collect();
            }
        };
        spare_predicted(table, &mut mask);
        mask
    }

    fn by_rate(&self) -> &[bool] {
        self.by_rate.get_or_init(|| by_noise_rate(self.table, self.joint()))
    }

    fn by_class(&self) -> &[bool] {
        self.by_class.get_or_init(|| by_class(self.table, self.joint()))
    }

    /// As many of the lowest scores as confident learning names, ties in sample order.
    fn lowest(&self, method: Method) -> Vec<bool> {
        let count = self.apply(Filter::ConfidentLearning).into_iter().filter(|named| *named).count();
        let scores = scores(self.table, method, false);
        let all: Vec<u32> = (0..self.table.len() as u32).collect();
        let mut mask = vec![false; all.len()];
        name_lowest(&all, count as i64, &mut mask, |index| scores[index]);
        mask
    }
}

/// Takes out samples whose most likely class is their label, with a little in favor of the label.
fn spare_predicted<T: Real>(table: &Table<'_, T>, mask: &mut [bool]) {
    for (sample, named) in mask.iter_mut().enumerate() {
        *named = *named && !table.predicted(sample, EPSILON);
    }
}

fn off_diagonal<T: Real>(table: &Table<'_, T>, joint: &ConfidentJoint) -> Vec<bool> {
    let wrong = |sample: usize| joint.guess(sample).is_some_and(|guess| guess != table.labels()[sample]);
    (0..table.len()).map(wrong).collect()
}

/// Per class as many of the lowest self-confidence as the joint has off the diagonal.
fn by_class<T: Real>(table: &Table<'_, T>, joint: &ConfidentJoint) -> Vec<bool> {
    let prune = prune_counts(joint);
    let mut mask = vec![false; table.len()];
    for (class, members) in table.members().iter().enumerate() {
        let wrong = joint.counts()[class] as i64 - prune[class * table.classes() + class];
        if members.len() as i64 > KEEP {
            name_lowest(members, wrong, &mut mask, |index| table.own(members[index] as usize));
        }
    }
    mask
}

/// Per pair of classes as many of the largest margin as the joint counts.
fn by_noise_rate<T: Real>(table: &Table<'_, T>, joint: &ConfidentJoint) -> Vec<bool> {
    let (classes, prune) = (table.classes(), prune_counts(joint));
    let mut mask = vec![false; table.len()];
    let mut margins = Vec::new();
    for (given, members) in table.members().iter().enumerate() {
        if members.len() as i64 <= KEEP {
            continue;
        }
        let taken = |other: &usize| *other != given && prune[other * classes + given] > 0;
        let others: Vec<usize> = (0..classes).filter(taken).collect();
        // Sample by sample: the rows of one class lie far apart.
        margins.clear();
        margins.resize(others.len() * members.len(), 0.0);
        for (index, &sample) in members.iter().enumerate() {
            let row = table.row(sample as usize);
            for (n, &other) in others.iter().enumerate() {
                margins[n * members.len() + index] = row[given].wide() - row[other].wide();
            }
        }
        for (&other, margins) in others.iter().zip(margins.chunks_exact(members.len())) {
            name_lowest(members, prune[other * classes + given], &mut mask, |index| margins[index]);
        }
    }
    mask
}

/// Names `count` members of the lowest value, ties in sample order; values are indexed like the members.
pub(crate) fn name_lowest(members: &[u32], count: i64, mask: &mut [bool], value: impl Fn(usize) -> f64) {
    let count = count.clamp(0, members.len() as i64) as usize;
    if count == 0 {
        return;
    }
    let order = |index: usize| ordered(value(index));
    let mut values: Vec<i64> = (0..members.len()).map(order).collect();
    let (lower, &mut limit, _) = values.select_nth_unstable(count - 1);
    // Numbers alone are half of what numbers and samples are; so those that equal the limit are counted.
    let mut ties = count - lower.iter().filter(|value| **value < limit).count();
    for (index, &sample) in members.iter().enumerate() {
        match order(index).cmp(&limit) {
            Ordering::Less => {}
            Ordering::Equal if ties > 0 => ties -= 1,
            _ => continue,
        }
        mask[sample as usize] = true;
    }
}

/// A whole number that is ordered as [`f64::total_cmp`] orders: compared more often than made, it is the faster one.
fn ordered(number: f64) -> i64 {
    let bits = number.to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// How many samples of each given label (column) to take for which true class (row), such that [`KEEP`] stay on
/// the diagonal: what it is raised by is taken evenly from what its column has elsewhere.
fn prune_counts(joint: &ConfidentJoint) -> Vec<i64> {
    let k = joint.classes();
    let calibrated = joint.calibrated();
    let mut counts = vec![0; k * k];
    for given in 0..k {
        let row = &calibrated[given * k..(given + 1) * k];
        let raised = (KEEP - row[given]).max(0) as f64;
        let sharing = row.iter().filter(|count| **count != 0).count() as f64 - 1.0;
        for (guess, &count) in row.iter().enumerate() {
            let left = (count as f64 - raised / sharing.max(1.0)).max(0.0) as i64;
            counts[guess * k + given] = if guess == given { count.max(KEEP) } else { left };
        }
    }
    counts
}
