//! Decisions by key: what is sent, what is shown, what happens when saving fails.

use super::engine::FakeEngine;
use super::rig::Rig;
use crate::model::Mode;
use crate::update::Effect;
use chaffinch_protocol::Command;
use chaffinch_protocol::decision::Choice;

fn relabel(name: &str) -> Option<Choice> {
    Some(Choice::Relabel(name.to_owned()))
}

#[test]
fn one_key_decides_and_goes_on() {
    let mut rig = Rig::small();
    rig.press("axs");
    assert_eq!(rig.choice(0), Some(Choice::Keep));
    assert_eq!(rig.choice(1), Some(Choice::Remove));
    assert_eq!(rig.choice(2), Some(Choice::Unsure));
    assert_eq!(rig.model.list.cursor, 3);
    assert_eq!(rig.toast(), "unsure about train/dog/n00002.jpg   u undo");
    assert_eq!(rig.model.list.decided, 3);
    assert_eq!(rig.model.list.by_choice, [1, 1, 0, 1]);
}

#[test]
fn advancing_skips_what_is_decided() {
    let mut rig = Rig::small();
    rig.press("jajxkk");
    assert_eq!(rig.model.list.cursor, 2);
    rig.press("ka");
    assert_eq!(rig.model.list.cursor, 2, "row 1 has a decision, row 2 has none");
    rig.press("a");
    assert_eq!(rig.model.list.cursor, 4);
}

#[test]
fn staying_is_a_choice() {
    let mut rig = Rig::small();
    rig.press("gaa");
    assert_eq!(rig.model.list.cursor, 0);
    assert_eq!(rig.choice(0), Some(Choice::Keep));
}

#[test]
fn digits_relabel_to_what_the_panel_shows() {
    let mut rig = Rig::small();
    rig.press("1");
    assert_eq!(rig.choice(0), relabel("cat"));
    // The second candidate is the given label itself: that is a keep.
    rig.press("2");
    assert_eq!(rig.choice(1), Some(Choice::Keep));
    rig.press("9");
    assert_eq!(rig.choice(2), None);
    assert_eq!(rig.toast(), "there is no candidate 9");
}

#[test]
fn keys_wait_for_the_row_and_the_candidates_they_mean() {
    let mut rig = Rig::small();
    rig.cut = true;
    rig.press("G1");
    assert!(!rig.pull().iter().any(|c| matches!(c, Command::Decide { .. })), "nothing is guessed");
    let mut rig = Rig::small();
    rig.cut = true;
    rig.press("G1ggx");
    rig.mend();
    assert_eq!(rig.choice(99), relabel("bird"), "the first candidate of the last row");
    assert_eq!(rig.choice(0), Some(Choice::Remove));
}

#[test]
fn enter_accepts_the_suggestion() {
    let mut rig = Rig::small();
    rig.press("<Enter>");
    assert_eq!(rig.choice(0), relabel("cat"));
    rig.press("<Enter>");
    assert_eq!(rig.choice(1), None);
    assert!(rig.toast().starts_with("no suggested label"));
}

#[test]
fn repeat_and_clear() {
    let mut rig = Rig::small();
    rig.press(".");
    assert_eq!(rig.toast(), "nothing to repeat yet");
    rig.press("x..");
    assert_eq!(rig.choice(2), Some(Choice::Remove));
    rig.press("gg0");
    assert_eq!(rig.choice(0), None);
    assert_eq!(rig.model.list.cursor, 0, "clearing stays");
}

#[test]
fn undo_returns_to_the_sample_and_redo_does_it_again() {
    let mut rig = Rig::small();
    rig.press("xxG");
    assert_eq!(rig.model.list.cursor, 99);
    rig.press("u");
    assert_eq!(rig.choice(1), None);
    assert_eq!(rig.model.list.cursor, 1);
    rig.press("<Backspace>");
    assert_eq!(rig.model.list.cursor, 0);
    rig.press("u");
    assert_eq!(rig.toast(), "nothing to undo");
    assert_eq!((rig.model.list.decided, rig.model.list.by_choice), (0, [0; 4]));
    rig.press("<C-r><C-r>");
    assert_eq!((rig.model.list.decided, rig.model.list.by_choice), (2, [0, 2, 0, 0]));
    assert_eq!(rig.choice(1), Some(Choice::Remove));
    assert_eq!(rig.model.list.cursor, 1);
}

