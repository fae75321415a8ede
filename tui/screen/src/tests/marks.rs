//! Decisions about marked samples, ranges and groups: each its own, named before, none unseen.

use super::engine::FakeEngine;
use super::rig::Rig;
use crate::model::{Mode, PickerKind};
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Command, Likeness};

fn relabel(name: &str) -> Option<Choice> {
    Some(Choice::Relabel(name.to_owned()))
}

fn question(rig: &Rig) -> &str {
    match &rig.model.mode {
        Mode::Confirm(confirm) => &confirm.question,
        mode => panic!("no question, but {mode:?}"),
    }
}

#[test]
fn each_marked_sample_gets_its_own_suggestion() {
    let mut rig = Rig::small();
    // Suggested: 0 cat, 3 bird, 6 horse; the cursor is on 9, for which dog is suggested.
    rig.press("<Space>jj<Space>jj<Space>jj");
    assert_eq!(rig.model.list.cursor, 9);
    rig.press("<Enter>");
    assert_eq!(
        [0, 3, 6, 9].map(|n| rig.choice(n)),
        [relabel("cat"), relabel("bird"), relabel("horse"), None]
    );
    assert!(rig.model.review.marks.is_empty());
    let entries = rig.engine.seen.iter().filter(|c| matches!(c, Command::DecideEach { .. })).count();
    assert_eq!(entries, 1);
    rig.press("u");
    assert_eq!([0, 3, 6].map(|n| rig.choice(n)), [None, None, None], "undone as one");
    assert_eq!(rig.model.list.cursor, 0);
}

#[test]
fn a_range_accepts_each_suggestion_and_names_what_has_none() {
    let mut rig = Rig::small();
    rig.press("vjjj<Enter>");
    assert_eq!([0, 1, 2, 3].map(|n| rig.choice(n)), [relabel("cat"), None, None, relabel("bird")]);
    assert_eq!(rig.model.review.marks.iter().copied().collect::<Vec<_>>(), [SampleId(1), SampleId(2)]);
    let said = "2 samples without a suggestion stay marked: train/cat/n00001.jpg, train/dog/n00002.jpg";
    assert!(rig.toast().contains(said), "{}", rig.toast());
    rig.press("<Enter>");
    assert_eq!(rig.toast(), "none of the 2 marked samples has a suggested label");
}

#[test]
fn many_suggestions_are_asked_about_once() {
    let mut rig = Rig::small();
    rig.press("*<Enter>");
    assert!(
        question(&rig).starts_with("relabel 34 samples, each to its suggested label? (66 samples without")
    );
    rig.press("y");
    assert_eq!((rig.choice(0), rig.choice(99)), (relabel("cat"), relabel("bird")));
}

#[test]
fn a_digit_names_the_class_before_it_goes_to_marked_samples() {
    let mut rig = Rig::small();
    rig.press("<Space>j<Space>j<Space>");
    // Marked: 0 bird, 2 dog, 4 bird. The cursor is on 5, a cat, whose first candidate is dog.
    rig.press("1");
    assert_eq!(question(&rig), "relabel 2 samples to dog, and keep 1 that is dog already?");
    rig.press("n");
    assert_eq!([0, 2, 4, 5].map(|n| rig.choice(n)), [None, None, None, None]);
    rig.press("1y");
    assert_eq!(
        [0, 2, 4, 5].map(|n| rig.choice(n)),
        [relabel("dog"), Some(Choice::Keep), relabel("dog"), None]
    );
    rig.press("gg<Space>j<Space>j.");
    assert!(question(&rig).starts_with("relabel "), "the repeated class is named: {}", question(&rig));
}

#[test]
fn marks_that_a_filter_hides_are_left_alone_and_counted() {
    for (key, choice) in [("x", Choice::Remove), ("a", Choice::Keep), ("s", Choice::Unsure)] {
        let mut rig = Rig::small();
        // A bird and two cats.
        rig.press("<Space><Space>jjj<Space>fclass:cat<Enter>");
        rig.press(key);
        assert_eq!([1, 5].map(|n| rig.choice(n)), [Some(choice.clone()), Some(choice)]);
        assert_eq!(rig.choice(0), None);
        let said = "1 marked sample is hidden by the filter and was left alone";
        assert!(rig.toast().ends_with(said), "{}", rig.toast());
        assert_eq!(rig.model.review.marks.len(), 1);
        // Only the hidden one is left: the key does not fall on the row under the cursor.
        rig.press(key);
        assert_eq!(rig.toast(), "the marked sample is hidden by the filter   F clears it, Esc unmarks");
        assert_eq!(rig.engine.samples.iter().filter(|row| row.decision.is_some()).count(), 2);
        rig.press("F").press(key);
        assert!(rig.choice(0).is_some());
    }
}

