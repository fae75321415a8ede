//! The matrix product behind all heavy computations.
#![allow(unsafe_code)] // `gemm` takes raw pointers.

use crate::vector::{Kernel, Level, level, wide_at};
use gemm::Parallelism;

/// `out[i * n + j] = a[i] · b[j]`, for `m` rows of `a` and `n` rows of `b`, each `d` long. Runs on the calling thread,
/// so that callers distribute blocks themselves and the result never depends on the number of threads.
///
/// # Panics
/// When a slice is not as long as its shape says.
pub fn matmul_transposed(a: &[f32], m: usize, b: &[f32], n: usize, d: usize, out: &mut [f32]) {
    product(Factor { values: a, transposed: false }, Factor { values: b, transposed: true }, (m, d, n), out);
}

/// Rows of one product in [`products_by_row`].
pub const ROWS: usize = 256;

/// [`matmul_transposed`] of at most [`ROWS`] rows, of which each is rounded alike, wherever it stands and however many there
/// are: how a product is divided, and so how its sums are rounded, depends on its shape.
///
/// # Panics
/// When a slice is not as long as its shape says, or there are more rows.
pub fn products_by_row(a: &[f32], m: usize, b: &[f32], n: usize, d: usize, out: &mut [f32]) {
    assert!(m <= ROWS, "{m} rows are more than {ROWS}");
    if m == ROWS {
        return matmul_transposed(a, m, b, n, d, out);
    }
    let (mut filled, mut products) = (vec![0.0; ROWS * d], vec![0.0; ROWS * n]);
    filled[..m * d].copy_from_slice(a);
    matmul_transposed(&filled, ROWS, b, n, d, &mut products);
    out.copy_from_slice(&products[..m * n]);
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
struct Factor<'a> {
    values: &'a [f32],
    /// Whether it is stored transposed.
    transposed: bool,
}

impl Factor<'_> {
    /// Steps from one column and from one row to the next, for a factor of that shape.
    fn strides(&self, rows: usize, columns: usize) -> (isize, isize) {
        if self.transposed { (rows as isize, 1) } else { (1, columns as isize) }
    }
}

/// `left · right`, of `m` x `depth` and `depth` x `n`.
fn product(left: Factor<'_>, right: Factor<'_>, (m, depth, n): (usize, usize, usize), out: &mut [f32]) {
    assert_eq!(Some(left.values.len()), m.checked_mul(depth), "the left matrix is not {m} x {depth}");
    assert_eq!(Some(right.values.len()), depth.checked_mul(n), "the right matrix is not {depth} x {n}");
    assert_eq!(Some(out.len()), m.checked_mul(n), "the result is not {m} x {n}");
    if depth == 0 {
        out.fill(0.0);
    }
    if m == 0 || n == 0 || depth == 0 {
        return;
    }
    match level() {
        // `gemm` takes the best instructions of the CPU.
        Level::Best => {}
        Level::Avx2 if !has_more_than_avx2() => {}
        limit => return in_order(limit, &left, &right, (m, depth, n), out),
    }
    let (left_column, left_row) = left.strides(m, depth);
    let (right_column, right_row) = right.strides(depth, n);
    // SAFETY: the lengths were checked above: with these strides `left` is read as m x depth, `right` as depth x n, and
    // `out` is written as m x n and, being borrowed mutably, overlaps neither; `read_dst` is false.
    unsafe {
        gemm::gemm(
            m,
            n,
            depth,
            out.as_mut_ptr(),
            1,
            n as isize,
            false,
            left.values.as_ptr(),
            left_column,
            left_row,
            right.values.as_ptr(),
            right_column,
            right_row,
            0.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

fn has_more_than_avx2() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// The product with at most these instructions, each sum in the order of the depth, as `gemm` has it: with AVX2 fused, else
/// rounded after each product.
fn in_order(
    limit: Level,
    left: &Factor<'_>,
    right: &Factor<'_>,
    (m, depth, n): (usize, usize, usize),
    out: &mut [f32],
) {
    // The right side row by row, so that the sums of a row of the result run beside one another.
    let mut rows = Vec::new();
    if right.transposed {
        rows.reserve_exact(depth * n);
        for at in 0..depth {
            rows.extend((0..n).map(|column| right.values[column * depth + at]));
        }
    }
    let right = if right.transposed { &rows } else { right.values };
    let (step, row) = if left.transposed { (m, 1) } else { (1, depth) };
    for (index, out) in out.chunks_exact_mut(n).enumerate() {
        let left = left.values[index * row..].iter().step_by(step).take(depth).copied();
        match limit {
            Level::Off => wide_at(limit, Sums::<_, false> { left, right, out }),
            _ => wide_at(limit, Sums::<_, true> { left, right, out }),
        }
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
            for (sum, value) in out.iter_mut().zip(row) {
                *sum = if FUSED { factor.mul_add(*value, *sum) } else { factor * *value + *sum };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn products_in_order_are_those_of_gemm() {
        let (m, d, n) = (7, 33, 12);
        let numbers = |count: usize, seed: f32| -> Vec<f32> {
            (0..count).map(|index| ((index as f32 + seed) * 0.73).sin()).collect()
        };
        let (a, b) = (numbers(m * d, 0.2), numbers(n * d, 0.9));
        for turned in [false, true] {
            let left = || Factor { values: &a, transposed: turned };
            let right = || Factor { values: &b, transposed: !turned };
            let mut expected = vec![f32::NAN; m * n];
            product(left(), right(), (m, d, n), &mut expected);
            for limit in [Level::Off, Level::Avx2] {
                let mut out = vec![f32::NAN; m * n];
                in_order(limit, &left(), &right(), (m, d, n), &mut out);
                let apart = out.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(apart < 5e-6, "{limit:?}, {turned}: {apart}");
            }
        }
    }

    proptest! {
        #[test]
        fn equals_the_plain_sum(m in 0_usize..40, n in 0_usize..40, d in 0_usize..70, seed in 1_u32..1000) {
            let mut state = seed;
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / 16_777_216.0 - 0.5
            };
            let a: Vec<f32> = (0..m * d).map(|_| next()).collect();
            let b: Vec<f32> = (0..n * d).map(|_| next()).collect();
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
        fn a_row_is_rounded_alike_wherever_it_stands(m in 1_usize..ROWS, n in 1_usize..40, seed in 1_u32..1000) {
            let d = 512;
            let mut state = seed;
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / 16_777_216.0 - 0.5
            };
            let a: Vec<f32> = (0..ROWS * d).map(|_| next()).collect();
            let b: Vec<f32> = (0..n * d).map(|_| next()).collect();
            let products = |rows: &[f32]| {
                let mut out = vec![f32::NAN; rows.len() / d * n];
                products_by_row(rows, rows.len() / d, &b, n, d, &mut out);
                out
            };
            let (all, some) = (products(&a), products(&a[(ROWS - m) * d..]));
            prop_assert_eq!(&all[(ROWS - m) * n..], &some[..]);
        }

        #[test]
        fn the_turned_product_equals_the_plain_sum(
            k in 0_usize..20, d in 0_usize..40, rows in 0_usize..70, seed in 1_u32..1000
        ) {
            let mut state = seed;
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / 16_777_216.0 - 0.5
            };
            let a: Vec<f32> = (0..rows * k).map(|_| next()).collect();
            let b: Vec<f32> = (0..rows * d).map(|_| next()).collect();
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
