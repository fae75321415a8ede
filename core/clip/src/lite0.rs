//! EfficientNet-Lite0 as an image tower: convolutions instead of a transformer, fast on a CPU.
//!
//! Architecture: Tan and Le 2019 (EfficientNet) in its Lite variant, without squeeze-and-excitation, with ReLU6 and a fixed
//! stem and head. Batch norms are folded into the convolutions. Padding is TensorFlow's "SAME", which is asymmetric where
//! the stride is 2. A picture's vector is its pooled features (1280) times a projection.
//!
//! On the CPU one picture goes through the network on one thread, with channels innermost: a 1x1 convolution is a matrix
//! product and a depthwise one a loop over vectors of channels. Elsewhere candle's convolutions are used.

mod depthwise;

use crate::config::{LITE0_FEATURES as FEATURES, ModelConfig};
use crate::cpu::Residual;
use crate::error::ClipError;
use crate::layers::Loader;
use crate::ops;
use candle_core::{DType, Result, Tensor};
use chaffinch_compute::linear::matmul_transposed;
use chaffinch_compute::vector::{Kernel, wide as vectors};
use depthwise::{Depthwise, Frame};
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

/// Numbers per pixel of the second layer's resolution, where most are held: before and after the first wide convolution.
pub(crate) const WIDEST: usize = 32 + 2 * 96;
/// Channels after the stem.
const STEM: usize = 32;
/// Expansion, side of the kernel, stride of the first block, channels, blocks.
const STAGES: [(usize, usize, usize, usize, usize); 7] = [
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
];

/// The tower.
pub(crate) struct Lite0Tower {
    stem: Convolution,
    blocks: Vec<Block>,
    head: Convolution,
    /// `[dim, FEATURES]`.
    projection: Tensor,
    size: usize,
    /// Whether candle computes.
    stepwise: bool,
    /// Free buffers, reused between pictures.
    rooms: Mutex<Vec<Room>>,
}

/// A convolution with its bias.
struct Convolution {
    /// `[outputs, inputs, kernel, kernel]`; `inputs` is 1 if depthwise.
    weight: Tensor,
    bias: Tensor,
    /// The same for the CPU: `[outputs, inputs]` (taps inside `inputs` for the stem), or `[taps, channels]` if depthwise.
    numbers: Vec<f32>,
    bias_numbers: Vec<f32>,
    kernel: usize,
    stride: usize,
    depthwise: bool,
}

/// An inverted residual block.
struct Block {
    expand: Option<Convolution>,
    depthwise: Convolution,
    project: Convolution,
    skips: bool,
}

/// One thread's buffers.
#[derive(Default)]
struct Room {
    x: Vec<f32>,
    inner: Vec<f32>,
    framed: Vec<f32>,
    filtered: Vec<f32>,
    out: Vec<f32>,
}

impl Lite0Tower {
    pub(crate) fn load(loader: &Loader, config: &ModelConfig) -> std::result::Result<Lite0Tower, ClipError> {
        let conv = |name: &str, outputs, inputs, kernel, stride| {
            Convolution::load(loader, &format!("vision_model.{name}"), [outputs, inputs, kernel], stride)
        };
        let mut blocks = Vec::new();
        let mut before = STEM;
        for (expansion, kernel, stride, channels, count) in STAGES {
            for index in 0..count {
                let at = format!("blocks.{}", blocks.len());
                let inner = before * expansion;
                let stride = if index == 0 { stride } else { 1 };
                blocks.push(Block {
                    expand: match expansion {
                        1 => None,
                        _ => Some(conv(&format!("{at}.expand"), inner, before, 1, 1)?),
                    },
                    depthwise: conv(&format!("{at}.depthwise"), inner, 1, kernel, stride)?,
                    project: conv(&format!("{at}.project"), channels, inner, 1, 1)?,
                    skips: index > 0,
                });
                before = channels;
            }
        }
        Ok(Lite0Tower {
            stem: conv("stem", STEM, 3, 3, 2)?,
            blocks,
            head: conv("head", FEATURES, before, 1, 1)?,
            projection: loader.get("visual_projection.weight", &[config.projection_dim, FEATURES])?,
            size: config.vision.image_size,
            stepwise: loader.stepwise,
            rooms: Mutex::default(),
        })
    }

    /// Length of a vector.
    pub(crate) fn dim(&self) -> usize {
        self.projection.dims().first().copied().unwrap_or(0)
    }

    /// Images `[batch, 3, size, size]` to vectors `[batch, dim]`, not normalized.
    pub(crate) fn forward(&self, images: &Tensor) -> Result<Tensor> {
        let features = if self.stepwise { self.features(images)? } else { self.features_on_cpu(images)? };
        ops::times(&features, &self.projection)
    }

