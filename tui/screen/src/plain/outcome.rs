//! What became of each line, and of a script as a whole.

use crate::model::Level;
use crate::text::counted;
use chaffinch_protocol::Event;

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// It is not a command.
    NotUnderstood,
    /// A command that could not be carried out.
    NotDone,
    /// A decision, tag or note that the engine did not save.
    NotSaved,
}

/// How many lines were not carried out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Failed {
    not_understood: u64,
    not_done: u64,
    not_saved: u64,
}

impl Failed {
    pub(super) fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Done => {}
            Outcome::NotUnderstood => self.not_understood += 1,
            Outcome::NotDone => self.not_done += 1,
            Outcome::NotSaved => self.not_saved += 1,
        }
    }

    /// In words, if that is a failure: who types sees at once what was not understood and can type it again.
    pub(super) fn words(self, typed: bool) -> Option<String> {
        let line = |count: u64, what: &str| {
            (count > 0).then(|| format!("{} {what}", counted(count, "line", "lines")))
        };
        let parts = [
            line(self.not_understood, "not understood").filter(|_| !typed),
            line(self.not_done, "not carried out").filter(|_| !typed),
            line(self.not_saved, "not saved"),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| format!("{}; the others were carried out", parts.join(", ")))
    }
}

/// What the engine said since the last line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heard {
    pub(super) saved: bool,
    not_saved: bool,
    /// A problem of a job, which no line is to blame for.
    trouble: bool,
}

impl Heard {
    /// Takes note of an event.
    pub(super) fn note(&mut self, event: &Event) {
        self.saved |= matches!(event, Event::Saved(_));
        self.not_saved |= matches!(event, Event::NotSaved { .. });
        self.trouble |= matches!(event, Event::Trouble { .. } | Event::ScanDone(_));
    }

    /// What became of a line that was understood and ended with a message of this level.
    pub(super) fn outcome(self, level: Option<Level>) -> Outcome {
        match level {
            Some(Level::Error) if self.not_saved => Outcome::NotSaved,
            Some(Level::Error) => Outcome::NotDone,
            // Also where there is nothing to undo. What was saved may have a remark.
            Some(Level::Warning) if !self.saved && !self.trouble => Outcome::NotDone,
            _ => Outcome::Done,
        }
    }
}
