//! The embeddings in two dimensions, eight points in a cell by Braille characters: samples of the list in the color
//! of their class, the others dim. Samples are chosen by area.

use crate::action::Action;
use crate::effect::Effects;
use crate::model::{Level, MapState, Model, Page, Screen, Shot, slot};
use crate::paint::Paint;
use crate::text;
use crate::theme::Role;
use crate::update::{mark, say, send, show};
use crate::view::cells::shot;
use crate::view::{picture, sample};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Area, Axes, Command, MapPoint, Row, Ticket, ViewCommand, ViewEvent};
use ratatui::layout::{Position, Rect, Size};
use ratatui::style::{Color, Modifier, Style};
use std::collections::BTreeMap;

/// Columns of the panel at the right, and the narrowest screen that has one.
const PANEL: (u16, u16) = (26, 72);
/// Colors of classes, by number of xterm's 256, apart from each other for most eyes.
const COLORS: [u8; 10] = [75, 214, 79, 204, 141, 227, 44, 209, 252, 107];
/// Samples that can be marked at once.
const MOST: u32 = 10_000;
/// Milliseconds between progress queries for a map.
const AGAIN: u64 = 500;
/// Milliseconds within which the same key again is held.
const HELD: u64 = 250;
/// Lines from which on the panel has blank ones.
const ROOMY: u16 = 26;
/// How often the map can be enlarged.
const DEEPEST: u8 = 10;

/// The map.
pub(super) struct Map;

