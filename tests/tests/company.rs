//! Several terminals on one session: they watch, review side by side, take over from each other, and leave.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_protocol::PROTOCOL_VERSION;
use chaffinch_tests::artefacts::program;
use chaffinch_tests::pictures::dataset;
use chaffinch_tests::process;
use chaffinch_tests::sandbox::{Ran, Sandbox, json};
use chaffinch_tests::terminal::Terminal;
use rustix::process::Signal;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Samples in the session.
const COUNT: usize = 12;

fn scanned() -> Sandbox {
    let sandbox = Sandbox::new();
    dataset(&sandbox.data(), 2, COUNT / 2, 32);
    sandbox.scan();
    sandbox
}

fn command(sandbox: &Sandbox, more: &[&str]) -> Command {
    let session = sandbox.session();
    sandbox.command([&["open", session.to_str().unwrap()], more].concat())
}

/// Opens the session in a terminal and lists all samples.
fn open(sandbox: &Sandbox, more: &[&str]) -> Terminal {
    let terminal = Terminal::start(&command(sandbox, more), 120, 30);
    listed(&terminal);
    terminal
}

fn listed(terminal: &Terminal) {
    terminal.wait_text("decided");
    terminal.keys("T");
    terminal.wait_text(&format!("of {COUNT} samples decided"));
    terminal.settle(Duration::from_millis(200));
}

/// Escape alone: with a key right behind it, it would be that key with Alt.
fn escape(terminal: &Terminal) {
    terminal.keys("\x1b");
    terminal.settle(Duration::from_millis(200));
}

/// The entries in a reviewer's journal.
fn entries(sandbox: &Sandbox, reviewer: &str) -> usize {
    let file = sandbox.session().join("decisions").join(format!("{reviewer}.jsonl"));
    let text = fs::read_to_string(file).unwrap_or_default();
    let whole = text.lines().filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()).count();
    assert_eq!(whole, text.lines().count(), "every line is whole: {text}");
    whole
}

fn wait_entries(sandbox: &Sandbox, reviewer: &str, count: usize) {
    let there = process::wait_for(Duration::from_secs(20), || entries(sandbox, reviewer) == count);
    assert!(there.is_ok(), "{reviewer} has {} of {count} entries", entries(sandbox, reviewer));
}

/// What the first line says has been decided.
fn decided(terminal: &Terminal, count: usize) {
    terminal.wait_text(&format!("{count} of {COUNT} samples decided"));
}

fn engines(sandbox: &Sandbox) -> Vec<u32> {
    let mut all = process::running(program(), sandbox.session().to_str().unwrap());
    all.retain(|pid| process::is_engine(*pid));
    all
}

/// Where the session's engine listens.
fn socket(sandbox: &Sandbox) -> PathBuf {
    let folder = fs::read_dir(sandbox.path().join("run/chaffinch")).unwrap();
    let mut all = folder.map(|entry| entry.unwrap().path());
    all.find(|path| path.extension().is_some_and(|end| end == "sock")).unwrap()
}

#[test]
fn one_that_watches_sees_decisions_and_makes_none() {
    let sandbox = scanned();
    let anna = open(&sandbox, &["--reviewer", "anna"]);
    let watcher = open(&sandbox, &["--watch"]);
    watcher.wait_text("WATCHING");
    anna.wait_text("1 watching");
    anna.keys("x");
    watcher.wait_text("anna: remove ");
    decided(&watcher, 1);
    // Every key that decides says why it does not.
    for keys in ["x", "a", "s", "u", "\x12", "gB"] {
        escape(&watcher);
        watcher.keys(keys);
        watcher.wait_text("you are watching anna");
        watcher.settle(Duration::from_millis(100));
    }
    // Its list and its cursor are its own.
    watcher.keys("fundecided\r");
    watcher.wait_text("filter undecided");
    anna.keys("a");
    decided(&anna, 2);
    watcher.wait_text("anna: keep ");
    assert!(!anna.screen().contains("filter undecided"), "{}", anna.screen());
    // It is not heard of its leaving any more than it says, and the review goes on.
    watcher.quit();
    anna.wait_text("has left");
    anna.keys("x");
    wait_entries(&sandbox, "anna", 3);
    anna.quit();
    let gone = process::wait_for(Duration::from_secs(10), || engines(&sandbox).is_empty());
    assert!(gone.is_ok(), "the engine ends with the last one");
    let refused = sandbox.plain([sandbox.session().to_str().unwrap(), "--watch"], "");
    assert_eq!(refused.code, 2, "{}", refused.stdout);
    assert!(refused.stderr.contains("no one is reviewing"), "{}", refused.stderr);
}

