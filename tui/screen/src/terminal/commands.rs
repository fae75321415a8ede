//! Commands that crossterm lacks, in its form.

use crossterm::Command;
use std::fmt;

/// Presses of buttons and the wheel are reported. [`crossterm::event::EnableMouseCapture`] also asks for every movement
/// of the mouse, each of which would come over the link and wake the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnableMouseButtons;

impl Command for EnableMouseButtons {
    fn write_ansi(&self, f: &mut impl fmt::Write) -> fmt::Result {
        f.write_str("\x1b[?1000h\x1b[?1006h")
    }
}

/// Ends [`EnableMouseButtons`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DisableMouseButtons;

impl Command for DisableMouseButtons {
    fn write_ansi(&self, f: &mut impl fmt::Write) -> fmt::Result {
        f.write_str("\x1b[?1006l\x1b[?1000l")
    }
}

/// Ends a string (DCS, APC, OSC) that was cut off in the middle; does nothing where there is none (ST).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndString;

impl Command for EndString {
    fn write_ansi(&self, f: &mut impl fmt::Write) -> fmt::Result {
        f.write_str("\x1b\\")
    }
}

/// Erases this many cells from the cursor, which does not move (ECH).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EraseCells(pub u16);

impl Command for EraseCells {
    fn write_ansi(&self, f: &mut impl fmt::Write) -> fmt::Result {
        write!(f, "\x1b[{}X", self.0)
    }
}

/// Asks whether everything up to here has been done; the answer is `CSI 0 n` (DSR).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryStatus;

impl Command for QueryStatus {
    fn write_ansi(&self, f: &mut impl fmt::Write) -> fmt::Result {
        f.write_str("\x1b[5n")
    }
}

/// Asks for name and version (XTVERSION).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryVersion;

impl Command for QueryVersion {
    fn write_ansi(&self, f: &mut impl fmt::Write) -> fmt::Result {
        f.write_str("\x1b[>q")
    }
}

/// Asks for the size of a cell in pixels (XTWINOPS 16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryCellSize;

impl Command for QueryCellSize {
    fn write_ansi(&self, f: &mut impl fmt::Write) -> fmt::Result {
        f.write_str("\x1b[16t")
    }
}

/// Asks what kind of terminal it is (DA1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryAttributes;

impl Command for QueryAttributes {
    fn write_ansi(&self, f: &mut impl fmt::Write) -> fmt::Result {
        f.write_str("\x1b[c")
    }
}

/// The bytes of some commands: `ansi!(Hide, MoveTo(0, 0))`. [`crossterm::queue!`] for a [`String`], which cannot fail.
macro_rules! ansi {
    ($($command:expr),+ $(,)?) => {{
        let mut out = String::new();
        $( $crate::terminal::commands::push(&mut out, $command); )+
        out
    }};
}
pub(crate) use ansi;

/// Appends a command.
pub fn push(out: &mut String, command: impl Command) {
    // A String takes everything.
    let _ = command.write_ansi(out);
}
