//! Common parts of picture pages: one picture, the gutter on its left, and details of the sample under the
//! cursor.

use super::list::decision_role;
use super::{picture, sample, short};
use crate::model::{Cells, Layout, Model, Screen, Shot, Shown};
use crate::paint::Paint;
use crate::theme::Role;
use chaffinch_protocol::Row;

/// Draws one picture, or why there is none.
pub(crate) fn shot(model: &Model, shot: &Shot, paint: &mut Paint<'_>) {
    if !model.display.pictures_on {
        return picture::note(shot.area, Role::Dim, "pictures are off", paint);
    }
    // While the cursor travels a picture would only be in the way of the next key.
    if model.time.now < model.time.hold_until {
        return;
    }
    match model.pictures.get(shot.key) {
        Some(Shown::Ready(encoded)) => picture::blit(model, encoded, shot.area, paint),
        Some(Shown::Failed(why)) => picture::note(shot.area, Role::Error, &picture::no_picture(why), paint),
        None => {}
    }
}

/// Details of the sample under the cursor: at the side as beside the list, else in two lines.
pub(crate) fn info(model: &Model, paint: &mut Paint<'_>) {
    let area = Screen::of(model.display.size).info;
    if area.height > 2 {
        let glyph = paint.theme.glyph(Role::Border).to_owned();
        for y in area.top()..area.bottom() {
            paint.put(area.x - 1, y, 1, Role::Border, &glyph);
        }
        sample::info(model, &Layout { info: area, ..Layout::default() }, paint);
    } else if area.height == 2 {
        short::lines(model, area, paint);
    }
}

/// The cursor, mark and decision on the left of a picture.
pub(crate) fn gutter(
    model: &Model,
    cells: &Cells,
    index: usize,
    row: &Row,
    (here, marked): (bool, bool),
    paint: &mut Paint<'_>,
) {
    let cell = cells.cell(index);
    if here {
        let glyph = model.display.theme.glyph(Role::Cursor).to_owned();
        for y in cell.top()..cell.bottom() {
            paint.put(cell.x, y, 1, Role::Cursor, &glyph);
        }
    }
    if marked {
        paint.put(cell.x, cell.y, 1, Role::Marked, model.display.theme.glyph(Role::Marked));
    }
    if let Some(choice) = model.choice(row) {
        let role = decision_role(Some(choice));
        paint.put(cell.x, cell.y + 1, 1, role, model.display.theme.glyph(role));
        if model.review.journal.overlay.contains_key(&row.sample) && cell.height > 2 {
            paint.put(cell.x, cell.y + 2, 1, Role::Saving, model.display.theme.glyph(Role::Saving));
        }
    }
}