#[test]
fn two_reviewers_decide_at_once() {
    let sandbox = scanned();
    let anna = open(&sandbox, &["--reviewer", "anna"]);
    let ben = open(&sandbox, &["--reviewer", "ben"]);
    anna.wait_text("with ben");
    ben.wait_text("with anna");
    for _ in 0..COUNT {
        anna.keys("x");
        ben.keys("a");
    }
    wait_entries(&sandbox, "anna", COUNT);
    wait_entries(&sandbox, "ben", COUNT);
    // Each sees the conflicts at once, with the own decision in force.
    for terminal in [&anna, &ben] {
        decided(terminal, COUNT);
        terminal.wait_text(&format!("{COUNT} disputed"));
    }
    // One's undo is one's own.
    ben.keys("u");
    wait_entries(&sandbox, "ben", COUNT + 1);
    for terminal in [&anna, &ben] {
        terminal.wait_text(&format!("{} disputed", COUNT - 1));
    }
    // What is the session's changes for both, and one is told who did it.
    anna.keys("+");
    ben.wait_text("anna moved the threshold of ");
    anna.quit();
    ben.wait_text("anna");
    ben.quit();
    let conflicts = json(&sandbox.ok(["conflicts", sandbox.session().to_str().unwrap(), "--format", "json"]));
    assert_eq!(conflicts["open"].as_u64(), Some(COUNT as u64 - 1), "{conflicts}");
}

#[test]
fn a_second_terminal_is_asked_what_it_wants() {
    let sandbox = scanned();
    let mut first = open(&sandbox, &["--reviewer", "anna"]);
    first.keys("x");
    wait_entries(&sandbox, "anna", 1);
    let ask = || {
        let terminal = Terminal::start(&command(&sandbox, &["--reviewer", "anna"]), 120, 30);
        terminal.wait_text("anna is reviewing this session in another terminal (/dev/pts/");
        terminal.wait_text("[w/r/t/q]");
        terminal
    };
    let mut leaves = ask();
    leaves.keys("x\r");
    leaves.wait_text("answer w/r/t/q");
    leaves.keys("q\r");
    assert_eq!(leaves.end(Duration::from_secs(10)), Some(0));
    let watches = ask();
    watches.keys("w\r");
    watches.wait_text("WATCHING");
    watches.quit();
    let reviews = ask();
    reviews.keys("r\r");
    reviews.wait_text("Your name as a reviewer:");
    reviews.keys("anna\r");
    reviews.wait_text("anna is reviewing this session already");
    reviews.keys("ben\r");
    reviews.wait_text("with anna");
    reviews.quit();
    // A script is not asked, and takes no one's place unasked.
    let script = sandbox.plain([sandbox.session().to_str().unwrap(), "--reviewer", "anna"], "go 1\nkeep\n");
    assert_eq!(script.code, 2, "{}", script.stdout);
    for flag in ["--watch", "--reviewer NAME", "--take-over"] {
        assert!(script.stderr.contains(flag), "{}", script.stderr);
    }
    let second = ask();
    second.keys("t\r");
    // The first one is told by whom, and that nothing was lost.
    assert_eq!(first.end(Duration::from_secs(10)), Some(2));
    let told = first.screen();
    let told: String = told.lines().map(str::trim_end).collect::<Vec<_>>().concat();
    assert!(told.contains("opened in another terminal by anna (/dev/pts/"), "{told}");
    assert!(told.contains("everything shown as saved is on disk"), "{told}");
    assert_eq!(first.left_behind(), Vec::<String>::new());
    listed(&second);
    decided(&second, 1);
    second.keys("a");
    wait_entries(&sandbox, "anna", 2);
    second.quit();
}

#[test]
fn another_reviewer_takes_over_with_a_flag() {
    let sandbox = scanned();
    let mut anna = open(&sandbox, &["--reviewer", "anna"]);
    anna.keys("x");
    wait_entries(&sandbox, "anna", 1);
    let ben = Terminal::start(&command(&sandbox, &["--reviewer", "ben", "--take-over"]), 120, 30);
    assert_eq!(anna.end(Duration::from_secs(10)), Some(2));
    listed(&ben);
    ben.keys("a");
    wait_entries(&sandbox, "ben", 1);
    assert_eq!(entries(&sandbox, "anna"), 1);
    ben.quit();
}

#[test]
fn a_terminal_that_is_stopped_holds_no_one_up() {
    let sandbox = scanned();
    let anna = open(&sandbox, &["--reviewer", "anna"]);
    let ben = open(&sandbox, &["--reviewer", "ben"]);
    ben.signal(Signal::STOP);
    for _ in 0..COUNT {
        anna.keys("x");
    }
    wait_entries(&sandbox, "anna", COUNT);
    decided(&anna, COUNT);
    anna.quit();
    // It goes on where it was, and knows everything.
    ben.signal(Signal::CONT);
    decided(&ben, COUNT);
    ben.keys("a");
    wait_entries(&sandbox, "ben", 1);
    ben.wait_text("1 disputed");
    ben.quit();
}

