//! Cells to bytes: as few as possible, one frame at a time, and none where nothing changed.

mod cell_style;
mod cursor_motion;

use super::commands::{EraseCells, ansi, push};
use cell_style::{CellStyle, PLAIN};
use crossterm::cursor::{Hide, Show};
use crossterm::terminal::{self, BeginSynchronizedUpdate, Clear, EndSynchronizedUpdate};
use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::{Cell, CellDiffOption};
use ratatui::layout::{Position, Rect, Size};
use std::convert::Infallible;
use unicode_width::UnicodeWidthStr;

/// A frame is sent in chunks of about this many bytes, so that queries between them can tell how far the
/// terminal is.
const PIECE: usize = 4 * 1024;
/// Blanks from which on the order to erase them is shorter than they are.
const ERASED: u16 = 10;
/// The same up to the end of the line.
const ERASED_TO_END: u16 = 4;
/// Cells that are written again at most where the cursor could also jump over them.
const FILLED: u16 = 12;

/// What to do with a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Nothing,
    Draw,
    /// Draw a character, whatever the terminal shows there: a picture may lie over it.
    Replace,
}

/// Collects the bytes of a frame. It knows what the terminal shows, so it writes only what differs.
#[derive(Debug)]
pub struct Screen {
    size: Size,
    /// What the terminal shows, row by row; none where that is not certain, and for the second half of what takes
    /// two cells.
    cells: Vec<Option<Cell>>,
    needs: Vec<Need>,
    bytes: String,
    /// Where the bytes may be cut.
    cuts: Vec<usize>,
    style: CellStyle,
    /// Where the terminal's cursor is, if that is certain.
    at: Option<Position>,
    shown: Option<bool>,
    /// Runs of cells that were drawn and not seen to: row, first and last column.
    drawn: Vec<(u16, u16, u16)>,
    /// Where pictures lie in the cells.
    guarded: Vec<Rect>,
}

impl Screen {
    /// A screen of this size that has been cleared.
    pub fn new(size: Size) -> Screen {
        let area = usize::from(size.width) * usize::from(size.height);
        Screen {
            size,
            cells: vec![Some(Cell::new(" ")); area],
            needs: vec![Need::Nothing; area],
            bytes: String::new(),
            cuts: Vec::new(),
            style: PLAIN,
            at: None,
            shown: None,
            drawn: Vec::new(),
            guarded: Vec::new(),
        }
    }

    /// The terminal was resized.
    pub fn resize(&mut self, size: Size) {
        let area = usize::from(size.width) * usize::from(size.height);
        self.size = size;
        self.cells = vec![None; area];
        self.needs = vec![Need::Nothing; area];
        self.at = None;
    }

    /// The state of the terminal is unknown.
    pub fn forget(&mut self) {
        self.bytes.clear();
        self.cuts.clear();
        // One byte less than crossterm's form.
        self.bytes.push_str("\x1b[m");
        self.cells.fill(None);
        self.style = PLAIN;
        self.at = None;
        self.shown = None;
    }

    /// In these areas only what differs is drawn, and nothing beside it on the way: pictures lie in the cells there.
    pub fn guard(&mut self, areas: Vec<Rect>) {
        self.guarded = areas;
    }

    /// Leaves the hidden cursor here: screen magnifiers and braille displays follow it.
    pub fn park(&mut self, position: Position) {
        if self.shown == Some(false) {
            self.go(position);
        }
    }

    /// Whether a cell of this area was drawn since the last [`Screen::settle`].
    pub fn drew(&self, area: Rect) -> bool {
        let inside = |y: u16, first: u16, last: u16| {
            (area.top()..area.bottom()).contains(&y) && first < area.right() && last >= area.left()
        };
        self.drawn.iter().any(|(y, first, last)| inside(*y, *first, *last))
    }

    /// What was drawn so far is seen to.
    pub fn settle(&mut self) {
        self.drawn.clear();
    }

    /// The bytes of the frame, to be drawn at once by terminals that can, in pieces to be written behind one another.
    /// No pieces where nothing is to be written.
    pub fn take(&mut self) -> Vec<Vec<u8>> {
        if self.bytes.is_empty() {
            return Vec::new();
        }
        self.set_style(PLAIN);
        let begin = ansi!(BeginSynchronizedUpdate);
        let offset = begin.len();
        let frame = begin + &self.bytes + &ansi!(EndSynchronizedUpdate);
        let mut pieces = Vec::new();
        let mut start = 0;
        for cut in self.cuts.drain(..).map(|cut| cut + offset) {
            if cut >= start + PIECE {
                pieces.push(frame.as_bytes()[start..cut].to_vec());
                start = cut;
            }
        }
        pieces.push(frame.as_bytes()[start..].to_vec());
        self.bytes.clear();
        pieces
    }

