//! What the views look like, on the smallest common screen and on a large one.

use super::engine::FakeEngine;
use super::rig::Rig;
use crate::theme::{Depth, Theme};
use chaffinch_protocol::sample::SampleId;
use ratatui::style::Color;

fn both(name: &str, prepare: impl Fn(&mut Rig)) {
    for (width, height) in [(80, 24), (200, 50)] {
        let mut engine = FakeEngine::new(112);
        engine.groups.push(vec![SampleId(14), SampleId(11)]);
        let mut rig = Rig::new(engine, width, height);
        prepare(&mut rig);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../snapshots");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(format!("{name}-{width}x{height}"), rig.screen()));
    }
}

#[test]
fn grid() {
    both("grid", |rig| {
        rig.press("ixa1s<Space>l");
    });
}

#[test]
fn compare() {
    both("compare", |rig| {
        rig.press("jjcl");
    });
}

#[test]
fn blink() {
    both("blink", |rig| {
        rig.press("bb");
    });
}

#[test]
fn actual_size() {
    both("actual-size", |rig| {
        rig.press("cz>");
    });
}

#[test]
fn group() {
    both("group-view", |rig| {
        rig.press("jjplx");
    });
}

#[test]
fn clusters() {
    both("clusters", |rig| {
        rig.press("jCj");
    });
}

#[test]
fn map() {
    both("map", |rig| {
        rig.press("fclass:cat<Enter>mkkhhhvjjjjllllll");
    });
}

#[test]
fn without_color_the_views_are_usable() {
    for key in ["i", "c", "p", "C", "m"] {
        let mut rig = Rig::new(FakeEngine::new(100), 80, 24);
        rig.model.display.theme = Theme::load("dark", Depth::Mono).unwrap();
        rig.model.display.pictures_on = false;
        rig.press("jjx").press(key);
        let buffer = rig.buffer();
        assert!(
            buffer.content().iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset),
            "{key}"
        );
    }
}

#[test]
fn hostile_names_do_nothing_in_any_view() {
    let mut engine = FakeEngine::new(112);
    for row in &mut engine.samples {
        row.path = "a\x1b[2J/\u{202e}gpj\n.exe".to_owned();
    }
    engine.summary.classes[1] = "c\x1b]0;owned\x07at\u{2066}".to_owned();
    let mut rig = Rig::new(engine, 200, 50);
    for keys in ["ji", "c", "b", "<Esc>p", "<Esc>C", "<Esc>m"] {
        rig.press(keys);
        for cell in rig.buffer().content() {
            let bad =
                |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            assert!(!cell.symbol().chars().any(bad), "{keys}: {:?}", cell.symbol());
        }
    }
}
