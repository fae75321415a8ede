//! `a * b + c` with a single rounding on CPUs without an instruction for it, so that they compute what all others do.
//!
//! The product of two numbers in single precision is exact in double precision. Its sum with a third is rounded there, and
//! rounding it again to single precision is right unless the first rounding ended in the middle between two numbers, or the
//! result is too small for all of its digits. Then the standard library decides, which is slow and rare.

/// Numbers looked at together.
const BLOCK: usize = 16;
/// The bits that are lost from double to single precision, and their value in the middle between two numbers.
const LOST: u32 = 0x1fff_ffff;
const MIDDLE: u32 = 0x1000_0000;

/// `sums[i] = factor(i) * values[i] + sums[i]`, each with a single rounding.
#[inline(always)]
pub fn add_products(factor: impl Fn(usize) -> f32, values: &[f32], sums: &mut [f32]) {
    let (values, rest) = values.as_chunks::<BLOCK>();
    let (sums, rest_of_sums) = sums.as_chunks_mut::<BLOCK>();
    for (block, (values, sums)) in values.iter().zip(sums.iter_mut()).enumerate() {
        let mut found = [0.0; BLOCK];
        let mut unsure = false;
        for at in 0..BLOCK {
            let sum = twice_rounded(factor(block * BLOCK + at), values[at], sums[at]);
            found[at] = sum as f32;
            unsure |= is_unsure(sum);
        }
        if unsure {
            for at in 0..BLOCK {
                found[at] = mul_add(factor(block * BLOCK + at), values[at], sums[at]);
            }
        }
        *sums = found;
    }
    let first = values.len() * BLOCK;
    for (at, (value, sum)) in rest.iter().zip(rest_of_sums).enumerate() {
        *sum = mul_add(factor(first + at), *value, *sum);
    }
}

/// `a * b + c` with a single rounding.
#[inline(always)]
fn mul_add(a: f32, b: f32, c: f32) -> f32 {
    let sum = twice_rounded(a, b, c);
    if is_unsure(sum) { a.mul_add(b, c) } else { sum as f32 }
}

#[inline(always)]
fn twice_rounded(a: f32, b: f32, c: f32) -> f64 {
    f64::from(a) * f64::from(b) + f64::from(c)
}

/// Whether rounding it to single precision may differ from a single rounding.
#[inline(always)]
fn is_unsure(sum: f64) -> bool {
    let in_the_middle = sum.to_bits() as u32 & LOST == MIDDLE;
    let tiny = sum != 0.0 && sum.abs() < f64::from(f32::MIN_POSITIVE);
    in_the_middle | tiny
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(a: &[f32], b: &[f32], c: &[f32]) -> Vec<u32> {
        let mut sums = c.to_vec();
        add_products(|at| a[at], b, &mut sums);
        sums.into_iter().map(f32::to_bits).collect()
    }

    /// Numbers with few and with many digits, near and far from one another: sums in the middle between two numbers are
    /// frequent among them.
    fn number() -> impl Strategy<Value = f32> {
        (any::<bool>(), 0_u32..24, any::<u32>(), -60_i32..40).prop_map(
            |(negative, digits, bits, exponent)| {
                let digits = f32::from_bits(0x3f80_0000 | (bits & !(0x7f_ffff >> digits) & 0x7f_ffff));
                let number = digits * 2.0_f32.powi(exponent);
                if negative { -number } else { number }
            },
        )
    }

    proptest! {
        #[test]
        fn sums_are_rounded_once(
            rows in prop::collection::vec((number(), number(), number(), -2_i32..3), 1..80)
        ) {
            // The third is of the size of the product, or half a last digit of it.
            let a: Vec<f32> = rows.iter().map(|row| row.0).collect();
            let b: Vec<f32> = rows.iter().map(|row| row.1).collect();
            let near = |row: &(f32, f32, f32, i32)| match row.3 {
                -2 => row.2,
                -1 => row.0 * row.1 * 2.0_f32.powi(24),
                0 => row.0 * row.1 * -2.0_f32.powi(-24),
                1 => row.0 * row.1 * 1.5,
                _ => -row.0 * row.1,
            };
            let c: Vec<f32> = rows.iter().map(near).collect();
            let once = (0..rows.len()).map(|at| a[at].mul_add(b[at], c[at]).to_bits());
            prop_assert_eq!(all(&a, &b, &c), once.collect::<Vec<u32>>());
        }
    }

    #[test]
    fn sums_in_the_middle_tiny_and_infinite_ones_are_rounded_once() {
        let (one, digit) = (1.0_f32, f32::EPSILON);
        // 1 + 2^-24 + 2^-48: the first rounding loses what decides the second.
        let above = (one + digit, one + digit, -digit * 1.5);
        let tiny = (f32::MIN_POSITIVE, 0.3, f32::from_bits(7));
        let all_of = [above, tiny, (f32::MAX, 2.0, one), (f32::INFINITY, 0.0, one), (0.0, 3.0, 0.0)];
        for (a, b, c) in all_of {
            for length in [1, BLOCK + 3] {
                let found = all(&vec![a; length], &vec![b; length], &vec![c; length]);
                let once = a.mul_add(b, c);
                let same =
                    |bits: &u32| *bits == once.to_bits() || once.is_nan() && f32::from_bits(*bits).is_nan();
                assert!(found.iter().all(same), "{a} * {b} + {c}: {:?} for {once}", f32::from_bits(found[0]));
            }
        }
        assert!(is_unsure(1.0 + f64::from(digit) / 2.0) && !is_unsure(1.0) && !is_unsure(0.0));
    }
}
