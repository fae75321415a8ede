//! Several reviewers: conflicts, who decided, blind reviews, and the rules by which one of a group is kept.

use super::engine::FakeEngine;
use super::rig::Rig;
use super::screens::snapshot;
use crate::action::{Action, Kind};
use crate::model::Mode;
use crate::update::{Effect, Msg};
use chaffinch_protocol::decision::{ADJUDICATED, Choice, Decision};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Attached, Command, DetailEntry, Elsewhere, Event, ListCounts};

fn entry(reviewer: &str, at: &str, words: &str) -> DetailEntry {
    DetailEntry {
        reviewer: reviewer.to_owned(),
        at: at.to_owned(),
        words: words.to_owned(),
        decides: true,
        adjudicates: false,
        undone: false,
    }
}

/// Three reviewers who disagree on some samples.
fn disputed() -> FakeEngine {
    let mut engine = FakeEngine::new(112);
    engine.summary.reviewers = ["ana", "ben", "zoe"].map(str::to_owned).into();
    engine.summary.disputed = 16;
    engine.history = vec![
        DetailEntry { undone: true, ..entry("zoe", "2026-11-27T16:09:00Z", "unsure") },
        entry("ben", "2026-11-27T16:05:03Z", "remove"),
        entry("ana", "2026-11-26T09:30:00Z", "keep"),
    ];
    for row in engine.samples.iter_mut().filter(|row| row.sample.0 % 7 == 3) {
        row.decision = Some(Choice::Keep.into());
    }
    engine
}

/// The last decision that was sent, about which samples.
fn decided(rig: &Rig) -> Option<(Vec<SampleId>, Decision)> {
    let last = rig.engine.seen.iter().rev().find_map(|command| match command {
        Command::Decide { samples, decision } => Some((samples.clone(), decision.clone())),
        _ => None,
    })?;
    Some((last.0, last.1?))
}

#[test]
fn conflicts_are_walked_and_settled() {
    for (width, height) in [(80, 24), (200, 50)] {
        let mut rig = Rig::new(disputed(), width, height);
        rig.press("fcat<Enter>jjgD");
        snapshot(&format!("conflicts-{width}x{height}"), &rig.screen());
        let screen = rig.screen();
        assert!(screen.contains("CONFLICTS"), "{screen}");
        assert!(screen.contains("remove, 2026-11-27 16:05"), "{screen}");
        assert!(screen.contains("keep, 2026-11-26 09:30"), "{screen}");
        let first = rig.model.sample().unwrap();
        rig.press("x");
        let (samples, decision) = decided(&rig).unwrap();
        assert_eq!((samples, decision.choice), (vec![first], Choice::Remove));
        assert_eq!(decision.tags, [ADJUDICATED], "it has its own mark");
        assert_ne!(rig.model.sample(), Some(first), "and the next one is shown");
        // Back in the list, which is what it was, a decision is like any other.
        rig.press("q");
        assert_eq!(rig.model.list.query.filter, "cat");
        rig.press("a");
        assert_eq!(decided(&rig).unwrap().1.tags, Vec::<String>::new());
    }
}

#[test]
fn a_relabel_of_several_conflicts_settles_each() {
    let mut rig = Rig::new(disputed(), 80, 24);
    rig.press("gD<Space><Space>rdog<Enter>");
    if matches!(rig.model.mode, Mode::Confirm(_)) {
        rig.press("y");
    }
    let sent = rig.engine.seen.iter().rev().find_map(|command| match command {
        Command::Decide { samples, decision } => Some(vec![decision.clone(); samples.len()]),
        Command::DecideEach { decisions } => {
            Some(decisions.iter().map(|(_, decision)| Some(decision.clone())).collect())
        }
        _ => None,
    });
    let sent = sent.unwrap();
    assert_eq!(sent.len(), 2);
    assert!(sent.iter().all(|decision| decision.as_ref().unwrap().tags == [ADJUDICATED]), "{sent:?}");
}

#[test]
fn without_a_conflict_the_list_stays() {
    let mut rig = Rig::small();
    rig.press("gD");
    assert_eq!(rig.toast(), "you are the only reviewer of this session so far");
    assert!(rig.model.at_home());
    let mut engine = disputed();
    engine.summary.disputed = 0;
    let mut rig = Rig::new(engine, 80, 24);
    rig.press("gD");
    assert_eq!(rig.toast(), "reviewers disagree on no sample");
}

#[test]
fn a_later_run_does_not_begin_among_the_conflicts() {
    let mut rig = Rig::new(disputed(), 80, 24);
    rig.press("fcat<Enter>gD");
    assert_eq!(rig.model.list.query.filter, "is:disputed");
    assert_eq!(rig.model.view_state().query.filter, "cat");
}

#[test]
fn who_said_what_is_told_for_the_sample_under_the_cursor() {
    for (width, height) in [(80, 24), (200, 50)] {
        let mut rig = Rig::new(disputed(), width, height);
        rig.press("jgw");
        snapshot(&format!("who-{width}x{height}"), &rig.screen());
        let screen = rig.screen();
        assert!(screen.contains("2026-11-27 16:05  ben  remove"), "{screen}");
        assert!(screen.contains("undone since"), "{screen}");
        rig.press("<Esc>");
        assert!(rig.model.at_home());
    }
}

#[test]
fn a_blind_review_says_so_and_ends_only_after_a_question() {
    let mut rig = Rig::new(disputed(), 80, 24);
    rig.press("gB");
    assert!(rig.engine.summary.blind.is_some());
    assert!(rig.screen().lines().next().unwrap().contains("BLIND"), "{}", rig.screen());
    rig.press("gD");
    assert!(rig.model.at_home(), "conflicts would show what others decided");
    rig.press("gBn");
    assert!(rig.engine.summary.blind.is_some());
    rig.press("gBy");
    assert!(rig.engine.summary.blind.is_none());
    assert!(!rig.screen().contains("BLIND"), "{}", rig.screen());
}

