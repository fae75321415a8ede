//! A reviewer who follows a script and keeps their own record of decisions to check the program against.

use crate::process::wait_for;
use crate::random::Random;
use crate::sandbox::{Sandbox, table};
use crate::terminal::{PATIENCE, Terminal};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// What was decided about a sample: the action, and the new label if there is one.
pub type Decided = (String, String);

/// The reviewer: a list of samples, a position in it, and a record.
pub struct Reviewer {
    /// Paths in the order of the list.
    pub order: Vec<String>,
    /// The row where the reviewer expects to be.
    pub row: usize,
    /// The reviewer's own record.
    pub record: BTreeMap<String, Decided>,
    /// Expected journal entries: every decision, undo and redo is one.
    pub entries: usize,
    done: Vec<(usize, Option<Decided>, Decided)>,
    undone: Vec<(usize, Option<Decided>, Decided)>,
}

/// A session with the interface's list of all samples, in a terminal.
pub fn open(sandbox: &Sandbox, columns: u16, rows: u16) -> Terminal {
    let command = sandbox.command(["open", sandbox.session().to_str().unwrap()]);
    Terminal::start(&command, columns, rows)
}

impl Reviewer {
    /// A reviewer of all samples of a scanned session, at the first.
    pub fn new(sandbox: &Sandbox) -> Reviewer {
        let session = sandbox.session();
        let ran = sandbox.ok(["rank", session.to_str().unwrap(), "--all", "--top", "0", "--format", "csv"]);
        let order: Vec<String> = table(&ran.stdout).into_iter().map(|row| row["path"].clone()).collect();
        assert!(order.len() >= 200, "a list of {} is too short for this script", order.len());
        Reviewer { order, row: 0, record: BTreeMap::new(), entries: 0, done: Vec::new(), undone: Vec::new() }
    }

    /// Waits for the list and goes to all samples in rank order, at the first.
    pub fn begin(&self, terminal: &Terminal) {
        terminal.wait_text(tail(&self.order[0]));
        terminal.keys("Tgg");
        terminal.settle(Duration::from_millis(400));
    }

    /// The path at the reviewer's position.
    pub fn path(&self) -> &str {
        &self.order[self.row]
    }

    fn decided(&mut self, action: &str, label: &str) {
        let new = (action.to_owned(), label.to_owned());
        let before = self.record.insert(self.order[self.row].clone(), new.clone());
        self.done.push((self.row, before, new));
        self.undone.clear();
        self.entries += 1;
        while self.record.contains_key(&self.order[self.row]) {
            self.row += 1;
        }
    }

    /// Types a decision and records it; the program advances to the next undecided sample.
    pub fn decide(&mut self, terminal: &Terminal, action: &str, label: &str) {
        match action {
            "keep" => terminal.keys("a"),
            "remove" => terminal.keys("x"),
            "unsure" => terminal.keys("s"),
            _ => terminal.keys(&format!("r{label}\r")),
        }
        self.decided(action, label);
    }

    /// Takes the first candidate the program shows, whatever it is: what that means is read from the journal. (The
    /// candidate that is the given label keeps the sample.)
    pub fn first_candidate(&mut self, terminal: &Terminal, sandbox: &Sandbox) {
        self.saved(sandbox);
        terminal.settle(Duration::from_millis(300));
        terminal.keys("1");
        self.decided("relabel", "");
        self.saved(sandbox);
        let decided = match choice(sandbox.journal().last().unwrap()) {
            Some(label) => ("relabel".to_owned(), label),
            None => ("keep".to_owned(), String::new()),
        };
        let (row, _, new) = self.done.last_mut().unwrap();
        new.clone_from(&decided);
        self.record.insert(self.order[*row].clone(), decided);
    }

    /// Undoes the last decision; the program goes to its sample.
    pub fn undo(&mut self, terminal: &Terminal) {
        let (row, before, new) = self.done.pop().expect("there is something to undo");
        terminal.keys("u");
        self.put(row, before.clone());
        self.undone.push((row, before, new));
        self.entries += 1;
        self.row = row;
    }

    /// Does it again, and goes to the first undecided sample from the top, wherever the program has gone.
    pub fn redo(&mut self, terminal: &Terminal, sandbox: &Sandbox) {
        let (row, before, new) = self.undone.pop().expect("there is something to redo");
        terminal.keys("\x12");
        self.put(row, Some(new.clone()));
        self.done.push((row, before, new));
        self.entries += 1;
        self.saved(sandbox);
        self.go_to_first_undecided(terminal);
    }

