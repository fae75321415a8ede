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
    /// All of them, in the order of the command line.
    pub const ALL: [Leaks; 3] = [Leaks::MoveToTrain, Leaks::RemoveTrain, Leaks::RemoveTest];

    /// What it does, in a few words.
    pub const fn rule(self) -> &'static str {
        match self {
            Leaks::MoveToTrain => "move all copies to training, or else to the earliest split that has one",
            Leaks::RemoveTrain => "remove copies in training, or else in the earlier split",
            Leaks::RemoveTest => "remove copies in test and validation, or else in the later split",
        }
    }

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
    /// All of them, in the order of the command line.
    pub const ALL: [Copies; 5] =
        [Copies::KeepLarger, Copies::KeepSharper, Copies::KeepLabeled, Copies::KeepOlder, Copies::KeepTest];

    /// What it goes by, in a few words.
    pub const fn rule(self) -> &'static str {
        match self {
            Copies::KeepLarger => "most pixels",
            Copies::KeepSharper => "most detail",
            Copies::KeepLabeled => "one with a label",
            Copies::KeepOlder => "changed longest ago",
            Copies::KeepTest => "in the latest split: test before validation before training",
        }
    }

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
