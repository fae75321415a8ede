//! What receives the keys: a line being typed, a list to choose from, a question.

use super::Picker;
use crate::action::{Action, Scope};
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Query, Ticket};

/// One line of text with a cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The text.
    pub text: String,
    /// The cursor as a byte offset, always between two characters.
    pub at: usize,
}

impl Line {
    /// A line with the cursor at its end.
    pub fn new(text: &str) -> Line {
        Line { text: text.to_owned(), at: text.len() }
    }

    /// Inserts text at the cursor, without control characters.
    pub fn insert(&mut self, text: &str) {
        let clean: String = text.chars().filter(|c| !c.is_control()).collect();
        self.text.insert_str(self.at, &clean);
        self.at += clean.len();
    }

    /// Moves one character left.
    pub fn left(&mut self) {
        self.at = self.before();
    }

    /// Moves one character right.
    pub fn right(&mut self) {
        self.at += self.text[self.at..].chars().next().map_or(0, char::len_utf8);
    }

    /// Deletes the character before the cursor.
    pub fn backspace(&mut self) {
        let start = self.before();
        self.text.replace_range(start..self.at, "");
        self.at = start;
    }

    /// Deletes the character under the cursor.
    pub fn delete(&mut self) {
        let end = self.at + self.text[self.at..].chars().next().map_or(0, char::len_utf8);
        self.text.replace_range(self.at..end, "");
    }

    /// Deletes the word before the cursor.
    pub fn delete_word(&mut self) {
        let head = self.text[..self.at].trim_end();
        let start = head
            .rfind(char::is_whitespace)
            .map_or(0, |at| at + head[at..].chars().next().map_or(1, char::len_utf8));
        self.text.replace_range(start..self.at, "");
        self.at = start;
    }

    /// Deletes everything before the cursor.
    pub fn delete_line(&mut self) {
        self.text.replace_range(..self.at, "");
        self.at = 0;
    }

    /// Handles an editing action; ignores any other.
    pub fn act(&mut self, action: Action) {
        match action {
            Action::PromptLeft => self.left(),
            Action::PromptRight => self.right(),
            Action::PromptHome => self.at = 0,
            Action::PromptEnd => self.at = self.text.len(),
            Action::PromptBackspace => self.backspace(),
            Action::PromptDelete => self.delete(),
            Action::PromptDeleteWord => self.delete_word(),
            Action::PromptDeleteLine => self.delete_line(),
            _ => {}
        }
    }

    fn before(&self) -> usize {
        self.at - self.text[..self.at].chars().next_back().map_or(0, char::len_utf8)
    }
}

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// These samples get this decision.
    Decide(Vec<SampleId>, Choice),
    /// Each of these samples gets its decision; then something is said besides.
    DecideEach(Vec<(SampleId, Choice)>, String),
    /// The first is kept, the others are removed.
    KeepOnly(SampleId, Vec<SampleId>),
}

/// A yes/no question.
#[derive(Clone, Debug, PartialEq, Eq)]
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

#[cfg(test)]
mod tests {
    use super::Line;

    #[test]
    fn editing_keeps_the_cursor_between_characters() {
        let mut line = Line::new("größe 猫 x");
        line.left();
        line.left();
        line.backspace();
        assert_eq!(line.text, "größe  x");
        line.insert("a\nb\x1b");
        assert_eq!(line.text, "größe ab x");
        line.delete_word();
        assert_eq!(line.text, "größe  x");
        line.delete();
        assert_eq!(line.text, "größe x");
        line.delete_line();
        assert_eq!((line.text.as_str(), line.at), ("x", 0));
        line.left();
        line.backspace();
        line.right();
        line.right();
        assert_eq!((line.text.as_str(), line.at), ("x", 1));
    }
}
