//! Makes a picture small enough to judge its sharpness, as Pillow's `Image.resize` does it.
//!
//! The host has a resampler, too, but on the other side of the boundary, and requesting small pixels in addition to the full
//! ones would decode every file twice. This one is optimized for speed: it computes in floating point, and in Pillow's
//! fixed point only where rounding could go either way, so the bytes are the same.

use crate::wide::{Kernel, Simd, WithSimd, by_vectors, wide};
use pulp::bytemuck;

/// The size that fits into `side` x `side` with the longer side filled, at least one pixel each way; the size itself
/// where it fits already.
pub(crate) fn fitted(width: usize, height: usize, side: usize) -> (usize, usize) {
    let longer = width.max(height);
    if longer <= side {
        return (width, height);
    }
    let scaled = |length: usize| ((length as u64 * side as u64 / longer as u64) as usize).max(1);
    (scaled(width), scaled(height))
}

/// The picture in a smaller size, bicubic over the whole area that each new pixel covers.
///
/// `rgb` holds `width * height * 3` bytes, and no new side is longer than the old one.
pub(crate) fn shrink(rgb: &[u8], width: usize, height: usize, to: (usize, usize)) -> Vec<u8> {
    let columns = |rgb: &[u8]| {
        if to.0 == width { rgb.to_vec() } else { across(rgb, width, &Taps::new(width, to.0)) }
    };
    let rows = |rgb: &[u8], width: usize| {
        if to.1 == height { rgb.to_vec() } else { down(rgb, width, &Taps::new(height, to.1)) }
    };
    // Pillow begins with the columns, and since 13.0 with the rows where the height loses more than twice as much.
    if height - to.1 > 2 * (width - to.0) { columns(&rows(rgb, width)) } else { rows(&columns(rgb), to.0) }
}

/// The pass along each row.
fn across(rgb: &[u8], width: usize, taps: &Taps) -> Vec<u8> {
    by_vectors(Across { rgb, width, taps })
}

struct Across<'a> {
    rgb: &'a [u8],
    width: usize,
    taps: &'a Taps,
}

impl WithSimd for Across<'_> {
    type Output = Vec<u8>;

    /// Three vectors at once hold whole pixels, so that the sums of their numbers are of one channel each.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<u8> {
        let Across { rgb, width, taps } = self;
        let (stride, new_stride) = (width * 3, taps.starts.len() * 3);
        let together = 3 * S::F32_LANES;
        let by_channel = ByChannel::new(taps, together);
        let mut out = vec![0; rgb.len() / stride * new_stride];
        // Behind the row there is something for weights of zero.
        let mut values = vec![0.0_f32; stride + together];
        let (mut sums, mut doubtful) = (vec![0.0_f32; new_stride], vec![0_u8; new_stride]);
        let doubt = taps.iter().map(|tap| tap.doubt()).fold(0.0, f32::max);
        for (row, out) in rgb.chunks_exact(stride).zip(out.chunks_exact_mut(new_stride)) {
            values.iter_mut().zip(row).for_each(|(to, &value)| *to = f32::from(value));
            let mut weights = S::as_simd_f32s(&by_channel.weights).0.as_chunks::<3>().0;
            let places = taps.starts.iter().zip(&by_channel.counts);
            for ((&start, &count), sums) in places.zip(sums.as_chunks_mut::<3>().0) {
                let (own, others) = weights.split_at(count);
                weights = others;
                let under = &values[start * 3..][..count * together];
                let mut lanes = [simd.splat_f32s(0.0); 3];
                for (values, weights) in S::as_simd_f32s(under).0.as_chunks::<3>().0.iter().zip(own) {
                    for ((lane, &value), &weight) in lanes.iter_mut().zip(values).zip(weights) {
                        *lane = simd.add_f32s(*lane, simd.mul_f32s(value, weight));
                    }
                }
                *sums = [0.0; 3];
                for pixel in bytemuck::cast_slice::<S::f32s, f32>(&lanes).as_chunks::<3>().0 {
                    sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
                }
            }
            for ((out, doubtful), &sum) in out.iter_mut().zip(&mut doubtful).zip(&sums) {
                let sum = sum.clamp(0.0, 255.0);
                let nearest = sum + WHOLE;
                *out = nearest.to_bits() as u8;
                *doubtful = u8::from((sum - (nearest - WHOLE)).abs() > 0.5 - doubt);
            }
            for (index, _) in doubtful.iter().enumerate().filter(|(_, doubtful)| **doubtful > 0) {
                let tap = taps.at(index / 3);
                let values = &row[tap.start * 3 + index % 3..];
                out[index] = tap.exact(values.iter().step_by(3).map(|&value| value.into()));
            }
        }
        out
    }
}

