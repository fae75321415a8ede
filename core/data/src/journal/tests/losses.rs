//! What other programs do to the file of a journal while it is open: nothing that was reported as saved is lost.

use super::*;
use std::os::unix::fs::PermissionsExt;

/// A session's folder with three decisions in its journal, still open.
fn open() -> (tempfile::TempDir, PathBuf, Journal) {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("session/decisions");
    let mut journal = bound(&dir, "anna", &THREE);
    journal.decide(&ids(&[0]), remove()).unwrap();
    journal.decide(&ids(&[1]), keep()).unwrap();
    journal.undo().unwrap();
    (temp, dir, journal)
}

/// What a program finds that opens the journal anew.
fn found(dir: &Path) -> Vec<(u32, String)> {
    choices(&bound(dir, "anna", &THREE))
}

#[test]
fn what_is_taken_away_is_written_again() {
    type Loss = fn(&Path, &Path);
    let losses: [(&str, Loss, usize); 8] = [
        ("file removed", |_, file| fs::remove_file(file).unwrap(), 3),
        ("folder removed", |dir, _| fs::remove_dir_all(dir).unwrap(), 3),
        ("session removed", |dir, _| fs::remove_dir_all(dir.parent().unwrap()).unwrap(), 3),
        ("file moved away", |dir, file| fs::rename(file, dir.join("elsewhere")).unwrap(), 3),
        ("emptied", |_, file| fs::write(file, "").unwrap(), 3),
        (
            "cut in the middle of a line",
            |_, file| {
                let len = fs::read_to_string(file).unwrap().lines().next().unwrap().len() as u64;
                fs::OpenOptions::new().write(true).open(file).unwrap().set_len(len + 20).unwrap();
            },
            2,
        ),
        (
            "an older copy in its place",
            |dir, file| {
                let text = fs::read_to_string(file).unwrap();
                fs::write(dir.join("new"), format!("{}\n", text.lines().next().unwrap())).unwrap();
                fs::rename(dir.join("new"), file).unwrap();
            },
            2,
        ),
        (
            "saved by an editor, without its last newline",
            |dir, file| {
                fs::write(dir.join("new"), fs::read_to_string(file).unwrap().trim_end()).unwrap();
                fs::rename(dir.join("new"), file).unwrap();
            },
            0,
        ),
    ];
    for (name, lose, missing) in losses {
        // With the next decision, and without one.
        for decides in [true, false] {
            let (_temp, dir, mut journal) = open();
            let file = dir.join("anna.jsonl");
            let before = fs::read_to_string(&file).unwrap();
            lose(&dir, &file);
            match decides {
                true => drop(journal.decide(&ids(&[2]), keep()).unwrap()),
                false => journal.settle().unwrap(),
            }
            let remarks = journal.take_remarks();
            assert_eq!(remarks.len(), usize::from(missing > 0), "{name}: {remarks:?}");
            if missing > 0 {
                assert!(remarks[0].contains(&format!("lacked {missing} entries")), "{name}: {remarks:?}");
            }
            assert_eq!(found(&dir), choices(&journal), "{name}");
            assert_eq!(journal.decided_count(), 1 + usize::from(decides), "{name}");
            assert!(text(&dir).starts_with(before.trim_end()), "{name}: {}", text(&dir));
            assert_eq!(
                fs::metadata(&file).unwrap().permissions().mode() & 0o077,
                if missing == 3 && !name.starts_with("emptied") {
                    0
                } else {
                    fs::metadata(&file).unwrap().permissions().mode() & 0o077
                }
            );
            // And it goes on in the file that is there.
            journal.redo().unwrap();
            journal.decide(&ids(&[0]), keep()).unwrap();
            assert!(journal.take_remarks().is_empty(), "{name}");
            assert_eq!(found(&dir), choices(&journal), "{name}");
        }
    }
}

