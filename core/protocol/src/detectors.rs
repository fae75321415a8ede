//! Detectors as they are managed: which there are, where they come from, what they need and cost, and what became of them.

use crate::{PromptTally, Ticket};
use serde::{Deserialize, Serialize};

/// What a detector does in a scan. These are all the states there are, under the names that every list of detectors uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DetectorState {
    /// It runs.
    #[default]
    Ready,
    /// It runs, and has not run since the dataset, its code, or the decisions or prompts that it reads changed: what it found stays
    /// with its pictures.
    Outdated,
    /// It does not run, since the last scan or the configuration names others; what it found before counts.
    NotChosen,
    /// It does not run, and what it found before flags nothing.
    Disabled,
    /// It does not run, because it crashed, hung or broke the protocol.
    SetAside,
    /// It does not run, because its code has changed since it was first used.
    Changed,
    /// Its last run failed.
    Failed,
    /// There is something in its place that cannot be loaded.
    Refused,
    /// It is in none of the folders that were searched, and what it found before still counts.
    NotLoaded,
}

impl DetectorState {
    /// Its name, as shown.
    pub fn words(self) -> &'static str {
        match self {
            DetectorState::Ready => "ready",
            DetectorState::Outdated => "out of date",
            DetectorState::NotChosen => "not chosen",
            DetectorState::Disabled => "disabled",
            DetectorState::SetAside => "set aside",
            DetectorState::Changed => "changed",
            DetectorState::Failed => "failed",
            DetectorState::Refused => "refused",
            DetectorState::NotLoaded => "not loaded",
        }
    }

    /// Of a loaded detector, from what is known of it: the first that applies.
    pub fn of(disabled: bool, set_aside: bool, failed: bool, outdated: bool) -> DetectorState {
        match (disabled, set_aside, failed, outdated) {
            (true, ..) => DetectorState::Disabled,
            (_, true, ..) => DetectorState::SetAside,
            (_, _, true, _) => DetectorState::Failed,
            (.., true) => DetectorState::Outdated,
            _ => DetectorState::Ready,
        }
    }
}

/// Where a detector comes from, what it needs, and what its last run did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DetectorAbout {
    /// What it does in a scan.
    pub state: DetectorState,
    /// Why it is in this state, where that needs saying; empty otherwise.
    pub why: String,
    /// Where it was found, in words: `ships with the program`.
    pub origin: String,
    /// Its library or description, as shown.
    pub path: String,
    /// The digest of its code.
    pub digest: String,
    /// Whether a change of its code will be noticed: it does not ship with the program, and has run.
    pub pinned: bool,
    /// How the program talks to it: `ABI 7`, `worker protocol 1`, `no code`.
    pub speaks: String,
    /// Whether it runs in a process of its own.
    pub apart: bool,
    /// What it may use then, in words.
    pub limits: String,
    /// What of its confinement this machine's kernel enforces, in words.
    pub confined: String,
    /// What it asks for: `embeddings`, `texts`, ….
    pub needs: Vec<String>,
    /// The columns of the dataset that it reads.
    pub columns: Vec<String>,
    /// The detectors that run before it.
    pub after: Vec<String>,
    /// Seconds that its last run took, if that is known.
    pub seconds: Option<f64>,
    /// The most memory in bytes that its process had to itself in that run, if it had a process of its own.
    pub memory: Option<u64>,
    /// The last lines that its last run printed; empty if it printed nothing, or if that is not known.
    pub printed: String,
    /// When its results were written, ISO 8601; empty if it has none, or if that does not matter.
    pub written: String,
    /// Whether what it found was taken out of the session and can be put back.
    pub removed: bool,
    /// Samples that it flags, if it has results.
    pub flagged: Option<u64>,
    /// Its last run compared with the one before, if there was one.
    pub compared: Option<Compared>,
}

/// Two runs of a detector under its current threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// Samples that only the last run flags; the filter `newly:DETECTOR` lists them.
    pub newly: u64,
    /// Samples that only the one before flags; the filter `formerly:DETECTOR` lists them.
    pub formerly: u64,
}

/// Code that does not run because it is not the code that ran before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedDetector {
    /// The detectors in it, as far as they are known.
    pub names: Vec<String>,
    /// The library or description, as shown.
    pub path: String,
    /// The digest of the code that ran.
    pub was: String,
    /// The digest of the code that is there now.
    pub now: String,
    /// The files that differ, in words.
    pub what: String,
}

/// [`Tried::failed`] while a scan is running.
pub const BUSY: &str = "a scan is running; wait for it or cancel it first";

/// [`Tried::failed`] once something else was asked, here or in another terminal.
pub const STOPPED: &str = "stopped";

/// What a detector would flag with other parameters: the answer to [`Command::Try`](crate::Command::Try).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// The question's ticket.
    pub ticket: Ticket,
    /// The detector.
    pub detector: String,
    /// Samples that it would flag at its current threshold.
    pub flagged: u64,
    /// Samples that it would score.
    pub scored: u64,
    /// The same compared with its results, if it has any.
    pub compared: Option<Compared>,
    /// The same by class, if it was tried with other prompts.
    #[serde(default)]
    pub classes: Vec<PromptTally>,
    /// Why there is no answer; empty if there is one.
    pub failed: String,
}
