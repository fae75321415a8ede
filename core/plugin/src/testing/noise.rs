//! Synthetic vectors.

/// Seeded numbers in -1..1 that are the same on every machine.
#[derive(Clone, Debug)]
pub struct Noise(pub u64);

impl Noise {
    /// The next one: a linear congruential generator with Knuth's constants.
    #[allow(clippy::should_implement_trait)] // It never ends.
    pub fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 40) as f32 / (1_u64 << 23) as f32) - 1.0
    }

    /// A vector of `dim` numbers around a corner of the space, each with this much noise.
    pub fn around(&mut self, dim: usize, corner: usize, noise: f32) -> Vec<f32> {
        (0..dim).map(|d| f32::from(u8::from(d == corner)) + noise * self.next()).collect()
    }
}
