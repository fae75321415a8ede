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
}

impl Meter {
    pub(super) fn tick(&mut self, stage: &str, done: u64, total: u64, step: (u32, u32)) -> Option<Progress> {
        let now = Instant::now();
        if self.stage != stage || self.started.is_none() {
            *self =
                Meter { stage: stage.to_owned(), started: Some(now), told: None, first: done, last: done };
        }
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
