//! Conflicts that are settled, reviews that see nothing of others, and who said what.

use super::*;
use chaffinch_protocol::decision::ADJUDICATED;

fn settle(choice: Choice) -> Option<Decision> {
    Some(Decision { tags: vec![ADJUDICATED.to_owned()], ..choice.into() })
}

/// The time of entries has milliseconds: two calls in the same one have no order.
fn pause() {
    std::thread::sleep(std::time::Duration::from_millis(3));
}

/// Anna keeps and Ben removes the first sample; both remove the second.
fn conflict(dir: &Path) {
    let mut anna = bound(dir, "anna", &THREE);
    anna.decide(&ids(&[0]), keep()).unwrap();
    anna.decide(&ids(&[1]), remove()).unwrap();
    pause();
    bound(dir, "ben", &THREE).decide(&ids(&[0, 1]), remove()).unwrap();
    pause();
}

fn in_force(dir: &Path, reviewer: &str) -> (String, String, u64) {
    let journal = bound(dir, reviewer, &THREE);
    let review = journal.decisions().review(SampleId(0)).unwrap();
    let choice = review.decision.unwrap().choice.to_string();
    (choice, review.reviewer.to_owned(), journal.decisions().disputed())
}

#[test]
fn an_adjudication_counts_before_everything_that_was_decided_before_it() {
    let temp = tempfile::tempdir().unwrap();
    conflict(temp.path());
    assert_eq!(in_force(temp.path(), "anna"), ("keep".into(), "anna".into(), 1));
    let mut carl = bound(temp.path(), "carl", &THREE);
    carl.decide(&ids(&[0]), settle(Choice::Relabel("dog".into()))).unwrap();
    for reviewer in ["anna", "ben", "carl", "dora"] {
        let expected = ("relabel to dog".to_owned(), "carl".to_owned(), 0);
        assert_eq!(in_force(temp.path(), reviewer), expected, "as {reviewer} sees it");
    }
    assert!(carl.conflicts().is_empty());
    let all = carl.disagreements();
    assert_eq!((all.len(), all[0].sample, all[0].open), (1, SampleId(0), false));
    let sides: Vec<&str> = all[0].sides.iter().map(|side| side.reviewer.as_str()).collect();
    assert_eq!(sides, ["anna", "ben"], "what they thought is still known");
    assert_eq!(all[0].settled.as_ref().unwrap().reviewer, "carl");
    // It is not an opinion of its own: who agreed with whom stays as it was.
    assert_eq!(carl.decided_by_several().iter().map(|one| one.sides.len()).sum::<usize>(), 4);
    // Undone, the conflict is there again.
    carl.undo().unwrap();
    assert_eq!(in_force(temp.path(), "anna"), ("keep".into(), "anna".into(), 1));
}

#[test]
fn what_settles_a_conflict_counts_whatever_the_clock_of_another_says() {
    let temp = tempfile::tempdir().unwrap();
    conflict(temp.path());
    let file = temp.path().join("ben.jsonl");
    let ahead = std::fs::read_to_string(&file).unwrap().replace("\"at\":\"20", "\"at\":\"21");
    std::fs::write(&file, ahead).unwrap();
    let mut carl = bound(temp.path(), "carl", &THREE);
    carl.decide(&ids(&[0]), settle(Choice::Relabel("dog".into()))).unwrap();
    for reviewer in ["anna", "ben", "carl"] {
        let expected = ("relabel to dog".to_owned(), "carl".to_owned(), 0);
        assert_eq!(in_force(temp.path(), reviewer), expected, "as {reviewer} sees it");
    }
}

#[test]
fn who_settles_a_conflict_keeps_the_opinion_of_before() {
    let temp = tempfile::tempdir().unwrap();
    conflict(temp.path());
    let mut anna = bound(temp.path(), "anna", &THREE);
    anna.decide(&ids(&[0]), settle(Choice::Remove)).unwrap();
    assert_eq!(in_force(temp.path(), "ben"), ("remove".into(), "anna".into(), 0));
    let sides = anna.sides(SampleId(0)).sides;
    let said: Vec<String> = sides.iter().map(|(name, _, it)| format!("{name}: {}", it.choice)).collect();
    assert_eq!(said, ["anna: keep", "ben: remove"]);
    // The same again changes nothing.
    assert!(anna.decide(&ids(&[0]), settle(Choice::Remove)).unwrap().unchanged);
}

#[test]
fn a_different_decision_afterwards_opens_the_conflict_again() {
    let temp = tempfile::tempdir().unwrap();
    conflict(temp.path());
    bound(temp.path(), "carl", &THREE).decide(&ids(&[0]), settle(Choice::Keep)).unwrap();
    pause();
    // The same as was settled opens nothing.
    bound(temp.path(), "dora", &THREE).decide(&ids(&[0]), keep()).unwrap();
    assert_eq!(in_force(temp.path(), "anna").2, 0);
    pause();
    let mut ben = bound(temp.path(), "ben", &THREE);
    ben.decide(&ids(&[0]), Some(Choice::Unsure.into())).unwrap();
    assert_eq!(in_force(temp.path(), "anna"), ("keep".into(), "carl".into(), 1));
    assert_eq!(in_force(temp.path(), "ben"), ("unsure".into(), "ben".into(), 1), "one's own last word shows");
    // Settled once more, as before, it is settled.
    pause();
    let again = bound(temp.path(), "carl", &THREE).decide(&ids(&[0]), settle(Choice::Keep)).unwrap();
    assert!(!again.unchanged);
    assert_eq!(in_force(temp.path(), "ben"), ("keep".into(), "carl".into(), 0));
}

