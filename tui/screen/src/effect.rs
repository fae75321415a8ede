//! What the model asks of the outside: plain data, so that a test can look at it.

use crate::picture::EncodeJob;
use chaffinch_protocol::Command;

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Tell the engine.
    Send(Command),
    /// Make a picture ready.
    Encode(EncodeJob),
    /// Put text into the clipboard of the person's terminal.
    Copy(String),
    /// Draw everything again.
    Redraw,
    /// Take clicks and the wheel, or leave them to the terminal.
    Mouse(bool),
    /// Give the terminal back and stop.
    Suspend,
    /// Leave: the engine has ended.
    Gone,
    /// Leave; this many decisions are not known to be saved.
    Quit(usize),
}

/// The effects of one message.
pub type Effects = Vec<Effect>;
