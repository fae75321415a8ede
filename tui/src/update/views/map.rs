//! The map: moving over it, and choosing samples by area.

use super::{close, filter_by, show, ticket};
use crate::action::Action;
use crate::model::{Level, MapState, Model, Page};
use crate::update::{Effects, say, send};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Area, Axes, Command, MapView, Ticket, ViewCommand};
use ratatui::layout::Rect;

/// Samples that can be marked at once.
const MOST: u32 = 10_000;
/// Milliseconds after which it is asked how far a map is.
const AGAIN: u64 = 500;
/// How often the map can be enlarged.
const DEEPEST: u8 = 10;

pub(super) fn toggle(model: &mut Model) {
    if model.views.page == Page::Map {
        return close(model);
    }
    show(model, Page::Map);
    let area = crate::view::map_area(model.size);
    if model.views.map.shown.is_none() {
        model.views.map.cursor = (area.width / 2, area.height / 2);
    }
}

/// Goes between the two maps; what is enlarged of one is nowhere on the other.
pub(super) fn turn(model: &mut Model) {
    if model.views.page != Page::Map {
        toggle(model);
        model.views.map.axes = Axes::Components;
    }
    let map = &mut model.views.map;
    map.axes = match map.axes {
        Axes::Components => Axes::Neighborhoods,
        Axes::Neighborhoods => Axes::Components,
    };
    (map.zoom, map.left, map.top, map.corner, map.again) = (0, 0.0, 0.0, None, None);
}

/// Asks for the map as it is to be seen now.
pub(super) fn ask(model: &mut Model, fx: &mut Effects) {
    let place = crate::view::map_area(model.size);
    clamp(model, place);
    let map = &model.views.map;
    let question = (model.list.ticket, map.axes, map.area(), (place.width * 2, place.height * 4));
    let due = map.again.is_some_and(|at| at <= model.now);
    let same = !due && map.asked.is_some_and(|(asked, _, _)| asked == question);
    // One map at a time.
    let waits = map.asked.is_some_and(|(.., at)| at.is_some());
    if place.area() == 0 || same || waits {
        return;
    }
    let ticket = ticket(model);
    model.views.map.asked = Some((question, ticket, Some(model.now)));
    model.views.map.again = None;
    let (list, axes, area, (width, height)) = question;
    send(fx, Command::View(ViewCommand::Map { ticket, axes, list, area, width, height }));
}

pub(super) fn got(model: &mut Model, view: Box<MapView>) {
    let map = &mut model.views.map;
    if let Some((_, ticket, at)) = &mut map.asked
        && *ticket == view.ticket
    {
        *at = None;
        map.again = view.making.map(|_| model.now + AGAIN);
        map.shown = Some(view);
    }
}

/// The map on the screen, which need not be made yet that is wanted.
fn shown(model: &Model) -> Axes {
    model.views.map.shown.as_ref().map_or(Axes::default(), |view| view.axes)
}

fn clamp(model: &mut Model, place: Rect) {
    let (x, y) = model.views.map.cursor;
    model.views.map.cursor = (x.min(place.width.saturating_sub(1)), y.min(place.height.saturating_sub(1)));
}

pub(super) fn click(model: &mut Model, x: u16, y: u16) {
    let place = crate::view::map_area(model.size);
    if place.contains((x, y).into()) {
        model.views.map.cursor = (x - place.x, y - place.y);
    }
}

/// Shows half as much around the cursor, or twice as much.
pub(super) fn resize(model: &mut Model, larger: bool) {
    let place = crate::view::map_area(model.size);
    let map = &mut model.views.map;
    let before = map.area();
    let share = |at: u16, cells: u16| (f32::from(at) + 0.5) / f32::from(cells.max(1));
    let (x, y) = (share(map.cursor.0, place.width), share(map.cursor.1, place.height));
    let side = before.right - before.left;
    let (here_x, here_y) = (before.left + x * side, before.top + y * side);
    map.zoom = if larger { (map.zoom + 1).min(DEEPEST) } else { map.zoom.saturating_sub(1) };
    let side = 0.5_f32.powi(i32::from(map.zoom));
    map.left = (here_x - side / 2.0).clamp(0.0, 1.0 - side);
    map.top = (here_y - side / 2.0).clamp(0.0, 1.0 - side);
    // The cursor stays on its place of the map.
    let cell =
        |here: f32, low: f32, cells: u16| (((here - low) / side * f32::from(cells)) as u16).min(cells - 1);
    if place.area() > 0 {
        map.cursor = (cell(here_x, map.left, place.width), cell(here_y, map.top, place.height));
    }
    map.corner = None;
}

