//! What is shown of a sample: its row in the list, and its details.

use crate::decision::Decision;
use crate::sample::SampleId;
use crate::sample::Split;
use serde::{Deserialize, Serialize};

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
