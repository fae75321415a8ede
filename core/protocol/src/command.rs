//! What a client asks of the engine.

use crate::decision::Decision;
use crate::sample::SampleId;
use crate::{EnsembleRule, OutputCommand, Overview, PromptWords, Query, Share, Ticket, ViewCommand};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Client and engine must agree on this number.
pub const PROTOCOL_VERSION: u32 = 13;

/// What a client asks of the engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Command {
    /// Bring the session up to date: index, embed, hash, run the detectors. Skips what is up to date.
    Scan {
        /// Detectors to run; empty means all that are loaded and enabled.
        detectors: Vec<String>,
        /// Leave alone what is out of date only because more was decided: who opens a session goes on in the order that was
        /// left.
        #[serde(default)]
        opening: bool,
    },
    /// Stop the running job as soon as possible; finished work is kept.
    Cancel,
    /// Run one detector again, for example after its parameters changed or to train on decisions.
    Rerun {
        /// Its name.
        detector: String,
        /// Parameters to change; the others stay.
        params: BTreeMap<String, f64>,
    },
    /// Count what a detector would flag with other parameters: it runs, and its results stay what they are. Answered by
    /// [`Event::Tried`](crate::Event::Tried); a newer request ends an older one.
    Try {
        /// Returned with the answer.
        ticket: Ticket,
        /// Its name.
        detector: String,
        /// Parameters to change; the others stay.
        params: BTreeMap<String, f64>,
        /// Other prompts, which are counted by class; `None` for those in use.
        #[serde(default)]
        prompts: Option<PromptWords>,
    },
    /// Keep a set of prompts with the session, which scans use from then on, or go back to those of the configuration. Answered by
    /// [`Event::PromptsSet`](crate::Event::PromptsSet) once it is on disk.
    SetPrompts {
        /// Returned with the answer.
        ticket: Ticket,
        /// The set; `None` for that of the configuration.
        prompts: Option<PromptWords>,
        /// The temperature of the detector that compares pictures with prompts; `None` for that of the configuration.
        temperature: Option<f64>,
    },
    /// Run a detector in scans of this session, or no longer: then what it found flags nothing until it is enabled again.
    Enable {
        /// Its name.
        detector: String,
        /// Whether it runs.
        enabled: bool,
    },
    /// Take what a detector that is not loaded found out of the session, or put it back.
    RemoveResults {
        /// Its name.
        detector: String,
        /// Whether it is put back.
        back: bool,
    },
    /// Let a detector run that was set aside, or whose code has changed, and run it.
    LetIn {
        /// Its name, or the path of its code.
        detector: String,
        /// The digest of the code that was shown, which alone is let in; empty if none was.
        #[serde(default)]
        shown: String,
    },
    /// Choose which samples are listed, and in which order. Answered by [`Event::Listed`](crate::Event::Listed).
    List {
        /// Returned with the answer.
        ticket: Ticket,
        /// Which samples, and in what order.
        query: Query,
    },
    /// A window of the current list. Answered by [`Event::Rows`](crate::Event::Rows).
    Rows {
        /// The ticket of the list.
        ticket: Ticket,
        /// First row.
        start: u64,
        /// How many.
        len: u32,
    },
    /// The rows of these samples, whether listed or not. Answered by [`Event::RowsOf`](crate::Event::RowsOf).
    RowsOf {
        /// Returned with the answer.
        ticket: Ticket,
        /// The samples; those that do not exist are left out of the answer.
        samples: Vec<SampleId>,
    },
    /// The row of a sample in the current list. Answered by [`Event::Located`](crate::Event::Located).
    Locate {
        /// The ticket of the list.
        ticket: Ticket,
        /// The sample.
        sample: SampleId,
    },
    /// The client has forgotten everything that it knew by the numbers of samples, and goes on with these numbers. Until it says so,
    /// nothing is decided for it: a number that it sends may mean another sample than the one that it shows.
    Renumbered {
        /// [`SessionSummary::numbering`](crate::SessionSummary::numbering).
        numbering: u64,
    },
    /// The next or previous row without a decision. Answered by [`Event::Found`](crate::Event::Found).
    FindUndecided {
        /// The ticket of the list.
        ticket: Ticket,
        /// The row to start from, exclusive.
        from: u64,
        /// Forward or backward.
        forward: bool,
    },
    /// Everything about one sample. Answered by [`Event::Detail`](crate::Event::Detail).
    Detail {
        /// The sample.
        sample: SampleId,
    },
    /// Pixels of one sample, scaled to fit. Answered by [`Event::Picture`](crate::Event::Picture).
    Picture {
        /// Returned with the answer; a newer ticket for the same slot makes an older one stale.
        ticket: Ticket,
        /// Which slot of the screen asks: a newer request for a slot replaces an older one.
        slot: u32,
        /// The sample.
        sample: SampleId,
        /// Maximum width in pixels.
        max_width: u32,
        /// Maximum height in pixels.
        max_height: u32,
        /// Whether the parts that matter to detectors are marked.
        #[serde(default)]
        regions: bool,
        /// Whether it is dark but where the model sees the given label, or what the list is searched for.
        #[serde(default)]
        relevance: bool,
    },
    /// Decide on several samples at once. Answered by [`Event::Saved`](crate::Event::Saved) once it is on disk.
    Decide {
        /// The samples; one entry in the journal, undone as one.
        samples: Vec<SampleId>,
        /// The decision; `None` clears earlier decisions.
        decision: Option<Decision>,
    },
    /// Decide on several samples, on each differently. Answered by [`Event::Saved`](crate::Event::Saved) once it is on
    /// disk.
    DecideEach {
        /// Each sample with its decision; one entry in the journal, undone as one.
        decisions: Vec<(SampleId, Decision)>,
    },
    /// Add tags to samples without deciding.
    Tag {
        /// The samples.
        samples: Vec<SampleId>,
        /// The tags, added to those already there.
        tags: Vec<String>,
        /// A note that replaces the earlier one if it is not empty.
        note: String,
    },
    /// Remove one's own tags, or one's own note.
    Untag {
        /// The samples.
        samples: Vec<SampleId>,
        /// The tags.
        tags: Vec<String>,
        /// Whether it is the note that is removed, and no tag.
        #[serde(default)]
        note: bool,
    },
    /// Undo the last journal entry. Works across restarts.
    Undo,
    /// Redo what was last undone.
    Redo,
    /// Change a detector's threshold; scores stay the same and nothing runs again.
    SetThreshold {
        /// Its name.
        detector: String,
        /// Samples with a score below this are flagged.
        threshold: f32,
    },
    /// Choose how detectors are combined into one rank.
    SetEnsemble {
        /// The rule.
        rule: EnsembleRule,
    },
    /// An overview of the whole dataset. Answered by [`Event::Overview`](crate::Event::Overview); a newer request of the same kind may replace
    /// an older one.
    Overview {
        /// Returned with the answer.
        ticket: Ticket,
        /// Which overview.
        about: Overview,
    },
    /// Store a client's state (position in the list, filter) with the session, as opaque text.
    Remember {
        /// Opaque to the engine; at most 64 KiB.
        state: String,
    },
    /// A command of a view of many samples.
    View(ViewCommand),
    /// Leave what other reviewers decided out of everything, for a second review that nothing sways; or take it in again.
    /// Answered by [`Event::Session`](crate::Event::Session).
    Blind {
        /// Whether it is left out.
        on: bool,
        /// List only so many samples, drawn from those that others have decided, or from the suspects if they have decided
        /// none; `None` for all.
        #[serde(default)]
        sample: Option<Share>,
        /// Which of them are drawn: the same number draws the same samples.
        #[serde(default)]
        seed: u64,
    },
    /// A command about something to be written: an export, a plan, a report, a changed copy.
    Output(OutputCommand),
    /// Shut down: cancel the job, close the journal, answer with [`Event::Bye`](crate::Event::Bye).
    Stop,
}
