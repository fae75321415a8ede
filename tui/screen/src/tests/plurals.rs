//! Exactly one of something is never written with a plural: no `1 suspects` on any screen or in any message.

use super::engine::FakeEngine;
use super::rig::Rig;
use crate::action::{Action, Scope};
use crate::update::Msg;
use chaffinch_protocol::{Event, Progress, ScanReport};
use std::path::Path;

/// Words that end in an `s` and are not plural, after a 1 that counts nothing.
const ALLOWED: [&str; 3] = ["is", "was", "has"];

/// The word after a lone `1`, where it looks like a plural.
fn wrong_plural(text: &str) -> Option<String> {
    text.match_indices("1 ").find_map(|(at, _)| {
        let before = text[..at].chars().next_back();
        let counts = before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '.' | ',' | ':' | '/' | '-'));
        let word: String = text[at + 2..].chars().take_while(char::is_ascii_alphabetic).collect();
        let plural = word.len() > 2 && word.ends_with('s') && !ALLOWED.contains(&word.as_str());
        (counts && plural).then(|| format!("1 {word}"))
    })
}

#[test]
fn wrong_plurals_are_found() {
    for text in ["1 suspects", "12 of 1 samples", "(1 decisions)", "· 1 groups decided"] {
        assert!(wrong_plural(text).is_some(), "{text}");
    }
    for text in
        ["1 suspect", "11 suspects", "0.1 seconds", "1,001 samples", "1 is", "1 s", "21 files", "1  dogs"]
    {
        assert_eq!(wrong_plural(text), None, "{text}");
    }
}

#[test]
fn no_snapshot_has_a_wrong_plural() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/snapshots");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines() {
            assert_eq!(wrong_plural(line), None, "{}: {line}", path.display());
        }
        files += 1;
    }
    assert!(files > 40, "{files}");
}

fn session(samples: u32) -> Rig {
    let mut engine = FakeEngine::new(samples);
    engine.groups.retain(|group| group.iter().all(|sample| sample.0 < samples));
    Rig::new(engine, 120, 40)
}

fn check(rig: &Rig, what: &str) {
    for line in rig.screen().lines().chain([rig.toast()]) {
        assert_eq!(wrong_plural(line), None, "after {what}: {line}");
    }
}

/// Runs every action of the list, each in a new session, and accepts what opens.
#[test]
fn no_action_on_one_sample_says_a_wrong_plural() {
    let leave = [Action::Quit, Action::Suspend, Action::Cancel];
    for all in [false, true] {
        for action in
            Action::ALL.iter().filter(|action| action.scope() == Scope::List && !leave.contains(action))
        {
            let mut rig = session(1);
            if all {
                rig.send(Msg::Act(Action::ToggleAll));
            }
            rig.wait(1_000);
            check(&rig, "the start");
            rig.send(Msg::Act(*action));
            check(&rig, action.name());
            rig.wait(1_000);
            check(&rig, action.name());
            rig.press("<Enter>");
            check(&rig, action.name());
        }
    }
}

#[test]
fn no_scripted_session_says_a_wrong_plural() {
    let scripts = [
        "a",
        "x",
        "s",
        "1",
        "<Enter>",
        "<Space>",
        "<Space>a",
        "v",
        "vv",
        "vx",
        "<Space>t",
        "<Space>e",
        "Qj",
        "QjQ@",
        "i",
        "p",
        "pB",
        "PrH",
        "I",
        "aI",
        "M",
        "M<Enter>",
        "w",
        "f1<Enter>",
        "Ca",
        "mv<Space>v",
        "r",
        "A",
        "g@1<Enter>",
    ];
    for script in scripts {
        for samples in [1, 2, 5, 112] {
            let mut rig = session(samples);
            rig.press(script);
            check(&rig, script);
            rig.wait(1_000);
            check(&rig, script);
        }
    }
}

#[test]
fn a_scan_of_one_sample_is_reported_in_the_singular() {
    let mut rig = session(1);
    let report = ScanReport { samples: 1, suspects: 1, embedded: 1, ..ScanReport::default() };
    rig.event(Event::ScanDone(Box::new(report)));
    assert_eq!(rig.toast(), "scanned 1 sample with tiny-clip on cpu: 1 suspect");
    rig.press("w");
    check(&rig, "a scan");
    rig.event(Event::Progress(Progress { done: 1, total: 1, ..Progress::default() }));
    check(&rig, "progress");
}
