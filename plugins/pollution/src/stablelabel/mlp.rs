//! A small neural network as scikit-learn's `MLPClassifier(solver="sgd", hidden_layer_sizes=(5, 2))` trains it: two
//! layers of rectified linear units and a logistic output, Glorot's uniform start, batches of 200, Nesterov's momentum
//! of 0.9 at a rate of 0.001, an L2 penalty of 0.0001, 200 rounds at most, ended early once ten rounds in a row have
//! not lowered the loss by 0.0001.

use crate::rng::Rng;

/// Units of the hidden layers and the output.
const SIZES: [usize; 3] = [5, 2, 1];
const RATE: f32 = 0.001;
const MOMENTUM: f32 = 0.9;
const PENALTY: f32 = 1e-4;
const BATCH: usize = 200;
const ROUNDS: usize = 200;
const PATIENCE: usize = 10;
const TOLERANCE: f64 = 1e-4;

/// One layer: `weights[unit * inputs + input]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layer {
    pub(crate) inputs: usize,
    pub(crate) weights: Vec<f32>,
    pub(crate) biases: Vec<f32>,
}

impl Layer {
    fn new(inputs: usize, units: usize, rng: &mut Rng) -> Layer {
        let bound = (6.0 / (inputs + units) as f32).sqrt();
        let mut draw = |count: usize| (0..count).map(|_| bound * rng.signed()).collect::<Vec<f32>>();
        Layer { inputs, weights: draw(inputs * units), biases: draw(units) }
    }

    fn zeros_like(other: &Layer) -> Layer {
        Layer {
            inputs: other.inputs,
            weights: vec![0.0; other.weights.len()],
            biases: vec![0.0; other.biases.len()],
        }
    }

    fn apply(&self, input: &[f32], rectified: bool) -> Vec<f32> {
        let rows = self.weights.chunks_exact(self.inputs.max(1)).zip(&self.biases);
        rows.map(|(row, bias)| {
            let sum = bias + crate::classes::dot(row, input);
            if rectified { sum.max(0.0) } else { sum }
        })
        .collect()
    }
}

/// A trained network.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mlp {
    pub(crate) layers: Vec<Layer>,
}

impl Mlp {
    /// Trains on rows of `cols` numbers; `clean[row]` is what the output stands for. The same seed gives the same
    /// network.
    pub(crate) fn train(rows: &[f32], cols: usize, clean: &[bool], rng: &mut Rng) -> Mlp {
        let mut inputs = cols;
        let mut layers = Vec::new();
        for units in SIZES {
            layers.push(Layer::new(inputs, units, rng));
            inputs = units;
        }
        let mut net = Mlp { layers };
        let mut speeds: Vec<Layer> = net.layers.iter().map(Layer::zeros_like).collect();
        let mut order: Vec<u32> = (0..clean.len() as u32).collect();
        let (mut best, mut idle) = (f64::INFINITY, 0);
        for _ in 0..ROUNDS {
            order = rng.take(&order, order.len());
            let mut loss = 0.0;
            for batch in order.chunks(BATCH) {
                loss += net.step(rows, cols, clean, batch, &mut speeds);
            }
            let loss = loss / clean.len().max(1) as f64;
            idle = if loss > best - TOLERANCE { idle + 1 } else { 0 };
            best = best.min(loss);
            if idle > PATIENCE {
                break;
            }
        }
        net
    }

    /// Logit of being clean.
    pub(crate) fn logit(&self, input: &[f32]) -> f32 {
        let last = self.layers.len() - 1;
        let mut signal = input.to_vec();
        for (index, layer) in self.layers.iter().enumerate() {
            signal = layer.apply(&signal, index < last);
        }
        signal.first().copied().unwrap_or_default()
    }

