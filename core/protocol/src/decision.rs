//! A reviewer's decisions.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The choice itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// The sample is fine as it is.
    Keep,
    /// The sample should be removed.
    Remove,
    /// The sample belongs to the class of this name, which need not exist yet.
    Relabel(String),
    /// The reviewer is not sure.
    Unsure,
}

impl Choice {
    /// Number of kinds of choice.
    pub const KINDS: usize = 4;

    /// The index of its kind, for counts by choice: keep, remove, relabel, unsure.
    pub const fn index(&self) -> usize {
        match self {
            Choice::Keep => 0,
            Choice::Remove => 1,
            Choice::Relabel(_) => 2,
            Choice::Unsure => 3,
        }
    }

    /// One word: `keep`, `remove`, `relabel`, `unsure`.
    pub const fn word(&self) -> &'static str {
        match self {
            Choice::Keep => "keep",
            Choice::Remove => "remove",
            Choice::Relabel(_) => "relabel",
            Choice::Unsure => "unsure",
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Choice::Relabel(label) => write!(f, "relabel to {label}"),
            other => f.write_str(other.word()),
        }
    }
}

/// A choice with its tags and note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The choice.
    pub choice: Choice,
    /// Tags, which accumulate and are never overwritten; see [`TAGS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Free text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl From<Choice> for Decision {
    fn from(choice: Choice) -> Decision {
        Decision { choice, tags: Vec::new(), note: String::new() }
    }
}

/// The tag of a decision that settles what reviewers decided differently. It only counts in the entry of a journal that also
/// decides; programs that do not know it read it as a tag like any other.
pub const ADJUDICATED: &str = "adjudicated";

/// The thirteen tags of the ImageNet cleaning work that exported manifests are compatible with. Other tags are allowed
/// too.
pub const TAGS: [&str; 13] = [
    "mislabel_confirmed",
    "mislabel_uncertain",
    "outlier_valid",
    "outlier_invalid",
    "duplicate_exact",
    "duplicate_near",
    "low_quality_blur",
    "low_quality_corrupt",
    "ambiguous_class",
    "train_test_leak",
    "keep",
    "remove",
    "relabel",
];
