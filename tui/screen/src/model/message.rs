//! What stands in the line before the last, and how a long warning goes on in the last one.

use super::{Level, Mode, Model};
use crate::text;
use crate::theme::Role;
use ratatui::layout::Rect;

impl Model {
    /// Save state, position in the list and marks, from the right end of the line to the left.
    pub fn corner(&self) -> Vec<(Role, String)> {
        let (journal, theme) = (&self.review.journal, &self.display.theme);
        let mut counts = Vec::new();
        if !journal.outstanding.is_empty() {
            counts.push((Role::Saving, format!("saving {}…", journal.outstanding.len())));
        } else if !journal.refused.is_empty() {
            let refused = text::count(journal.refused.len() as u64);
            counts.push((Role::Error, format!("{} {refused} not saved", theme.glyph(Role::Error))));
        } else if journal.saved {
            counts.push((Role::Saved, format!("{} saved", theme.glyph(Role::Saved))));
        } else {
            // The gap to the others is there all the same.
            counts.push((Role::Saved, String::new()));
        }
        if self.list.total > 0 {
            let place = format!("{}/{}", text::count(self.list.cursor + 1), text::count(self.list.total));
            counts.push((Role::Dim, place));
        }
        if !self.review.marks.is_empty() {
            let marked = format!("{} {} marked", theme.glyph(Role::Marked), self.review.marks.len());
            counts.push((Role::Marked, marked));
        }
        counts
    }

    /// The cells of the line that are left for a message, two apart from the counts.
    pub fn message_room(&self, line: Rect) -> u16 {
        let counts: usize = self.corner().iter().map(|(_, words)| text::width(words) + 2).sum();
        line.width.saturating_sub(counts as u16 + 2)
    }

    /// The last message as it fits into the line, and what of it is in the line below, in the place of most keys. A warning or an
    /// error goes on there; what is good news is shortened.
    pub fn said(&self, line: Rect) -> Option<(String, Option<String>)> {
        let delayed = self.list.incoming.as_ref().is_some_and(|incoming| incoming.delayed.is_some());
        let toast = self.toast.as_ref().filter(|_| !delayed)?;
        let glyph = match toast.level {
            Level::Info => "",
            Level::Warning => "! ",
            Level::Error => "✗ ",
        };
        let whole = text::safe(&format!("{glyph}{}", toast.text)).into_owned();
        let room = usize::from(self.message_room(line).saturating_sub(1));
        let keys_are_free = !matches!(self.mode, Mode::Confirm(_) | Mode::Prompt(_));
        if text::width(&whole) <= room || toast.level == Level::Info || !keys_are_free {
            return Some((text::fit_path(&whole, room).into_owned(), None));
        }
        let below = usize::from(line.width.saturating_sub(3 + self.needed_room()));
        // Its path gives way as far as the break between the lines takes room.
        let mut cells = room + below;
        loop {
            let fitted = text::fit_path(&whole, cells);
            let (first, rest) = text::split(&fitted, room);
            let over = text::width(rest).saturating_sub(below);
            if over == 0 {
                return Some((first.to_owned(), Some(rest.to_owned())));
            }
            cells = cells.saturating_sub(over);
        }
    }
}
