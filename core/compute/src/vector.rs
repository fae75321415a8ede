//! Vectorized loops by runtime CPU detection.
//!
//! Builds target every x86-64 CPU, so the compiler uses baseline SSE2 and counts bits one by one. Code inside [`wide`]
//! is also compiled for CPUs with AVX2 and POPCNT, and for those with AVX-512, and the best version is chosen at run
//! time. All do the same operations in the same order, so results do not depend on the CPU.

/// Work with an `#[inline(always)]` on its `call`. A closure with more than a small loop needs this: it is called from
/// three places, and anything that is not inlined into all of them is compiled once, without vectors.
pub use pulp::NullaryFnOnce as Kernel;

/// Runs `work` compiled for the vector instructions of this CPU. Functions it calls must be `#[inline(always)]`,
/// otherwise they are not vectorized.
#[inline]
pub fn wide<K: Kernel>(work: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(simd) = pulp::x86::V4::try_new() {
            return pulp::Simd::vectorize(simd, work);
        }
        if let Some(simd) = pulp::x86::V3::try_new() {
            return pulp::Simd::vectorize(simd, work);
        }
    }
    work.call()
}

/// Work on vectors of this CPU's length, with an `#[inline(always)]` on its `with_simd`, for loops that the compiler does
/// not vectorize. Sums may be fused where the CPU can, so results differ in the last bit between CPUs, as those of
/// [`linear`](crate::linear) do.
pub use pulp::{Simd, WithSimd as VectorKernel};

/// Runs `work` with the longest vectors of this CPU.
pub fn vectorized<K: VectorKernel>(work: K) -> K::Output {
    pulp::Arch::new().dispatch(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_those_of_the_plain_loop() {
        let numbers: Vec<f32> = (0..1000).map(|i| (i as f32 * 0.37).sin()).collect();
        let cubes = |out: &mut Vec<f32>| out.extend(numbers.iter().map(|x| x * x * x + 0.1 * x));
        let (mut plain, mut vectors) = (Vec::new(), Vec::new());
        cubes(&mut plain);
        wide(|| cubes(&mut vectors));
        assert_eq!(plain, vectors);
        assert_eq!(wide(|| 0xffee_u64.count_ones()), 14);
    }
}
