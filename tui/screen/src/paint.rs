//! Drawing text into cells: sanitized, cut to fit, in the style of a role.

use crate::text;
use crate::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

/// Cells to draw into, and the theme to draw with.
pub struct Paint<'a> {
    /// The cells.
    pub buffer: &'a mut Buffer,
    /// The looks.
    pub theme: &'a Theme,
}

impl<'a> Paint<'a> {
    /// Draws into these cells.
    pub fn new(buffer: &'a mut Buffer, theme: &'a Theme) -> Paint<'a> {
        Paint { buffer, theme }
    }

    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// The style of a role drawn over another.
    pub fn over(&self, below: Role, role: Role) -> Style {
        self.theme.over(below, role)
    }

    /// Writes at a position, at most this many cells. Returns the column after the text.
    pub fn put(&mut self, x: u16, y: u16, cells: u16, role: Role, words: &str) -> u16 {
        self.put_styled(x, y, cells, self.theme.style(role), words)
    }

    /// As [`Paint::put`], in a style.
    pub fn put_styled(&mut self, x: u16, y: u16, cells: u16, style: Style, words: &str) -> u16 {
        if cells == 0 || !self.buffer.area.contains(Position { x, y }) {
            return x;
        }
        let words = text::fit(words, usize::from(cells));
        let (next, _) = self.buffer.set_stringn(x, y, &words, usize::from(cells), style);
        next
    }

    /// Writes with the right end at a column. Returns the column of the first character.
    pub fn put_right(&mut self, right: u16, y: u16, cells: u16, role: Role, words: &str) -> u16 {
        let words = text::fit(words, usize::from(cells));
        let start = right.saturating_sub(text::width(&words) as u16);
        self.put(start, y, cells, role, &words);
        start
    }

    /// Writes one line at the start of an area.
    pub fn text(&mut self, area: Rect, role: Role, words: &str) -> u16 {
        self.put(area.x, area.y, area.width, role, words)
    }

    /// Writes pieces one after another. Returns the column after the last.
    pub fn pieces(&mut self, area: Rect, pieces: &[(Role, &str)]) -> u16 {
        let mut x = area.x;
        for (role, words) in pieces {
            x = self.put(x, area.y, area.right().saturating_sub(x), *role, words);
        }
        x
    }

    /// A bar filled to this fraction, with a mark at the threshold. The rest is left unchanged.
    pub fn bar(&mut self, area: Rect, share: f32, mark: Option<f32>, role: Role) {
        let width = f32::from(area.width);
        let full = (share.clamp(0.0, 1.0) * width).round() as u16;
        self.cells(Rect { width: full.min(area.width), ..area }, Role::BarFull, role);
        if let Some(mark) = mark.filter(|mark| mark.is_finite()) {
            let at = ((mark.clamp(0.0, 1.0) * width) as u16).min(area.width.saturating_sub(1));
            // In the style of the bar: another one would double the bytes of the mark.
            self.cells(Rect { x: area.x + at, width: 1, ..area }, Role::Threshold, role);
        }
    }

    /// The background of a bar, where its full length matters.
    pub fn track(&mut self, area: Rect) {
        self.cells(area, Role::BarEmpty, Role::BarEmpty);
    }

    /// The glyph of a role in every cell of a line, in the looks of a role.
    fn cells(&mut self, area: Rect, glyph: Role, role: Role) {
        let glyph = self.theme.glyph(glyph);
        for x in area.left()..area.right() {
            self.buffer.set_stringn(x, area.y, glyph, 1, self.theme.style(role));
        }
    }

    /// An empty window with a frame and a title. Returns what is inside.
    pub fn window(&mut self, area: Rect, title: &str) -> Rect {
        let area = area.intersection(self.buffer.area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                self.buffer[(x, y)].reset();
            }
        }
        self.buffer.set_style(area, self.theme.style(Role::Text));
        self.buffer.set_style(area, self.theme.style(Role::Popup));
        if area.width < 4 || area.height < 3 {
            return Rect { width: 0, height: 0, ..area };
        }
        let edge = self.theme.style(Role::Border);
        let line = "─".repeat(usize::from(area.width - 2));
        self.buffer.set_string(area.x, area.y, format!("╭{line}╮"), edge);
        self.buffer.set_string(area.x, area.bottom() - 1, format!("╰{line}╯"), edge);
        for y in area.y + 1..area.bottom() - 1 {
            self.buffer.set_string(area.x, y, "│", edge);
            self.buffer.set_string(area.right() - 1, y, "│", edge);
        }
        self.put(area.x + 2, area.y, area.width - 4, Role::Title, &format!(" {title} "));
        Rect { x: area.x + 2, y: area.y + 1, width: area.width - 4, height: area.height - 2 }
    }
}

/// A window of this size in the middle of an area.
pub fn centered(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}
