//! The matrix product behind all heavy computations.
//!
//! Its sums are the same to the last bit on every CPU and whatever the shape: each goes along the depth in order, in parts of
//! about equal length, with one rounding for a product and its addition. So do `gemm`'s kernels for AVX2, AVX-512 and NEON, up
//! to 512 numbers at once; beyond, they divide by the size of the caches. What they sum otherwise (few results, a single
//! row or column, no instruction that rounds once) is computed here.
#![allow(unsafe_code)] // `gemm` takes raw pointers.

use crate::fused::add_products;
use crate::vector::{Kernel, Level, fuses, level, wide_at};
use gemm::Parallelism;
use std::ops::Range;

/// Most numbers that `gemm` sums in order whatever the CPU.
const PART: usize = 512;
/// Most results for which `gemm` adds the lanes of vectors, whose number depends on the CPU.
const FEW: usize = 256;
/// Least depth for which it multiplies and adds in one step.
const LEAST_DEPTH: usize = 3;

/// `out[i * n + j] = a[i] · b[j]`, for `m` rows of `a` and `n` rows of `b`, each `d` long. Runs on the calling thread: callers
/// distribute rows themselves, and each result is the same however they do.
///
/// # Panics
/// When a slice is not as long as its shape says.
pub fn matmul_transposed(a: &[f32], m: usize, b: &[f32], n: usize, d: usize, out: &mut [f32]) {
    product(Factor { values: a, transposed: false }, Factor { values: b, transposed: true }, (m, d, n), out);
}

/// `out[i * d + j]` = the sum of `a[row * k + i] * b[row * d + j]` over `rows` rows: the first matrix, `k` wide,
/// transposed and multiplied by the second, `d` wide. Runs on the calling thread.
///
/// # Panics
/// When a slice is not as long as its shape says.
pub fn transposed_matmul(a: &[f32], k: usize, b: &[f32], d: usize, rows: usize, out: &mut [f32]) {
    product(
        Factor { values: a, transposed: true },
        Factor { values: b, transposed: false },
        (k, rows, d),
        out,
    );
}

/// One side of a product.
#[derive(Clone, Copy)]
struct Factor<'a> {
    values: &'a [f32],
    /// Whether it is stored transposed.
    transposed: bool,
}

impl Factor<'_> {
    /// Steps from one column and from one row to the next, for a factor of that shape.
    fn strides(&self, rows: usize, columns: usize) -> (usize, usize) {
        if self.transposed { (rows, 1) } else { (1, columns) }
    }
}

/// Rows of the left factor, depth, columns of the right one.
type Shape = (usize, usize, usize);

/// `left · right`, of `m` x `depth` and `depth` x `n`.
fn product(left: Factor<'_>, right: Factor<'_>, (m, depth, n): Shape, out: &mut [f32]) {
    assert_eq!(Some(left.values.len()), m.checked_mul(depth), "the left matrix is not {m} x {depth}");
    assert_eq!(Some(right.values.len()), depth.checked_mul(n), "the right matrix is not {depth} x {n}");
    assert_eq!(Some(out.len()), m.checked_mul(n), "the result is not {m} x {n}");
    if depth == 0 {
        out.fill(0.0);
    }
    if m == 0 || n == 0 || depth == 0 {
        return;
    }
    // `gemm` takes the best instructions of the CPU.
    let limit = match (fuses(), level()) {
        (false, _) => Some(Level::Off),
        (true, Level::Avx2) if has_more_than_avx2() => Some(Level::Avx2),
        (true, limit) => {
            let filled = if m == 1 || n == 1 { 2 * m * n } else { m * n };
            (filled <= FEW || depth < LEAST_DEPTH).then_some(limit)
        }
    };
    match limit {
        Some(limit) => in_order(limit, left, right, (m, depth, n), out),
        // One row or column is summed in another order: another one of zeros is put beside it.
        None if n == 1 => {
            let (two, mut products) = (with_zeros(right.values), vec![0.0; 2 * m]);
            by_gemm(left, Factor { values: &two, transposed: true }, (m, depth, 2), &mut products);
            out.iter_mut().zip(products.iter().step_by(2)).for_each(|(to, from)| *to = *from);
        }
        None if m == 1 => {
            let (two, mut products) = (with_zeros(left.values), vec![0.0; 2 * n]);
            by_gemm(Factor { values: &two, transposed: false }, right, (2, depth, n), &mut products);
            out.copy_from_slice(&products[..n]);
        }
        None => by_gemm(left, right, (m, depth, n), out),
    }
}