#[test]
fn a_file_with_other_entries_is_left_and_what_is_held_is_beside_it() {
    type Loss = fn(&Path, &str);
    let losses: [(&str, Loss); 3] = [
        ("other entries", |file, text| fs::write(file, text.replace("remove", "keep")).unwrap()),
        ("as long as before, in place", |file, text| {
            fs::write(file, text.replace("a.jpg", "z.jpg")).unwrap()
        }),
        ("no journal", |file, _| fs::write(file, "a\nb\nc\n").unwrap()),
    ];
    for (name, replace) in losses {
        let (_temp, dir, mut journal) = open();
        let file = dir.join("anna.jsonl");
        let before = fs::read_to_string(&file).unwrap();
        // Two changes within the resolution of the file system's clock are one.
        std::thread::sleep(std::time::Duration::from_millis(20));
        replace(&file, &before);
        let other = fs::read_to_string(&file).unwrap();
        let error = journal.decide(&ids(&[2]), keep()).unwrap_err().to_string();
        assert!(error.contains("replaced by a file with other entries"), "{name}: {error}");
        assert!(error.contains("anna.jsonl.held"), "{name}: {error}");
        assert!(journal.settle().is_err(), "{name}");
        assert_eq!(choices(&journal), [(0, "remove".to_owned())], "{name}: nothing changed in memory");
        assert_eq!(fs::read_to_string(&file).unwrap(), other, "{name}: what is there stays");
        assert_eq!(fs::read_to_string(dir.join("anna.jsonl.held")).unwrap(), before, "{name}");
        // Put back, it goes on.
        fs::rename(dir.join("anna.jsonl.held"), &file).unwrap();
        journal.decide(&ids(&[2]), keep()).unwrap();
        assert_eq!(found(&dir), choices(&journal), "{name}");
    }
}

#[test]
fn a_session_that_was_moved_is_named_and_not_written_twice() {
    let (temp, dir, mut journal) = open();
    let (old, new) = (temp.path().join("session"), temp.path().join("elsewhere"));
    fs::rename(&old, &new).unwrap();
    let error = journal.decide(&ids(&[2]), keep()).unwrap_err().to_string();
    assert!(error.contains("was moved") && error.ends_with("/elsewhere"), "{error}");
    assert!(!dir.exists());
    assert_eq!(found(&new.join("decisions")), choices(&journal), "all of it is where the session is now");
    // One that has only read its file does not write it again, either.
    let mut read = bound(&new.join("decisions"), "anna", &THREE);
    fs::rename(&new, &old).unwrap();
    assert!(read.settle().unwrap_err().to_string().contains("was moved"));
    assert!(!new.exists());
    journal.decide(&ids(&[2]), keep()).unwrap();
    assert_eq!(found(&dir), choices(&journal));
}

#[test]
fn what_is_no_file_is_refused_and_never_waited_for() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let (_temp, dir, mut journal) = open();
    let file = dir.join("anna.jsonl");
    fs::remove_file(&file).unwrap();
    mknodat(CWD, &file, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let error = journal.decide(&ids(&[2]), keep()).unwrap_err().to_string();
    assert!(error.contains("not a regular file"), "{error}");
    let error = Journal::open(&dir, "anna").err().unwrap().to_string();
    assert!(error.contains("anna.jsonl") && error.contains("not a regular file"), "{error}");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(journal.settle().is_err());
    fs::remove_dir(&file).unwrap();
    let elsewhere = dir.join("elsewhere");
    fs::write(&elsewhere, "of someone else").unwrap();
    for target in [elsewhere.as_path(), Path::new("nowhere")] {
        std::os::unix::fs::symlink(target, &file).unwrap();
        let error = journal.decide(&ids(&[2]), keep()).unwrap_err().to_string();
        assert!(error.contains("symbolic link"), "{error}");
        assert!(Journal::open(&dir, "anna").err().unwrap().to_string().contains("symbolic link"));
        fs::remove_file(&file).unwrap();
    }
    assert_eq!(fs::read(&elsewhere).unwrap(), b"of someone else");
    journal.decide(&ids(&[2]), keep()).unwrap();
    assert_eq!(found(&dir), choices(&journal));
}

#[test]
fn a_broken_file_of_another_reviewer_is_named_and_left_out() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let (_temp, dir, journal) = open();
    let mut ben = bound(&dir, "ben", &THREE);
    ben.decide(&ids(&[2]), keep()).unwrap();
    fs::write(dir.join("carla.jsonl"), "no entry\nat all\n").unwrap();
    fs::create_dir(dir.join("dora.jsonl")).unwrap();
    mknodat(CWD, dir.join("emil.jsonl"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    std::os::unix::fs::symlink("/dev/zero", dir.join("fred.jsonl")).unwrap();
    drop(journal);
    let mut journal = bound(&dir, "anna", &THREE);
    assert_eq!(choices(&journal), [(0, "remove".to_owned()), (2, "keep".to_owned())], "ben's count");
    assert_eq!(journal.decisions().reviewers(), ["anna", "ben"]);
    let notes = journal.notes().join("\n");
    for name in ["carla", "dora", "emil", "fred"] {
        assert!(notes.contains(&format!("the decisions of {name} are left out: ")), "{name}: {notes}");
        assert!(notes.contains(&format!("{name}.jsonl")), "{name}: {notes}");
    }
    journal.decide(&ids(&[1]), keep()).unwrap();
    assert_eq!(fs::read_to_string(dir.join("carla.jsonl")).unwrap(), "no entry\nat all\n");
}
