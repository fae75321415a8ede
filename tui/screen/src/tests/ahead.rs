//! Keys typed ahead of what they need.

use super::engine::FakeEngine;
use super::rig::Rig;
use crate::key::{KeyChord, parse_sequence};
use crate::update::Msg;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Command, Event, Likeness};

/// Types keys in one packet: no time passes and nothing is answered between them.
fn burst(rig: &mut Rig, keys: &str) {
    let cut = std::mem::replace(&mut rig.cut, true);
    for key in parse_sequence(keys).unwrap() {
        rig.send(Msg::Key(key.into()));
    }
    rig.cut = cut;
    if !cut {
        rig.mend();
    }
}

#[test]
fn ten_digits_in_one_packet_are_ten_decisions_on_ten_rows() {
    let mut rig = Rig::small();
    burst(&mut rig, "1111111111");
    for n in 0..10 {
        let class = ["bird", "cat", "dog", "horse"][(n as usize + 1) % 4];
        assert_eq!(rig.choice(n), Some(Choice::Relabel(class.to_owned())), "{n}");
    }
    assert_eq!(rig.choice(10), None);
    assert_eq!((rig.model.list.cursor, rig.model.list.decided), (10, 10));
    assert!(rig.model.ahead.is_empty());
}

#[test]
fn an_undo_is_where_the_next_key_acts() {
    let mut rig = Rig::small();
    burst(&mut rig, "xxxuaa");
    let choices = [0, 1, 2, 3].map(|n| rig.choice(n));
    use Choice::{Keep, Remove};
    assert_eq!(choices, [Some(Remove), Some(Remove), Some(Keep), Some(Keep)]);
}

#[test]
fn a_list_that_a_key_asked_for_is_the_one_the_next_key_means() {
    let mut rig = Rig::small();
    burst(&mut rig, ",cG1fclass:cat<Enter>ggx");
    assert_eq!(rig.choice(99), Some(Choice::Relabel("bird".to_owned())), "the last horse");
    assert_eq!(rig.choice(1), Some(Choice::Remove), "the first cat");
    assert_eq!(rig.model.list.decided, 1);
}

#[test]
fn a_tag_toggled_twice_at_once_is_gone() {
    let mut rig = Rig::small();
    burst(&mut rig, "gaatblur<Enter>tblur<Enter>");
    assert_eq!(rig.engine.samples[0].decision.clone().unwrap().tags, Vec::<String>::new());
}

#[test]
fn groups_decided_at_once_are_different_groups() {
    let mut engine = FakeEngine::new(100);
    engine.groups = (0..4).map(|n| vec![SampleId(2 + n * 12), SampleId(6 + n * 12)]).collect();
    let mut rig = Rig::new(engine, 80, 24);
    rig.press("jjp");
    burst(&mut rig, "BBB");
    for n in 0..3 {
        assert_eq!(rig.choice(2 + n * 12), Some(Choice::Keep), "{n}");
        assert_eq!(rig.choice(6 + n * 12), Some(Choice::Remove), "{n}");
    }
    assert_eq!(rig.choice(38), None);
    assert_eq!(rig.engine.likeness, Likeness::SamePicture);
}

#[test]
fn what_can_never_be_answered_is_dropped_and_said() {
    let mut rig = Rig::small();
    rig.cut = true;
    rig.press("G");
    for key in ["1", "x"] {
        rig.send(Msg::Key(KeyChord::char(key.chars().next().unwrap()).into()));
    }
    rig.wait(1_000);
    assert!(rig.screen().contains("2 keys typed ahead: waiting for the engine"), "{}", rig.screen());
    rig.wait(30_000);
    assert_eq!(rig.toast(), "2 keys typed ahead were dropped: the engine does not answer");
    rig.mend();
    assert!(!rig.engine.seen.iter().any(|c| matches!(c, Command::Decide { .. })));
}