    fn index(&self, x: u16, y: u16) -> Option<usize> {
        let inside = x < self.size.width && y < self.size.height;
        inside.then(|| usize::from(y) * usize::from(self.size.width) + usize::from(x))
    }

    fn go(&mut self, to: Position) {
        if self.at == Some(to) {
            return;
        }
        let motion = cursor_motion::shortest_motion(self.at, to);
        match self.fill(to, motion.len()) {
            Some(filled) => self.bytes.push_str(&filled),
            None => self.bytes.push_str(&motion),
        }
        self.at = Some(to);
    }

    /// The cells between the cursor and a place to the right of it, where writing them again is less than `limit`
    /// bytes and changes nothing.
    fn fill(&self, to: Position, limit: usize) -> Option<String> {
        let at = self.at.filter(|at| at.y == to.y && at.x < to.x && to.x - at.x <= FILLED)?;
        let mut filled = String::new();
        for x in at.x..to.x {
            let cell = self.free(x, at.y)?;
            let style = CellStyle::of(cell);
            let blank = cell.symbol() == " ";
            let same = if blank { style.same_on_blank(self.style) } else { style == self.style };
            filled.push_str(cell.symbol());
            if !same || cell.symbol().width() != 1 || filled.len() >= limit {
                return None;
            }
        }
        Some(filled)
    }

    /// What the terminal shows in a cell that may be written again.
    fn free(&self, x: u16, y: u16) -> Option<&Cell> {
        let index = self.index(x, y)?;
        if self.needs[index] == Need::Nothing
            && self.guarded.iter().any(|area| area.contains(Position { x, y }))
        {
            return None;
        }
        self.cells[index].as_ref().filter(|_| self.needs[index] != Need::Replace)
    }

    fn set_style(&mut self, style: CellStyle) {
        if style != self.style {
            self.bytes.push_str(&style.sgr_from(self.style));
            self.style = style;
        }
    }

    /// Sets the style for a cell. With a blank most of it is not seen, so the current style may do, or the one that the
    /// next character needs anyway.
    fn set_style_for(&mut self, x: u16, y: u16, style: CellStyle, blank: bool) {
        if !blank || !style.same_on_blank(style) {
            return self.set_style(style);
        }
        if style.same_on_blank(self.style) {
            return;
        }
        for x in x + 1..self.size.width {
            let Some(index) = self.index(x, y).filter(|index| self.needs[*index] != Need::Nothing) else {
                break;
            };
            let Some(next) = &self.cells[index] else { break };
            let coming = CellStyle::of(next);
            if next.symbol() != " " {
                if coming.same_on_blank(style) {
                    return self.set_style(coming);
                }
                break;
            }
            if !coming.same_on_blank(style) {
                break;
            }
        }
        self.set_style(self.style.for_blank(style));
    }

    /// Draws the changed cells of a row.
    fn row(&mut self, y: u16) {
        self.cuts.push(self.bytes.len());
        for x in 0..self.size.width {
            let Some(index) = self.index(x, y) else { return };
            if self.needs[index] == Need::Nothing || self.erase(x, y) {
                continue;
            }
            self.needs[index] = Need::Nothing;
            let Some(cell) = self.cells[index].clone() else { continue };
            self.go(Position { x, y });
            self.set_style_for(x, y, CellStyle::of(&cell), cell.symbol() == " ");
            self.bytes.push_str(cell.symbol());
            let next = x + cell.symbol().width() as u16;
            // Behind the last column terminals differ about where the cursor is.
            self.at = (next < self.size.width).then_some(Position { x: next, y });
        }
    }

