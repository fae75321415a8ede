//! Going back: one level at a time, and out of the program from the list only.

use super::engine::FakeEngine;
use super::rig::Rig;
use crate::model::Mode;
use crate::update::Effect;

/// The keys that open a view, and its name.
const VIEWS: [(&str, &str); 14] = [
    ("i", "grid"),
    ("jjp", "group"),
    ("c", "compare"),
    ("b", "compare"),
    ("C", "clusters"),
    ("m", "map"),
    ("z", "zoom"),
    ("Z", "zoom"),
    ("w", "jobs"),
    ("H", "histogram"),
    ("M", "confusion"),
    ("P", "detectors"),
    ("I", "statistics"),
    ("L", "log"),
];

fn shown(rig: &Rig) -> &'static str {
    match rig.model.panel() {
        Some(page) => page.name(),
        None if rig.model.views.look.zoom => "zoom",
        None => rig.model.views.page.name(),
    }
}

fn quit(rig: &Rig) -> bool {
    rig.effects.iter().any(|effect| matches!(effect, Effect::Quit(_)))
}

#[test]
fn q_and_escape_go_back_from_every_view() {
    for (keys, name) in VIEWS {
        for back in ["q", "<Esc>"] {
            let mut rig = Rig::new(FakeEngine::new(100), 120, 40);
            rig.press(keys);
            assert_eq!(shown(&rig), name, "{keys}");
            let levels = if keys == "Z" { 2 } else { 1 };
            for _ in 0..levels {
                rig.press(back);
            }
            assert_eq!(shown(&rig), "list", "{keys} {back}");
            assert!(!quit(&rig), "{keys} {back}");
            rig.press("q");
            assert!(quit(&rig), "{keys} {back}: q quits from the list");
        }
    }
}

#[test]
fn a_view_over_the_grid_leads_back_to_the_grid() {
    for (keys, name) in VIEWS {
        if matches!(name, "grid" | "zoom") {
            continue;
        }
        for back in ["q", "<Esc>"] {
            let mut rig = Rig::new(FakeEngine::new(100), 120, 40);
            rig.press("i").press(keys);
            assert_eq!(shown(&rig), name, "{keys}");
            rig.press(back);
            assert_eq!(shown(&rig), "grid", "{keys} {back}");
            rig.press(back);
            assert_eq!(shown(&rig), "list", "{keys} {back}");
        }
    }
}

#[test]
fn prompts_and_questions_are_left_without_leaving_what_is_below() {
    for keys in ["/", "f", "e", "t", "r", "?", ":", "g@", "*x"] {
        let mut rig = Rig::small();
        rig.press("i").press(keys).press("<Esc>");
        assert_eq!((&rig.model.mode, shown(&rig)), (&Mode::List, "grid"), "{keys}");
    }
}

#[test]
fn marks_outlive_going_back_by_q_and_escape_clears_them_first() {
    let mut rig = Rig::small();
    rig.press("i<Space>q");
    assert_eq!((shown(&rig), rig.model.review.marks.len()), ("list", 1));
    rig.press("i<Esc>");
    assert_eq!((shown(&rig), rig.model.review.marks.len()), ("grid", 0));
    rig.press("<Esc>");
    assert_eq!(shown(&rig), "list");
}

#[test]
fn a_range_is_left_before_the_view() {
    for back in ["q", "<Esc>"] {
        let mut rig = Rig::small();
        rig.press("ivl").press(back);
        assert_eq!((shown(&rig), rig.model.review.visual), ("grid", None), "{back}");
        assert!(!quit(&rig));
    }
}

#[test]
fn help_palette_and_undo_work_on_pages_and_lead_back_to_them() {
    for page in ["w", "H", "M", "P", "I", "L"] {
        let mut rig = Rig::new(FakeEngine::new(100), 120, 40);
        rig.press("x").press(page);
        let name = shown(&rig);
        for keys in ["?<Esc>", ":<Esc>"] {
            rig.press(keys);
            assert_eq!(shown(&rig), name, "{page} {keys}");
            assert!(matches!(rig.model.mode, Mode::Panel(_)), "{page} {keys}");
        }
        rig.press("u");
        assert_eq!(rig.choice(0), None, "{page}: u undoes");
        assert_eq!(shown(&rig), name);
        rig.press(":undo");
        assert!(matches!(rig.model.mode, Mode::Picker(_)));
        assert!(!rig.screen().contains("keep-group"), "what needs a sample in sight is not offered");
        rig.press("<Esc>%");
        assert!(rig.toast().starts_with("% is not used on this page; q closes it"), "{}", rig.toast());
    }
}

#[test]
fn the_footer_says_what_q_does() {
    let rig = Rig::new(FakeEngine::new(100), 160, 40);
    assert!(rig.screen().contains("q quit"), "{}", rig.screen());
}
