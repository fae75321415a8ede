//! Policies for copies of a picture.

use chaffinch_protocol::sample::Split;
use serde::{Deserialize, Serialize};

/// What to do with a picture that is in several splits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leaks {
    /// All its copies move to training, or else to the earliest split that one of them is in.
    MoveToTrain,
    /// Copies in training go, or else those in the earlier split: the evaluation stays as it is.
    RemoveTrain,
    /// Copies in test and validation go, or else those in the later split: the training set stays as it is.
    RemoveTest,
}

/// Which copy of a picture to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Copies {
    /// That with most pixels.
    KeepLarger,
    /// That with most detail.
    KeepSharper,
    /// One with a label.
    KeepLabeled,
    /// That whose file was changed longest ago.
    KeepOlder,
    /// That in the latest split: test before validation before training.
    KeepTest,
}

impl Leaks {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Leaks::MoveToTrain => "move-to-train",
            Leaks::RemoveTrain => "remove-train",
            Leaks::RemoveTest => "remove-test",
        }
    }
}

impl Copies {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Copies::KeepLarger => "keep-larger",
            Copies::KeepSharper => "keep-sharper",
            Copies::KeepLabeled => "keep-labeled",
            Copies::KeepOlder => "keep-older",
            Copies::KeepTest => "keep-test",
        }
    }
}

/// The order of splits, from training to test; `None` for a sample without one.
pub(super) fn stage(split: Split) -> Option<u8> {
    match split {
        Split::None => None,
        Split::Train => Some(0),
        Split::Validation => Some(1),
        Split::Test => Some(2),
    }
}