    /// What each cell of one image `[1, 3, size, size]` adds to its vector, `[cells, dim]`, and the sides of the grid. Pooling and
    /// projection are linear, so the sum is the vector.
    ///
    /// Source: B. Zhou, A. Khosla, A. Lapedriza, A. Oliva, A. Torralba, CVPR 2016, "Learning Deep Features for Discriminative
    /// Localization" (class activation maps), with the projection and a text's vector in place of a classifier's weights.
    pub(crate) fn parts(&self, images: &Tensor) -> Result<(Tensor, [usize; 2])> {
        let (features, cells) = if self.stepwise {
            let planes = self.planes(images)?;
            let (_, channels, high, wide) = planes.dims4()?;
            (planes.reshape((channels, high * wide))?.t()?.contiguous()?, [high, wide])
        } else {
            let pixels: Vec<f32> = images.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
            let (mut room, mut pooled) = (Room::default(), vec![0.0; FEATURES]);
            let side = self.picture(&pixels, &mut room, &mut pooled);
            (Tensor::from_vec(room.inner, (side * side, FEATURES), images.device())?, [side, side])
        };
        let share = (cells[0] * cells[1]).max(1) as f64;
        Ok(((ops::times(&features, &self.projection)? / share)?.to_dtype(DType::F32)?, cells))
    }

    /// The pooled features with candle's operations.
    fn features(&self, images: &Tensor) -> Result<Tensor> {
        self.planes(images)?.mean((2, 3))
    }

    /// The features before pooling: `[batch, FEATURES, side, side]`.
    fn planes(&self, images: &Tensor) -> Result<Tensor> {
        let relu6 = |x: Tensor| x.clamp(0.0, 6.0);
        let mut x = relu6(self.stem.forward(images)?)?;
        for block in &self.blocks {
            let inner = match &block.expand {
                Some(expand) => relu6(expand.forward(&x)?)?,
                None => x.clone(),
            };
            let out = block.project.forward(&relu6(block.depthwise.forward(&inner)?)?)?;
            x = if block.skips { (out + x)? } else { out };
        }
        relu6(self.head.forward(&x)?)
    }

    fn features_on_cpu(&self, images: &Tensor) -> Result<Tensor> {
        let (count, device) = (images.dim(0)?, images.device());
        let pixels: Vec<f32> = images.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        let mut out = vec![0.0; count * FEATURES];
        let length = 3 * self.size * self.size;
        out.par_chunks_mut(FEATURES).zip(pixels.par_chunks(length)).with_max_len(1).for_each(
            |(out, pixels)| {
                let taken = self.rooms.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let mut room = taken.unwrap_or_default();
                self.picture(pixels, &mut room, out);
                self.rooms.lock().unwrap_or_else(PoisonError::into_inner).push(room);
            },
        );
        Tensor::from_vec(out, (count, FEATURES), device)
    }

    /// The features of one picture `[3, size, size]`. Those of each pixel are left in `room.inner`; returns their side.
    fn picture(&self, pixels: &[f32], room: &mut Room, features: &mut [f32]) -> usize {
        let Room { x, inner, framed, filtered, out } = room;
        let mut side = self.stem.windows(pixels, self.size, inner);
        self.stem.pointwise(inner, side * side, x);
        for block in &self.blocks {
            // Only the first block, whose input is the stem's, expands nothing.
            let (source, bias) = match &block.expand {
                Some(expand) => {
                    expand.pointwise(x, side * side, inner);
                    (&*inner, &expand.bias_numbers)
                }
                None => (&*x, &self.stem.bias_numbers),
            };
            let Convolution { numbers, bias_numbers, kernel, stride, .. } = &block.depthwise;
            let (before, behind) = block.depthwise.padding(side);
            let (total, to, channels) = (before + behind, side.div_ceil(*stride), bias.len());
            let width = side + total;
            framed.resize(width * width * channels, 0.0);
            vectors(Frame { x: source, bias, side, before, total, out: framed });
            filtered.resize(to * to * channels, 0.0);
            let depthwise = Depthwise {
                x: framed,
                width,
                weights: numbers,
                bias: bias_numbers,
                kernel: *kernel,
                stride: *stride,
                out: filtered,
                to,
            };
            depthwise.compute();
            side = to;
            block.project.pointwise(filtered, side * side, out);
            let bias = &block.project.bias_numbers;
            if block.skips {
                vectors(Residual { x, product: out, bias });
            } else {
                vectors(Finish { x: out, bias, limit: false });
                std::mem::swap(x, out);
            }
        }
        self.head.pointwise(x, side * side, inner);
        vectors(Finish { x: inner, bias: &self.head.bias_numbers, limit: true });
        features.fill(0.0);
        for row in inner.chunks_exact(FEATURES) {
            features.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
        let share = ((side * side) as f32).recip();
        features.iter_mut().for_each(|sum| *sum *= share);
        side
    }
}

impl Convolution {
    fn load(
        loader: &Loader,
        name: &str,
        [outputs, inputs, kernel]: [usize; 3],
        stride: usize,
    ) -> std::result::Result<Convolution, ClipError> {
        let weight = loader.get(&format!("{name}.weight"), &[outputs, inputs, kernel, kernel])?;
        let bias = loader.get(&format!("{name}.bias"), &[outputs])?;
        let depthwise = inputs == 1;
        let numbers = |tensor: &Tensor| tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>();
        // Elsewhere candle's operations take the tensors themselves.
        let numbers = |tensor: &Tensor| match loader.stepwise {
            true => Ok(Vec::new()),
            false => numbers(tensor),
        };
        let flat = match depthwise {
            true => {
                loader.check(weight.reshape((outputs, kernel * kernel)).and_then(|w| w.t()?.contiguous()))?
            }
            false => weight.clone(),
        };
        Ok(Convolution {
            numbers: loader.check(numbers(&flat))?,
            bias_numbers: loader.check(numbers(&bias))?,
            bias: loader.check(bias.reshape((1, outputs, 1, 1)))?,
            weight,
            kernel,
            stride,
            depthwise,
        })
    }