#[test]
fn who_settled_a_conflict_did_not_decide_otherwise() {
    let temp = tempfile::tempdir().unwrap();
    conflict(temp.path());
    // Anna had kept it.
    bound(temp.path(), "anna", &THREE).decide(&ids(&[0]), settle(Choice::Remove)).unwrap();
    pause();
    bound(temp.path(), "ben", &THREE).decide(&ids(&[0]), Some(Choice::Unsure.into())).unwrap();
    let dora = bound(temp.path(), "dora", &THREE);
    assert_eq!(in_force(temp.path(), "dora"), ("remove".into(), "anna".into(), 1));
    let disputes = dora.disputes(dora.decisions());
    assert_eq!((disputes.used_words(), disputes.other_words()), ("anna (1)".into(), "ben (1)".into()));
    assert_eq!(dora.other_decisions(SampleId(0)), [("ben".to_owned(), Choice::Unsure.into())]);
}

#[test]
fn the_mark_is_a_tag_that_only_counts_in_the_entry_that_decides() {
    let temp = tempfile::tempdir().unwrap();
    conflict(temp.path());
    let mut carl = bound(temp.path(), "carl", &THREE);
    carl.tag(&ids(&[0]), &[ADJUDICATED.to_owned()], "").unwrap();
    assert_eq!(carl.decisions().disputed(), 1, "a tag alone settles nothing");
    carl.decide_each(&[
        (SampleId(0), settle(Choice::Keep).unwrap()),
        (SampleId(2), settle(Choice::Remove).unwrap()),
    ])
    .unwrap();
    assert_eq!(carl.decisions().disputed(), 0);
    let line = fs::read_to_string(temp.path().join("carl.jsonl")).unwrap().lines().last().unwrap().to_owned();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    // No field that an older program does not know.
    let fields: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
    let known = ["at", "decisions", "reviewer", "samples", "seq", "tags"];
    assert!(fields.iter().all(|field| known.contains(field)), "{fields:?}");
    // Taken away again, it is a decision like the others.
    carl.untag(&ids(&[0]), &[ADJUDICATED.to_owned()]).unwrap();
    assert_eq!(carl.decisions().disputed(), 1);
    let mixed = [(SampleId(0), settle(Choice::Keep).unwrap()), (SampleId(1), Choice::Keep.into())];
    assert!(carl.decide_each(&mixed).is_err(), "tags that differ belong to entries of their own");
}

#[test]
fn a_blind_review_sees_only_its_own_decisions_and_writes_the_same() {
    let temp = tempfile::tempdir().unwrap();
    conflict(temp.path());
    let mut carl = bound(temp.path(), "carl", &THREE);
    carl.set_blind(true);
    assert_eq!((carl.decided_count(), carl.decisions().disputed()), (0, 0));
    assert!(
        carl.history_of(SampleId(0)).is_empty() && carl.conflicts().is_empty() && carl.codes().is_empty()
    );
    assert!(carl.other_decisions(SampleId(0)).is_empty());
    assert_eq!(carl.decided_by_others(), ids(&[0, 1]), "which they decided is known to draw from");
    carl.decide(&ids(&[0]), remove()).unwrap();
    assert_eq!(choices(&carl), [(0, "remove".to_owned())]);
    // The dataset may be read again meanwhile.
    let (manifest, file_metadata) = dataset(&THREE);
    carl.bind(&manifest, Some(&file_metadata));
    assert_eq!(choices(&carl), [(0, "remove".to_owned())]);
    carl.set_blind(false);
    assert_eq!((carl.decided_count(), carl.decisions().disputed()), (2, 1));
    assert_eq!(carl.decided_by_several().len(), 2, "and now it counts with the others");
}

#[test]
fn who_said_what_is_told_latest_first_and_undo_takes_back_only_one_s_own() {
    let temp = tempfile::tempdir().unwrap();
    conflict(temp.path());
    let mut anna = bound(temp.path(), "anna", &THREE);
    anna.tag(&ids(&[0]), &["crop".into()], "").unwrap();
    let told = |journal: &Journal| {
        let all = journal.history_of(SampleId(0)).into_iter();
        all.map(|told| (told.reviewer, told.words, told.decides, told.undone)).collect::<Vec<_>>()
    };
    let said = |by: &str, words: &str, decides, undone| (by.to_owned(), words.to_owned(), decides, undone);
    let expected = [
        said("anna", "tag +crop", false, false),
        said("ben", "remove", true, false),
        said("anna", "keep", true, false),
    ];
    assert_eq!(told(&anna), expected);
    let before = fs::read(temp.path().join("ben.jsonl")).unwrap();
    while anna.undo().unwrap().is_some() {}
    assert_eq!(fs::read(temp.path().join("ben.jsonl")).unwrap(), before);
    assert_eq!(anna.decision(SampleId(0)).unwrap().choice, Choice::Remove, "Ben's stays");
    assert_eq!(told(&anna)[2], said("anna", "keep", true, true));
    // Another reviewer sees it undone as well.
    assert_eq!(told(&bound(temp.path(), "ben", &THREE))[2], said("anna", "keep", true, true));
}
