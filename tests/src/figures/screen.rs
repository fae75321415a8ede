//! What the screen showed at which time, from the bytes.

use crate::terminal::{Record, Terminal};
use std::num::NonZero;
use std::time::{Duration, Instant};

/// One frame.
pub(super) struct Frame {
    pub(super) at: Instant,
    /// The message line, which is the last but one.
    pub(super) message: String,
    /// The first line.
    pub(super) top: String,
    /// Everything.
    pub(super) text: String,
}

impl Frame {
    /// The position in the list and its length, as shown.
    pub(super) fn place(&self) -> Option<&str> {
        place(&self.message)
    }
}

/// The word of the form `number/number`.
fn place(line: &str) -> Option<&str> {
    let number = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || ",.' \u{202f}".contains(c))
    };
    line.split("  ")
        .map(str::trim)
        .find(|word| word.split_once('/').is_some_and(|(a, b)| number(a) && number(b)))
}

/// The frames of a recording on a screen of this size. Anything after the last complete frame is left out.
pub(super) fn frames(record: &Record, columns: u16, rows: u16) -> Vec<Frame> {
    let size = |side: u16| NonZero::new(side).unwrap();
    let mut screen = vt100::Parser::new(size(rows), size(columns), 0);
    let mut from = 0;
    let frame = |(at, end): (Instant, usize)| {
        screen.process(&record.bytes[from..end]);
        from = end;
        let lines: Vec<String> = screen.screen().rows(0, columns).collect();
        let line = |row: usize| lines.get(row).cloned().unwrap_or_default();
        Frame { at, message: line(usize::from(rows) - 2), top: line(0), text: lines.join("\n") }
    };
    record.frames().into_iter().map(frame).collect()
}

/// Waits until a list is there and nothing has been written for a moment.
pub(super) fn listed(terminal: &Terminal) {
    terminal.wait("a list", |screen| screen.lines().any(|line| place(line).is_some()));
    terminal.settle(Duration::from_millis(400));
}

/// Goes to the first of all samples; the filter is stored with the session.
pub(super) fn all_samples(terminal: &Terminal) {
    listed(terminal);
    let all = |screen: &str| screen.lines().next().is_some_and(|top| top.contains(" samples"));
    if !all(&terminal.screen()) {
        terminal.keys("T");
    }
    terminal.wait("all samples", all);
    terminal.keys("gg");
    terminal.settle(Duration::from_millis(500));
}