impl Page for Map {
    fn name(&self) -> &'static str {
        "map"
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Map, Action::Neighborhoods]
    }

    fn needs_pictures(&self, _action: Action) -> bool {
        true
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        use Action as A;
        vec![
            A::Visual,
            A::Filter,
            A::Larger,
            A::Smaller,
            A::GoToOther,
            A::Help,
            A::Back,
            A::Neighborhoods,
            A::Mark,
            A::Undo,
        ]
    }

    fn meaning(&self, model: &Model, action: Action) -> Option<(&'static str, &'static str)> {
        Some(match action {
            Action::Visual if model.views.map.corner.is_some() => {
                ("mark area", "Mark the samples in the area")
            }
            Action::Visual => ("area", "Start an area here; the same key marks what is in it"),
            Action::Filter => ("filter", "List only the samples in the area, or in what is shown"),
            Action::Larger => ("zoom in", "Zoom in around the cursor"),
            Action::Smaller => ("zoom out", "Zoom out around the cursor"),
            Action::GoToOther => ("show in list", "Go to the sample under the cursor in the list"),
            Action::Mark => ("mark", "Mark or unmark the sample under the cursor"),
            Action::Neighborhoods => match model.views.map.axes.next() {
                Axes::Components => ("components", "Show the map of principal components"),
                Axes::Neighborhoods => ("neighborhoods", "Show the map of neighborhoods (t-SNE)"),
                Axes::Umap => ("UMAP", "Show the map of neighborhoods by UMAP"),
            },
            Action::NextClass => ("right", "Go half the width of the map to the right"),
            Action::PreviousClass => ("left", "Go half the width of the map to the left"),
            _ => return None,
        })
    }

    fn draw(&self, model: &Model, _area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
        let area = map_area(model.display.size);
        let map = &model.views.map;
        let points = match &map.shown {
            None => {
                picture::note(area, Role::Dim, "computing the map…", paint);
                return None;
            }
            Some(view) if view.points.is_empty() && map.zoom == 0 => {
                picture::note(area, Role::Dim, &view.note, paint);
                return None;
            }
            Some(view) => &view.points,
        };
        let colored = paint.style(Role::Keep).fg.is_some_and(|color| color != Color::Reset);
        for ((x, y), dots) in cells(points) {
            let (x, y) = (area.x + x, area.y + y);
            if x >= area.right() || y >= area.bottom() {
                continue;
            }
            let style = match dots.listed {
                (0, _) => paint.style(Role::Border),
                (_, Some(class)) if colored => Style::new().fg(color(class)),
                _ => paint.style(Role::Title),
            };
            let symbol = char::from_u32(0x2800 + u32::from(dots.bits)).unwrap_or(' ');
            paint.buffer[(x, y)].set_char(symbol).set_style(style);
        }
        if let Some((x, y)) = map.corner {
            let (left, right) = (x.min(map.cursor.0), x.max(map.cursor.0));
            let (top, bottom) = (y.min(map.cursor.1), y.max(map.cursor.1));
            let chosen = Rect::new(area.x + left, area.y + top, right - left + 1, bottom - top + 1);
            paint.buffer.set_style(chosen.intersection(area), paint.style(Role::Selected));
        }
        let (x, y) = (area.x + map.cursor.0, area.y + map.cursor.1);
        if area.contains((x, y).into()) {
            let cell = &mut paint.buffer[(x, y)];
            if cell.symbol() == " " {
                cell.set_symbol("┼");
            }
            cell.set_style(Style::new().add_modifier(Modifier::REVERSED));
        }
        for one in self.shots(model) {
            shot(model, &one, paint);
        }
        about(model, points, colored, paint);
        None
    }

    fn open(&self, model: &mut Model, action: Action, _fx: &mut Effects) {
        match action {
            Action::Neighborhoods => turn(model),
            _ => toggle(model),
        }
    }

    fn act(&self, model: &mut Model, action: Action, fx: &mut Effects) -> bool {
        use Action as A;
        let bounds = map_area(model.display.size);
        let (x, y) = model.views.map.cursor;
        let half = (bounds.height / 2).max(1);
        let step =
            if matches!(action, A::Left | A::Right | A::Up | A::Down) { step(model, action) } else { 0 };
        let to = match action {
            A::Left => (x.saturating_sub(2 * step), y),
            A::Right => (x.saturating_add(2 * step), y),
            A::Up => (x, y.saturating_sub(step)),
            A::Down => (x, y.saturating_add(step)),
            // There are no classes to go through here, and a map is wider than high.
            A::PreviousClass => (x.saturating_sub(bounds.width / 2), y),
            A::NextClass => (x.saturating_add(bounds.width / 2), y),
            A::HalfPageUp | A::PageUp => (x, y.saturating_sub(half)),
            A::HalfPageDown | A::PageDown => (x, y + half),
            A::Top => (x, 0),
            A::Bottom => (x, u16::MAX - 1),
            A::Visual => {
                choose(model, bounds, fx);
                return true;
            }
            A::Larger | A::Smaller => {
                resize(model, action == A::Larger);
                return true;
            }
            A::Mark => {
                mark::toggle(model);
                return true;
            }
            A::Filter => {
                let Area { left, top, right, bottom } = chosen(&model.views.map, bounds);
                model.views.map.corner = None;
                let key = format!("{}:", shown(model).key());
                show::filter_by(model, &key, &format!("{key}{left:.4},{top:.4},{right:.4},{bottom:.4}"));
                return true;
            }
            _ => return false,
        };
        let before = model.views.map.cursor;
        model.views.map.cursor = to;
        clamp(model, bounds);
        if model.views.map.cursor != before {
            model.views.map.held = None;
        }
        true
    }

    fn click(&self, model: &mut Model, x: u16, y: u16) {
        let bounds = map_area(model.display.size);
        if bounds.contains((x, y).into()) {
            model.views.map.cursor = (x - bounds.x, y - bounds.y);
            model.views.map.held = None;
        }
    }

    fn cancel(&self, model: &mut Model) -> bool {
        model.views.map.corner.take().is_some()
    }

    /// Requests the map for the current view.
    fn request(&self, model: &mut Model, fx: &mut Effects) {
        let bounds = map_area(model.display.size);
        clamp(model, bounds);
        let map = &model.views.map;
        let question = (model.list.ticket, map.axes, map.area(), (bounds.width * 2, bounds.height * 4));
        let due = map.again.is_some_and(|at| at <= model.time.now);
        let same = !due && map.asked.is_some_and(|(asked, _, _)| asked == question);
        // One map at a time.
        let waits = map.asked.is_some_and(|(.., at)| at.is_some());
        if bounds.area() == 0 || same || waits {
            return;
        }
        let ticket = show::ticket(model);
        model.views.map.asked = Some((question, ticket, Some(model.time.now)));
        model.views.map.again = None;
        let (list, axes, area, (width, height)) = question;
        let of = model.views.map.seek.or(model.views.map.held);
        send(fx, Command::View(ViewCommand::Map { ticket, axes, list, area, width, height, of }));
    }

    fn event(&self, model: &mut Model, event: ViewEvent, _fx: &mut Effects) -> Option<ViewEvent> {
        match event {
            ViewEvent::Map(view) => {
                let map = &mut model.views.map;
                if let Some((_, ticket, at)) = &mut map.asked
                    && *ticket == view.ticket
                {
                    *at = None;
                    map.again = view.making.map(|_| model.time.now + AGAIN);
                    let turned = map.shown.as_ref().is_some_and(|before| before.axes != view.axes);
                    let sought = map.seek.take().or(map.held.filter(|_| turned));
                    let place = view.of;
                    map.shown = Some(view);
                    match (sought, place) {
                        (Some(sample), Some(place)) => {
                            model.views.map.held = Some(sample);
                            go_to(model, place);
                        }
                        (Some(_), None) => {
                            model.views.map.held = None;
                            say(model, Level::Info, "this sample has no place on the map");
                        }
                        (None, _) => {}
                    }
                }
            }
            ViewEvent::Inside { ticket, total, samples } => inside(model, ticket, total, samples),
            other => return Some(other),
        }
        None
    }

    fn invalidate(&self, model: &mut Model) {
        model.views.map.asked = None;
    }

    fn forget_samples(&self, model: &mut Model) {
        let map = &mut model.views.map;
        (map.seek, map.held, map.corner) = (None, None, None);
        (map.shown, map.asked, map.marking) = (None, None, None);
    }

    fn expire(&self, model: &mut Model, limit: u64) {
        if self.oldest_request(model).is_some_and(|at| at <= limit) {
            model.views.map.asked = None;
        }
    }

    fn oldest_request(&self, model: &Model) -> Option<u64> {
        model.views.map.asked.and_then(|(.., at)| at)
    }

    fn deadline(&self, model: &Model) -> Option<u64> {
        model.views.map.again
    }

    fn row<'a>(&self, model: &'a Model) -> Option<&'a Row> {
        model.details.get(model.views.map.sample()?).map(|detail| &detail.row)
    }

    fn sample(&self, model: &Model) -> Option<SampleId> {
        model.views.map.sample()
    }

    /// Until another part of the map has arrived, the cursor is on a point of the part before it.
    fn busy(&self, model: &Model) -> bool {
        let map = &model.views.map;
        map.shown.is_none() || map.shown.as_ref().is_some_and(|view| view.area != map.area())
    }

    fn shots(&self, model: &Model) -> Vec<Shot> {
        let panel = panel(model.display.size);
        let area = Rect { height: (panel.width / 2).min(panel.height / 3), ..panel };
        let sample = model.views.map.sample().filter(|_| area.area() > 0);
        let shot = |sample| Shot { slot: slot::MAIN, key: (sample, area.as_size()).into(), area };
        sample.map(shot).into_iter().collect()
    }

    fn cursor_cell(&self, model: &Model) -> Position {
        let (map, (x, y)) = (map_area(model.display.size), model.views.map.cursor);
        Position { x: map.x + x, y: map.y + y }
    }
}

