//! Position embeddings for pictures of another size than those of the training, interpolated as PyTorch does it.

use candle_core::{Result, Tensor};

/// PyTorch's two ways of bicubic interpolation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kernel {
    /// `bicubic`: four neighbors, the edge repeated, a = -0.75.
    Sharp,
    /// `bicubic` with `antialias`: as many neighbors as the reduction takes, cut at the edge, a = -0.5.
    Smoothed,
}

impl Kernel {
    /// Keys' cubic convolution (1981).
    fn weight(self, x: f64) -> f64 {
        let a = if self == Kernel::Sharp { -0.75 } else { -0.5 };
        let x = x.abs();
        if x < 1.0 {
            ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
        } else if x < 2.0 {
            (((x - 5.0) * x + 8.0) * x - 4.0) * a
        } else {
            0.0
        }
    }

    /// How much each of `from` points counts for each of `to` points: `[to, from]`.
    fn matrix(self, from: usize, to: usize) -> Vec<f32> {
        let scale = from as f64 / to as f64;
        let mut matrix = vec![0.0_f64; to * from];
        for (point, row) in matrix.chunks_exact_mut(from).enumerate() {
            let center = (point as f64 + 0.5) * scale;
            match self {
                Kernel::Sharp => {
                    let center = center - 0.5;
                    let first = center.floor();
                    for near in -1..=2 {
                        let at = first as i64 + near;
                        let edge = at.clamp(0, from as i64 - 1) as usize;
                        row[edge] += self.weight(center - at as f64);
                    }
                }
                Kernel::Smoothed => {
                    let stretch = scale.max(1.0);
                    let support = 2.0 * stretch;
                    let first = (center - support + 0.5).floor().max(0.0) as usize;
                    let end = ((center + support + 0.5).floor() as usize).min(from);
                    for (at, weight) in row.iter_mut().enumerate().take(end).skip(first) {
                        *weight = self.weight((at as f64 + 0.5 - center) / stretch);
                    }
                    let sum: f64 = row.iter().sum();
                    row.iter_mut().for_each(|weight| *weight /= sum);
                }
            }
        }
        matrix.into_iter().map(|weight| weight as f32).collect()
    }
}

/// A square of `[from * from, width]` to `[to * to, width]`.
pub(crate) fn resized(positions: &Tensor, [from, to]: [usize; 2], kernel: Kernel) -> Result<Tensor> {
    if from == to {
        return positions.contiguous();
    }
    let width = positions.dim(1)?;
    let matrix = Tensor::from_vec(kernel.matrix(from, to), (to, from), positions.device())?;
    // Rows first, then columns.
    let rows = matrix.matmul(&positions.contiguous()?.reshape((from, from * width))?)?;
    let columns =
        rows.reshape((to, from, width))?.transpose(0, 1)?.contiguous()?.reshape((from, to * width))?;
    let both = matrix.matmul(&columns)?.reshape((to, to, width))?;
    both.transpose(0, 1)?.contiguous()?.reshape((to * to, width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_a_point_sum_to_one() {
        for kernel in [Kernel::Sharp, Kernel::Smoothed] {
            for (from, to) in [(5, 3), (3, 5), (37, 16), (2, 9), (1, 4)] {
                for row in kernel.matrix(from, to).chunks_exact(from) {
                    assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{kernel:?} {from} {to}");
                }
            }
        }
    }

    /// A plane keeps its slope away from the edges.
    #[test]
    fn a_slope_stays_a_slope() {
        let device = candle_core::Device::Cpu;
        let plane: Vec<f32> = (0..64).map(|at| (at / 8) as f32).collect();
        let plane = Tensor::from_vec(plane, (64, 1), &device).unwrap();
        let half = resized(&plane, [8, 4], Kernel::Smoothed).unwrap();
        let half: Vec<f32> = half.flatten_all().unwrap().to_vec1().unwrap();
        assert!((half[4] - 2.5).abs() < 0.1 && (half[8] - half[4] - 2.0).abs() < 0.2, "{half:?}");
        assert!((half[4] - half[7]).abs() < 1e-5);
    }
}
