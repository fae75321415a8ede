//! What detectors say of samples beside scores: attributes and regions.

use super::engine::FakeEngine;
use super::rig::Rig;
use chaffinch_protocol::{Command, DetailAttribute, DetailRegion, Sort};

fn rig() -> Rig {
    let mut engine = FakeEngine::new(40);
    let region = |label: &str| DetailRegion {
        detector: "blurry".into(),
        label: label.into(),
        edges: [0.1, 0.2, 0.5, 0.6],
    };
    engine.attributes = vec![DetailAttribute {
        detector: "blurry".into(),
        name: "sharpness".into(),
        unit: "px".into(),
        value: 12.34,
    }];
    engine.regions = vec![region("face"), region(""), region("face")];
    engine.summary.detectors[0].attributes = vec!["sharpness".into(), "tone".into()];
    engine.summary.detectors[1].attributes = vec!["tone".into()];
    engine.summary.detectors[0].regions = true;
    for sample in &mut engine.samples {
        sample.value = Some(sample.sample.0 as f32 * 100.0);
    }
    Rig::new(engine, 120, 40)
}

/// Whether the last picture of the sample under the cursor was asked for with regions.
fn marked(rig: &Rig) -> Option<bool> {
    rig.engine.seen.iter().rev().find_map(|command| match command {
        Command::Picture { slot: 0, regions, .. } => Some(*regions),
        _ => None,
    })
}

#[test]
fn they_are_shown_with_the_sample() {
    let mut rig = rig();
    rig.press("j");
    let screen = rig.screen();
    assert!(screen.contains("sharpness 12.3 px"), "{screen}");
    assert!(screen.contains("regions 2× face, blurry"), "{screen}");
}

#[test]
fn a_key_marks_regions_or_not() {
    let mut rig = rig();
    rig.press("j");
    assert_eq!(marked(&rig), Some(true));
    rig.press("gb").press("k");
    assert_eq!(marked(&rig), Some(false));
    rig.press("gb");
    assert_eq!(rig.toast(), "regions on");
    rig.wait(1_000);
    assert_eq!(marked(&rig), Some(true), "the picture is asked for again");
}

/// Whether the last picture of the sample under the cursor was asked for lit by relevance.
fn lit(rig: &Rig) -> Option<bool> {
    rig.engine.seen.iter().rev().find_map(|command| match command {
        Command::Picture { slot: 0, relevance, .. } => Some(*relevance),
        _ => None,
    })
}

#[test]
fn a_key_lights_pictures_where_the_model_sees_their_label() {
    let mut rig = rig();
    rig.press("j");
    assert_eq!(lit(&rig), Some(false));
    rig.press("ge");
    assert_eq!(rig.toast(), "relevance on: lit where the model sees the given label");
    rig.wait(1_000);
    assert_eq!(lit(&rig), Some(true), "the picture is asked for again");
    rig.press("ge");
    assert_eq!(rig.toast(), "relevance off");
    rig.wait(1_000);
    assert_eq!(lit(&rig), Some(false));
}

#[test]
fn a_key_sorts_by_one_attribute_after_the_other() {
    let mut rig = rig();
    let by = |rig: &Rig| match &rig.model.list.query.sort {
        Sort::Attribute(name) => name.clone(),
        other => panic!("{other:?}"),
    };
    let names: Vec<String> = (0..4).map(|_| by(rig.press(",a"))).collect();
    assert_eq!(names, ["sharpness", "tone", "duplicate.tone", "sharpness"]);
    let screen = rig.screen();
    assert!(screen.contains("value sharpness") && screen.contains("1000"), "{screen}");
}

#[test]
fn without_any_a_sentence_says_so() {
    let mut rig = Rig::small();
    rig.press(",a");
    assert_eq!(rig.toast(), "no detector gives attributes to samples");
    assert_eq!(rig.model.list.query.sort, Sort::Rank);
}
