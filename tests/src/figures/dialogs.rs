//! Dialogs about a million samples: the form, the preview, what is asked meanwhile, and cancel.

use super::{Report, Scale, milliseconds, synthetic};
use crate::synthetic::engine;
use chaffinch_engine::Client;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Command, Event, OutputCommand, OutputEvent, OutputForm, OutputKind, Query, Ticket};
use std::time::{Duration, Instant};

/// Samples of one decision.
const AT_ONCE: usize = 10_000;

/// The first event that is one of these.
fn next<T>(client: &Client, mut of: impl FnMut(Event) -> Option<T>) -> T {
    loop {
        let event = client.events.recv_timeout(Duration::from_secs(600)).unwrap();
        if let Some(found) = of(event) {
            return found;
        }
    }
}

fn form(event: Event) -> Option<OutputForm> {
    match event {
        Event::Output(output) => match *output {
            OutputEvent::Form(form) => Some(form),
            _ => None,
        },
        _ => None,
    }
}

fn ask(client: &Client, ticket: Ticket, kind: OutputKind) -> Instant {
    let values = [("splits", "move-to-train"), ("copies", "keep-larger")];
    let values = values.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    client.commands.send(Command::Output(OutputCommand::Form { ticket, kind, values })).unwrap();
    Instant::now()
}

pub(super) fn dialogs(scale: Scale) -> Report {
    let mut report = Report::default();
    let count = scale.of(1_000_000, 30_000);
    let session = synthetic(count);
    let data = session.parent().unwrap().join("data");
    let client = engine(&session, &data);
    let all: Vec<SampleId> = (0..count as u32).map(SampleId).collect();
    for samples in all.chunks(AT_ONCE) {
        let command = Command::Decide { samples: samples.to_vec(), decision: Some(Choice::Remove.into()) };
        client.commands.send(command).unwrap();
        next(&client, |event| match event {
            Event::Saved(_) => Some(()),
            Event::NotSaved { .. } => panic!("{event:?}"),
            _ => None,
        });
    }
    let kinds = [
        ("export", OutputKind::Export),
        ("plan", OutputKind::Plan),
        ("report", OutputKind::Report),
        ("apply", OutputKind::Apply),
    ];
    for (ticket, (name, kind)) in (1..).map(|ticket| 10 * ticket).zip(kinds) {
        let asked = ask(&client, ticket, kind);
        next(&client, |event| form(event).filter(|form| form.unfinished));
        report.time(
            format!("{name}: the fields of the form"),
            milliseconds(asked.elapsed()),
            "ms",
            Some(100.0),
        );
        // The list that the screen asks for meanwhile.
        let listed = Instant::now();
        let query = Query { filter: "class:class-007".into(), all: true, ..Query::default() };
        client.commands.send(Command::List { ticket: ticket + 1, query }).unwrap();
        let mut whole = None;
        next(&client, |event| match event {
            Event::Listed { ticket: came, .. } if came == ticket + 1 => Some(()),
            event => {
                whole = form(event).or_else(|| whole.take());
                None
            }
        });
        report.time(format!("{name}: a list beside its preview"), milliseconds(listed.elapsed()), "ms", None);
        let whole = whole.unwrap_or_else(|| next(&client, form));
        report.time(format!("{name}: the preview"), milliseconds(asked.elapsed()), "ms", None);
        let bytes: usize = whole.preview.iter().map(|line| line.text.len()).sum();
        report.count(format!("{name}: lines of the preview"), whole.preview.len() as f64, "", Some(700.0));
        report.count(format!("{name}: bytes of the preview"), bytes as f64, "", Some(100_000.0));
        ask(&client, ticket + 2, kind);
        next(&client, |event| form(event).filter(|form| form.unfinished));
        std::thread::sleep(Duration::from_millis(scale.of(300, 0)));
        let canceled = Instant::now();
        client.commands.send(Command::Cancel).unwrap();
        let end = next(&client, form);
        report.time(format!("{name}: until it is canceled"), milliseconds(canceled.elapsed()), "ms", None);
        let finished = u8::from(end.obstacle.is_empty());
        report.count(format!("{name}: finished although canceled"), finished.into(), "", Some(0.0));
    }
    client.stop().unwrap();
    report
}