#[test]
fn notes_tags_and_classes_leave_hidden_marks_alone_too() {
    for keys in ["tblur<Enter>", "enote<Enter>", "rhor<Enter>"] {
        let mut rig = Rig::small();
        rig.press("<Space><Space>jjj<Space>fclass:cat<Enter>").press(keys);
        let about = rig.engine.seen.iter().rev().find_map(|command| match command {
            Command::Tag { samples, .. } | Command::Decide { samples, .. } => Some(samples.clone()),
            _ => None,
        });
        assert_eq!(about, Some(vec![SampleId(1), SampleId(5)]), "{keys}");
        assert!(rig.toast().contains("hidden by the filter"), "{keys}: {}", rig.toast());
    }
}

#[test]
fn marks_far_from_the_cursor_are_found_by_the_engine() {
    let mut rig = Rig::new(FakeEngine::new(9_000), 80, 24);
    rig.press("<Space>G<Space>:4000<Enter><Space>:6000<Enter><Enter>");
    assert_eq!(rig.choice(0), relabel("cat"));
    assert_eq!(rig.choice(3_999), relabel("bird"));
    assert_eq!(rig.choice(8_999), None, "it has no suggestion");
    assert_eq!(rig.model.review.marks.len(), 1);
}

/// A session at its group of three: dog, cat, bird.
fn group() -> Rig {
    let mut engine = FakeEngine::new(100);
    engine.groups = vec![vec![SampleId(2), SampleId(5), SampleId(8)]];
    let mut rig = Rig::new(engine, 120, 30);
    rig.press("jjp");
    rig
}

#[test]
fn copies_with_different_labels_are_settled_by_asking_which_is_right() {
    let mut rig = group();
    assert!(rig.screen().contains("labels differ: bird ×1, cat ×1, dog ×1"), "{}", rig.screen());
    rig.press("B");
    assert!(
        matches!(&rig.model.mode, Mode::Picker(picker) if matches!(picker.kind, PickerKind::Settle { .. }))
    );
    assert_eq!([2, 5, 8].map(|n| rig.choice(n)), [None, None, None]);
    rig.press("<Esc>");
    assert_eq!([2, 5, 8].map(|n| rig.choice(n)), [None, None, None]);
    rig.press("Bzebra<Enter>");
    assert_eq!([2, 5, 8].map(|n| rig.choice(n)), [None, None, None], "no label of the group");
    rig.press("Bcat<Enter>");
    let removed = Some(Choice::Remove);
    assert_eq!([2, 5, 8].map(|n| rig.choice(n)), [relabel("cat"), removed.clone(), removed.clone()]);
    rig.press("u");
    assert_eq!([2, 5, 8].map(|n| rig.choice(n)), [None, None, None]);
    // The label that the kept one has already.
    rig.press("Bdog<Enter>");
    assert_eq!([2, 5, 8].map(|n| rig.choice(n)), [Some(Choice::Keep), removed.clone(), removed]);
}

#[test]
fn keeping_or_removing_all_of_a_group_says_that_its_labels_differ() {
    for (key, word) in [("A", "keep"), ("X", "remove")] {
        for open in ["p", "pq"] {
            let mut rig = Rig::new(FakeEngine::new(100), 120, 30);
            rig.engine.groups = vec![vec![SampleId(2), SampleId(5), SampleId(8)]];
            rig.press("jj").press(open).press(key);
            let asked = format!("the labels differ (bird ×1, cat ×1, dog ×1): {word} all 3 samples?");
            assert_eq!(question(&rig), asked);
            rig.press("y");
            assert!([2, 5, 8].iter().all(|n| rig.choice(*n).is_some()));
        }
    }
}

