//! Moving over the list, and choosing what is listed.

use super::{Effects, say, send};
use crate::model::{Anchor, Incoming, Level, Mode, Model};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Command, Query, Sort};

/// Below this time between two moves the cursor is travelling, and pictures wait.
const TRAVELLING: u64 = 90;

/// Rows on one page.
pub(super) fn page(model: &Model) -> u64 {
    if let Some(cells) = model.views.grid_page(model) {
        return cells;
    }
    // Also while the picture fills the screen: a page stays what it was.
    u64::from(crate::model::Layout::of(model.size, false).list.height).max(1)
}

/// Moves the cursor to a row.
pub(super) fn go(model: &mut Model, row: u64) {
    let before = model.list.cursor;
    let height = page(model);
    model.list.go(row, height);
    if model.list.cursor == before {
        return;
    }
    model.scroll = 0;
    model.list.finding = None;
    model.list.locating = None;
    if model.now < model.moved_at + TRAVELLING {
        model.hold_until = model.now + TRAVELLING;
    }
    model.moved_at = model.now;
    touch(model);
}

/// Something worth remembering changed.
pub(super) fn touch(model: &mut Model) {
    if model.remember_at.is_none() {
        model.remember_at = Some(model.now + 2_000);
    }
}

/// Goes to a sample: at once if its row is held, else when the engine has told where it is.
pub(super) fn go_to(model: &mut Model, sample: SampleId, fx: &mut Effects) {
    if let Some(row) = model.rows.place_of(sample) {
        go(model, row);
    } else if model.list.ticket != 0 && model.list.incoming.is_none() {
        model.list.locating = Some(sample);
        send(fx, Command::Locate { ticket: model.list.ticket, sample });
    }
}

/// Goes to the next or previous row without a decision.
pub(super) fn undecided(model: &mut Model, forward: bool, fx: &mut Effects) {
    let total = model.list.total;
    let mut row = model.list.cursor;
    // The rows that are held answer at once; only beyond them the engine is asked.
    loop {
        let next = if forward { row.checked_add(1).filter(|row| *row < total) } else { row.checked_sub(1) };
        let Some(next) = next else {
            let place = if forward { "below" } else { "above" };
            return say(model, Level::Info, format!("nothing undecided {place}"));
        };
        row = next;
        match model.rows.get(row) {
            Some(held) if model.choice(held).is_none() => return go(model, row),
            Some(_) => {}
            None => break,
        }
    }
    if model.list.incoming.is_none() {
        model.list.finding = Some(forward);
        let from = if forward { row - 1 } else { row + 1 };
        send(fx, Command::FindUndecided { ticket: model.list.ticket, from, forward });
    }
}

/// Asks for a list. What is shown stays until enough of the new one has come.
pub(super) fn relist(model: &mut Model, query: Query, anchor: Anchor, fx: &mut Effects) {
    let list = &mut model.list;
    list.last_ticket += 1;
    list.query = query.clone();
    list.finding = None;
    list.locating = None;
    list.incoming = Some(Incoming { ticket: list.last_ticket, anchor, counts: None, cursor: None });
    send(fx, Command::List { ticket: list.last_ticket, query });
    model.walk = None;
    touch(model);
}

/// Changes the order, keeping the cursor on its sample.
pub(super) fn sort(model: &mut Model, sort: Sort, fx: &mut Effects) {
    let text = format!("sorted by {}", sort_name(&sort));
    let query = Query { sort, ..model.list.query.clone() };
    relist(model, query, Anchor::Stay, fx);
    say(model, Level::Info, text);
}

/// The order in words.
pub(crate) fn sort_name(sort: &Sort) -> &str {
    match sort {
        Sort::Rank => "rank",
        Sort::Detector(name) => name,
        Sort::Class => "class",
        Sort::Path => "path",
        Sort::Random => "random",
        Sort::Group => "group",
    }
}

/// Sets the filter, for good or while it is typed.
pub(super) fn filter(model: &mut Model, filter: &str, fx: &mut Effects) {
    if model.list.query.filter == filter {
        return;
    }
    let query = Query { filter: filter.to_owned(), ..model.list.query.clone() };
    relist(model, query, Anchor::Stay, fx);
}

/// Scrolls a page of text.
pub(super) fn scroll_pane(model: &mut Model, by: i32) {
    if let Mode::Jobs(scroll) = &mut model.mode {
        *scroll = scroll.saturating_add_signed(by.clamp(-30_000, 30_000) as i16);
    }
}
