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
    }
}
