//! Two sources of probabilities as one: what a model learned from the labels, and what another knew before.
//!
//! Their logarithms are added with a weight each (the logarithmic opinion pool: C. Genest and J. V. Zidek, *Combining
//! probability distributions*, 1986), and the weights are those that make the labels as given most likely when some of them
//! are wrong. Without that doubt a source that learned from the wrong labels would be preferred for repeating them. A source
//! that knows nothing gets a weight near 0, so that joining it costs nothing.

use crate::noise::{Rates, Trained};
use crate::sharpness::sharpness;
use crate::table::{Real, Table};

/// Samples that are looked at at most, evenly spread over all, and numbers of either source that are held for them.
const LOOKED_AT: usize = 10_000;
const HELD: usize = 4_000_000;
/// Steps towards the best weights, and halvings of a step that leads astray.
const STEPS: usize = 20;
const HALVINGS: usize = 12;
/// A step that gains less, in log-likelihood a sample, is the last one.
const GAIN: f64 = 1e-9;
/// No weight is larger.
const MOST: f64 = 10.0;

/// How two sources of probabilities are joined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pool {
    /// The power of the first source's probabilities, 0 to 10; what was done to make them as sure as they are right is undone.
    pub first: f64,
    /// The power of the second source's probabilities, 0 to 10.
    pub second: f64,
    /// The power of the product that makes it as sure as it is right, 0.2 to 3.
    pub sharpness: f64,
}

impl Pool {
    /// Weighs the two: the probabilities of `table`, raised to `sharpness` as in [`posteriors`](crate::posteriors), and a second
    /// source, which writes the logarithms of its probabilities for one sample, up to a constant.
    pub fn of<T: Real>(
        table: &Table<'_, T>,
        sharpness_of_first: f64,
        mut second: impl FnMut(usize, &mut [f64]),
    ) -> Pool {
        let classes = table.classes();
        let habits = Rates::learned(table, sharpness_of_first).map(Rates::doubted);
        let rates = habits.unwrap_or_else(|| Rates::even(classes));
        let trained = Trained::new(sharpness_of_first);
        let room = LOOKED_AT.min(HELD / classes).max(1);
        let samples: Vec<usize> = (0..table.len()).step_by(table.len().div_ceil(room)).collect();
        let mut logs = Logs { classes, both: vec![0.0; 2 * samples.len() * classes], labels: Vec::new() };
        for (&sample, both) in samples.iter().zip(logs.both.chunks_exact_mut(2 * classes)) {
            let (one, other) = both.split_at_mut(classes);
            trained.read(table, sample, one);
            one.iter_mut().for_each(|p| *p = p.ln());
            second(sample, other);
            logs.labels.push(table.labels()[sample]);
        }
        let (first, second) = logs.weights(&rates);
        let mut joined = vec![0.0; samples.len() * classes];
        for (both, joined) in logs.both.chunks_exact(2 * classes).zip(joined.chunks_exact_mut(classes)) {
            let (one, other) = both.split_at(classes);
            joined
                .iter_mut()
                .zip(one.iter().zip(other))
                .for_each(|(to, (x, y))| *to = first * x + second * y);
        }
        Pool { first, second, sharpness: sharpness(&joined, &logs.labels) }
    }
}

/// Logarithms of what both sources say of some samples.
struct Logs {
    classes: usize,
    /// For each sample one row of the first source and one of the second.
    both: Vec<f64>,
    labels: Vec<u32>,
}

/// The log-likelihood a sample at some weights, its slope, and the sums of products of the samples' slopes.
struct Hill {
    height: f64,
    slope: [f64; 2],
    squares: [f64; 3],
}

impl Logs {
    /// The weights of both under which the labels are most likely: Gauss and Newton's steps with the samples' slopes (E. Berndt,
    /// B. Hall, R. Hall and J. Hausman, 1974), from equal weights, within the bounds.
    fn weights(&self, rates: &Rates) -> (f64, f64) {
        let mut at = [0.5, 0.5];
        let mut hill = self.hill(rates, at);
        for _ in 0..STEPS {
            let step = uphill(&hill, at);
            let moved = |share: f64| -> [f64; 2] {
                std::array::from_fn(|axis| (at[axis] + share * step[axis]).clamp(0.0, MOST))
            };
            let tried = (0..HALVINGS).map(|halving| {
                let place = moved(0.5_f64.powi(halving as i32));
                (place, self.hill(rates, place))
            });
            let Some((place, higher)) = tried.into_iter().find(|(_, one)| one.height > hill.height) else {
                break;
            };
            let gain = higher.height - hill.height;
            (at, hill) = (place, higher);
            if gain < GAIN {
                break;
            }
        }
        (at[0], at[1])
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
            let [x, y] = [1, 2].map(|place| named[place] / named[0] - free[place] / free[0]);
            slope[0] += x;
            slope[1] += y;
            squares[0] += x * x;
            squares[1] += x * y;
            squares[2] += y * y;
        }
        let count = self.labels.len() as f64;
        Hill { height: height / count, slope: slope.map(|x| x / count), squares: squares.map(|x| x / count) }
    }
}

/// A step uphill. A weight at its bound that would go beyond it is left where it is.
fn uphill(hill: &Hill, at: [f64; 2]) -> [f64; 2] {
    let [xx, xy, yy] = hill.squares;
    let alone = |axis: usize, square: f64| hill.slope[axis] / square.max(f64::MIN_POSITIVE);
    let stuck = |axis: usize, step: f64| (at[axis] <= 0.0 && step < 0.0) || (at[axis] >= MOST && step > 0.0);
    let area = xx * yy - xy * xy;
    let step = if area > 1e-9 * xx * yy {
        let [x, y] = hill.slope;
        [(yy * x - xy * y) / area, (xx * y - xy * x) / area]
    } else {
        // Both say the same.
        [alone(0, xx) / 2.0, alone(1, yy) / 2.0]
    };
    match (stuck(0, step[0]), stuck(1, step[1])) {
        (true, true) => [0.0, 0.0],
        (true, false) => [0.0, alone(1, yy)],
        (false, true) => [alone(0, xx), 0.0],
        (false, false) => step,
    }
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
        Pool::of(&table, 1.0, |sample, row| row.copy_from_slice(&second(sample)))
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
        assert!((pool.sharpness - alone.sharpness).abs() < 0.05, "{pool:?} {alone:?}");
    }
}
