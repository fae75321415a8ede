//! Decisions after kills at random times.

use super::screen::{self, Frame, listed};
use super::{Report, Scale, milliseconds};
use crate::process;
use crate::random::Random;
use crate::sandbox::Sandbox;
use crate::terminal::{Record, Terminal};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const SIZE: (u16, u16) = (110, 30);

/// The number before a word in a line, with any digit grouping.
fn number_before(line: &str, word: &str) -> Option<usize> {
    let head = &line[..line.find(word)?];
    let digits: String = head
        .trim_end()
        .chars()
        .rev()
        .take_while(|c| c.is_ascii_digit() || ",.'\u{202f}".contains(*c))
        .collect();
    digits.chars().rev().filter(char::is_ascii_digit).collect::<String>().parse().ok()
}

/// Decisions that a frame shows as saved: its count minus those being saved.
pub(super) fn acknowledged(frame: &Frame) -> Option<usize> {
    let decided = number_before(&frame.top, " of ")?;
    let open = match frame.message.find("saving ") {
        Some(at) => {
            let rest = &frame.message[at + 7..];
            rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()?
        }
        None => 0,
    };
    Some(decided.saturating_sub(open))
}

/// The state after all entries of a journal: the choice for each path.
fn replay(entries: &[Value]) -> BTreeMap<String, String> {
    let mut done: Vec<&Value> = Vec::new();
    for entry in entries {
        assert!(entry.get("redo").is_none(), "nothing was done again");
        match entry.get("undo") {
            Some(_) => drop(done.pop()),
            None => done.push(entry),
        }
    }
    let path = |entry: &Value| entry["samples"][0]["path"].as_str().unwrap_or_default().to_owned();
    done.into_iter().map(|entry| (path(entry), entry["decision"].to_string())).collect()
}

pub(super) fn kills(scale: Scale) -> Report {
    let mut report = Report::default();
    let sandbox = Sandbox::new();
    crate::synthetic::session(&sandbox.session(), &sandbox.data(), 20_000, 10);
    let open = || {
        let session = sandbox.session();
        let command = sandbox.command(["open", session.to_str().unwrap(), "--pictures", "off"]);
        Terminal::start(&command, SIZE.0, SIZE.1)
    };
    let terminal = open();
    listed(&terminal);
    terminal.keys("Tgg");
    // The reviewer's position is saved within two seconds.
    std::thread::sleep(Duration::from_millis(2_600));
    super::keys::quit(terminal);

    let mut random = Random::new(17);
    let (mut lost, mut reordered, mut acknowledged_all, mut resumed) = (0, 0, 0, Vec::new());
    let mut journal: Vec<Value> = Vec::new();
    for round in 0..scale.of(1_000, 12) {
        let started = Instant::now();
        let mut terminal = open();
        terminal.wait("the list", |screen| screen.contains(" samples") && screen.contains(".jpg"));
        resumed.push(milliseconds(started.elapsed()));
        // Earlier entries are preserved, in order.
        assert!(sandbox.journal().len() >= journal.len(), "round {round}");
        for _ in 0..1 + random.below(12) {
            terminal.keys(["a", "x", "s", "a", "x", "u"][random.below(6)]);
            std::thread::sleep(Duration::from_micros(random.below(12_000) as u64));
        }
        std::thread::sleep(Duration::from_micros(random.below(40_000) as u64));
        terminal.signal(Signal::KILL);
        assert_eq!(terminal.end(Duration::from_secs(10)), Some(-9));
        terminal.settle(Duration::from_millis(15));
        let record: Record = terminal.record();
        let shown = screen::frames(&record, SIZE.0, SIZE.1).iter().rev().find_map(acknowledged);
        let now = sandbox.journal();
        reordered += usize::from(now[..journal.len()] != journal[..]);
        let held = replay(&now).len();
        // An undo on its way makes the count shown the smaller one, so this is the least that must be there, except
        // where an undo was written and not shown yet.
        let undone = now[journal.len()..].iter().filter(|entry| entry.get("undo").is_some()).count();
        let shown = shown.unwrap_or(0);
        acknowledged_all = acknowledged_all.max(shown);
        lost += shown.saturating_sub(held + undone);
        journal = now;
    }
    // The undo history is complete: everything can be undone, one key each, last first.
    let mut expected: Vec<(String, String)> = Vec::new();
    for entry in &journal {
        match entry.get("undo") {
            Some(_) => drop(expected.pop()),
            None => {
                let path = entry["samples"][0]["path"].as_str().unwrap_or_default().to_owned();
                expected.push((path, entry["decision"].to_string()));
            }
        }
    }
    let terminal = open();
    listed(&terminal);
    let deep = scale.of(1_000, 10).min(expected.len());
    let (before, started) = (journal.len(), Instant::now());
    for _ in 0..deep {
        terminal.keys("u");
    }
    let undone = process::wait_for(Duration::from_secs(120), || sandbox.journal().len() >= before + deep);
    assert!(undone.is_ok(), "{} of {deep} were undone", sandbox.journal().len() - before);
    let each = milliseconds(started.elapsed()) / deep.max(1) as f64;
    expected.truncate(expected.len() - deep);
    let expected: BTreeMap<String, String> = expected.into_iter().collect();
    assert_eq!(replay(&sandbox.journal()), expected, "undoing {deep} did not lead back");
    super::keys::quit(terminal);

    report.count("rounds", scale.of(1_000.0, 12.0), "", None);
    report.count("decisions that stood at the end", replay(&journal).len() as f64, "", None);
    report.count("most that were shown as saved", acknowledged_all as f64, "", None);
    report.count("shown as saved and lost", lost as f64, "", Some(0.0));
    report.count(
        "rounds after which earlier entries had changed",
        f64::from(u32::try_from(reordered).unwrap()),
        "",
        Some(0.0),
    );
    report.times("start to the list", resumed, Some(1_000.0), Some(1_000.0));
    report.time(format!("undo, each of {deep} in a row"), each, "ms", Some(16.0));
    report
}
