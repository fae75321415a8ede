//! The order that decisions teach: whether a new one is offered, and which one is shown.

use super::Model;
use crate::action::Action;
use crate::key::shown;
use chaffinch_protocol::Sort;

/// What is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learning {
    /// Whether it is never offered.
    pub off: bool,
    /// Whether there is a new one to take.
    pub offered: bool,
    /// The number of the last one that was asked for.
    pub number: u64,
    /// What the one that is shown was learned from; empty in other orders.
    pub note: String,
}

impl Learning {
    /// The order to ask for: a new one, learned from the decisions so far. A list from an earlier run may have a number already.
    pub fn next(&mut self, now: &Sort) -> Sort {
        if let Sort::Learned(number) = now {
            self.number = self.number.max(*number);
        }
        self.number += 1;
        Sort::Learned(self.number)
    }

    /// The note in short: `learned from 120 decisions`.
    pub fn in_short(&self) -> &str {
        self.note.split_once(':').map_or(&self.note, |(short, _)| short)
    }
}

impl Model {
    /// That there is a new order, and the key that takes it.
    pub fn offer(&self) -> Option<String> {
        let Learning { off, offered, .. } = self.list.learning;
        let keys = self.keymap.key_for(Action::SortLearned).filter(|_| offered && !off)?;
        Some(format!("new order: {}", shown(keys)))
    }
}
