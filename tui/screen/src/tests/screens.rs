//! What the screen looks like, at the two common sizes.

use super::engine::FakeEngine;
use super::rig::Rig;
use crate::keymap::Keymap;
use crate::model::Model;
use crate::theme::{Depth, Theme};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Event, Progress};
use ratatui::layout::Size;
use ratatui::style::Color;

/// Both sizes of one screen.
fn both(name: &str, make: impl Fn() -> FakeEngine, prepare: impl Fn(&mut Rig)) {
    for (width, height) in [(80, 24), (200, 50)] {
        let mut rig = Rig::new(make(), width, height);
        prepare(&mut rig);
        snapshot(&format!("{name}-{width}x{height}"), &rig.screen());
    }
}

pub(super) fn snapshot(name: &str, screen: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, screen));
}

#[test]
fn list() {
    both(
        "list",
        || FakeEngine::new(112),
        |rig| {
            rig.press("xa1sjj<Space>");
        },
    );
}

#[test]
fn group_of_duplicates() {
    both(
        "group",
        || FakeEngine::new(112),
        |rig| {
            rig.press("jj");
        },
    );
}

#[test]
fn help() {
    both(
        "help",
        || FakeEngine::new(112),
        |rig| {
            rig.press("?");
        },
    );
}

#[test]
fn palette() {
    both(
        "palette",
        || FakeEngine::new(112),
        |rig| {
            rig.press(":sort");
        },
    );
}

#[test]
fn relabel_prompt() {
    both(
        "relabel",
        || FakeEngine::new(112),
        |rig| {
            rig.press("rhorse<Enter>r");
        },
    );
}

#[test]
fn sort_menu() {
    both(
        "sort",
        || FakeEngine::new(112),
        |rig| {
            rig.press(",");
        },
    );
}

#[test]
fn question() {
    both(
        "question",
        || FakeEngine::new(112),
        |rig| {
            rig.press("*x");
        },
    );
}

#[test]
fn jobs() {
    both(
        "jobs",
        || FakeEngine::new(112),
        |rig| {
            rig.event(Event::Log { line: "embedded 112 samples".to_owned() });
            rig.event(Event::Trouble {
                about: "aesthetic".to_owned(),
                message: "was built for ABI 3".to_owned(),
            });
            rig.press("w");
        },
    );
}

#[test]
fn empty_session() {
    both("empty", || FakeEngine::new(0), |_| {});
}

#[test]
fn scanning() {
    let progress = Progress {
        stage: "embed".to_owned(),
        done: 4300,
        total: 10_000,
        rate: 121.6,
        remaining: Some(47.0),
        step: (2, 6),
    };
    let engine = || {
        let mut engine = FakeEngine::new(0);
        engine.summary.samples = 10_000;
        engine.summary.detectors.clear();
        engine
    };
    both("scanning", engine, |rig| rig.event(Event::Progress(progress.clone())));
}

#[test]
fn unreadable_picture() {
    let engine = || {
        let mut engine = FakeEngine::new(112);
        engine.unreadable.insert(SampleId(0), "the JPEG data ends after 1,200 of 34,567 bytes".to_owned());
        engine
    };
    both("unreadable", engine, |_| {});
}

#[test]
fn hostile_names() {
    let engine = || {
        let mut engine = FakeEngine::new(112);
        let names = [
            "a\x1b[2J\x1b[31mred.jpg",
            "invoice\u{202e}gpj.exe",
            "zero\u{200b}width\nline.png",
            "猫の写真🐈.jpg",
        ];
        for (row, name) in engine.samples.iter_mut().zip(names) {
            row.path = name.to_owned();
        }
        engine.summary.classes[1] = "c\x1b]0;owned\x07at\u{2066}".to_owned();
        engine.summary.dataset = "/data/\x1b[31mevil".to_owned();
        engine
    };
    both("hostile", engine, |_| {});
    let buffer = Rig::new(engine(), 80, 24).buffer();
    for cell in buffer.content() {
        let bad = |c: char| {
            c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!cell.symbol().chars().any(bad), "{:?}", cell.symbol());
    }
}

#[test]
fn before_the_engine_speaks() {
    let theme = Theme::load("dark", Depth::True).unwrap();
    let model = Model::new(Keymap::builtin().unwrap(), theme, Size::new(80, 24));
    let mut rig = Rig::new(FakeEngine::new(0), 80, 24);
    rig.model = model;
    assert!(rig.screen().contains("waiting for the engine"));
}

#[test]
fn every_size_draws() {
    for (width, height) in
        [(1, 1), (10, 3), (39, 9), (40, 10), (60, 16), (80, 24), (119, 25), (200, 60), (300, 100)]
    {
        let mut rig = Rig::new(FakeEngine::new(500), width, height);
        for keys in ["", "z", "z?", "<Esc>:", "<Esc>r", "<Esc>,", "<Esc>w", "qf", "<Esc>*x"] {
            if !keys.is_empty() {
                rig.press(keys);
            }
            rig.screen();
        }
    }
}

#[test]
fn a_long_label_hides_no_suggestion() {
    for (width, height) in [(80, 24), (120, 40), (200, 50)] {
        let mut engine = FakeEngine::new(12);
        engine.summary.classes[0] =
            "a class whose name has sixty letters or even a few more than that".to_owned();
        let mut rig = Rig::new(engine, width, height);
        for keys in ["gg", "i", "ic"] {
            rig.press(keys);
            assert!(rig.screen().contains("→ cat?"), "{keys} at {width}x{height}:\n{}", rig.screen());
        }
    }
}

#[test]
fn sixty_by_sixteen_is_usable() {
    let rig = Rig::new(FakeEngine::new(112), 60, 16);
    snapshot("list-60x16", &rig.screen());
}

#[test]
fn without_color_nothing_is_colored_but_everything_told_apart() {
    let mut rig = Rig::small();
    rig.model.display.theme = Theme::load("dark", Depth::Mono).unwrap();
    rig.model.display.pictures_on = false;
    rig.press("xa1s");
    let buffer = rig.buffer();
    assert!(buffer.content().iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    let glyphs: Vec<&str> = (2..=6).map(|y| buffer[(1, y)].symbol()).collect();
    assert_eq!(glyphs, ["✗", "✓", "→", "?", "·"]);
}
