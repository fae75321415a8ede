//! How confident a detector is that a sample is fine.

use crate::{Error, Result};

/// A finite number in 0..=1: **0 = surely an issue, 1 = surely fine**, as in cleanlab and CleanVision.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Score(f32);

impl Score {
    /// Surely an issue.
    pub const WORST: Score = Score(0.0);
    /// Surely fine.
    pub const BEST: Score = Score(1.0);

    /// Wraps a value that is already a score.
    ///
    /// # Errors
    /// When `value` is NaN or outside 0..=1.
    pub fn new(value: f32) -> Result<Score> {
        if (0.0..=1.0).contains(&value) {
            Ok(Score(value))
        } else {
            Err(Error::new(format!("{value} is not a score; scores are in 0..=1")))
        }
    }

    /// Clamps a value to 0..=1.
    ///
    /// # Errors
    /// When `value` is NaN.
    pub fn clamp(value: f32) -> Result<Score> {
        if value.is_nan() {
            return Err(Error::new("NaN is not a score"));
        }
        Ok(Score(value.clamp(0.0, 1.0)))
    }

    /// The number itself.
    pub const fn get(self) -> f32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Score;

    #[test]
    fn nan_and_out_of_range_are_refused() {
        assert!(Score::new(f32::NAN).is_err());
        assert!(Score::new(1.0001).is_err());
        assert!(Score::new(-0.1).is_err());
        assert!(Score::clamp(f32::NAN).is_err());
    }

    #[test]
    fn clamp_cuts_to_the_range() {
        assert_eq!(Score::clamp(7.0).unwrap(), Score::BEST);
        assert_eq!(Score::clamp(f32::NEG_INFINITY).unwrap(), Score::WORST);
    }
}
