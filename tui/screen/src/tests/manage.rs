//! Managing detectors: their page, what is said about changed code, and trying parameters.

use super::engine::FakeEngine;
use super::rig::Rig;
use super::screens::snapshot;
use crate::model::Mode;
use chaffinch_protocol::{ChangedDetector, Command, Event, Progress};

fn rig(width: u16, height: u16) -> Rig {
    Rig::new(FakeEngine::new(112), width, height)
}

fn sent(rig: &Rig, wanted: impl Fn(&Command) -> bool) -> Vec<Command> {
    rig.engine.seen.iter().filter(|command| wanted(command)).cloned().collect()
}

/// Letting in the detector that is set aside: the code that its page shows, and no other.
fn let_in_fragile() -> Command {
    Command::LetIn { detector: "fragile".into(), shown: "0123456789abcdef0123".into() }
}

#[test]
fn the_page_shows_state_origin_and_cost() {
    for (width, height) in [(80, 24), (200, 50)] {
        let mut rig = rig(width, height);
        rig.press("gPjj");
        snapshot(&format!("manage-{width}x{height}"), &rig.screen());
        rig.press("j");
        snapshot(&format!("manage-aside-{width}x{height}"), &rig.screen());
        let progress = Progress { stage: "blurry".into(), total: 10, done: 5, ..Progress::default() };
        rig.event(Event::Progress(progress));
        assert!(rig.screen().contains("running"), "{}", rig.screen());
    }
}

#[test]
fn a_detector_is_disabled_and_enabled() {
    let mut rig = rig(80, 24);
    rig.press("gP<Space>");
    assert_eq!(rig.engine.off, ["blurry"]);
    assert!(rig.toast().contains("blurry disabled in this session"), "{}", rig.toast());
    assert!(rig.screen().contains("disabled"), "{}", rig.screen());
    rig.press("<Space>");
    assert!(rig.engine.off.is_empty());
}

#[test]
fn what_has_changed_is_disabled_as_the_footer_says() {
    let mut rig = rig(120, 30);
    rig.press("gPjjjj");
    assert!(rig.screen().contains("changed"), "{}", rig.screen());
    rig.press("<Space>");
    assert_eq!(rig.engine.off, ["odd-shapes"]);
    assert!(rig.toast().contains("odd-shapes disabled in this session"), "{}", rig.toast());
    rig.press("<Space>");
    assert!(rig.engine.off.is_empty());
}

#[test]
fn what_is_set_aside_is_let_in_and_nothing_else() {
    let mut rig = rig(80, 24);
    rig.press("gPa");
    assert!(rig.toast().contains("nothing keeps blurry from running"), "{}", rig.toast());
    rig.press("jjjr");
    assert!(rig.toast().contains("does not run before it is let in: a"), "{}", rig.toast());
    rig.press("a");
    let all = sent(&rig, |command| matches!(command, Command::LetIn { .. } | Command::Rerun { .. }));
    assert_eq!(all, [let_in_fragile()]);
    assert!(!rig.screen().contains("set aside"), "{}", rig.screen());
}

#[test]
fn results_of_a_detector_that_is_not_loaded_are_removed_and_put_back() {
    let mut engine = FakeEngine::new(112);
    engine.absent = true;
    let mut rig = Rig::new(engine, 120, 30);
    rig.press("gPx");
    assert!(rig.toast().contains("disables it"), "{}", rig.toast());
    rig.press("G");
    assert!(
        rig.screen().contains("not loaded") && rig.screen().contains("x removes them"),
        "{}",
        rig.screen()
    );
    rig.press("r");
    assert!(rig.toast().contains("gone cannot run"), "{}", rig.toast());
    rig.press("<Space>");
    assert!(rig.toast().contains("gone disabled in this session"), "{}", rig.toast());
    rig.press("<Space>x");
    assert!(rig.screen().contains("x puts them back"), "{}", rig.screen());
    rig.press("<Space>");
    assert!(rig.toast().contains("were removed; x puts them back"), "{}", rig.toast());
    rig.press("x");
    let all = sent(&rig, |command| matches!(command, Command::RemoveResults { .. }));
    let moved = |back| Command::RemoveResults { detector: "gone".into(), back };
    assert_eq!(all, [moved(false), moved(true)]);
}

