//! What the user did since the program started, for the statistics.

use std::collections::VecDeque;

/// A gap between two decisions that counts as a pause, in milliseconds.
const PAUSE: u64 = 60_000;
/// The window for the current speed, in milliseconds.
const LATELY: u64 = 600_000;

/// One run of the program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sitting {
    /// Decisions, each sample of a group counted.
    pub decisions: u64,
    /// Of these, undone.
    pub undone: u64,
    /// Decisions on samples with a suggested label, except unsure ones.
    pub suggested: u64,
    /// Of them, relabeled to it.
    pub accepted: u64,
    /// Of them, kept.
    pub kept: u64,
    /// Milliseconds spent deciding, without pauses.
    pub active: u64,
    last: Option<u64>,
    recent: VecDeque<(u64, u64)>,
}

impl Sitting {
    /// Records a decision on this many samples.
    pub fn decided(&mut self, now: u64, samples: u64) {
        self.decisions += samples;
        let gap = now.saturating_sub(self.last.unwrap_or(0));
        self.active += if gap <= PAUSE { gap } else { 0 };
        self.last = Some(now);
        self.recent.push_back((now, samples));
        while self.recent.front().is_some_and(|(at, _)| at + LATELY < now) {
            self.recent.pop_front();
        }
    }

    /// Decisions per hour of active time; none during the first minute.
    pub fn per_hour(&self) -> Option<f64> {
        (self.active >= 60_000).then(|| self.decisions as f64 * 3_600_000.0 / self.active as f64)
    }

    /// Decisions in the last ten minutes.
    pub fn lately(&self, now: u64) -> u64 {
        self.recent.iter().filter(|(at, _)| at + LATELY >= now).map(|(_, samples)| samples).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_do_not_count() {
        let mut sitting = Sitting::default();
        for second in 1..=60 {
            sitting.decided(second * 2_000, 1);
        }
        assert_eq!((sitting.decisions, sitting.active), (60, 120_000));
        assert_eq!(sitting.per_hour(), Some(1_800.0));
        // After lunch.
        sitting.decided(4_000_000, 3);
        assert_eq!((sitting.active, sitting.lately(4_000_000)), (120_000, 3));
    }
}