#[test]
fn marks_take_one_decision_together_and_one_undo() {
    let mut rig = Rig::small();
    rig.press("<Space><Space>j<Space>x");
    assert_eq!(
        [0, 1, 2, 3].map(|n| rig.choice(n)),
        [Some(Choice::Remove), Some(Choice::Remove), None, Some(Choice::Remove)]
    );
    assert!(rig.model.review.marks.is_empty());
    rig.press("u");
    assert_eq!([0, 1, 3].map(|n| rig.choice(n)), [None, None, None]);
}

#[test]
fn a_range_is_decided_at_once() {
    let mut rig = Rig::small();
    rig.press("jvjjja");
    for n in 1..=4 {
        assert_eq!(rig.choice(n), Some(Choice::Keep), "{n}");
    }
    assert_eq!((rig.choice(0), rig.choice(5)), (None, None));
    assert_eq!(rig.model.review.visual, None);
}

#[test]
fn a_group_is_decided_from_any_member() {
    let mut rig = Rig::small();
    rig.press("jjX");
    assert_eq!([2, 14, 26].map(|n| rig.choice(n)), [const { Some(Choice::Remove) }; 3]);
    rig.press("gg");
    rig.press("X");
    assert!(rig.toast().starts_with("this sample is in no group"));
    assert_eq!(rig.choice(0), None);
}

#[test]
fn many_are_asked_about_first() {
    let mut rig = Rig::small();
    rig.press("*x");
    let Mode::Confirm(confirm) = &rig.model.mode else { panic!("{:?}", rig.model.mode) };
    assert_eq!(confirm.question, "remove 100 samples?");
    rig.press("n");
    assert_eq!(rig.choice(0), None);
    rig.press("xy");
    assert_eq!(rig.choice(99), Some(Choice::Remove));
}

#[test]
fn relabelling_by_name_remembers_what_was_used() {
    let mut rig = Rig::small();
    rig.press("rhor<Enter>");
    assert_eq!(rig.choice(0), relabel("horse"));
    rig.press("r<Enter>");
    assert_eq!(rig.choice(1), relabel("horse"), "the class used last stands on top");
}

#[test]
fn a_new_class_is_asked_about() {
    let mut rig = Rig::small();
    rig.press("rzebra<Enter>");
    let Mode::Confirm(confirm) = &rig.model.mode else { panic!() };
    assert!(confirm.question.contains("'zebra' is a new class"));
    rig.press("<Esc>");
    assert_eq!(rig.choice(0), None);
    rig.press("rzebra<Enter>y");
    assert_eq!(rig.choice(0), relabel("zebra"));
    rig.press("rzebra<Enter>");
    assert_eq!(rig.choice(1), relabel("zebra"), "asked once only");
}

#[test]
fn a_decision_is_shown_as_saving_until_it_is_saved() {
    let mut rig = Rig::small();
    rig.cut = true;
    rig.press("x");
    assert!(rig.screen().contains("saving 1…"));
    assert!(rig.model.choice(rig.model.list.rows.get(0).unwrap()).is_some());
    rig.mend();
    let screen = rig.screen();
    assert!(screen.contains("● saved") && !screen.contains("saving"));
}

#[test]
fn a_refused_decision_is_taken_back_on_the_screen() {
    let mut rig = Rig::small();
    rig.engine.refuse = Some("the disk is full: free some space and decide again".to_owned());
    rig.press("x");
    assert_eq!(rig.model.choice(rig.model.list.rows.get(0).unwrap()), None);
    assert!(rig.screen().contains("the disk is full"));
    assert_eq!(rig.model.list.decided, 0);
    assert_eq!(rig.model.list.cursor, 0, "back on the sample");
    rig.engine.refuse = None;
    rig.press("x");
    assert_eq!(rig.choice(0), Some(Choice::Remove));
}

#[test]
fn the_later_of_two_outstanding_decisions_is_shown() {
    let mut rig = Rig::small();
    rig.cut = true;
    rig.press("xka");
    let row = rig.model.list.rows.get(0).unwrap().clone();
    assert_eq!(rig.model.choice(&row), Some(&Choice::Keep));
    rig.mend();
    assert_eq!(rig.choice(0), Some(Choice::Keep));
    assert!(rig.model.review.journal.overlay.is_empty() && rig.model.review.journal.outstanding.is_empty());
}

