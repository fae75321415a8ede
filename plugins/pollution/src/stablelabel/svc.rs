//! A support vector classifier with the sigmoid kernel tanh(gamma · x·y), as scikit-learn's `SVC(kernel="sigmoid")`
//! with its defaults: C = 1, gamma = 1 / (columns · variance of all numbers), a tolerance of 0.001.
//!
//! Trained by sequential minimal optimization with the choice of pairs of Fan, Chen and Lin ("Working set selection
//! using second order information", 2005), written from the paper.

use crate::classes::dot;

const C: f64 = 1.0;
const TOLERANCE: f64 = 1e-3;
/// The curvature to use where the kernel, which is not positive definite, has none.
const LEAST: f64 = 1e-12;
/// Steps for each example at most.
const STEPS: usize = 200;

/// A trained classifier.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Svc {
    pub(crate) gamma: f32,
    pub(crate) bias: f32,
    pub(crate) cols: usize,
    /// Support vectors, row by row.
    pub(crate) vectors: Vec<f32>,
    /// Weight of each, positive for clean ones.
    pub(crate) weights: Vec<f32>,
}

impl Svc {
    /// Trains on rows of `cols` numbers.
    pub(crate) fn train(rows: &[f32], cols: usize, clean: &[bool]) -> Svc {
        let n = clean.len();
        // Class by class with the polluted ones positive, as in libsvm: if a kernel is not positive
        // definite, there are several optima, and the order determines which one is found.
        let order: Vec<usize> =
            (0..n).filter(|&row| !clean[row]).chain((0..n).filter(|&row| clean[row])).collect();
        let row = |index: usize| &rows[order[index] * cols..(order[index] + 1) * cols];
        let count = rows.len().max(1) as f64;
        let mean = rows.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
        let variance = rows.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count;
        let gamma = (1.0 / (cols.max(1) as f64 * variance.max(LEAST))) as f32;
        let mut kernel = vec![0.0_f32; n * n];
        for a in 0..n {
            for b in 0..=a {
                let value = (gamma * dot(row(a), row(b))).tanh();
                kernel[a * n + b] = value;
                kernel[b * n + a] = value;
            }
        }
        let sign: Vec<f64> = order.iter().map(|&row| if clean[row] { -1.0 } else { 1.0 }).collect();
        let (alpha, bias) = optimise(&kernel, &sign);
        let held: Vec<usize> = (0..n).filter(|&index| alpha[index] > 0.0).collect();
        Svc {
            gamma,
            bias: -bias as f32,
            cols,
            vectors: held.iter().flat_map(|&index| row(index)).copied().collect(),
            weights: held.iter().map(|&index| (-alpha[index] * sign[index]) as f32).collect(),
        }
    }

    /// Above 0 if a vector is clean.
    pub(crate) fn decide(&self, input: &[f32]) -> f32 {
        let vectors = self.vectors.chunks_exact(self.cols.max(1)).zip(&self.weights);
        self.bias + vectors.map(|(row, weight)| weight * (self.gamma * dot(row, input)).tanh()).sum::<f32>()
    }
}

