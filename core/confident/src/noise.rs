//! Which labels contradict the probabilities, given which classes are usually mixed up.
//!
//! If cats are labeled dogs far more often than frogs are labeled ships, a doubtful *dog* that may be a cat is more likely
//! wrong than a doubtful *ship* that may be a frog. How often each class is given each label is estimated from the samples
//! that the model is confident about, by expectation maximization (A. P. Dawid and A. M. Skene, *Maximum likelihood estimation of observer
//! error-rates using the EM algorithm*, 1979), and shrunk towards the mean of all pairs of classes to the extent
//! that the counts vary no more than by chance (a gamma prior for Poisson counts, its size by their moments). If labels are
//! wrong at random, the order is that of the label's probability.

use crate::table::{Real, Table};

/// A model is confident about a sample above this probability.
const SURE: f64 = 0.8;
/// Confident samples that a class must have on average; with fewer, nothing can be said about pairs of classes.
const LEAST_A_CLASS: usize = 100;
/// Rounds of expectation maximization.
const ROUNDS: usize = 5;
/// The share of labels that are right, at first; from then on it is estimated.
const RIGHT: f64 = 0.9;
/// Pseudo-counts for the pairs of classes: this share of all samples, spread evenly.
const UNSEEN: f64 = 0.01;
/// Bounds of the share of wrong labels.
const WRONG: (f64, f64) = (1e-4, 0.75);
/// Bounds of the prior's size.
const PRIOR: (f64, f64) = (1.0, 1000.0);
/// Probabilities are clamped to at least this.
const LEAST: f64 = 1e-6;
/// Maximum number of probabilities of confident samples held at once; above that, an evenly spread subset is used.
const HELD: usize = 100_000_000;

/// The posterior for a label, given which classes are mixed up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Posterior {
    /// The probability that the given label is right, 0..=1.
    pub right: f64,
    /// The most likely class of the sample, taking its label into account.
    pub class: u32,
    /// The probability of that class, 0..=1.
    pub likely: f64,
}

/// The probability that each label is right, or `None` if the model is confident about too few samples (fewer than a hundred
/// per class) for this to say more than [`ratio`](crate::ratio) does.
///
/// `inverse_temperature` is the power to which probabilities were raised to calibrate them; it is undone here, because
/// confusions are estimated from the model as trained, or from several as combined. 1 if they were not raised.
pub fn posteriors<T: Real>(table: &Table<'_, T>, inverse_temperature: f64) -> Option<Vec<Posterior>> {
    let rates = Rates::learned(table, inverse_temperature)?;
    let trained = Trained::new(inverse_temperature);
    let mut row = vec![0.0; table.classes()];
    let judge = |sample: usize| {
        trained.read(table, sample, &mut row);
        let given = table.given(sample);
        let rates = rates.of_name(given);
        let (mut sum, mut best) = (0.0, (0, f64::NEG_INFINITY));
        for (class, (p, rate)) in row.iter().zip(rates).enumerate() {
            let joint = p * rate;
            sum += joint;
            if joint > best.1 {
                best = (class, joint);
            }
        }
        let right = row[given] * rates[given] / sum;
        Posterior { right, class: best.0 as u32, likely: best.1 / sum }
    };
    Some((0..table.len()).map(judge).collect())
}

/// How many samples of each class (column) are expected to have each label (row), `[label * classes + class]`: the sums of
/// the posteriors, where [`posteriors`] gives any. Unlike the confident joint, which counts whatever a model takes for
/// another class as wrong, this adds up to the number of samples, and off the diagonal to that of wrong labels.
pub fn expected_confusions<T: Real>(table: &Table<'_, T>, inverse_temperature: f64) -> Option<Vec<f64>> {
    let rates = Rates::learned(table, inverse_temperature)?;
    let trained = Trained::new(inverse_temperature);
    let classes = table.classes();
    let mut row = vec![0.0; classes];
    let mut counts = vec![0.0; classes * classes];
    for sample in 0..table.len() {
        trained.read(table, sample, &mut row);
        let given = table.given(sample);
        row.iter_mut().zip(rates.of_name(given)).for_each(|(p, rate)| *p *= rate);
        let sum: f64 = row.iter().sum();
        let counts = &mut counts[given * classes..(given + 1) * classes];
        counts.iter_mut().zip(&row).for_each(|(count, p)| *count += p / sum);
    }
    Some(counts)
}

/// How often each class is given each label.
pub(crate) struct Rates {
    /// Labels (rows) by class (columns).
    rates: Vec<f64>,
    classes: usize,
}

impl Rates {
    /// Estimates them from the samples that the model is confident about, if there are enough. `inverse_temperature` is as in
    /// [`posteriors`].
    pub(crate) fn learned<T: Real>(table: &Table<'_, T>, inverse_temperature: f64) -> Option<Rates> {
        let classes = table.classes();
        let trained = Trained::new(inverse_temperature);
        let mut row = vec![0.0; classes];
        let sure: Vec<usize> = (0..table.len())
            .filter(|&sample| {
                trained.read(table, sample, &mut row);
                row.iter().copied().fold(0.0, f64::max) > SURE
            })
            .collect();
        (sure.len() >= LEAST_A_CLASS * classes)
            .then(|| Rates { rates: rates(table, &sure, trained), classes })
    }