fn toggle(model: &mut Model) {
    if show::is_open(model, &Map) {
        return show::close(model);
    }
    let sample = model.sample();
    show::show(model, &Map);
    let area = map_area(model.display.size);
    if model.views.map.shown.is_none() {
        model.views.map.cursor = (area.width / 2, area.height / 2);
    }
    // It opens at the sample that one comes from.
    model.views.map.seek = sample;
    model.views.map.asked = None;
}

/// Puts the cursor on a place of the whole map, with the part around it in sight.
fn go_to(model: &mut Model, (x, y): (f32, f32)) {
    let bounds = map_area(model.display.size);
    let map = &mut model.views.map;
    let area = map.area();
    if !area.contains(x, y) {
        let side = area.right - area.left;
        map.left = (x - side / 2.0).clamp(0.0, 1.0 - side);
        map.top = (y - side / 2.0).clamp(0.0, 1.0 - side);
    }
    let area = map.area();
    let cell = |share: f32, low: f32, high: f32, cells: u16| {
        (((share - low) / (high - low) * f32::from(cells)) as u16).min(cells.saturating_sub(1))
    };
    map.cursor =
        (cell(x, area.left, area.right, bounds.width), cell(y, area.top, area.bottom, bounds.height));
}

/// Cells of the next step: a key that is held goes faster and faster.
fn step(model: &mut Model, action: Action) -> u16 {
    let now = model.time.now;
    let run = &mut model.views.map.run;
    let count = match run {
        Some((before, count, at)) if *before == action && now.saturating_sub(*at) < HELD => {
            count.saturating_add(1)
        }
        _ => 0,
    };
    *run = Some((action, count, now));
    1 << (count / 4).min(3)
}

