//! Recorded keys.

use crate::key::KeyChord;
use std::collections::VecDeque;

/// Recorded keys, and keys being replayed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Macros {
    /// Keys recorded so far, while recording.
    pub recording: Option<Vec<KeyChord>>,
    /// What was recorded last.
    pub last: Vec<KeyChord>,
    /// Keys still to be replayed.
    pub replay: VecDeque<KeyChord>,
    /// When the last of them was pressed, on the model's clock.
    pub pressed_at: u64,
}

/// Longest recording.
pub const LONGEST: usize = 1_000;
/// The maximum number of keys replayed at once.
pub const MOST: usize = 100_000;
