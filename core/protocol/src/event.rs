//! Events from the engine to its clients.

use crate::decision::Decision;
use crate::sample::SampleId;
use crate::{
    Attached, ChangedDetector, Detail, Elsewhere, EnsembleRule, Ledger, ListCounts, ListedRow, OutputEvent,
    Overviewed, PromptsSet, Row, Ticket, Tried, ViewEvent,
};
use serde::{Deserialize, Serialize};

/// An event from the engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// Sent first, and again whenever the summary changes (a scan finished, a detector ran).
    Session(Box<SessionSummary>),
    /// A job made progress.
    Progress(Progress),
    /// What a detector would flag with other parameters.
    Tried(Tried),
    /// What became of a set of prompts.
    PromptsSet(PromptsSet),
    /// The scan is over.
    ScanDone(Box<ScanReport>),
    /// A job failed or a detector was skipped; the session continues.
    Trouble {
        /// What it concerns: a detector's name, a file, `scan`.
        about: String,
        /// What went wrong and what to do.
        message: String,
    },
    /// The list a client asked for is ready.
    Listed {
        /// The ticket of the query.
        ticket: Ticket,
        /// Rows in it.
        total: u64,
        /// Rows with a decision.
        decided: u64,
        /// Rows with a keep, remove, relabel or unsure decision, in this order.
        by_choice: [u64; 4],
        /// What the order was learned from, in words, if it was learned; else empty.
        #[serde(default)]
        note: String,
    },
    /// What decisions teach about the order, sent from time to time while one decides. Nothing changes by it: a client asks for the order
    /// with [`Sort::Learned`](crate::Sort::Learned).
    Learned {
        /// Decisions that were learned from.
        decisions: u64,
        /// Whether the order predicts decisions better than the rank.
        better: bool,
        /// What was learned, or what is missing, in words.
        note: String,
    },
    /// The list a client asked for takes longer than usual. [`Event::Listed`] or [`Event::NotListed`] follows.
    Delayed {
        /// The ticket of the query.
        ticket: Ticket,
        /// Why: `loading the model bundled-photo …`.
        why: String,
    },
    /// The list a client asked for cannot be made: its filter or its order is invalid. The one before stays.
    NotListed {
        /// The ticket of the query.
        ticket: Ticket,
        /// What is wrong with it.
        message: String,
        /// The word of the filter that is wrong, if it is one: its first byte, and the one after its last.
        at: Option<(u32, u32)>,
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
    /// The rows of samples, in the order of the request.
    RowsOf {
        /// The ticket of the request.
        ticket: Ticket,
        /// The rows, and whether the current list has them.
        rows: Vec<ListedRow>,
    },
    /// The row of the sample, if it is in the list.
    Located {
        /// The ticket of the list.
        ticket: Ticket,
        /// The sample.
        sample: SampleId,
        /// Its row.
        row: Option<u64>,
    },
    /// The row that was searched for, if there is one.
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
    /// The answer to a view command.
    View(Box<ViewEvent>),
    /// The answer to a command about something to be written.
    Output(Box<OutputEvent>),
    /// Something about the whole dataset.
    Overview {
        /// The question's ticket.
        ticket: Ticket,
        /// The answer.
        overview: Overviewed,
    },
    /// A decision, an undo or a redo is on disk and survives a power loss.
    Saved(Saved),
    /// A decision, tags, an undo or a redo changed nothing, for example because there is nothing to undo or the disk is
    /// full. Answers in the place of [`Event::Saved`].
    NotSaved {
        /// What went wrong and what to do.
        message: String,
    },
    /// A decision, tags or a note that is there already: nothing was written, and there is nothing to undo. Answers in the
    /// place of [`Event::Saved`].
    Unchanged {
        /// What is there already, for the status line.
        message: String,
    },
    /// Another command was refused: nothing was changed.
    Refused {
        /// What went wrong and what to do.
        message: String,
    },
    /// A line for the log view.
    Log {
        /// Its text.
        line: String,
    },
    /// Something was saved in another terminal.
    Elsewhere(Elsewhere),
    /// Another terminal came, left, or changed something that is the session's.
    Notice {
        /// Who did what: `anna moved the threshold of blurry to 0.3`.
        message: String,
    },
    /// The engine is done with this terminal: another one took its place, or it did not read. Nothing follows.
    Dismissed {
        /// Why, in a sentence for after the end.
        why: String,
    },
    /// The engine answers no more commands, and has seen to it that all decisions are on disk.
    Bye {
        /// Why they are not all on disk; empty if they are.
        unsaved: String,
    },
}