/// A vector and as many zeros.
fn with_zeros(vector: &[f32]) -> Vec<f32> {
    let mut both = vector.to_vec();
    both.resize(2 * vector.len(), 0.0);
    both
}

/// The parts of a sum, of at most [`PART`] numbers.
fn parts(depth: usize) -> impl Iterator<Item = Range<usize>> {
    let count = depth.div_ceil(PART);
    (0..count).map(move |part| part * depth / count..(part + 1) * depth / count)
}

fn by_gemm(left: Factor<'_>, right: Factor<'_>, (m, depth, n): Shape, out: &mut [f32]) {
    let (left_column, left_row) = left.strides(m, depth);
    let (right_column, right_row) = right.strides(depth, n);
    for part in parts(depth) {
        let (left, right) =
            (&left.values[part.start * left_column..], &right.values[part.start * right_row..]);
        // SAFETY: `product` makes the factors m x depth and depth x n numbers long, and `out` m x n; with these
        // strides and from these places the part is read as m x its length and its length x n, and `out` is written as m x n
        // and, being borrowed mutably, overlaps neither.
        unsafe {
            gemm::gemm(
                m,
                n,
                part.len(),
                out.as_mut_ptr(),
                1,
                n as isize,
                part.start > 0,
                left.as_ptr(),
                left_column as isize,
                left_row as isize,
                right.as_ptr(),
                right_column as isize,
                right_row as isize,
                1.0,
                1.0,
                false,
                false,
                false,
                Parallelism::None,
            );
        }
    }
}

fn has_more_than_avx2() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// The same product with at most these instructions.
fn in_order(limit: Level, left: Factor<'_>, right: Factor<'_>, (m, depth, n): Shape, out: &mut [f32]) {
    // The right side row by row, so that the sums of a row of the result run beside one another.
    let mut rows = Vec::new();
    if right.transposed {
        rows.reserve_exact(depth * n);
        for at in 0..depth {
            rows.extend((0..n).map(|column| right.values[column * depth + at]));
        }
    }
    let right = if right.transposed { &rows } else { right.values };
    let (step, row) = left.strides(m, depth);
    let mut later = vec![0.0; n];
    for (index, out) in out.chunks_exact_mut(n).enumerate() {
        for part in parts(depth) {
            let left = left.values[index * row + part.start * step..].iter().step_by(step);
            let (left, right) = (left.take(part.len()).copied(), &right[part.start * n..part.end * n]);
            if part.start == 0 {
                row_of_sums(limit, left, right, out);
            } else {
                row_of_sums(limit, left, right, &mut later);
                out.iter_mut().zip(&later).for_each(|(to, sum)| *to += sum);
            }
        }
    }
}

fn row_of_sums(limit: Level, left: impl Iterator<Item = f32>, right: &[f32], out: &mut [f32]) {
    match limit {
        Level::Off => wide_at(limit, Sums::<_, false> { left, right, out }),
        _ => wide_at(limit, Sums::<_, true> { left, right, out }),
    }
}

/// One row of a product.
struct Sums<'a, L, const FUSED: bool> {
    left: L,
    right: &'a [f32],
    out: &'a mut [f32],
}

impl<L: Iterator<Item = f32>, const FUSED: bool> Kernel for Sums<'_, L, FUSED> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Sums { left, right, out } = self;
        out.fill(0.0);
        for (factor, row) in left.zip(right.chunks_exact(out.len())) {
            if FUSED {
                out.iter_mut().zip(row).for_each(|(sum, value)| *sum = factor.mul_add(*value, *sum));
            } else {
                add_products(|_| factor, row, out);
            }
        }
    }
}

/// Turns logits into probabilities and returns the logarithm of the sum of their exponentials.
pub fn softmax(row: &mut [f32]) -> f64 {
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    row.iter_mut().for_each(|z| *z = (*z - most).exp());
    let sum: f64 = row.iter().map(|&e| f64::from(e)).sum();
    row.iter_mut().for_each(|e| *e = (f64::from(*e) / sum) as f32);
    f64::from(most) + sum.ln()
}

