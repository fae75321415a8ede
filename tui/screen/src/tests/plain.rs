//! The line mode against the fake engine: what it writes, and how it ends.

use super::engine::FakeEngine;
use crate::keymap::Keymap;
use crate::looks::Looks;
use crate::model::Arrangement;
use crate::plain::{self, Manner};
use crate::theme::{Depth, Theme};
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::{Command, Event};
use crossbeam_channel::unbounded;

/// Types lines, as a script or at a prompt; returns what was written and why it failed, if it did.
fn typed(mut engine: FakeEngine, prompt: bool, lines: &str) -> (String, Option<String>) {
    let (commands, asked) = unbounded::<Command>();
    let (answers, events) = unbounded::<Event>();
    let engine = std::thread::spawn(move || {
        answers.send(engine.hello()).unwrap();
        while let Ok(command) = asked.recv() {
            for event in engine.handle(command) {
                let _ = answers.send(event);
            }
        }
    });
    let looks = Looks {
        theme: Theme::load("dark", Depth::True).unwrap(),
        themes: Vec::new(),
        theme_name: "dark".to_owned(),
        ground: None,
        open_with: Vec::new(),
        keymap: Keymap::builtin().unwrap(),
        arrangement: Arrangement::default(),
        learn: true,
        mouse: false,
        tags: Vec::new(),
        warnings: Vec::new(),
        files: Vec::new(),
    };
    let mut out = Vec::new();
    let manner = Manner { prompt, scanning: false };
    let ended = plain::run(commands, events, looks, manner, lines.as_bytes(), &mut out);
    engine.join().unwrap();
    (String::from_utf8(out).unwrap(), ended.err().map(|error| error.to_string()))
}

fn script(lines: &str) -> (String, Option<String>) {
    typed(FakeEngine::new(100), false, lines)
}

/// The places of the samples that were described, as in `12 of 100`.
fn places(out: &str) -> Vec<u64> {
    let place = |line: &str| line.split_once(" of 100: ")?.0.parse().ok();
    out.lines().filter_map(place).collect()
}

#[test]
fn rows_are_named_as_in_the_palette() {
    let (out, failed) = script("12\n+5\n-5\n$\n50%\n:3\ngo 7\n\n");
    assert_eq!(places(&out), [1, 12, 17, 12, 100, 51, 3, 7, 7], "{out}");
    assert_eq!(failed, None);
}

#[test]
fn a_script_starts_the_same_way_every_time() {
    let left = || {
        let mut engine = FakeEngine::new(100);
        engine.summary.remembered =
            r#"{"query":{"all":true,"filter":"","sort":"path","descending":false},"row":41,"sample":41,"keys":"x","stay":true}"#
                .to_owned();
        engine
    };
    let (out, failed) = typed(left(), false, "x\n@\n");
    assert_eq!(places(&out)[0], 1, "{out}");
    assert!(out.contains("This list: 0 of 100 suspects decided"), "{out}");
    assert_eq!(places(&out)[1], 2, "auto-advance is on: {out}");
    assert!(out.contains("nothing recorded"), "{out}");
    assert_eq!(failed.as_deref(), Some("1 line not carried out; the others were carried out"));
    let (out, _) = typed(left(), true, "show\n");
    assert!(places(&out)[0] > 1 && out.contains("n00041.jpg"), "who types continues where they were: {out}");
}

#[test]
fn disagreeing_reviewers_are_said_first() {
    let mut engine = FakeEngine::new(100);
    engine.summary.disputed = 2;
    let (out, _) = typed(engine, false, "");
    assert!(
        out.contains("! reviewers disagree on 2 samples: type conflicts to list and settle them"),
        "{out}"
    );
}

/// An engine in which other reviewers decided otherwise.
fn disputed(samples: u32) -> FakeEngine {
    let mut engine = FakeEngine::new(samples);
    engine.summary.reviewers = ["anna", "ben", "zoe"].map(str::to_owned).into();
    engine.summary.reviewer = "anna".to_owned();
    engine.summary.disputed = engine.samples.iter().filter(|row| row.sample.0 % 7 == 3).count() as u64;
    engine.others = [("ben", "remove"), ("zoe", "relabel to dog")]
        .map(|(reviewer, choice)| (reviewer.to_owned(), choice.to_owned()))
        .into();
    for row in engine.samples.iter_mut().filter(|row| row.sample.0 % 7 == 3) {
        row.decision = Some(Choice::Keep.into());
    }
    engine
}

