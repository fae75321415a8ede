use super::disk::Look;
use super::*;
use crate::manifest::{NO_LABEL, NewSample};
use crate::packing::{Holds, PackingBuilder};
use chaffinch_compute::content::ContentHash;
use chaffinch_protocol::sample::Split;
use proptest::prelude::*;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

mod adjudicated;
mod binding;
mod losses;
mod rows;

/// Samples by path and content.
fn dataset(rows: &[(&str, &str)]) -> (Arc<Manifest>, Arc<FileMetadata>) {
    let sample = |path: &str| NewSample { path: path.into(), label: Some("cat".into()), split: Split::None };
    let manifest = Manifest::new("/data", rows.iter().map(|row| sample(row.0)));
    let hash =
        |text: &str| if text.is_empty() { ContentHash::default() } else { ContentHash::of(text.as_bytes()) };
    let file_metadata =
        FileMetadata { hashes: rows.iter().map(|row| hash(row.1)).collect(), ..FileMetadata::default() };
    (Arc::new(manifest), Arc::new(file_metadata))
}

fn bound(dir: &Path, reviewer: &str, rows: &[(&str, &str)]) -> Journal {
    let mut journal = Journal::open(dir, reviewer).unwrap();
    let (manifest, file_metadata) = dataset(rows);
    journal.bind(&manifest, Some(&file_metadata));
    journal
}

const THREE: [(&str, &str); 3] = [("a.jpg", "A"), ("b.jpg", "B"), ("c.jpg", "C")];

fn ids(rows: &[u32]) -> Vec<SampleId> {
    rows.iter().copied().map(SampleId).collect()
}

fn remove() -> Option<Decision> {
    Some(Choice::Remove.into())
}

fn keep() -> Option<Decision> {
    Some(Choice::Keep.into())
}

fn choices(journal: &Journal) -> Vec<(u32, String)> {
    journal.decisions().iter().map(|(id, decision)| (id.0, decision.choice.to_string())).collect()
}

fn text(dir: &Path) -> String {
    fs::read_to_string(dir.join("anna.jsonl")).unwrap()
}

#[test]
fn a_decision_is_one_readable_line() {
    let temp = tempfile::tempdir().unwrap();
    let mut journal = bound(temp.path(), "anna", &THREE);
    assert!(!temp.path().join("anna.jsonl").exists());
    let decision = Decision {
        choice: Choice::Relabel("dog".into()),
        tags: vec!["mislabel_confirmed".into()],
        note: "a puppy".into(),
    };
    let applied = journal.decide(&ids(&[1]), Some(decision)).unwrap();
    assert_eq!((applied.samples, applied.words.as_str()), (ids(&[1]), "relabel to dog"));
    let line: serde_json::Value = serde_json::from_str(&text(temp.path())).unwrap();
    assert_eq!(line["seq"], 1);
    assert_eq!(line["reviewer"], "anna");
    assert_eq!(line["samples"][0]["path"], "b.jpg");
    assert_eq!(line["samples"][0]["hash"], ContentHash::of(b"B").to_string());
    assert_eq!(line["decision"]["relabel"], "dog");
    assert_eq!(line["tags"][0], "mislabel_confirmed");
    assert!(line["at"].as_str().unwrap().ends_with('Z'));
    let review = journal.decisions().review(SampleId(1)).unwrap();
    assert_eq!(
        (review.reviewer, review.note, review.at().as_str()),
        ("anna", "a puppy", line["at"].as_str().unwrap())
    );
}

fn relabel(label: &str) -> Decision {
    Choice::Relabel(label.into()).into()
}

