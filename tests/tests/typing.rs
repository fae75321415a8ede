//! Keys typed faster than anyone can look, against the real program in a pseudo-terminal: every decision is about the
//! sample that was meant.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::pictures;
use chaffinch_tests::process;
use chaffinch_tests::random::Random;
use chaffinch_tests::review::{Reviewer, open, tail};
use chaffinch_tests::sandbox::Sandbox;
use chaffinch_tests::terminal::{PATIENCE, Terminal};
use serde_json::Value;
use std::time::Duration;

/// A scanned session of 330 samples, open with all of them listed, worst first.
fn opened(size: (u16, u16)) -> (Sandbox, Vec<String>, Terminal) {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 10, 33, 32);
    sandbox.scan();
    let reviewer = Reviewer::new(&sandbox);
    let terminal = open(&sandbox, size.0, size.1);
    reviewer.begin(&terminal);
    (sandbox, reviewer.order, terminal)
}

fn entries(sandbox: &Sandbox, terminal: &Terminal, count: usize) -> Vec<Value> {
    let all = process::wait_for(PATIENCE, || sandbox.journal().len() >= count);
    let journal = sandbox.journal();
    assert!(all.is_ok(), "{} of {count} entries\n{}", journal.len(), terminal.screen());
    journal
}

fn paths(entry: &Value) -> Vec<&str> {
    entry["samples"].as_array().unwrap().iter().map(|sample| sample["path"].as_str().unwrap()).collect()
}

#[test]
fn three_hundred_decisions_in_bursts_are_about_the_samples_that_were_meant() {
    let (sandbox, order, terminal) = opened((100, 30));
    let mut random = Random::new(17);
    let (mut typed, mut row) = (String::new(), 0);
    // What each entry of the journal must be: a decision about a row, or the undo of one.
    let mut meant: Vec<(char, usize)> = Vec::new();
    let mut decisions = 0;
    while decisions < 300 {
        let key = ['a', 'x', 's', '1', '1', '1', 'u'][random.below(7)];
        if key == 'u' {
            // Never two in a row, so that there is always a decision to undo.
            if meant.last().is_none_or(|(key, _)| *key == 'u') {
                continue;
            }
            row -= 1;
        }
        meant.push((key, row));
        typed.push(key);
        if key != 'u' {
            row += 1;
            decisions += 1;
        }
    }
    let mut rest = typed.as_str();
    while !rest.is_empty() {
        let (burst, left) = rest.split_at((1 + random.below(40)).min(rest.len()));
        terminal.keys(burst);
        rest = left;
    }
    let journal = entries(&sandbox, &terminal, meant.len());
    assert_eq!(journal.len(), meant.len());
    for (entry, (key, row)) in journal.iter().zip(&meant) {
        if *key == 'u' {
            assert!(entry["undo"].is_u64(), "{entry}");
            continue;
        }
        assert_eq!(paths(entry), [order[*row].as_str()], "{entry}");
        let decision = &entry["decision"];
        match key {
            'a' => assert_eq!(decision, "keep"),
            'x' => assert_eq!(decision, "remove"),
            's' => assert_eq!(decision, "unsure"),
            // The first candidate, whatever it is; its own label keeps the sample.
            _ => assert!(decision == "keep" || decision["relabel"].is_string(), "{entry}"),
        }
    }
    // The heading agrees, after as many undos as there were.
    let decided = meant.iter().filter(|(key, _)| *key != 'u').count();
    let left = decided - meant.iter().filter(|(key, _)| *key == 'u').count();
    terminal.wait_text(&format!("{left} of 330 samples decided"));
    terminal.keys(&"u".repeat(left.min(100)));
    terminal.wait_text(&format!("{} of 330 samples decided", left - left.min(100)));
    terminal.quit();
}

#[test]
fn marks_that_a_filter_hides_are_not_decided_about() {
    let (sandbox, order, terminal) = opened((140, 30));
    let class = |path: &str| path.split('/').next().unwrap().to_owned();
    let other = order.iter().map(|path| class(path)).find(|name| *name != class(&order[0])).unwrap();
    // All in one packet.
    terminal.keys(&format!(" ggfclass:{other}\rgg x"));
    let journal = entries(&sandbox, &terminal, 1);
    let about = paths(&journal[0]);
    assert!(!about.is_empty() && about.iter().all(|path| class(path) == other), "{about:?}");
    terminal.wait_text("1 marked sample is hidden by the filter and was left alone");
    // What is left is hidden: no other sample is taken instead.
    terminal.keys("x");
    terminal.wait_text("the marked sample is hidden by the filter");
    assert_eq!(sandbox.journal().len(), 1);
    terminal.keys("F");
    terminal.wait_text("330 samples decided");
    terminal.keys("x");
    let journal = entries(&sandbox, &terminal, 2);
    assert_eq!(paths(&journal[1]), [order[0].as_str()]);
    terminal.quit();
}

#[test]
fn each_sample_of_a_range_gets_its_own_suggestion() {
    let (sandbox, _, terminal) = opened((140, 30));
    terminal.keys("vjjjjj\r");
    let journal = entries(&sandbox, &terminal, 1);
    let rows = sandbox.rank(6);
    let suggested: Vec<(&str, &str)> = rows
        .iter()
        .filter(|row| !row["suggested_label"].is_empty() && row["suggested_label"] != row["label"])
        .map(|row| (row["path"].as_str(), row["suggested_label"].as_str()))
        .collect();
    let mut labels = Vec::new();
    for (at, path) in paths(&journal[0]).into_iter().enumerate() {
        let each = &journal[0]["decisions"][at]["relabel"];
        let alike = &journal[0]["decision"]["relabel"];
        labels.push((path, each.as_str().or(alike.as_str()).unwrap()));
    }
    let sorted = |mut list: Vec<(&str, &str)>| {
        list.sort_unstable();
        list.into_iter().map(|(path, label)| format!("{path} {label}")).collect::<Vec<_>>()
    };
    assert_eq!(sorted(labels), sorted(suggested));
    terminal.keys("u");
    terminal.wait_text("0 of 330 samples decided");
    terminal.quit();
}

#[test]
fn q_and_escape_go_back_one_level_from_every_view() {
    let (_sandbox, order, mut terminal) = opened((180, 40));
    let first = tail(&order[0]).to_owned();
    for view in ["i", "c", "b", "C", "m", "z", "w", "H", "M", "P", "I", "L", "p"] {
        for back in ["q", "\x1b"] {
            terminal.keys(view);
            terminal.settle(Duration::from_millis(300));
            terminal.keys(back);
            terminal.settle(Duration::from_millis(300));
            terminal.wait("the list", |screen| screen.contains(&first) && screen.contains("q quit"));
        }
    }
    for prompt in ["/", "f", "e", "t", "r", "?", ":"] {
        terminal.keys(prompt);
        terminal.settle(Duration::from_millis(200));
        terminal.keys("\x1b");
        terminal.wait("the list", |screen| screen.contains(&first) && screen.contains("q quit"));
    }
    terminal.keys("q");
    assert_eq!(terminal.end(Duration::from_secs(10)), Some(0), "{}", terminal.screen());
}