/// Terminals of these reviewers, the first of which is told.
fn attached(reviewers: &[(&str, bool)]) -> Vec<Attached> {
    let one = |(place, (reviewer, watches)): (usize, &(&str, bool))| Attached {
        reviewer: (*reviewer).to_owned(),
        terminal: format!("/dev/pts/{place}"),
        watches: *watches,
        own: place == 0,
    };
    reviewers.iter().enumerate().map(one).collect()
}

#[test]
fn the_heading_says_who_else_is_there() {
    let heading = |watches: bool, reviewers: &[(&str, bool)]| {
        let mut engine = FakeEngine::new(112);
        engine.summary.attached = attached(reviewers);
        engine.summary.watches = watches;
        Rig::new(engine, 160, 24).screen().lines().next().unwrap().to_owned()
    };
    assert!(!heading(false, &[("ana", false)]).contains("with"));
    assert!(heading(false, &[("ana", false), ("ben", false)]).contains("with ben"));
    let several = [("ana", false), ("ben", false), ("zoe", false), ("ana", true)];
    assert!(heading(false, &several).contains("with ben, zoe and 1 watching"));
    let line = heading(true, &[("ana", true), ("ana", false), ("ben", false)]);
    assert!(line.contains("WATCHING") && line.contains("of ana, with ben"), "{line}");
}

#[test]
fn one_that_watches_decides_nothing_with_any_key() {
    let mut engine = disputed();
    engine.summary.watches = true;
    let mut rig = Rig::new(engine, 80, 24);
    for &action in Action::ALL.iter().filter(|action| matches!(action.kind(), Kind::Decide(_))) {
        rig.send(Msg::Act(action));
        assert!(rig.toast().starts_with("you are watching ana"), "{action}: {}", rig.toast());
        assert_eq!(rig.model.mode, Mode::List, "{action}");
    }
    rig.press("gB");
    assert!(rig.toast().starts_with("you are watching ana"), "{}", rig.toast());
    let changes = rig.engine.seen.iter().filter(|command| !matches!(command, Command::Remember { .. }));
    assert!(!changes.clone().any(|command| matches!(command, Command::Decide { .. } | Command::Undo)));
}

#[test]
fn what_is_decided_elsewhere_is_seen_at_once() {
    let mut rig = Rig::new(disputed(), 120, 24);
    let (sample, before) = (rig.model.sample().unwrap(), rig.model.list.decided);
    let elsewhere = |opened: u64| Elsewhere {
        by: "ben".into(),
        samples: vec![(sample, Some(Choice::Remove.into()))],
        text: "removed a.png".into(),
        decided: 40,
        disputed: 17,
        opened,
        listed: Some(ListCounts { ticket: rig.model.list.ticket, by_choice: [9, 1, 0, 0] }),
    };
    let (quiet, loud) = (elsewhere(0), elsewhere(1));
    rig.event(Event::Elsewhere(quiet));
    let row = rig.model.row().unwrap();
    assert_eq!(row.decision.as_ref().map(|said| &said.choice), Some(&Choice::Remove));
    assert_ne!(rig.model.list.decided, before);
    assert_eq!(rig.model.list.by_choice, [9, 1, 0, 0]);
    assert_eq!(rig.model.sample(), Some(sample), "the cursor stays");
    assert!(rig.screen().contains("17 disputed"), "{}", rig.screen());
    assert!(!rig.toast().contains("ben"), "what one is told of one's own decisions stays: {}", rig.toast());
    assert_eq!(rig.model.jobs.log.back().map(String::as_str), Some("ben: removed a.png"));
    rig.event(Event::Elsewhere(loud));
    assert!(rig.toast().contains("ben: removed a.png") && rig.toast().contains("gD"), "{}", rig.toast());
    rig.event(Event::Notice { message: "ben moved the threshold of blurry to 0.3".into() });
    assert!(rig.toast().contains("ben moved the threshold"), "{}", rig.toast());
    rig.event(Event::Dismissed { why: "taken over".into() });
    assert_eq!(rig.effects.last(), Some(&Effect::Dismissed));
}

#[test]
fn one_of_a_group_is_kept_by_a_rule_that_is_chosen_in_sight() {
    for (width, height) in [(80, 24), (200, 50)] {
        let mut engine = FakeEngine::new(112);
        for id in [14, 26] {
            engine.samples[id].label = engine.samples[2].label;
        }
        let mut rig = Rig::new(engine, width, height);
        rig.press("jjpO");
        snapshot(&format!("keep-by-{width}x{height}"), &rig.screen());
        assert!(rig.engine.done.is_empty(), "looking decides nothing");
        rig.press("<Down><Enter>");
        let choices = [2, 14, 26].map(|id| rig.choice(id).unwrap());
        assert_eq!(choices, [Choice::Remove, Choice::Keep, Choice::Remove]);
        rig.press("u");
        assert_eq!([2, 14, 26].map(|id| rig.choice(id)), [None, None, None], "undone as one");
    }
}

#[test]
fn a_rule_never_decides_between_labels() {
    let mut engine = FakeEngine::new(100);
    engine.samples[14].label = Some(0);
    let mut rig = Rig::new(engine, 80, 24);
    rig.press("jjpO<Enter>");
    assert!(matches!(rig.model.mode, Mode::Picker(_)), "it asks which label is right: {}", rig.screen());
    assert!(rig.engine.done.is_empty());
}
