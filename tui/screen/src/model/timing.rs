//! Everything triggered by the clock.

use super::{Mode, Model};
use chaffinch_protocol::ChangedDetector;

/// Milliseconds without a key before pictures are improved.
pub const REST: u64 = 150;
/// Milliseconds without a key before a better picture is encoded, so that it is ready when it may be shown.
const PAUSE: u64 = 50;

/// Milliseconds without a key before something is said that no key led to.
const QUIET: u64 = 1_200;

/// Milliseconds before an unanswered request is sent again.
pub const PATIENCE: u64 = 5_000;

/// The clock, and what waits for it.
#[derive(Clone, Debug, Default)]
pub struct Timing {
    /// Milliseconds since the start; the only clock `update` knows.
    pub now: u64,
    /// When a key was pressed last.
    pub key_at: u64,
    /// When the cursor moved last.
    pub moved_at: u64,
    /// Until when no picture is shown, because the cursor is moving fast.
    pub hold_until: u64,
    /// A threshold to send once no key is pressed: detector, threshold, when.
    pub threshold: Option<(String, f32, u64)>,
    /// When to save the view state next.
    pub remember_at: Option<u64>,
    /// The view state saved last.
    pub remembered: String,
    /// When the program stops waiting for outstanding saves and quits.
    pub quitting: Option<u64>,
    /// When a second Ctrl-C no longer quits.
    pub interrupt_until: u64,
}

impl Model {
    /// Whether the last key press is long enough ago for better pictures.
    pub fn resting(&self) -> bool {
        self.time.now >= self.time.key_at + REST
    }

    /// Whether the last key press is long enough ago to encode a better picture: the cursor is not moving fast.
    pub fn pausing(&self) -> bool {
        self.time.now >= self.time.key_at + PAUSE
    }

    /// When the next change without a key or an event is due, on the model's clock.
    pub fn deadline(&self) -> Option<u64> {
        let prompt = match &self.mode {
            Mode::Prompt(prompt) => prompt.apply_at,
            _ => None,
        };
        let held = (self.time.hold_until > self.time.now).then_some(self.time.hold_until);
        let toast = self.toast.as_ref().and_then(|toast| toast.until);
        let threshold = self.time.threshold.as_ref().map(|(_, _, at)| *at);
        let next = self.time.key_at + if self.pausing() { REST } else { PAUSE };
        let rest = (self.display.target.is_some() && !self.resting()).then_some(next);
        let replay = (!self.macros.replay.is_empty()).then_some(self.time.now + 20);
        let due = self.views.page.deadline(self);
        let times = [
            [prompt, held, toast, threshold, rest],
            [self.time.remember_at, self.time.quitting, self.retry_at(), replay, due],
            [self.ahead_at(), self.panels.trial.due, self.tell_at(), None, None],
        ];
        times.into_iter().flatten().flatten().min()
    }

    /// When something that has no hurry is said: it is not to cover the answer to a key.
    pub fn tell_at(&self) -> Option<u64> {
        let free = matches!(self.mode, Mode::List) && self.pending.is_empty() && self.ahead.is_empty();
        (free && self.untold().is_some()).then_some(self.time.key_at + QUIET)
    }

    /// Code that has changed and about which nothing was said yet.
    pub fn untold(&self) -> Option<&ChangedDetector> {
        let changed = &self.session.as_ref()?.changed;
        changed.iter().find(|one| !self.jobs.told.contains(&(one.path.clone(), one.now.clone())))
    }

    /// When an unanswered request is sent again.
    fn retry_at(&self) -> Option<u64> {
        let asked = self.details.asked.map(|(_, at)| at);
        let resolving = self.review.resolving.as_ref().map(|resolving| resolving.at);
        let times = [self.list.rows.oldest(), asked, self.pictures.oldest(), resolving];
        let pages = self.views.all.iter().filter_map(|page| page.oldest_request(self));
        times.into_iter().flatten().chain(pages).min().map(|at| at + PATIENCE)
    }
}
