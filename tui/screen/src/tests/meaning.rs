//! Orders by meaning: typed, kept, left, and by keys.

use super::engine::FakeEngine;
use super::rig::Rig;
use super::screens::snapshot;
use crate::model::{Level, Mode, like};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Event, Query, Sort};

/// A hundred samples, the last the most similar to everything.
fn rig() -> Rig {
    let mut engine = FakeEngine::new(100);
    for sample in &mut engine.samples {
        sample.value = Some(sample.sample.0 as f32 / 100.0);
    }
    Rig::new(engine, 80, 24)
}

fn by(text: &str) -> Query {
    Query { all: true, sort: Sort::Meaning(text.to_owned()), ..Query::default() }
}

fn path(rig: &Rig, sample: u32) -> String {
    rig.engine.samples[sample as usize].path.clone()
}

#[test]
fn the_list_follows_while_a_text_is_typed() {
    let mut rig = rig();
    rig.press("jj~ca");
    assert_eq!(rig.model.list.query, by("c"), "a letter that another follows at once is not waited for");
    rig.wait(1_000);
    assert_eq!(rig.model.list.query, by("ca"));
    assert_eq!(rig.model.sample(), Some(SampleId(99)), "the most similar is first");
    rig.press("t<Enter>");
    assert_eq!((&rig.model.list.shown, &rig.model.mode), (&by("cat"), &Mode::List));
    assert_eq!((rig.model.list.cursor, rig.model.sample()), (0, Some(SampleId(99))));
    snapshot("meaning-80x24", &rig.screen());
}

#[test]
fn examples_are_shown_where_nothing_is_typed() {
    let mut rig = rig();
    rig.press("~");
    snapshot("meaning-prompt-80x24", &rig.screen());
    rig.press("x");
    assert!(!rig.screen().contains("such as"), "{}", rig.screen());
}

#[test]
fn the_order_before_and_its_sample_come_back() {
    let mut rig = rig();
    rig.press("fclass:dog<Enter>jj");
    let (before, sample) = (rig.model.list.query.clone(), rig.model.sample());
    rig.press("~snow").wait(1_000);
    assert_eq!(rig.model.list.query.filter, "class:dog", "the filter stays");
    rig.press("<Esc>");
    assert_eq!((&rig.model.list.shown, rig.model.sample()), (&before, sample));
    assert_eq!(rig.model.list.cursor, 2);
}

#[test]
fn an_empty_line_returns_to_the_rank() {
    let mut rig = rig();
    rig.press("~cat<Enter>~");
    let Mode::Prompt(prompt) = &rig.model.mode else { panic!("no prompt") };
    assert_eq!(prompt.line.text, "cat", "what is searched for can be changed");
    rig.press("<C-u><Enter>");
    assert_eq!((&rig.model.list.query.sort, &rig.model.mode), (&Sort::Rank, &Mode::List));
}

#[test]
fn this_is_the_sample_that_the_cursor_was_on() {
    let mut rig = rig();
    let wanted = format!("{} - snow", like(&path(&rig, 1)));
    rig.press("j~like:this<Space>-<Space>snow<Enter>");
    assert_eq!(rig.model.list.shown, by(&wanted));
}

#[test]
fn keys_ask_for_samples_like_the_current_one_and_the_marked_ones() {
    let mut rig = rig();
    rig.press("jg~");
    assert_eq!(rig.model.list.shown, by(&like(&path(&rig, 1))));
    assert!(rig.toast().starts_with("by likeness to "), "{}", rig.toast());
    rig.press("g*");
    assert_eq!(rig.toast(), "no sample is marked");
    rig.press("<Space><Space>Gg*");
    let both = format!("{} + {}", like(&path(&rig, 98)), like(&path(&rig, 99)));
    assert_eq!(rig.model.list.shown, by(&both));
    assert_eq!(rig.toast(), "by likeness to 2 marked samples");
}

#[test]
fn a_mistake_stays_where_it_was_typed() {
    let mut rig = rig();
    rig.cut = true;
    rig.press("~cat<Space>+<Enter>");
    rig.pull();
    let ticket = rig.model.list.last_ticket;
    rig.event(Event::NotListed { ticket, message: "a part is missing here".to_owned(), at: Some((5, 5)) });
    rig.cut = false;
    let Mode::Prompt(prompt) = &rig.model.mode else { panic!("the prompt is gone") };
    assert_eq!(prompt.line.text, "cat +");
    assert!(rig.screen().contains("a part is missing here"), "{}", rig.screen());
    assert_eq!(rig.model.list.query, Query::default());
}

#[test]
fn a_model_that_is_being_loaded_is_said_until_the_list_is_there() {
    let mut rig = rig();
    rig.cut = true;
    rig.press("~cat<Enter>");
    let ticket = rig.model.list.last_ticket;
    rig.event(Event::Delayed { ticket, why: "loading the model big …".to_owned() });
    assert!(rig.screen().contains("loading the model big …"), "{}", rig.screen());
    rig.mend();
    assert!(!rig.screen().contains("loading the model"), "{}", rig.screen());
    assert!(rig.model.toast.as_ref().is_none_or(|toast| toast.level == Level::Info));
}
