//! What receives the keys: a line being typed, a list to choose from, a question.

use super::{Line, Picker};
use crate::action::Scope;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Command, Query, Ticket};

/// What a typed line is for.
#[derive(Clone, Debug, PartialEq)]
pub enum PromptKind {
    /// A filter, applied as it is typed.
    Filter {
        /// The query to go back to.
        before: Box<Query>,
    },
    /// A search, which goes along as it is typed.
    Search {
        /// The row that it started from.
        from: u64,
    },
    /// What the list is ordered by in meaning, applied as it is typed.
    Meaning {
        /// The query to go back to.
        before: Box<Query>,
        /// The sample that the cursor was on, and its row.
        here: (Option<SampleId>, u64),
        /// The path of that sample.
        this: Option<String>,
    },
    /// A note about these samples.
    Note(Vec<SampleId>),
    /// How many times the recorded keys are replayed.
    Times,
}

/// A completion inserted into a line, and its alternatives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// Where the completed word starts, as a byte offset.
    pub start: usize,
    /// What it may be.
    pub options: Vec<String>,
    /// Which of them it is now.
    pub chosen: usize,
}

/// A line being typed.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// What for.
    pub kind: PromptKind,
    /// The line.
    pub line: Line,
    /// When a filter or a search is applied without Enter.
    pub apply_at: Option<u64>,
    /// A completion that the next key may replace.
    pub completion: Option<Completion>,
    /// What is wrong with a filter.
    pub wrong: Option<Wrong>,
    /// Enter was pressed: the list that it waits for. Keys typed since are for that list and wait too.
    pub closing: Option<Ticket>,
}

/// What is wrong with a typed filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// What, and what to write instead.
    pub message: String,
    /// The word, from its first byte to the one after its last.
    pub at: Option<(usize, usize)>,
    /// Whether Enter was pressed on it. Until then the word may still be unfinished.
    pub entered: bool,
}

impl Prompt {
    /// A prompt with this line in it.
    pub fn new(kind: PromptKind, line: Line) -> Prompt {
        Prompt { kind, line, apply_at: None, completion: None, wrong: None, closing: None }
    }
}

/// What to do when a question is answered with yes.
#[derive(Clone, Debug, PartialEq)]
pub enum Consequence {
    /// These samples get this decision.
    Decide(Vec<SampleId>, Choice),
    /// Each of these samples gets its decision; then something is said besides.
    DecideEach(Vec<(SampleId, Choice)>, String),
    /// The first is kept, the others are removed.
    KeepOnly(SampleId, Vec<SampleId>),
    /// Something is sent to the engine.
    Send(Command),
}

/// A yes/no question. Only a key that was pressed for it leads to one: what comes by itself is said, and not asked, since the next
/// key was on its way already.
#[derive(Clone, Debug, PartialEq)]
pub struct Confirm {
    /// The question.
    pub question: String,
    /// What yes does.
    pub yes: Consequence,
}

/// What receives the keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Mode {
    /// The list.
    #[default]
    List,
    /// A typed line.
    Prompt(Prompt),
    /// A list to choose from.
    Picker(Picker),
    /// A question.
    Confirm(Confirm),
    /// A page on top of the one with samples.
    Panel(super::Panel),
}

impl Mode {
    /// Which keymap table is active.
    pub fn scope(&self) -> Scope {
        match self {
            Mode::List => Scope::List,
            Mode::Prompt(_) | Mode::Picker(_) | Mode::Confirm(_) => Scope::Prompt,
            Mode::Panel(panel) if panel.editing.is_some() => Scope::Prompt,
            Mode::Panel(panel) => panel.page.scope(),
        }
    }
}
