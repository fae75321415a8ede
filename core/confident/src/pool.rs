//! Two sources of probabilities as one: what a model learned from the labels, and what another knew before.
//!
//! Their logarithms are added with a weight each (the logarithmic opinion pool: C. Genest and J. V. Zidek, *Combining
//! probability distributions*, 1986). Weights that make the labels as given most likely would favor the source that learned
//! the annotators' mistakes from them: the noisier the labels, the more. Therefore a source counts by how much it says about
//! the labels at all, and only the ratio of the sources' confidences is taken from the labels, not their height: noise makes
//! all of them look overconfident alike. A source that knows nothing gets no weight.

use crate::inverse_temperature::{inverse_temperature, loss};
use crate::noise::Trained;
use crate::stratified_subsample::stratified_subsample;
use crate::table::{Real, Table};

/// Samples that are looked at at most, and numbers of either source that are held for them.
const LOOKED_AT: usize = 50_000;
const HELD: usize = 4_000_000;
/// The power of the information by which a source counts: as much as the other one where both say as much, and hardly where
/// it says clearly less, since what it adds then is mostly its own mistakes.
const STEEP: i32 = 4;

/// How two sources of probabilities are joined.
#[derive(Debug, Clone, Copy)]
pub struct Pool {
    /// The power of the first source's probabilities, 0 to 3; their calibration is undone.
    pub first: f64,
    /// The power of the second source's probabilities, 0 to 15.
    pub second: f64,
    /// The power of the product that calibrates it, 0.2 to 3.
    pub inverse_temperature: f64,
    trained: Trained,
}

impl Pool {
    /// Weighs the two: the probabilities of `table`, raised to `raised` as in [`posteriors`](crate::posteriors), and a second
    /// source, which writes the logarithms of its probabilities for one sample, up to a constant.
    ///
    /// Each source is first calibrated by one inverse temperature. Its share is the information that it then has about
    /// the labels, in nats, to the fourth power, out of both. The first source keeps the confidence it was trained to, unless it says too little
    /// even for the labels as given; the second one is brought to the same confidence.
    ///
    /// # Errors
    /// Those of the second source.
    pub fn of<T: Real, E>(
        table: &Table<'_, T>,
        raised: f64,
        mut second: impl FnMut(usize, &mut [f64]) -> Result<(), E>,
    ) -> Result<Pool, E> {
        let classes = table.classes();
        let trained = Trained::new(raised);
        let room = LOOKED_AT.min(HELD / classes).max(1);
        let samples = stratified_subsample(table.labels().iter().copied(), classes, room);
        let labels: Vec<u32> = samples.iter().map(|&sample| table.labels()[sample]).collect();
        let mut one = vec![0.0; samples.len() * classes];
        let mut other = one.clone();
        let rows = one.chunks_exact_mut(classes).zip(other.chunks_exact_mut(classes));
        for (&sample, (one, other)) in samples.iter().zip(rows) {
            trained.read(table, sample, one);
            one.iter_mut().for_each(|p| *p = p.ln());
            second(sample, other)?;
        }
        let [first, second] = weights([&one, &other].map(|logs| Source::of(logs, &labels, classes)));
        let joined: Vec<f64> = one.iter().zip(&other).map(|(x, y)| first * x + second * y).collect();
        Ok(Pool { first, second, inverse_temperature: inverse_temperature(&joined, &labels), trained })
    }

    /// Replaces the logarithms of the second source's probabilities of a sample by the combined ones; they are in `row` up
    /// to a constant.
    ///
    /// # Panics
    /// When there is no such sample, or the row is not as long as there are classes.
    pub fn join<T: Real>(&self, table: &Table<'_, T>, sample: usize, row: &mut [f32]) {
        let mut joined = vec![0.0; table.classes()];
        assert_eq!(row.len(), joined.len(), "there is not one number a class");
        self.trained.read(table, sample, &mut joined);
        let mut largest = f64::NEG_INFINITY;
        for (joined, &second) in joined.iter_mut().zip(&*row) {
            *joined = self.inverse_temperature * (self.first * joined.ln() + self.second * f64::from(second));
            largest = largest.max(*joined);
        }
        joined.iter_mut().for_each(|log| *log = (*log - largest).exp());
        let sum: f64 = joined.iter().sum();
        row.iter_mut().zip(&joined).for_each(|(to, p)| *to = (p / sum) as f32);
    }
}

