//! What the engine and its clients say to each other: commands in, events out.
//!
//! Everything here is plain serialisable data, so that the same words pass over a channel inside one program and
//! over a socket between two. A client never sees a score being computed; it asks for windows of rows and for
//! the details of one sample, and shows them. Queries and pictures carry a ticket, so that a late answer to an
//! old question can be told from the current one and dropped.

mod overview;
mod views;

pub use overview::{
    BINS, Confused, DetectorForm, DetectorReview, FormKind, FormParam, Histogram, Overview, Overviewed,
    Statistics, edge,
};
pub use views::{Area, Axes, ClusterView, GroupMember, GroupView, MapPoint, MapView, ViewCommand, ViewEvent};

use crate::decision::Decision;
use crate::sample::{SampleId, Split};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Client and engine must have this number in common.
pub const PROTOCOL_VERSION: u32 = 3;

/// Names a question, so that its answer can be told from a later one's.
pub type Ticket = u64;

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

/// What the engine says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// First of all, and again whenever the summary changes (a scan finished, a detector ran).
    Session(Box<SessionSummary>),
    /// A job moves on.
    Progress(Progress),
    /// The scan is over.
    ScanDone(Box<ScanReport>),
    /// A job failed or a detector was left out; the session goes on.
    Trouble {
        /// What it concerns: a detector's name, a file, `scan`.
        about: String,
        /// What was wrong and what to do.
        message: String,
    },
    /// The list a client asked for is ready.
    Listed {
        /// The ticket of the query.
        ticket: Ticket,
        /// Rows in it.
        total: u64,
        /// Of them, rows with a decision.
        decided: u64,
        /// Rows with a keep, remove, relabel, unsure decision, in this order.
        by_choice: [u64; 4],
    },
    /// A window of the list.
    Rows {
        /// The ticket of the list.
        ticket: Ticket,
        /// First row.
        start: u64,
        /// The rows, possibly fewer than asked for.
        rows: Vec<Row>,
    },
    /// Where the sample stands, if it is in the list.
    Located {
        /// The ticket of the list.
        ticket: Ticket,
        /// The sample.
        sample: SampleId,
        /// Its row.
        row: Option<u64>,
    },
    /// The row that was looked for, if there is one.
    Found {
        /// The ticket of the list.
        ticket: Ticket,
        /// The row.
        row: Option<u64>,
    },
    /// Everything about one sample.
    Detail(Box<Detail>),
    /// Pixels, or why there are none.
    Picture(Picture),
    /// What a view asked for.
    View(Box<ViewEvent>),
    /// Something about the whole dataset.
    Overview {
        /// The question's ticket.
        ticket: Ticket,
        /// The answer.
        overview: Overviewed,
    },
    /// A decision, an undo or a redo is on disk: it survives the loss of power.
    Saved(Saved),
    /// Nothing was changed, for this reason (nothing to undo, a full disk).
    Refused {
        /// What was wrong and what to do.
        message: String,
    },
    /// A line for the log view.
    Log {
        /// Its text.
        line: String,
    },
    /// The engine has finished.
    Bye,
}

/// The session as a client needs to know it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionSummary {
    /// [`PROTOCOL_VERSION`] of the engine.
    pub protocol: u32,
    /// The dataset, as shown.
    pub dataset: String,
    /// The session's folder, as shown.
    pub session: String,
    /// Number of samples.
    pub samples: u64,
    /// Class names, sorted; a [`Row`]'s labels are places in this list.
    pub classes: Vec<String>,
    /// The model, as shown, and the device.
    pub model: String,
    /// Detectors with results, in name order; a [`Row`]'s flags are places in this list.
    pub detectors: Vec<DetectorSummary>,
    /// The rule that joins them.
    pub ensemble: EnsembleRule,
    /// Who decides.
    pub reviewer: String,
    /// Suspects: samples that at least one detector flags.
    pub suspects: u64,
    /// Samples with a decision.
    pub decided: u64,
    /// Whether a scan would find something to do.
    pub stale: bool,
    /// What [`Command::Remember`] left last, empty at first.
    pub remembered: String,
}

