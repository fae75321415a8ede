//! Scores of different detectors on one scale.

/// Maps a detector's scores to the scale where 0.5 is its threshold.
#[derive(Debug, Clone, Copy)]
pub struct Calibration {
    threshold: f32,
    /// The factors for a score below the threshold, and for its distance above it.
    below: f32,
    above: f32,
}

impl Calibration {
    /// For a detector with this threshold.
    pub fn new(threshold: f32) -> Calibration {
        Calibration { threshold, below: 0.5 / threshold, above: 0.5 / (1.0 - threshold) }
    }

    /// A score on the common scale. NaN stays NaN.
    #[inline(always)]
    pub fn of(self, score: f32) -> f32 {
        // Compute both sides, then select: without a branch this can be vectorized.
        let below = score * self.below;
        let above = 0.5 + (score - self.threshold) * self.above;
        // Not flagged, as nothing can be better.
        let above = if self.threshold >= 1.0 && !score.is_nan() { 1.0 } else { above };
        if score < self.threshold { below } else { above }
    }
}

/// Maps a score to the scale where 0.5 is the threshold. NaN stays NaN.
pub fn calibrate(score: f32, threshold: f32) -> f32 {
    Calibration::new(threshold).of(score)
}