#[test]
fn decisions_that_differ_are_one_entry_and_undone_as_one() {
    let temp = tempfile::tempdir().unwrap();
    let open = || bound(temp.path(), "anna", &THREE);
    let mut journal = open();
    journal.decide(&ids(&[1]), keep()).unwrap();
    let each = [
        (SampleId(2), relabel("dog")),
        (SampleId(0), relabel("cat")),
        (SampleId(1), Choice::Remove.into()),
        (SampleId(2), relabel("bird")),
    ];
    let applied = journal.decide_each(&each).unwrap();
    assert_eq!((applied.samples, applied.change), (ids(&[2, 0, 1]), Change::DecidedEach));
    assert_eq!(applied.words, "relabel 1 to cat, 1 to dog and remove 1");
    let after = [(0, "relabel to cat".into()), (1, "remove".into()), (2, "relabel to dog".into())];
    assert_eq!(choices(&journal), after);
    drop(journal);

    let mut journal = open();
    assert_eq!(choices(&journal), after, "read again");
    assert_eq!(journal.undo().unwrap().unwrap().samples, ids(&[2, 0, 1]));
    assert_eq!(choices(&journal), [(1, "keep".into())]);
    assert_eq!(journal.redo().unwrap().unwrap().words, "relabel 1 to cat, 1 to dog and remove 1");
    drop(journal);
    // Each decision belongs to its sample, wherever the files are by now.
    let moved = [("x/c.jpg", "C"), ("x/a.jpg", "A"), ("x/b.jpg", "B")];
    let moved = bound(temp.path(), "anna", &moved);
    assert_eq!(
        choices(&moved),
        [(0, "relabel to dog".into()), (1, "relabel to cat".into()), (2, "remove".into())]
    );
}

#[test]
fn decisions_that_do_not_fit_their_samples_are_refused() {
    let temp = tempfile::tempdir().unwrap();
    let mut journal = bound(temp.path(), "anna", &THREE);
    assert!(journal.decide_each(&[]).is_err());
    assert!(journal.decide_each(&[(SampleId(0), relabel(" "))]).is_err());
    assert!(journal.decide_each(&[(SampleId(3), relabel("dog"))]).is_err());
    let noted = Decision { note: "a puppy".into(), ..relabel("dog") };
    assert!(journal.decide_each(&[(SampleId(0), noted)]).is_err());
    assert!(!temp.path().join("anna.jsonl").exists(), "nothing was written");
    journal.decide_each(&[(SampleId(0), relabel("dog")), (SampleId(1), Choice::Keep.into())]).unwrap();
    let line = text(temp.path()).replace("\"keep\",", "").replace(",\"keep\"", "");
    fs::write(temp.path().join("anna.jsonl"), line).unwrap();
    let error = Journal::open(temp.path(), "anna").err().unwrap().to_string();
    assert!(error.contains("line 1: it has 1 decisions for 2 samples"), "{error}");
}

#[test]
fn many_different_decisions_are_counted_in_words() {
    let temp = tempfile::tempdir().unwrap();
    let rows: Vec<(String, String)> = (0..9).map(|n| (format!("{n}.jpg"), n.to_string())).collect();
    let rows: Vec<(&str, &str)> = rows.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let mut journal = bound(temp.path(), "anna", &rows);
    let mut each: Vec<(SampleId, Decision)> =
        (0..6).map(|n| (SampleId(n), relabel(["a", "b", "c", "d", "e"][n as usize % 5]))).collect();
    each.push((SampleId(6), Choice::Keep.into()));
    each.push((SampleId(7), Choice::Unsure.into()));
    let words = journal.decide_each(&each).unwrap().words;
    assert_eq!(words, "keep 1, relabel 6 to 5 classes and be unsure about 1");
    let words = journal.decide_each(&each[..3]).unwrap().words;
    assert_eq!(words, "relabel 1 to a, 1 to b and 1 to c");
}

#[test]
fn undo_and_redo_work_across_restarts() {
    let temp = tempfile::tempdir().unwrap();
    let open = || bound(temp.path(), "anna", &THREE);
    let mut journal = open();
    journal.decide(&ids(&[0, 1, 0]), remove()).unwrap();
    journal.decide(&ids(&[1]), keep()).unwrap();
    assert_eq!((journal.undoable(), journal.decided_count()), (2, 2));
    assert_eq!(journal.counts_by_choice(), [1, 1, 0, 0]);
    let applied = journal.undo().unwrap().unwrap();
    assert_eq!((applied.samples, applied.decision), (ids(&[1]), remove()));
    drop(journal);

    let mut journal = open();
    assert_eq!((journal.undoable(), journal.redoable()), (1, 1));
    let applied = journal.undo().unwrap().unwrap();
    assert_eq!((applied.samples, applied.decision), (ids(&[0, 1]), None));
    assert_eq!(journal.undo().unwrap(), None);
    assert_eq!(journal.decided_count(), 0);
    drop(journal);

    let mut journal = open();
    assert_eq!(journal.redo().unwrap().unwrap().samples, ids(&[0, 1]));
    assert_eq!(journal.redo().unwrap().unwrap().decision, keep());
    assert_eq!(journal.redo().unwrap(), None);
    journal.undo().unwrap();
    // A new decision ends what can be redone.
    journal.decide(&ids(&[2]), keep()).unwrap();
    assert_eq!((journal.undoable(), journal.redoable()), (2, 0));
    let journal = open();
    assert_eq!((journal.undoable(), journal.redoable()), (2, 0));
    assert_eq!(choices(&journal), [(0, "remove".into()), (1, "remove".into()), (2, "keep".into())]);
}

