//! Decisions between key press and disk.

use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Something sent to the engine, which acknowledges it as saved or refused, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// A decision, or clearing one.
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
    /// A decision for each.
    DecideEach(Vec<(SampleId, Choice)>),
    /// Tags or a note about these.
    Tag(Vec<SampleId>),
    /// Undo the last entry.
    Undo,
    /// Redo.
    Redo,
}

impl Op {
    /// The resulting choice for each sample.
    pub fn choices(&self) -> Vec<(SampleId, Option<Choice>)> {
        match self {
            Op::Decide { samples, choice } => {
                samples.iter().map(|sample| (*sample, choice.clone())).collect()
            }
            Op::KeepOnly { keep, remove } => {
                let removed = remove.iter().map(|sample| (*sample, Some(Choice::Remove)));
                std::iter::once((*keep, Some(Choice::Keep))).chain(removed).collect()
            }
            Op::DecideEach(each) => {
                each.iter().map(|(sample, choice)| (*sample, Some(choice.clone()))).collect()
            }
            Op::Tag(_) | Op::Undo | Op::Redo => Vec::new(),
        }
    }

    /// The samples it says something about; none of an undo or a redo, which the engine knows.
    pub fn samples(&self) -> Vec<SampleId> {
        match self {
            Op::Tag(samples) => samples.clone(),
            _ => self.choices().into_iter().map(|(sample, _)| sample).collect(),
        }
    }
}

/// What is being saved, and what can be undone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// Sent but not acknowledged, oldest first.
    pub outstanding: VecDeque<Op>,
    /// For each of them what is said besides when it is saved: what it left out.
    remarks: VecDeque<String>,
    /// The choices of the outstanding decisions by sample.
    pub overlay: BTreeMap<SampleId, Option<Choice>>,
    /// Number of entries that can be undone, once the engine has reported it.
    pub undoable: Option<u64>,
    /// Entries that can be redone.
    pub redoable: u64,
    /// Whether anything was saved in this run.
    pub saved: bool,
    /// Samples about which something was said that was not saved, and nothing since that was.
    pub refused: BTreeSet<SampleId>,
}

impl Journal {
    /// Records that something was sent.
    pub fn push(&mut self, op: Op) {
        self.push_with(op, String::new());
    }

    /// Records that something was sent, and what is to be said besides when it is saved.
    pub fn push_with(&mut self, op: Op, remark: String) {
        self.overlay.extend(op.choices());
        self.outstanding.push_back(op);
        self.remarks.push_back(remark);
    }

    /// Whether an undo or a redo is on its way, which will move the cursor.
    pub fn moves(&self) -> bool {
        self.outstanding.iter().any(|op| matches!(op, Op::Undo | Op::Redo))
    }

    /// Whether tags or a note are on their way.
    pub fn tags(&self) -> bool {
        self.outstanding.iter().any(|op| matches!(op, Op::Tag(_) | Op::Undo | Op::Redo))
    }

    /// Removes the oldest one, which has been acknowledged, and its remark.
    pub fn pop(&mut self) -> Option<(Op, String)> {
        let op = self.outstanding.pop_front()?;
        let remark = self.remarks.pop_front().unwrap_or_default();
        for (sample, _) in op.choices() {
            self.overlay.remove(&sample);
        }
        for later in &self.outstanding {
            self.overlay.extend(later.choices());
        }
        Some((op, remark))
    }
}
