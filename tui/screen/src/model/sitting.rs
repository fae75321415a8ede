//! What the user did since the program started, for the statistics.

use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use std::collections::{BTreeMap, VecDeque};

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
    /// Milliseconds spent deciding, without pauses.
    pub active: u64,
    last: Option<u64>,
    recent: VecDeque<(u64, u64)>,
    /// Samples with a suggested label that were decided about, with that label and the choice that stands now.
    suggested: BTreeMap<SampleId, (String, Option<Choice>)>,
    /// Those that had other numbers, before the dataset changed.
    before: Suggested,
}

/// What became of suggested labels. It counts samples by the choice that stands, as the statistics of all decisions do, so that
/// whoever changes a decision, takes it back or is unsure finds the same share in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Suggested {
    /// Samples with a suggested label that are decided, except unsure ones.
    pub samples: u64,
    /// Of them, relabeled to it.
    pub accepted: u64,
    /// Of them, kept.
    pub kept: u64,
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

    /// Records the choice for a sample with a suggested label.
    pub fn answered(&mut self, sample: SampleId, suggested: &str, choice: Option<&Choice>) {
        self.suggested.insert(sample, (suggested.to_owned(), choice.cloned()));
    }

    /// An undo or a redo has brought another choice back, or none, for samples some of which were decided about.
    pub fn stands(&mut self, samples: &[SampleId], choice: Option<&Choice>) {
        for sample in samples {
            if let Some((_, stands)) = self.suggested.get_mut(sample) {
                *stands = choice.cloned();
            }
        }
    }

    /// What became of suggested labels.
    pub fn suggested(&self) -> Suggested {
        let mut all = self.before;
        for (suggested, choice) in self.suggested.values() {
            let Some(choice) = choice.as_ref().filter(|choice| **choice != Choice::Unsure) else { continue };
            all.samples += 1;
            all.accepted += u64::from(matches!(choice, Choice::Relabel(name) if name == suggested));
            all.kept += u64::from(*choice == Choice::Keep);
        }
        all
    }

    /// Numbers of samples mean others from now on.
    pub fn forget_samples(&mut self) {
        self.before = self.suggested();
        self.suggested.clear();
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

    #[test]
    fn suggested_labels_are_counted_by_the_choice_that_stands() {
        let mut sitting = Sitting::default();
        let counted = |sitting: &Sitting| {
            let Suggested { samples, accepted, kept } = sitting.suggested();
            (samples, accepted, kept)
        };
        let cat = Choice::Relabel("cat".into());
        sitting.answered(SampleId(0), "cat", Some(&Choice::Keep));
        sitting.answered(SampleId(1), "cat", Some(&cat));
        assert_eq!(counted(&sitting), (2, 1, 1));
        // Somebody who thinks again has not seen another suggestion.
        sitting.answered(SampleId(0), "cat", Some(&Choice::Unsure));
        assert_eq!(counted(&sitting), (1, 1, 0));
        sitting.stands(&[SampleId(0), SampleId(7)], Some(&Choice::Keep));
        sitting.stands(&[SampleId(1)], None);
        assert_eq!(counted(&sitting), (1, 0, 1));
        sitting.forget_samples();
        sitting.answered(SampleId(0), "dog", Some(&cat));
        assert_eq!(counted(&sitting), (2, 0, 1));
    }
}