/// The multipliers, 0 to C, and the bias.
fn optimise(kernel: &[f32], sign: &[f64]) -> (Vec<f64>, f64) {
    let n = sign.len();
    let k = |a: usize, b: usize| f64::from(kernel[a * n + b]);
    let mut alpha = vec![0.0_f64; n];
    // The slope of the dual objective.
    let mut slope = vec![-1.0_f64; n];
    let rises = |alpha: &[f64], t: usize| if sign[t] > 0.0 { alpha[t] < C } else { alpha[t] > 0.0 };
    let falls = |alpha: &[f64], t: usize| if sign[t] > 0.0 { alpha[t] > 0.0 } else { alpha[t] < C };
    for _ in 0..STEPS * n {
        // The last of equals, as in libsvm.
        let up = (0..n)
            .filter(|&t| rises(&alpha, t))
            .max_by(|&a, &b| (-sign[a] * slope[a]).total_cmp(&(-sign[b] * slope[b])));
        let Some(i) = up else { break };
        let highest = -sign[i] * slope[i];
        let (mut lowest, mut best, mut partner) = (f64::INFINITY, f64::INFINITY, None);
        for t in (0..n).filter(|&t| falls(&alpha, t)) {
            let value = -sign[t] * slope[t];
            lowest = lowest.min(value);
            let gap = highest - value;
            if gap > 0.0 {
                let curve = k(i, i) + k(t, t) - 2.0 * k(i, t);
                let gain = -gap * gap / if curve > 0.0 { curve } else { LEAST };
                if gain <= best {
                    (best, partner) = (gain, Some(t));
                }
            }
        }
        let Some(j) = partner.filter(|_| highest - lowest >= TOLERANCE) else { break };
        let curve = k(i, i) + k(j, j) - 2.0 * k(i, j);
        let gap = highest - (-sign[j] * slope[j]);
        let mut step = gap / if curve > 0.0 { curve } else { LEAST };
        // Both multipliers stay between 0 and C.
        step = step.min(if sign[i] > 0.0 { C - alpha[i] } else { alpha[i] });
        step = step.min(if sign[j] > 0.0 { alpha[j] } else { C - alpha[j] });
        alpha[i] = (alpha[i] + sign[i] * step).clamp(0.0, C);
        alpha[j] = (alpha[j] - sign[j] * step).clamp(0.0, C);
        for t in 0..n {
            slope[t] += sign[t] * step * (k(t, i) - k(t, j));
        }
    }
    // The bias is what free multipliers agree on, else the middle of what the bounds allow.
    let free: Vec<f64> =
        (0..n).filter(|&t| alpha[t] > 0.0 && alpha[t] < C).map(|t| -sign[t] * slope[t]).collect();
    if !free.is_empty() {
        return (alpha, free.iter().sum::<f64>() / free.len() as f64);
    }
    let bound = |allowed: &dyn Fn(usize) -> bool, start: f64, pick: fn(f64, f64) -> f64| {
        (0..n).filter(|&t| allowed(t)).map(|t| -sign[t] * slope[t]).fold(start, pick)
    };
    let low = bound(&|t| rises(&alpha, t), f64::NEG_INFINITY, f64::max);
    let high = bound(&|t| falls(&alpha, t), f64::INFINITY, f64::min);
    let bias = if low.is_finite() && high.is_finite() { f64::midpoint(low, high) } else { 0.0 };
    (alpha, bias)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn a_plane_through_the_origin_is_learned() {
        let mut rng = Rng::new(3, 9);
        let rows: Vec<f32> = (0..400).map(|_| rng.signed()).collect();
        let clean: Vec<bool> = rows.chunks_exact(4).map(|row| row[0] + 0.5 * row[1] > 0.0).collect();
        let svc = Svc::train(&rows, 4, &clean);
        let right =
            rows.chunks_exact(4).zip(&clean).filter(|(row, clean)| (svc.decide(row) > 0.0) == **clean);
        assert!(right.count() >= 75);
        assert_eq!(svc, Svc::train(&rows, 4, &clean));
    }

    /// `SVC(kernel="sigmoid").fit(rows, clean)` of scikit-learn 1.9.1.
    #[test]
    fn decisions_equal_scikit_learns() {
        let mut state = 4242_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
        };
        let rows: Vec<f32> = (0..300).map(|_| next()).collect();
        let clean: Vec<bool> =
            rows.chunks_exact(5).map(|row| row[0] - 0.4 * row[2] + 0.3 * row[3] * row[1] > 0.0).collect();
        let svc = Svc::train(&rows, 5, &clean);
        let known = [1.290_45, 0.333_99, 1.515_09, 2.038_97, -1.113_54, 1.790_3];
        for (row, known) in rows.chunks_exact(5).zip(known) {
            assert!((svc.decide(row) - known).abs() < 5e-3, "{} {known}", svc.decide(row));
        }
        let right =
            rows.chunks_exact(5).zip(&clean).filter(|(row, clean)| (svc.decide(row) > 0.0) == **clean);
        assert_eq!(right.count(), 57);
    }
}