    /// Goes to the first undecided sample; the first of all must be decided.
    pub fn go_to_first_undecided(&mut self, terminal: &Terminal) {
        terminal.settle(Duration::from_millis(150));
        terminal.keys("gg");
        terminal.settle(Duration::from_millis(100));
        terminal.keys("}");
        terminal.settle(Duration::from_millis(200));
        self.row = (1..self.order.len()).find(|row| !self.record.contains_key(&self.order[*row])).unwrap();
    }

    fn put(&mut self, row: usize, decided: Option<Decided>) {
        let path = self.order[row].clone();
        match decided {
            Some(decided) => self.record.insert(path, decided),
            None => self.record.remove(&path),
        };
    }

    /// Waits until the journal holds everything typed so far.
    pub fn saved(&self, sandbox: &Sandbox) {
        let saved = wait_for(PATIENCE, || sandbox.journal().len() >= self.entries);
        let journal = sandbox.journal();
        assert!(saved.is_ok(), "the journal has {} of {} entries", journal.len(), self.entries);
        assert_eq!(
            journal.len(),
            self.entries,
            "the journal has more entries than were typed: {:?}",
            journal.last()
        );
    }

    /// Makes this many decisions of all kinds, mixed with undos and redos. Keys are typed in bursts, as fast
    /// as the terminal accepts them.
    pub fn work(&mut self, terminal: &Terminal, sandbox: &Sandbox, decisions: usize, random: &mut Random) {
        const LABELS: [&str; 5] = ["airplane", "truck", "frog", "horse", "ship"];
        let target = self.record.len() + decisions;
        while self.record.len() < target {
            match random.below(20) {
                0..=6 => self.decide(terminal, "keep", ""),
                7..=11 => self.decide(terminal, "remove", ""),
                12..=14 => self.decide(terminal, "relabel", LABELS[random.below(LABELS.len())]),
                15 => self.decide(terminal, "unsure", ""),
                16 => self.first_candidate(terminal, sandbox),
                17 if self.done.len() > 2 && self.record.len() > 1 => {
                    self.saved(sandbox);
                    self.undo(terminal);
                    self.saved(sandbox);
                    terminal.settle(Duration::from_millis(150));
                }
                18 if self.done.len() > 3 => {
                    for _ in 0..2 {
                        self.saved(sandbox);
                        self.undo(terminal);
                    }
                    for _ in 0..2 {
                        self.saved(sandbox);
                        self.redo(terminal, sandbox);
                    }
                }
                _ => {}
            }
            if random.below(6) == 0 {
                self.saved(sandbox);
            }
        }
        self.saved(sandbox);
    }

    /// Clears the undo history, like a reviewer who starts over.
    pub fn forget(&mut self) {
        self.done.clear();
        self.undone.clear();
    }

    /// The exported manifest must hold exactly the reviewer's record.
    pub fn compare(&self, sandbox: &Sandbox, name: &str) {
        let output = sandbox.path().join(name);
        let (session, path) = (sandbox.session(), output.to_str().unwrap());
        sandbox.ok(["export", session.to_str().unwrap(), "--format", "manifest", "--all", "--output", path]);
        let rows = table(&std::fs::read_to_string(&output).unwrap());
        assert_eq!(rows.len(), self.order.len(), "a row for every sample");
        let exported: BTreeMap<String, Decided> = rows
            .into_iter()
            .filter(|row| !row["user_action"].is_empty())
            .map(|row| (row["image_path"].clone(), (row["user_action"].clone(), row["new_label"].clone())))
            .collect();
        // A relabel to the label that a sample has is a keep.
        let own = |path: &str, label: &str| path.split_once('/').is_some_and(|(class, _)| class == label);
        let expected: BTreeMap<String, Decided> = (self.record.iter())
            .map(|(path, (action, label))| match action == "relabel" && own(path, label) {
                true => (path.clone(), ("keep".to_owned(), String::new())),
                false => (path.clone(), (action.clone(), label.clone())),
            })
            .collect();
        assert_eq!(exported, expected);
    }
}

/// The part of a path that a narrow list still shows.
pub fn tail(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// The new label in a journal entry, wherever the choice is; `None` if it keeps.
fn choice(entry: &Value) -> Option<String> {
    fn find(value: &Value) -> Option<Option<String>> {
        match value {
            Value::String(word) if word == "keep" => Some(None),
            Value::Object(map) => match map.get("relabel").and_then(Value::as_str) {
                Some(label) => Some(Some(label.to_owned())),
                None => map.values().find_map(find),
            },
            Value::Array(values) => values.iter().find_map(find),
            _ => None,
        }
    }
    find(entry).unwrap_or_else(|| panic!("this entry neither keeps nor relabels: {entry}"))
}
