//! From which cosine on two embeddings are those of copies: one model puts all photos within .9 of each other, another none.

use super::Leak;

/// Used where there are too few pictures to learn it from.
const USUAL: f32 = 0.95;
/// The fewest pictures to learn it from.
const FEWEST: usize = 50;
/// A cosine that far from 1 at most is that of equal pixels, with any model.
const EQUAL: f32 = 2e-4;
/// The quartile of the normal distribution.
const QUARTILE: f32 = 0.674_49;

/// The cosine that the nearest training image of a test image has by chance in less than one of all test images.
///
/// Distances to the nearest neighbor of pictures without a copy are taken as log-normal, with the median and the upper quartile
/// of all nearest distances: up to half of the pictures may be leaks without moving the latter below what it is among the others.
pub(super) fn follow(nearest: &[Leak]) -> f32 {
    // Without an embedding, all cosines are 0.
    let known = nearest.iter().map(|leak| leak.similarity).filter(|&cosine| cosine > 0.0);
    let mut distances: Vec<f32> = known.map(|cosine| (1.0 - cosine).max(EQUAL).ln()).collect();
    if distances.len() < FEWEST {
        return USUAL;
    }
    distances.sort_by(f32::total_cmp);
    let at = |share: usize| distances[share * (distances.len() - 1) / 4];
    let (middle, upper) = (at(2), at(3));
    let spread = (upper - middle) / QUARTILE;
    let distance = (middle - spread * rarest(distances.len())).exp();
    1.0 - distance.max(EQUAL)
}

/// How many standard deviations below the mean less than one of `count` normal numbers is expected (the tail's leading term,
/// solved by iteration; at least 3).
fn rarest(count: usize) -> f32 {
    let tail = (2.0 * count as f32).ln();
    let mut deviations = (2.0 * tail).sqrt();
    for _ in 0..8 {
        let density = (deviations * (2.0 * std::f32::consts::PI).sqrt()).ln();
        deviations = (2.0 * (tail - density)).max(1.0).sqrt();
    }
    deviations.max(3.0)
}