/// Goes on to the next map; a zoomed part of one has no counterpart on another.
fn turn(model: &mut Model) {
    if !show::is_open(model, &Map) {
        toggle(model);
        model.views.map.axes = Axes::Components;
    }
    let sample = model.sample();
    let map = &mut model.views.map;
    map.axes = map.axes.next();
    (map.zoom, map.left, map.top, map.corner, map.again) = (0, 0.0, 0.0, None, None);
    // The same sample lies elsewhere there.
    map.seek = map.seek.or(sample);
}

/// The cells of the map.
pub(crate) fn map_area(size: Size) -> Rect {
    let whole = Screen::whole(size);
    let panel = if size.width >= PANEL.1 { PANEL.0 } else { 0 };
    Rect { width: whole.width.saturating_sub(panel), ..whole }
}

/// The panel at the right.
fn panel(size: Size) -> Rect {
    let (whole, map) = (Screen::whole(size), map_area(size));
    Rect { x: map.right() + 1, width: (whole.width - map.width).saturating_sub(1), ..whole }
}

/// The map on the screen; the requested one may not be computed yet.
fn shown(model: &Model) -> Axes {
    model.views.map.shown.as_ref().map_or(Axes::default(), |view| view.axes)
}

fn clamp(model: &mut Model, bounds: Rect) {
    let (x, y) = model.views.map.cursor;
    model.views.map.cursor = (x.min(bounds.width.saturating_sub(1)), y.min(bounds.height.saturating_sub(1)));
}

/// Zooms in or out around the cursor by a factor of two.
fn resize(model: &mut Model, larger: bool) {
    let bounds = map_area(model.display.size);
    let map = &mut model.views.map;
    let before = map.area();
    // Points move apart: the sample under the cursor stays the one that is meant.
    map.held = map.sample();
    let share = |at: u16, cells: u16| (f32::from(at) + 0.5) / f32::from(cells.max(1));
    let (x, y) = (share(map.cursor.0, bounds.width), share(map.cursor.1, bounds.height));
    let side = before.right - before.left;
    let (here_x, here_y) = (before.left + x * side, before.top + y * side);
    map.zoom = if larger { (map.zoom + 1).min(DEEPEST) } else { map.zoom.saturating_sub(1) };
    let side = 0.5_f32.powi(i32::from(map.zoom));
    map.left = (here_x - side / 2.0).clamp(0.0, 1.0 - side);
    map.top = (here_y - side / 2.0).clamp(0.0, 1.0 - side);
    // The cursor keeps its position on the map.
    let cell =
        |here: f32, low: f32, cells: u16| (((here - low) / side * f32::from(cells)) as u16).min(cells - 1);
    if bounds.area() > 0 {
        map.cursor = (cell(here_x, map.left, bounds.width), cell(here_y, map.top, bounds.height));
    }
    map.corner = None;
}

/// The selected area as fractions of the whole map: from corner to cursor, else the visible part.
fn chosen(map: &MapState, bounds: Rect) -> Area {
    let area = map.area();
    let Some((x, y)) = map.corner else { return area };
    let side = area.right - area.left;
    let (left, right) = (x.min(map.cursor.0), x.max(map.cursor.0) + 1);
    let (top, bottom) = (y.min(map.cursor.1), y.max(map.cursor.1) + 1);
    let across = |cell: u16| area.left + f32::from(cell) / f32::from(bounds.width.max(1)) * side;
    let down = |cell: u16| area.top + f32::from(cell) / f32::from(bounds.height.max(1)) * side;
    Area { left: across(left), top: down(top), right: across(right), bottom: down(bottom) }
}

/// Starts an area, or marks the samples in it.
fn choose(model: &mut Model, bounds: Rect, fx: &mut Effects) {
    if model.views.map.corner.is_none() {
        model.views.map.corner = Some(model.views.map.cursor);
        return say(
            model,
            Level::Info,
            "move to the opposite corner: v marks the area, f filters by it, Esc drops it",
        );
    }
    let area = chosen(&model.views.map, bounds);
    model.views.map.corner = None;
    let ticket = show::ticket(model);
    model.views.map.marking = Some(ticket);
    let (axes, list) = (shown(model), model.list.ticket);
    send(fx, Command::View(ViewCommand::Inside { ticket, axes, list, area, most: MOST }));
}

/// Marks the samples in the selected area.
fn inside(model: &mut Model, ticket: Ticket, total: u64, samples: Vec<SampleId>) {
    if model.views.map.marking != Some(ticket) {
        return;
    }
    model.views.map.marking = None;
    if total > samples.len() as u64 {
        let text =
            format!("{total} samples: at most {MOST} can be marked at once; filter by the area instead");
        return say(model, Level::Warning, text);
    }
    model.review.marks.extend(samples);
    let text = format!(
        "{} of the list in this area, {} marked",
        text::counted(total, "sample", "samples"),
        model.review.marks.len()
    );
    say(model, Level::Info, text);
}