#[test]
fn quitting_waits_for_the_disk() {
    let mut rig = Rig::small();
    rig.cut = true;
    rig.press("xq");
    assert!(!rig.effects.iter().any(|e| matches!(e, Effect::Quit(_))));
    rig.mend();
    assert_eq!(rig.effects.last(), Some(&Effect::Quit(0)));
}

#[test]
fn quitting_does_not_wait_for_ever() {
    let mut rig = Rig::small();
    rig.cut = true;
    rig.press("xxq");
    rig.wait(6_000);
    assert_eq!(rig.effects.last(), Some(&Effect::Quit(2)));
}

#[test]
fn the_place_is_found_again() {
    let mut rig = Rig::small();
    rig.press("fclass:dog<Enter>jjjd");
    rig.press("q");
    assert_eq!(rig.effects.last(), Some(&Effect::Quit(0)));
    let (query, sample) = (rig.model.list.query.clone(), rig.model.sample());
    let mut engine = FakeEngine::new(100);
    engine.summary.remembered = rig.engine.summary.remembered.clone();
    assert!(engine.summary.remembered.len() < 1000);
    let again = Rig::new(engine, 80, 24);
    assert_eq!((again.model.list.query.clone(), again.model.sample()), (query, sample));
    assert_eq!(again.model.list.cursor, 3);
    assert_eq!(again.model.detector, 1);
}

#[test]
fn tags_and_notes() {
    let mut rig = Rig::small();
    rig.press("gaatblur<Tab><Enter>");
    let decision = rig.engine.samples[0].decision.clone().unwrap();
    assert_eq!(decision.tags, ["low_quality_blur"]);
    // An existing tag is at the top and is removed again.
    rig.press("t");
    assert!(rig.screen().contains("remove"), "{}", rig.screen());
    rig.press("<Enter>");
    assert_eq!(rig.engine.samples[0].decision.clone().unwrap().tags, Vec::<String>::new());
    rig.press("enot sure<Enter>");
    assert!(matches!(rig.engine.seen.iter().rfind(|c| matches!(c, Command::Tag { .. })),
        Some(Command::Tag { note, .. }) if note == "not sure"));
}

#[test]
fn interrupting_twice_quits() {
    let mut rig = Rig::small();
    rig.press("<Space><C-c>");
    assert!(rig.model.review.marks.is_empty());
    assert!(!rig.effects.iter().any(|e| matches!(e, Effect::Quit(_))));
    rig.press("<C-c>");
    assert!(rig.effects.iter().any(|e| matches!(e, Effect::Quit(_))));
}

#[test]
fn undo_of_many_goes_to_the_first() {
    let mut rig = Rig::small();
    rig.press("jj<Space><Space><Space>xG");
    assert_eq!(rig.model.list.decided, 3);
    rig.press("u");
    assert_eq!((rig.model.list.cursor, rig.model.list.decided), (2, 0));
    assert!(rig.model.choice(rig.model.list.rows.get(3).unwrap()).is_none());
}

#[test]
fn a_refused_list_leaves_the_shown_one_and_the_text() {
    let mut rig = Rig::small();
    rig.cut = true;
    rig.press("fcat score<lt>x<Enter>");
    rig.pull();
    let ticket = rig.model.list.last_ticket;
    let message = "'x' is not a number".to_owned();
    rig.event(chaffinch_protocol::Event::NotListed { ticket, message, at: Some((4, 11)) });
    rig.cut = false;
    let Mode::Prompt(prompt) = &rig.model.mode else { panic!("the prompt is gone") };
    assert_eq!(prompt.line.text, "cat score<x");
    let screen = rig.screen();
    assert!(screen.contains("'x' is not a number"), "{screen}");
    assert_eq!(rig.model.list.query.filter, "");
    rig.press("<Esc>G");
    assert_eq!(rig.model.list.cursor, 99);
}

#[test]
fn a_refused_list_takes_no_decision_with_it() {
    let mut rig = Rig::small();
    rig.cut = true;
    rig.press("xfscore<lt>x<Enter>");
    let ticket = rig.model.list.last_ticket;
    rig.event(chaffinch_protocol::Event::NotListed { ticket, message: "no".to_owned(), at: None });
    assert_eq!(rig.model.review.journal.outstanding.len(), 1, "it is still being saved");
}

