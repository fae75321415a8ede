//! What is shown for a sample: its row in the list, and its details.

use crate::decision::Decision;
use crate::sample::SampleId;
use crate::sample::Split;
use serde::{Deserialize, Serialize};

/// One row of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The sample.
    pub sample: SampleId,
    /// Its path as in the dataset, made safe for a terminal.
    pub path: String,
    /// Given label, an index into [`SessionSummary::classes`](crate::SessionSummary::classes).
    pub label: Option<u32>,
    /// Suggested label.
    pub suggested: Option<u32>,
    /// The ensemble's score, 0 = surely an issue; `None` if no detector scored it.
    pub score: Option<f32>,
    /// Detectors that flag it, as indices into [`SessionSummary::detectors`](crate::SessionSummary::detectors).
    pub flags: Vec<u16>,
    /// Its split.
    pub split: Split,
    /// The decision.
    pub decision: Option<Decision>,
    /// The value of the attribute that the list is sorted by.
    #[serde(default)]
    pub value: Option<f32>,
    /// The first eight digits of its content hash in hexadecimal, empty before the scan.
    #[serde(default)]
    pub content: String,
}

/// The row of a sample that was asked for by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListedRow {
    /// The row.
    pub row: Row,
    /// Whether the current list has it.
    pub listed: bool,
}

/// Everything about one sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detail {
    /// Its row.
    pub row: Row,
    /// Where the file is, made safe for a terminal.
    pub full_path: String,
    /// Content hash in hexadecimal, empty before the scan.
    pub hash: String,
    /// Size in pixels after applying the orientation.
    pub width: u32,
    /// Size in pixels after applying the orientation.
    pub height: u32,
    /// File size.
    pub bytes: u64,
    /// Why it could not be decoded, if it could not.
    pub unreadable: Option<String>,
    /// Its tags, with or without a decision.
    pub tags: Vec<String>,
    /// The reviewer's own note, empty if there is none.
    pub note: String,
    /// What other reviewers noted: their names as shown, and their notes.
    #[serde(default)]
    pub other_notes: Vec<(String, String)>,
    /// Who decided, as shown; empty if undecided.
    #[serde(default)]
    pub reviewer: String,
    /// What other reviewers decided where they disagree, as shown: their names, and their decisions in words.
    #[serde(default)]
    pub other_decisions: Vec<(String, String)>,
    /// Everything that reviewers said about it, the latest first.
    #[serde(default)]
    pub history: Vec<DetailEntry>,
    /// What each detector reports, worst first.
    pub issues: Vec<DetailIssue>,
    /// Alternative labels, best supported first, at most nine.
    pub candidates: Vec<Candidate>,
    /// Nearest neighbors in embedding space, nearest first.
    pub neighbors: Vec<DetailRelated>,
    /// Samples with the suggested label that are most like this one and that no detector flags, nearest first: what the
    /// suggestion would put it beside.
    #[serde(default)]
    pub exemplars: Vec<DetailRelated>,
    /// Columns kept from the user's table.
    pub extra: Vec<(String, String)>,
    /// Attributes that detectors give it, by detector and name.
    #[serde(default)]
    pub attributes: Vec<DetailAttribute>,
    /// The parts of its picture that matter to detectors.
    #[serde(default)]
    pub regions: Vec<DetailRegion>,
    /// In a list by what decisions teach, why it is not where the rank has it: `moved up: leaks, label-quality`; else empty.
    #[serde(default)]
    pub learned: String,
}

/// What a reviewer said about a sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetailEntry {
    /// Who, made safe for a terminal.
    pub reviewer: String,
    /// When: ISO 8601, UTC.
    pub at: String,
    /// What, in words, made safe for a terminal: `remove`, `clear`, `tag +crop`, `note`.
    pub words: String,
    /// Whether it decides, and does not only clear, tag or note.
    #[serde(default)]
    pub decides: bool,
    /// Whether it settled what reviewers had decided differently.
    #[serde(default)]
    pub adjudicates: bool,
    /// Whether its reviewer has undone it since.
    #[serde(default)]
    pub undone: bool,
}

/// An attribute of a sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetailAttribute {
    /// The detector that gives it.
    pub detector: String,
    /// Its name.
    pub name: String,
    /// Its unit, made safe for a terminal; possibly empty.
    pub unit: String,
    /// Its value.
    pub value: f32,
}

/// A part of a picture that matters to a detector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetailRegion {
    /// The detector.
    pub detector: String,
    /// What is there, made safe for a terminal; possibly empty.
    pub label: String,
    /// The left, top, right and bottom edges in fractions of the picture.
    pub edges: [f32; 4],
}

/// A label that a sample could have.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The index of its class.
    pub class: u32,
    /// How much the picture looks like it to the model, beside the other classes: 0 to 1, in sum 1 over all classes; `None`
    /// without a model. It orders classes and is drawn as a bar. It is not calibrated, so it is never shown as a number.
    pub likeness: Option<f32>,
}

/// What one detector says about the sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetailIssue {
    /// The detector.
    pub detector: String,
    /// Its score.
    pub score: f32,
    /// Its current threshold.
    pub threshold: f32,
    /// Whether it flags the sample.
    pub flagged: bool,
    /// The label it suggests.
    pub suggested: Option<u32>,
    /// One English sentence.
    pub reason: String,
    /// Its evidence.
    pub related: Vec<DetailRelated>,
    /// All members of its group including this sample, for deciding on a whole group.
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
    /// Similarity, 1 = identical.
    pub similarity: f32,
    /// As of a [`Row`].
    #[serde(default)]
    pub content: String,
}