/// One detector as a client shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DetectorSummary {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// One line that says what it finds.
    pub summary: String,
    /// Whether it judges groups.
    pub groups: bool,
    /// Samples with a score below this are flagged.
    pub threshold: f32,
    /// Samples it scored.
    pub scored: u64,
    /// Samples it flags at this threshold.
    pub flagged: u64,
    /// Seconds its last run took.
    pub seconds: f64,
    /// What it says of the whole run: name and text.
    pub notes: Vec<(String, String)>,
}

/// How far a job is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done, as shown: `index`, `embed`, `hash`, a detector's name.
    pub stage: String,
    /// Units done.
    pub done: u64,
    /// Units in all, 0 where it is not known.
    pub total: u64,
    /// Units a second, 0 where it is not known yet.
    pub rate: f64,
    /// Seconds left, where it can be told.
    pub remaining: Option<f64>,
    /// Which stage of how many.
    pub step: (u32, u32),
}

/// What a scan did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScanReport {
    /// Samples in the dataset.
    pub samples: u64,
    /// Files that could not be decoded.
    pub unreadable: u64,
    /// Files whose bytes were read and hashed (the others were unchanged).
    pub indexed: u64,
    /// Files decoded, also to show them meanwhile.
    #[serde(default)]
    pub decoded: u64,
    /// Embeddings computed now.
    pub embedded: u64,
    /// Embeddings found in the store.
    pub reused: u64,
    /// Samples flagged by at least one detector.
    pub suspects: u64,
    /// Seconds for the whole.
    pub seconds: f64,
    /// Seconds by stage, in order.
    pub stages: Vec<(String, f64)>,
    /// Highest resident memory of the process in bytes, where the system tells.
    pub peak_memory: u64,
    /// Detectors that ran, with flagged counts.
    pub detectors: Vec<DetectorSummary>,
    /// Detectors that failed or were left out: name and reason.
    pub failed: Vec<(String, String)>,
}

/// Which samples are listed, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// Suspects only, or all samples.
    pub all: bool,
    /// Words that must all match. Each is matched against the path, unless it is `class:NAME`,
    /// `suggested:NAME`, `detector:NAME`, `split:NAME`, `decision:keep|remove|relabel|unsure|none`, `decided`,
    /// `undecided`, `tag:NAME`, `score<0.3`, `score>0.3`, `is:leak`, `map:LEFT,TOP,RIGHT,BOTTOM` (an [`Area`]) or
    /// `cluster:CLASS/NUMBER`. A leading `-` negates.
    pub filter: String,
    /// The order.
    pub sort: Sort,
    /// The other way round.
    pub descending: bool,
}

/// The order of a list. Ties are broken by manifest order, so an order never changes between runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Worst first, by the ensemble.
    #[default]
    Rank,
    /// Worst first, by one detector.
    Detector(String),
    /// By class, worst first within one.
    Class,
    /// By path.
    Path,
    /// Shuffled by a fixed key.
    Random,
    /// Duplicate groups together, worst group first.
    Group,
}

/// How detectors are joined into one rank.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnsembleRule {
    /// The worst detector decides: finds most.
    #[default]
    Or,
    /// Ranked by how many detectors agree, then by their worst: fewer false alarms.
    Majority,
    /// Mean of the ranks each detector gives.
    MeanRank,
    /// Weighted mean of calibrated scores; a detector that is not named weighs 1.
    Weighted(BTreeMap<String, f32>),
    /// Only what all detectors flag.
    And,
    /// Only what so many detectors flag.
    AtLeast(u16),
    /// Mean of calibrated scores.
    Average,
    /// Mean of calibrated scores of the detectors that flag the same samples.
    Consensus,
    /// What a regression learned from the reviewer's decisions.
    Stacking,
    /// As the worst detector decides, with wider thresholds: more is found, with more false alarms.
    Recall,
    /// Only what two detectors flag or one is sure of.
    Precision,
}

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The sample.
    pub sample: SampleId,
    /// Its path as the dataset gives it, made safe for a terminal.
    pub path: String,
    /// Given label, a place in [`SessionSummary::classes`].
    pub label: Option<u32>,
    /// Suggested label.
    pub suggested: Option<u32>,
    /// The ensemble's score, 0 = surely an issue; `None` where no detector scored it.
    pub score: Option<f32>,
    /// Detectors that flag it, as places in [`SessionSummary::detectors`].
    pub flags: Vec<u16>,
    /// Its split.
    pub split: Split,
    /// What was decided.
    pub decision: Option<Decision>,
}

