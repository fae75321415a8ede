//! What a client asks of the engine.

use crate::decision::Decision;
use crate::sample::SampleId;
use crate::{EnsembleRule, Overview, Query, Ticket, ViewCommand};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Client and engine must have this number in common.
pub const PROTOCOL_VERSION: u32 = 3;

/// What a client asks of the engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Command {
    /// Bring the session up to date: index, embed, hash, run the detectors. Does nothing twice.
    Scan {
        /// Detectors to run; empty means all that are loaded and enabled.
        detectors: Vec<String>,
    },
    /// Stop the running job as soon as it can; what is finished is kept.
    Cancel,
    /// Run one detector again, for one after its parameters changed or to learn from decisions.
    Rerun {
        /// Its name.
        detector: String,
        /// Parameters to change; the others stay.
        params: BTreeMap<String, f64>,
    },
    /// Choose which samples are listed, and in which order. Answered by [`Event::Listed`].
    List {
        /// Comes back with the answer.
        ticket: Ticket,
        /// Which and how.
        query: Query,
    },
    /// A window of the current list. Answered by [`Event::Rows`].
    Rows {
        /// The ticket of the list.
        ticket: Ticket,
        /// First row.
        start: u64,
        /// How many.
        len: u32,
    },
    /// Where a sample stands in the current list. Answered by [`Event::Located`].
    Locate {
        /// The ticket of the list.
        ticket: Ticket,
        /// The sample.
        sample: SampleId,
    },
    /// The next or previous row without a decision. Answered by [`Event::Found`].
    FindUndecided {
        /// The ticket of the list.
        ticket: Ticket,
        /// The row to start from, itself left out.
        from: u64,
        /// Forward or backward.
        forward: bool,
    },
    /// Everything about one sample. Answered by [`Event::Detail`].
    Detail {
        /// The sample.
        sample: SampleId,
    },
    /// Pixels of one sample, made to fit. Answered by [`Event::Picture`].
    Picture {
        /// Comes back with the answer; a newer ticket for the same slot makes an older one stale.
        ticket: Ticket,
        /// Which place on the screen asks: a newer request for a slot replaces an older one.
        slot: u32,
        /// The sample.
        sample: SampleId,
        /// Greatest width in pixels.
        max_width: u32,
        /// Greatest height in pixels.
        max_height: u32,
    },
    /// Decide about some samples at once. Answered by [`Event::Saved`] once it is on disk.
    Decide {
        /// The samples; one entry in the journal, undone as one.
        samples: Vec<SampleId>,
        /// What was decided; `None` takes earlier decisions back.
        decision: Option<Decision>,
    },
    /// Add tags to samples without deciding.
    Tag {
        /// The samples.
        samples: Vec<SampleId>,
        /// The tags, added to those already there.
        tags: Vec<String>,
        /// A note that replaces the earlier one where it is not empty.
        note: String,
    },
    /// Take tags of one's own away.
    Untag {
        /// The samples.
        samples: Vec<SampleId>,
        /// The tags.
        tags: Vec<String>,
    },
    /// Take the last entry of the journal back. Works across restarts.
    Undo,
    /// Do what was last taken back.
    Redo,
    /// Move a detector's threshold; scores stay as they are and nothing runs again.
    SetThreshold {
        /// Its name.
        detector: String,
        /// Samples with a score below this are flagged.
        threshold: f32,
    },
    /// Choose how detectors are joined into one rank.
    SetEnsemble {
        /// The rule.
        rule: EnsembleRule,
    },
    /// Something about the whole dataset. Answered by [`Event::Overview`]; a newer question of the same kind may take
    /// the place of an older one.
    Overview {
        /// Comes back with the answer.
        ticket: Ticket,
        /// What about.
        about: Overview,
    },
    /// Keep a client's own state (place in the list, filter) with the session, as the client's own text.
    Remember {
        /// Opaque to the engine; at most 64 KiB.
        state: String,
    },
    /// What views of many samples at once need.
    View(ViewCommand),
    /// Finish: cancel the job, close the journal, answer [`Event::Bye`].
    Stop,
}