/// Weights once for each channel, as they lie beside pixels, with zeros up to the next whole number of values that are
/// summed up together.
struct ByChannel {
    weights: Vec<f32>,
    /// How many times that number each position has.
    counts: Vec<usize>,
}

impl ByChannel {
    fn new(taps: &Taps, together: usize) -> ByChannel {
        let (mut weights, mut counts) = (Vec::new(), Vec::new());
        for tap in taps.iter() {
            weights.extend(tap.weights.iter().flat_map(|&weight| [weight; 3]));
            let count = (3 * tap.weights.len()).div_ceil(together);
            counts.push(count);
            weights.resize(weights.len() + count * together - 3 * tap.weights.len(), 0.0);
        }
        ByChannel { weights, counts }
    }
}

/// The pass along each column.
fn down(rgb: &[u8], width: usize, taps: &Taps) -> Vec<u8> {
    wide(Down { rgb, width, taps })
}

struct Down<'a> {
    rgb: &'a [u8],
    width: usize,
    taps: &'a Taps,
}

impl Kernel for Down<'_> {
    type Output = Vec<u8>;

    #[inline(always)]
    fn call(self) -> Vec<u8> {
        let Down { rgb, width, taps } = self;
        let stride = width * 3;
        let mut out = Vec::with_capacity(stride * taps.starts.len());
        let mut sums = vec![0.0_f32; stride];
        for tap in taps.iter() {
            sums.fill(0.0);
            let under = &rgb[tap.start * stride..(tap.start + tap.weights.len()) * stride];
            for (row, &weight) in under.chunks_exact(stride).zip(tap.weights) {
                for (sum, &value) in sums.iter_mut().zip(row) {
                    *sum += f32::from(value) * weight;
                }
            }
            out.extend(sums.iter().enumerate().map(|(at, &sum)| {
                let exact = || tap.exact(under[at..].iter().step_by(stride).map(|&value| value.into()));
                rounded(sum, tap.doubt(), exact)
            }));
        }
        out
    }
}

/// To the nearest byte; by the exact sum where the quick one lies within `doubt` of the boundary between two.
#[inline(always)]
fn rounded(sum: f32, doubt: f32, exact: impl FnOnce() -> u8) -> u8 {
    let raised = sum + 0.5;
    if !(0.5..255.5).contains(&raised) {
        return if raised < 0.5 { 0 } else { 255 };
    }
    let share = raised - (raised as i32) as f32;
    if share < doubt || share > 1.0 - doubt {
        return exact();
    }
    raised as u8
}

/// Adding it rounds a number up to 255 to a whole one, which then stands in the lowest bits.
const WHOLE: f32 = 8_388_608.0;
/// Binary places of Pillow's weights.
const PRECISION_BITS: u32 = 32 - 8 - 2;

/// For each new position the old ones it is made from, and their weights, which add up to one.
struct Taps {
    starts: Vec<usize>,
    /// Weights of all positions, one behind the other.
    weights: Vec<f32>,
    /// The same as Pillow has them.
    fixed: Vec<i32>,
    /// Where each position's weights end.
    ends: Vec<usize>,
}

/// What one new position is made from.
struct Tap<'a> {
    start: usize,
    weights: &'a [f32],
    fixed: &'a [i32],
}

