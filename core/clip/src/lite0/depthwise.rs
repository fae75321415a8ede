//! Depthwise convolutions on the CPU, channels innermost.

use chaffinch_compute::fused::add_products;
use chaffinch_compute::vector::{Kernel, Simd, VectorKernel, fuses, vectorized, wide};

/// Neighboring pixels computed together, so that each weight is loaded once for all of them. The sides of the layers of a
/// picture of 224 pixels are multiples of it.
const PIXELS: usize = 7;

/// Puts a picture `[side, side, channels]` with its bias and limited to 0..6 into a frame of zeros, so that a convolution
/// needs to look for no border.
pub(super) struct Frame<'a> {
    pub(super) x: &'a [f32],
    pub(super) bias: &'a [f32],
    pub(super) side: usize,
    /// Pixels of the frame on the left and above, and in all.
    pub(super) before: usize,
    pub(super) total: usize,
    /// `[side + total, side + total, channels]`.
    pub(super) out: &'a mut [f32],
}

impl Kernel for Frame<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Frame { x, bias, side, before, total, out } = self;
        let channels = bias.len();
        let width = (side + total) * channels;
        let (above, rest) = out.split_at_mut(before * width);
        above.fill(0.0);
        let (inside, below) = rest.split_at_mut(side * width);
        below.fill(0.0);
        for (row, x) in inside.chunks_exact_mut(width).zip(x.chunks_exact(side * channels)) {
            let (left, row) = row.split_at_mut(before * channels);
            let (row, right) = row.split_at_mut(side * channels);
            left.fill(0.0);
            right.fill(0.0);
            for (out, x) in row.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
                for ((out, x), bias) in out.iter_mut().zip(x).zip(bias) {
                    *out = (x + bias).clamp(0.0, 6.0);
                }
            }
        }
    }
}

/// The convolution of a framed picture, with bias and limited to 0..6.
pub(super) struct Depthwise<'a> {
    /// `[width, width, channels]`.
    pub(super) x: &'a [f32],
    pub(super) width: usize,
    /// `[kernel * kernel, channels]`.
    pub(super) weights: &'a [f32],
    pub(super) bias: &'a [f32],
    /// 3 or 5.
    pub(super) kernel: usize,
    /// 1 or 2.
    pub(super) stride: usize,
    /// `[to, to, channels]`.
    pub(super) out: &'a mut [f32],
    pub(super) to: usize,
}

impl Depthwise<'_> {
    /// The same to the last bit on every CPU.
    pub(super) fn compute(self) {
        if fuses() {
            vectorized(self);
        } else {
            wide(PixelByPixel(self));
        }
    }
}

/// The convolution on a CPU that cannot multiply and add with a single rounding.
struct PixelByPixel<'a>(Depthwise<'a>);

impl Kernel for PixelByPixel<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Depthwise { x, width, weights, bias, kernel, stride, out, to } = self.0;
        let channels = bias.len();
        for (at, out) in out.chunks_exact_mut(channels).enumerate() {
            let (top, left) = (at / to * stride, at % to * stride);
            out.copy_from_slice(bias);
            for (tap, weights) in weights.chunks_exact(channels).enumerate() {
                let under = &x[((top + tap / kernel) * width + left + tap % kernel) * channels..][..channels];
                add_products(|channel| under[channel], weights, out);
            }
            out.iter_mut().for_each(|sum| *sum = sum.clamp(0.0, 6.0));
        }
    }
}

impl VectorKernel for Depthwise<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match (self.kernel, self.stride) {
            (3, 1) => self.rows::<S, 3, 1>(simd),
            (3, _) => self.rows::<S, 3, 2>(simd),
            (_, 1) => self.rows::<S, 5, 1>(simd),
            _ => self.rows::<S, 5, 2>(simd),
        }
    }
}

impl Depthwise<'_> {
    /// The number of channels is a multiple of 16, and so of any vector's length.
    #[inline(always)]
    fn rows<S: Simd, const KERNEL: usize, const STRIDE: usize>(self, simd: S) {
        let Depthwise { x, width, weights, bias, out, to, .. } = self;
        let (x, weights) = (S::as_simd_f32s(x).0, S::as_simd_f32s(weights).0);
        let (bias, out) = (S::as_simd_f32s(bias).0, S::as_mut_simd_f32s(out).0);
        let channels = bias.len();
        for (y, out) in out.chunks_exact_mut(to * channels).enumerate() {
            let x = &x[y * STRIDE * width * channels..];
            for (first, bias) in bias.iter().enumerate() {
                let part = Part { simd, x, width, weights, channels, first, bias: *bias };
                let mut at = 0;
                while at + PIXELS <= to {
                    part.pixels::<KERNEL, STRIDE, PIXELS>(at, out);
                    at += PIXELS;
                }
                while at < to {
                    part.pixels::<KERNEL, STRIDE, 1>(at, out);
                    at += 1;
                }
            }
        }
    }
}

/// One vector of channels in a row of the result.
struct Part<'a, S: Simd> {
    simd: S,
    /// From the first row under the kernel.
    x: &'a [S::f32s],
    width: usize,
    weights: &'a [S::f32s],
    /// In vectors, as all lengths here.
    channels: usize,
    first: usize,
    bias: S::f32s,
}

impl<S: Simd> Part<'_, S> {
    #[inline(always)]
    fn pixels<const KERNEL: usize, const STRIDE: usize, const COUNT: usize>(
        &self,
        at: usize,
        out: &mut [S::f32s],
    ) {
        let Part { simd, x, width, weights, channels, first, bias } = *self;
        let mut sums = [bias; COUNT];
        for row in 0..KERNEL {
            let start = (row * width + at * STRIDE) * channels + first;
            let x = &x[start..=start + ((COUNT - 1) * STRIDE + KERNEL - 1) * channels];
            for column in 0..KERNEL {
                let weight = weights[(row * KERNEL + column) * channels + first];
                for pixel in 0..COUNT {
                    let x = x[(pixel * STRIDE + column) * channels];
                    sums[pixel] = simd.mul_add_e_f32s(x, weight, sums[pixel]);
                }
            }
        }
        let (least, most) = (simd.splat_f32s(0.0), simd.splat_f32s(6.0));
        let out = &mut out[at * channels + first..];
        for pixel in 0..COUNT {
            out[pixel * channels] = simd.min_f32s(simd.max_f32s(sums[pixel], least), most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_give_the_same_bits() {
        let numbers = |count: usize, seed: f32| -> Vec<f32> {
            (0..count).map(|at| 3.0 * ((at as f32 + seed) * 0.37).sin()).collect()
        };
        for (kernel, stride, to, channels) in [(3, 1, 9, 32), (3, 2, 8, 16), (5, 1, 7, 48), (5, 2, 3, 16)] {
            let width = (to - 1) * stride + kernel;
            let (x, weights) =
                (numbers(width * width * channels, 0.1), numbers(kernel * kernel * channels, 0.7));
            let bias = numbers(channels, 0.4);
            let found = |by_vectors: bool| {
                let mut out = vec![f32::NAN; to * to * channels];
                let work = Depthwise {
                    x: &x,
                    width,
                    weights: &weights,
                    bias: &bias,
                    kernel,
                    stride,
                    out: &mut out,
                    to,
                };
                match by_vectors {
                    true => work.compute(),
                    false => PixelByPixel(work).call(),
                }
                out.into_iter().map(f32::to_bits).collect::<Vec<_>>()
            };
            assert!(found(true) == found(false), "{kernel} by {stride}");
        }
    }
}