#[test]
fn before_anything_is_shown_no_key_decides() {
    let mut rig = Rig::small();
    let mut model = crate::model::Model::new(
        rig.model.keymap.clone(),
        rig.model.display.theme.clone(),
        rig.model.display.size,
    );
    model.jobs.scan_when_stale = false;
    rig.model = model;
    for key in ['x', '1', 'a'] {
        rig.send(Msg::Key(KeyChord::char(key).into()));
    }
    assert_eq!(rig.toast(), "no sample is loaded yet");
    let hello = rig.engine.hello();
    rig.event(hello);
    rig.wait(1_000);
    assert!(rig.model.row().is_some());
    assert!(!rig.engine.seen.iter().any(|c| matches!(c, Command::Decide { .. })));
}

#[test]
fn waiting_keys_can_be_dropped_by_hand() {
    let mut rig = Rig::small();
    rig.cut = true;
    rig.press("G1");
    rig.press("<C-c>");
    assert_eq!(rig.toast(), "1 key typed ahead was dropped");
    rig.mend();
    rig.wait(1_000);
    assert!(!rig.engine.seen.iter().any(|c| matches!(c, Command::Decide { .. })));
}

#[test]
fn a_decision_does_not_fall_on_a_sample_that_has_just_appeared() {
    let mut rig = Rig::small();
    // The dataset is still being scanned: the list is requested again and another sample is the worst.
    rig.engine.first = vec![SampleId(50)];
    rig.engine.summary.suspects += 1;
    let hello = rig.engine.hello();
    rig.event(hello);
    rig.wait(100);
    rig.send(Msg::Key(KeyChord::char('x').into()));
    assert!(rig.toast().starts_with("the list has just changed: press again"), "{}", rig.toast());
    assert!(!rig.engine.seen.iter().any(|c| matches!(c, Command::Decide { .. })));
    rig.press("x");
    assert_eq!(rig.engine.seen.iter().filter(|c| matches!(c, Command::Decide { .. })).count(), 1);
}

#[test]
fn before_the_cursor_is_moved_it_is_on_the_worst_sample() {
    let mut rig = Rig::small();
    let worst = |rig: &mut Rig, n: u32| {
        // Another detector has found a worse one.
        rig.engine.first = vec![SampleId(n)];
        rig.engine.summary.suspects += 1;
        let hello = rig.engine.hello();
        rig.event(hello);
        rig.model.row().unwrap().path.clone()
    };
    assert_eq!(worst(&mut rig, 40), "train/bird/n00040.jpg");
    assert_eq!(rig.model.list.cursor, 0);
    assert_eq!(worst(&mut rig, 41), "train/cat/n00041.jpg");
    rig.press("jj");
    let here = rig.model.sample();
    let hello = {
        rig.engine.summary.suspects += 1;
        rig.engine.hello()
    };
    rig.event(hello);
    assert_eq!((rig.model.sample(), rig.model.list.cursor), (here, 2), "now it stays on its sample");
}

#[test]
fn the_cursor_stays_where_it_went_while_a_list_was_on_its_way() {
    let mut rig = Rig::small();
    rig.press("jj");
    rig.cut = true;
    rig.engine.summary.suspects += 1;
    let hello = rig.engine.hello();
    rig.event(hello);
    let mut commands = rig.pull();
    let list = commands.iter().position(|c| matches!(c, Command::List { .. })).unwrap();
    for event in rig.engine.handle(commands.remove(list)) {
        rig.event(event);
    }
    // The old sample is being looked for in the new list when the cursor goes on.
    let locate = rig.pull();
    rig.press("jjj");
    for command in locate.into_iter().chain(rig.pull()) {
        for event in rig.engine.handle(command) {
            rig.event(event);
        }
    }
    rig.mend();
    assert_eq!(rig.model.list.cursor, 5);
    assert_eq!(rig.model.sample(), Some(SampleId(5)));
}

#[test]
fn a_refused_filter_does_not_pass_for_a_decision() {
    let mut rig = Rig::small();
    rig.cut = true;
    rig.press("x");
    rig.event(Event::Refused { message: "'score<x' is not a filter".to_owned() });
    assert_eq!(rig.model.review.journal.outstanding.len(), 1, "the decision is still on its way");
    rig.mend();
    assert_eq!(rig.choice(0), Some(Choice::Remove));
    assert!(rig.model.review.journal.outstanding.is_empty());
}