#[test]
fn conflicts_are_listed_with_who_decided_what_and_settled() {
    for command in ["conflicts", "gD", ":conflicts"] {
        let (out, failed) = typed(disputed(30), false, &format!("{command}\nremove\nconflicts\n"));
        assert_eq!(failed, None, "{out}");
        assert!(
            out.contains("reviewers disagree on 4 samples; a decision about one settles it:\n1: "),
            "{out}"
        );
        let listed: Vec<&str> = out.lines().filter(|line| line.contains(" by anna; ")).collect();
        assert_eq!(listed.len(), 4, "each once: {out}");
        for (number, line) in (1..).zip(&listed) {
            assert!(line.starts_with(&format!("{number}: ")) && line.contains(", label "), "{line}");
            assert!(line.ends_with(": keep by anna; remove by ben; relabel to dog by zoe"), "{line}");
        }
        // The list has the order of the walk, the first of it is described, and a decision goes on to the second.
        let told: Vec<&str> =
            out.lines().filter_map(|line| line.split_once(" of 4: ")).map(|two| two.1).collect();
        assert!(told.len() >= 2, "{out}");
        assert!(listed[0].contains(told[0]) && listed[1].contains(told[1]), "{out}");
        // Once more, and the list is back.
        assert!(out.lines().rev().any(|line| line.contains(" of 30: ")), "{out}");
    }
}

#[test]
fn of_many_conflicts_the_first_are_listed_and_the_rest_counted() {
    let (out, failed) = typed(disputed(210), false, "conflicts\n");
    assert_eq!(failed, None, "{out}");
    assert_eq!(out.lines().filter(|line| line.contains(" by anna; ")).count(), 20, "{out}");
    assert!(out.contains("\nand 10 more; the command chaffinch conflicts lists all\n"), "{out}");
}

#[test]
fn without_conflicts_there_is_no_list() {
    let (out, _) = script("conflicts\n");
    assert!(out.contains("you are the only reviewer of this session so far"), "{out}");
    assert!(!out.contains("settles it:"), "{out}");
}

#[test]
fn an_empty_line_decides_nothing() {
    let (out, failed) = script("\n\n");
    assert_eq!((places(&out), failed), (vec![1, 1, 1], None));
    assert!(!out.contains("decision: relabel"), "{out}");
}

#[test]
fn counts_are_those_of_the_heading() {
    let (out, _) = script("T\nx\nx\n");
    assert!(out.contains("This list: 0 of 100 suspects decided."), "{out}");
    assert!(
        out.contains("\n1 of 100 samples decided\n") && out.contains("\n2 of 100 samples decided\n"),
        "{out}"
    );
}

#[test]
fn alike_samples_are_sorted_by_likeness() {
    let (out, _) = script("+2\n");
    let mut alike: Vec<f32> = Vec::new();
    for line in out.lines() {
        match line.strip_prefix("similar: ") {
            Some(rest) => alike.push(rest.split(',').next().unwrap().parse().unwrap()),
            None => alike.clear(),
        }
        assert!(alike.is_sorted_by(|a, b| a >= b), "{out}");
    }
}

#[test]
fn what_needs_a_screen_is_refused_by_name() {
    let (out, failed) = script("map\ngrid\nclusters\n");
    for name in ["map", "grid", "clusters"] {
        assert!(out.contains(&format!("! {name} needs a screen: it is not in line mode")), "{out}");
    }
    assert_eq!(failed.as_deref(), Some("3 lines not carried out; the others were carried out"));
}

#[test]
fn export_says_what_to_run() {
    let (out, failed) = script("export\n");
    assert!(out.contains("chaffinch export /state/animals --format manifest --output manifest.csv"), "{out}");
    assert_eq!(failed.as_deref(), Some("1 line not carried out; the others were carried out"));
}

#[test]
fn what_is_not_saved_fails_a_script_and_a_sitting() {
    for prompt in [false, true] {
        let mut engine = FakeEngine::new(100);
        engine.refuse = Some("the disk is full".to_owned());
        let (out, failed) = typed(engine, prompt, "x\nshow\n");
        assert!(out.contains("error: the disk is full"), "{out}");
        assert_eq!(failed.as_deref(), Some("1 line not saved; the others were carried out"));
    }
}

