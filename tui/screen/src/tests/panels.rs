//! Interactive pages: what they show and what their keys do.

use super::engine::FakeEngine;
use super::rig::Rig;
use super::screens::snapshot;
use crate::action::Action;
use crate::model::{Mode, Suggested};
use crate::theme::{Depth, Theme};
use crate::update::{Effect, Msg};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Command, Event, Progress, Sort};

/// One screen at the two sizes.
fn both(name: &str, prepare: impl Fn(&mut Rig)) {
    for (width, height) in [(80, 24), (200, 50)] {
        let mut rig = Rig::new(FakeEngine::new(300), width, height);
        prepare(&mut rig);
        snapshot(&format!("{name}-{width}x{height}"), &rig.screen());
    }
}

fn press(keys: &'static str) -> impl Fn(&mut Rig) {
    move |rig| {
        rig.press(keys);
    }
}

fn seen(rig: &Rig, wanted: impl Fn(&Command) -> bool) -> usize {
    rig.engine.seen.iter().filter(|command| wanted(command)).count()
}

#[test]
fn histogram() {
    both("histogram", press("xa1H"));
}

#[test]
fn confusion() {
    both("confusion", press("M"));
}

#[test]
fn detectors() {
    both("detectors", press("Pjjl"));
}

#[test]
fn statistics() {
    both("statistics", press("xa1sI"));
}

#[test]
fn log() {
    both("log", |rig| {
        for n in 0..60 {
            rig.event(Event::Log { line: format!("read folder {n}") });
        }
        rig.event(Event::Trouble { about: "blurry".to_owned(), message: "gave no score".to_owned() });
        rig.press("L");
    });
}

#[test]
fn jobs_with_progress() {
    both("running", |rig| {
        rig.event(Event::Progress(Progress {
            stage: "embed".to_owned(),
            done: 4_300,
            total: 10_000,
            rate: 121.6,
            remaining: Some(47.0),
            step: (2, 6),
        }));
        rig.press("w");
    });
}

#[test]
fn classes_have_sizes_and_error_rates() {
    let mut rig = Rig::new(FakeEngine::new(112), 80, 24);
    rig.press("xa1sgC");
    let screen = rig.screen();
    snapshot("classes-80x24", &screen);
    for head in ["samples", "suspects", "decided", "error rate", "100%"] {
        assert!(screen.contains(head), "{head}\n{screen}");
    }
    rig.press("<Enter>");
    let query = &rig.model.list.query;
    assert!(query.filter.starts_with("class:") && !query.all, "{query:?}");
}

#[test]
fn findings_about_the_dataset_lead_to_their_samples() {
    both("findings", press("gF"));
    let mut rig = Rig::new(FakeEngine::new(112), 80, 24);
    rig.press("gFG");
    assert!(rig.screen().contains("The samples are sorted by class"), "{}", rig.screen());
    rig.press("<Enter>");
    assert!(rig.toast().contains("names no samples"), "{}", rig.toast());
    assert_eq!(rig.model.list.query.filter, "");
    rig.press("g<Enter>");
    let query = &rig.model.list.query;
    assert_eq!((query.filter.as_str(), query.all), ("sample:4,8-10,31", true));
    assert!(rig.toast().starts_with("5 samples of the finding: class imbalance"), "{}", rig.toast());
}

#[test]
fn the_history_leads_back_to_its_samples() {
    let mut rig = Rig::new(FakeEngine::new(112), 80, 24);
    rig.press("gh");
    assert!(rig.screen().contains("nothing has been decided yet"));
    rig.press("qxaGgh");
    let screen = rig.screen();
    snapshot("history-80x24", &screen);
    assert!(screen.contains("by ben"), "{screen}");
    rig.press("j<Enter>");
    assert_eq!((rig.model.sample(), rig.model.list.cursor), (Some(SampleId(0)), 0));
}

#[test]
fn completions_while_a_filter_is_typed() {
    both("completion", press("fde"));
}

#[test]
fn pages_draw_at_every_size() {
    for (width, height) in [(1, 1), (39, 9), (40, 10), (60, 16), (100, 20), (300, 100)] {
        let mut rig = Rig::new(FakeEngine::new(500), width, height);
        for keys in ["H", "ss<PageUp>", "qM", "G", "qP", "jj<Enter>9", "<Esc>qI", "G", "qL", "qfcl"] {
            rig.press(keys);
            rig.screen();
        }
    }
}

#[test]
fn a_small_screen_is_usable() {
    for (name, keys) in [("histogram", "H"), ("confusion", "M"), ("detectors", "Pjj")] {
        let mut rig = Rig::new(FakeEngine::new(300), 60, 16);
        rig.press(keys);
        snapshot(&format!("{name}-60x16"), &rig.screen());
    }
}

