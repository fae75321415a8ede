//! What is said, for how long, and the counts in the heading.

use super::engine::FakeEngine;
use super::rig::Rig;
use crate::model::Mode;
use crate::update::Msg;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::{Command, Event};

#[test]
fn a_message_leaves_when_the_cursor_moves() {
    let mut rig = Rig::small();
    rig.press("%");
    assert!(!rig.toast().is_empty());
    for keys in ["j", "k", "G"] {
        rig.press("x").press(keys);
        assert_eq!(rig.toast(), "", "{keys}");
    }
    rig.press("/n00010<Enter>ggy");
    assert!(rig.toast().starts_with("copied"));
    rig.press("n");
    assert_eq!(rig.toast(), "'n00010': 1 of 1", "a search says what it found instead");
}

#[test]
fn what_was_refused_is_read_before_trouble_elsewhere() {
    let mut rig = Rig::small();
    let trouble = || Event::Trouble { about: "view".to_owned(), message: "no such folder".to_owned() };
    rig.engine.refuse = Some("the session was moved".to_owned());
    rig.press("x");
    rig.event(trouble());
    assert!(rig.toast().contains("the session was moved"), "{}", rig.toast());
    assert!(rig.model.jobs.troubles.iter().any(|(about, _)| about == "view"));
    rig.press("j");
    rig.event(trouble());
    assert_eq!(rig.toast(), "view: no such folder");
}

#[test]
fn a_message_does_not_follow_into_another_view() {
    for keys in ["i", "c", "C", "m", "p", "w", "H", "M", "P", "I"] {
        let mut rig = Rig::small();
        rig.press("jjy");
        assert!(rig.toast().starts_with("copied"));
        rig.press(keys);
        assert!(!rig.toast().starts_with("copied"), "{keys}: {}", rig.toast());
    }
}

#[test]
fn what_an_undo_says_stays_although_it_moves_the_cursor() {
    let mut rig = Rig::small();
    rig.press("xjjju");
    assert_eq!(rig.model.list.cursor, 0);
    assert!(rig.toast().starts_with("undone"), "{}", rig.toast());
}

#[test]
fn a_message_leaves_room_for_the_path() {
    let mut rig = Rig::new(FakeEngine::new(100), 120, 30);
    rig.press("x");
    let screen = rig.screen();
    let line = screen.lines().rev().nth(1).unwrap();
    assert!(line.contains("removed train/bird/n00000.jpg"), "{line}");
    assert!(line.contains("/data/animals/train/cat/n00001.jpg"), "{line}");
}

#[test]
fn the_heading_counts_what_is_done_of_all() {
    let mut rig = Rig::small();
    let top = |rig: &Rig| rig.screen().lines().next().unwrap().to_owned();
    assert!(top(&rig).contains("0 of 100 suspects decided"), "{}", top(&rig));
    rig.press("xxa");
    assert!(top(&rig).contains("3 of 100 suspects decided"), "{}", top(&rig));
    rig.cut = true;
    rig.press("a");
    assert!(top(&rig).contains("4 of 100 suspects decided"), "what is being saved counts: {}", top(&rig));
    rig.mend();
    rig.press("fclass:cat<Enter>");
    assert!(top(&rig).contains("1 of 25 suspects decided"), "{}", top(&rig));
}

#[test]
fn the_count_is_right_after_any_burst_of_decisions_and_undos() {
    let mut rig = Rig::new(FakeEngine::new(9_000), 80, 24);
    let keys = |rig: &mut Rig, key: char, times: usize| {
        for _ in 0..times {
            rig.send(Msg::Key(crate::key::KeyChord::char(key).into()));
        }
        rig.wait(1);
    };
    keys(&mut rig, 'x', 330);
    rig.press("G");
    keys(&mut rig, 'a', 1);
    keys(&mut rig, 'u', 101);
    assert_eq!(rig.engine.samples.iter().filter(|row| row.decision.is_some()).count(), 230);
    assert_eq!((rig.model.list.decided, rig.model.counts()), (230, [0, 230, 0, 0]));
    // Rows that are not in the list do not count in it.
    rig.press("fclass:cat<Enter>");
    let cats = rig.model.list.decided;
    rig.press("uuuu");
    assert_eq!(rig.model.list.decided, cats - 1);
}