#[test]
fn what_is_there_already_makes_no_entry() {
    let temp = tempfile::tempdir().unwrap();
    let open = |reviewer: &str| bound(temp.path(), reviewer, &THREE);
    open("ben").decide(&ids(&[2]), remove()).unwrap();
    let mut journal = open("anna");
    let blur = ["blur".to_owned()];
    // Nothing to clear: not even what another reviewer has decided.
    assert!(journal.decide(&ids(&[0, 1, 2]), None).unwrap().unchanged);
    assert!(journal.remove_note(&ids(&[0])).unwrap().unchanged);
    assert_eq!(journal.undoable(), 0);
    journal.decide(&ids(&[0]), remove()).unwrap();
    journal.tag(&ids(&[0]), &blur, "dark").unwrap();
    journal.undo().unwrap();
    journal.redo().unwrap();
    journal.decide(&ids(&[1]), keep()).unwrap();
    journal.undo().unwrap();
    let before = (journal.undoable(), journal.redoable());
    for applied in [
        journal.decide(&ids(&[0]), remove()),
        journal.decide_each(&[(SampleId(0), Choice::Remove.into())]),
        journal.tag(&ids(&[0]), &blur, ""),
        journal.tag(&ids(&[0]), &blur, "dark"),
        journal.tag(&ids(&[0]), &[], "dark"),
    ] {
        let applied = applied.unwrap();
        assert!(applied.unchanged, "{}", applied.words);
        assert_eq!(applied.samples, ids(&[0]));
    }
    assert_eq!((journal.undoable(), journal.redoable()), before, "what was undone can still be redone");
    drop(journal);
    let mut journal = open("anna");
    assert_eq!((journal.undoable(), journal.redoable()), before);
    // One's own agreement with another reviewer is something new.
    assert!(!journal.decide(&ids(&[2]), remove()).unwrap().unchanged);
    // Of several, those are cleared that are decided.
    assert_eq!(journal.decide(&ids(&[1, 0, 2]), None).unwrap().samples, ids(&[0, 2]));
}

#[test]
fn a_note_can_be_removed_and_comes_back() {
    let temp = tempfile::tempdir().unwrap();
    let open = || bound(temp.path(), "anna", &THREE);
    let mut journal = open();
    journal.tag(&ids(&[0]), &["blur".to_owned()], "dark").unwrap();
    let applied = journal.remove_note(&ids(&[0, 1])).unwrap();
    assert_eq!((applied.samples, applied.words.as_str()), (ids(&[0]), "remove note"));
    drop(journal);
    let mut journal = open();
    assert_eq!((journal.decisions().note(SampleId(0)), journal.decisions().tags(SampleId(0)).len()), ("", 1));
    journal.undo().unwrap();
    assert_eq!(journal.decisions().note(SampleId(0)), "dark");
}

#[test]
fn tags_are_taken_away_by_who_gave_them() {
    let temp = tempfile::tempdir().unwrap();
    let open = |reviewer: &str| bound(temp.path(), reviewer, &THREE);
    let tags = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
    open("anna").tag(&ids(&[0]), &tags(&["leak"]), "").unwrap();
    let mut journal = open("ben");
    let error = journal.untag(&ids(&[0]), &tags(&["leak"])).unwrap_err();
    assert_eq!(error.to_string(), "you have not given any of these samples the tag 'leak'");
    journal.tag(&ids(&[0, 1]), &tags(&["blur", "crop"]), "").unwrap();
    let applied = journal.untag(&ids(&[0, 1]), &tags(&["blur"])).unwrap();
    assert_eq!((applied.words.as_str(), applied.change), ("tag -blur", Change::Tagged));
    for journal in [&journal, &open("ben")] {
        assert_eq!(journal.decisions().tags(SampleId(0)), ["crop", "leak"]);
        assert_eq!(journal.decisions().tags(SampleId(1)), ["crop"]);
    }
    journal.undo().unwrap();
    assert_eq!(journal.decisions().tags(SampleId(1)), ["blur", "crop"]);
}