#[test]
fn copies_with_one_label_are_settled_by_one_key() {
    let mut engine = FakeEngine::new(100);
    engine.groups = vec![vec![SampleId(2), SampleId(6), SampleId(10)]];
    let mut rig = Rig::new(engine, 120, 30);
    rig.press("jjp");
    assert!(rig.screen().contains("the same picture"), "{}", rig.screen());
    assert!(!rig.screen().contains("labels differ"));
    rig.press("B");
    assert_eq!(
        [2, 6, 10].map(|n| rig.choice(n)),
        [Some(Choice::Keep), Some(Choice::Remove), Some(Choice::Remove)]
    );
}

#[test]
fn what_is_only_alike_has_no_best() {
    let mut engine = FakeEngine::new(100);
    engine.likeness = Likeness::Alike;
    let mut rig = Rig::new(engine, 120, 30);
    rig.press("jjpB");
    assert!(rig.toast().starts_with("these are alike, not copies of one picture"), "{}", rig.toast());
    assert_eq!([2, 5, 8].map(|n| rig.choice(n)), [None, None, None]);
}

#[test]
fn away_from_the_list_the_key_for_suggestions_asks() {
    let mut rig = Rig::new(FakeEngine::new(100), 120, 30);
    rig.press("C<Enter>");
    let path = rig.model.row().unwrap().path.clone();
    assert!(question(&rig).starts_with(&format!("relabel {path} to ")), "{}", question(&rig));
    rig.press("n");
    assert!(!rig.engine.seen.iter().any(|c| matches!(c, Command::Decide { .. })));
    rig.press("<Enter>y");
    assert!(rig.engine.seen.iter().any(|c| matches!(c, Command::Decide { .. })));
}

#[test]
fn marks_and_questions_end_where_numbers_mean_other_samples() {
    let mut rig = Rig::small();
    rig.press("<Space>j<Space>j<Space>");
    rig.press("1");
    assert!(!question(&rig).is_empty() && rig.model.review.marks.len() == 3);
    // The dataset has another first sample, and all others have moved.
    let mut samples = rig.engine.samples.clone();
    samples.rotate_right(1);
    for (number, row) in (0..).zip(&mut samples) {
        row.sample = SampleId(number);
    }
    rig.engine.samples = samples;
    rig.engine.summary.numbering += 1;
    rig.cut = true;
    let hello = rig.engine.hello();
    rig.event(hello);
    assert!(rig.model.review.marks.is_empty());
    assert!(rig.toast().contains("the dataset has changed"), "{}", rig.toast());
    // The question stays for the key that was meant for it, which does nothing.
    assert!(matches!(rig.model.mode, Mode::Confirm(_)), "{:?}", rig.model.mode);
    rig.press("y");
    assert!(rig.toast().contains("not done: the dataset has changed"), "{}", rig.toast());
    // Nothing is under the cursor until the new list is there.
    rig.press("xx");
    assert!(rig.model.review.journal.outstanding.is_empty());
    rig.mend();
    // Samples were moved down by one, and the cursor with the one that it was on.
    assert_eq!((rig.model.list.cursor, rig.model.sample()), (6, Some(SampleId(6))));
    let told =
        rig.engine.seen.iter().position(|c| matches!(c, Command::Renumbered { numbering: 1 })).unwrap();
    let listed = rig.engine.seen.iter().rposition(|c| matches!(c, Command::List { .. })).unwrap();
    assert!(told < listed);
    assert!(
        !rig.engine.seen.iter().any(|c| matches!(c, Command::Decide { .. } | Command::DecideEach { .. }))
    );
    assert!((0..100).all(|n| rig.choice(n).is_none()));
}

#[test]
fn what_is_typed_about_a_sample_is_no_command_when_numbers_mean_others() {
    for keys in ["r", "e", "t"] {
        let mut rig = Rig::small();
        rig.press(keys);
        rig.press("a");
        rig.engine.summary.numbering += 1;
        let hello = rig.engine.hello();
        rig.event(hello);
        // Each of these decides in the list.
        rig.press("xsax");
        assert!(!matches!(rig.model.mode, Mode::List), "{keys}: {:?}", rig.model.mode);
        rig.press("<Enter>");
        assert!(matches!(rig.model.mode, Mode::List), "{keys}: {:?}", rig.model.mode);
        let decides = |c: &Command| {
            matches!(
                c,
                Command::Decide { .. }
                    | Command::DecideEach { .. }
                    | Command::Tag { .. }
                    | Command::Untag { .. }
            )
        };
        assert!(!rig.engine.seen.iter().any(decides), "{keys}: {:?}", rig.engine.seen);
    }
}