#[test]
fn keys_typed_behind_a_filter_are_for_its_list() {
    let mut rig = Rig::small();
    rig.cut = true;
    rig.press("fclass:dog<Enter>x");
    assert!(rig.model.review.journal.outstanding.is_empty(), "nothing is decided in the old list");
    rig.mend();
    assert_eq!(rig.model.list.query.filter, "class:dog");
    let removed: Vec<u32> = (0..100).filter(|n| rig.choice(*n).is_some()).collect();
    assert_eq!(removed.len(), 1);
    let label = rig.engine.samples[removed[0] as usize].label;
    assert_eq!(rig.model.class(label), Some("dog"));
}

#[test]
fn a_question_is_not_answered_by_the_key_for_suggestions() {
    let mut rig = Rig::small();
    rig.press("*x<Enter><Enter>");
    assert_eq!(rig.choice(0), None);
    assert!(matches!(rig.model.mode, Mode::Confirm(_)));
}

#[test]
fn what_is_there_already_is_said_and_makes_no_entry() {
    let mut rig = Rig::small();
    let entries = |rig: &Rig| rig.model.review.journal.undoable.unwrap_or(0);
    for keys in ["0", "e<Enter>", "v0", "<Space><Space>0"] {
        rig.press(keys);
        assert_eq!((entries(&rig), rig.toast().is_empty()), (0, false), "{keys}: {}", rig.toast());
        assert!(rig.model.review.journal.outstanding.is_empty(), "{keys}");
    }
    rig.press("<Esc>ggx");
    assert_eq!(entries(&rig), 1);
    for keys in ["ggx", "gg."] {
        rig.press(keys);
        assert_eq!(entries(&rig), 1, "{keys}");
    }
    rig.press("u");
    assert_eq!(rig.choice(0), None);
    rig.press("0<C-r>");
    assert_eq!(rig.choice(0), Some(Choice::Remove), "what changes nothing leaves what can be redone");
}

#[test]
fn a_relabel_to_the_own_label_keeps() {
    let mut rig = Rig::small();
    let own = rig.model.class(rig.model.row().unwrap().label).unwrap().to_owned();
    rig.press(&format!("r{own}<Enter>"));
    assert_eq!(rig.choice(0), Some(Choice::Keep));
    // The class of every fourth sample; `.` goes on relabeling although one of them was kept.
    rig.press("rhorse<Enter>..");
    let horse = || Some(Choice::Relabel("horse".to_owned()));
    assert_eq!([1, 2, 3].map(|n| rig.choice(n)), [horse(), horse(), Some(Choice::Keep)]);
    rig.press(".");
    assert_eq!(rig.choice(4), horse());
}

#[test]
fn a_note_is_removed_by_an_empty_one() {
    let mut rig = Rig::small();
    rig.press("aggeblurred<Enter>");
    assert_eq!(rig.engine.samples[0].decision.as_ref().unwrap().note, "blurred");
    rig.press("e<C-u><Enter>");
    assert_eq!(rig.engine.samples[0].decision.as_ref().unwrap().note, "");
    assert_eq!(rig.choice(0), Some(Choice::Keep));
}

#[test]
fn samples_on_which_reviewers_disagree_are_counted() {
    let mut engine = FakeEngine::new(100);
    engine.summary.disputed = 3;
    engine.others.push(("ben".to_owned(), "remove".to_owned()));
    let rig = Rig::new(engine, 80, 24);
    let screen = rig.screen();
    assert!(screen.lines().next().unwrap().contains("3 disputed"), "{screen}");
    assert!(screen.contains("decided otherwise by ben: remove"), "{screen}");
    assert_eq!(rig.toast(), "reviewers disagree on 3 samples: the filter is:disputed lists them");
}

#[test]
fn who_decided_is_shown_where_there_are_several_reviewers() {
    let mut rig = Rig::small();
    rig.press("xgg");
    assert!(!rig.screen().contains("by ana"), "{}", rig.screen());
    let mut engine = FakeEngine::new(100);
    engine.summary.reviewers = vec!["ana".to_owned(), "ben".to_owned()];
    let mut rig = Rig::new(engine, 80, 24);
    rig.press("xgg");
    assert!(rig.screen().contains("removed by ana"), "{}", rig.screen());
    rig.press("freviewer:");
    let screen = rig.screen();
    assert!(screen.contains("reviewer:ana") && screen.contains("reviewer:ben"), "{screen}");
}
