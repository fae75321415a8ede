//! Decisions between the key and the disk.

use chaffinch_core::decision::Choice;
use chaffinch_core::sample::SampleId;
use std::collections::{BTreeMap, VecDeque};

/// Something sent to the engine that it answers with saved or refused, in the order it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// A decision, or its withdrawal.
    Decide {
        /// About these.
        samples: Vec<SampleId>,
        /// What.
        choice: Option<Choice>,
    },
    /// Tags or a note.
    Tag,
    /// Take the last entry back.
    Undo,
    /// Do it again.
    Redo,
}

/// What is under way, and what can be taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// Sent and not answered, oldest first.
    pub outstanding: VecDeque<Op>,
    /// What the outstanding decisions make of their samples.
    pub overlay: BTreeMap<SampleId, Option<Choice>>,
    /// Entries that can be undone, once the engine has told.
    pub undoable: Option<u64>,
    /// Entries that can be redone.
    pub redoable: u64,
    /// Whether anything was saved in this run.
    pub saved: bool,
}

impl Journal {
    /// Remembers that something was sent.
    pub fn push(&mut self, op: Op) {
        if let Op::Decide { samples, choice } = &op {
            for sample in samples {
                self.overlay.insert(*sample, choice.clone());
            }
        }
        self.outstanding.push_back(op);
    }

    /// Takes the oldest off, because it was answered.
    pub fn pop(&mut self) -> Option<Op> {
        let op = self.outstanding.pop_front()?;
        if let Op::Decide { samples, .. } = &op {
            for sample in samples {
                self.overlay.remove(sample);
            }
            for later in &self.outstanding {
                if let Op::Decide { samples, choice } = later {
                    for sample in samples {
                        self.overlay.insert(*sample, choice.clone());
                    }
                }
            }
        }
        Some(op)
    }
}