    /// One step of descent on a batch; returns its summed loss.
    fn step(
        &mut self,
        rows: &[f32],
        cols: usize,
        clean: &[bool],
        batch: &[u32],
        speeds: &mut [Layer],
    ) -> f64 {
        let mut slopes: Vec<Layer> = self.layers.iter().map(Layer::zeros_like).collect();
        let mut loss = 0.0;
        let last = self.layers.len() - 1;
        for &row in batch {
            let row = row as usize;
            let mut signals = vec![rows[row * cols..(row + 1) * cols].to_vec()];
            for (index, layer) in self.layers.iter().enumerate() {
                signals.push(layer.apply(&signals[index], index < last));
            }
            let logit = signals[last + 1][0];
            let target = if clean[row] { 1.0 } else { 0.0 };
            // Cross entropy without overflow.
            loss += f64::from(logit.max(0.0) - logit * target + (-logit.abs()).exp().ln_1p());
            let mut errors = vec![sigmoid(logit) - target];
            for index in (0..=last).rev() {
                let (layer, slope, input) = (&self.layers[index], &mut slopes[index], &signals[index]);
                let mut below = vec![0.0; layer.inputs];
                for (unit, &error) in errors.iter().enumerate() {
                    if error == 0.0 {
                        continue;
                    }
                    slope.biases[unit] += error;
                    let range = unit * layer.inputs..(unit + 1) * layer.inputs;
                    slope.weights[range.clone()].iter_mut().zip(input).for_each(|(s, x)| *s += error * x);
                    if index > 0 {
                        below.iter_mut().zip(&layer.weights[range]).for_each(|(b, w)| *b += error * w);
                    }
                }
                // Units that were silent pass nothing on.
                below.iter_mut().zip(input).filter(|(_, x)| **x <= 0.0).for_each(|(b, _)| *b = 0.0);
                errors = below;
            }
        }
        let share = 1.0 / batch.len() as f32;
        for ((layer, slope), speed) in self.layers.iter_mut().zip(&slopes).zip(speeds) {
            let weights = layer.weights.iter_mut().zip(&slope.weights).zip(&mut speed.weights);
            weights.for_each(|((w, s), v)| descend(w, (s + PENALTY * *w) * share, v));
            let biases = layer.biases.iter_mut().zip(&slope.biases).zip(&mut speed.biases);
            biases.for_each(|((b, s), v)| descend(b, s * share, v));
        }
        loss
    }
}

/// Nesterov's momentum.
fn descend(value: &mut f32, slope: f32, speed: &mut f32) {
    *speed = MOMENTUM * *speed - RATE * slope;
    *value += MOMENTUM * *speed - RATE * slope;
}

/// The logistic function.
pub(crate) fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_heaps_are_told_apart_by_most_starts() {
        let mut rng = Rng::new(1, 1);
        let clean: Vec<bool> = (0..600).map(|row| row % 2 == 0).collect();
        let rows: Vec<f32> = clean
            .iter()
            .flat_map(|&clean| {
                let mut row = [0.0_f32; 8];
                row.iter_mut().for_each(|x| *x = rng.signed());
                row[usize::from(clean)] += 5.0;
                row
            })
            .collect();
        let right = |seed: usize| {
            let net = Mlp::train(&rows, 8, &clean, &mut Rng::new(7, seed));
            let hits =
                rows.chunks_exact(8).zip(&clean).filter(|(row, clean)| (net.logit(row) > 0.0) == **clean);
            hits.count()
        };
        let good = (0..10).filter(|&seed| right(seed) > 570).count();
        assert!(good >= 5, "{good} of 10 networks learned");
        let twice = || Mlp::train(&rows, 8, &clean, &mut Rng::new(7, 3));
        assert_eq!(twice(), twice());
    }

    #[test]
    fn a_step_goes_down_the_slope() {
        // The slope by differences.
        let (rows, clean) = ([0.5_f32, -1.0, 2.0, 1.0, 0.3, -0.7], [true, false, true]);
        let mut rng = Rng::new(2, 5);
        let mut net =
            Mlp { layers: [(2, 5), (5, 2), (2, 1)].map(|(i, u)| Layer::new(i, u, &mut rng)).into() };
        let loss = |net: &Mlp| {
            let logits = rows.chunks_exact(2).map(|row| f64::from(net.logit(row))).zip(clean);
            logits.map(|(z, clean)| if clean { (-z).exp().ln_1p() } else { z.exp().ln_1p() }).sum::<f64>()
        };
        let before = net.clone();
        let mut speeds: Vec<Layer> = net.layers.iter().map(Layer::zeros_like).collect();
        net.step(&rows, 2, &clean, &[0, 1, 2], &mut speeds);
        for layer in 0..3 {
            for index in 0..before.layers[layer].biases.len() {
                let moved = |by: f32| {
                    let mut net = before.clone();
                    net.layers[layer].biases[index] += by;
                    loss(&net)
                };
                let slope = (moved(1e-3) - moved(-1e-3)) / 2e-3;
                // The first step is 1 + MOMENTUM times the rate times the mean slope.
                let step = net.layers[layer].biases[index] - before.layers[layer].biases[index];
                let expected = -slope / 3.0 * 0.0019;
                assert!((f64::from(step) - expected).abs() < 2e-5, "{layer} {index}: {step} {expected}");
            }
        }
    }
}