/// What one source says about the labels.
#[derive(Debug, Clone, Copy)]
struct Source {
    /// The power that calibrates it to the labels as given.
    power: f64,
    /// What it then says about them beyond chance, in nats a sample; at least 0.
    information: f64,
}

impl Source {
    fn of(logs: &[f64], labels: &[u32], classes: usize) -> Source {
        let power = inverse_temperature(logs, labels);
        let information = (classes as f64).ln() - loss(logs, labels, classes, power);
        // What is left of rounding is no information.
        Source { power, information: if information > 1e-9 { information } else { 0.0 } }
    }
}

/// The weights of both sources.
fn weights([first, second]: [Source; 2]) -> [f64; 2] {
    let counts = |source: Source| source.information.powi(STEEP);
    let all = counts(first) + counts(second);
    if all <= 0.0 {
        return [1.0, 0.0];
    }
    let height = first.power.min(1.0);
    [first, second].map(|source| counts(source) / all * source.power / height)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: usize = 3;
    const SAMPLES: usize = 3000;

    /// Numbers that look drawn, -0.5 to 0.5, the same every time.
    fn noise(number: usize) -> f64 {
        ((number as f64 * 12.9898).sin() * 43758.5453).rem_euclid(1.0) - 0.5
    }

    /// The class of a sample, and its label: one in eight is wrong.
    fn class(sample: usize) -> usize {
        sample % CLASSES
    }

    fn label(sample: usize) -> u32 {
        ((class(sample) + usize::from(sample % 8 == 7)) % CLASSES) as u32
    }

    /// A source that sees `sure` of the truth and `blur` of nothing, as logarithms.
    fn source(sample: usize, seed: usize, sure: f64, blur: f64) -> [f64; CLASSES] {
        std::array::from_fn(|at| {
            let right = f64::from(u8::from(at == class(sample)));
            sure * right + blur * noise(seed + sample * CLASSES + at)
        })
    }

    fn softmax(logs: [f64; CLASSES]) -> [f64; CLASSES] {
        let sum: f64 = logs.iter().map(|log| log.exp()).sum();
        logs.map(|log| log.exp() / sum)
    }

    fn pooled(first: impl Fn(usize) -> [f64; CLASSES], second: impl Fn(usize) -> [f64; CLASSES]) -> Pool {
        let rows: Vec<f64> = (0..SAMPLES).flat_map(|sample| softmax(first(sample))).collect();
        let labels: Vec<u32> = (0..SAMPLES).map(label).collect();
        let table = Table::new(&rows, CLASSES, &labels).unwrap();
        let write = |sample, row: &mut [f64]| {
            row.copy_from_slice(&second(sample));
            Ok::<(), std::convert::Infallible>(())
        };
        let Ok(pool) = Pool::of(&table, 1.0, write);
        pool
    }

    #[test]
    fn sources_that_know_as_much_count_as_much() {
        let pool = pooled(|at| source(at, 0, 2.0, 4.0), |at| source(at, 77_777, 2.0, 4.0));
        assert!((pool.first / pool.second - 1.0).abs() < 0.2, "{pool:?}");
        assert!(pool.first > 0.3 && pool.second > 0.3, "{pool:?}");
    }

    #[test]
    fn a_source_that_knows_nothing_or_the_contrary_counts_nothing() {
        let nothing = pooled(|at| source(at, 0, 3.0, 3.0), |at| source(at, 77_777, 0.0, 4.0));
        assert!(nothing.second < 0.05 && nothing.first > 0.5, "{nothing:?}");
        let contrary = pooled(|at| source(at, 0, 3.0, 3.0), |at| source(at, 77_777, -2.0, 2.0));
        assert_eq!(contrary.second, 0.0);
        assert!(contrary.first > 0.5, "{contrary:?}");
        let turned = pooled(|at| source(at, 77_777, 0.0, 4.0), |at| source(at, 0, 3.0, 3.0));
        assert!(turned.first < 0.05 && turned.second > 0.5, "{turned:?}");
    }

    #[test]
    fn twice_the_same_is_as_good_as_once() {
        let pool = pooled(|at| source(at, 0, 2.0, 4.0), |at| source(at, 0, 2.0, 4.0));
        let alone = pooled(|at| source(at, 0, 2.0, 4.0), |_| [0.0; CLASSES]);
        assert!((pool.first + pool.second - alone.first).abs() < 0.05, "{pool:?} {alone:?}");
        assert_eq!(alone.second, 0.0);
    }

    #[test]
    fn a_source_that_repeats_the_annotators_does_not_push_out_one_that_knows() {
        // A label in five is wrong, always in the same way, and the first source has learned them so.
        let mistaken = |sample: usize| sample.is_multiple_of(5);
        let name = |sample: usize| (class(sample) + usize::from(mistaken(sample))) % CLASSES;
        let rows: Vec<f64> = (0..SAMPLES)
            .flat_map(|sample| {
                softmax(std::array::from_fn(|at| match at {
                    at if at == class(sample) => 1.2 + 3.0 * noise(sample * CLASSES + at),
                    at if at == (class(sample) + 1) % CLASSES => 0.2 + 3.0 * noise(sample * CLASSES + at),
                    _ => -1.0,
                }))
            })
            .collect();
        let labels: Vec<u32> = (0..SAMPLES).map(|sample| name(sample) as u32).collect();
        let table = Table::new(&rows, CLASSES, &labels).unwrap();
        let write = |sample, row: &mut [f64]| {
            row.copy_from_slice(&source(sample, 77_777, 6.0, 4.0));
            Ok::<(), std::convert::Infallible>(())
        };
        let Ok(pool) = Pool::of(&table, 1.0, write);
        assert!(pool.second > 0.15 && pool.first > 0.15, "{pool:?}");
        let right = |sample: usize| {
            let mut row = source(sample, 77_777, 6.0, 4.0).map(|log| log as f32);
            pool.join(&table, sample, &mut row);
            (0..CLASSES).all(|at| row[at] <= row[class(sample)])
        };
        let alone = |sample: usize| {
            let row = &rows[sample * CLASSES..(sample + 1) * CLASSES];
            (0..CLASSES).all(|at| row[at] <= row[class(sample)])
        };
        let count = |found: &dyn Fn(usize) -> bool| (0..SAMPLES).filter(|&sample| found(sample)).count();
        assert!(count(&right) > count(&alone), "{} {}", count(&right), count(&alone));
    }

    #[test]
    fn the_confidence_of_the_second_source_is_that_of_the_first() {
        let calm = pooled(|at| source(at, 0, 2.0, 4.0), |at| source(at, 77_777, 2.0, 4.0));
        let loud =
            pooled(|at| source(at, 0, 2.0, 4.0), |at| source(at, 77_777, 2.0, 4.0).map(|log| 3.0 * log));
        assert!((calm.second / loud.second / 3.0 - 1.0).abs() < 0.1, "{calm:?} {loud:?}");
        assert!((calm.first / loud.first - 1.0).abs() < 0.02, "{calm:?} {loud:?}");
    }

    #[test]
    fn joined_probabilities_are_the_weighted_product() {
        let rows = [0.5, 0.3, 0.2, 0.1, 0.1, 0.8].repeat(50);
        let labels = [0, 2].repeat(50);
        let table = Table::new(&rows, 3, &labels).unwrap();
        let second = [0.4_f64, 0.4, 0.2].map(f64::ln);
        let write = |_, row: &mut [f64]| {
            row.copy_from_slice(&second);
            Ok::<(), std::convert::Infallible>(())
        };
        let Ok(pool) = Pool::of(&table, 1.0, write);
        let mut row = second.map(|log| log as f32 + 3.0);
        pool.join(&table, 1, &mut row);
        let power = |x: f64, weight: f64| x.powf(weight * pool.inverse_temperature);
        let products = [(0.1, 0.4), (0.1, 0.4), (0.8, 0.2)]
            .map(|(one, other)| power(one, pool.first) * power(other, pool.second));
        let sum: f64 = products.iter().sum();
        for (p, product) in row.iter().zip(products) {
            assert!((f64::from(*p) - product / sum).abs() < 1e-6, "{row:?} {products:?}");
        }
    }
}
