//! Dialogs for what can be written: form, preview, questions, and nothing that is written unseen.

use super::engine::FakeEngine;
use super::rig::Rig;
use super::screens::snapshot;
use crate::key::parse_sequence;
use crate::model::Mode;
use crate::update::Msg;
use chaffinch_protocol::{Command, Event, OutputCommand, OutputEvent, OutputForm, OutputKind, Progress};

fn written(rig: &Rig) -> Vec<(OutputKind, String, bool)> {
    let seen = rig.engine.seen.iter();
    seen.filter_map(|command| match command {
        Command::Output(OutputCommand::Write { kind, values, replace, .. }) => {
            Some((*kind, values["to"].clone(), *replace))
        }
        _ => None,
    })
    .collect()
}

#[test]
fn what_would_be_written_is_seen_before() {
    for (width, height) in [(80, 24), (200, 50)] {
        let mut rig = Rig::new(FakeEngine::new(112), width, height);
        rig.press("We");
        snapshot(&format!("export-dialog-{width}x{height}"), &rig.screen());
        assert_eq!(written(&rig), [], "looking writes nothing");
        rig.press("l");
        assert!(rig.screen().contains("COCO annotations"), "{}", rig.screen());
        assert!(rig.screen().contains("animals-coco.csv"), "the proposed path follows the format");
        rig.press("r");
        assert_eq!(written(&rig), [(OutputKind::Export, "/home/ana/animals-coco.csv".to_owned(), false)]);
        assert!(rig.screen().contains("Written"), "{}", rig.screen());
        // Once more would write the same again.
        rig.press("r");
        assert_eq!(written(&rig).len(), 1);
        rig.press("<Esc>");
        assert_eq!(rig.model.mode, Mode::List);
    }
}

#[test]
fn every_kind_has_its_key() {
    for (keys, kind, words) in [
        ("We", OutputKind::Export, "Export decisions"),
        ("Wp", OutputKind::Plan, "Plan changes"),
        ("Wr", OutputKind::Report, "Write a report"),
        ("Wa", OutputKind::Apply, "Write a changed copy"),
    ] {
        let mut rig = Rig::small();
        rig.press(keys);
        assert!(rig.screen().contains(words), "{keys}: {}", rig.screen());
        rig.press("r");
        assert_eq!(written(&rig)[0].0, kind);
    }
}

#[test]
fn nothing_is_replaced_without_a_yes() {
    let mut rig = Rig::small();
    rig.press("Wej<Enter><C-u>");
    for c in "/home/ana/there.csv".chars() {
        rig.press(&c.to_string());
    }
    rig.press("<Enter>r");
    assert!(matches!(rig.model.mode, Mode::Confirm(_)), "{}", rig.screen());
    assert_eq!(written(&rig), []);
    rig.press("n");
    assert_eq!(written(&rig), [], "no writes nothing");
    assert!(rig.screen().contains("Export decisions"), "the dialog is back: {}", rig.screen());
    rig.press("ry");
    assert_eq!(written(&rig), [(OutputKind::Export, "/home/ana/there.csv".to_owned(), true)]);
}

#[test]
fn what_stands_in_the_way_is_said_and_nothing_is_written() {
    let mut rig = Rig::small();
    rig.press("Wpj<Enter><C-u>");
    for c in "/data/inside".chars() {
        rig.press(&c.to_string());
    }
    rig.press("<Enter>");
    assert!(rig.screen().contains("that is inside the dataset"), "{}", rig.screen());
    rig.press("r");
    assert_eq!(written(&rig), []);
    assert_eq!(rig.toast(), "that is inside the dataset");
}

#[test]
fn tab_completes_a_path_as_far_as_it_is_sure() {
    let mut rig = Rig::small();
    rig.press("Wej<Enter><C-u>");
    for c in "/home/ana/o".chars() {
        rig.press(&c.to_string());
    }
    rig.press("<Tab>");
    let screen = rig.screen();
    assert!(screen.contains("/home/ana/out") && screen.contains("/home/ana/outline.csv"), "{screen}");
    rig.press("l<Tab><Enter>");
    assert!(rig.screen().contains("writes /home/ana/outline.csv"), "{}", rig.screen());
}

#[test]
fn a_key_typed_before_the_preview_waits_for_it() {
    let mut rig = Rig::small();
    rig.press("We");
    rig.cut = true;
    rig.press("lr");
    assert_eq!(written(&rig), [], "the preview is of the format before");
    rig.mend();
    assert_eq!(written(&rig), [(OutputKind::Export, "/home/ana/animals-coco.csv".to_owned(), false)]);
}

