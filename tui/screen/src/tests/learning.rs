//! The order that decisions teach: asked for by a key, offered by a sign, and never taken by itself.

use super::engine::FakeEngine;
use super::rig::Rig;
use crate::model::Level;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Blind, Command, Event, Query, Sort};

const NOTE: &str = "learned from 120 decisions: weighs blurry ×1.8";
const SIGN: &str = "new order: ,l";

/// A hundred samples, which a learned order lists from the last on.
fn rig() -> Rig {
    let mut engine = FakeEngine::new(100);
    engine.note = NOTE.to_owned();
    Rig::new(engine, 80, 24)
}

fn learned(number: u64) -> Query {
    Query { sort: Sort::Learned(number), ..Query::default() }
}

fn offer(rig: &mut Rig, better: bool) {
    rig.event(Event::Learned { decisions: 120, better, note: NOTE.to_owned() });
}

#[test]
fn a_new_order_is_taken_by_a_key_and_says_what_it_was_learned_from() {
    let mut rig = rig();
    rig.press("jj,l");
    assert_eq!(rig.model.list.shown, learned(1));
    assert_eq!(rig.toast(), NOTE);
    let here = rig.model.row().unwrap().clone();
    assert!(here.decision.is_none() && here.sample.0 >= 90, "from its first undecided sample on: {here:?}");
    assert!(rig.screen().contains("by learned order"), "{}", rig.screen());
    assert!(rig.screen().contains("learned from 120 decisions"), "{}", rig.screen());
    rig.press(",l");
    assert_eq!(rig.model.list.shown, learned(2), "again is another one, with what was decided since");
    rig.press(",s");
    assert_eq!((&rig.model.list.shown.sort, rig.model.list.learning.note.as_str()), (&Sort::Rank, ""));
}

#[test]
fn an_offer_is_a_sign_and_moves_nothing() {
    let mut rig = rig();
    rig.press("jjj");
    let (query, sample) = (rig.model.list.query.clone(), rig.model.sample());
    assert!(!rig.screen().contains(SIGN), "{}", rig.screen());
    let seen = rig.engine.seen.len();
    offer(&mut rig, true);
    let top = rig.screen().lines().next().unwrap_or_default().to_owned();
    assert!(top.contains(SIGN), "{top}");
    assert_eq!((&rig.model.list.query, rig.model.sample(), rig.toast()), (&query, sample, ""));
    let asked = rig.engine.seen[seen..].iter().any(|command| matches!(command, Command::List { .. }));
    assert!(!asked, "{:?}", &rig.engine.seen[seen..]);
    offer(&mut rig, false);
    assert!(!rig.screen().contains(SIGN), "what is no better any more is no longer offered");
    offer(&mut rig, true);
    rig.press(",l");
    assert!(!rig.screen().contains(SIGN), "what was taken is no longer offered: {}", rig.screen());
}

#[test]
fn a_list_that_is_made_again_keeps_its_order() {
    let mut rig = rig();
    rig.press(",l");
    let sample = rig.model.sample();
    offer(&mut rig, true);
    rig.press("ftrain<Enter>F");
    assert_eq!(rig.model.list.shown, learned(1), "only its key asks for a new one");
    assert!(rig.screen().contains(SIGN), "{}", rig.screen());
    assert!(sample.is_some());
}

#[test]
fn offers_can_be_turned_off() {
    let mut rig = rig();
    rig.model.list.learning.off = true;
    offer(&mut rig, true);
    assert!(!rig.screen().contains(SIGN), "{}", rig.screen());
    rig.press(",l");
    assert_eq!(rig.model.list.shown, learned(1), "who asks gets it");
}

#[test]
fn where_nothing_was_learned_the_list_stays_and_says_why() {
    let mut rig = rig();
    rig.press("jj");
    let before = (rig.model.list.shown.clone(), rig.model.sample());
    rig.cut = true;
    rig.press(",l");
    rig.pull();
    let why = "not yet: 3 decisions; needs 30";
    let ticket = rig.model.list.last_ticket;
    rig.event(Event::NotListed { ticket, message: why.to_owned(), at: None });
    rig.mend();
    assert_eq!((rig.model.list.query.clone(), rig.model.sample()), before);
    assert_eq!(rig.toast(), why);
    assert!(rig.model.toast.as_ref().is_some_and(|toast| toast.level == Level::Warning));
}

#[test]
fn an_order_that_is_no_more_gives_way_to_the_rank() {
    let mut rig = rig();
    rig.press(",l");
    rig.engine.summary.blind = Some(Blind::default());
    rig.cut = true;
    let hello = rig.engine.hello();
    rig.event(hello);
    let asked: Vec<Command> = rig.pull();
    let again =
        asked.iter().any(|command| matches!(command, Command::List { query, .. } if *query == learned(1)));
    assert!(again, "{asked:?}");
    let ticket = rig.model.list.last_ticket;
    rig.event(Event::NotListed { ticket, message: "not yet: 3 decisions".to_owned(), at: None });
    rig.mend();
    assert_eq!(rig.model.list.shown, Query::default());
    assert_eq!(rig.toast(), "not yet: 3 decisions");
}

#[test]
fn what_a_blind_review_may_not_see_is_not_offered() {
    let mut rig = rig();
    offer(&mut rig, true);
    rig.engine.summary.blind = Some(Blind::default());
    let hello = rig.engine.hello();
    rig.event(hello);
    assert!(!rig.screen().contains(SIGN), "{}", rig.screen());
}

#[test]
fn a_list_of_before_goes_on_and_the_next_order_is_another() {
    let mut engine = FakeEngine::new(100);
    engine.note = NOTE.to_owned();
    let mut rig = Rig::new(engine, 80, 24);
    rig.model.list.query.sort = Sort::Learned(7);
    rig.press(",l");
    assert_eq!(rig.model.list.shown, learned(8));
    assert_eq!(rig.model.sample().map(|id| id >= SampleId(90)), Some(true));
}