#[test]
fn a_blind_reviewer_sees_nothing_of_what_others_decide_meanwhile() {
    let sandbox = scanned();
    let anna = open(&sandbox, &["--reviewer", "anna"]);
    anna.keys("xx");
    wait_entries(&sandbox, "anna", 2);
    let ben = open(&sandbox, &["--reviewer", "ben", "--blind"]);
    ben.wait_text("BLIND");
    anna.wait_text("with ben");
    for _ in 2..COUNT {
        anna.keys("x");
    }
    wait_entries(&sandbox, "anna", COUNT);
    decided(&anna, COUNT);
    ben.keys("a");
    wait_entries(&sandbox, "ben", 1);
    decided(&ben, 1);
    ben.keys("fdecided\r");
    ben.wait_text("1 of 1 sample");
    ben.keys("gw");
    ben.settle(Duration::from_millis(300));
    escape(&ben);
    ben.keys("L");
    ben.settle(Duration::from_millis(300));
    let tap = String::from_utf8_lossy(&ben.tap()).into_owned();
    for word in ["anna: remove", "disputed", "otherwise"] {
        assert!(!tap.contains(word), "'{word}' was shown in a blind review");
    }
    // The other one is not blind, and sees the conflict.
    anna.wait_text("1 disputed");
    escape(&ben);
    ben.keys("F");
    ben.keys("gB");
    ben.wait_text("no longer blind");
    ben.keys("y");
    ben.wait_text("1 disputed");
    ben.quit();
    anna.quit();
}

#[test]
fn one_that_is_killed_leaves_the_other_as_it_was() {
    let sandbox = scanned();
    let anna = open(&sandbox, &["--reviewer", "anna"]);
    let mut ben = open(&sandbox, &["--reviewer", "ben"]);
    ben.keys("aa");
    wait_entries(&sandbox, "ben", 2);
    ben.signal(Signal::KILL);
    assert_eq!(ben.end(Duration::from_secs(10)), Some(-9));
    anna.wait_text("has left");
    anna.keys("x");
    wait_entries(&sandbox, "anna", 1);
    let again = open(&sandbox, &["--reviewer", "ben"]);
    again.wait_text("with anna");
    decided(&again, 2);
    again.keys("u");
    wait_entries(&sandbox, "ben", 3);
    // The one that is left ends the engine.
    anna.quit();
    again.quit();
    let gone = process::wait_for(Duration::from_secs(10), || engines(&sandbox).is_empty());
    assert!(gone.is_ok(), "the engine ends with the last one");
}

#[test]
fn another_version_is_refused_in_a_sentence() {
    let message = |text: &str| {
        let lengths = [text.len() as u32, 0].map(u32::to_le_bytes).concat();
        [&lengths[..], text.as_bytes()].concat()
    };
    let version = |number: u32| format!(r#"{{"chaffinch":{number}}}"#);
    let sandbox = scanned();
    let anna = open(&sandbox, &["--reviewer", "anna"]);
    let path = socket(&sandbox);
    // A terminal of the version before this one is told which one this is, and nothing else.
    let mut older = UnixStream::connect(&path).unwrap();
    older.write_all(&message(&version(PROTOCOL_VERSION - 1))).unwrap();
    let mut told = Vec::new();
    older.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    older.read_to_end(&mut told).unwrap();
    assert_eq!(told, message(&version(PROTOCOL_VERSION)));
    anna.quit();
    let gone = process::wait_for(Duration::from_secs(10), || engines(&sandbox).is_empty());
    assert!(gone.is_ok());

    // An engine of that version is named, with what to do.
    let _ = fs::remove_file(&path);
    let listener = UnixListener::bind(&path).unwrap();
    let ended = Arc::new(AtomicBool::new(false));
    let ends = ended.clone();
    let engine = std::thread::spawn(move || {
        // It may be looked at before it is joined.
        while let (mut stream, _) = listener.accept().unwrap()
            && !ends.load(Ordering::SeqCst)
        {
            let mut hello = vec![0; message(&version(PROTOCOL_VERSION)).len()];
            stream.read_exact(&mut hello).unwrap();
            stream.write_all(&message(&version(PROTOCOL_VERSION - 1))).unwrap();
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    let ran = sandbox.plain([sandbox.session().to_str().unwrap()], "quit\n");
    ended.store(true, Ordering::SeqCst);
    drop(UnixStream::connect(&path));
    engine.join().unwrap();
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    let words = format!(
        "this session is open in another version of Chaffinch (its protocol is {}, this program's is {PROTOCOL_VERSION})",
        PROTOCOL_VERSION - 1
    );
    assert!(ran.stderr.contains(&words), "{}", ran.stderr);
}

#[test]
fn what_is_watched_goes_on_without_the_reviewer() {
    let sandbox = scanned();
    let anna = open(&sandbox, &["--reviewer", "anna"]);
    anna.keys("x");
    wait_entries(&sandbox, "anna", 1);
    let watcher = open(&sandbox, &["--watch=anna"]);
    anna.quit();
    watcher.wait_text("has left");
    decided(&watcher, 1);
    // The seat is free: she comes back, and is watched again.
    let again = open(&sandbox, &["--reviewer", "anna"]);
    again.keys("a");
    watcher.wait_text("anna: keep ");
    decided(&watcher, 2);
    again.quit();
    watcher.quit();
    let ran: Ran = sandbox.plain([sandbox.session().to_str().unwrap(), "--watch=zoe"], "");
    assert!(ran.stderr.contains("no one is reviewing"), "{}", ran.stderr);
}