#[test]
fn a_message_leaves_with_the_next_key_in_every_view() {
    // A key that changes what is shown: also where the same sample stays under the cursor.
    for (view, keys) in [
        ("z", "j"),
        ("z", "Z"),
        ("c", "l"),
        ("c", "b"),
        ("c", "j"),
        ("C", "l"),
        ("C", "]"),
        ("m", "l"),
        ("m", "]"),
        ("p", "l"),
        ("p", "]"),
        ("i", "l"),
        ("i", "o"),
        ("i", "q"),
        ("", "J"),
        ("", "?"),
        ("", "f"),
    ] {
        let mut rig = Rig::small();
        rig.press("jj").press(&format!("{view}y"));
        assert!(rig.toast().starts_with("copied"), "{view}: {}", rig.toast());
        rig.press(keys);
        assert!(!rig.toast().starts_with("copied"), "{keys} in {view}: {}", rig.toast());
    }
}

#[test]
fn a_message_that_has_just_come_is_read_for_a_moment() {
    let mut rig = Rig::small();
    rig.press("y");
    rig.wait(100);
    rig.send(Msg::Key(crate::key::KeyChord::char('j').into()));
    assert!(rig.toast().starts_with("copied"));
    rig.wait(1_600);
    assert_eq!(rig.toast(), "");
}

#[test]
fn what_was_typed_as_a_tag_is_the_tag() {
    let tags = |rig: &Rig| {
        rig.engine.seen.iter().rev().find_map(|command| match command {
            Command::Tag { tags, .. } => Some(tags.clone()),
            _ => None,
        })
    };
    for (keys, tag) in [
        // Its letters are also in `duplicate_near`.
        ("tlater<Enter>", "later"),
        ("tlater<Down><Enter>", "duplicate_near"),
        ("tlater<Tab><Enter>", "duplicate_near"),
        ("tduplicate_near<Enter>", "duplicate_near"),
        ("tdup<Enter>", "dup"),
    ] {
        let mut rig = Rig::small();
        rig.press("a").press(keys);
        assert_eq!(tags(&rig), Some(vec![tag.to_owned()]), "{keys}");
    }
}

#[test]
fn a_class_is_typed_in_part_and_a_new_one_comes_last() {
    for (keys, class) in [("rdo<Enter>", "dog"), ("rdog<Enter>", "dog"), ("rdo<Up><Enter>y", "do")] {
        let mut rig = Rig::small();
        rig.press(keys);
        assert_eq!(rig.choice(0), Some(Choice::Relabel(class.to_owned())), "{keys}");
    }
}

#[test]
fn several_words_become_one_tag() {
    let mut rig = Rig::small();
    rig.press("tmy<Space>own<Space>tag");
    assert!(rig.screen().contains("my_own_tag"), "{}", rig.screen());
    assert!(rig.screen().contains("new tag"), "{}", rig.screen());
    rig.press("<Enter>");
    let tags = rig.engine.seen.iter().rev().find_map(|command| match command {
        Command::Tag { tags, .. } => Some(tags.clone()),
        _ => None,
    });
    assert_eq!(tags, Some(vec!["my_own_tag".to_owned()]));
}

#[test]
fn a_number_in_the_palette_is_never_a_name() {
    for (typed, row) in [("57", 56), ("0", 0), ("-5", 0), ("+3", 5), ("50%", 50), ("1000", 99)] {
        let mut rig = Rig::small();
        rig.press("jj:").press(typed).press("<Enter>");
        assert_eq!(rig.model.mode, Mode::List);
        assert_eq!(rig.model.list.cursor, row, "{typed}");
        assert!(!rig.engine.seen.iter().any(|c| matches!(c, Command::Decide { .. })), "{typed}");
    }
}

#[test]
fn the_heading_keeps_the_filter_and_the_warnings_at_eighty_columns() {
    let mut engine = FakeEngine::new(100);
    engine.summary.dataset = "/data/a/long/path/to/the/animals/of/the/zoo".to_owned();
    engine.summary.disputed = 2;
    engine.summary.reading.leave_out(
        chaffinch_protocol::RemarkKind::OtherFiles,
        12,
        "12 files are not pictures",
    );
    engine.summary.detectors[0].threshold = 0.35;
    let mut rig = Rig::new(engine, 80, 24);
    let top = |rig: &Rig| rig.screen().lines().next().unwrap().to_owned();
    assert!(top(&rig).contains("2 disputed") && top(&rig).contains("gd"), "{}", top(&rig));
    rig.press("fclass:cat<Enter>");
    for word in ["disputed", "gd", "filter class:cat", "decided"] {
        assert!(top(&rig).contains(word), "{word}: {}", top(&rig));
    }
    rig.press(",n");
    for word in ["disputed", "gd", "filter class:cat", "decided", "by path"] {
        assert!(top(&rig).contains(word), "{word}: {}", top(&rig));
    }
}