#[test]
fn tags_add_up_and_notes_replace() {
    let temp = tempfile::tempdir().unwrap();
    let mut journal = bound(temp.path(), "anna", &THREE);
    let tags = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
    journal.tag(&ids(&[0, 1]), &tags(&["blur", "crop"]), "").unwrap();
    assert_eq!(journal.decision(SampleId(0)), None);
    assert_eq!(journal.decisions().tags(SampleId(0)), ["blur", "crop"]);
    let with_tag = Decision { tags: tags(&["crop", "leak"]), note: "first".into(), ..Choice::Keep.into() };
    journal.decide(&ids(&[0]), Some(with_tag)).unwrap();
    journal.tag(&ids(&[0]), &tags(&[" "]), "second").unwrap();
    for journal in [journal, bound(temp.path(), "anna", &THREE)] {
        let decision = journal.decision(SampleId(0)).unwrap();
        assert_eq!((&decision.tags, decision.note.as_str()), (&tags(&["blur", "crop", "leak"]), "second"));
        assert_eq!(journal.decided_count(), 1);
    }
    let mut journal = bound(temp.path(), "anna", &THREE);
    assert!(journal.tag(&ids(&[0]), &tags(&[""]), "").is_err());
    journal.decide(&ids(&[0]), None).unwrap();
    assert_eq!((journal.decision(SampleId(0)), journal.decisions().tags(SampleId(0)).len()), (None, 3));
}

#[test]
fn what_cannot_be_is_refused_and_not_written() {
    let temp = tempfile::tempdir().unwrap();
    let mut loose = Journal::open(temp.path(), "anna").unwrap();
    assert!(loose.decide(&ids(&[0]), keep()).unwrap_err().to_string().contains("not been read"));
    let mut journal = bound(temp.path(), "anna", &THREE);
    let empty = Some(Choice::Relabel("  ".into()).into());
    assert!(journal.decide(&ids(&[0]), empty).unwrap_err().to_string().contains("needs the new class"));
    assert!(journal.decide(&ids(&[0, 3]), keep()).is_err());
    assert!(journal.decide(&[], keep()).is_err());
    assert!(!temp.path().join("anna.jsonl").exists());
    assert!(Journal::open(temp.path(), " ").is_err());
}

#[test]
fn names_of_reviewers_make_files_and_come_back() {
    let temp = tempfile::tempdir().unwrap();
    for name in ["anna", "../Anna B.", ".hidden", "Ümit%41", "a/b"] {
        let mut journal = bound(temp.path(), name, &THREE);
        journal.decide(&ids(&[0]), keep()).unwrap();
        let path = temp.path().join(book::file_name(name).unwrap());
        assert!(path.is_file(), "{name}");
        assert_eq!(book::reviewer_of(&path), name);
    }
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 5);
    assert_eq!(bound(temp.path(), "zoe", &THREE).snapshot().reviewers().len(), 6);
}

