//! Repair: from decisions and policies to a list of changes to the dataset. Nothing is changed here.
//!
//! What people decided always stands. A policy only speaks of samples that nobody decided about, and where it would have
//! done otherwise, that is a [`Conflict`]. Copies are those of which the detector says that they are the same picture; what
//! is merely alike is never touched.

mod best;
mod counts;
mod kept;
mod make;
mod policy;

pub use best::{Because, Best, best};
pub use counts::{Count, Counts};
pub use kept::is_whole;
pub use make::{Policies, make};
pub use policy::{Copies, Leaks};

use crate::{Error, Result};
use chaffinch_compute::content::ContentHash;
use chaffinch_data::atomic;
use chaffinch_data::class_names;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::sample::{SampleId, Split};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The version of plan files that is written and read.
pub const VERSION: u32 = 1;

/// A path in JSON: bytes that are not UTF-8 are written as `\xff`, and a backslash that would read like that as `\x5c`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PathText(String);

impl PathText {
    /// Writes a path.
    pub fn new(path: &Path) -> PathText {
        PathText(class_names::of_bytes(path.as_os_str().as_bytes()))
    }

    /// The path that is written.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(OsString::from_vec(class_names::bytes(&self.0).into_owned()))
    }
}

/// What becomes of one sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its path as in the dataset.
    pub path: PathText,
    /// Its row in the dataset, which tells apart rows of a table that name the same file.
    pub row: u32,
    /// Whether other rows have the same path, so that it does not say which one this is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
    /// The hash of its content when the plan was made.
    pub hash: ContentHash,
    /// Its label, empty if it has none.
    pub label: String,
    /// Its split.
    pub split: Split,
    /// Whether it is removed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remove: bool,
    /// Its new label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_label: Option<String>,
    /// Its new split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_split: Option<Split>,
    /// Who or what wants this, in words.
    pub why: String,
}

impl Change {
    /// The label afterwards.
    pub fn label_after(&self) -> &str {
        self.to_label.as_deref().unwrap_or(&self.label)
    }

    /// The split afterwards.
    pub fn split_after(&self) -> Split {
        self.to_split.unwrap_or(self.split)
    }

    /// It as a line of a diff, made safe for a terminal: `- a.jpg (why)`, `~ b.jpg cat -> dog, test -> train (why)`. Where other
    /// rows have the same path, with its row, counted from 1: `- a.jpg row 42 (why)`.
    pub fn words(&self) -> String {
        let row = if self.repeated { format!(" row {}", u64::from(self.row) + 1) } else { String::new() };
        let path = format!("{}{row}", safe_path(&self.path.path()));
        let why = safe_text(&self.why);
        if self.remove {
            return format!("- {path} ({why})");
        }
        let named = |label: &str| match label {
            "" => "no label".to_owned(),
            label => safe_text(label).into_owned(),
        };
        let in_split = |split: Split| if split == Split::None { "no split" } else { split.name() };
        let label = self.to_label.as_ref().map(|to| format!(" {} -> {}", named(&self.label), named(to)));
        let split = self.to_split.map(|to| format!(" {} -> {}", in_split(self.split), in_split(to)));
        let (label, split) = (label.unwrap_or_default(), split.unwrap_or_default());
        let comma = if label.is_empty() || split.is_empty() { "" } else { "," };
        format!("~ {path}{label}{comma}{split} ({why})")
    }

    /// Its sample.
    pub fn id(&self) -> SampleId {
        SampleId(self.row)
    }
}

/// A sample with which a policy would have done something else than people decided, or could not do anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Its path as in the dataset.
    pub path: PathText,
    /// What stands against what, in a sentence.
    pub text: String,
}

impl Conflict {
    /// It as a line beside those of a diff, made safe for a terminal: `! a.jpg why`.
    pub fn words(&self) -> String {
        format!("! {} {}", safe_path(&self.path.path()), safe_text(&self.text))
    }
}

/// A list of changes to a dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`VERSION`].
    pub version: u32,
    /// The dataset's absolute path.
    pub dataset: PathText,
    /// How it is read.
    pub reading: DatasetOptions,
    /// Its samples.
    pub samples: u64,
    /// The policies that were followed.
    pub policies: Policies,
    /// The changes, in the order of the dataset.
    pub changes: Vec<Change>,
    /// Where decisions and policies disagree.
    pub conflicts: Vec<Conflict>,
    /// Samples by class and split, before and after.
    pub counts: Counts,
}

impl Plan {
    /// Writes it as JSON.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        atomic::write(path, |out| {
            serde_json::to_writer_pretty(&mut *out, self).map_err(io::Error::from)?;
            out.write_all(b"\n")
        })
    }

    /// Reads a file written by [`Plan::save`].
    ///
    /// # Errors
    /// When it cannot be read, is not a plan, or has another version.
    pub fn load(path: &Path) -> Result<Plan> {
        let bytes = fs::read(path).map_err(Error::io("read", path))?;
        let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| {
            Error::format(path, format!("it is not a plan: {error}; write one with chaffinch plan"))
        })?;
        match value.get("version").and_then(serde_json::Value::as_u64) {
            Some(version) if version == u64::from(VERSION) => {}
            Some(version) => {
                let message =
                    format!("it is a plan of version {version}, this program reads version {VERSION}");
                return Err(Error::format(path, message));
            }
            None => return Err(Error::format(path, "it is not a plan; write one with chaffinch plan")),
        }
        serde_json::from_value(value)
            .map_err(|error| Error::format(path, format!("it is a damaged plan: {error}")))
    }

    /// A name for this plan: the first digits of the hash of what it changes.
    pub fn id(&self) -> String {
        let text = serde_json::to_vec(&(&self.dataset, &self.changes)).unwrap_or_default();
        ContentHash::of(&text).to_string()[..12].to_owned()
    }

    /// Samples that are removed.
    pub fn removed(&self) -> u64 {
        self.changes.iter().filter(|change| change.remove).count() as u64
    }

    /// Samples that get another label.
    pub fn relabeled(&self) -> u64 {
        self.changes.iter().filter(|change| change.to_label.is_some()).count() as u64
    }

    /// Samples that get another split.
    pub fn moved(&self) -> u64 {
        self.changes.iter().filter(|change| change.to_split.is_some()).count() as u64
    }
}

#[cfg(test)]
mod tests;
