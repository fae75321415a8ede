//! What keys and events mean in grid, compare, groups, clusters and map.

mod clusters;
mod compare;
mod groups;
mod map;

pub(super) use compare::{enlarged, seen};
pub(super) use groups::{advance, keep_only};

use super::{Effects, Level, motion, prompt, say, settle};
use crate::action::Action;
use crate::model::{Mode, Model, Page, slot};
use crate::picture::Quality;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Ticket, ViewEvent};

/// Does an action in the way of the view that is shown. Says whether that was all.
pub(super) fn act(model: &mut Model, action: Action, fx: &mut Effects) -> bool {
    use Action as A;
    let pictures = matches!(
        action,
        A::Grid
            | A::Compare
            | A::Blink
            | A::Clusters
            | A::Map
            | A::Neighborhoods
            | A::ActualSize
            | A::Overlay
            | A::Larger
            | A::Smaller
    );
    if pictures && model.views.spoken {
        say(model, Level::Warning, "that is nothing without pictures");
        return true;
    }
    match action {
        A::Grid => {
            let page = if model.views.page == Page::Grid { Page::List } else { Page::Grid };
            show(model, page);
        }
        A::Compare => compare::toggle(model),
        A::Blink => compare::blink(model),
        A::GoToOther => compare::go_to_other(model, fx),
        A::ActualSize => compare::actual_size(model),
        A::Zoom => match model.views.page {
            Page::Compare => compare::actual_size(model),
            Page::List if model.views.part.take().is_none() => return false,
            Page::List => model.zoom = false,
            Page::Grid => {
                show(model, Page::List);
                model.zoom = true;
            }
            _ => say(model, Level::Info, "in the list, in the grid and in compare a picture is shown larger"),
        },
        A::Overlay => {
            model.views.bare = !model.views.bare;
            let text = if model.views.bare { "pictures only" } else { "with names and scores" };
            say(model, Level::Info, text);
        }
        A::Group => groups::toggle(model),
        A::KeepBest => groups::keep_best(model, fx),
        A::Clusters => clusters::toggle(model),
        A::Map => map::toggle(model),
        A::Neighborhoods => map::turn(model),
        A::Larger | A::Smaller => resize(model, action == A::Larger),
        A::ClearMarks => return back(model),
        A::Redraw => {
            model.views.forget();
            return false;
        }
        _ if compare::pans(model) => return compare::pan(model, action),
        _ => {
            return match model.views.page {
                Page::List | Page::Compare => beside(model, action),
                Page::Grid => grid(model, action),
                Page::Group => groups::act(model, action, fx),
                Page::Clusters => clusters::act(model, action, fx),
                Page::Map => map::act(model, action, fx),
            };
        }
    }
    true
}

/// Shows a view; one that has the list's cursor is gone back to when another is closed.
fn show(model: &mut Model, page: Page) {
    if matches!(model.views.page, Page::List | Page::Grid) {
        model.views.below = model.views.page;
    }
    model.views.page = page;
    if page == Page::List {
        model.views.below = Page::List;
    }
    model.views.part = None;
    model.zoom = false;
    model.scroll = 0;
    if !page.is_over_the_list() {
        // A range of rows that are out of sight would be decided about unseen.
        model.visual = None;
    }
    let height = motion::page(model);
    model.list.reveal(height);
    motion::touch(model);
}

/// The list is shown as it was when it was left.
pub(super) fn restore(model: &mut Model, grid: bool, columns: Option<u16>) {
    model.views.columns = columns;
    if grid {
        model.views.page = Page::Grid;
    }
}

/// Closes the view that lies over list or grid.
fn close(model: &mut Model) {
    let below = if model.views.page == Page::Grid { Page::List } else { model.views.below };
    show(model, below);
}

/// Takes the innermost thing back. Says whether there was one.
fn back(model: &mut Model) -> bool {
    let views = &mut model.views;
    if views.part.take().is_some() || views.page == Page::Map && views.map.corner.take().is_some() {
        return true;
    }
    let busy = model.visual.is_some() || model.walk.is_some() || !model.marks.is_empty();
    if busy || model.views.page == Page::List {
        return false;
    }
    close(model);
    true
}

/// Left and right where there is no grid: the next sample beside this one.
fn beside(model: &mut Model, action: Action) -> bool {
    let forward = match action {
        Action::Left => false,
        Action::Right => true,
        _ => return false,
    };
    compare::choose(model, forward);
    true
}

fn grid(model: &mut Model, action: Action) -> bool {
    use Action as A;
    let Some(cells) = model.views.grid(model) else { return false };
    let (cursor, columns) = (model.list.cursor, u64::from(cells.columns));
    let half = u64::from(cells.rows / 2).max(1) * columns;
    let last = model.list.total.saturating_sub(1);
    let row = match action {
        A::Left => cursor.saturating_sub(1),
        A::Right => cursor.saturating_add(1),
        // Up from the first row and down from the last stay where they are.
        A::Up => cursor.checked_sub(columns).unwrap_or(cursor),
        A::Down if cursor / columns == last / columns => cursor,
        A::Down => cursor.saturating_add(columns),
        A::HalfPageDown => cursor.saturating_add(half),
        A::HalfPageUp => cursor.saturating_sub(half),
        _ => return false,
    };
    motion::go(model, row);
    true
}

