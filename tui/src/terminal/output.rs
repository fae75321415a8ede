//! Cells to bytes: as few as possible, all of one frame together, and none where nothing changed.

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Rect, Size};
use ratatui::style::{Color, Modifier};
use std::convert::Infallible;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// Looks of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const PLAIN: Pen = Pen { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

/// Collects the bytes of a frame. It knows what the terminal shows, so it writes only what differs.
#[derive(Debug)]
pub struct Screen {
    size: Size,
    bytes: String,
    pen: Pen,
    /// Where the terminal's cursor is, if that is certain.
    at: Option<Position>,
    shown: Option<bool>,
    /// Runs of cells that were drawn and not seen to: row, first and last column.
    drawn: Vec<(u16, u16, u16)>,
}

impl Screen {
    /// A screen of this size of which nothing is known.
    pub fn new(size: Size) -> Screen {
        Screen { size, bytes: String::new(), pen: PLAIN, at: None, shown: None, drawn: Vec::new() }
    }

    /// The terminal has another size.
    pub fn resize(&mut self, size: Size) {
        self.size = size;
    }

    /// Nothing is known of the terminal any more.
    pub fn forget(&mut self) {
        self.bytes.clear();
        self.bytes.push_str("\x1b[m");
        self.pen = PLAIN;
        self.at = None;
        self.shown = None;
    }

    /// Leaves the cursor here, though it is hidden: screen magnifiers and braille displays follow it.
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

    /// The bytes of the frame, to be drawn at once by terminals that can.
    pub fn take(&mut self) -> Vec<u8> {
        if self.bytes.is_empty() {
            return Vec::new();
        }
        if self.pen != PLAIN {
            self.bytes.push_str("\x1b[m");
            self.pen = PLAIN;
        }
        let frame = format!("\x1b[?2026h{}\x1b[?2026l", self.bytes);
        self.bytes.clear();
        frame.into_bytes()
    }

    fn go(&mut self, to: Position) {
        if self.at == Some(to) {
            return;
        }
        let _ = match self.at {
            Some(at) if at.y == to.y && to.x > at.x && to.x == at.x + 1 => self.bytes.write_str("\x1b[C"),
            Some(at) if at.y == to.y && to.x > at.x => write!(self.bytes, "\x1b[{}C", to.x - at.x),
            Some(at) if to.y == at.y + 1 && to.x == 0 => self.bytes.write_str("\r\n"),
            _ if to.x == 0 => write!(self.bytes, "\x1b[{}H", to.y + 1),
            _ => write!(self.bytes, "\x1b[{};{}H", to.y + 1, to.x + 1),
        };
        self.at = Some(to);
    }

    fn dress(&mut self, pen: Pen) {
        if pen == self.pen {
            return;
        }
        self.bytes.push_str("\x1b[");
        let start = self.bytes.len();
        if !(self.pen.modifier - pen.modifier).is_empty() || pen == PLAIN {
            self.bytes.push('0');
            self.pen = PLAIN;
        }
        for (flag, code) in [
            (Modifier::BOLD, 1),
            (Modifier::DIM, 2),
            (Modifier::ITALIC, 3),
            (Modifier::UNDERLINED, 4),
            (Modifier::REVERSED, 7),
            (Modifier::CROSSED_OUT, 9),
        ] {
            if pen.modifier.contains(flag) && !self.pen.modifier.contains(flag) {
                self.code(start, format_args!("{code}"));
            }
        }
        if pen.fg != self.pen.fg {
            self.color(start, pen.fg, 30);
        }
        if pen.bg != self.pen.bg {
            self.color(start, pen.bg, 40);
        }
        self.bytes.push('m');
        self.pen = pen;
    }

    fn code(&mut self, start: usize, code: std::fmt::Arguments<'_>) {
        if self.bytes.len() > start {
            self.bytes.push(';');
        }
        let _ = self.bytes.write_fmt(code);
    }

