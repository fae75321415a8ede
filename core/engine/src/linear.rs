//! The one matrix product that everything heavy is made of.
#![allow(unsafe_code)] // `gemm` takes raw pointers.

use gemm::Parallelism;

/// `out[i * n + j] = a[i] · b[j]`, for `m` rows of `a` and `n` rows of `b`, each `d` long. Runs on the calling
/// thread, so that callers share out blocks themselves and the result never depends on how many threads there are.
///
/// # Panics
/// When a slice is not as long as its shape says.
pub fn matmul_transposed(a: &[f32], m: usize, b: &[f32], n: usize, d: usize, out: &mut [f32]) {
    assert_eq!(Some(a.len()), m.checked_mul(d), "the left matrix is not {m} x {d}");
    assert_eq!(Some(b.len()), n.checked_mul(d), "the right matrix is not {n} x {d}");
    assert_eq!(Some(out.len()), m.checked_mul(n), "the result is not {m} x {n}");
    if d == 0 {
        out.fill(0.0);
    }
    if m == 0 || n == 0 || d == 0 {
        return;
    }
    let (rows, width) = (d as isize, n as isize);
    // SAFETY: the lengths were checked above: `a` is read as m x d and `b` as d x n (its rows are columns) with
    // these strides, `out` is written as m x n and, being borrowed mutably, overlaps neither; `read_dst` is false.
    unsafe {
        gemm::gemm(
            m,
            n,
            d,
            out.as_mut_ptr(),
            1,
            width,
            false,
            a.as_ptr(),
            1,
            rows,
            b.as_ptr(),
            rows,
            1,
            0.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// `out[i * d + j]` = the sum of `a[row * k + i] * b[row * d + j]` over `rows` rows: the first matrix, `k` wide, turned
/// and multiplied with the second, `d` wide. Runs on the calling thread.
///
/// # Panics
/// When a slice is not as long as its shape says.
pub fn transposed_matmul(a: &[f32], k: usize, b: &[f32], d: usize, rows: usize, out: &mut [f32]) {
    assert_eq!(Some(a.len()), rows.checked_mul(k), "the left matrix is not {rows} x {k}");
    assert_eq!(Some(b.len()), rows.checked_mul(d), "the right matrix is not {rows} x {d}");
    assert_eq!(Some(out.len()), k.checked_mul(d), "the result is not {k} x {d}");
    if rows == 0 {
        out.fill(0.0);
    }
    if rows == 0 || k == 0 || d == 0 {
        return;
    }
    let (left, width) = (k as isize, d as isize);
    // SAFETY: the lengths were checked above: `a` is read as k x rows (its columns are rows) and `b` as rows x d with
    // these strides, `out` is written as k x d and, being borrowed mutably, overlaps neither; `read_dst` is false.
    unsafe {
        gemm::gemm(
            k,
            d,
            rows,
            out.as_mut_ptr(),
            1,
            width,
            false,
            a.as_ptr(),
            left,
            1,
            b.as_ptr(),
            1,
            width,
            0.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
