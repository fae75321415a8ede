//! Prints results to stdout, and everything else to stderr.

use super::events::{self, Event};
pub(super) use super::table::{Align, Table};
use anyhow::Result;
use chaffinch_protocol::display::safe_text;
pub(super) use chaffinch_protocol::display::{counted as count, thousands};
use chaffinch_screen::text;
use serde::Serialize;
use std::io::{self, IsTerminal, Write};

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
    if events::wanted() {
        return events::write(&Event::Remark { text });
    }
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints a warning about something that failed without stopping the rest.
pub(super) fn warning(about: &str, text: &str) {
    if events::wanted() {
        return events::write(&Event::Warning { about: &safe_text(about), text: &safe_text(text) });
    }
    remark(&format!("warning: {}: {}", safe_text(about), safe_text(text)));
}

/// Says that samples were left out since they cannot be decoded, if any were.
pub(super) fn tell_undecoded(samples: usize) {
    if samples > 0 {
        let words =
            count(samples as u64, "sample that cannot be decoded is", "samples that cannot be decoded are");
        remark(&format!("{words} left out"));
    }
}

/// Prints why the command failed.
pub(super) fn failure(error: &anyhow::Error) {
    let text = chain(error);
    if events::wanted() {
        return events::write(&Event::Error { text: &safe_text(&text) });
    }
    remark(&format!("error: {}", safe_text(&text)));
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

/// A question for a person at a terminal, broken between words.
pub(super) fn asked(question: &str) -> String {
    let width = crossterm::terminal::size().ok().map(|(columns, _)| usize::from(columns));
    match width.filter(|width| *width > 20 && io::stderr().is_terminal()) {
        // One cell less: many terminals go to the next line after the last cell.
        Some(width) => text::wrap(question, width - 1).join("\n"),
        None => question.to_owned(),
    }
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