    fn color(&mut self, start: usize, color: Color, base: u8) {
        let bright = base + 60;
        match color {
            Color::Rgb(r, g, b) => self.code(start, format_args!("{};2;{r};{g};{b}", base + 8)),
            Color::Indexed(n) => self.code(start, format_args!("{};5;{n}", base + 8)),
            Color::Reset => self.code(start, format_args!("{}", base + 9)),
            Color::Black => self.code(start, format_args!("{base}")),
            Color::Red => self.code(start, format_args!("{}", base + 1)),
            Color::Green => self.code(start, format_args!("{}", base + 2)),
            Color::Yellow => self.code(start, format_args!("{}", base + 3)),
            Color::Blue => self.code(start, format_args!("{}", base + 4)),
            Color::Magenta => self.code(start, format_args!("{}", base + 5)),
            Color::Cyan => self.code(start, format_args!("{}", base + 6)),
            Color::Gray => self.code(start, format_args!("{}", base + 7)),
            Color::DarkGray => self.code(start, format_args!("{bright}")),
            Color::LightRed => self.code(start, format_args!("{}", bright + 1)),
            Color::LightGreen => self.code(start, format_args!("{}", bright + 2)),
            Color::LightYellow => self.code(start, format_args!("{}", bright + 3)),
            Color::LightBlue => self.code(start, format_args!("{}", bright + 4)),
            Color::LightMagenta => self.code(start, format_args!("{}", bright + 5)),
            Color::LightCyan => self.code(start, format_args!("{}", bright + 6)),
            Color::White => self.code(start, format_args!("{}", bright + 7)),
        }
    }
}

impl Backend for Screen {
    type Error = Infallible;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Infallible>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        for (x, y, cell) in content {
            self.go(Position { x, y });
            self.dress(Pen { fg: cell.fg, bg: cell.bg, modifier: cell.modifier });
            let symbol = cell.symbol();
            self.bytes.push_str(symbol);
            match self.drawn.last_mut() {
                Some((row, _, last)) if *row == y && *last + 1 == x => *last = x,
                _ => self.drawn.push((y, x, x)),
            }
            let next = x + symbol.width() as u16;
            // Behind the last column terminals differ about where the cursor is.
            self.at = (next < self.size.width).then_some(Position { x: next, y });
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> Result<(), Infallible> {
        if self.shown != Some(false) {
            self.bytes.push_str("\x1b[?25l");
            self.shown = Some(false);
        }
        Ok(())
    }

    fn show_cursor(&mut self) -> Result<(), Infallible> {
        if self.shown != Some(true) {
            self.bytes.push_str("\x1b[?25h");
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
        self.dress(PLAIN);
        self.bytes.push_str(match clear_type {
            ClearType::All => "\x1b[2J",
            ClearType::AfterCursor => "\x1b[J",
            ClearType::BeforeCursor => "\x1b[1J",
            ClearType::CurrentLine => "\x1b[2K",
            ClearType::UntilNewLine => "\x1b[K",
        });
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
mod tests {
    use super::*;
    use ratatui::Terminal;
    use ratatui::style::{Style, Stylize};
    use ratatui::text::Line;

    fn frame(terminal: &mut Terminal<Screen>, line: Line<'static>) -> String {
        terminal.draw(|frame| frame.render_widget(line, frame.area())).unwrap();
        terminal.backend_mut().park(Position { x: 0, y: 0 });
        String::from_utf8(terminal.backend_mut().take()).unwrap()
    }

    #[test]
    fn a_frame_without_a_change_is_no_bytes() {
        let mut terminal = Terminal::new(Screen::new(Size::new(20, 3))).unwrap();
        let line = || Line::from(vec!["a".red(), "b猫".bold(), "c".on_blue()]);
        let first = frame(&mut terminal, line());
        assert!(first.starts_with("\x1b[?2026h") && first.ends_with("\x1b[?2026l"));
        assert_eq!(frame(&mut terminal, line()), "");
        assert_eq!(frame(&mut terminal, line()), "");
    }

    #[test]
    fn only_what_differs_is_written() {
        let mut terminal = Terminal::new(Screen::new(Size::new(20, 3))).unwrap();
        frame(&mut terminal, Line::from("one two three"));
        let second = frame(&mut terminal, Line::from("one TWO three"));
        assert_eq!(second, "\x1b[?2026h\x1b[4CTWO\x1b[1H\x1b[?2026l");
    }

    #[test]
    fn attributes_are_taken_away_again() {
        let mut screen = Screen::new(Size::new(9, 1));
        let mut bold = Cell::new("b");
        bold.set_style(Style::new().bold().fg(Color::Indexed(7)));
        let plain = Cell::new("p");
        screen.draw([(0, 0, &bold), (1, 0, &plain)].into_iter()).unwrap();
        assert_eq!(screen.bytes, "\x1b[1H\x1b[1;38;5;7mb\x1b[0mp");
    }
}
