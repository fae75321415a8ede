//! What the model wants from the outside world: plain data, so that a test can inspect it.

use crate::picture::EncodeJob;
use chaffinch_protocol::Command;

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send a command to the engine.
    Send(Command),
    /// Make a picture ready.
    Encode(EncodeJob),
    /// Put text into the clipboard of the user's terminal.
    Copy(String),
    /// Run a program beside this one: its name, then its arguments.
    Run(Vec<String>),
    /// Redraw everything.
    Redraw,
    /// Capture clicks and the wheel, or leave them to the terminal.
    Mouse(bool),
    /// Restore the terminal and suspend.
    Suspend,
    /// Quit because the engine has exited.
    Gone,
    /// The engine is done with this terminal, as another one took its place: end.
    Dismissed,
    /// Quit; this many decisions are not confirmed as saved.
    Quit(usize),
}

/// The effects of one message.
pub type Effects = Vec<Effect>;
