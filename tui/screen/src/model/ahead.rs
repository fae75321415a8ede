//! Keys typed ahead: pressed before what they need has arrived.

use super::Model;
use crate::key::KeyChord;
use std::collections::VecDeque;

/// Milliseconds after which keys that wait are mentioned.
const NOTICED: u64 = 400;
/// Milliseconds after which waiting is given up: by then an unanswered request has been sent twice.
pub const GIVE_UP: u64 = 2 * super::PATIENCE;

/// Something typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// A key.
    Key(KeyChord),
    /// Text pasted at once.
    Paste(String),
}

/// What was typed and waits, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ahead {
    /// The next one first.
    pub typed: VecDeque<Typed>,
    /// Since when the first of them waits, on the model's clock.
    pub since: u64,
}

impl Ahead {
    /// How many keys wait.
    pub fn len(&self) -> usize {
        self.typed.len()
    }

    /// Whether no key waits.
    pub fn is_empty(&self) -> bool {
        self.typed.is_empty()
    }
}

impl Model {
    /// Whether keys have waited for so long that the reviewer should be told.
    pub fn keeps_waiting(&self) -> bool {
        !self.ahead.is_empty() && self.time.now >= self.ahead.since + NOTICED
    }

    /// When waiting keys are mentioned, or given up.
    pub(super) fn ahead_at(&self) -> Option<u64> {
        let limit = if self.keeps_waiting() { GIVE_UP } else { NOTICED };
        let waits = !self.ahead.is_empty() || self.next.is_some();
        waits.then_some((self.ahead.since + limit).max(self.time.now + 1))
    }
}
