//! Several terminals on one session: how each takes part, and what it hears of the others.

use crate::decision::Decision;
use crate::sample::SampleId;
use crate::{ListCounts, Share};
use serde::{Deserialize, Serialize};

/// How a terminal takes part in a session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// The reviewer: whose decisions are made here, or whose review is watched.
    pub reviewer: String,
    /// How.
    pub how: How,
    /// The terminal's name, for the others: `/dev/pts/3`; may be empty.
    pub terminal: String,
    /// Begins a blind review before anything is shown.
    #[serde(default)]
    pub blind: Option<BlindWish>,
}

impl Join {
    /// A reviewer decides, in no terminal that has a name.
    pub fn review(reviewer: impl Into<String>) -> Join {
        Join { reviewer: reviewer.into(), ..Join::default() }
    }
}

/// Ways to take part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Decide, with a journal of one's own. Refused while another terminal decides as the same reviewer.
    #[default]
    Review,
    /// See what a reviewer sees and decides, and change nothing. An empty name stands for whoever came first.
    Watch,
    /// Decide in the place of the terminal of the same reviewer, or else of the only one that decides: that one ends.
    TakeOver,
}

/// What a blind review that begins is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlindWish {
    /// How many samples are drawn; `None` for all.
    pub sample: Option<Share>,
    /// Which of them are drawn: the same number draws the same samples.
    pub seed: u64,
}

/// A terminal that takes part in a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// The reviewer, as shown.
    pub reviewer: String,
    /// The terminal's name, as shown; may be empty.
    pub terminal: String,
    /// Whether it only watches this reviewer.
    pub watches: bool,
    /// Whether it is the one that is told.
    #[serde(default)]
    pub own: bool,
}

impl Attached {
    /// In words: `anna (/dev/pts/3)`, `a terminal that watches anna (/dev/pts/4)`.
    pub fn words(&self) -> String {
        let who = match self.watches {
            true => format!("a terminal that watches {}", self.reviewer),
            false => self.reviewer.clone(),
        };
        if self.terminal.is_empty() { who } else { format!("{who} ({})", self.terminal) }
    }

    /// Why no one else can decide as this reviewer now, and what can be done.
    pub fn in_the_way(&self) -> String {
        format!(
            "{} is reviewing this session in another terminal: watch with --watch, review under another name with \
             --reviewer NAME, or take over with --take-over",
            self.words()
        )
    }
}

/// What was saved in another terminal, and what that changes here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// Who, as shown.
    pub by: String,
    /// The samples it affects, each with the decision that is in force here now.
    pub samples: Vec<(SampleId, Option<Decision>)>,
    /// In words: `removed cats/0001.jpg`.
    pub text: String,
    /// Samples with a decision now.
    pub decided: u64,
    /// Samples on which reviewers disagree now.
    pub disputed: u64,
    /// On how many more of these samples reviewers disagree than before.
    pub opened: u64,
    /// The counts of the current list now, if there is one.
    pub listed: Option<ListCounts>,
}
