//! What the keys that move the cursor do.

use super::motion::{self, go, go_to_end, page, undecided};
use super::{Effects, say, walk};
use crate::action::kind::Move;
use crate::model::{Level, Model, Purpose};
use chaffinch_protocol::Sort;

/// Handles an action that moves the cursor.
pub(super) fn act(model: &mut Model, action: Move, fx: &mut Effects) {
    let cursor = model.list.cursor;
    match action {
        Move::Down => go(model, cursor.saturating_add(1)),
        Move::Up => go(model, cursor.saturating_sub(1)),
        Move::PageDown => go(model, cursor.saturating_add(page(model))),
        Move::PageUp => go(model, cursor.saturating_sub(page(model))),
        Move::HalfPageDown => go(model, cursor.saturating_add(page(model) / 2)),
        Move::HalfPageUp => go(model, cursor.saturating_sub(page(model) / 2)),
        Move::Top => go_to_end(model, 0, fx),
        Move::Bottom => go_to_end(model, u64::MAX, fx),
        Move::NextUndecided => undecided(model, true, fx),
        Move::PreviousUndecided => undecided(model, false, fx),
        Move::NextClass | Move::PreviousClass => class(model, action == Move::NextClass, fx),
    }
}

fn class(model: &mut Model, forward: bool, fx: &mut Effects) {
    if model.list.query.sort != Sort::Class {
        motion::sort(model, Sort::Class, fx);
        return say(model, Level::Info, "sorted by class: press again for the next class");
    }
    if let Some(row) = model.row() {
        let label = row.label;
        walk::start(model, Purpose::Class(label), forward, fx);
    }
}