/// One cell of the map.
#[derive(Clone, Copy, Default)]
struct Dots {
    bits: u8,
    /// The largest number of samples on one of its points, listed or not, and their class.
    listed: (u32, Option<u32>),
}

/// The dots of each cell.
fn cells(points: &[MapPoint]) -> BTreeMap<(u16, u16), Dots> {
    // Columns of four dots, the lowest ones with bits of their own: so the block of Braille characters grew.
    const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
    let mut cells: BTreeMap<(u16, u16), Dots> = BTreeMap::new();
    for point in points {
        let cell = cells.entry((point.x / 2, point.y / 4)).or_default();
        cell.bits |= BITS[usize::from(point.x % 2)][usize::from(point.y % 4)];
        if point.listed > cell.listed.0 {
            cell.listed = (point.listed, point.label);
        }
    }
    cells
}

fn color(class: u32) -> Color {
    Color::Indexed(COLORS[class as usize % COLORS.len()])
}

/// The sample under the cursor, the classes by color, and how the map was made.
fn about(model: &Model, points: &[MapPoint], colored: bool, paint: &mut Paint<'_>) {
    let area = panel(model.display.size);
    if area.width < 8 {
        return;
    }
    let mut y = area.y + Map.shots(model).first().map_or(0, |shot| shot.area.height);
    let bottom = area.bottom();
    let mut put = |pieces: &[(Role, String)], paint: &mut Paint<'_>| {
        if y < bottom {
            let pieces: Vec<(Role, &str)> =
                pieces.iter().map(|(role, words)| (*role, words.as_str())).collect();
            paint.pieces(Rect { y, height: 1, ..area }, &pieces);
            y += 1;
        }
        y
    };
    if let Some(row) = model.row() {
        put(&sample::labels(model, row, area.width), paint);
        let name = text::fit_middle(&row.path, usize::from(area.width)).into_owned();
        put(&[(Role::Dim, format!("score {}", text::score(row.score)))], paint);
        put(&[(Role::Dim, name)], paint);
    }
    let (mut listed, mut all) = (0_u64, 0_u64);
    let mut classes: BTreeMap<u32, u64> = BTreeMap::new();
    for point in points {
        listed += u64::from(point.listed);
        all += u64::from(point.all);
        if let Some(class) = point.label.filter(|_| point.listed > 0) {
            *classes.entry(class).or_default() += u64::from(point.listed);
        }
    }
    let roomy = area.height >= ROOMY;
    if roomy {
        put(&[], paint);
    }
    put(&[(Role::Text, format!("{} of {} in the list", text::count(listed), text::count(all)))], paint);
    let note = model.views.map.shown.as_ref().map_or(String::new(), |view| match view.making {
        Some(share) => format!("neighborhood map {:.0}% done; {}", share * 100.0, view.note),
        None => view.note.clone(),
    });
    let lines = text::wrap(&note, usize::from(area.width));
    let mut classes: Vec<(u32, u64)> = classes.into_iter().collect();
    classes.sort_by_key(|(class, count)| (std::cmp::Reverse(*count), *class));
    let mut at = if roomy { put(&[], paint) } else { y };
    let room = usize::from(bottom.saturating_sub(at)).saturating_sub(lines.len());
    // The last line says how many classes have none.
    let shown = if classes.len() > room { room.saturating_sub(1) } else { room };
    let (rest, shown) = (classes.len().saturating_sub(shown), if colored { shown } else { 0 });
    for (class, count) in classes.into_iter().take(shown) {
        let style = Style::new().fg(color(class));
        let x = paint.put_styled(area.x, at, 2, style, "● ");
        let name = model.class(Some(class)).unwrap_or("?").to_owned();
        let x = paint.put(x, at, area.right().saturating_sub(x + 7), Role::Text, &name);
        paint.put(x + 1, at, area.right().saturating_sub(x + 1), Role::Dim, &text::count(count));
        at += 1;
    }
    if colored && rest > 0 && at < bottom {
        paint.put(area.x, at, area.width, Role::Dim, &format!("+{rest} more"));
        at += 1;
    }
    for (line, y) in lines.iter().zip(at.max(bottom.saturating_sub(lines.len() as u16))..bottom) {
        paint.put(area.x, y, area.width, Role::Dim, line);
    }
}
