//! Moving through the list, and choosing what is listed.

use super::{Effects, say, send};
use crate::model::{Anchor, CHUNK, Incoming, Level, Model, Purpose, sort_name};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Command, Query, Sort};

/// Moves closer together than this hold back pictures.
const TRAVELING: u64 = 90;

/// Rows on one page.
pub(crate) fn page(model: &Model) -> u64 {
    if let Some(cells) = model.views.page.list_cells(model) {
        return cells.count() as u64;
    }
    // Also while the picture fills the screen: a page stays what it was.
    u64::from(crate::model::Layout::of(model.display.size, false).list.height).max(1)
}

/// Moves the cursor to a row.
pub(crate) fn go(model: &mut Model, row: u64) {
    let before = model.list.cursor;
    let height = page(model);
    model.list.go(row, height);
    if model.list.cursor == before {
        return;
    }
    model.views.look.scroll = 0;
    model.list.placed = true;
    model.list.finding = None;
    model.list.locating = None;
    if let Some(incoming) = &mut model.list.incoming {
        incoming.find = None;
    }
    if model.time.now < model.time.moved_at + TRAVELING {
        model.time.hold_until = model.time.now + TRAVELING;
    }
    model.time.moved_at = model.time.now;
    touch(model);
}

/// Something worth remembering changed.
pub(crate) fn touch(model: &mut Model) {
    if model.time.remember_at.is_none() {
        model.time.remember_at = Some(model.time.now + 2_000);
    }
}

/// Goes to a sample: at once if its row is cached, else when the engine has located it.
pub(crate) fn go_to(model: &mut Model, sample: SampleId, fx: &mut Effects) {
    if let Some(incoming) = &mut model.list.incoming {
        // The list on its way will be the one to go there in.
        let row = model.list.cursor;
        (incoming.anchor, incoming.keyed, incoming.find) = (Anchor::Position(Some(sample), row), true, None);
        if incoming.counts.is_some_and(|(total, ..)| total > 0) {
            incoming.cursor = None;
            send(fx, Command::Locate { ticket: incoming.ticket, sample });
        }
    } else if let Some(row) = model.list.rows.place_of(sample) {
        go(model, row);
    } else if model.list.ticket != 0 {
        model.list.locating = Some(sample);
        model.list.leaves = false;
        send(fx, Command::Locate { ticket: model.list.ticket, sample });
    }
}

/// Goes to the next or previous row without a decision.
pub(super) fn undecided(model: &mut Model, forward: bool, fx: &mut Effects) {
    let total = model.list.total;
    let mut row = model.list.cursor;
    // Cached rows are searched at once; only beyond them the engine is asked.
    loop {
        let next = if forward { row.checked_add(1).filter(|row| *row < total) } else { row.checked_sub(1) };
        let Some(next) = next else {
            let direction = if forward { "below" } else { "above" };
            return say(model, Level::Info, format!("nothing undecided {direction}"));
        };
        row = next;
        match model.list.rows.get(row) {
            Some(held) if model.choice(held).is_none() => return go(model, row),
            Some(_) => {}
            None => break,
        }
    }
    if let Some(incoming) = &mut model.list.incoming {
        // Rows of the list that is shown are no longer to be had.
        incoming.find = Some(forward);
    } else {
        model.list.finding = Some(forward);
        let from = if forward { row - 1 } else { row + 1 };
        send(fx, Command::FindUndecided { ticket: model.list.ticket, from, forward });
    }
}

/// Requests a list because a key asks for it. The current one stays until enough of the new one has arrived.
pub(crate) fn relist(model: &mut Model, query: Query, anchor: Anchor, fx: &mut Effects) {
    request(model, query, anchor, true, fx);
}