#[test]
fn reviewers_are_read_together_and_differ_openly() {
    let temp = tempfile::tempdir().unwrap();
    bound(temp.path(), "ben", &THREE).decide(&ids(&[0, 1]), remove()).unwrap();
    let mut anna = bound(temp.path(), "anna", &THREE);
    assert_eq!(choices(&anna), [(0, "remove".into()), (1, "remove".into())]);
    assert_eq!((anna.undoable(), anna.conflicts().len()), (0, 0));
    anna.decide(&ids(&[0, 2]), keep()).unwrap();
    let conflicts = anna.conflicts();
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0].sample, SampleId(0));
    let sides: Vec<(&str, &str)> =
        conflicts[0].sides.iter().map(|side| (side.0.as_str(), side.2.choice.word())).collect();
    assert_eq!(sides, [("anna", "keep"), ("ben", "remove")]);
    let disputes = anna.disputes(anna.decisions());
    assert_eq!((disputes.samples, anna.decisions().disputed()), (1, 1));
    assert_eq!((disputes.used_words(), disputes.other_words()), ("anna (1)".into(), "ben (1)".into()));
    assert_eq!(disputes.words().as_deref(), Some("reviewers disagree on 1 sample"));
    assert_eq!(anna.other_decisions(SampleId(0)), [("ben".to_owned(), Choice::Remove.into())]);
    assert!(anna.other_decisions(SampleId(1)).is_empty());
    anna.undo().unwrap();
    assert_eq!(anna.decisions().disputed(), 0);
    anna.redo().unwrap();
    assert_eq!(anna.decisions().disputed(), 1);
    assert_eq!(anna.snapshot().without(ids(&[0])).disputed(), 0);
    // One's own decision takes precedence, regardless of time; times are stored to the millisecond.
    std::thread::sleep(std::time::Duration::from_millis(2));
    bound(temp.path(), "ben", &THREE).decide(&ids(&[0]), Some(Choice::Unsure.into())).unwrap();
    let anna = bound(temp.path(), "anna", &THREE);
    assert_eq!(choices(&anna), [(0, "keep".into()), (1, "remove".into()), (2, "keep".into())]);
    assert_eq!(anna.decisions().review(SampleId(1)).unwrap().reviewer, "ben");
    assert_eq!(choices(&bound(temp.path(), "zoe", &THREE))[0], (0, "unsure".into()));
}

#[test]
fn the_notes_of_all_reviewers_are_kept() {
    let temp = tempfile::tempdir().unwrap();
    bound(temp.path(), "ben", &THREE).tag(&ids(&[0, 1]), &[], "blurred").unwrap();
    let mut anna = bound(temp.path(), "anna", &THREE);
    assert_eq!(anna.decisions().notes(SampleId(0)), [("ben", "blurred")]);
    anna.tag(&ids(&[0]), &[], "a fox").unwrap();
    assert_eq!(anna.decisions().notes(SampleId(0)), [("anna", "a fox"), ("ben", "blurred")]);
    assert_eq!(anna.decisions().note(SampleId(0)), "a fox");
    assert_eq!(anna.decisions().notes(SampleId(1)), [("ben", "blurred")]);
    assert!(anna.decisions().notes(SampleId(2)).is_empty());
}

#[test]
fn paths_may_hold_any_bytes() {
    let temp = tempfile::tempdir().unwrap();
    let path = OsStr::from_bytes(b"caf\xe9 100%.jpg");
    let sample = NewSample { path: path.into(), label: None, split: Split::None };
    let manifest = Arc::new(Manifest::new("/data", [sample]));
    let open = || {
        let mut journal = Journal::open(temp.path(), "anna").unwrap();
        journal.bind(&manifest, None);
        journal
    };
    open().decide(&ids(&[0]), remove()).unwrap();
    assert!(text(temp.path()).contains("\"path_percent\":\"caf%E9 100%25.jpg\""));
    assert_eq!(choices(&open()).len(), 1);
}

#[test]
fn anything_unreadable_but_the_last_line_is_an_error_that_names_it() {
    let temp = tempfile::tempdir().unwrap();
    let mut journal = bound(temp.path(), "anna", &THREE);
    journal.decide(&ids(&[0]), remove()).unwrap();
    journal.decide(&ids(&[1]), keep()).unwrap();
    journal.undo().unwrap();
    let whole = text(temp.path());
    let lines: Vec<&str> = whole.lines().collect();
    let error = |text: String| {
        fs::write(temp.path().join("anna.jsonl"), text).unwrap();
        Journal::open(temp.path(), "anna").map(|_| ()).unwrap_err().to_string()
    };
    let broken = error(format!("{}\n{{\"seq\"\n{}\n", lines[0], lines[1]));
    assert!(broken.contains("anna.jsonl: line 2: ") && broken.contains("by hand"), "{broken}");
    assert!(
        error(format!("{}\n{}\n", lines[1], lines[0]))
            .contains("line 2: its sequence number 1 does not follow 2")
    );
    assert!(
        error(format!("{}\n{}\n", lines[0], lines[2]))
            .contains("line 2: entry 2 is not the next one to undo")
    );
    // Complete, but from a later version: must not be truncated, although it is the last line.
    let strange = lines[1].replace("\"seq\"", "\"color\":1,\"seq\"");
    assert!(error(format!("{}\n{strange}\n", lines[0])).contains("line 2: unknown field `color`"));
    assert!(error(whole.replace("\"at\":\"2", "\"at\":\"x")).contains("line 1"));
}

