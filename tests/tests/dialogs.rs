//! Dialogs about datasets of any size: the fields are there at once, the preview has an end, and nothing waits for it.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_engine::Client;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Command, Event, OutputCommand, OutputEvent, OutputForm, OutputKind, Query};
use chaffinch_tests::synthetic::{self, next};
use std::collections::BTreeMap;
use std::path::Path;

const KINDS: [OutputKind; 4] = [OutputKind::Export, OutputKind::Plan, OutputKind::Report, OutputKind::Apply];

/// An engine for a dataset of `count` samples in 300 classes, all of which are decided to go; no file is there.
fn decided(folder: &Path, count: usize) -> Client {
    let (session, data) = (folder.join("session"), folder.join("data"));
    synthetic::session(&session, &data, count, 300);
    let client = synthetic::engine(&session, &data);
    let samples: Vec<SampleId> = (0..count as u32).map(SampleId).collect();
    client.commands.send(Command::Decide { samples, decision: Some(Choice::Remove.into()) }).unwrap();
    next(&client, |event| match event {
        Event::Saved(_) => Some(()),
        Event::NotSaved { .. } => panic!("{event:?}"),
        _ => None,
    });
    client
}

fn ask(client: &Client, ticket: u64, kind: OutputKind) {
    // The first policy of each field of a plan, which looks at all groups of copies.
    let values = [("splits", "move-to-train"), ("copies", "keep-larger")];
    let values: BTreeMap<String, String> = values.map(|(name, value)| (name.into(), value.into())).into();
    client.commands.send(Command::Output(OutputCommand::Form { ticket, kind, values })).unwrap();
}

fn form(event: &Event) -> Option<OutputForm> {
    match event {
        Event::Output(output) => match &**output {
            OutputEvent::Form(form) => Some(form.clone()),
            _ => None,
        },
        _ => None,
    }
}

#[test]
fn a_preview_has_an_end_whatever_was_decided() {
    let temp = tempfile::tempdir().unwrap();
    let client = decided(temp.path(), 5_000);
    for (ticket, kind) in (1..).zip(KINDS) {
        ask(&client, ticket, kind);
        let fields = next(&client, form);
        assert!(fields.unfinished && fields.ticket == ticket && !fields.fields.is_empty(), "{fields:?}");
        let whole = next(&client, form);
        assert!(!whole.unfinished && whole.fields == fields.fields, "{kind:?}");
        let words: Vec<&str> = whole.preview.iter().map(|line| line.text.as_str()).collect();
        let all = words.join("\n");
        assert!(
            words.len() < 700 && all.len() < 100_000,
            "{kind:?}: {} lines, {} bytes",
            words.len(),
            all.len()
        );
        for said in ["5,000 removed", "and 4,800 more changes", "and 4,980 more"] {
            assert!(all.contains(said), "{kind:?}: {said}: {all}");
        }
    }
    client.stop().unwrap();
}

#[test]
fn nothing_waits_for_a_preview_and_it_can_be_canceled() {
    let temp = tempfile::tempdir().unwrap();
    let client = decided(temp.path(), 100_000);
    for (ticket, kind) in (1..).zip(KINDS) {
        ask(&client, 10 * ticket, kind);
        let text = format!("{}/sess", temp.path().display());
        client
            .commands
            .send(Command::Output(OutputCommand::Complete { ticket: 10 * ticket + 1, text }))
            .unwrap();
        let query = Query { all: true, ..Query::default() };
        client.commands.send(Command::List { ticket: 10 * ticket + 2, query }).unwrap();
        // An older one is not finished when there is a newer one.
        ask(&client, 10 * ticket + 3, kind);
        client.commands.send(Command::Cancel).unwrap();
        let (mut completed, mut forms) = (false, Vec::new());
        let canceled = next(&client, |event| {
            if let Event::Output(output) = event
                && let OutputEvent::Completed { options, .. } = &**output
            {
                assert_eq!(options.len(), 1, "{options:?}");
                completed = true;
            }
            let form = form(event)?;
            forms.push((form.ticket, form.unfinished));
            (!form.unfinished).then_some(form)
        });
        assert_eq!(canceled.ticket, 10 * ticket + 3, "{forms:?}");
        assert!(canceled.obstacle.contains("the preview was canceled"), "{canceled:?}");
        assert!(!canceled.fields.is_empty() && canceled.preview.is_empty(), "{canceled:?}");
        if !completed {
            next(&client, |event| match event {
                Event::Output(output) => matches!(&**output, OutputEvent::Completed { .. }).then_some(()),
                _ => None,
            });
        }
        // Canceled is canceled: the same form can be asked for again.
        ask(&client, 10 * ticket + 4, OutputKind::Export);
        let again = next(&client, |event| form(event).filter(|form| !form.unfinished));
        assert_eq!((again.ticket, again.obstacle.as_str()), (10 * ticket + 4, ""));
    }
    client.stop().unwrap();
}

#[test]
fn a_path_is_completed_while_a_preview_is_made() {
    let temp = tempfile::tempdir().unwrap();
    let client = decided(temp.path(), 100_000);
    ask(&client, 1, OutputKind::Plan);
    next(&client, form);
    let text = format!("{}/sess", temp.path().display());
    client.commands.send(Command::Output(OutputCommand::Complete { ticket: 2, text })).unwrap();
    let options = next(&client, |event| match event {
        Event::Output(output) => match &**output {
            OutputEvent::Completed { options, .. } => Some(options.clone()),
            OutputEvent::Form(form) => panic!("the path waited for the preview: {form:?}"),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(options, [format!("{}/session/", temp.path().display())]);
    client.stop().unwrap();
}