    /// To begin with: nine labels in ten are right, and the others random.
    fn even(classes: usize) -> Rates {
        let mut rates = vec![(1.0 - RIGHT) / (classes - 1) as f64; classes * classes];
        rates.iter_mut().step_by(classes + 1).for_each(|rate| *rate = RIGHT);
        Rates { rates, classes }
    }

    /// How often each class is given this label.
    pub(crate) fn of_name(&self, name: usize) -> &[f64] {
        &self.rates[name * self.classes..(name + 1) * self.classes]
    }
}

/// The model's original probabilities.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trained {
    /// The power that undoes the calibration.
    inverse_temperature: f64,
}

impl Trained {
    /// Undoes a power of `inverse_temperature`.
    pub(crate) fn new(inverse_temperature: f64) -> Trained {
        Trained { inverse_temperature: 1.0 / inverse_temperature }
    }

    /// One sample's probabilities, none of them 0.
    pub(crate) fn read<T: Real>(self, table: &Table<'_, T>, sample: usize, row: &mut [f64]) {
        let scale = |row: &mut [f64]| {
            let sum: f64 = row.iter().sum();
            row.iter_mut().for_each(|p| *p /= sum);
        };
        let power = self.inverse_temperature as f32;
        for (to, p) in row.iter_mut().zip(table.row(sample)) {
            let p = p.wide().max(f64::from(f32::MIN_POSITIVE));
            // Seven digits are plenty, and a single-precision power takes half the time.
            *to = if power == 1.0 { p } else { f64::from((p as f32).powf(power)) };
        }
        scale(row);
        row.iter_mut().for_each(|p| *p = p.max(LEAST));
        scale(row);
    }
}

/// How often each class (column) is given each label (row).
fn rates<T: Real>(table: &Table<'_, T>, sure: &[usize], trained: Trained) -> Vec<f64> {
    let classes = table.classes();
    let step = (sure.len() * classes).div_ceil(HELD);
    let looked_at: Vec<usize> = sure.iter().copied().step_by(step).collect();
    let mut held = vec![0.0_f32; looked_at.len() * classes];
    let mut row = vec![0.0; classes];
    for (&sample, held) in looked_at.iter().zip(held.chunks_exact_mut(classes)) {
        trained.read(table, sample, &mut row);
        held.iter_mut().zip(&row).for_each(|(to, p)| *to = *p as f32);
    }
    let others = (classes - 1) as f64;
    let diagonal = |index: usize| index.is_multiple_of(classes + 1);
    let mut rates = Rates::even(classes).rates;
    let unseen = UNSEEN * looked_at.len() as f64 / (classes as f64 * others);
    let count = |rates: &[f64]| {
        let mut counts = vec![0.0; classes * classes];
        let mut joint = vec![0.0; classes];
        for (&sample, held) in looked_at.iter().zip(held.chunks_exact(classes)) {
            let of_name = table.given(sample) * classes..(table.given(sample) + 1) * classes;
            for ((joint, p), rate) in joint.iter_mut().zip(held).zip(&rates[of_name.clone()]) {
                *joint = f64::from(*p) * rate;
            }
            let sum: f64 = joint.iter().sum();
            counts[of_name].iter_mut().zip(&joint).for_each(|(count, joint)| *count += joint / sum);
        }
        counts
    };
    let of_class = |counts: &[f64]| {
        let mut sums = vec![0.0; classes];
        counts.iter().enumerate().for_each(|(index, count)| sums[index % classes] += count);
        sums
    };
    for _ in 0..ROUNDS {
        let mut counts = count(&rates);
        let off = counts.iter_mut().enumerate().filter(|(index, _)| !diagonal(*index));
        off.for_each(|(_, count)| *count += unseen);
        let sums = of_class(&counts);
        for (index, (rate, count)) in rates.iter_mut().zip(counts).enumerate() {
            *rate = count / sums[index % classes].max(1e-12);
        }
    }
    let counts = count(&rates);
    shrunk(&counts, &of_class(&counts), classes)
}

