//! Prints results to stdout, and everything else to stderr.

use anyhow::Result;
use chaffinch_protocol::display::safe_text;
pub(super) use chaffinch_protocol::display::{counted as count, thousands};
use serde::Serialize;
use std::io::{self, IsTerminal, Write};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Writes results to a locked and buffered stdout.
///
/// # Errors
/// If stdout cannot be written to; see [`is_broken_pipe`] for a closed pipe.
pub(super) fn results(write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    write(&mut out)?;
    out.flush()?;
    Ok(())
}

/// Writes a value as JSON, followed by a newline.
pub(super) fn json(out: &mut dyn Write, value: &impl Serialize) -> Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)?;
    Ok(())
}

/// Prints a remark to stderr, and ignores errors.
pub(super) fn remark(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints a warning about something that failed without stopping the rest.
pub(super) fn warning(about: &str, text: &str) {
    remark(&format!("warning: {}: {}", safe_text(about), safe_text(text)));
}

/// An error with its causes, each once: many libraries repeat the cause in their own message.
pub(super) fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let words = cause.to_string();
        if text.is_empty() {
            text = words;
        } else if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
    }
    text
}

/// Whether an error only means that the reader has gone away, as in `chaffinch rank … | head`.
pub(super) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        let json = cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
        let csv = match cause.downcast_ref::<csv::Error>().map(csv::Error::kind) {
            Some(csv::ErrorKind::Io(error)) => Some(error.kind()),
            _ => None,
        };
        io.or(json).or(csv) == Some(io::ErrorKind::BrokenPipe)
    })
}

/// The width of the terminal on stdout; `None` if stdout is not a terminal.
pub(super) fn terminal_width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    crossterm::terminal::size().ok().map(|(columns, _)| usize::from(columns)).filter(|&columns| columns > 0)
}

/// The alignment of a column.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// A plain text table: two spaces between columns, lines cut to the width of the terminal.
pub(super) struct Table {
    header: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(header: &[(&'static str, Align)]) -> Table {
        Table { header: header.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; control characters are escaped.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells.into_iter().map(|cell| safe_text(&cell).into_owned()).collect());
    }

    pub(super) fn write(&self, out: &mut dyn Write, width: Option<usize>) -> Result<()> {
        let widths: Vec<usize> = (0..self.header.len())
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width());
                cells.chain([self.header[column].0.width()]).max().unwrap_or(0)
            })
            .collect();
        let header: Vec<String> = self.header.iter().map(|(name, _)| (*name).to_owned()).collect();
        for row in std::iter::once(&header).chain(&self.rows) {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let room = " ".repeat(widths[column].saturating_sub(cell.width()));
                let gap = if column == 0 { "" } else { "  " };
                match self.header[column].1 {
                    Align::Left => line.extend([gap, cell, &room]),
                    Align::Right => line.extend([gap, &room, cell]),
                }
            }
            let line = line.trim_end();
            writeln!(out, "{}", width.map_or_else(|| line.to_owned(), |width| cut(line, width)))?;
        }
        Ok(())
    }
}

/// Cuts a line to a width, ending in `…` if something was cut off.
pub(super) fn cut(line: &str, width: usize) -> String {
    if line.width() <= width {
        return line.to_owned();
    }
    let mut room = width.saturating_sub(1);
    let fits = |c: &char| {
        let needed = c.width().unwrap_or(0);
        let fits = needed <= room;
        room = room.saturating_sub(needed);
        fits
    };
    let mut short: String = line.chars().take_while(fits).collect();
    short.push('…');
    short
}

/// Human-readable duration: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`.
pub(super) fn duration(seconds: f64) -> String {
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    match whole {
        0..=59 => format!("{whole} s"),
        60..=3599 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_align_and_escape_control_characters() {
        let mut table = Table::new(&[("rank", Align::Right), ("path", Align::Left), ("reason", Align::Left)]);
        table.row(vec!["1".into(), "cat/\x1b[2J.jpg".into(), "looks like a dog".into()]);
        table.row(vec!["10".into(), "猫.jpg".into(), String::new()]);
        let mut out = Vec::new();
        table.write(&mut out, None).unwrap();
        let text = String::from_utf8(out).unwrap();
        let expected =
            "rank  path             reason\n   1  cat/\\x1b[2J.jpg  looks like a dog\n  10  猫.jpg\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn long_lines_are_cut_to_the_terminal() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcde…");
        assert_eq!(cut("猫猫猫猫", 6), "猫猫…");
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(thousands(123), "123");
        assert_eq!(count(1, "image", "images"), "1 image");
        assert_eq!([duration(0.42), duration(75.0), duration(7800.0)], ["0.4 s", "1 min 15 s", "2 h 10 min"]);
    }

    #[test]
    fn a_cause_is_printed_once() {
        let cause = || io::Error::from_raw_os_error(22);
        let plain = anyhow::Error::from(cause()).context("cannot lock x");
        assert_eq!(chain(&plain), "cannot lock x: Invalid argument (os error 22)");
        let repeating = anyhow::Error::from(cause()).context(format!("cannot lock x: {}", cause()));
        assert_eq!(chain(&repeating.context("scan")), "scan: cannot lock x: Invalid argument (os error 22)");
    }

    #[test]
    fn a_closed_pipe_is_recognized() {
        let closed = anyhow::Error::from(io::Error::from(io::ErrorKind::BrokenPipe)).context("cannot write");
        assert!(is_broken_pipe(&closed));
        let table = csv::Error::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(is_broken_pipe(&table.into()));
        assert!(!is_broken_pipe(&anyhow::anyhow!("something else")));
    }
}