/// Everything about one sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detail {
    /// Its line.
    pub row: Row,
    /// Where the file is, made safe for a terminal.
    pub full_path: String,
    /// Content hash in hexadecimal, empty before the scan.
    pub hash: String,
    /// Pixels as shown.
    pub width: u32,
    /// Pixels as shown.
    pub height: u32,
    /// File size.
    pub bytes: u64,
    /// Why it could not be decoded, if so.
    pub unreadable: Option<String>,
    /// Its tags, decided or not.
    pub tags: Vec<String>,
    /// The note on it, empty where there is none.
    pub note: String,
    /// What each detector says, worst first.
    pub issues: Vec<DetailIssue>,
    /// Labels it could have instead, what speaks most for one first, at most nine.
    pub candidates: Vec<Candidate>,
    /// Nearest neighbours in embedding space, nearest first.
    pub neighbors: Vec<DetailRelated>,
    /// Columns kept from the user's table.
    pub extra: Vec<(String, String)>,
}

/// A label that a sample could have.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The place of its class.
    pub class: u32,
    /// How probable the model finds it among all classes, 0 to 1; `None` where no model told.
    pub probability: Option<f32>,
}

/// What one detector says of the sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetailIssue {
    /// The detector.
    pub detector: String,
    /// Its score.
    pub score: f32,
    /// Its threshold now.
    pub threshold: f32,
    /// Whether it flags the sample.
    pub flagged: bool,
    /// The label it suggests.
    pub suggested: Option<u32>,
    /// One English sentence.
    pub reason: String,
    /// Its evidence.
    pub related: Vec<DetailRelated>,
    /// Its group, for deciding a whole group: all members, this sample among them.
    pub group: Vec<SampleId>,
}

/// Another sample shown beside this one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetailRelated {
    /// The sample.
    pub sample: SampleId,
    /// Its path, made safe for a terminal.
    pub path: String,
    /// Its given label.
    pub label: Option<u32>,
    /// Its split.
    pub split: Split,
    /// How alike, 1 = the same.
    pub similarity: f32,
}

/// The answer to [`Command::Picture`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// The request's ticket.
    pub ticket: Ticket,
    /// The request's slot.
    pub slot: u32,
    /// The sample.
    pub sample: SampleId,
    /// Width in pixels, 0 where there is no picture.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `width * height * 3` bytes, RGB.
    pub rgb: Vec<u8>,
    /// Width and height of the whole picture, 0 where there is none.
    pub whole: (u32, u32),
    /// Why there is no picture.
    pub error: Option<String>,
}

/// The answer to a decision, an undo or a redo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// What it was.
    pub kind: SavedKind,
    /// The samples it concerns; the client moves to the first of them after an undo.
    pub samples: Vec<SampleId>,
    /// What they are now, all alike unless `kind` is an undo of a mixed entry; then the first one's.
    pub decision: Option<Decision>,
    /// In words, for the status line: `removed cats/0001.jpg`.
    pub text: String,
    /// Entries that can be undone now.
    pub undoable: u64,
    /// Entries that can be redone now.
    pub redoable: u64,
    /// Samples with a decision now.
    pub decided: u64,
}

/// What was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SavedKind {
    /// A decision, or tags.
    Decision,
    /// An undo.
    Undo,
    /// A redo.
    Redo,
}