/// Rates from counts of labels (rows) by class (columns), shrunk towards their mean.
fn shrunk(counts: &[f64], of_class: &[f64], classes: usize) -> Vec<f64> {
    let others = (classes - 1) as f64;
    let pairs = || counts.iter().enumerate().filter(|(index, _)| !index.is_multiple_of(classes + 1));
    let wrong = pairs().map(|(_, count)| count).sum::<f64>() / of_class.iter().sum::<f64>();
    let wrong = wrong.clamp(WRONG.0, WRONG.1);
    let expected = |index: usize| wrong * of_class[index % classes] / others;
    let (mut squares, mut scatter) = (0.0, 0.0);
    for (index, count) in pairs() {
        let expected = expected(index);
        squares += expected * expected;
        scatter += (count - expected).powi(2) - expected;
    }
    let size = if scatter > 0.0 { (squares / scatter).clamp(PRIOR.0, PRIOR.1) } else { PRIOR.1 };
    let rate = |index: usize| {
        if index.is_multiple_of(classes + 1) {
            1.0 - wrong
        } else {
            wrong / others * (counts[index] + size) / (expected(index) + size)
        }
    };
    (0..classes * classes).map(rate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three classes of 400; the model is confident about nine in ten and cannot tell the last tenth from one other class.
    fn world(mixed_up: bool) -> (Vec<f64>, Vec<u32>) {
        let (mut rows, mut labels) = (Vec::new(), Vec::new());
        for sample in 0..1200_usize {
            let (class, number) = (sample % 3, sample / 3);
            let mut row = [0.05; 3];
            row[class] = 0.9;
            if number % 10 == 9 {
                row = [0.1; 3];
                (row[class], row[(class + 1) % 3]) = (0.5, 0.4);
            }
            rows.extend(row);
            // A tenth of the sure ones of class 0 are called 1: or a few of every class anything.
            let wrong = if mixed_up { class == 0 && number % 10 == 4 } else { number % 30 == 4 };
            let name = if wrong { class + 1 + usize::from(!mixed_up && number % 60 == 4) } else { class };
            labels.push((name % 3) as u32);
        }
        (rows, labels)
    }

    #[test]
    fn what_is_often_mixed_up_is_doubted_first() {
        let doubt = |mixed_up| {
            let (rows, mut labels) = world(mixed_up);
            // Two samples that the model cannot judge, one called 1 and perhaps 0, the other called 2 and perhaps 1.
            (labels[27], labels[28]) = (1, 2);
            let table = Table::new(&rows, 3, &labels).unwrap();
            let found = posteriors(&table, 1.0).unwrap();
            assert!(found.iter().all(|one| (0.0..=1.0).contains(&one.right)));
            (1.0 - found[27].right, 1.0 - found[28].right)
        };
        let (often, seldom) = doubt(true);
        assert!(often > 5.0 * seldom, "{often} {seldom}");
        let (one, other) = doubt(false);
        assert!(one < 1.5 * other && other < 1.5 * one, "{one} {other}");
    }

    #[test]
    fn expected_counts_are_those_of_wrong_labels() {
        for mixed_up in [true, false] {
            let (mut rows, labels) = world(mixed_up);
            // As sure as it is right: what a model says too carefully is taken for its own doubt.
            for row in rows.chunks_exact_mut(3) {
                row.iter_mut().for_each(|p| *p = *p * *p * *p);
                let sum: f64 = row.iter().sum();
                row.iter_mut().for_each(|p| *p /= sum);
            }
            let table = Table::new(&rows, 3, &labels).unwrap();
            let counts = expected_confusions(&table, 1.0).unwrap();
            assert!((counts.iter().sum::<f64>() - 1200.0).abs() < 1e-6);
            let wrong = |sample: usize| labels[sample] as usize != sample % 3;
            let all = (0..1200).filter(|&sample| wrong(sample)).count() as f64;
            let expected = 1200.0 - [0, 4, 8].map(|index| counts[index]).iter().sum::<f64>();
            assert!((expected / all - 1.0).abs() < 0.5, "{mixed_up}: {expected} expected, {all} are wrong");
            let found = posteriors(&table, 1.0).unwrap();
            let doubted: f64 = found.iter().map(|one| 1.0 - one.right).sum();
            assert!((doubted - expected).abs() < 1e-6);
            assert!(found.iter().all(|one| one.likely >= one.right && one.likely <= 1.0));
        }
    }

    #[test]
    fn inverse_temperature_is_undone() {
        let (rows, labels) = world(true);
        let raised: Vec<f64> = rows
            .chunks(3)
            .flat_map(|row| {
                let powers: Vec<f64> = row.iter().map(|p| p.powf(0.7)).collect();
                let sum: f64 = powers.iter().sum();
                powers.into_iter().map(move |p| p / sum).collect::<Vec<f64>>()
            })
            .collect();
        let of = |rows: &[f64], inverse_temperature| {
            posteriors(&Table::new(rows, 3, &labels).unwrap(), inverse_temperature).unwrap()
        };
        let (plain, undone) = (of(&rows, 1.0), of(&raised, 0.7));
        let near = |(a, b): (&Posterior, &Posterior)| (a.right - b.right).abs() < 1e-4 && a.class == b.class;
        assert!(plain.iter().zip(&undone).all(near));
    }

    #[test]
    fn few_samples_say_nothing_of_pairs() {
        let (rows, labels) = world(true);
        let table = Table::new(&rows[..600], 3, &labels[..200]).unwrap();
        assert_eq!(posteriors(&table, 1.0), None);
    }
}
