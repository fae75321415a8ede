//! A terminal that watches sees what a reviewer sees, and changes nothing.

use super::Service;
use crate::Error;
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::{Command, Event, OutputCommand, OutputEvent, PromptsSet, Tried, ViewCommand};

/// Whether a command changes anything, be it where its reviewer was.
pub(super) fn changes(command: &Command) -> bool {
    match command {
        Command::Scan { .. }
        | Command::Cancel
        | Command::Rerun { .. }
        | Command::Try { .. }
        | Command::SetPrompts { .. }
        | Command::Enable { .. }
        | Command::RemoveResults { .. }
        | Command::LetIn { .. }
        | Command::Decide { .. }
        | Command::DecideEach { .. }
        | Command::Tag { .. }
        | Command::Untag { .. }
        | Command::Undo
        | Command::Redo
        | Command::SetThreshold { .. }
        | Command::SetEnsemble { .. }
        | Command::Remember { .. }
        | Command::Blind { .. }
        | Command::View(ViewCommand::KeepOnly { .. })
        | Command::Output(OutputCommand::Write { .. }) => true,
        Command::List { .. }
        | Command::Rows { .. }
        | Command::RowsOf { .. }
        | Command::Locate { .. }
        | Command::Renumbered { .. }
        | Command::FindUndecided { .. }
        | Command::Detail { .. }
        | Command::Picture { .. }
        | Command::Overview { .. }
        | Command::View(_)
        | Command::Output(_)
        | Command::Stop => false,
    }
}

impl Service {
    /// Answers such a command of a terminal that watches.
    pub(super) fn only_watches(&self, at: u64, command: Command) {
        let whom = self.desks.get(&at).map(|desk| safe_text(&desk.reviewer).into_owned()).unwrap_or_default();
        let message = format!("you are watching {whom}, and nothing is decided or changed from here");
        let event = match command {
            // Where the reviewer was is the reviewer's.
            Command::Remember { .. } => return,
            Command::Decide { .. }
            | Command::DecideEach { .. }
            | Command::Tag { .. }
            | Command::Untag { .. }
            | Command::Undo
            | Command::Redo
            | Command::View(_) => Event::NotSaved { message },
            Command::SetPrompts { ticket, .. } => Event::PromptsSet(PromptsSet { ticket, refused: message }),
            Command::Try { ticket, detector, .. } => {
                Event::Tried(Tried { ticket, detector, failed: message, ..Tried::default() })
            }
            Command::Output(OutputCommand::Write { ticket, .. }) => {
                Event::Output(Box::new(OutputEvent::NotWritten { ticket, message }))
            }
            _ => return self.refuse(at, &Error::Invalid(message)),
        };
        self.tell(at, event);
    }
}