#[test]
fn a_path_typed_before_the_form_is_there_is_typed_and_does_nothing_else() {
    let mut rig = Rig::small();
    rig.cut = true;
    // All at once, as a script types.
    for key in parse_sequence("Wej<Enter><C-u>/q/r.csv<Enter>").unwrap() {
        rig.send(Msg::Key(key.into()));
    }
    rig.mend();
    assert_eq!(written(&rig), [], "r is a letter of the path");
    assert!(rig.screen().contains("writes /q/r.csv"), "{}", rig.screen());
}

#[test]
fn what_is_being_written_can_be_stopped() {
    let mut rig = Rig::small();
    rig.press("Wa");
    rig.cut = true;
    rig.press("r");
    let sent = rig.pull();
    let Some(Command::Output(OutputCommand::Write { ticket, .. })) = sent.first() else { panic!("{sent:?}") };
    let ticket = *ticket;
    rig.event(Event::Progress(Progress { stage: "apply".into(), done: 3, total: 10, ..Progress::default() }));
    assert!(rig.screen().contains("writing…"), "{}", rig.screen());
    rig.press("c");
    assert!(rig.pull().contains(&Command::Cancel));
    let message = "stopped; nothing was written".to_owned();
    rig.event(Event::Output(Box::new(OutputEvent::NotWritten { ticket, message })));
    assert!(rig.model.jobs.progress.is_none());
    assert!(!rig.screen().contains("writing…"), "{}", rig.screen());
    assert_eq!(rig.toast(), "stopped; nothing was written");
}

/// Answers the last request for a form with its fields alone, and returns the whole answer.
fn fields_alone(rig: &mut Rig) -> OutputForm {
    let asked = rig.pull().pop().unwrap();
    let answer = rig.engine.handle(asked).pop().unwrap();
    let Event::Output(output) = answer else { panic!("{answer:?}") };
    let OutputEvent::Form(whole) = *output else { panic!("{output:?}") };
    let fields =
        OutputForm { unfinished: true, preview: Vec::new(), obstacle: String::new(), ..whole.clone() };
    rig.event(Event::Output(Box::new(OutputEvent::Form(fields))));
    whole
}

#[test]
fn the_fields_can_be_changed_before_there_is_a_preview() {
    let mut rig = Rig::small();
    rig.cut = true;
    rig.press("We");
    fields_alone(&mut rig);
    let screen = rig.screen();
    assert!(
        screen.contains("‹ manifest ›") && screen.contains("looking at what would be written"),
        "{screen}"
    );
    rig.press("l");
    assert!(rig.screen().contains("‹ coco ›"), "{}", rig.screen());
    let asked = rig.pull();
    let of_new = |command: &Command| match command {
        Command::Output(OutputCommand::Form { values, .. }) => values["format"] == "coco",
        _ => false,
    };
    assert!(asked.iter().any(of_new), "{asked:?}");
    rig.press("r");
    assert_eq!(written(&rig), [], "what would be written is not known yet");
}

#[test]
fn a_preview_stays_until_there_is_the_next_one() {
    let mut rig = Rig::small();
    rig.press("We");
    let before = rig.screen();
    assert!(before.contains("writes /home/ana/animals-manifest.csv"), "{before}");
    rig.cut = true;
    rig.press("l");
    let whole = fields_alone(&mut rig);
    assert!(rig.screen().contains("writes /home/ana/animals-manifest.csv"), "{}", rig.screen());
    rig.event(Event::Output(Box::new(OutputEvent::Form(whole))));
    let after = rig.screen();
    assert!(after.contains("writes /home/ana/animals-coco.csv") && !after.contains("looking at"), "{after}");
}

#[test]
fn what_is_looked_at_can_be_canceled() {
    let mut rig = Rig::small();
    rig.cut = true;
    rig.press("Wp");
    let whole = fields_alone(&mut rig);
    rig.press("c");
    assert_eq!(rig.pull(), [Command::Cancel]);
    let obstacle = "the preview was canceled; change a value to look again".to_owned();
    let canceled = OutputForm { preview: Vec::new(), obstacle, ..whole };
    rig.event(Event::Output(Box::new(OutputEvent::Form(canceled))));
    let screen = rig.screen();
    assert!(screen.contains("the preview was canceled") && !screen.contains("looking at"), "{screen}");
    rig.press("r");
    assert_eq!(written(&rig), [], "what was not looked at is not written");
}

#[test]
fn an_older_answer_is_not_shown() {
    let mut rig = Rig::small();
    rig.press("We");
    rig.cut = true;
    rig.press("l");
    let first = rig.pull();
    rig.press("l");
    let second = rig.pull();
    for command in second.into_iter().chain(first) {
        for event in rig.engine.handle(command) {
            rig.event(event);
        }
    }
    assert!(rig.screen().contains("animals-cleaned.csv"), "{}", rig.screen());
}
