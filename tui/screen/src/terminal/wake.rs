//! Messages from the other threads to the loop.

use super::input::Input;
use crate::picture::EncodeResult;

/// One message to the loop.
#[derive(Debug)]
pub enum Wake {
    /// Keys and other input.
    Input(Vec<Input>),
    /// The last frame has left.
    Written,
    /// The terminal is gone.
    Lost,
    /// A signal arrived.
    Signal(i32),
    /// A picture is ready.
    Encoded(EncodeResult),
    /// tmux around us has news.
    Tmux(TmuxNews),
    /// A line for the log.
    Log(String),
}

/// News from tmux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TmuxNews {
    /// It passes wrapped sequences through.
    Ready,
    /// Whether our pane is visible.
    Seen(bool),
    /// A client attached or detached, perhaps on another terminal.
    Clients,
}
