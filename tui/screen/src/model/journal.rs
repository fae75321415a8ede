//! Decisions between the key and the disk.

use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
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
    /// One kept, the others removed.
    KeepOnly {
        /// This one.
        keep: SampleId,
        /// These.
        remove: Vec<SampleId>,
    },
    /// Tags or a note.
    Tag,
    /// Take the last entry back.
    Undo,
    /// Do it again.
    Redo,
}

impl Op {
    /// What it makes of which samples.
    fn choices(&self) -> Vec<(SampleId, Option<Choice>)> {
        match self {
            Op::Decide { samples, choice } => {
                samples.iter().map(|sample| (*sample, choice.clone())).collect()
            }
            Op::KeepOnly { keep, remove } => {
                let removed = remove.iter().map(|sample| (*sample, Some(Choice::Remove)));
                std::iter::once((*keep, Some(Choice::Keep))).chain(removed).collect()
            }
            Op::Tag | Op::Undo | Op::Redo => Vec::new(),
        }
    }

    /// The samples it decides about.
    pub fn samples(&self) -> Vec<SampleId> {
        self.choices().into_iter().map(|(sample, _)| sample).collect()
    }
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
        self.overlay.extend(op.choices());
        self.outstanding.push_back(op);
    }

    /// Takes the oldest off, because it was answered.
    pub fn pop(&mut self) -> Option<Op> {
        let op = self.outstanding.pop_front()?;
        for (sample, _) in op.choices() {
            self.overlay.remove(&sample);
        }
        for later in &self.outstanding {
            self.overlay.extend(later.choices());
        }
        Some(op)
    }
}
