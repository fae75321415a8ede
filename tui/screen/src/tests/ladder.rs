//! Pictures get better step by step while no key is pressed, and no better than the link can bear.

use super::engine::FakeEngine;
use super::rig::Rig;
use crate::model::Shown;
use crate::picture::{Protocol, Quality};
use crate::update::Msg;
use crate::view;

fn rig() -> Rig {
    let mut rig = Rig::new(FakeEngine::new(100), 120, 40);
    rig.send(Msg::Target(Some((Protocol::Kitty, (10, 20)))));
    rig
}

/// Of the picture under the cursor.
fn quality(rig: &Rig) -> Option<Quality> {
    let key = (rig.model.sample()?, rig.model.layout().picture.as_size());
    match rig.model.pictures.get(key)? {
        Shown::Ready(encoded) => Some(encoded.quality()),
        Shown::Failed(_) => None,
    }
}

#[test]
fn pictures_get_better_only_while_no_key_is_pressed() {
    let mut rig = rig();
    rig.press("jjjj");
    // The prefetched one does not count, so the cursor goes where nothing is cached.
    rig.press("G");
    assert_eq!(quality(&rig), Some(Quality::Half), "{}", rig.screen());
    rig.wait(100);
    assert_eq!(quality(&rig), Some(Quality::Half));
    assert!(rig.model.deadline().is_some_and(|at| at <= rig.model.time.now + 50), "nothing would wake it");
    rig.wait(60);
    assert_eq!(quality(&rig), Some(Quality::Full));
    rig.press("z");
    rig.wait(200);
    assert_eq!(quality(&rig), Some(Quality::Exact));
}

#[test]
fn a_slow_link_gets_no_more_than_it_can_bear() {
    let mut rig = rig();
    rig.send(Msg::Link(Some(2_000)));
    rig.press("G");
    rig.wait(1_000);
    assert_eq!(quality(&rig), Some(Quality::Half));
    rig.send(Msg::Link(Some(2_000_000)));
    rig.wait(1_000);
    assert_eq!(quality(&rig), Some(Quality::Full));
}

#[test]
fn nothing_is_wanted_under_a_window_or_from_another_protocol() {
    let mut rig = rig();
    rig.press("G");
    rig.wait(1_000);
    assert!(!view::wanted(&rig.model).is_empty());
    rig.press("w");
    assert!(view::wanted(&rig.model).is_empty());
    rig.press("<Esc>");
    assert!(!view::wanted(&rig.model).is_empty());
    rig.send(Msg::Target(None));
    assert!(view::wanted(&rig.model).is_empty());
    assert_eq!(quality(&rig), Some(Quality::Cells), "it is asked for again");
}
