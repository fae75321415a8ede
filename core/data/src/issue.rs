//! What detectors found, one set of columns per detector, row-aligned with the manifest.

use crate::set_value::SetValue;
use chaffinch_protocol::sample::SampleId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name under which files that could not be decoded are reported. No library can have it.
pub const UNREADABLE: &str = "unreadable";
/// The name under which pictures of which a part is lost are reported.
pub const DAMAGED: &str = "damaged";
/// The name under which pictures in formats that are not read are reported.
pub const NOT_READ: &str = "unsupported-format";
/// The name under which pictures are reported that conversion to 8-bit RGB changes.
pub const CONVERSION: &str = "conversion";
/// The name under which pictures without an embedding are reported.
pub const EMBEDDINGS: &str = "embeddings";
/// The name under which pictures without probabilities are reported, where these were given.
pub const PROBABILITIES: &str = "probabilities";

/// The names of results that come from reading the files, not from a detector.
pub const BUILT_IN: [&str; 6] = [UNREADABLE, DAMAGED, NOT_READ, CONVERSION, EMBEDDINGS, PROBABILITIES];

/// Whether a result of this name comes from reading the files, not from a detector.
pub fn is_built_in(name: &str) -> bool {
    BUILT_IN.contains(&name)
}

impl RunRecord {
    /// Whether another program made the result: no scan computes it anew.
    pub fn is_imported(&self) -> bool {
        !self.imported.is_empty()
    }
}

/// What one detector said about one sample.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Issue {
    /// 0 = surely an issue, 1 = surely fine.
    pub score: f32,
    /// Suggested label, as an index into the manifest's classes.
    pub suggested: Option<u32>,
    /// Group within this detector.
    pub group: Option<u32>,
    /// Evidence: sample and similarity.
    pub related: Vec<(SampleId, f32)>,
    /// One English sentence, possibly empty.
    pub reason: String,
}

/// Something that a detector found about the dataset as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// `info`, `warning` or `serious`.
    pub severity: String,
    /// One sentence.
    pub text: String,
    /// Rows of samples that show it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<u32>,
}

/// A part of a picture that matters to a detector.
#[derive(Clone, Debug, PartialEq)]
pub struct Boxed {
    /// The left, top, right and bottom edges in fractions of the picture.
    pub edges: [f32; 4],
    /// What is there, possibly empty.
    pub label: String,
}

/// The record of a detector's run, in addition to its columns.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct RunRecord {
    /// The detector's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// One line that says what it finds.
    pub summary: String,
    /// Whether it judges groups.
    pub groups: bool,
    /// Its default threshold.
    pub threshold: f32,
    /// The parameters it ran with; earlier versions kept choices by number.
    pub params: BTreeMap<String, SetValue>,
    /// Seconds it took. Not stored on disk, so that the same input gives the same bytes.
    #[serde(skip)]
    pub seconds: f64,
    /// The most memory that its process had to itself in bytes; 0 if it had none of its own. Not stored on disk either.
    #[serde(skip)]
    pub memory: u64,
    /// Named texts about the run.
    pub notes: Vec<(String, String)>,
    /// What it found about the dataset as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Found>,
    /// The units of its attributes, by name; empty where an attribute has none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub units: BTreeMap<String, String>,
    /// The program whose result it is, if it was imported and not computed here: `cleanlab`; empty otherwise.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub imported: String,
    /// The digest of the code that found it; empty if that is not known, or if it is not the result of a detector.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// The digest of the decisions that it saw; empty if it reads none, or if they are unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub decisions: String,
    /// The digest of the prompts that it was asked with; empty if it reads none, or if they are unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prompts: String,
    /// Whether it read scores of another detector that were out of date.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_outdated: bool,
    /// Whether pictures that it was to see were away or were others than those that were indexed, so that a run is due that sees
    /// them all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missed_pictures: bool,
    /// Whether its code changed while it ran, so that nobody knows which code found it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub code_changed: bool,
    /// Digest of everything the result depends on (samples, labels, model, prompts, parameters, library): the same
    /// digest means that the result is up to date.
    pub input_digest: String,
}

impl RunRecord {
    /// Whether the run saw all that it was to see, with one code: otherwise it is repeated, whatever its inputs are.
    pub fn is_settled(&self) -> bool {
        !self.missed_pictures && !self.code_changed
    }

    /// Whether it may be what this code finds.
    pub fn is_of_code(&self, digest: &str) -> bool {
        !self.code_changed && (self.code.is_empty() || digest.is_empty() || self.code == digest)
    }

    /// Whether it may be what is found with decisions of this digest.
    pub fn is_of_decisions(&self, digest: &str) -> bool {
        self.decisions.is_empty() || digest.is_empty() || self.decisions == digest
    }

    /// Whether it may be what is found with prompts of this digest.
    pub fn is_of_prompts(&self, digest: &str) -> bool {
        self.prompts.is_empty() || digest.is_empty() || self.prompts == digest
    }
}