/// An in-memory file on a disk with little space, which fails on demand.
#[derive(Clone, Default)]
struct Memory {
    bytes: Arc<Mutex<Vec<u8>>>,
    space: Arc<AtomicU64>,
    sync_fails: Arc<AtomicBool>,
    cut_fails: Arc<AtomicBool>,
}

impl Storage for Memory {
    fn path(&self) -> &Path {
        Path::new("anna.jsonl")
    }

    fn look(&mut self) -> io::Result<Look> {
        Ok(Look::of_len(self.bytes.lock().unwrap().len() as u64))
    }

    fn read(&mut self) -> io::Result<(Vec<u8>, Look)> {
        let bytes = self.bytes.lock().unwrap().clone();
        let look = Look::of_len(bytes.len() as u64);
        Ok((bytes, look))
    }

    fn hold(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn holds(&mut self) -> io::Result<bool> {
        Ok(true)
    }

    fn moved(&self) -> Option<PathBuf> {
        None
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        if self.cut_fails.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Other.into());
        }
        self.bytes.lock().unwrap().truncate(len as usize);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut held = self.bytes.lock().unwrap();
        let room = (self.space.load(Ordering::Relaxed) as usize).saturating_sub(held.len()).min(bytes.len());
        held.extend_from_slice(&bytes[..room]);
        if room < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.sync_fails.load(Ordering::Relaxed) { Err(io::ErrorKind::Other.into()) } else { Ok(()) }
    }
}

#[test]
fn a_failed_write_changes_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    memory.space.store(10_000, Ordering::Relaxed);
    let mut journal =
        Journal::open_with(temp.path(), "anna", Box::new(memory.clone()), &Job::unwatched()).unwrap();
    let (manifest, file_metadata) = dataset(&THREE);
    journal.bind(&manifest, Some(&file_metadata));
    journal.decide(&ids(&[0]), remove()).unwrap();
    let before = memory.bytes.lock().unwrap().clone();
    let unchanged = |journal: &Journal| {
        assert_eq!((choices(journal), journal.undoable()), (vec![(0, "remove".into())], 1));
    };
    // No room for all of it; syncing fails; and even truncating fails.
    memory.space.store(before.len() as u64 + 20, Ordering::Relaxed);
    let error = journal.decide(&ids(&[1]), keep()).unwrap_err().to_string();
    assert!(error.starts_with("cannot write anna.jsonl: "), "{error}");
    assert!(journal.undo().is_err());
    assert_eq!(*memory.bytes.lock().unwrap(), before);
    unchanged(&journal);
    memory.space.store(10_000, Ordering::Relaxed);
    memory.sync_fails.store(true, Ordering::Relaxed);
    assert!(journal.decide(&ids(&[1]), keep()).is_err());
    memory.cut_fails.store(true, Ordering::Relaxed);
    memory.space.store(before.len() as u64 + 20, Ordering::Relaxed);
    assert!(journal.decide(&ids(&[1]), keep()).is_err());
    unchanged(&journal);
    assert_eq!(memory.bytes.lock().unwrap().len(), before.len() + 20);
    // There is room again: leftovers are truncated first.
    memory.space.store(10_000, Ordering::Relaxed);
    memory.sync_fails.store(false, Ordering::Relaxed);
    memory.cut_fails.store(false, Ordering::Relaxed);
    journal.decide(&ids(&[2]), keep()).unwrap();
    fs::write(temp.path().join("anna.jsonl"), &*memory.bytes.lock().unwrap()).unwrap();
    assert_eq!(choices(&bound(temp.path(), "anna", &THREE)), [(0, "remove".into()), (2, "keep".into())]);
}

#[test]
fn a_file_that_somebody_else_wrote_to_is_not_written_over() {
    let temp = tempfile::tempdir().unwrap();
    let mut one = bound(temp.path(), "anna", &THREE);
    let mut two = bound(temp.path(), "anna", &THREE);
    one.decide(&ids(&[0]), keep()).unwrap();
    assert!(two.decide(&ids(&[1]), keep()).unwrap_err().to_string().contains("another program"));
    assert_eq!(two.decided_count(), 0);
}