/// The class with the highest probability, the first one of several.
pub fn most_likely(row: &[f32]) -> u32 {
    let better = |best: (usize, f32), (class, &p): (usize, &f32)| if p > best.1 { (class, p) } else { best };
    row.iter().enumerate().fold((0, f32::NEG_INFINITY), better).0 as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same numbers from the same seed, between -0.5 and 0.5.
    fn numbers(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 16_777_216.0 - 0.5
        };
        std::iter::repeat_with(next).take(count).collect()
    }

    fn bits(numbers: &[f32]) -> Vec<u32> {
        numbers.iter().map(|number| number.to_bits()).collect()
    }

    #[test]
    fn products_are_the_same_to_the_last_bit_with_every_set_of_instructions() {
        let shapes = [
            (7, 33, 12),
            (40, 1, 20),
            (40, 2, 20),
            (3, 70, 9),
            (1, 300, 700),
            (700, 300, 1),
            (17, 700, 70),
            (300, 513, 130),
            (65, 1152, 320),
            (33, 2000, 40),
        ];
        for (m, d, n) in shapes {
            let (a, b) = (numbers(m * d, 3), numbers(n * d, 8));
            for turned in [false, true] {
                let left = || Factor { values: &a, transposed: turned };
                let right = || Factor { values: &b, transposed: !turned };
                let mut expected = vec![f32::NAN; m * n];
                product(left(), right(), (m, d, n), &mut expected);
                for (name, limit) in Level::NAMES {
                    if limit != Level::Off && !fuses() {
                        continue;
                    }
                    let mut out = vec![f32::NAN; m * n];
                    in_order(limit, left(), right(), (m, d, n), &mut out);
                    assert!(bits(&out) == bits(&expected), "{m} x {d} x {n}, {name}, {turned}");
                }
            }
        }
    }

    #[test]
    fn sums_are_divided_into_parts_of_about_equal_length() {
        for depth in [1, 2, 511, 512, 513, 1025, 100_000] {
            let lengths: Vec<usize> = parts(depth).map(|part| part.len()).collect();
            assert_eq!(lengths.iter().sum::<usize>(), depth);
            let (least, most) = (lengths.iter().min().unwrap(), lengths.iter().max().unwrap());
            assert!(*most <= PART && most - least <= 1, "{depth}: {lengths:?}");
        }
    }

    proptest! {
        #[test]
        fn equals_the_plain_sum(m in 0_usize..40, n in 0_usize..40, d in 0_usize..70, seed in 1_u32..1000) {
            let (a, b) = (numbers(m * d, seed), numbers(n * d, seed + 1000));
            let mut out = vec![f32::NAN; m * n];
            matmul_transposed(&a, m, &b, n, d, &mut out);
            for i in 0..m {
                for j in 0..n {
                    let pairs = a[i * d..(i + 1) * d].iter().zip(&b[j * d..(j + 1) * d]);
                    let plain: f64 = pairs.map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
                    prop_assert!((f64::from(out[i * n + j]) - plain).abs() < 1e-5);
                }
            }
        }

        #[test]
        fn a_row_is_rounded_alike_wherever_it_stands(m in 1_usize..300, n in 1_usize..40, seed in 1_u32..1000) {
            let (rows, d) = (300, 600);
            let (a, b) = (numbers(rows * d, seed), numbers(n * d, seed + 1));
            let products = |rows: &[f32]| {
                let mut out = vec![f32::NAN; rows.len() / d * n];
                matmul_transposed(rows, rows.len() / d, &b, n, d, &mut out);
                out
            };
            let (all, some) = (products(&a), products(&a[(rows - m) * d..]));
            prop_assert_eq!(bits(&all[(rows - m) * n..]), bits(&some));
        }

        #[test]
        fn the_turned_product_equals_the_plain_sum(
            k in 0_usize..20, d in 0_usize..40, rows in 0_usize..70, seed in 1_u32..1000
        ) {
            let (a, b) = (numbers(rows * k, seed), numbers(rows * d, seed + 1000));
            let mut out = vec![f32::NAN; k * d];
            transposed_matmul(&a, k, &b, d, rows, &mut out);
            for i in 0..k {
                for j in 0..d {
                    let plain: f64 = (0..rows).map(|r| f64::from(a[r * k + i]) * f64::from(b[r * d + j])).sum();
                    prop_assert!((f64::from(out[i * d + j]) - plain).abs() < 1e-5);
                }
            }
        }
    }
}
