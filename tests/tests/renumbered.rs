//! A scan that finds another dataset numbers its samples anew: what names a sample by its old number is refused, until the client
//! knows the new ones.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_engine::Client;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Command, Event, ViewCommand};
use chaffinch_tests::sandbox::Sandbox;
use chaffinch_tests::synthetic::next;
use chaffinch_tests::{pictures, synthetic};
use std::fs;
use std::path::{Path, PathBuf};

fn numbering(event: &Event) -> Option<u64> {
    match event {
        Event::Session(summary) => Some(summary.numbering),
        _ => None,
    }
}

/// Whether what was sent last was saved.
fn is_saved(client: &Client, command: Command) -> bool {
    client.commands.send(command).unwrap();
    next(client, |event| match event {
        Event::Saved(_) => Some(true),
        Event::NotSaved { message } => {
            assert!(message.contains("the dataset has changed"), "{message}");
            Some(false)
        }
        _ => None,
    })
}

fn scan(client: &Client) {
    client.commands.send(Command::Scan { detectors: Vec::new(), opening: false }).unwrap();
    next(client, |event| matches!(event, Event::ScanDone(_)).then_some(()));
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = walkdir::WalkDir::new(folder)
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.into_path())
        .collect();
    files.sort();
    files
}

#[test]
fn old_numbers_of_samples_decide_nothing() {
    let sandbox = Sandbox::new();
    let (data, session) = (sandbox.data(), sandbox.session());
    pictures::dataset(&data, 2, 4, 24);
    sandbox.ok(sandbox.scan_args());
    let client = synthetic::engine(&session, &data);
    let first = next(&client, numbering);
    let remove = |number: u32| Command::Decide {
        samples: vec![SampleId(number)],
        decision: Some(Choice::Remove.into()),
    };
    // A scan that finds the same dataset numbers nothing anew.
    scan(&client);
    assert!(is_saved(&client, remove(0)));
    // A new picture comes first, which moves all others by one.
    let there = files(&data);
    let (name, other) = (&there[0], files(&data)[5].clone());
    fs::write(name.with_file_name("!.png"), [&fs::read(other).unwrap()[..], b"more"].concat()).unwrap();
    client.commands.send(Command::Scan { detectors: Vec::new(), opening: false }).unwrap();
    let now = next(&client, |event| numbering(event).filter(|number| *number != first));
    let tag =
        |samples: Vec<SampleId>| Command::Tag { samples, tags: vec!["seen".into()], note: String::new() };
    assert!(!is_saved(&client, remove(3)));
    assert!(!is_saved(&client, tag(vec![SampleId(2)])));
    let keep = ViewCommand::KeepOnly { keep: SampleId(1), remove: vec![SampleId(2)] };
    assert!(!is_saved(&client, Command::View(keep)));
    client.commands.send(Command::Renumbered { numbering: now }).unwrap();
    assert!(is_saved(&client, remove(4)));
    client.stop().unwrap();
    let entries: Vec<String> = sandbox.journal().iter().map(ToString::to_string).collect();
    let is_decided = |path: &PathBuf| {
        let path = path.strip_prefix(&data).unwrap().to_str().unwrap();
        entries.iter().any(|entry| entry.contains(path))
    };
    let decided: Vec<bool> = there.iter().take(5).map(is_decided).collect();
    assert_eq!(decided, [true, false, false, true, false], "{entries:?}");
}