/// Requests the list again because something has changed. Nothing moves under the cursor, and what a key has begun goes
/// on in the new list.
pub(super) fn refresh(model: &mut Model, fx: &mut Effects) {
    let query = model.list.query.clone();
    // Before the cursor was moved it belongs on the worst sample, whichever that is now.
    let mut anchor = if model.list.placed { Anchor::Stay } else { Anchor::Top };
    let (mut keyed, mut find) = (false, None);
    if let Some(incoming) = &model.list.incoming
        && incoming.keyed
    {
        (anchor, keyed, find) = (incoming.anchor, true, incoming.find);
    }
    if let Some(sample) = model.list.locating {
        (anchor, keyed) = (Anchor::Position(Some(sample), model.list.cursor), true);
    }
    request(model, query, anchor, keyed, fx);
    if let Some(incoming) = model.list.incoming.as_mut().filter(|_| anchor == Anchor::Top) {
        incoming.find = find;
    }
}

fn request(model: &mut Model, query: Query, anchor: Anchor, keyed: bool, fx: &mut Effects) {
    let list = &mut model.list;
    list.last_ticket += 1;
    list.query = query.clone();
    let earlier = list.incoming.as_ref().and_then(|incoming| incoming.find);
    let find = list.finding.take().or(earlier).filter(|_| anchor == Anchor::Stay);
    list.locating = None;
    let ticket = list.last_ticket;
    list.incoming = Some(Incoming {
        ticket,
        anchor,
        keyed,
        here: None,
        find,
        counts: None,
        cursor: None,
        note: String::new(),
        delayed: None,
    });
    send(fx, Command::List { ticket, query });
    if matches!(model.list.walk.take(), Some(walk) if matches!(walk.purpose, Purpose::Gather { .. })) {
        say(model, Level::Warning, "the list has changed meanwhile: nothing was marked or decided");
    }
    // Its answer would be about the rows of the list that is replaced.
    model.list.searching = None;
    touch(model);
}

/// Changes the order, keeping the cursor on its sample.
pub(super) fn sort(model: &mut Model, sort: Sort, fx: &mut Effects) {
    let text = format!("sorted by {}", sort_name(&sort));
    // These are reviewed from their first row on, and what comes from the middle of them is not a sample of the dataset.
    let from_the_first =
        matches!(sort, Sort::Random | Sort::Uncertain | Sort::Diverse | Sort::Clusters | Sort::Learned(_));
    let query = Query { sort, ..model.list.query.clone() };
    relist(model, query, if from_the_first { Anchor::Top } else { Anchor::Stay }, fx);
    if let Some(incoming) = model.list.incoming.as_mut().filter(|_| from_the_first) {
        incoming.find = Some(true);
    }
    say(model, Level::Info, text);
}

/// Orders all samples by meaning, for good or while it is typed. Who asks for the most similar means the first rows.
pub(super) fn by_meaning(model: &mut Model, expression: String, fx: &mut Effects) {
    let sort = Sort::Meaning(expression);
    if model.list.query.sort == sort {
        return;
    }
    let filter = model.list.query.filter.clone();
    relist(model, Query { all: true, filter, sort, descending: false }, Anchor::Top, fx);
}

/// Sets the filter, for good or while it is typed.
pub(super) fn filter(model: &mut Model, filter: &str, fx: &mut Effects) {
    if model.list.query.filter == filter {
        return;
    }
    let query = Query { filter: filter.to_owned(), ..model.list.query.clone() };
    relist(model, query, Anchor::Stay, fx);
}

/// The row of the cursor in the next list is known: requests the rows around it.
pub(super) fn arrive(model: &mut Model, row: u64, fx: &mut Effects) {
    let Some(incoming) = &mut model.list.incoming else { return };
    let Some((total, ..)) = incoming.counts else { return };
    let row = row.min(total.saturating_sub(1));
    incoming.cursor = Some(row);
    let start = row / CHUNK * CHUNK;
    send(fx, Command::Rows { ticket: incoming.ticket, start, len: CHUNK as u32 });
}

/// Goes to the first or the last row: of the list on the screen, and of the next one where it is on its way. Who asks for
/// an order and for its first row means that order's.
pub(super) fn go_to_end(model: &mut Model, row: u64, fx: &mut Effects) {
    go(model, row);
    model.list.placed = true;
    if let Some(incoming) = &mut model.list.incoming {
        incoming.anchor = Anchor::Position(None, row);
        if incoming.cursor.is_some() {
            arrive(model, row, fx);
        }
    }
}
