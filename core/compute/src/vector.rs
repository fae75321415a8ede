//! Plain loops with the processor's vectors.
//!
//! Programs are built for every x86-64 processor, so a compiler uses the registers of 2003 and counts bits one by one.
//! What is inside [`wide`] is compiled again for processors with AVX2 and bit counting, and for those with AVX-512, and that
//! is run where there is one. All do the same operations in the same order, so results do not depend on the processor.

/// Work with an `#[inline(always)]` on its `call`. A closure that is more than a small loop needs this: it is called from
/// three places, and what a compiler does not inline into all it compiles once, without the vectors.
pub use pulp::NullaryFnOnce as Kernel;

/// Runs `work` compiled for the vectors that this processor has. Functions that it calls must be `#[inline(always)]`,
/// else they stay as they are.
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