    /// Erases blanks from here on, if that is shorter than drawing them. Only if nothing follows them:
    /// terminals differ about what erasing does with colors.
    fn erase(&mut self, x: u16, y: u16) -> bool {
        let plain = |cell: &&Cell| cell.symbol() == " " && PLAIN.same_on_blank(CellStyle::of(cell));
        let end = (x..self.size.width).find(|x| self.free(*x, y).filter(plain).is_none());
        let end = end.unwrap_or(self.size.width);
        let needed = |x: &u16| self.index(*x, y).is_some_and(|index| self.needs[index] != Need::Nothing);
        let Some(last) = (x..end).rev().find(needed) else { return false };
        let count = last - x + 1;
        let erase = if end == self.size.width && count >= ERASED_TO_END {
            ansi!(Clear(terminal::ClearType::UntilNewLine))
        } else if count >= ERASED {
            ansi!(EraseCells(count))
        } else {
            return false;
        };
        self.go(Position { x, y });
        self.set_style(self.style.for_blank(PLAIN));
        self.bytes.push_str(&erase);
        for x in x..=last {
            if let Some(index) = self.index(x, y) {
                self.needs[index] = Need::Nothing;
            }
        }
        true
    }
}

/// Whether two cells look the same.
fn alike(a: &Cell, b: &Cell) -> bool {
    let (style, other) = (CellStyle::of(a), CellStyle::of(b));
    a.symbol() == b.symbol() && (style == other || a.symbol() == " " && style.same_on_blank(other))
}

impl Backend for Screen {
    type Error = Infallible;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Infallible>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut rows = vec![false; usize::from(self.size.height)];
        for (x, y, cell) in content {
            let Some(index) = self.index(x, y) else { continue };
            let replace = cell.diff_option == CellDiffOption::AlwaysUpdate;
            if !replace && self.cells[index].as_ref().is_some_and(|shown| alike(shown, cell)) {
                continue;
            }
            let symbol = cell.symbol();
            let before = self.cells[index].as_ref().map_or(1, |shown| shown.symbol().width());
            match self.index(x + 1, y) {
                Some(next) if symbol.width() > 1 => {
                    let covered = self.cells[next].as_ref().map_or(1, |shown| shown.symbol().width());
                    (self.cells[next], self.needs[next]) = (None, Need::Nothing);
                    if covered > 1
                        && let Some(behind) = self.index(x + 2, y)
                    {
                        (self.cells[behind], self.needs[behind]) = (Some(Cell::new(" ")), Need::Draw);
                    }
                }
                // Terminals differ about the color of the remaining half of a wide character.
                Some(next) if before > 1 => {
                    (self.cells[next], self.needs[next]) = (Some(Cell::new(" ")), Need::Draw);
                }
                _ => {}
            }
            self.cells[index] = Some(cell.clone());
            self.needs[index] = if replace { Need::Replace } else { Need::Draw };
            rows[usize::from(y)] = true;
            match self.drawn.last_mut() {
                Some((row, _, last)) if *row == y && *last + 1 == x => *last = x,
                _ => self.drawn.push((y, x, x)),
            }
        }
        for (y, _) in rows.iter().enumerate().filter(|(_, drawn)| **drawn) {
            self.row(y as u16);
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> Result<(), Infallible> {
        if self.shown != Some(false) {
            push(&mut self.bytes, Hide);
            self.shown = Some(false);
        }
        Ok(())
    }

    fn show_cursor(&mut self) -> Result<(), Infallible> {
        if self.shown != Some(true) {
            push(&mut self.bytes, Show);
            self.shown = Some(true);
        }
        Ok(())
    }

    fn get_cursor_position(&mut self) -> Result<Position, Infallible> {
        Ok(self.at.unwrap_or_default())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Infallible> {
        self.go(position.into());
        Ok(())
    }

    fn clear(&mut self) -> Result<(), Infallible> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, clear_type: ClearType) -> Result<(), Infallible> {
        self.set_style(PLAIN);
        self.cells.fill(None);
        if clear_type == ClearType::All {
            self.cells.fill(Some(Cell::new(" ")));
        }
        push(
            &mut self.bytes,
            Clear(match clear_type {
                ClearType::All => terminal::ClearType::All,
                ClearType::AfterCursor => terminal::ClearType::FromCursorDown,
                ClearType::BeforeCursor => terminal::ClearType::FromCursorUp,
                ClearType::CurrentLine => terminal::ClearType::CurrentLine,
                ClearType::UntilNewLine => terminal::ClearType::UntilNewLine,
            }),
        );
        Ok(())
    }

    fn size(&self) -> Result<Size, Infallible> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> Result<WindowSize, Infallible> {
        Ok(WindowSize { columns_rows: self.size, pixels: Size::new(0, 0) })
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
