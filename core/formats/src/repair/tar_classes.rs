//! The numbers of classes in `classes.txt` beside WebDataset shards, to which new classes are added.

use super::refusal::refused;
use crate::{Error, Result};
use chaffinch_data::class_names;
use chaffinch_protocol::display::safe_text;
use std::fs;
use std::path::PathBuf;

/// The classes that a file lists by their numbers, those that are added included.
pub(super) struct Numbers {
    file: PathBuf,
    names: Vec<String>,
    /// How many of them are in the file.
    old: usize,
}

impl Numbers {
    pub(super) fn new(file: PathBuf, names: Vec<String>) -> Numbers {
        Numbers { file, old: names.len(), names }
    }

    /// The number of a class, which gets the next one if it has none.
    ///
    /// # Errors
    /// When the file cannot list it.
    pub(super) fn of(&mut self, name: &str) -> Result<usize> {
        if let Some(number) = self.names.iter().position(|class| class_names::same(class, name)) {
            return Ok(number);
        }
        if name.contains(['\n', '\r']) {
            let name = safe_text(name);
            return Err(refused(&self.file, format!("it has one class a line, so '{name}' cannot be added")));
        }
        self.names.push(name.to_owned());
        Ok(self.names.len() - 1)
    }

    /// The class that text stands for: its name, if it is a number that has one.
    pub(super) fn named<'t>(&'t self, text: &'t str) -> &'t str {
        let name = text.trim().parse().ok().and_then(|number: usize| self.names.get(number));
        name.filter(|name| !name.is_empty()).map_or(text, String::as_str)
    }

    /// The file with a line for each class that was added, and every byte that it had; `None` if none was.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn rewritten(self) -> Result<Option<(PathBuf, Vec<u8>)>> {
        if self.names.len() == self.old {
            return Ok(None);
        }
        let mut bytes = fs::read(&self.file).map_err(Error::io("read", &self.file))?;
        add_lines(&mut bytes, &self.names[self.old..]);
        Ok(Some((self.file, bytes)))
    }
}

/// Adds lines with the ends that the others have. If the last one has no end, neither does the new last one.
fn add_lines(bytes: &mut Vec<u8>, names: &[String]) {
    let end: &[u8] = if bytes.windows(2).any(|two| two == b"\r\n") { b"\r\n" } else { b"\n" };
    let is_ended = bytes.is_empty() || bytes.ends_with(b"\n");
    for name in names {
        if !is_ended {
            bytes.extend_from_slice(end);
        }
        bytes.extend_from_slice(name.as_bytes());
        if is_ended {
            bytes.extend_from_slice(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_added_as_the_others_are_written() {
        for (old, new) in [
            ("cat\ndog\n", "cat\ndog\nbird\ncow\n"),
            ("cat\ndog", "cat\ndog\nbird\ncow"),
            (" cat\r\ndog\r\n", " cat\r\ndog\r\nbird\r\ncow\r\n"),
            ("cat\r\ndog", "cat\r\ndog\r\nbird\r\ncow"),
            ("cat\n\n", "cat\n\nbird\ncow\n"),
            ("", "bird\ncow\n"),
        ] {
            let mut bytes = old.as_bytes().to_vec();
            add_lines(&mut bytes, &["bird".to_owned(), "cow".to_owned()]);
            assert_eq!(String::from_utf8(bytes).unwrap(), new);
            // The new ones have the next numbers.
            assert_eq!(new.lines().count(), old.lines().count() + 2);
        }
    }
}