    /// Pixels of padding before and behind, on a side of that length.
    fn padding(&self, side: usize) -> (usize, usize) {
        let to = side.div_ceil(self.stride);
        let total = ((to - 1) * self.stride + self.kernel).saturating_sub(side);
        (total / 2, total - total / 2)
    }

    /// With candle's operations: `[batch, inputs, side, side]`.
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (before, behind) = self.padding(x.dim(3)?);
        let padded = x.pad_with_zeros(2, before, behind)?.pad_with_zeros(3, before, behind)?;
        if self.depthwise {
            return self.by_taps(&padded)?.broadcast_add(&self.bias);
        }
        padded.conv2d(&self.weight, 0, self.stride, 1, 1)?.broadcast_add(&self.bias)
    }

    /// A depthwise convolution as a sum over the taps of the kernel: candle's own runs once for each channel. Pixels are
    /// split by their remainder of the stride, so that those under a tap are one slice.
    fn by_taps(&self, padded: &Tensor) -> Result<Tensor> {
        let (batch, channels, side, _) = padded.dims4()?;
        let (stride, kernel) = (self.stride, self.kernel);
        let to = (side - kernel) / stride + 1;
        let missing = side.next_multiple_of(stride) - side;
        let even = padded.pad_with_zeros(2, 0, missing)?.pad_with_zeros(3, 0, missing)?.contiguous()?;
        let each = (side + missing) / stride;
        let split = even.reshape(&[batch, channels, each, stride, each, stride])?;
        let mut sum: Option<Tensor> = None;
        for tap in 0..kernel * kernel {
            let (y, x) = (tap / kernel, tap % kernel);
            let rows = split.narrow(3, y % stride, 1)?.narrow(2, y / stride, to)?;
            let under = rows.narrow(5, x % stride, 1)?.narrow(4, x / stride, to)?;
            let weight = self.weight.narrow(2, y, 1)?.narrow(3, x, 1)?.contiguous()?;
            let product = under.broadcast_mul(&weight.reshape(&[1, channels, 1, 1, 1, 1])?)?;
            sum = Some(match sum {
                Some(sum) => (sum + product)?,
                None => product,
            });
        }
        match sum {
            Some(sum) => sum.reshape((batch, channels, to, to)),
            None => candle_core::bail!("a kernel without taps"),
        }
    }

    /// A matrix product per pixel, without the bias: `[pixels, inputs]` to `[pixels, outputs]`.
    fn pointwise(&self, x: &[f32], pixels: usize, out: &mut Vec<f32>) {
        let outputs = self.bias_numbers.len();
        out.resize(pixels * outputs, 0.0);
        matmul_transposed(x, pixels, &self.numbers, outputs, self.numbers.len() / outputs.max(1), out);
    }

    /// The windows under the kernel, `[pixels, inputs * taps]`, of planes `[inputs, side, side]`. Returns the side of the
    /// result.
    fn windows(&self, planes: &[f32], side: usize, out: &mut Vec<f32>) -> usize {
        let (to, (before, _)) = (side.div_ceil(self.stride), self.padding(side));
        let (inputs, taps) = (planes.len() / (side * side).max(1), self.kernel * self.kernel);
        let window = inputs * taps;
        out.clear();
        out.resize(to * to * window, 0.0);
        for (top, windows) in out.chunks_exact_mut(to * window).enumerate() {
            for tap in 0..window {
                let (plane, row, column) = (tap / taps, tap % taps / self.kernel, tap % self.kernel);
                let y = (top * self.stride + row).wrapping_sub(before);
                if y >= side {
                    continue;
                }
                let pixels = &planes[(plane * side + y) * side..][..side];
                for (left, slot) in windows[tap..].iter_mut().step_by(window).enumerate() {
                    if let Some(x) = pixels.get((left * self.stride + column).wrapping_sub(before)) {
                        *slot = *x;
                    }
                }
            }
        }
        to
    }
}

/// Adds the bias, and limits to 0..6 if asked.
struct Finish<'a> {
    x: &'a mut [f32],
    bias: &'a [f32],
    limit: bool,
}

impl Kernel for Finish<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Finish { x, bias, limit } = self;
        for row in x.chunks_exact_mut(bias.len()) {
            if limit {
                row.iter_mut().zip(bias).for_each(|(x, bias)| *x = (*x + bias).clamp(0.0, 6.0));
            } else {
                row.iter_mut().zip(bias).for_each(|(x, bias)| *x += bias);
            }
        }
    }
}

#[cfg(test)]
mod tests;
