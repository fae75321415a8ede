//! The list as pictures: a cell shows the picture, and always whether the cursor is on it, whether it is marked and
//! what was decided.

use crate::model::{Cells, Model, Shot};
use crate::text;
use crate::theme::Role;
use crate::view::list::{self, decision_role, severity};
use crate::view::paint::Paint;
use chaffinch_protocol::Row;
use ratatui::layout::Rect;

/// The pictures on the screen.
pub(super) fn shots(model: &Model) -> Vec<Shot> {
    let Some(cells) = model.views.grid(model) else { return Vec::new() };
    let row = |place: usize| Some((place, model.rows.get(model.list.top + place as u64)?.sample));
    let rows = (0..cells.count()).filter_map(row);
    rows.map(|(place, sample)| Shot::in_cell(place, sample, cells.picture(place))).collect()
}

pub(super) fn draw(model: &Model, paint: &mut Paint<'_>) {
    let Some(cells) = model.views.grid(model) else { return };
    if model.list.total == 0 {
        return list::list(model, cells.area, paint);
    }
    for shot in shots(model) {
        super::shot(model, &shot, paint);
    }
    for place in 0..cells.count() {
        let at = model.list.top + place as u64;
        if at >= model.list.total {
            break;
        }
        let here = at == model.list.cursor;
        let Some(row) = model.rows.get(at) else {
            paint.put(cells.picture(place).x, cells.cell(place).y, 1, Role::Dim, "…");
            continue;
        };
        gutter(model, &cells, place, row, (here, model.marked(at, row)), paint);
        caption(model, cells.caption(place), row, here, paint);
    }
    super::info(model, paint);
}

/// What is seen of the cursor, of marks and of decisions at the left of a picture.
pub(super) fn gutter(
    model: &Model,
    cells: &Cells,
    place: usize,
    row: &Row,
    (here, marked): (bool, bool),
    paint: &mut Paint<'_>,
) {
    let cell = cells.cell(place);
    if here {
        let glyph = model.theme.glyph(Role::Cursor).to_owned();
        for y in cell.top()..cell.bottom() {
            paint.put(cell.x, y, 1, Role::Cursor, &glyph);
        }
    }
    if marked {
        paint.put(cell.x, cell.y, 1, Role::Marked, model.theme.glyph(Role::Marked));
    }
    if let Some(choice) = model.choice(row) {
        let role = decision_role(Some(choice));
        paint.put(cell.x, cell.y + 1, 1, role, model.theme.glyph(role));
        if model.journal.overlay.contains_key(&row.sample) && cell.height > 2 {
            paint.put(cell.x, cell.y + 2, 1, Role::Saving, model.theme.glyph(Role::Saving));
        }
    }
}

fn caption(model: &Model, area: Rect, row: &Row, here: bool, paint: &mut Paint<'_>) {
    if area.area() == 0 {
        return;
    }
    let role = decision_role(model.choice(row));
    let mut x = paint.put(area.x, area.y, 1, role, model.theme.glyph(role));
    if area.width >= 12 {
        x = paint.put(x, area.y, 4, severity(row.score, row.flags.len()), &text::score(row.score)) + 1;
    }
    list::labels(
        model,
        row,
        model.choice(row),
        area.right() - 1,
        area.y,
        area.right().saturating_sub(x + 1),
        paint,
    );
    if here {
        paint.buffer.set_style(area, paint.style(Role::Cursor));
    }
}
