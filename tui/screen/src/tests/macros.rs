//! Recorded keys.

use super::engine::FakeEngine;
use super::rig::Rig;
use crate::key::KeyChord;
use crate::model::Mode;
use crate::update::Msg;
use chaffinch_protocol::Command;
use chaffinch_protocol::decision::Choice;
use crossterm::event::KeyCode;

#[test]
fn keys_are_recorded_and_pressed_again() {
    let mut rig = Rig::small();
    rig.press("Qxa");
    assert!(rig.screen().contains("recording 2 keys: xa") || rig.model.toast.is_some());
    rig.press("Q@");
    let choices = [0, 1, 2, 3, 4].map(|n| rig.choice(n));
    use Choice::{Keep, Remove};
    assert_eq!(choices, [Some(Remove), Some(Keep), Some(Remove), Some(Keep), None]);
    assert_eq!(rig.model.list.cursor, 4);
}

#[test]
fn prompts_are_part_of_it_and_it_is_pressed_as_often_as_asked() {
    let mut rig = Rig::small();
    rig.press("Qrhor<Enter>Qg@3<Enter>");
    for n in 0..3 {
        assert_eq!(rig.choice(n), Some(Choice::Relabel("horse".to_owned())), "{n}");
    }
    assert_eq!(rig.choice(3), Some(Choice::Keep), "it is a horse already");
    assert_eq!(rig.choice(4), None);
    assert_eq!(rig.model.mode, Mode::List);
}

#[test]
fn it_waits_for_the_engine_and_escape_stops_it() {
    let mut rig = Rig::small();
    rig.press("QjxQgg");
    rig.cut = true;
    rig.press("g@9<Enter>");
    assert!(!rig.model.macros.replay.is_empty(), "details are still on their way");
    let sent = rig.model.review.journal.outstanding.len();
    rig.send(Msg::Key(KeyChord::char('x').into()));
    assert!(!rig.model.macros.replay.is_empty(), "other keys wait for its end");
    rig.send(Msg::Key(KeyChord::from(KeyCode::Esc).into()));
    assert!(rig.model.macros.replay.is_empty());
    assert!(rig.toast().contains("stopped the replay"));
    rig.mend();
    let decided = rig.engine.seen.iter().filter(|c| matches!(c, Command::Decide { .. })).count();
    assert_eq!(decided, 1 + sent, "neither the key that stops nor those before it do anything else");
}

#[test]
fn what_cannot_be_done_ends_it() {
    let mut rig = Rig::small();
    // Sample 1 has no suggested label, so accepting it warns.
    rig.press("Q<Enter>Qg@50<Enter>");
    assert!(rig.toast().starts_with("no suggested label"), "{}", rig.toast());
    assert!(rig.model.macros.replay.is_empty());
    assert!(matches!(rig.choice(0), Some(Choice::Relabel(_))));
    assert_eq!(rig.choice(3), None);
}

#[test]
fn it_is_kept_with_the_session() {
    let mut rig = Rig::small();
    rig.press("Qx<lt>Qq");
    let mut engine = FakeEngine::new(100);
    engine.summary.remembered = rig.engine.summary.remembered.clone();
    let mut again = Rig::new(engine, 80, 24);
    assert_eq!(again.model.macros.last.len(), 2);
    again.press("gg@");
    assert_eq!(again.choice(0), Some(Choice::Remove));
}

#[test]
fn nothing_recorded_is_said() {
    let mut rig = Rig::small();
    rig.press("@");
    assert!(rig.toast().contains("nothing recorded: Q starts"), "{}", rig.toast());
    rig.press("QQ");
    assert_eq!(rig.toast(), "no keys recorded");
    rig.press("QxQQQ@");
    assert!(
        rig.toast().contains("nothing recorded"),
        "an empty recording replaces the one before: {}",
        rig.toast()
    );
    assert_eq!(rig.choice(1), None);
}

#[test]
fn it_waits_for_what_a_search_finds() {
    let mut rig = Rig::small();
    rig.press("/n00010<Enter>gg");
    rig.press("QnxQ");
    assert!(rig.choice(10).is_some());
    rig.press("ugg");
    assert_eq!(rig.choice(10), None);
    rig.cut = true;
    rig.press("g@1<Enter>");
    assert!(!rig.model.macros.replay.is_empty(), "the search is still on its way");
    rig.mend();
    assert!(rig.choice(10).is_some() && rig.choice(0).is_none());
}