/// The chosen area in shares of the whole map: from corner to cursor, else all that is seen.
fn chosen(map: &MapState, place: Rect) -> Area {
    let area = map.area();
    let Some((x, y)) = map.corner else { return area };
    let side = area.right - area.left;
    let (left, right) = (x.min(map.cursor.0), x.max(map.cursor.0) + 1);
    let (top, bottom) = (y.min(map.cursor.1), y.max(map.cursor.1) + 1);
    let across = |cell: u16| area.left + f32::from(cell) / f32::from(place.width.max(1)) * side;
    let down = |cell: u16| area.top + f32::from(cell) / f32::from(place.height.max(1)) * side;
    Area { left: across(left), top: down(top), right: across(right), bottom: down(bottom) }
}

pub(super) fn act(model: &mut Model, action: Action, fx: &mut Effects) -> bool {
    use Action as A;
    let place = crate::view::map_area(model.size);
    let (x, y) = model.views.map.cursor;
    let half = (place.height / 2).max(1);
    let to = match action {
        A::Left => (x.saturating_sub(1), y),
        A::Right => (x + 1, y),
        A::Up => (x, y.saturating_sub(1)),
        A::Down => (x, y + 1),
        A::HalfPageUp | A::PageUp => (x, y.saturating_sub(half)),
        A::HalfPageDown | A::PageDown => (x, y + half),
        A::Top => (x, 0),
        A::Bottom => (x, u16::MAX - 1),
        A::Visual => {
            choose(model, place, fx);
            return true;
        }
        A::Mark => {
            if let Some(sample) = model.sample()
                && !model.marks.remove(&sample)
            {
                model.marks.insert(sample);
            }
            return true;
        }
        A::Filter => {
            let Area { left, top, right, bottom } = chosen(&model.views.map, place);
            model.views.map.corner = None;
            let key = match shown(model) {
                Axes::Components => "map:",
                Axes::Neighborhoods => "tsne:",
            };
            filter_by(model, key, &format!("{key}{left:.4},{top:.4},{right:.4},{bottom:.4}"));
            return true;
        }
        _ => return false,
    };
    model.views.map.cursor = to;
    clamp(model, place);
    true
}

/// Begins an area, or marks what lies in it.
fn choose(model: &mut Model, place: Rect, fx: &mut Effects) {
    if model.views.map.corner.is_none() {
        model.views.map.corner = Some(model.views.map.cursor);
        return say(
            model,
            Level::Info,
            "move to the other corner: v marks the area, f filters by it, Esc forgets it",
        );
    }
    let area = chosen(&model.views.map, place);
    model.views.map.corner = None;
    let ticket = ticket(model);
    model.views.map.marking = Some(ticket);
    let (axes, list) = (shown(model), model.list.ticket);
    send(fx, Command::View(ViewCommand::Inside { ticket, axes, list, area, most: MOST }));
}

pub(super) fn inside(
    model: &mut Model,
    ticket: Ticket,
    total: u64,
    samples: Vec<SampleId>,
    _fx: &mut Effects,
) {
    if model.views.map.marking != Some(ticket) {
        return;
    }
    model.views.map.marking = None;
    if total > samples.len() as u64 {
        let text =
            format!("{total} samples: at most {MOST} can be marked at once; filter by the area instead");
        return say(model, Level::Warning, text);
    }
    model.marks.extend(samples);
    let text = format!("{total} samples of the list lie there; {} marked", model.marks.len());
    say(model, Level::Info, text);
}
