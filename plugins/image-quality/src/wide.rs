//! Plain loops with the processor's vectors: compiled a second time for processors with AVX2, and that is run where there is
//! one. Both do the same operations in the same order, so results do not depend on the processor.

/// Work with an `#[inline(always)]` on its `call`, without which it is compiled once and without the vectors.
pub(crate) use pulp::NullaryFnOnce as Kernel;

/// Runs `work` compiled for the vectors that this processor has.
#[inline]
pub(crate) fn wide<K: Kernel>(work: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return pulp::Simd::vectorize(simd, work);
    }
    work.call()
}