/// The session as a client needs to know it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionSummary {
    /// [`PROTOCOL_VERSION`](crate::PROTOCOL_VERSION) of the engine.
    pub protocol: u32,
    /// The dataset, as shown.
    pub dataset: String,
    /// The session's folder, as shown.
    pub session: String,
    /// Number of samples.
    pub samples: u64,
    /// Differs when the dataset has changed and numbers of samples mean other samples than before: a client forgets all that it knows
    /// by them, and answers with [`Command::Renumbered`](crate::Command::Renumbered).
    #[serde(default)]
    pub numbering: u64,
    /// Class names, sorted; a [`Row`]'s labels are indices into this list.
    pub classes: Vec<String>,
    /// The model, as shown, and the device.
    pub model: String,
    /// Detectors with results, in name order; a [`Row`]'s flags are indices into this list.
    pub detectors: Vec<DetectorSummary>,
    /// The rule that combines them.
    pub ensemble: EnsembleRule,
    /// The current reviewer, or the one who is watched.
    pub reviewer: String,
    /// Everybody who has decided in this session, the current reviewer first, as shown.
    #[serde(default)]
    pub reviewers: Vec<String>,
    /// Suspects: samples that at least one detector flags.
    pub suspects: u64,
    /// Samples with a decision.
    pub decided: u64,
    /// Samples on which reviewers disagree.
    #[serde(default)]
    pub disputed: u64,
    /// Whether what others decided is left out, and of how many samples the lists are then.
    #[serde(default)]
    pub blind: Option<Blind>,
    /// Whether a scan would find something to do.
    pub stale: bool,
    /// Why the last scan could not bring the session up to date, such as a model that cannot be loaded; empty if a new
    /// scan can.
    #[serde(default)]
    pub obstacle: String,
    /// What was left out, guessed or is doubtful about the dataset.
    #[serde(default)]
    pub reading: Ledger,
    /// Detectors that do not run because their code has changed, until they are let in.
    #[serde(default)]
    pub changed: Vec<ChangedDetector>,
    /// The terminals that take part, in the order in which they came.
    #[serde(default)]
    pub attached: Vec<Attached>,
    /// Whether this terminal watches the reviewer, and decides nothing.
    #[serde(default)]
    pub watches: bool,
    /// The state last stored by [`Command::Remember`](crate::Command::Remember), initially empty.
    pub remembered: String,
}

/// A review in which nothing is seen of what others decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blind {
    /// The drawn samples that are listed; `None` if all are.
    #[serde(default)]
    pub samples: Option<u64>,
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
    /// Whether it is what reading the files found: there is no library to run, and nothing to set but the threshold.
    #[serde(default)]
    pub built_in: bool,
    /// Samples with a score below this are flagged.
    pub threshold: f32,
    /// Its own threshold, before anybody moved it.
    #[serde(default)]
    pub default: f32,
    /// Samples it scored.
    pub scored: u64,
    /// Samples it flags at this threshold.
    pub flagged: u64,
    /// Seconds its last run took.
    pub seconds: f64,
    /// Its notes on the whole run: name and text.
    pub notes: Vec<(String, String)>,
    /// The names of the attributes that it gives to samples.
    #[serde(default)]
    pub attributes: Vec<String>,
    /// Whether it marks parts of pictures.
    #[serde(default)]
    pub regions: bool,
}

