//! Perceptual hashes, bit for bit those of ImageHash 4.3.2 (`hash_size=8`) on the same pixels.
//!
//! The EXIF orientation is applied to the picture, which ImageHash itself does not do. The first bit of a hash is the
//! most significant one, so that `format!("{hash:016x}")` is what ImageHash prints.

use super::resample::{Filter, resize_gray};
use crate::vector::{Kernel, wide};
use image::RgbImage;
use std::sync::LazyLock;

const SIDE: usize = 32;
const KEPT: usize = 8;

/// Both hashes of one picture: [`phash`] and [`dhash`].
pub fn hashes(image: &RgbImage) -> (u64, u64) {
    let (gray, (width, height)) = (luma(image), image.dimensions());
    (phash_of(&gray, width, height), dhash_of(&gray, width, height))
}

/// ImageHash's `phash`: the signs of the 64 lowest frequencies of a 32 x 32 picture against their median.
pub fn phash(image: &RgbImage) -> u64 {
    phash_of(&luma(image), image.width(), image.height())
}

fn phash_of(gray: &[u8], width: u32, height: u32) -> u64 {
    let gray = resize_gray(gray, width, height, SIDE as u32, SIDE as u32, Filter::Lanczos);
    static COSINES: LazyLock<Cosines> = LazyLock::new(Cosines::new);
    let cosines = &*COSINES;
    let mut columns = [[0.0; SIDE]; KEPT];
    for x in 0..SIDE {
        let column: [f64; SIDE] = std::array::from_fn(|y| f64::from(gray[y * SIDE + x]));
        let frequencies = cosines.lowest(column);
        (0..KEPT).for_each(|k| columns[k][x] = frequencies[k]);
    }
    let low = columns.map(|row| cosines.lowest(row)).concat();
    let mut sorted = low.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let median = (sorted[31] + sorted[32]) / 2.0;
    bits(low.iter().map(|&frequency| frequency > median))
}

/// ImageHash's `dhash`: whether each pixel of a 9 x 8 picture is brighter than the one left of it.
pub fn dhash(image: &RgbImage) -> u64 {
    dhash_of(&luma(image), image.width(), image.height())
}

fn dhash_of(gray: &[u8], width: u32, height: u32) -> u64 {
    let gray = resize_gray(gray, width, height, 9, 8, Filter::Lanczos);
    bits(gray.chunks_exact(9).flat_map(|row| (0..8).map(|x| row[x + 1] > row[x])))
}

/// Pillow's `convert("L")`.
pub fn luma(image: &RgbImage) -> Vec<u8> {
    let mut gray = vec![0; image.as_raw().len() / 3];
    wide(Luma { rgb: image.as_raw(), gray: &mut gray });
    gray
}

struct Luma<'a> {
    rgb: &'a [u8],
    gray: &'a mut [u8],
}

impl Kernel for Luma<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (gray, [r, g, b]) in self.gray.iter_mut().zip(self.rgb.as_chunks().0) {
            let sum = u32::from(*r) * 19595 + u32::from(*g) * 38470 + u32::from(*b) * 7471 + 0x8000;
            *gray = (sum >> 16) as u8;
        }
    }
}

fn bits(bits: impl Iterator<Item = bool>) -> u64 {
    bits.fold(0, |hash, bit| hash << 1 | u64::from(bit))
}

/// The discrete cosine transform (type II, not normalized, as in scipy), lowest frequencies only.
///
/// The input is folded, so that equal numbers cancel exactly: a flat picture has zeros and no rounding noise.
struct Cosines {
    /// `table[n][k][i] = 2 cos(pi k (2 i + 1) / 2 n)` for the lengths 32, 16, 8, 4, 2 and odd `k`.
    table: Vec<Vec<Vec<f64>>>,
}

impl Cosines {
    fn new() -> Cosines {
        let table = (1..=5).map(|power| {
            let n = 1_usize << power;
            let row = |k: usize| {
                let angle = move |i: usize| std::f64::consts::PI * (k * (2 * i + 1)) as f64 / (2 * n) as f64;
                (0..n / 2).map(|i| 2.0 * angle(i).cos()).collect::<Vec<f64>>()
            };
            (0..KEPT).map(row).collect()
        });
        Cosines { table: table.collect() }
    }

    fn lowest(&self, input: [f64; SIDE]) -> [f64; KEPT] {
        let mut out = [0.0; KEPT];
        self.fold(&input, 1, &mut out);
        out
    }

    /// Frequencies `k * stride` of a (folded) input: odd ones from differences of mirrored numbers, even ones from
    /// their sums, which are a transform of half the length.
    fn fold(&self, input: &[f64], stride: usize, out: &mut [f64; KEPT]) {
        let n = input.len();
        if n == 1 {
            out[0] = 2.0 * input[0];
            return;
        }
        let mirrored = |i: usize| (input[i], input[n - 1 - i]);
        let table = &self.table[n.trailing_zeros() as usize - 1];
        for k in (1..KEPT.div_ceil(stride)).step_by(2).filter(|k| k * stride < KEPT) {
            let terms = (0..n / 2).map(|i| (mirrored(i).0 - mirrored(i).1) * table[k][i]);
            out[k * stride] = terms.sum();
        }
        let sums: Vec<f64> = (0..n / 2).map(|i| mirrored(i).0 + mirrored(i).1).collect();
        self.fold(&sums, stride * 2, out);
    }
}

#[cfg(test)]
mod tests;
