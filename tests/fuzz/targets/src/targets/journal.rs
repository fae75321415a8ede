//! Journals of decisions: one's own, which is written to, and those of others.

use super::pets::samples;
use crate::Target;
use crate::stage::put;
use crate::{chosen, input};
use chaffinch_data::journal::Journal;
use chaffinch_protocol::decision::{Choice, Decision};
use chaffinch_protocol::sample::SampleId;
use std::fs;
use std::sync::Arc;

/// The target.
pub const TARGET: Target =
    Target { name: "journal", reads: "journals of decisions, one's own and those of others", run, seeds };

const FILES: [&str; 2] = ["anna.jsonl", "ben.jsonl"];

fn run(bytes: &[u8]) {
    let Some((number, bytes)) = chosen(bytes, FILES.len()) else { return };
    let folder = tempfile::Builder::new().prefix("chaffinch-fuzz-").tempdir().unwrap();
    let file = folder.path().join(FILES[number]);
    put(&file, bytes);
    let (manifest, metadata) = samples();
    let (manifest, metadata) = (Arc::new(manifest), Arc::new(metadata));
    let Ok(mut journal) = Journal::open(folder.path(), "anna") else { return };
    journal.bind(&manifest, Some(&metadata));
    let decided = journal.snapshot();
    manifest.ids().for_each(|id| {
        let _ = (
            decided.get(id),
            decided.review(id),
            decided.notes(id),
            journal.other_decisions(id),
            journal.sides(id),
        );
    });
    let _ = (journal.conflicts(), journal.changed(), journal.notes(), journal.disputes(&decided));
    journal.entries().iter().for_each(|entry| {
        let _ = (entry.words(), entry.at(), entry.change());
    });
    // Whatever was read, what is decided now is read again, and nothing that was there is lost.
    let before = fs::read(&file).unwrap();
    let removed = Decision { tags: vec!["odd".into()], ..Choice::Remove.into() };
    if journal.undo().is_err()
        || journal.redo().is_err()
        || journal.decide(&[SampleId(2)], Some(removed)).is_err()
    {
        return;
    }
    drop(journal);
    let mut again = Journal::open(folder.path(), "anna").expect("a journal that was appended to opens");
    again.bind(&manifest, Some(&metadata));
    let found = again.decision(SampleId(2)).map(|decision| &decision.choice);
    assert_eq!(found, Some(&Choice::Remove), "what was saved is there");
    if number == 1 {
        assert_eq!(fs::read(&file).unwrap(), before, "another reviewer's journal is never written");
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, metadata) = samples();
    let (manifest, metadata) = (Arc::new(manifest), Arc::new(metadata));
    let mut journal = Journal::open(folder.path(), "anna").unwrap();
    journal.bind(&manifest, Some(&metadata));
    let relabel = Decision { note: "a crow".into(), ..Choice::Relabel("bird".into()).into() };
    journal.decide(&[SampleId(2)], Some(relabel)).unwrap();
    journal.decide(&[SampleId(0), SampleId(3)], Some(Choice::Unsure.into())).unwrap();
    journal.keep_only(SampleId(2), &[SampleId(3)]).unwrap();
    journal.tag(&[SampleId(1)], &["odd".into()], "").unwrap();
    journal.undo().unwrap();
    journal.redo().unwrap();
    journal.untag(&[SampleId(1)], &["odd".into()]).unwrap();
    journal.decide(&[SampleId(0)], None).unwrap();
    journal.undo().unwrap();
    // Times and places of the seed are those of no machine.
    let text = fs::read_to_string(folder.path().join("anna.jsonl")).unwrap();
    let lines = text.lines().map(|line| match line.split_once("\"at\":\"") {
        Some((start, rest)) => {
            let end = rest.find('"').unwrap();
            format!("{start}\"at\":\"2026-01-02T03:04:05Z{}\n", &rest[end..])
        }
        None => format!("{line}\n"),
    });
    let text = lines.collect::<String>().into_bytes();
    vec![input(0, &text), input(1, &text), input(0, &text[..text.len() / 2])]
}
