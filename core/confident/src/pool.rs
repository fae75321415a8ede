//! Two sources of probabilities as one: what a model learned from the labels, and what another knew before.
//!
//! Their logarithms are added with a weight each (the logarithmic opinion pool: C. Genest and J. V. Zidek, *Combining
//! probability distributions*, 1986), and the weights are those that make the labels as given most likely when some of them
//! are wrong, so that no source has to repeat the wrong ones. A source that knows nothing gets a weight near 0.

use crate::inverse_temperature::inverse_temperature;
use crate::noise::{Rates, Trained};
use crate::stratified_subsample::stratified_subsample;
use crate::table::{Real, Table};

/// Samples that are looked at at most, and numbers of either source that are held for them.
const LOOKED_AT: usize = 50_000;
const HELD: usize = 4_000_000;
/// Steps towards the best weights, and halvings of a step that leads astray.
const STEPS: usize = 30;
const HALVINGS: i32 = 12;
/// A step that gains less, in log-likelihood a sample, is the last one.
const GAIN: f64 = 1e-9;
/// No weight is larger.
const MOST: f64 = 10.0;
/// The penalty on the square of a weight, in log-likelihood per sample, and in total. If nearly all labels are clear, ever larger
/// weights make them slightly more likely without limit, at the expense of the others; and a few labels prove little.
const COST: f64 = 5e-4;
const COST_IN_ALL: f64 = 2.0;

/// How two sources of probabilities are joined.
#[derive(Debug, Clone, Copy)]
pub struct Pool {
    /// The power of the first source's probabilities, 0 to 10; their calibration is undone.
    pub first: f64,
    /// The power of the second source's probabilities, 0 to 10.
    pub second: f64,
    /// The power of the product that calibrates it, 0.2 to 3.
    pub inverse_temperature: f64,
    trained: Trained,
}

