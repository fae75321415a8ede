//! An order that learns from decisions: the engine offers it, keeps it while decisions go on, and shows a blind reviewer nothing of it.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_data::journal::Journal;
use chaffinch_data::session::Session;
use chaffinch_engine::Client;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Command, Event, Query, Row, Sort};
use chaffinch_tests::sandbox::Sandbox;
use chaffinch_tests::synthetic::{self, next};
use std::sync::Arc;

const COUNT: usize = 6_000;

/// A list of suspects: its rows, or why there is none.
fn list(client: &Client, ticket: u64, sort: Sort) -> Result<(Vec<Row>, String), String> {
    client.commands.send(Command::List { ticket, query: Query { sort, ..Query::default() } }).unwrap();
    let note = next(client, |event| match event {
        Event::Listed { ticket: of, note, .. } if *of == ticket => Some(Ok(note.clone())),
        Event::NotListed { ticket: of, message, .. } if *of == ticket => Some(Err(message.clone())),
        _ => None,
    })?;
    client.commands.send(Command::Rows { ticket, start: 0, len: 4096 }).unwrap();
    let rows = next(client, |event| match event {
        Event::Rows { ticket: of, rows, .. } if *of == ticket => Some(rows.clone()),
        _ => None,
    });
    Ok((rows, note))
}

fn samples(rows: &[Row]) -> Vec<SampleId> {
    rows.iter().map(|row| row.sample).collect()
}

fn decide(client: &Client, samples: Vec<SampleId>, choice: Choice) {
    client.commands.send(Command::Decide { samples, decision: Some(choice.into()) }).unwrap();
    next(client, |event| matches!(event, Event::Saved(_)).then_some(()));
}

fn learned(event: &Event) -> Option<(u64, bool)> {
    match event {
        Event::Learned { decisions, better, .. } => Some((*decisions, *better)),
        _ => None,
    }
}

/// The flags of a sample that only `duplicates` flags.
fn duplicates(client: &Client) -> Vec<u16> {
    let place = next(client, |event| match event {
        Event::Session(summary) => Some(summary.detectors.iter().position(|one| one.name == "duplicates")),
        _ => None,
    });
    vec![place.unwrap() as u16]
}

/// Every other suspect: those that only one detector flags, and the others.
fn half(rows: &[Row], flags: &[u16]) -> (Vec<SampleId>, Vec<SampleId>) {
    let half = rows.iter().step_by(2);
    let (first, others): (Vec<&Row>, Vec<&Row>) = half.partition(|row| row.flags == flags);
    let ids = |rows: Vec<&Row>| rows.into_iter().map(|row| row.sample).collect();
    (ids(first), ids(others))
}

#[test]
fn an_order_stays_while_decisions_go_on_and_the_next_has_them() {
    let sandbox = Sandbox::new();
    let (session, data) = (sandbox.session(), sandbox.data());
    synthetic::session(&session, &data, COUNT, 7);
    let client = synthetic::engine(&session, &data);
    let flags = duplicates(&client);
    let why = list(&client, 1, Sort::Learned(1)).unwrap_err();
    assert!(why.starts_with("not yet: 0 decisions; needs 30"), "{why}");
    let (ranked, note) = list(&client, 2, Sort::Rank).unwrap();
    assert_eq!(note, "");
    let (bad, kept) = half(&ranked, &flags);
    decide(&client, kept, Choice::Keep);
    decide(&client, bad, Choice::Remove);
    let (decisions, _) = next(&client, |event| learned(event).filter(|(_, better)| *better));
    assert_eq!(decisions as usize, ranked.len().div_ceil(2));

    let (taken, note) = list(&client, 3, Sort::Learned(1)).unwrap();
    assert!(note.starts_with("learned from ") && note.contains("duplicates ×"), "{note}");
    let firsts = |rows: &[Row]| rows[..40].iter().filter(|row| row.flags == flags).count();
    assert!(firsts(&taken) > 35 && firsts(&ranked) < 30, "{} {}", firsts(&taken), firsts(&ranked));
    client.commands.send(Command::Detail { sample: taken[0].sample }).unwrap();
    let moved = next(&client, |event| match event {
        Event::Detail(detail) => Some(detail.learned.clone()),
        _ => None,
    });
    assert!(moved.starts_with("moved up: duplicates"), "{moved}");

    // What is decided now contradicts what was decided before.
    let odd: Vec<Row> = ranked.iter().skip(1).cloned().collect();
    let (now_kept, now_bad) = half(&odd, &flags);
    decide(&client, now_kept, Choice::Keep);
    decide(&client, now_bad, Choice::Remove);
    let (again, same_note) = list(&client, 4, Sort::Learned(1)).unwrap();
    assert_eq!((samples(&again), same_note), (samples(&taken), note), "the same number is the same order");
    match list(&client, 5, Sort::Learned(2)) {
        Ok((other, _)) => assert_ne!(samples(&other), samples(&taken)),
        Err(why) => assert!(why.starts_with("not yet: ") && why.contains("the rank in"), "{why}"),
    }
    client.stop().unwrap();
}

#[test]
fn a_blind_reviewer_sees_nothing_of_what_others_taught() {
    let sandbox = Sandbox::new();
    let (folder, data) = (sandbox.session(), sandbox.data());
    synthetic::session(&folder, &data, COUNT, 7);
    let client = synthetic::engine(&folder, &data);
    let flags = duplicates(&client);
    let (ranked, _) = list(&client, 1, Sort::Rank).unwrap();
    client.stop().unwrap();
    {
        let session = Session::open(&folder).unwrap();
        let (manifest, file_metadata) = session.load_samples().unwrap().unwrap();
        let mut ben = Journal::open(&session.decisions_dir(), "ben").unwrap();
        ben.bind(&Arc::new(manifest), Some(&Arc::new(file_metadata)));
        let (bad, kept) = half(&ranked, &flags);
        ben.decide(&bad, Some(Choice::Remove.into())).unwrap();
        ben.decide(&kept, Some(Choice::Keep.into())).unwrap();
    }
    let client = synthetic::engine(&folder, &data);
    assert_eq!(next(&client, learned), (ranked.len().div_ceil(2) as u64, true), "offered where one goes on");
    let (taken, _) = list(&client, 2, Sort::Learned(1)).unwrap();
    let blind = |on: bool| client.commands.send(Command::Blind { on, sample: None, seed: 0 }).unwrap();
    blind(true);
    assert_eq!(next(&client, learned), (0, false));
    let why = list(&client, 3, Sort::Learned(1)).unwrap_err();
    assert!(why.starts_with("not yet: 0 decisions"), "{why}");
    blind(false);
    let (again, _) = list(&client, 4, Sort::Learned(1)).unwrap();
    assert_eq!(samples(&again), samples(&taken));
    client.stop().unwrap();
}