impl Tap<'_> {
    /// How far a sum may be from Pillow's: each of its weights is off by half a unit in the last digit, and so are 32-bit sums.
    fn doubt(&self) -> f32 {
        1e-3 + 5e-5 * self.weights.len() as f32
    }

    /// Pillow's sum to the nearest byte. Seldom needed.
    #[cold]
    #[inline(never)]
    fn exact(&self, values: impl Iterator<Item = i32>) -> u8 {
        let sum = |sum: i32, (value, &weight): (i32, &i32)| sum.wrapping_add(value.wrapping_mul(weight));
        (values.zip(self.fixed).fold(1 << (PRECISION_BITS - 1), sum) >> PRECISION_BITS).clamp(0, 255) as u8
    }
}

impl Taps {
    fn new(from: usize, to: usize) -> Taps {
        let scale = from as f64 / to as f64;
        let support = 2.0 * scale;
        let mut taps = Taps { starts: Vec::new(), weights: Vec::new(), fixed: Vec::new(), ends: Vec::new() };
        for position in 0..to {
            let center = (position as f64 + 0.5) * scale;
            let start = (center - support + 0.5).max(0.0) as usize;
            let end = ((center + support + 0.5) as usize).min(from);
            let exact: Vec<f64> =
                (start..end).map(|at| cubic((at as f64 - center + 0.5) * (1.0 / scale))).collect();
            let total: f64 = exact.iter().sum();
            for weight in exact.iter().map(|weight| weight / total) {
                let places = weight * f64::from(1_u32 << PRECISION_BITS);
                taps.weights.push(weight as f32);
                taps.fixed.push((places + if weight < 0.0 { -0.5 } else { 0.5 }) as i32);
            }
            taps.starts.push(start);
            taps.ends.push(taps.weights.len());
        }
        taps
    }

    fn iter(&self) -> impl Iterator<Item = Tap<'_>> {
        (0..self.starts.len()).map(|position| self.at(position))
    }

    fn at(&self, position: usize) -> Tap<'_> {
        let begin = position.checked_sub(1).map_or(0, |before| self.ends[before]);
        let weights = begin..self.ends[position];
        let (weights, fixed) = (&self.weights[weights.clone()], &self.fixed[weights]);
        Tap { start: self.starts[position], weights, fixed }
    }
}

/// Keys' cubic with a = -0.5.
fn cubic(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        (1.5 * x - 2.5) * x * x + 1.0
    } else if x < 2.0 {
        ((2.5 - 0.5 * x) * x - 4.0) * x + 2.0
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_cut_and_never_empty() {
        assert_eq!(fitted(64, 10, 64), (64, 10));
        assert_eq!(fitted(640, 480, 64), (64, 48));
        assert_eq!(fitted(1000, 1, 64), (64, 1));
        assert_eq!(fitted(100, 99, 64), (64, 63));
        assert_eq!(fitted(0, 0, 64), (0, 0));
    }

    #[test]
    fn a_flat_picture_stays_flat() {
        for (width, height) in [(200, 130), (65, 65), (70, 1), (1, 900), (300, 64)] {
            let rgb: Vec<u8> = std::iter::repeat_n([7, 130, 255], width * height).flatten().collect();
            let to = fitted(width, height, 64);
            let small = shrink(&rgb, width, height, to);
            assert_eq!(small.len(), to.0 * to.1 * 3);
            assert!(small.chunks(3).all(|pixel| pixel == [7, 130, 255]), "{width} x {height}");
        }
    }

    #[test]
    fn halves_of_a_picture_keep_their_colors() {
        let rgb: Vec<u8> = (0..128).flat_map(|x| [if x < 64 { 10 } else { 200 }; 3]).collect();
        let small = shrink(&rgb, 128, 1, (64, 1));
        let row: Vec<u8> = small.chunks(3).map(|pixel| pixel[0]).collect();
        // The cubic overshoots on both sides of the step.
        assert_eq!(row[28..36], [10, 10, 8, 23, 187, 202, 200, 200]);
    }
}
