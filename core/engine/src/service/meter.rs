//! The progress of a job as events.

use chaffinch_protocol::Progress;
use std::time::{Duration, Instant};

/// Minimum interval between progress events.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Turns counts into a rate and a remaining time, and throttles events.
#[derive(Default)]
pub(super) struct Meter {
    stage: String,
    started: Option<Instant>,
    told: Option<Instant>,
    first: u64,
    last: u64,
    total: u64,
}

impl Meter {
    pub(super) fn tick(&mut self, stage: &str, done: u64, total: u64, step: (u32, u32)) -> Option<Progress> {
        let now = Instant::now();
        // A stage may count several things one after the other, such as files that are compared and then pictures that are
        // drawn: another total with less done is the next of them.
        let is_next = total != self.total && done < self.last;
        if self.stage != stage || self.started.is_none() || is_next {
            *self = Meter {
                stage: stage.to_owned(),
                started: Some(now),
                told: None,
                first: done,
                last: done,
                total,
            };
        }
        self.total = total;
        // Counts from several threads may arrive out of order.
        self.last = self.last.max(done);
        let finished = total > 0 && self.last >= total;
        if !finished && self.told.is_some_and(|told| now - told < PROGRESS_EVERY) {
            return None;
        }
        self.told = Some(now);
        let seconds = self.started.map_or(0.0, |started| (now - started).as_secs_f64());
        let rate = if seconds > 0.2 { (self.last - self.first) as f64 / seconds } else { 0.0 };
        let remaining = (rate > 0.0 && total > 0).then(|| total.saturating_sub(self.last) as f64 / rate);
        Some(Progress { stage: stage.to_owned(), done: self.last, total, rate, remaining, step })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_is_a_part_of_what_it_is_told_with() {
        let mut meter = Meter::default();
        let mut told = Vec::new();
        // Decided files that are compared, from several threads; kinds of findings; pictures.
        for (done, total) in [(0, 0), (1363, 1363), (1362, 1363), (0, 12), (12, 12), (1, 400), (400, 400)] {
            told.extend(meter.tick("report", done, total, (1, 1)));
        }
        assert!(
            told.iter().all(|progress| progress.total == 0 || progress.done <= progress.total),
            "{told:?}"
        );
        let last = told.last().unwrap();
        assert_eq!((last.done, last.total), (400, 400));
        // Late counts of the same thing do not go back.
        let mut meter = Meter::default();
        meter.tick("embed", 5, 5, (1, 1));
        assert_eq!(meter.tick("embed", 4, 5, (1, 1)).unwrap().done, 5);
    }
}