#[test]
fn what_is_opened_from_the_page_leads_back_to_it() {
    for keys in ["<Enter>", "P", "H", "L", "w", "<Enter>H", "PHLP"] {
        let mut rig = rig(120, 30);
        rig.press("gP").press(keys);
        for _ in 0..4 {
            if rig.model.panel().is_some_and(|page| page.name() == "manage") {
                break;
            }
            assert!(rig.model.panel().is_some(), "{keys}: the list before the page");
            rig.press("q");
        }
        assert_eq!(rig.model.panel().map(|page| page.name()), Some("manage"), "{keys}");
        rig.press("q");
        assert!(rig.model.mode == Mode::List, "{keys}");
    }
    // A list of what the page names, too, as long as it is that list.
    for (open, page) in [("gP+", "manage"), ("gP<Enter>H<Enter>", "histogram"), ("M<Enter>", "confusion")] {
        let mut rig = rig(160, 40);
        let before = rig.model.list.query.clone();
        rig.press(open);
        assert!(rig.model.mode == Mode::List, "{open}");
        assert!(rig.screen().contains("q back"), "{}", rig.screen());
        rig.press("q");
        assert_eq!(rig.model.panel().map(|page| page.name()), Some(page), "{open}");
        assert_eq!(rig.model.list.query, before, "{open}");
        assert!(!rig.effects.iter().any(|effect| matches!(effect, crate::update::Effect::Quit(_))));
    }
}

#[test]
fn the_last_two_runs_are_lists_to_walk() {
    let mut rig = rig(80, 24);
    rig.press("gP+");
    assert_eq!((rig.model.list.query.filter.as_str(), rig.model.list.query.all), ("newly:blurry", true));
    assert_eq!((rig.model.list.total, rig.model.mode == Mode::List), (3, true));
    rig.press("gPj-");
    assert_eq!(rig.model.list.query.filter, "formerly:duplicate");
    rig.press("gPj+");
    assert!(
        rig.toast().contains("has not run twice") || rig.model.list.query.filter.contains("experimental")
    );
    rig.press("qgPr");
    let rerun = Command::Rerun { detector: "experimental".into(), params: Default::default() };
    assert_eq!(sent(&rig, |command| matches!(command, Command::Rerun { .. })), [rerun]);
}

#[test]
fn the_parameters_of_the_chosen_detector_open() {
    let mut rig = rig(80, 24);
    rig.press("gPj<Enter>");
    assert_eq!(rig.model.chosen_name(), Some("duplicate"));
    assert!(rig.screen().contains("threshold"), "{}", rig.screen());
}

/// A detector can be set up before it runs, and one that fails can be set up again; no key falls on another one.
#[test]
fn parameters_of_a_detector_without_results_are_set() {
    for open in ["gPjj<Enter>", "Pnnn"] {
        let mut rig = rig(80, 24);
        rig.press(open);
        assert_eq!(rig.model.tuned(), Some("experimental"), "{open}");
        assert!(rig.screen().contains("depth"), "{}", rig.screen());
        let before = rig.engine.summary.detectors.clone();
        rig.press("l");
        assert!(rig.toast().contains("has no results yet"), "{}", rig.toast());
        rig.wait(500);
        assert_eq!(sent(&rig, |command| matches!(command, Command::SetThreshold { .. })), []);
        rig.press("jlr");
        let params = [("depth".to_owned(), 4.0)].into();
        let rerun = Command::Rerun { detector: "experimental".into(), params };
        assert_eq!(sent(&rig, |command| matches!(command, Command::Rerun { .. })), [rerun]);
        // It runs, and stays the one that is set up; then its results go, and it is still that.
        let mut ran = before.clone();
        ran.push(chaffinch_protocol::DetectorSummary { name: "experimental".into(), ..Default::default() });
        for detectors in [ran, before] {
            rig.engine.summary.detectors = detectors;
            let hello = rig.engine.hello();
            rig.event(hello);
            assert_eq!(rig.model.tuned(), Some("experimental"), "{open}");
            assert!(matches!(rig.model.mode, Mode::Panel(_)));
        }
        rig.press("n");
        assert_eq!(rig.model.tuned(), Some("fragile"), "{open}");
        rig.press("n");
        assert_eq!(rig.model.tuned(), Some("blurry"), "{open}");
    }
}

#[test]
fn values_are_counted_once_they_rest_or_at_a_key() {
    let mut rig = rig(80, 24);
    rig.press("Pjl");
    let asked = |rig: &Rig| sent(rig, |command| matches!(command, Command::Try { .. })).len();
    assert_eq!(asked(&rig), 0);
    rig.wait(700);
    assert_eq!(asked(&rig), 1);
    assert!(rig.screen().contains("would flag 36: 3 more, 1 fewer"), "{}", rig.screen());
    // What is counted is about a threshold.
    rig.press("kl");
    assert!(!rig.screen().contains("would flag"), "{}", rig.screen());
    rig.wait(700);
    assert_eq!(asked(&rig), 2);
    assert!(rig.screen().contains("would flag"), "{}", rig.screen());
    rig.press("jh");
    rig.wait(700);
    assert_eq!(asked(&rig), 2, "nothing is changed any more");
    assert!(!rig.screen().contains("would flag"));
    rig.press("lt");
    assert!(asked(&rig) >= 2);
    rig.press("r");
    assert!(!rig.screen().contains("would flag"), "{}", rig.screen());
}

