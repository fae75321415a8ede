//! Vectorized loops by runtime CPU detection.
//!
//! Builds target every x86-64 CPU, so the compiler uses baseline SSE2 and counts bits one by one. Code inside [`wide`]
//! is also compiled for CPUs with AVX2 and POPCNT, and for those with AVX-512, and the best version is chosen at run
//! time. All do the same operations in the same order and round alike, so results do not depend on the CPU.
//!
//! `CHAFFINCH_SIMD` ([`SWITCH`]) limits the choice, to see on one machine what others compute.

use std::sync::OnceLock;

/// Work with an `#[inline(always)]` on its `call`. A closure with more than a small loop needs this: it is called from
/// three places, and anything that is not inlined into all of them is compiled once, without vectors.
pub use pulp::NullaryFnOnce as Kernel;

/// Runs `work` compiled for the vector instructions of this CPU. Functions it calls must be `#[inline(always)]`,
/// otherwise they are not vectorized.
#[inline]
pub fn wide<K: Kernel>(work: K) -> K::Output {
    wide_at(level(), work)
}

/// The same with at most these instructions.
#[inline]
pub fn wide_at<K: Kernel>(level: Level, work: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if level == Level::Best
            && let Some(simd) = pulp::x86::V4::try_new()
        {
            return pulp::Simd::vectorize(simd, work);
        }
        if level != Level::Off
            && let Some(simd) = pulp::x86::V3::try_new()
        {
            return pulp::Simd::vectorize(simd, work);
        }
    }
    work.call()
}

/// Work on vectors of this CPU's length, with an `#[inline(always)]` on its `with_simd`, for loops that the compiler does
/// not vectorize. Where products are added, only for CPUs that round once ([`fuses`]).
pub use pulp::{Simd, WithSimd as VectorKernel};

/// Runs `work` with the longest vectors of this CPU.
pub fn vectorized<K: VectorKernel>(work: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        // The levels of `wide_at` and `fuses`, whatever others pulp may choose.
        if level() == Level::Best
            && let Some(simd) = pulp::x86::V4::try_new()
        {
            return Simd::vectorize(simd, VectorsOf(simd, work));
        }
        if level() != Level::Off
            && let Some(simd) = pulp::x86::V3::try_new()
        {
            return Simd::vectorize(simd, VectorsOf(simd, work));
        }
        work.with_simd(pulp::Scalar::new())
    }
    #[cfg(not(target_arch = "x86_64"))]
    pulp::Arch::new().dispatch(work)
}

#[cfg(target_arch = "x86_64")]
struct VectorsOf<S, K>(S, K);

#[cfg(target_arch = "x86_64")]
impl<S: Simd, K: VectorKernel> Kernel for VectorsOf<S, K> {
    type Output = K::Output;

    #[inline(always)]
    fn call(self) -> K::Output {
        self.1.with_simd(self.0)
    }
}

/// Whether this CPU multiplies and adds with a single rounding, within [`level`]; otherwise
/// [`add_products`](crate::fused::add_products) does.
pub fn fuses() -> bool {
    #[cfg(target_arch = "x86_64")]
    return level() != Level::Off && pulp::x86::V3::try_new().is_some();
    #[cfg(not(target_arch = "x86_64"))]
    return cfg!(target_arch = "aarch64") && level() != Level::Off;
}

/// The environment variable that limits the vector instructions.
pub const SWITCH: &str = "CHAFFINCH_SIMD";

/// The vector instructions that kernels may use at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Those that every x86-64 CPU has.
    Off,
    /// AVX2 and FMA.
    Avx2,
    /// All that the CPU has: AVX-512 and AMX, too.
    Best,
}

impl Level {
    /// The values of the variable.
    pub const NAMES: [(&'static str, Level); 3] =
        [("off", Level::Off), ("avx2", Level::Avx2), ("auto", Level::Best)];

    /// The level of this name.
    pub fn named(name: &str) -> Option<Level> {
        Level::NAMES.iter().find(|(known, _)| *known == name).map(|(_, level)| *level)
    }
}

/// What `CHAFFINCH_SIMD` says, read once; everything if it says nothing or something unknown, which
/// [`unknown_level`] tells.
#[inline]
pub fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(|| {
        let name = std::env::var(SWITCH).unwrap_or_default();
        Level::named(&name).unwrap_or(Level::Best)
    })
}

/// The value of `CHAFFINCH_SIMD` if it is none of [`Level::NAMES`].
pub fn unknown_level() -> Option<String> {
    let name = std::env::var_os(SWITCH)?.to_string_lossy().into_owned();
    (!name.is_empty() && Level::named(&name).is_none()).then_some(name)
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
        for (_, level) in Level::NAMES {
            let mut vectors = Vec::new();
            wide_at(level, || cubes(&mut vectors));
            assert_eq!(plain, vectors);
        }
        assert_eq!(wide(|| 0xffee_u64.count_ones()), 14);
    }
}
