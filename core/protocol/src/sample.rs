//! The basic terms: sample, class and split.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// One image of the dataset, by its row in the manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SampleId(pub u32);

impl SampleId {
    /// The row as an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One class of the dataset, by its index in the manifest's sorted list of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LabelId(pub u32);

impl LabelId {
    /// The class as an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Which part of the dataset a sample belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// The dataset has no splits, or none for this sample.
    #[default]
    None,
    /// Training.
    Train,
    /// Validation.
    Validation,
    /// Test.
    Test,
}

impl Split {
    /// The number used for detectors and in columnar files.
    pub const fn code(self) -> u8 {
        match self {
            Split::None => 0,
            Split::Train => 1,
            Split::Validation => 2,
            Split::Test => 3,
        }
    }

    /// The split for a number; anything unknown is [`Split::None`].
    pub const fn from_code(code: u8) -> Split {
        match code {
            1 => Split::Train,
            2 => Split::Validation,
            3 => Split::Test,
            _ => Split::None,
        }
    }

    /// The split whose folder or column value is exactly `name` (any case): `train`, `training`, `val`,
    /// `valid`, `validation`, `dev`, `test`, `testing`. Never a substring test.
    pub fn from_name(name: &str) -> Option<Split> {
        Some(match name.to_ascii_lowercase().as_str() {
            "train" | "training" => Split::Train,
            "val" | "valid" | "validation" | "dev" => Split::Validation,
            "test" | "testing" => Split::Test,
            _ => return None,
        })
    }

    /// Its name in files; empty for [`Split::None`].
    pub const fn name(self) -> &'static str {
        match self {
            Split::None => "",
            Split::Train => "train",
            Split::Validation => "validation",
            Split::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Split {
    type Err = String;

    fn from_str(name: &str) -> Result<Split, String> {
        if name.is_empty() {
            return Ok(Split::None);
        }
        Split::from_name(name)
            .ok_or_else(|| format!("'{name}' is not a split: use train, validation or test"))
    }
}