#[test]
fn lines_that_do_nothing_fail_a_script_only() {
    let lines = "kepe\nu\nx\nu\n";
    assert_eq!(
        script(lines).1.as_deref(),
        Some("1 line not understood, 3 lines not carried out; the others were carried out")
    );
    assert_eq!(typed(FakeEngine::new(100), true, lines).1, None);
}

#[test]
fn words_that_an_action_takes_are_not_called_superfluous() {
    let (out, failed) = typed(FakeEngine::new(0), false, "relabel dog\n");
    assert!(out.contains("! 'relabel dog' was not done"), "{out}");
    assert!(!out.contains("takes no argument"), "{out}");
    assert!(failed.is_some_and(|why| why.contains("1 line not carried out")));
    let (out, _) = script("next dog\n");
    assert!(out.contains("takes no argument: 'dog' was ignored"), "{out}");
}

#[test]
fn a_dialog_is_described_when_it_is_known_what_would_be_written() {
    let (out, failed) = script("plan\n");
    assert_eq!(failed, None, "{out}");
    assert!(out.contains("100 samples: 4 removed, 2 relabeled") && !out.contains("looking at"), "{out}");
}

/// What was decided about, in the order of the decisions.
fn decided(out: &str) -> u64 {
    let last = out.lines().filter_map(|line| line.strip_suffix(" of 100 suspects decided")).next_back();
    last.map_or(0, |count| count.parse().unwrap())
}

#[test]
fn only_yes_and_no_answer_and_a_script_ends_at_any_other_line() {
    for (asks, other) in [("relabel zebra", "go 3"), ("mark-all\nremove", "go 5"), ("relabel zebra", "")] {
        let (out, failed) = script(&format!("go 10\n{asks}\n{other}\nkeep\nremove\nquit\n"));
        assert!(out.contains("(yes or no)"), "{out}");
        assert_eq!(decided(&out), 0, "{out}");
        let failed = failed.expect("a question without an answer fails");
        assert!(failed.starts_with(&format!("'{other}' does not answer '")), "{failed}");
        assert!(failed.contains("nor any after it was carried out"), "{failed}");
    }
    for (answer, count) in [("yes", 1), ("Y", 1), ("no", 0), ("N", 0)] {
        let (out, failed) = script(&format!("relabel zebra\n{answer}\nquit\n"));
        assert_eq!((decided(&out), failed), (count, None), "{answer}: {out}");
    }
}

#[test]
fn a_question_at_which_the_input_ends_is_not_carried_out() {
    for prompt in [false, true] {
        for asks in ["relabel zebra", "relabel", "tag"] {
            let (out, failed) = typed(FakeEngine::new(100), prompt, &format!("{asks}\n"));
            assert_eq!(decided(&out), 0, "{out}");
            let failed = failed.expect("a question without an answer fails");
            assert!(failed.starts_with("the input ended at '"), "{failed}");
        }
    }
}

#[test]
fn who_types_is_asked_again() {
    let (out, failed) = typed(FakeEngine::new(100), true, "relabel zebra\ngo 3\nyes\n");
    assert_eq!(out.matches("(yes or no)").count(), 2, "{out}");
    assert!(out.contains("! 'go 3' is not an answer: type yes or no"), "{out}");
    assert_eq!((decided(&out), failed), (1, None), "{out}");
}

#[test]
fn nothing_is_decided_after_a_line_of_a_script_that_failed() {
    for lost in ["go x", "nxet"] {
        let (out, failed) =
            typed(FakeEngine::new(100), false, &format!("{lost}\nremove\nnext\nkeep\nquit\n"));
        assert!(
            out.contains("'remove' was not done") && out.contains("'keep' was not done"),
            "{lost}: {out}"
        );
        assert!(!out.contains("1 of 100 suspects decided"), "{lost}: {out}");
        assert!(failed.is_some_and(|why| why.contains("not carried out")), "{lost}: {out}");
        // A line that chooses a sample ends it.
        let (out, _) =
            typed(FakeEngine::new(100), false, &format!("{lost}\nfilter class:cat\nremove\nquit\n"));
        assert!(out.contains("\n1 of 25 suspects decided\n"), "{lost}: {out}");
    }
    // Who types sees what became of a line.
    let (out, _) = typed(FakeEngine::new(100), true, "nxet\nremove\nquit\n");
    assert!(out.contains("1 of 100 suspects decided"), "{out}");
}
