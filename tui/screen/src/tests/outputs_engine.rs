//! The fake engine's answers about what can be written.

use chaffinch_protocol::{
    Event, OutputChoice, OutputCommand, OutputEvent, OutputField, OutputForm, OutputKind, OutputLine,
    OutputMark,
};
use std::collections::BTreeMap;

pub(super) fn answers(command: OutputCommand) -> Vec<Event> {
    let event = match command {
        OutputCommand::Form { ticket, kind, values } => OutputEvent::Form(form(ticket, kind, &values)),
        OutputCommand::Complete { ticket, text } => {
            let options = ["out/", "outline.csv"].map(|name| format!("/home/ana/{name}"));
            let options = options.into_iter().filter(|option| option.starts_with(&text)).collect();
            OutputEvent::Completed { ticket, text, options }
        }
        OutputCommand::Write { ticket, values, replace, .. } => {
            let to = values.get("to").cloned().unwrap_or_default();
            match to.contains("there") && !replace {
                true => OutputEvent::NotWritten { ticket, message: format!("{to} already exists") },
                false => {
                    let lines = vec![OutputLine::new(OutputMark::Text, format!("{to}: 12 decisions"))];
                    OutputEvent::Written { ticket, lines }
                }
            }
        }
    };
    vec![Event::Output(Box::new(event))]
}

fn form(ticket: u64, kind: OutputKind, values: &BTreeMap<String, String>) -> OutputForm {
    let value = |name: &str, default: &str| values.get(name).cloned().unwrap_or_else(|| default.to_owned());
    let choice =
        |name: &str, summary: &str| OutputChoice { name: name.to_owned(), summary: summary.to_owned() };
    let format = value("format", "manifest");
    let to = value("to", &format!("/home/ana/animals-{format}.csv"));
    let fields = vec![
        OutputField {
            name: "format".into(),
            help: "What to write".into(),
            value: format,
            choices: vec![
                choice("manifest", "CSV of all suspects and decisions"),
                choice("coco", "COCO annotations of the cleaned dataset"),
                choice("cleaned", "a cleaned copy of the dataset"),
            ],
        },
        OutputField {
            name: "to".into(),
            help: "The file to write".into(),
            value: to.clone(),
            choices: Vec::new(),
        },
    ];
    let line = |mark, text: &str| OutputLine::new(mark, text);
    let mut preview = vec![
        line(OutputMark::Text, &format!("writes {to}")),
        line(OutputMark::Text, "12 decisions: 5 keep, 4 remove, 2 relabel, 1 unsure"),
        line(OutputMark::Warning, "reviewers disagree on 1 sample"),
        line(OutputMark::Text, ""),
        line(OutputMark::Heading, "100 samples: 4 removed, 2 relabeled, 0 moved to another split"),
        line(OutputMark::Remark, "class  split  before  removed  leaving  coming  after"),
        line(OutputMark::Text, "cat    train      20       -4       -2             14"),
        line(OutputMark::Text, "dog    train      20                        +2     22"),
        line(OutputMark::Text, ""),
        line(OutputMark::Removed, "- train/cat/n00001.jpg (decided by ana)"),
        line(OutputMark::Changed, "~ train/cat/n00005.jpg cat -> dog (decided by ana)"),
    ];
    preview.extend(
        (10..40).map(|n| line(OutputMark::Removed, &format!("- train/cat/n000{n}.jpg (decided by ana)"))),
    );
    let replaces = if to.contains("there") { format!("replace {to}?") } else { String::new() };
    let obstacle = if to.contains("inside") { "that is inside the dataset" } else { "" };
    OutputForm { ticket, kind, fields, preview, obstacle: obstacle.into(), replaces, unfinished: false }
}
