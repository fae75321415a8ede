//! What is being typed or selected.

use crate::action::{Action, Scope};
use chaffinch_protocol::Query;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;

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
    /// A search.
    Search,
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
    /// When a filter is applied without Enter.
    pub apply_at: Option<u64>,
    /// A completion that the next key may replace.
    pub completion: Option<Completion>,
}

impl Prompt {
    /// A prompt with this line in it.
    pub fn new(kind: PromptKind, line: Line) -> Prompt {
        Prompt { kind, line, apply_at: None, completion: None }
    }
}

/// What is typed as a tag: words become one, since a tag has no blanks.
pub fn tag_word(typed: &str) -> String {
    typed.split_whitespace().collect::<Vec<_>>().join("_")
}

/// What a list selects from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PickerKind {
    /// All keys and what they do.
    Help,
    /// All actions by name.
    Palette,
    /// A class for these samples.
    Relabel(Vec<SampleId>),
    /// A tag for these samples.
    Tag(Vec<SampleId>),
    /// The right label of a group of copies whose labels differ.
    Settle {
        /// The member that is kept, with its label.
        keep: (SampleId, Option<u32>),
        /// The others, which are removed.
        remove: Vec<SampleId>,
    },
}

/// One line of a picker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PickerItem {
    /// Shown first, matched first.
    pub name: String,
    /// Shown beside it, matched too.
    pub note: String,
    /// Shown at the side, not matched: keys, a probability.
    pub side: String,
    /// The action, where the item is one.
    pub action: Option<Action>,
}

/// A list to choose from, narrowed by typing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picker {
    /// What is chosen.
    pub kind: PickerKind,
    /// What is typed.
    pub line: Line,
    /// Everything there is.
    pub items: Vec<PickerItem>,
    /// The items that match, best first.
    pub found: Vec<usize>,
    /// The selected item, an index into `found`.
    pub selected: usize,
}

impl Picker {
    /// A picker with nothing typed.
    pub fn new(kind: PickerKind, items: Vec<PickerItem>) -> Picker {
        let found = (0..items.len()).collect();
        Picker { kind, line: Line::default(), items, found, selected: 0 }
    }

    /// Updates the matches after typing.
    pub fn refresh(&mut self) {
        let words: Vec<String> = self.line.text.split_whitespace().map(str::to_lowercase).collect();
        let says = |item: &PickerItem| {
            let name = item.action.map_or("", Action::name);
            let text = format!("{} {} {} {name}", item.name, item.note, item.side).to_lowercase();
            words.iter().all(|word| text.contains(word))
        };
        // Names are matched fuzzily; sentences only by whole words, since fuzzily they match everything.
        self.found = match self.kind {
            // A number is a row, not part of a name.
            PickerKind::Palette if self.row(u64::MAX).is_some() => Vec::new(),
            PickerKind::Help => Vec::new(),
            _ => {
                let names: Vec<&str> = self.items.iter().map(|item| item.name.as_str()).collect();
                crate::fuzzy::rank(&self.line.text, &names)
            }
        };
        let known: std::collections::BTreeSet<usize> = self.found.iter().copied().collect();
        let words_too = !matches!(self.kind, PickerKind::Palette) || self.row(u64::MAX).is_none();
        let more = (0..self.items.len())
            .filter(|_| words_too)
            .filter(|place| !known.contains(place) && says(&self.items[*place]));
        self.found.extend(more);
        self.selected = 0;
    }

    /// The row that is typed instead of a name, counted from 0: a number, or a share of this many rows in percent.
    /// `None` if it is neither.
    ///
    /// # Errors
    /// When there is no such row.
    pub fn row(&self, total: u64) -> Option<Result<u64, String>> {
        let typed = self.line.text.trim();
        let (number, share) = match typed.strip_suffix('%') {
            Some(number) => (number.trim_end(), true),
            None => (typed, false),
        };
        let digits = number.strip_prefix(['-', '+']).unwrap_or(number);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(match number.parse::<u64>() {
            Ok(percent @ 0..=100) if share => Ok((u128::from(total) * u128::from(percent) / 100) as u64),
            Ok(row @ 1..) if !share => Ok(row - 1),
            _ => Err(format!("there is no row {typed}: rows go from 1 to {}", crate::text::count(total))),
        })
    }

    /// The chosen item.
    pub fn chosen(&self) -> Option<&PickerItem> {
        self.items.get(*self.found.get(self.selected)?)
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