/// What another reviewer does to a detector makes a count of before a wrong one.
#[test]
fn a_count_is_taken_back_and_tried_anew_when_another_one_runs_the_detector() {
    let mut rig = rig(80, 24);
    rig.press("Pjl");
    rig.wait(700);
    let asked = |rig: &Rig| sent(rig, |command| matches!(command, Command::Try { .. })).len();
    assert!(rig.screen().contains("would flag 36"), "{}", rig.screen());
    // The session is told anew for other reasons, too.
    let hello = rig.engine.hello();
    rig.event(hello);
    assert!(rig.screen().contains("would flag 36"), "{}", rig.screen());
    rig.engine.summary.detectors[0].seconds += 0.5;
    let hello = rig.engine.hello();
    rig.event(hello);
    assert!(!rig.screen().contains("would flag"), "{}", rig.screen());
    assert_eq!(asked(&rig), 1);
    rig.wait(700);
    assert_eq!(asked(&rig), 2);
    assert!(rig.screen().contains("would flag 36"), "{}", rig.screen());
}

/// A terminal that joins a session is told of the last scan, which does not answer what was asked for.
#[test]
fn a_report_of_an_earlier_scan_leaves_a_warning_on_the_screen() {
    let mut rig = rig(80, 24);
    let about = "engine".to_owned();
    rig.event(Event::Trouble { about, message: "--plugins was left alone".into() });
    rig.event(Event::ScanDone(Box::default()));
    assert!(rig.toast().contains("--plugins was left alone"), "{}", rig.toast());
    // One that was watched to its end is news, which says the warning again that nobody can have read.
    rig.event(Event::Progress(Progress { stage: "blurry".into(), ..Progress::default() }));
    rig.event(Event::ScanDone(Box::default()));
    assert!(rig.toast().contains("scanned 0 samples"), "{}", rig.toast());
    assert!(rig.toast().contains("--plugins was left alone"), "{}", rig.toast());
    rig.press("j");
    rig.event(Event::Progress(Progress { stage: "blurry".into(), ..Progress::default() }));
    rig.event(Event::ScanDone(Box::default()));
    assert!(!rig.toast().contains("--plugins"), "{}", rig.toast());
}

#[test]
fn no_key_on_its_way_lets_changed_code_in() {
    let path = "/home/ana/odd-shapes/detector.toml";
    let changed = ChangedDetector {
        names: vec!["fragile".into()],
        path: path.into(),
        was: "0123456789abcdef".into(),
        now: "fedcba9876543210".into(),
        what: "/home/ana/odd-shapes/odd_shapes.py has changed".into(),
    };
    let let_in = |rig: &Rig| sent(rig, |command| matches!(command, Command::LetIn { .. }));
    for (width, height) in [(80, 24), (200, 50)] {
        let mut engine = FakeEngine::new(112);
        engine.summary.changed = vec![changed.clone()];
        let mut rig = Rig::new(engine, width, height);
        rig.press("jk").wait(1_500);
        assert!(rig.model.mode == Mode::List, "what comes by itself takes no keys");
        let toast = rig.toast().to_owned();
        assert!(
            toast.contains("odd_shapes.py has changed") && toast.contains("gP, then a, lets it in"),
            "{toast}"
        );
        // Whatever a key means on the list, it does not answer.
        rig.press("y");
        assert_eq!(let_in(&rig), []);
        rig.wait(20_000);
        assert!(!rig.toast().contains("odd_shapes.py"), "said once: {}", rig.toast());
        assert!(rig.screen().contains("a detector has changed: gP"), "{}", rig.screen());
        rig.press("gPjjja");
        assert_eq!(let_in(&rig), [let_in_fragile()]);
    }
    // It changes while a page is open: the notice waits, and nothing else has to happen for it to come.
    let mut rig = rig(80, 24);
    rig.press("gP");
    rig.engine.summary.changed = vec![changed];
    let hello = rig.engine.hello();
    rig.event(hello);
    rig.wait(5_000);
    assert!(matches!(rig.model.mode, Mode::Panel(_)));
    rig.press("q");
    let due = rig.model.deadline().unwrap();
    assert!(due > rig.model.time.now && due <= rig.model.time.now + 1_200, "nothing would wake it");
    rig.wait(due - rig.model.time.now);
    assert!(rig.toast().contains("odd_shapes.py has changed"), "{}", rig.toast());
    assert!(rig.model.mode == Mode::List);
}