#[test]
fn a_snapshot_stays_as_it_was() {
    let temp = tempfile::tempdir().unwrap();
    let mut journal = bound(temp.path(), "anna", &THREE);
    journal.decide(&ids(&[0]), keep()).unwrap();
    let before = journal.snapshot();
    journal.decide(&ids(&[0, 1]), remove()).unwrap();
    assert_eq!((before.decided(), before.by_choice()), (1, [1, 0, 0, 0]));
    assert_eq!((journal.snapshot().decided(), journal.counts_by_choice()), (2, [0, 2, 0, 0]));
    assert_eq!(journal.codes(), [(SampleId(0), 2, NO_LABEL), (SampleId(1), 2, NO_LABEL)]);
}

/// One random action.
#[derive(Debug, Clone)]
enum Step {
    Decide(Vec<u32>, u8),
    Tag(u32),
    Undo,
    Redo,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (prop::collection::vec(0_u32..3, 1..3), 0_u8..5).prop_map(|(rows, what)| Step::Decide(rows, what)),
        1 => (0_u32..3).prop_map(Step::Tag),
        2 => Just(Step::Undo),
        2 => Just(Step::Redo),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 0..12)
}

fn take(journal: &mut Journal, step: &Step) {
    match step {
        Step::Decide(rows, what) => {
            let choice = match what {
                0 => Some(Choice::Keep),
                1 => Some(Choice::Remove),
                2 => Some(Choice::Relabel("dog".into())),
                3 => Some(Choice::Unsure),
                _ => None,
            };
            journal.decide(&ids(rows), choice.map(Decision::from)).unwrap();
        }
        Step::Tag(row) => drop(journal.tag(&ids(&[*row]), &[format!("t{row}")], "").unwrap()),
        Step::Undo => drop(journal.undo().unwrap()),
        Step::Redo => drop(journal.redo().unwrap()),
        Step::Restart => {}
    }
}

/// The observable state of a journal.
fn seen(journal: &Journal) -> (Vec<(u32, Decision)>, usize, usize, [u64; 4]) {
    let decisions = journal.decisions().iter().map(|(id, decision)| (id.0, decision.clone())).collect();
    (decisions, journal.undoable(), journal.redoable(), journal.counts_by_choice())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever a crash leaves of the last entry, all earlier entries are intact, and work continues.
    #[test]
    fn a_file_torn_at_any_byte_loses_the_last_entry_at_most(steps in steps(), garbage in "[ -|~\0]{0,5}") {
        let temp = tempfile::tempdir().unwrap();
        let mut journal = bound(temp.path(), "anna", &THREE);
        let path = temp.path().join("anna.jsonl");
        let mut states = vec![(0, seen(&journal))];
        for step in &steps {
            if matches!(step, Step::Restart) {
                journal = bound(temp.path(), "anna", &THREE);
            }
            take(&mut journal, step);
            let len = fs::metadata(&path).map_or(0, |file| file.len() as usize);
            states.push((len, seen(&journal)));
        }
        let bytes = fs::read(&path).unwrap_or_default();
        let last = bytes.iter().rev().skip(1).position(|&byte| byte == b'\n').map_or(0, |back| bytes.len() - back - 1);
        for cut in last..=bytes.len() {
            let mut torn = bytes[..cut].to_vec();
            if cut > last && cut < bytes.len() - 1 {
                torn.extend_from_slice(garbage.as_bytes());
            }
            // An entry without its newline is still complete.
            let reached = if cut + 1 >= bytes.len() { bytes.len() } else { last };
            let expected = &states.iter().rev().find(|(len, _)| *len <= reached).unwrap().1;
            fs::write(&path, &torn).unwrap();
            let mut journal = bound(temp.path(), "anna", &THREE);
            prop_assert_eq!(&seen(&journal), expected);
            prop_assert_eq!(journal.notes().len(), usize::from(reached == last && torn.len() > last));
            journal.decide(&ids(&[2]), remove()).unwrap();
            let after = seen(&journal);
            prop_assert_eq!(seen(&bound(temp.path(), "anna", &THREE)), after);
        }
    }
}