fn resize(model: &mut Model, larger: bool) {
    match model.views.page {
        Page::Grid => {
            let columns = model.views.grid_columns(model).unwrap_or(1);
            model.views.columns = Some(if larger { columns - 1 } else { columns + 1 }.max(1));
            let now = model.views.grid_columns(model).unwrap_or(1);
            model.views.columns = Some(now);
            say(model, Level::Info, format!("{now} columns"));
            motion::touch(model);
        }
        Page::Map => map::resize(model, larger),
        Page::List | Page::Compare => compare::magnify(model, larger),
        Page::Group | Page::Clusters => {
            say(model, Level::Info, "these pictures are as large as there is room")
        }
    }
}

/// Rows of the grid begin at its left border, and the cursor is among those on the screen.
pub(super) fn align(model: &mut Model) {
    compare::follow(model);
    let Some(cells) = model.views.grid(model) else { return };
    let (columns, rows) = (u64::from(cells.columns), u64::from(cells.rows));
    let list = &mut model.list;
    let (row, mut top) = (list.cursor / columns, list.top / columns);
    let lead = rows / 4;
    if row < top {
        top = (row + lead + 1).saturating_sub(rows);
    } else if row >= top + rows {
        top = row - lead;
    }
    list.top = top.min(list.total.div_ceil(columns).saturating_sub(rows)) * columns;
}

/// Asks for what a view shows and does not have.
pub(super) fn ask(model: &mut Model, fx: &mut Effects) {
    match model.views.page {
        Page::List | Page::Grid => {}
        Page::Compare => clusters::ask_beside(model, fx),
        Page::Group => groups::ask(model, fx),
        Page::Clusters => clusters::ask(model, fx),
        Page::Map => map::ask(model, fx),
    }
}

/// Asks for the pictures that are on the screen, and has them made better.
pub(super) fn pictures(model: &mut Model, fx: &mut Effects) {
    let shots = crate::view::places(model);
    for shot in &shots {
        settle::ask(model, shot.slot, shot.key, fx);
    }
    let resting = model.resting();
    let best = |slot: u32, part: bool| match (resting, slot < slot::GRID, part) {
        (false, true, _) => Quality::Half,
        // Small ones wait until the cursor does.
        (false, false, _) => Quality::Cells,
        (true, _, false) => Quality::Full,
        (true, _, true) => Quality::Exact,
    };
    let wanted = shots.iter().map(|shot| (shot.slot, shot.key, best(shot.slot, shot.key.part.is_some())));
    settle::climb(model, wanted.collect(), fx);
}

/// The engine answers a view.
pub(super) fn event(model: &mut Model, event: ViewEvent, fx: &mut Effects) {
    match event {
        ViewEvent::Groups { ticket, total, decided, place } => {
            groups::listed(model, ticket, total, decided, place);
        }
        ViewEvent::Group(group) => groups::got(model, group),
        ViewEvent::GroupFound { ticket, place } => groups::found(model, ticket, place, fx),
        ViewEvent::Clusters { ticket, class, clusters, note } => {
            clusters::got(model, ticket, class, clusters, note);
        }
        ViewEvent::Map(map) => map::got(model, map),
        ViewEvent::Inside { ticket, total, samples } => map::inside(model, ticket, total, samples, fx),
    }
}

/// A decision, an undo or a redo is on disk; `undone` is the first sample of what was taken back or done again.
pub(super) fn saved(model: &mut Model, undone: Option<SampleId>) {
    model.views.stale = true;
    if model.views.page == Page::Group
        && let Some(first) = undone
    {
        model.views.groups.seek(Some(first));
    }
}

/// A decision about samples, the first of them this one, was refused.
pub(super) fn refused(model: &mut Model, first: Option<SampleId>) {
    model.views.stale = true;
    if model.views.page == Page::Group {
        // Perhaps the next group is shown already, or on its way.
        model.views.groups.seek(first);
    }
}

/// A click on a cell of the terminal. Says whether a view took it.
pub(super) fn click(model: &mut Model, x: u16, y: u16) -> bool {
    if model.views.page == Page::List || model.mode != Mode::List {
        return model.views.page != Page::List;
    }
    if model.views.page == Page::Map {
        map::click(model, x, y);
    } else if let Some(place) = crate::view::grid_cells(model).and_then(|cells| cells.at(x, y)) {
        match model.views.page {
            Page::Grid => {
                let row = model.list.top + place as u64;
                if row < model.list.total {
                    motion::go(model, row);
                }
            }
            Page::Group => groups::go(model, model.views.groups.first_on_screen(model) + place),
            Page::Clusters => clusters::go(model, place),
            Page::List | Page::Compare | Page::Map => {}
        }
    }
    true
}

/// The next ticket.
fn ticket(model: &mut Model) -> Ticket {
    model.views.last_ticket += 1;
    model.views.last_ticket
}

/// Opens the prompt for the filter with a word of this key put in, in place of an earlier one.
fn filter_by(model: &mut Model, key: &str, word: &str) {
    prompt::open_filter(model);
    let now = model.now;
    if let Mode::Prompt(prompt) = &mut model.mode {
        let earlier: Vec<&str> =
            model.list.query.filter.split_whitespace().filter(|other| !other.starts_with(key)).collect();
        prompt.line = crate::model::Line::new(&[earlier.as_slice(), &[word]].concat().join(" "));
        prompt.apply_at = Some(now);
    }
}
