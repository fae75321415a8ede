//! Which page is shown: opening one, closing it, and what pages that show samples share.

use super::{Effects, motion, open};
use crate::model::{Line, Mode, Model, PageRef, Shot, slot};
use crate::picture::Quality;
use chaffinch_protocol::Ticket;
use chaffinch_protocol::sample::SampleId;

/// Whether this page is shown, or would be if none lay over it.
pub(crate) fn is_open(model: &Model, page: &dyn crate::model::Page) -> bool {
    model.views.page.name() == page.name()
}

/// Shows a page; one that is a base is gone back to when another is closed.
pub(crate) fn show(model: &mut Model, page: PageRef) {
    let views = &mut model.views;
    if views.page.is_base() {
        views.below = views.page;
    }
    views.page = page;
    if page == views.first() {
        views.below = page;
    }
    views.look.part = None;
    model.views.look.zoom = false;
    model.views.look.scroll = 0;
    if !page.is_over_the_list() {
        // A range of rows that are out of sight would be decided about unseen.
        model.review.visual = None;
    }
    let height = motion::page(model);
    model.list.reveal(height);
    motion::touch(model);
}

/// Closes the page that lies over the list or another base.
pub(crate) fn close(model: &mut Model) {
    let views = &model.views;
    let below = if views.page.is_base() { views.first() } else { views.below };
    show(model, below);
}

/// Shows a page, or closes it.
pub(crate) fn toggle(model: &mut Model, page: PageRef) {
    if is_open(model, page) { close(model) } else { show(model, page) }
}

/// Stops what is under way: looking at a part of a picture, choosing an area or a range, a search. Returns whether there
/// was such a thing.
pub(super) fn stop(model: &mut Model) -> bool {
    let page = model.views.page;
    model.views.look.part.take().is_some()
        || page.cancel(model)
        || model.review.visual.take().is_some()
        || model.list.walk.take().is_some()
}

/// Goes back one level: from the large picture to the small one, from a page to the one below. Returns false in the list,
/// where there is none.
pub(super) fn back(model: &mut Model) -> bool {
    if std::mem::take(&mut model.views.look.zoom) {
        let height = motion::page(model);
        model.list.reveal(height);
        return true;
    }
    if model.at_home() {
        return false;
    }
    close(model);
    true
}

/// Goes to a sample in the list, for which the page over the list is left.
pub(crate) fn leave_to(model: &mut Model, sample: SampleId, fx: &mut Effects) {
    motion::go_to(model, sample, fx);
    match model.list.locating {
        Some(_) => model.list.leaves = true,
        None => leave(model),
    }
}

/// Goes to a row of the list, which may be out of sight.
pub(super) fn show_row(model: &mut Model, row: u64) {
    the_list(model);
    motion::go(model, row);
}

/// Leaves a page that shows other rows than those of the list: what was done is seen there.
pub(super) fn the_list(model: &mut Model) {
    if !model.views.page.is_over_the_list() {
        leave(model);
    }
}

/// Shows the list, or the grid, instead of the page over it.
pub(super) fn leave(model: &mut Model) {
    model.list.leaves = false;
    if !model.views.page.is_base() {
        close(model);
    }
}

/// Puts in order what depends on the cursor.
pub(super) fn align(model: &mut Model) {
    let sample = model.sample();
    let moved = model.views.of != sample;
    if moved {
        model.views.of = sample;
        model.views.look.chosen = None;
    }
    model.views.page.settle(model, moved);
}

/// Asks for the pictures of the page that is shown, and has them made better.
pub(super) fn pictures(model: &mut Model, fx: &mut Effects) {
    let page = model.views.page;
    if page.pictures(model, fx) {
        return;
    }
    let shots = page.shots(model);
    for shot in &shots {
        super::pictures::ask(model, shot.slot, shot.key, fx);
    }
    let resting = model.resting();
    let best = |shot: &Shot| match (resting, shot.slot < slot::GRID, shot.key.part.is_some()) {
        (false, true, _) => Quality::Half,
        // Small ones wait until the cursor does.
        (false, false, _) => Quality::Cells,
        (true, _, false) => Quality::Full,
        (true, _, true) => Quality::Exact,
    };
    let wanted = shots.iter().map(|shot| (shot.slot, shot.key, best(shot))).collect();
    super::pictures::climb(model, wanted, fx);
}

/// The next ticket for a question of a page.
pub(crate) fn ticket(model: &mut Model) -> Ticket {
    model.views.last_ticket += 1;
    model.views.last_ticket
}

/// Opens the prompt for the filter with a word of this key put in, in place of an earlier one.
pub(crate) fn filter_by(model: &mut Model, key: &str, word: &str) {
    open::filter(model);
    let now = model.time.now;
    if let Mode::Prompt(prompt) = &mut model.mode {
        let earlier: Vec<&str> =
            model.list.query.filter.split_whitespace().filter(|other| !other.starts_with(key)).collect();
        prompt.line = Line::new(&[earlier.as_slice(), &[word]].concat().join(" "));
        prompt.apply_at = Some(now);
    }
}
