//! Entries that keep some of their samples and remove the others.

use super::*;
use crate::manifest::NewSample;
use chaffinch_compute::content::ContentHash;
use chaffinch_protocol::sample::Split;
use std::fs;

/// Four files, the first three with the same bytes.
fn bound(dir: &Path) -> Journal {
    bound_to(dir, ["a.jpg", "b.jpg", "c.jpg", "d.jpg"])
}

fn bound_to(dir: &Path, paths: [&str; 4]) -> Journal {
    let sample = |path: &str| NewSample { path: path.into(), label: None, split: Split::None };
    let manifest = Arc::new(Manifest::new("/data", paths.map(sample)));
    let hashes = ["same", "same", "same", "other"].map(|text| ContentHash::of(text.as_bytes()));
    let file_metadata =
        Arc::new(FileMetadata { hashes: hashes.into_iter().collect(), ..FileMetadata::default() });
    let mut journal = Journal::open(dir, "anna").unwrap();
    journal.bind(&manifest, Some(&file_metadata));
    journal
}

fn choices(journal: &Journal) -> Vec<(u32, String)> {
    journal.decisions().iter().map(|(id, decision)| (id.0, decision.choice.to_string())).collect()
}

#[test]
fn one_entry_keeps_and_removes_and_one_undo_takes_it_back() {
    let temp = tempfile::tempdir().unwrap();
    let mut journal = bound(temp.path());
    journal.decide(&[SampleId(0)], Some(Choice::Unsure.into())).unwrap();
    let applied = journal.keep_only(SampleId(1), &[SampleId(0), SampleId(2), SampleId(3)]).unwrap();
    assert_eq!(applied.words, "keep 1 and remove 3");
    let whole = [(0, "remove"), (1, "keep"), (2, "remove"), (3, "remove")];
    let whole: Vec<(u32, String)> = whole.map(|(row, word)| (row, word.to_owned())).into();
    assert_eq!(choices(&journal), whole);
    assert_eq!(journal.counts_by_choice(), [1, 3, 0, 0]);
    let text = fs::read_to_string(temp.path().join("anna.jsonl")).unwrap();
    assert_eq!(text.lines().count(), 2);
    assert!(text.lines().nth(1).unwrap().contains("\"decision\":\"remove\",\"kept\":[0]"), "{text}");

    // Read again, undone, and done again.
    drop(journal);
    let mut journal = bound(temp.path());
    assert_eq!(choices(&journal), whole);
    journal.undo().unwrap().unwrap();
    assert_eq!(choices(&journal), [(0, "unsure".to_owned())]);
    journal.redo().unwrap().unwrap();
    assert_eq!(choices(&journal), whole);
    assert_eq!(choices(&bound(temp.path())), whole);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let mut journal = bound(temp.path());
    let error = journal.keep_only(SampleId(1), &[SampleId(0), SampleId(1)]).unwrap_err().to_string();
    assert_eq!(error, "sample 1 cannot be both kept and removed");
    assert!(journal.keep_only(SampleId(1), &[SampleId(9)]).is_err());
    assert_eq!(journal.undoable(), 0);
    let line = "{\"seq\":1,\"at\":\"2026-11-21T10:00:00Z\",\"samples\":[{\"hash\":null,\"path\":\"a.jpg\"}],\
                \"decision\":\"remove\",\"kept\":[1]}\n";
    fs::write(temp.path().join("anna.jsonl"), line).unwrap();
    let error = Journal::open(temp.path(), "anna").err().unwrap().to_string();
    assert!(error.contains("line 1") && error.contains("it keeps sample 1, but has only 1"), "{error}");
}

/// Where copies have other names, such as in a tar file, it is not certain which of them was decided about, unlike where
/// the one that was removed is gone.
#[test]
fn a_decision_about_one_of_several_copies_that_are_elsewhere_is_unclear() {
    let temp = tempfile::tempdir().unwrap();
    bound(temp.path()).decide(&[SampleId(1)], Some(Choice::Remove.into())).unwrap();
    let now = |paths: [&str; 4]| {
        let journal = bound_to(temp.path(), paths);
        (choices(&journal).len(), journal.changed().iter().map(|one| one.now).collect::<Vec<_>>())
    };
    assert_eq!(now(["0.jpg", "1.jpg", "2.jpg", "3.jpg"]), (0, vec![Now::Unclear]));
    // Where the others are where they were, the new name is that of the one that was decided about.
    assert_eq!(now(["a.jpg", "c.jpg", "x.jpg", "d.jpg"]), (1, vec![]));
}