impl Pool {
    /// Weighs the two: the probabilities of `table`, raised to `raised` as in [`posteriors`](crate::posteriors), and a second
    /// source, which writes the logarithms of its probabilities for one sample, up to a constant.
    ///
    /// # Errors
    /// Those of the second source.
    pub fn of<T: Real, E>(
        table: &Table<'_, T>,
        raised: f64,
        mut second: impl FnMut(usize, &mut [f64]) -> Result<(), E>,
    ) -> Result<Pool, E> {
        let classes = table.classes();
        let habits = Rates::learned(table, raised).map(Rates::doubted);
        let rates = habits.unwrap_or_else(|| Rates::even(classes));
        let trained = Trained::new(raised);
        let room = LOOKED_AT.min(HELD / classes).max(1);
        let samples = stratified_subsample(table.labels().iter().copied(), classes, room);
        let mut logs = Logs { classes, both: vec![0.0; 2 * samples.len() * classes], labels: Vec::new() };
        for (&sample, both) in samples.iter().zip(logs.both.chunks_exact_mut(2 * classes)) {
            let (one, other) = both.split_at_mut(classes);
            trained.read(table, sample, one);
            one.iter_mut().for_each(|p| *p = p.ln());
            second(sample, other)?;
            logs.labels.push(table.labels()[sample]);
        }
        let [first, second] = logs.weights(&rates);
        let mut joined = vec![0.0; samples.len() * classes];
        for (both, joined) in logs.both.chunks_exact(2 * classes).zip(joined.chunks_exact_mut(classes)) {
            let (one, other) = both.split_at(classes);
            joined
                .iter_mut()
                .zip(one.iter().zip(other))
                .for_each(|(to, (x, y))| *to = first * x + second * y);
        }
        Ok(Pool { first, second, inverse_temperature: inverse_temperature(&joined, &logs.labels), trained })
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

/// Logarithms of what both sources say of some samples.
struct Logs {
    classes: usize,
    /// For each sample one row of the first source and one of the second.
    both: Vec<f64>,
    labels: Vec<u32>,
}

/// The log-likelihood a sample at some weights less what they cost, its slope, and how the slope falls.
struct Hill {
    height: f64,
    slope: [f64; 2],
    falls: [f64; 3],
}

impl Logs {
    /// The weights of both under which the labels are most likely: Gauss and Newton's steps with the samples' slopes (E. Berndt,
    /// B. Hall, R. Hall and J. Hausman, 1974), from equal weights, within the bounds.
    fn weights(&self, rates: &Rates) -> [f64; 2] {
        let mut at = [0.5, 0.5];
        let mut hill = self.hill(rates, at);
        for _ in 0..STEPS {
            let step = uphill(&hill, at);
            let mut tried = (0..HALVINGS).map(|halving| {
                let point = moved(at, step, 0.5_f64.powi(halving));
                (point, self.hill(rates, point))
            });
            let Some((point, higher)) = tried.find(|(_, one)| one.height > hill.height) else { break };
            let gain = higher.height - hill.height;
            (at, hill) = (point, higher);
            if gain < GAIN {
                break;
            }
        }
        at
    }

    fn hill(&self, rates: &Rates, [first, second]: [f64; 2]) -> Hill {
        let (mut height, mut slope, mut squares) = (0.0, [0.0; 2], [0.0; 3]);
        let mut weights = vec![0.0; self.classes];
        for (both, &label) in self.both.chunks_exact(2 * self.classes).zip(&self.labels) {
            let (one, other) = both.split_at(self.classes);
            let rates = rates.of_name(label as usize);
            let mut largest = f64::NEG_INFINITY;
            for (weight, (x, y)) in weights.iter_mut().zip(one.iter().zip(other)) {
                *weight = first * x + second * y;
                largest = largest.max(*weight);
            }
            // Sums over classes as the sources have it, and as the label makes it: of 1, and of both logarithms.
            let (mut free, mut named) = ([0.0; 3], [0.0; 3]);
            for ((weight, rate), (x, y)) in weights.iter().zip(rates).zip(one.iter().zip(other)) {
                let p = (weight - largest).exp();
                for (sums, p) in [(&mut free, p), (&mut named, p * rate)] {
                    sums[0] += p;
                    sums[1] += p * x;
                    sums[2] += p * y;
                }
            }
            height += (named[0] / free[0]).ln();
            let [x, y] = [1, 2].map(|index| named[index] / named[0] - free[index] / free[0]);
            slope[0] += x;
            slope[1] += y;
            squares[0] += x * x;
            squares[1] += x * y;
            squares[2] += y * y;
        }
        let count = self.labels.len() as f64;
        let [xx, xy, yy] = squares.map(|x| x / count);
        let cost = COST + COST_IN_ALL / count;
        Hill {
            height: height / count - cost * (first * first + second * second),
            slope: [slope[0] / count - 2.0 * cost * first, slope[1] / count - 2.0 * cost * second],
            falls: [xx + 2.0 * cost, xy, yy + 2.0 * cost],
        }
    }
}

/// A step uphill. A weight at a bound from which the hill rises outward stays there.
fn uphill(hill: &Hill, at: [f64; 2]) -> [f64; 2] {
    let [xx, xy, yy] = hill.falls;
    let [x, y] = hill.slope;
    let outward = |axis: usize, way: f64| (at[axis] <= 0.0 && way <= 0.0) || (at[axis] >= MOST && way >= 0.0);
    let (alone_x, alone_y) = ([x / xx, 0.0], [0.0, y / yy]);
    match (outward(0, x), outward(1, y)) {
        (true, true) => [0.0, 0.0],
        (true, false) => alone_y,
        (false, true) => alone_x,
        (false, false) => {
            let area = xx * yy - xy * xy;
            let step = [(yy * x - xy * y) / area, (xx * y - xy * x) / area];
            // Together they may lead beyond a bound from which the hill does not rise outward.
            match (outward(0, step[0]), outward(1, step[1])) {
                (true, _) => alone_y,
                (_, true) => alone_x,
                _ => step,
            }
        }
    }
}

/// So much of a step; cut where the first weight meets its bound, since a step bent along the bound need not lead uphill.
fn moved(at: [f64; 2], step: [f64; 2], share: f64) -> [f64; 2] {
    let bound = step.map(|way| if way > 0.0 { MOST } else { 0.0 });
    let room =
        |axis: usize| if step[axis] == 0.0 { f64::INFINITY } else { (bound[axis] - at[axis]) / step[axis] };
    let share = share.min(room(0)).min(room(1));
    std::array::from_fn(|axis| match room(axis) <= share {
        true => bound[axis],
        false => (at[axis] + share * step[axis]).clamp(0.0, MOST),
    })
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
        assert!((pool.inverse_temperature - alone.inverse_temperature).abs() < 0.05, "{pool:?} {alone:?}");
    }

    #[test]
    fn where_labels_are_easily_told_no_weight_runs_away() {
        // A sure source, and one that is as sure of nothing: larger weights of both gain next to nothing.
        let pool = pooled(|at| source(at, 0, 14.0, 2.0), |at| source(at, 77_777, 2.0, 8.0));
        assert!(pool.first < 5.0 && pool.second < 0.2 * pool.first, "{pool:?}");
    }

    #[test]
    fn no_other_weights_make_the_labels_more_likely() {
        // How much of the truth and of nothing is in both; some of the best weights lie on the bounds.
        let worlds = [
            (2.0, 4.0, 2.0, 4.0),
            (4.0, 2.0, 0.5, 6.0),
            (9.0, 3.0, -1.0, 3.0),
            (0.2, 1.0, 12.0, 9.0),
            (3.0, 3.0, 0.0, 8.0),
        ];
        for (index, (sure, blur, other_sure, other_blur)) in worlds.into_iter().enumerate() {
            let mut logs = Logs { classes: CLASSES, both: Vec::new(), labels: Vec::new() };
            for sample in 0..600 {
                logs.both.extend(source(sample, index * 999, sure, blur));
                logs.both.extend(source(sample, index * 999 + 77_777, other_sure, other_blur));
                logs.labels.push(label(sample));
            }
            let rates = Rates::even(CLASSES);
            let found = logs.weights(&rates);
            let height = logs.hill(&rates, found).height;
            for (x, y) in
                (0..=40).flat_map(|x| (0..=40).map(move |y| (f64::from(x) * 0.1, f64::from(y) * 0.1)))
            {
                let other = logs.hill(&rates, [x, y]).height;
                assert!(height > other - 1e-5, "world {index}: {found:?} {height}, but [{x}, {y}] {other}");
            }
        }
    }

    #[test]
    fn steps_keep_within_the_bounds_and_lead_uphill_along_them() {
        assert_eq!(moved([9.0, 1.0], [2.0, -1.0], 1.0), [10.0, 0.5]);
        assert_eq!(moved([9.0, 1.0], [2.0, -4.0], 1.0), [9.5, 0.0]);
        assert_eq!(moved([9.0, 1.0], [2.0, -1.0], 0.25), [9.5, 0.75]);
        assert_eq!(moved([0.0, 3.0], [0.0, 1.0], 1.0), [0.0, 4.0]);
        let hill = |slope| Hill { height: 0.0, slope, falls: [1.0, 0.0, 1.0] };
        assert_eq!(uphill(&hill([-1.0, 2.0]), [0.0, 3.0]), [0.0, 2.0]);
        assert_eq!(uphill(&hill([1.0, 2.0]), [0.0, 10.0]), [1.0, 0.0]);
        assert_eq!(uphill(&hill([-1.0, 2.0]), [0.0, 10.0]), [0.0, 0.0]);
        assert_eq!(uphill(&hill([1.0, -2.0]), [0.0, 10.0]), [1.0, -2.0]);
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