#[test]
fn everything_in_ascii() {
    let mut rig = Rig::new(FakeEngine::new(112), 80, 24);
    rig.model.display.theme = Theme::load("dark", Depth::True).unwrap().ascii(true);
    rig.model.display.pictures_on = false;
    for keys in ["xa1sjj<Space>", "H", "qM", "qP", "qI", "qw", "q?", "<Esc>,", "<Esc>*x"] {
        rig.press(keys);
        let screen = rig.screen();
        assert!(screen.is_ascii(), "after {keys}:\n{screen}");
    }
    rig.press("n<Esc><Esc>gg");
    snapshot("ascii-80x24", &rig.screen());
}

#[test]
fn the_threshold_moves_with_a_live_count_and_the_engine_hears_when_it_rests() {
    let mut rig = Rig::small();
    rig.press("H");
    let line = |rig: &Rig| {
        let screen = rig.screen();
        let words = screen.lines().find(|line| line.contains("flagged below")).unwrap().trim().to_owned();
        words.split(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let before = line(&rig);
    rig.model.time.now += 1_000;
    // Faster than the threshold rests.
    for _ in 0..10 {
        rig.send(Msg::Key(crate::key::KeyChord::char('l').into()));
    }
    assert!(line(&rig) > before);
    let scores = &rig.model.panels.histogram.as_ref().unwrap().samples;
    assert_eq!(line(&rig), scores[..400].iter().sum::<u64>());
    assert_eq!(seen(&rig, |c| matches!(c, Command::SetThreshold { .. })), 0);
    rig.wait(200);
    let sent = rig.engine.seen.iter().rfind(|c| matches!(c, Command::SetThreshold { .. }));
    assert_eq!(sent, Some(&Command::SetThreshold { detector: "blurry".to_owned(), threshold: 0.4 }));
    rig.press("0");
    assert_eq!(rig.model.session.as_ref().unwrap().detectors[0].threshold, 0.5);
    rig.press("kk");
    assert!(rig.toast().contains("0.502"), "{}", rig.toast());
    rig.press("<Home>");
    assert_eq!(line(&rig), 0);
}

#[test]
fn the_threshold_that_decisions_propose_is_taken_with_one_key() {
    let mut rig = Rig::new(FakeEngine::new(300), 80, 24);
    rig.press("xxH");
    assert!(
        rig.screen().contains("decide on 3 faulty and 3 fine samples (2 and 0 so far)"),
        "{}",
        rig.screen()
    );
    rig.press("p");
    assert!(rig.toast().starts_with("nothing is proposed yet: decide on 3"), "{}", rig.toast());
    assert_eq!(seen(&rig, |c| matches!(c, Command::SetThreshold { .. })), 0);

    rig.press("qxaaaH");
    let screen = rig.screen();
    snapshot("proposal-80x24", &screen);
    assert!(screen.contains("precision 91% (62 to 99), recall 80% (35 to 97)"), "{screen}");
    assert!(screen.contains("take proposal"), "{screen}");
    rig.press("p");
    rig.wait(200);
    let sent = rig.engine.seen.iter().rfind(|c| matches!(c, Command::SetThreshold { .. }));
    assert_eq!(sent, Some(&Command::SetThreshold { detector: "blurry".to_owned(), threshold: 0.37 }));
    assert!(rig.screen().contains("flagged below 0.370"), "{}", rig.screen());
    // Taken, it is no longer offered, and the default is one key away.
    assert!(!rig.screen().contains("take proposal"), "{}", rig.screen());
    rig.press("0");
    assert!(rig.screen().contains("flagged below 0.500"), "{}", rig.screen());
}

#[test]
fn the_next_detector_has_its_own_scores() {
    let mut rig = Rig::small();
    rig.press("H<Tab>");
    assert_eq!(rig.model.panels.histogram.as_ref().unwrap().detector, "duplicate");
    assert!(rig.screen().contains("duplicate"));
    rig.press("<Enter>");
    assert_eq!(rig.model.mode, Mode::List);
    assert_eq!(rig.model.list.query.filter, "detector:duplicate");
    assert_eq!(rig.model.list.query.sort, Sort::Detector("duplicate".to_owned()));
    let flags = rig.model.row().unwrap().flags.clone();
    assert_eq!(flags, [1]);
}

#[test]
fn entering_a_cell_lists_its_pair() {
    let mut rig = Rig::small();
    rig.press("M");
    let matrix = rig.model.panels.confusion.as_ref().unwrap();
    assert_eq!(matrix.pair(), Some((1, 2)), "the most frequent pair");
    rig.press("n<Enter>");
    assert_eq!(rig.model.mode, Mode::List);
    assert_eq!(rig.model.list.query.filter, "class:dog suggested:horse");
    let row = rig.model.row().unwrap();
    assert_eq!((row.label, row.suggested), (Some(2), Some(3)));
    rig.press("M<Home><Enter>");
    assert_eq!(rig.toast(), "no suspects with this pair of labels");
    assert!(matches!(rig.model.mode, Mode::Panel(_)));
}

#[test]
fn names_that_would_fall_apart_are_quoted() {
    let mut engine = FakeEngine::new(40);
    engine.summary.classes[1] = "polar \"ice\" bear".to_owned();
    engine.summary.classes[2] = "-dog".to_owned();
    let mut rig = Rig::new(engine, 80, 24);
    rig.press("M<Enter>");
    assert_eq!(rig.model.list.query.filter, r#"class:"polar \"ice\" bear" suggested:-dog"#);
}

#[test]
fn a_form_is_filled_in_and_run() {
    let mut rig = Rig::small();
    rig.press("Pjl");
    let screen = rig.screen();
    assert!(screen.contains("‹ 0.36 ›") && screen.contains("Least variance"), "{screen}");
    rig.press("j<Enter><C-u>900<Enter>");
    assert_eq!(rig.toast(), "side must be a whole number from 0 to 512");
    rig.press("<Enter><C-u>128<Enter>");
    rig.press("j<Enter>j<Enter><Enter>");
    rig.press("r");
    let Some(Command::Rerun { detector, params }) = rig.engine.seen.last() else { panic!() };
    assert_eq!(detector, "blurry");
    let expected = [("gray", 0.0), ("mode", 2.0), ("sharpness", 0.36), ("side", 128.0)];
    assert_eq!(*params, expected.map(|(name, value)| (name.to_owned(), value)).into());
    assert!(rig.model.panels.edited.is_empty());
}

#[test]
fn values_go_back_to_their_defaults_and_stay_in_bounds() {
    let mut rig = Rig::small();
    rig.press("Pjjjl");
    assert_eq!(rig.model.panels.edited.len(), 0, "a flag that is on stays on");
    rig.press("hhh");
    assert_eq!(rig.model.panels.edited.values().copied().collect::<Vec<_>>(), [0.0]);
    rig.press("0");
    assert!(rig.model.panels.edited.is_empty());
    rig.press("<Home>l");
    assert!(rig.toast().contains("flags below 0.31"), "{}", rig.toast());
}

#[test]
fn typing_a_value_does_not_decide() {
    let mut rig = Rig::small();
    rig.press("P<Enter><C-u>x1a<Esc>");
    assert!(!rig.engine.seen.iter().any(|c| matches!(c, Command::Decide { .. })));
    assert!(matches!(&rig.model.mode, Mode::Panel(p) if p.page.name() == "detectors" && p.editing.is_none()));
}

#[test]
fn pages_follow_what_changes_in_the_engine() {
    let mut rig = Rig::small();
    rig.press("M");
    let asked = |rig: &Rig| seen(rig, |c| matches!(c, Command::Overview { .. }));
    let before = asked(&rig);
    let hello = rig.engine.hello();
    rig.event(hello);
    assert_eq!(asked(&rig), before + 1);
    rig.press("q");
    let hello = rig.engine.hello();
    rig.event(hello);
    assert_eq!(asked(&rig), before + 1, "a closed page asks for nothing");
}

#[test]
fn a_sitting_is_counted() {
    let mut rig = Rig::small();
    // Samples 0 and 3 have a suggested label, 1 and 2 have none.
    rig.press("1xxau");
    let sitting = &rig.model.review.sitting;
    assert_eq!((sitting.decisions, sitting.undone), (4, 1));
    // The one that was kept was undone.
    let suggested = |rig: &Rig| rig.model.review.sitting.suggested();
    assert_eq!(suggested(&rig), Suggested { samples: 1, accepted: 1, kept: 0 });
    rig.press("<C-r>");
    assert_eq!(suggested(&rig), Suggested { samples: 2, accepted: 1, kept: 1 });
}

#[test]
fn the_mouse_is_taken_and_given_back() {
    let mut rig = Rig::small();
    rig.press("gm");
    assert_eq!(rig.effects.last(), Some(&Effect::Mouse(true)));
    assert!(rig.toast().contains("hold Shift"));
    rig.press("gm");
    assert_eq!(rig.effects.last(), Some(&Effect::Mouse(false)));
}

#[test]
fn a_record_is_copied_as_json() {
    let mut rig = Rig::small();
    rig.press("xggY");
    let Some(Effect::Copy(text)) = rig.effects.last() else { panic!("nothing was copied") };
    let record: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!((record["label"].as_str(), record["decision"].as_str()), (Some("bird"), Some("remove")));
    assert_eq!(record["issues"][0]["detector"], "label-error");
}

#[test]
fn own_tags_are_offered_again() {
    let mut rig = Rig::small();
    rig.press("tweird_light<Enter>t");
    assert!(rig.screen().contains("weird_light"));
    rig.press("<Esc>q");
    let mut engine = FakeEngine::new(100);
    engine.summary.remembered = rig.engine.summary.remembered.clone();
    let mut again = Rig::new(engine, 80, 24);
    again.press("tweir<Tab><Enter>");
    let tag = again.engine.seen.iter().rev().find_map(|c| match c {
        Command::Tag { tags, .. } => Some(tags.clone()),
        _ => None,
    });
    assert_eq!(tag, Some(vec!["weird_light".to_owned()]));
}

#[test]
fn completion_goes_round_and_typing_goes_on() {
    let mut rig = Rig::small();
    let filter = |rig: &Rig| match &rig.model.mode {
        Mode::Prompt(prompt) => prompt.line.text.clone(),
        _ => panic!(),
    };
    rig.press("fdecision:<Tab>");
    assert_eq!(filter(&rig), "decision:keep");
    rig.press("<Tab>");
    assert_eq!(filter(&rig), "decision:remove");
    rig.press("<Up>");
    assert_eq!(filter(&rig), "decision:keep");
    rig.press("<Space>-hor<Tab>");
    assert_eq!(filter(&rig), "decision:keep -class:horse", "a class by its name alone");
    rig.press("<Space>detector:lab<Tab><Enter>");
    assert_eq!(rig.model.list.query.filter, "decision:keep -class:horse detector:label-error");
}

#[test]
fn a_loose_search_skips_letters() {
    let mut rig = Rig::small();
    rig.press("/~dog42<Enter>");
    assert!(rig.model.row().unwrap().path.ends_with("dog/n00042.jpg"), "{:?}", rig.model.row());
}

/// An engine of which reading found unreadable files, which is listed with the detectors.
fn with_unreadable() -> FakeEngine {
    let mut engine = FakeEngine::new(100);
    let found = chaffinch_protocol::DetectorSummary {
        name: "unreadable".to_owned(),
        built_in: true,
        ..engine.summary.detectors[0].clone()
    };
    engine.summary.detectors.push(found);
    engine
}

#[test]
fn what_reading_found_has_no_parameters_and_does_not_run() {
    let mut rig = Rig::new(with_unreadable(), 80, 24);
    rig.press("P");
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..6 {
        seen.insert(rig.model.chosen_name().unwrap().to_owned());
        rig.press("<Tab>");
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["blurry", "duplicate", "label-error"]);
    let mut rig = Rig::new(with_unreadable(), 80, 24);
    rig.model.detector = 3;
    rig.press("gr");
    assert!(rig.toast().starts_with("'unreadable' is what reading the files found"), "{}", rig.toast());
    assert!(!rig.engine.seen.iter().any(|command| matches!(command, Command::Rerun { .. })));
    rig.press("P");
    assert_eq!(rig.model.chosen_name(), Some("blurry"), "the page opens on a detector");
}

#[test]
fn footers_name_only_keys_that_do_something() {
    let mut rig = Rig::small();
    rig.press("gh");
    let footer = |rig: &Rig| rig.screen().lines().last().unwrap().to_owned();
    assert!(!footer(&rig).contains("Enter"), "nothing is decided: {}", footer(&rig));
    for (keys, word) in [("gC", "Enter suspects"), ("H", "Enter list"), ("P", "Enter edit")] {
        let mut rig = Rig::small();
        rig.press(keys);
        assert!(footer(&rig).contains(word), "{keys}: {}", footer(&rig));
    }
}

#[test]
fn every_sentence_of_the_help_fits_into_eighty_columns() {
    // What is left of 80 columns beside the borders and the keys.
    const ROOM: usize = 58;
    let rig = Rig::small();
    for action in Action::ALL {
        assert!(crate::text::width(action.doc()) <= ROOM, "{action}: {}", action.doc());
        for page in rig.model.views.all {
            if let Some((_, sentence)) = page.meaning(&rig.model, *action) {
                assert!(crate::text::width(sentence) <= ROOM, "{action}: {sentence}");
            }
        }
    }
}
