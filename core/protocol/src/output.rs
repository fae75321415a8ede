//! What a session can write, as dialogs: the engine describes the fields of a form and what would be written, and a client
//! shows them and sends the values back. A client needs to know nothing of formats, policies or folders.

use crate::Ticket;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputKind {
    /// Decisions in one of the export formats.
    #[default]
    Export,
    /// A plan of changes to the dataset.
    Plan,
    /// A report.
    Report,
    /// A copy of the dataset with the changes of a plan.
    Apply,
}

/// A command about something to be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "output")]
pub enum OutputCommand {
    /// Describe the form for these values, and what would be written. Nothing is written. Answered by
    /// [`OutputEvent::Form`], twice: with the fields, and then with what would be written. A newer request makes an older one
    /// stale, and [`Command::Cancel`](crate::Command::Cancel) ends it: then the second answer says so.
    Form {
        /// Returned with the answer.
        ticket: Ticket,
        /// What.
        kind: OutputKind,
        /// Values by the names of fields; a field that is missing or empty has its default.
        values: BTreeMap<String, String>,
    },
    /// Complete a path. Answered by [`OutputEvent::Completed`].
    Complete {
        /// Returned with the answer.
        ticket: Ticket,
        /// What is typed so far.
        text: String,
    },
    /// Write it, as a job with progress that [`Command::Cancel`](crate::Command::Cancel) stops. Answered by
    /// [`OutputEvent::Written`] or [`OutputEvent::NotWritten`].
    Write {
        /// Returned with the answer.
        ticket: Ticket,
        /// What.
        kind: OutputKind,
        /// The values of all fields, as the form had them.
        values: BTreeMap<String, String>,
        /// Whether an existing file may be replaced. Otherwise nothing is written over anything.
        replace: bool,
    },
}

/// An answer about something to be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "output")]
pub enum OutputEvent {
    /// The form, and what would be written.
    Form(OutputForm),
    /// The ways to complete a path.
    Completed {
        /// The ticket of the request.
        ticket: Ticket,
        /// What was typed.
        text: String,
        /// What it may be, each whole, in alphabetical order.
        options: Vec<String>,
    },
    /// It is written.
    Written {
        /// The ticket of the request.
        ticket: Ticket,
        /// What and where, and what to know about it.
        lines: Vec<OutputLine>,
    },
    /// It is not written: nothing was changed.
    NotWritten {
        /// The ticket of the request.
        ticket: Ticket,
        /// Why.
        message: String,
    },
}

/// A form, and what would be written with its values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OutputForm {
    /// The ticket of the request.
    pub ticket: Ticket,
    /// What is written.
    pub kind: OutputKind,
    /// The fields with their values.
    pub fields: Vec<OutputField>,
    /// What would be written: counts by class and split, the first changes, what to know before.
    pub preview: Vec<OutputLine>,
    /// Why nothing can be written with these values; empty if it can.
    pub obstacle: String,
    /// What would be replaced, for the question that has to be answered first; empty if nothing would.
    pub replaces: String,
    /// Whether only the fields are known yet: the same form with what would be written follows.
    #[serde(default)]
    pub unfinished: bool,
}

/// A field of a form.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OutputField {
    /// Its name.
    pub name: String,
    /// What it is for, in one sentence.
    pub help: String,
    /// Its value.
    pub value: String,
    /// What it can be; empty for a path, which is typed.
    pub choices: Vec<OutputChoice>,
}

/// A value of a field.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OutputChoice {
    /// The value.
    pub name: String,
    /// What it means, in a few words.
    pub summary: String,
}

/// A line of a preview or of a result, made safe for a terminal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OutputLine {
    /// What kind of line it is.
    pub mark: OutputMark,
    /// Its words.
    pub text: String,
}

impl OutputLine {
    /// A line of this kind.
    pub fn new(mark: OutputMark, text: impl Into<String>) -> OutputLine {
        OutputLine { mark, text: text.into() }
    }
}

/// Kinds of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputMark {
    /// Plain text.
    #[default]
    Text,
    /// A heading.
    Heading,
    /// Something that goes.
    Removed,
    /// Something that changes.
    Changed,
    /// A remark.
    Remark,
    /// What to know before relying on it.
    Warning,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Command, Event};

    #[test]
    fn outputs_pass_as_text_like_everything_else() {
        let values = BTreeMap::from([("to".to_owned(), "/tmp/x".to_owned())]);
        let command = Command::Output(OutputCommand::Write {
            ticket: 3,
            kind: OutputKind::Apply,
            values,
            replace: false,
        });
        let text = serde_json::to_string(&command).unwrap();
        assert_eq!(serde_json::from_str::<Command>(&text).unwrap(), command);
        let form = OutputForm {
            preview: vec![OutputLine::new(OutputMark::Removed, "- a.jpg")],
            fields: vec![OutputField { name: "to".into(), ..OutputField::default() }],
            ..OutputForm::default()
        };
        let event = Event::Output(Box::new(OutputEvent::Form(form)));
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
    }
}
