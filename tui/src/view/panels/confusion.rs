//! Given against suggested labels, as a map whose cells hold their counts.

use super::super::paint::Paint;
use super::waiting;
use crate::model::{Matrix, Model};
use crate::text;
use crate::theme::Role;
use ratatui::layout::Rect;

/// Cells of the screen that one cell of the matrix takes.
const CELL: u16 = 7;

pub(super) fn page(model: &Model, area: Rect, paint: &mut Paint<'_>) {
    let Some(matrix) = &model.panels.confusion else {
        return waiting(area, "counting confusions…", paint);
    };
    if matrix.classes.is_empty() {
        return waiting(area, "no detector suggests another label for any suspect", paint);
    }
    let name = |place: usize| {
        let class = matrix.classes.get(place).copied();
        text::safe(model.class(class).unwrap_or("?")).into_owned()
    };
    let longest = (0..matrix.classes.len()).map(|place| text::width(&name(place))).max().unwrap_or(0) as u16;
    let left = longest.clamp(5, (area.width / 4).clamp(5, 24)) + 1;
    // Title, names of columns, what the cursor is on.
    let body = Rect {
        x: area.x + left,
        y: area.y + 2,
        width: area.width.saturating_sub(left),
        height: area.height.saturating_sub(4),
    };
    let (rows, columns) = (usize::from(body.height), usize::from(body.width / CELL));
    if rows == 0 || columns == 0 {
        return;
    }
    paint.put(area.x, area.y, area.width, Role::Title, "given, down; suggested, across");
    let (row, column) = matrix.at;
    let (top, first) = (row / rows * rows, column / columns * columns);
    for place in first..(first + columns).min(matrix.classes.len()) {
        let x = body.x + (place - first) as u16 * CELL;
        let role = if place == column { Role::Given } else { Role::Dim };
        paint.put(x, area.y + 1, CELL - 1, role, &name(place));
    }
    for place in top..(top + rows).min(matrix.classes.len()) {
        let y = body.y + (place - top) as u16;
        let role = if place == row { Role::Given } else { Role::Text };
        paint.put(area.x, y, left - 1, role, &name(place));
        for other in first..(first + columns).min(matrix.classes.len()) {
            let x = body.x + (other - first) as u16 * CELL;
            cell(matrix, (place, other), Rect { x, y, width: CELL - 1, height: 1 }, paint);
        }
    }
    foot(model, matrix, (&name(row), &name(column)), area, paint);
}

fn cell(matrix: &Matrix, at: (usize, usize), area: Rect, paint: &mut Paint<'_>) {
    let pair = (matrix.classes[at.0], matrix.classes[at.1]);
    let count = matrix.cells.get(&pair).map_or(0, |cell| cell.count);
    let (role, glyph) = match matrix.heat(count) {
        0 => (Role::Dim, None),
        1 => (Role::HeatLow, Some(Role::HeatLow)),
        2 => (Role::HeatMiddle, Some(Role::HeatMiddle)),
        _ => (Role::HeatHigh, Some(Role::HeatHigh)),
    };
    if let Some(glyph) = glyph {
        let glyph = paint.theme.glyph(glyph).to_owned();
        paint.put(area.x, area.y, 1, role, &glyph);
    }
    let words = match (count, at.0 == at.1) {
        (0, true) => "–".to_owned(),
        (0, false) => "·".to_owned(),
        (count, _) => short(count),
    };
    paint.put_right(area.right(), area.y, area.width - 1, role, &words);
    if at == matrix.at {
        // Brackets as well as the cursor's look, so that it is found without colour.
        let style = paint.style(Role::Selected);
        paint.buffer.set_style(area, style);
        paint.put(area.x, area.y, 1, Role::Selected, "[");
        paint.put(area.right(), area.y, 1, Role::Selected, "]");
    }
}

/// A count in four cells at most.
fn short(count: u64) -> String {
    match count {
        0..10_000 => count.to_string(),
        10_000..1_000_000 => format!("{}k", count / 1_000),
        _ => format!("{}M", count / 1_000_000),
    }
}

fn foot(model: &Model, matrix: &Matrix, names: (&str, &str), area: Rect, paint: &mut Paint<'_>) {
    let y = area.bottom() - 1;
    let (given, suggested) = names;
    let cell = matrix.pair().and_then(|pair| matrix.cells.get(&pair));
    let line = Rect { y, height: 1, ..area };
    let Some(cell) = cell else {
        let words = if given == suggested { "the same label" } else { "no suspect has this pair" };
        paint.pieces(
            line,
            &[
                (Role::Given, given),
                (Role::Dim, " → "),
                (Role::Suggested, suggested),
                (Role::Dim, "   "),
                (Role::Dim, words),
            ],
        );
        return;
    };
    let key =
        model.keymap.key_for(crate::action::Action::PanelAccept).map(crate::key::shown).unwrap_or_default();
    let words = format!(
        "   {} suspects, {} decided   {key} lists them",
        text::count(cell.count),
        text::count(cell.decided)
    );
    paint.pieces(
        line,
        &[(Role::Given, given), (Role::Dim, " → "), (Role::Suggested, suggested), (Role::Text, &words)],
    );
}

/// The page in plain lines: the most frequent pairs.
pub(super) fn spoken(model: &Model) -> Vec<String> {
    let Some(matrix) = &model.panels.confusion else { return vec!["nothing was counted".to_owned()] };
    let name = |class: u32| text::safe(model.class(Some(class)).unwrap_or("?")).into_owned();
    let told = matrix.pairs.iter().filter_map(|pair| matrix.cells.get(pair)).take(40);
    let lines: Vec<String> = told
        .map(|cell| {
            let (given, suggested) = (name(cell.given), name(cell.suggested));
            format!("given {given}, suggested {suggested}: {} suspects, {} decided", cell.count, cell.decided)
        })
        .collect();
    if lines.is_empty() {
        vec!["no detector suggests another label for any suspect".to_owned()]
    } else {
        lines
    }
}
