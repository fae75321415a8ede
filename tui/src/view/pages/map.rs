//! The embeddings in two dimensions, eight points in a cell by Braille characters: samples of the list in the colour
//! of their class, the others dim.

use crate::model::{Model, Screen, Shot, slot};
use crate::text;
use crate::theme::Role;
use crate::view::paint::Paint;
use crate::view::{picture, sample};
use chaffinch_protocol::MapPoint;
use ratatui::layout::{Rect, Size};
use ratatui::style::{Color, Modifier, Style};
use std::collections::BTreeMap;

/// Columns of the panel at the right, and the narrowest screen that has one.
const PANEL: (u16, u16) = (26, 72);
/// Colours of classes, by number of xterm's 256, apart from each other for most eyes.
const COLORS: [u8; 10] = [75, 214, 79, 204, 141, 227, 44, 209, 252, 107];

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

pub(super) fn shots(model: &Model) -> Vec<Shot> {
    let panel = panel(model.size);
    let area = Rect { height: (panel.width / 2).min(panel.height / 2), ..panel };
    let sample = model.views.map.sample().filter(|_| area.area() > 0);
    sample
        .map(|sample| Shot { slot: slot::MAIN, key: (sample, area.as_size()).into(), area })
        .into_iter()
        .collect()
}

/// One cell of the map.
#[derive(Clone, Copy, Default)]
struct Dots {
    bits: u8,
    /// The largest number of samples on one of its points, listed or not, and their class.
    listed: (u32, Option<u32>),
}

pub(super) fn draw(model: &Model, paint: &mut Paint<'_>) {
    let area = map_area(model.size);
    let map = &model.views.map;
    let points = match &map.shown {
        None => return picture::note(area, Role::Dim, "making the map…", paint),
        Some(view) if view.points.is_empty() && map.zoom == 0 => {
            return picture::note(area, Role::Dim, &view.note, paint);
        }
        Some(view) => &view.points,
    };
    let coloured = paint.style(Role::Keep).fg.is_some_and(|color| color != Color::Reset);
    for ((x, y), dots) in cells(points) {
        let (x, y) = (area.x + x, area.y + y);
        if x >= area.right() || y >= area.bottom() {
            continue;
        }
        let style = match dots.listed {
            (0, _) => paint.style(Role::Border),
            (_, Some(class)) if coloured => Style::new().fg(color(class)),
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
    for shot in shots(model) {
        super::shot(model, &shot, paint);
    }
    about(model, points, coloured, paint);
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

/// The sample under the cursor, the classes by colour, and how the map was made.
fn about(model: &Model, points: &[MapPoint], coloured: bool, paint: &mut Paint<'_>) {
    let area = panel(model.size);
    if area.width < 8 {
        return;
    }
    let mut y = area.y + shots(model).first().map_or(0, |shot| shot.area.height);
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
        put(&sample::labels(model, row), paint);
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
    put(&[], paint);
    put(&[(Role::Text, format!("{} of {}", text::count(listed), text::count(all)))], paint);
    let note = model.views.map.shown.as_ref().map_or(String::new(), |view| match view.making {
        Some(share) => format!("{:.0} % of the map of neighborhoods is made; {}", share * 100.0, view.note),
        None => view.note.clone(),
    });
    let lines = text::wrap(&note, usize::from(area.width));
    let mut classes: Vec<(u32, u64)> = classes.into_iter().collect();
    classes.sort_by_key(|(class, count)| (std::cmp::Reverse(*count), *class));
    let mut at = put(&[], paint);
    let room = usize::from(bottom.saturating_sub(at)).saturating_sub(lines.len());
    for (class, count) in classes.into_iter().take(if coloured { room } else { 0 }) {
        let style = Style::new().fg(color(class));
        let x = paint.put_styled(area.x, at, 2, style, "● ");
        let name = model.class(Some(class)).unwrap_or("?").to_owned();
        let x = paint.put(x, at, area.right().saturating_sub(x + 7), Role::Text, &name);
        paint.put(x + 1, at, area.right().saturating_sub(x + 1), Role::Dim, &text::count(count));
        at += 1;
    }
    for (line, y) in lines.iter().zip(at.max(bottom.saturating_sub(lines.len() as u16))..bottom) {
        paint.put(area.x, y, area.width, Role::Dim, line);
    }
}
