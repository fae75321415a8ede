//! Input from the terminal: crossterm's events, and replies to queries, for which crossterm has no event.

use crossterm::event::{Event, KeyEvent};

/// One thing that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key, the mouse, pasted text, the focus.
    Event(Event),
    /// A reply of the terminal, or something unknown.
    Reply(Vec<u8>),
}

impl From<KeyEvent> for Input {
    fn from(key: KeyEvent) -> Input {
        Input::Event(Event::Key(key))
    }
}
