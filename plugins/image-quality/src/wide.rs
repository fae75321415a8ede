//! Plain loops with SIMD: compiled a second time for CPUs with AVX2 and dispatched at run time. Both versions do the same
//! operations in the same order, so results do not depend on the CPU.

/// Work with an `#[inline(always)]` on its `call`, without which it is compiled once and without the vectors.
pub(crate) use pulp::NullaryFnOnce as Kernel;
pub(crate) use pulp::{Simd, WithSimd};

/// Runs `work` compiled for the vectors that this processor has.
#[inline]
pub(crate) fn wide<K: Kernel>(work: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return pulp::Simd::vectorize(simd, work);
    }
    work.call()
}

/// The same for work that is written for vectors of any length, with an `#[inline(always)]` on its `with_simd`.
#[inline]
pub(crate) fn by_vectors<W: WithSimd>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return Simd::vectorize(simd, Longest { simd, work });
    }
    work.with_simd(pulp::Scalar::new())
}

#[cfg(target_arch = "x86_64")]
struct Longest<W> {
    simd: pulp::x86::V3,
    work: W,
}

#[cfg(target_arch = "x86_64")]
impl<W: WithSimd> Kernel for Longest<W> {
    type Output = W::Output;

    #[inline(always)]
    fn call(self) -> W::Output {
        self.work.with_simd(self.simd)
    }
}