impl SessionSummary {
    /// The attributes of all detectors, as lists can be sorted and filtered by them: their names, or `DETECTOR.NAME` where an
    /// earlier detector has one of the same name.
    pub fn attributes(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for detector in &self.detectors {
            for name in &detector.attributes {
                let taken = names.contains(name);
                names.push(if taken { format!("{}.{name}", detector.name) } else { name.clone() });
            }
        }
        names
    }

    /// Whether any detector marks parts of pictures.
    pub fn has_regions(&self) -> bool {
        self.detectors.iter().any(|detector| detector.regions)
    }
}

impl DetectorSummary {
    /// Whether its threshold is another than its own: thresholds move in thousandths.
    pub fn is_moved(&self) -> bool {
        (self.threshold - self.default).abs() > 5e-4
    }
}

/// Progress of a job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done, as shown: `index`, `embed`, `hash`, a detector's name.
    pub stage: String,
    /// Units done.
    pub done: u64,
    /// Units in total, 0 if unknown.
    pub total: u64,
    /// Units per second, 0 if not known yet.
    pub rate: f64,
    /// Estimated seconds left, if known.
    pub remaining: Option<f64>,
    /// Number of the stage, and number of stages.
    pub step: (u32, u32),
}

/// What a scan did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScanReport {
    /// Samples in the dataset.
    pub samples: u64,
    /// Files that could not be read or decoded, but for pictures in formats that are not read.
    pub unreadable: u64,
    /// Pictures in formats that are not read.
    #[serde(default)]
    pub not_read: u64,
    /// Pictures of which a part is lost.
    #[serde(default)]
    pub damaged: u64,
    /// Files whose bytes were read and hashed (the others were unchanged).
    pub indexed: u64,
    /// Files decoded, including those decoded to show them meanwhile.
    #[serde(default)]
    pub decoded: u64,
    /// Embeddings computed now.
    pub embedded: u64,
    /// Embeddings found in the store.
    pub reused: u64,
    /// Samples flagged by at least one detector.
    pub suspects: u64,
    /// Seconds in total.
    pub seconds: f64,
    /// Seconds by stage, in order.
    pub stages: Vec<(String, f64)>,
    /// Peak resident memory of the process in bytes, if the system reports it.
    pub peak_memory: u64,
    /// Detectors that ran, with flagged counts.
    pub detectors: Vec<DetectorSummary>,
    /// Detectors that failed or were skipped: name and reason.
    pub failed: Vec<(String, String)>,
    /// What was left out, guessed or is doubtful about the dataset.
    #[serde(default)]
    pub reading: Ledger,
}

/// The answer to [`Command::Picture`](crate::Command::Picture).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// The request's ticket.
    pub ticket: Ticket,
    /// The request's slot.
    pub slot: u32,
    /// The sample.
    pub sample: SampleId,
    /// Width in pixels, 0 if there is no picture.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `width * height * 3` bytes, RGB.
    pub rgb: Vec<u8>,
    /// Width and height of the whole picture, 0 if there is none.
    pub whole: (u32, u32),
    /// Why there is no picture.
    pub error: Option<String>,
}

/// The answer to a decision, an undo or a redo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// What it was.
    pub kind: SavedKind,
    /// The samples it affects; after an undo the client moves to the first one.
    pub samples: Vec<SampleId>,
    /// Their current decision; the first one's where they may differ: after an undo, or after an entry with a decision
    /// for each.
    pub decision: Option<Decision>,
    /// In words, for the status line: `removed cats/0001.jpg`.
    pub text: String,
    /// Entries that can be undone now.
    pub undoable: u64,
    /// Entries that can be redone now.
    pub redoable: u64,
    /// Samples with a decision now.
    pub decided: u64,
    /// Samples on which reviewers disagree now.
    #[serde(default)]
    pub disputed: u64,
    /// The counts of the current list now, if there is one.
    #[serde(default)]
    pub listed: Option<ListCounts>,
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
