//! A line of text being typed.

use crate::action::Action;

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
